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

/* Where there is no memory to complete the file, what was recorded stays in the folder, whole. */
static void look_at_folder(void)
{
    const char *const names[] = { "rank0.journal", "rank0.lock", "rank0.h5", "rank0.h5.tmp" };
    const char *folder = scratch_path("run.h5.gtr");
    struct gtr_trace *trace = NULL;
    char file[300];
    size_t i;

    if (access(folder, F_OK) != 0)
        return;
    snprintf(file, sizeof file, "%s/rank0.journal", folder);
    if (access(file, F_OK) == 0 && gtr_trace_open(folder, &trace, NULL) == GTR_OK)
        CHECK(gtr_trace_n_steps(trace) <= 3);
    CHECK(trace != NULL || access(file, F_OK) != 0);
    gtr_trace_close(trace);
    for (i = 0; i < GTR_ARRAY_LEN(names); i++) {
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        unlink(file);
    }
    rmdir(folder);
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

                CHECK(gtr_trace_n_steps(trace) > 0 && gtr_trace_n_steps(trace) <= 3);
                gtr_trace_close(trace);
            }
            look_at_folder();
            remove_trace();
        }
    }
    CHECK(rc == GTR_OK && n > 20);
    look_at_folder(); /* perhaps its lock, for whose name there was no memory */
    remove_trace();
}

enum { DISK_BYTES = 1 << 20, FILL_STEPS = 20 };

/* Captures one tensor of the disk's size, step after step, until that fails. */
static enum gtr_code fill_the_disk(struct gtr_recorder *r, const void *grad, struct gtr_err *err)
{
    enum gtr_code rc = gtr_recorder_tensor(r, "w", "262144", DISK_BYTES / 4, GTR_F32, err);
    int64_t step;

    for (step = 0; rc == GTR_OK && step < FILL_STEPS; step++) {
        rc = gtr_recorder_begin(r, step, 0.0, 0.0, err);
        if (rc == GTR_OK)
            rc = gtr_recorder_grad(r, 0, grad, err);
        if (rc == GTR_OK)
            rc = gtr_recorder_end(r, err);
    }
    return rc;
}

static void check_kept(int64_t n_steps)
{
    struct gtr_trace *trace = read_back();

    if (trace == NULL)
        return;
    CHECK(gtr_trace_n_steps(trace) == (size_t)n_steps);
    CHECK(gtr_trace_head(trace)->elements_stopped != NULL);
    if (gtr_trace_head(trace)->elements_stopped != NULL)
        CHECK_HOLDS(gtr_trace_head(trace)->elements_stopped, "File too large");
    CHECK((int64_t)gtr_trace_n_captures(trace) < n_steps);
    gtr_trace_close(trace);
}

/* A file that may not grow beyond some size stands for a disk that is full.  HDF5 1.10 crashes in
 * its exit handler if it may not finish a file, so this program's end is part of the test. */
static void fill_and_close(int64_t synchronous)
{
    struct gtr_record_options options;
    struct rlimit was, small;
    struct gtr_err err = { 0 };
    struct gtr_record_kept kept;
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
    CHECK(gtr_recorder_open(path, &options, &r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    CHECK(fill_the_disk(r, grad, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    CHECK_HOLDS(gtr_recorder_elements_stopped(r), "File too large");
    gtr_recorder_close_kept(r, &kept, &err);
    setrlimit(RLIMIT_FSIZE, &was);
    CHECK(kept.steps == FILL_STEPS);
    check_kept(FILL_STEPS);
    remove_trace();
    free(grad);
}

static void norms_go_on_where_the_disk_has_no_room_for_elements(void)
{
    fill_and_close(0);
    fill_and_close(1);
}

/* So many norms that the journal has no room either: what was completed is kept, and the failure
 * is told again and again. */
static void a_full_disk_is_told_and_keeps_each_completed_step(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 }, again = { 0 }, closing = { 0 };
    struct gtr_record_kept kept;
    struct gtr_recorder *r = NULL;
    struct rlimit was, small;
    struct gtr_trace *trace;
    size_t i, completed = 0;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    small = (struct rlimit){ .rlim_cur = DISK_BYTES, .rlim_max = was.rlim_max };
    setrlimit(RLIMIT_FSIZE, &small);
    gtr_record_options_init(&options);
    gtr_recorder_open(path, &options, &r, &err);
    for (i = 0; i < 500; i++) {
        char name[24];

        snprintf(name, sizeof name, "w%zu", i);
        gtr_recorder_tensor(r, name, "1", 1, GTR_BF16, &err);
    }
    while (completed < 1000) {
        if (gtr_recorder_begin(r, (int64_t)completed, 1.0, 0.0, &err) != GTR_OK ||
            gtr_recorder_norm(r, completed % 500, 1.0 + (double)completed, 1.0f, 0, &err) !=
                GTR_OK ||
            gtr_recorder_end(r, &err) != GTR_OK)
            break;
        completed++;
    }
    CHECK(completed > 50 && completed < 1000 && err.code == GTR_EIO);
    CHECK_HOLDS(err.text, "File too large");
    CHECK(gtr_recorder_begin(r, 5000, 0.0, 0.0, &again) == GTR_EIO);
    CHECK_TEXT(again.text, err.text);
    CHECK(gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, NULL) == GTR_EIO);
    CHECK(gtr_recorder_end(r, NULL) == GTR_EIO);
    CHECK(gtr_recorder_applied(r, 1.0, false, NULL) == GTR_EIO);
    CHECK(gtr_recorder_set_total_steps(r, 9, NULL) == GTR_EIO);
    CHECK(gtr_recorder_tensor(r, "x", "1", 1, GTR_F32, NULL) == GTR_EIO);
    CHECK(gtr_recorder_close_kept(r, &kept, &closing) == GTR_EIO);
    CHECK_TEXT(closing.text, err.text);
    setrlimit(RLIMIT_FSIZE, &was);
    CHECK(kept.steps == completed);
    trace = read_back();
    if (trace != NULL) {
        double row[500];

        CHECK(gtr_trace_n_steps(trace) == completed);
        CHECK_TEXT(gtr_trace_head(trace)->stopped, err.text);
        for (i = 0; i < gtr_trace_n_steps(trace); i++) {
            CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, i, 1, row, NULL) == GTR_OK);
            CHECK(row[i % 500] == 1.0 + (double)i);
        }
    }
    gtr_trace_close(trace);
    remove_trace();
}

/* Whoever removes the folder of a run that goes on gets it back with the rows. */
static void a_folder_that_is_removed_meanwhile_comes_again(void)
{
    static const char *const names[] = { "gone/run.h5", "gone/run.gtr" };
    char keep[sizeof path], command[400];
    size_t i, t;

    memcpy(keep, path, sizeof path);
    for (i = 0; i < 2; i++) {
        struct gtr_record_options options;
        struct gtr_record_kept kept;
        struct gtr_err err = { 0 };
        struct gtr_recorder *r;
        struct gtr_trace *trace;

        mkdir(scratch_path("gone"), 0777);
        snprintf(path, sizeof path, "%s", scratch_path(names[i]));
        gtr_record_options_init(&options);
        r = open_pair(&options);
        for (t = 0; t < 3; t++)
            record_step(r, (int64_t)t, &err);
        snprintf(command, sizeof command, "rm -r '%s'", scratch_path("gone"));
        CHECK(system(command) == 0);
        for (t = 3; t < 5; t++)
            record_step(r, (int64_t)t, &err);
        CHECK(gtr_recorder_close_kept(r, &kept, &err) == GTR_OK);
        CHECK_TEXT(err.text, "");
        CHECK(kept.steps == 5);
        trace = read_back();
        CHECK(trace != NULL && gtr_trace_n_steps(trace) == 5);
        gtr_trace_close(trace);
        CHECK(system(command) == 0);
    }
    memcpy(path, keep, sizeof path);
    CHECK(count_files() == 0);
}

/* The second is refused before it has recorded anything, and the first loses nothing. */
static void two_recorders_of_one_file_do_not_harm_each_other(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r, *second = NULL;

    gtr_record_options_init(&options);
    options.force = 1;
    r = open_pair(&options);
    record_step(r, 0, &err);
    CHECK(gtr_recorder_open(path, &options, &second, &err) == GTR_EIO && second == NULL);
    CHECK_HOLDS(err.text, "run.h5.gtr: rank 0 is being recorded by process");
    err = (struct gtr_err){ 0 };
    record_step(r, 1, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    remove_trace();
}

/* Somebody else's file that has the name by now stays, and so does the trace. */
static void a_name_that_is_taken_meanwhile_costs_no_step(void)
{
    struct gtr_record_options options;
    struct gtr_record_kept kept;
    struct gtr_err err = { 0 };
    struct gtr_trace *trace = NULL;
    struct gtr_recorder *r;
    char inside[300];

    gtr_record_options_init(&options);
    r = open_pair(&options);
    record_step(r, 0, &err);
    record_step(r, 1, &err);
    scratch_write(path, "mine", 4);
    CHECK(gtr_recorder_close_kept(r, &kept, &err) == GTR_EIO);
    CHECK(kept.steps == 0);
    CHECK_HOLDS(err.text, "exists already");
    CHECK_HOLDS(err.text, "the trace is ");
    snprintf(inside, sizeof inside, "%s.gtr/rank0.h5", path);
    CHECK(gtr_trace_open(inside, &trace, NULL) == GTR_OK && gtr_trace_n_steps(trace) == 2);
    gtr_trace_close(trace);
    look_at_folder();
    remove_trace();
}

int main(void)
{
    recording_init();
    RUN(an_unwritable_path_is_told_at_once);
    RUN(a_recorder_without_a_step_leaves_no_file_and_says_so);
    RUN(abandoning_leaves_no_file);
    RUN(every_allocation_may_fail);
    RUN(norms_go_on_where_the_disk_has_no_room_for_elements);
    RUN(a_full_disk_is_told_and_keeps_each_completed_step);
    RUN(a_folder_that_is_removed_meanwhile_comes_again);
    RUN(two_recorders_of_one_file_do_not_harm_each_other);
    RUN(a_name_that_is_taken_meanwhile_costs_no_step);
    return check_report();
}
