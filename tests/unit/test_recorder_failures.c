/* test_recorder_failures.c - what the system refuses: paths, memory, disks; what is left then. */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "alloc.h"
#include "recording.h"

/* HDF5 1.10 loses some of its own pooled blocks when a write fails; LeakSanitizer asks here what to
 * keep quiet about. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static void an_unwritable_path_is_told_at_once(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    FILE *f;

    gtr_record_options_init(&options);
    CHECK(gtr_recorder_open("/nowhere/run.h5", &options, &r, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "/nowhere/run.h5: cannot write");
    err.code = GTR_OK;
    CHECK(gtr_recorder_open(scratch_folder, &options, &r, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "is a folder");

    f = fopen(path, "w");
    fputs("precious", f);
    fclose(f);
    err.code = GTR_OK;
    CHECK(gtr_recorder_open(path, &options, &r, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "exists already");
    CHECK(count_files() == 1);

    options.force = 1;
    err = (struct gtr_err){ 0 };
    r = open_pair(&options);
    f = fopen(path, "r");
    CHECK(f != NULL && fgetc(f) == 'p'); /* still there until the new one is whole */
    fclose(f);
    record_step(r, 0, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    gtr_trace_close(read_back());
    remove_trace();
}

static void a_recorder_without_a_step_leaves_no_file_and_says_so(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    r = open_pair(&options);
    CHECK(gtr_recorder_close(r, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "no step was completed");
    CHECK(count_files() == 0);

    err = (struct gtr_err){ 0 };
    r = open_pair(&options);
    gtr_recorder_begin(r, 0, 0.0, 0.0, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_EUSAGE);
    CHECK(count_files() == 0);

    CHECK(gtr_recorder_close(NULL, &err) == GTR_OK);
    gtr_recorder_abandon(NULL);
}

static void abandoning_leaves_no_file(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    r = open_pair(&options);
    record_step(r, 0, &err);
    gtr_recorder_abandon(r);
    CHECK_TEXT(err.text, "");
    CHECK(count_files() == 0);
}

/* The whole of a recording, until something fails; closes the recorder. */
static enum gtr_code record_all(const struct gtr_record_options *options, struct gtr_err *err)
{
    struct gtr_recorder *r;
    enum gtr_code rc = gtr_recorder_open(path, options, &r, err), closed;
    int64_t step;

    if (rc != GTR_OK)
        return rc;
    rc = gtr_recorder_tensor(r, "layers.0.q_proj.weight", "2x2", 4, GTR_F32, err);
    if (rc == GTR_OK)
        rc = gtr_recorder_tensor(r, "scale", "", 1, GTR_BF16, err);
    for (step = 0; rc == GTR_OK && step < 3; step++) {
        rc = gtr_recorder_begin(r, step, 0.0, 0.0, err);
        if (rc == GTR_OK)
            rc = gtr_recorder_grad(r, 0, q_grad, err);
        if (rc == GTR_OK)
            rc = gtr_recorder_end(r, err);
        if (rc == GTR_OK)
            rc = gtr_recorder_applied(r, 1.0, false, err);
    }
    closed = gtr_recorder_close(r, err);
    return rc != GTR_OK ? rc : closed;
}

static void every_allocation_may_fail(void)
{
    struct gtr_record_options options;
    enum gtr_code rc = GTR_ENOMEM;
    size_t n;

    gtr_record_options_init(&options);
    options.meta = "{}";
    options.group_by = "module";
    options.elements = GTR_ELEMENTS_FULL;
    for (n = 1; n < 2000 && rc != GTR_OK; n++) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(n);
        rc = record_all(&options, &err);
        gtr_alloc_fail_after(0);
        CHECK(rc == err.code);
        CHECK((rc == GTR_OK) == (err.text[0] == '\0'));
        if (rc != GTR_OK) {
            /* Either nothing, or a trace that holds whole steps. */
            CHECK(rc == GTR_ENOMEM);
            if (access(path, F_OK) == 0) {
                struct gtr_trace *trace = read_back();

                CHECK(gtr_trace_n_steps(trace) > 0 && gtr_trace_n_steps(trace) < 3);
                gtr_trace_close(trace);
            }
            remove_trace();
        }
    }
    CHECK(rc == GTR_OK && n > 20);
    remove_trace();
}

enum { DISK_BYTES = 1 << 20 };

/* Captures one tensor of the disk's size, step after step, until that fails. */
static enum gtr_code fill_the_disk(struct gtr_recorder *r, const void *grad, struct gtr_err *err)
{
    enum gtr_code rc = gtr_recorder_tensor(r, "w", "262144", DISK_BYTES / 4, GTR_F32, err);
    int64_t step;

    for (step = 0; rc == GTR_OK && step < 20; step++) {
        rc = gtr_recorder_begin(r, step, 0.0, 0.0, err);
        if (rc == GTR_OK)
            rc = gtr_recorder_grad(r, 0, grad, err);
        if (rc == GTR_OK)
            rc = gtr_recorder_end(r, err);
    }
    return rc;
}

/* A file that may not grow beyond some size stands for a disk that is full.  HDF5 1.10 crashes in
 * its exit handler if it may not finish a file, so this program's end is part of the test. */
static void fill_and_close(int64_t synchronous)
{
    struct gtr_record_options options;
    struct rlimit was, small;
    struct gtr_err err = { 0 }, again = { 0 }, closing = { 0 };
    struct gtr_recorder *r = NULL;
    uint32_t *grad = malloc(DISK_BYTES);
    size_t i;

    for (i = 0; grad != NULL && i < DISK_BYTES / 4; i++) /* deflate can do nothing with these */
        grad[i] = ((uint32_t)i * 2654435761u) ^ ((uint32_t)i * 40503u << 16) ^ (uint32_t)(i * i);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    small = (struct rlimit){ .rlim_cur = DISK_BYTES, .rlim_max = was.rlim_max };
    setrlimit(RLIMIT_FSIZE, &small);
    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.queue_bytes = 2 * DISK_BYTES; /* fewer than the steps: the loop has to see it */
    options.synchronous = synchronous;
    gtr_recorder_open(path, &options, &r, &err);
    CHECK(fill_the_disk(r, grad, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, path);
    CHECK_HOLDS(err.text, "File too large");
    CHECK(gtr_recorder_begin(r, 100, 0.0, 0.0, &again) == GTR_EIO);
    CHECK_TEXT(again.text, err.text);
    CHECK(gtr_recorder_grad(r, 0, grad, NULL) == GTR_EIO);
    CHECK(gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, NULL) == GTR_EIO);
    CHECK(gtr_recorder_end(r, NULL) == GTR_EIO);
    CHECK(gtr_recorder_applied(r, 1.0, false, NULL) == GTR_EIO);
    CHECK(gtr_recorder_tensor(r, "x", "1", 1, GTR_F32, NULL) == GTR_EIO);
    CHECK(gtr_recorder_close(r, &closing) == GTR_EIO);
    setrlimit(RLIMIT_FSIZE, &was);
    CHECK_TEXT(closing.text, err.text);
    if (access(path, F_OK) == 0) /* what fitted, whole */
        gtr_trace_close(read_back());
    remove_trace();
    free(grad);
}

static void a_full_disk_is_told_once_and_again_and_the_loop_goes_on(void)
{
    fill_and_close(0);
    fill_and_close(1);
}

int main(void)
{
    recording_init();
    RUN(an_unwritable_path_is_told_at_once);
    RUN(a_recorder_without_a_step_leaves_no_file_and_says_so);
    RUN(abandoning_leaves_no_file);
    RUN(every_allocation_may_fail);
    RUN(a_full_disk_is_told_once_and_again_and_the_loop_goes_on);
    return check_report();
}
