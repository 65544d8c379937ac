/* test_trace.c - what is written is read, and what is not a trace is told. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "h5.h"
#include "scratch.h"

/* Values that are easy to predict and never equal: row r, tensor i. */
static double sum_at(size_t r, size_t i)
{
    return (double)(r * 1000 + i) / 8.0;
}

struct run {
    size_t n_steps, n_tensors;
    bool elements;
    bool param_norms;
};

static void make_head(struct gtr_head *head, size_t n_tensors)
{
    size_t i;
    char name[64];

    gtr_head_init(head, NULL);
    gtr_head_set(&head->meta, "{\"lr\": 0.5}", NULL);
    gtr_head_set(&head->grad_state, "pre-clip", NULL);
    head->total_steps = 77;
    for (i = 0; i < n_tensors; i++) {
        snprintf(name, sizeof name, "layers.%zu.q_proj.weight", i);
        gtr_head_add_tensor(head, name, i % 2 ? "3" : "", i % 2 ? 3 : 1,
                            (enum gtr_dtype)(i % GTR_DTYPE_COUNT), NULL);
    }
}

static enum gtr_code append_row(struct gtr_writer *writer, const struct run *run, size_t r)
{
    double *sumsq = calloc(run->n_tensors, sizeof *sumsq);
    float *maxabs = calloc(run->n_tensors, sizeof *maxabs);
    uint64_t *nonfinite = calloc(run->n_tensors, sizeof *nonfinite);
    const struct gtr_step step = { .index = (int64_t)r * 2 + 5,
                                   .loss = (double)r,
                                   .lr = 0.25,
                                   .time = (double)r / 4,
                                   .applied_scale = NAN,
                                   .skipped = r == 3 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; i < run->n_tensors; i++) {
        const unsigned char elements[24] = { (unsigned char)r, (unsigned char)i, 1, 2, 3, 4 };

        sumsq[i] = sum_at(r, i);
        maxabs[i] = (float)i;
        nonfinite[i] = r == 4 && i == 1 ? 9 : 0;
        if (run->elements && rc == GTR_OK)
            rc = gtr_writer_elements(writer, i, elements, NULL);
    }
    if (rc == GTR_OK)
        rc = gtr_writer_append(writer, &step, sumsq, maxabs, nonfinite,
                               run->param_norms ? sumsq : NULL, NULL);
    free(sumsq);
    free(maxabs);
    free(nonfinite);
    return rc;
}

static enum gtr_code write_run(const char *path, const struct run *run, struct gtr_err *err)
{
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .elements = run->elements,
                                                .param_norms = run->param_norms };
    struct gtr_writer *writer;
    struct gtr_head head;
    enum gtr_code rc;
    size_t r;

    make_head(&head, run->n_tensors);
    rc = gtr_writer_open(path, &head, &options, &writer, err);
    gtr_head_free(&head);
    for (r = 0; rc == GTR_OK && r < run->n_steps; r++)
        rc = append_row(writer, run, r);
    return rc == GTR_OK ? gtr_writer_close(writer, err) : rc;
}

static void check_rows(const struct gtr_trace *trace, const struct run *run)
{
    double *rows = calloc(run->n_steps * run->n_tensors, sizeof *rows);
    size_t band, r, i, wrong = 0;
    size_t band_rows = gtr_trace_band_rows(trace, GTR_SUMSQ);

    for (band = 0; band < gtr_trace_n_bands(trace, GTR_SUMSQ); band++) {
        double *to = calloc(band_rows * run->n_tensors, sizeof *to);
        size_t n = run->n_steps - band * band_rows < band_rows ? run->n_steps - band * band_rows
                                                               : band_rows;

        CHECK(gtr_trace_read_band(trace, GTR_SUMSQ, band, to, NULL) == GTR_OK);
        memcpy(rows + band * band_rows * run->n_tensors, to, n * run->n_tensors * sizeof *to);
        free(to);
    }
    for (r = 0; r < run->n_steps; r++)
        for (i = 0; i < run->n_tensors; i++)
            wrong += rows[r * run->n_tensors + i] != sum_at(r, i);
    CHECK(wrong == 0);
    free(rows);
}

static void a_trace_reads_back_as_written(void)
{
    static const struct run runs[] = { { 1, 1, false, false },
                                       { 7, 3, true, false },
                                       { 1024, 2, false, true },
                                       { 1025, 2, false, false },
                                       { 300, 500, false, false } };
    size_t k;

    for (k = 0; k < GTR_ARRAY_LEN(runs); k++) {
        struct gtr_trace *trace = NULL;
        struct gtr_err err = { 0 };
        const char *path = scratch_path("run.h5");
        const struct gtr_step *last;

        remove(path);
        CHECK(write_run(path, &runs[k], &err) == GTR_OK);
        CHECK(gtr_trace_open(path, &trace, &err) == GTR_OK);
        if (trace == NULL) {
            printf("%s\n", err.text);
            continue;
        }
        CHECK(gtr_trace_n_steps(trace) == runs[k].n_steps);
        CHECK(gtr_trace_head(trace)->n_tensors == runs[k].n_tensors);
        CHECK_TEXT(gtr_trace_head(trace)->meta, "{\"lr\": 0.5}");
        CHECK_TEXT(gtr_trace_head(trace)->grad_state, "pre-clip");
        CHECK(gtr_trace_head(trace)->total_steps == 77);
        CHECK_TEXT(gtr_trace_head(trace)->tensors[0].name, "layers.0.q_proj.weight");
        last = &gtr_trace_steps(trace)[runs[k].n_steps - 1];
        CHECK(last->index == (int64_t)(runs[k].n_steps - 1) * 2 + 5);
        CHECK_BITS(last->loss, (double)(runs[k].n_steps - 1));
        CHECK(isnan(last->applied_scale));
        check_rows(trace, &runs[k]);
        CHECK(gtr_trace_has(trace, GTR_PARAM_SUMSQ) == runs[k].param_norms);
        gtr_trace_close(trace);
    }
}

static void rows_across_bands_and_counts_are_found(void)
{
    const struct run run = { 2500, 3, false, false };
    struct gtr_trace *trace = NULL;
    const char *path = scratch_path("bands.h5");
    double rows[1500 * 3];
    uint64_t counts[3];
    struct gtr_err err = { 0 };

    CHECK(write_run(path, &run, NULL) == GTR_OK);
    CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
    CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, 1000, 1500, rows, NULL) == GTR_OK);
    CHECK_BITS(rows[0], sum_at(1000, 0));
    CHECK_BITS(rows[3 * 1499 + 2], sum_at(2499, 2));
    CHECK(gtr_trace_has(trace, GTR_NONFINITE));
    CHECK(gtr_trace_read_rows(trace, GTR_NONFINITE, 4, 1, counts, NULL) == GTR_OK);
    CHECK(counts[0] == 0 && counts[1] == 9 && counts[2] == 0);
    CHECK(gtr_trace_read_rows(trace, GTR_NONFINITE, 2400, 1, counts, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    CHECK(counts[0] == 0 && counts[1] == 0 && counts[2] == 0);
    CHECK(gtr_trace_steps(trace)[3].skipped && !gtr_trace_steps(trace)[4].skipped);
    gtr_trace_close(trace);
}

static void elements_read_back_bit_for_bit(void)
{
    const struct run run = { 5, 4, true, false };
    struct gtr_trace *trace = NULL;
    unsigned char element[24];
    const char *path = scratch_path("elements.h5");

    CHECK(write_run(path, &run, NULL) == GTR_OK);
    CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
    CHECK(gtr_trace_n_captures(trace) == 5);
    CHECK(gtr_trace_capture_rows(trace)[4] == 4);
    CHECK(gtr_trace_n_elements(trace, 3) == 3);
    CHECK(gtr_trace_read_elements(trace, 3, 2, element, NULL) == GTR_OK);
    CHECK(element[0] == 2 && element[1] == 3 && element[5] == 4);
    CHECK(gtr_trace_read_elements(trace, 3, 5, element, NULL) == GTR_EUSAGE);
    gtr_trace_close(trace);
}

static void the_last_row_can_be_amended_until_the_next(void)
{
    const struct gtr_writer_options options = { .size = sizeof options };
    const struct run run = { 0, 1, false, false };
    struct gtr_writer *writer;
    struct gtr_trace *trace = NULL;
    struct gtr_head head;
    const char *path = scratch_path("amend.h5");
    size_t r;

    make_head(&head, 1);
    CHECK(gtr_writer_open(path, &head, &options, &writer, NULL) == GTR_OK);
    CHECK(gtr_writer_amend(writer, 0.5, false, NULL) == GTR_EUSAGE);
    for (r = 0; r < 1026; r++) { /* over the edge of a chunk, where a row could be gone */
        CHECK(append_row(writer, &run, r) == GTR_OK);
        CHECK(gtr_writer_amend(writer, (double)r / 2, r == 1023, NULL) == GTR_OK);
    }
    CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
    CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
    CHECK_BITS(gtr_trace_steps(trace)[1023].applied_scale, 511.5);
    CHECK_BITS(gtr_trace_steps(trace)[1025].applied_scale, 512.5);
    CHECK(gtr_trace_steps(trace)[1023].skipped && !gtr_trace_steps(trace)[1025].skipped);
    gtr_trace_close(trace);
    gtr_head_free(&head);
}

static void limit_files(rlim_t bytes)
{
    const struct rlimit limit = { bytes, RLIM_INFINITY };

    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* A row that failed half-way stayed in some matrices, and the next one came after it there and in
 * its place elsewhere.  So many tensors make each row a chunk, for which the disk has no room. */
static void a_file_takes_no_row_after_one_that_failed(void)
{
    const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    const struct run run = { 0, 1 << 15, false, false };
    const char *path = scratch_path("failed.h5");
    size_t n_failed = 0;
    struct gtr_head head;
    rlim_t bytes;

    make_head(&head, run.n_tensors);
    signal(SIGXFSZ, SIG_IGN);
    for (bytes = 13 << 17; bytes < 17 << 17; bytes += 1 << 17) {
        struct gtr_writer *writer = NULL;
        struct gtr_trace *trace = NULL;
        enum gtr_code failed, after;

        CHECK(gtr_writer_open(path, &head, &options, &writer, NULL) == GTR_OK);
        CHECK(append_row(writer, &run, 3) == GTR_OK);
        limit_files(bytes);
        failed = append_row(writer, &run, 4);
        limit_files(RLIM_INFINITY);
        after = append_row(writer, &run, 5);
        CHECK(after == failed);
        CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
        CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
        CHECK(gtr_trace_n_steps(trace) == (failed == GTR_OK ? 3 : 1));
        n_failed += failed != GTR_OK;
        gtr_trace_close(trace);
    }
    CHECK(n_failed > 0);
    gtr_head_free(&head);
}

static void equal_inputs_give_equal_bytes(void)
{
    const struct run run = { 50, 6, true, false };
    size_t n_a, n_b;
    char *a, *b;

    CHECK(write_run(scratch_path("a.h5"), &run, NULL) == GTR_OK);
    sleep(1); /* HDF5 would store the second */
    CHECK(write_run(scratch_path("b.h5"), &run, NULL) == GTR_OK);
    a = scratch_read(scratch_path("a.h5"), &n_a);
    b = scratch_read(scratch_path("b.h5"), &n_b);
    CHECK(n_a == n_b && memcmp(a, b, n_a) == 0);
    free(a);
    free(b);
}

static void steps_must_grow(void)
{
    const struct gtr_writer_options options = { .size = sizeof options };
    const struct gtr_step step = { .index = 4 };
    const double sum = 1.0;
    const float most = 1.0f;
    const uint64_t none = 0;
    struct gtr_writer *writer;
    struct gtr_head head;
    struct gtr_err err = { 0 };

    make_head(&head, 1);
    CHECK(gtr_writer_open(scratch_path("grow.h5"), &head, &options, &writer, NULL) == GTR_OK);
    CHECK(gtr_writer_append(writer, &step, &sum, &most, &none, NULL, NULL) == GTR_OK);
    CHECK(gtr_writer_append(writer, &step, &sum, &most, &none, NULL, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "step 4: does not come after step 4");
    gtr_writer_abandon(writer);
    CHECK(access(scratch_path("grow.h5"), F_OK) != 0);
    gtr_head_free(&head);
}

static void an_existing_file_is_kept_without_force(void)
{
    const struct run run = { 1, 1, false, false };
    struct gtr_err err = { 0 };

    scratch_write(scratch_path("kept.h5"), "mine", 4);
    CHECK(write_run(scratch_path("kept.h5"), &run, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "kept.h5: exists already; pass --force");
}

static void check_refused(const char *path, enum gtr_code code, const char *part)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_trace_open(path, &trace, &err) == code);
    CHECK(trace == NULL);
    CHECK_HOLDS(err.text, part);
    CHECK_HOLDS(err.text, path);
    gtr_trace_close(trace);
}

static void what_is_not_a_trace_is_told_apart(void)
{
    struct gtr_h5 *h5;

    check_refused(scratch_path("none.h5"), GTR_EIO, "No such file");
    mkdir(scratch_path("folder"), 0777);
    check_refused(scratch_path("folder"), GTR_EFORMAT, "is a folder");
    mkfifo(scratch_path("pipe"), 0666);
    check_refused(scratch_path("pipe"), GTR_EFORMAT, "not a regular file");
    scratch_write(scratch_path("text.h5"), "step,norm\n", 10);
    check_refused(scratch_path("text.h5"), GTR_EFORMAT, "not an HDF5 file");
    CHECK(gtr_h5_create(scratch_path("other.h5"), "other.h5", &h5, NULL) == GTR_OK);
    gtr_h5_close(h5, NULL);
    check_refused(scratch_path("other.h5"), GTR_EFORMAT, "not a gradtrace trace");
}

/* A trace whose datasets are chosen one by one. */
struct crooked {
    const char *format;
    int64_t version;
    size_t n_numel, n_steps, n_rows, n_cols;
    const char *dtype;
    int64_t second_step;
    double sum;
    bool no_sums;
};

static const struct crooked straight = { "gradtrace", 1, 2, 2, 2, 2, "f32", 1, 4.0, false };

static void write_crooked(const char *path, const struct crooked *c)
{
    const char *names[] = { "a.weight", "b.weight" }, *shapes[] = { "1", "1" };
    const char *dtypes[] = { c->dtype, c->dtype };
    const uint64_t numel[] = { 1, 1, 1 };
    const int64_t index[] = { 0, c->second_step, 2 };
    const double sums[] = { c->sum, c->sum, c->sum };
    const struct gtr_h5_shape shape = { .cols = c->n_cols, .chunk_rows = 2 };
    struct gtr_h5_sheet *sheet;
    struct gtr_h5 *h5;
    size_t r;

    remove(path);
    gtr_h5_create(path, path, &h5, NULL);
    gtr_h5_set_text(h5, "/", "format", c->format, NULL);
    gtr_h5_set_integer(h5, "/", "format_version", c->version, NULL);
    gtr_h5_make_group(h5, "/param", NULL);
    gtr_h5_write_strings(h5, "/param/name", names, 2, NULL);
    gtr_h5_write_strings(h5, "/param/shape", shapes, 2, NULL);
    gtr_h5_write_strings(h5, "/param/dtype", dtypes, 2, NULL);
    gtr_h5_write_vector(h5, "/param/numel", GTR_H5_U64, numel, c->n_numel, NULL);
    gtr_h5_make_group(h5, "/step", NULL);
    gtr_h5_write_vector(h5, "/step/index", GTR_H5_I64, index, c->n_steps, NULL);
    gtr_h5_make_group(h5, "/norm", NULL);
    if (!c->no_sums) {
        gtr_h5_sheet_new(h5, "/norm/sumsq", GTR_H5_F64, &shape, &sheet, NULL);
        for (r = 0; r < c->n_rows; r++)
            gtr_h5_sheet_append(sheet, sums, NULL);
        gtr_h5_sheet_close(sheet, NULL);
    }
    gtr_h5_close(h5, NULL);
}

static void check_crooked(struct crooked c, const char *part)
{
    const char *path = scratch_path("crooked.h5");

    write_crooked(path, &c);
    check_refused(path, GTR_EFORMAT, part);
}

static void a_trace_that_contradicts_itself_is_refused(void)
{
    struct crooked c = straight;
    struct gtr_trace *trace = NULL;

    write_crooked(scratch_path("crooked.h5"), &c);
    CHECK(gtr_trace_open(scratch_path("crooked.h5"), &trace, NULL) == GTR_OK);
    gtr_trace_close(trace);
    c.version = 2;
    check_crooked(c, "format_version 2");
    c = straight;
    c.n_numel = 3;
    check_crooked(c, "/param/name: has 2 values where /param/numel has 3");
    c = straight;
    c.dtype = "f99";
    check_crooked(c, "/param/dtype: f99");
    c = straight;
    c.second_step = 0;
    check_crooked(c, "/step/index: row 1 has step 0 after step 0");
    c = straight;
    c.n_steps = 3;
    check_crooked(c, "/norm/sumsq: is 2 x 2 where 3 steps x 2 tensors");
    c = straight;
    c.n_cols = 3;
    check_crooked(c, "/norm/sumsq: is 2 x 3");
    c = straight;
    c.no_sums = true;
    check_crooked(c, "no dataset /norm/sumsq");
}

static void sums_that_cannot_be_are_refused(void)
{
    static const double sums[] = { -1.0, NAN, -INFINITY };
    struct crooked c = straight;
    struct gtr_trace *trace = NULL;
    double rows[4];
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(sums); i++) {
        struct gtr_err err = { 0 };

        c.sum = sums[i];
        write_crooked(scratch_path("crooked.h5"), &c);
        CHECK(gtr_trace_open(scratch_path("crooked.h5"), &trace, NULL) == GTR_OK);
        CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, 0, 2, rows, &err) == GTR_EFORMAT);
        CHECK_HOLDS(err.text, "/norm/sumsq: row 0, tensor 0");
        gtr_trace_close(trace);
    }
}

static void cutting_a_file_anywhere_gives_an_error_and_no_crash(void)
{
    const struct run run = { 40, 5, true, false };
    const char *whole = scratch_path("whole.h5"), *cut = scratch_path("cut.h5");
    size_t size, n, opened = 0;
    char *bytes;

    CHECK(write_run(whole, &run, NULL) == GTR_OK);
    bytes = scratch_read(whole, &size);
    for (n = 0; n < size; n += 509) {
        struct gtr_trace *trace = NULL;
        struct gtr_err err = { 0 };

        scratch_write(cut, bytes, n);
        if (gtr_trace_open(cut, &trace, &err) == GTR_OK)
            opened++;
        else
            CHECK_HOLDS(err.text, "cut.h5");
        gtr_trace_close(trace);
    }
    CHECK(opened == 0);
    free(bytes);
}

int main(void)
{
    gtr_trace_try_files(true); /* damaged ones that HDF5 may not survive */
    RUN(a_trace_reads_back_as_written);
    RUN(rows_across_bands_and_counts_are_found);
    RUN(elements_read_back_bit_for_bit);
    RUN(the_last_row_can_be_amended_until_the_next);
    RUN(a_file_takes_no_row_after_one_that_failed);
    RUN(equal_inputs_give_equal_bytes);
    RUN(steps_must_grow);
    RUN(an_existing_file_is_kept_without_force);
    RUN(what_is_not_a_trace_is_told_apart);
    RUN(a_trace_that_contradicts_itself_is_refused);
    RUN(sums_that_cannot_be_are_refused);
    RUN(cutting_a_file_anywhere_gives_an_error_and_no_crash);
    return check_report();
}
