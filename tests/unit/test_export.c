/* test_export.c - what is exported, and that it is imported again with the same bits. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "logs.h"
#include "scratch.h"

static struct gtr_trace *open_trace(const char *path)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_trace_open(path, &trace, &err) == GTR_OK);
    if (trace == NULL)
        printf("    %s\n", err.text);
    return trace;
}

/* The log as a trace at `path`, replacing what was there. */
static struct gtr_trace *trace_of_log(struct gtr_log *log, const char *path)
{
    const struct gtr_log_facts facts = { .force = true };

    CHECK(log != NULL && gtr_log_write(log, path, &facts, NULL) == GTR_OK);
    return open_trace(path);
}

static struct gtr_trace *trace_of_text(const char *text, const char *path)
{
    struct gtr_log *log = read_good(text, NULL);
    struct gtr_trace *trace = trace_of_log(log, path);

    gtr_log_free(log);
    return trace;
}

/* The caller frees the text. */
static char *export_text(const struct gtr_trace *trace, const char *group_by,
                         const struct gtr_export_options *options)
{
    struct gtr_groups *groups = NULL;
    struct gtr_err err = { 0 };
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (group_by != NULL)
        CHECK(gtr_groups_new(group_by, gtr_trace_head(trace), &groups, &err) == GTR_OK);
    CHECK(gtr_export_write(trace, groups, options, f, &err) == GTR_OK);
    gtr_groups_free(groups);
    fclose(f);
    return text;
}

static void check_export(const struct gtr_trace *trace, const char *group_by,
                         struct gtr_export_options options, const char *wanted)
{
    char *text = export_text(trace, group_by, &options);

    CHECK_TEXT(text, wanted);
    free(text);
}

/* --- worked by hand -------------------------------------------------------------------------- */

/* A recorded trace of two steps: sums of squares 9, 16, 0.25 and 144, 25, 1; at the second step
 * the last tensor has two elements that are not finite. */
static struct gtr_trace *recorded(const char *path)
{
    static const struct gtr_step steps[] = { { 4, 2.5, 0.125, NAN, NAN, false, 0.0 },
                                             { 6, NAN, 0.0625, NAN, NAN, false, 0.0 } };
    static const double sumsq[2][3] = { { 9, 16, 0.25 }, { 144, 25, 1 } };
    static const float maxabs[2][3] = { { 2, 3, 0.5f }, { 8, 4, 0.1f } };
    static const uint64_t nonfinite[2][3] = { { 0, 0, 0 }, { 0, 0, 2 } };
    const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    struct gtr_writer *writer = NULL;
    struct gtr_head head;
    size_t t;

    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    gtr_head_add_tensor(&head, "l.0.q_proj.weight", "2x2", 4, GTR_F32, NULL);
    gtr_head_add_tensor(&head, "l.1.q_proj.weight", "2x2", 4, GTR_F32, NULL);
    gtr_head_add_tensor(&head, "l.1.k_proj.weight", "2x2", 4, GTR_F32, NULL);
    CHECK(gtr_writer_open(path, &head, &options, &writer, NULL) == GTR_OK);
    for (t = 0; t < 2; t++)
        CHECK(gtr_writer_append(writer, &steps[t], sumsq[t], maxabs[t], nonfinite[t], NULL, NULL) ==
              GTR_OK);
    CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
    gtr_head_free(&head);
    return open_trace(path);
}

static void tensors_and_groups_are_exported_as_they_are(void)
{
    struct gtr_trace *trace = recorded(scratch_path("recorded.h5"));
    struct gtr_export_options options = { .format = GTR_EXPORT_CSV };

    if (trace == NULL)
        return;
    check_export(trace, NULL, options,
                 "step,module,norm\n4,l.0.q_proj.weight,3\n4,l.1.q_proj.weight,4\n"
                 "4,l.1.k_proj.weight,0.5\n6,l.0.q_proj.weight,12\n6,l.1.q_proj.weight,5\n"
                 "6,l.1.k_proj.weight,nan\n");
    check_export(trace, "module", options,
                 "step,module,norm\n4,q_proj,5\n4,k_proj,0.5\n6,q_proj,13\n6,k_proj,nan\n");
    options.layout = GTR_EXPORT_WIDE;
    check_export(
        trace, "module", options,
        "step,loss,lr,grad_norm/q_proj,grad_norm/k_proj\n4,2.5,0.125,5,0.5\n6,,0.0625,13,nan\n");
    options.format = GTR_EXPORT_TSV;
    check_export(
        trace, "all", options,
        "step\tloss\tlr\tgrad_norm/all\n4\t2.5\t0.125\t5.024937810560445\n6\t\t0.0625\tnan\n");
    options.format = GTR_EXPORT_JSONL;
    check_export(trace, "module", options,
                 "{\"step\": 4, \"loss\": 2.5, \"lr\": 0.125, \"grad_norm/q_proj\": 5, "
                 "\"grad_norm/k_proj\": 0.5}\n"
                 "{\"step\": 6, \"lr\": 0.0625, \"grad_norm/q_proj\": 13, "
                 "\"grad_norm/k_proj\": \"NaN\"}\n");
    gtr_trace_close(trace);
}

static void every_matrix_can_be_exported(void)
{
    struct gtr_trace *trace = recorded(scratch_path("matrix.h5"));
    struct gtr_export_options options = { .format = GTR_EXPORT_CSV, .layout = GTR_EXPORT_WIDE };

    if (trace == NULL)
        return;
    options.what = GTR_EXPORT_SUMSQ;
    check_export(trace, "module", options,
                 "step,loss,lr,grad_sumsq/q_proj,grad_sumsq/k_proj\n4,2.5,0.125,25,0.25\n"
                 "6,,0.0625,169,nan\n");
    options.what = GTR_EXPORT_NONFINITE;
    check_export(trace, "module", options,
                 "step,loss,lr,grad_nonfinite/q_proj,grad_nonfinite/k_proj\n4,2.5,0.125,0,0\n"
                 "6,,0.0625,0,2\n");
    options.what = GTR_EXPORT_MAXABS;
    options.layout = GTR_EXPORT_LONG;
    check_export(trace, "module", options,
                 "step,module,maxabs\n4,q_proj,3\n4,k_proj,0.5\n6,q_proj,8\n"
                 "6,k_proj,0.10000000149011612\n");
    gtr_trace_close(trace);
    trace = trace_of_text("step,grads/a,grads/b\n0,1,2\n", scratch_path("unknown.h5"));
    if (trace == NULL)
        return;
    check_export(trace, NULL, options, "step,module,maxabs\n0,a,nan\n0,b,nan\n");
    gtr_trace_close(trace);
}

/* --- there and back -------------------------------------------------------------------------- */

/* Every number of two logs, bit for bit. */
static void check_same(const struct gtr_log *a, const struct gtr_log *b)
{
    const struct gtr_log_summary *of_a = gtr_log_summary(a), *of_b = gtr_log_summary(b);
    size_t n = of_a->n_series, t, i;
    double *sums = calloc(2 * n, sizeof *sums);
    uint64_t *counts = calloc(2 * n, sizeof *counts);

    CHECK(of_a->n_series == of_b->n_series && of_a->n_steps == of_b->n_steps);
    for (i = 0; i < n && n == of_b->n_series; i++)
        CHECK_TEXT(gtr_log_series_name(b, i), gtr_log_series_name(a, i));
    for (t = 0; t < of_a->n_steps && of_a->n_steps == of_b->n_steps && n == of_b->n_series; t++) {
        CHECK(gtr_log_steps(a)[t].index == gtr_log_steps(b)[t].index);
        gtr_log_row(a, t, sums, counts);
        gtr_log_row(b, t, sums + n, counts + n);
        CHECK(memcmp(sums, sums + n, n * sizeof *sums) == 0);
        CHECK(memcmp(counts, counts + n, n * sizeof *counts) == 0);
    }
    free(sums);
    free(counts);
}

static const struct gtr_export_options forms[] = {
    { .format = GTR_EXPORT_CSV },
    { .format = GTR_EXPORT_TSV },
    { .format = GTR_EXPORT_CSV, .layout = GTR_EXPORT_WIDE },
    { .format = GTR_EXPORT_TSV, .layout = GTR_EXPORT_WIDE },
    { .format = GTR_EXPORT_JSONL },
    { .format = GTR_EXPORT_CSV, .what = GTR_EXPORT_SUMSQ },
    { .format = GTR_EXPORT_CSV, .what = GTR_EXPORT_SUMSQ, .layout = GTR_EXPORT_WIDE },
    { .format = GTR_EXPORT_JSONL, .what = GTR_EXPORT_SUMSQ },
};

/* import -> export -> import, in every form. */
static void check_round_trip(const char *text)
{
    struct gtr_log *log = read_good(text, NULL);
    struct gtr_trace *trace = log != NULL ? trace_of_log(log, scratch_path("trip.h5")) : NULL;
    size_t i;

    for (i = 0; trace != NULL && i < GTR_ARRAY_LEN(forms); i++) {
        char *exported = export_text(trace, NULL, &forms[i]);
        struct gtr_log *back = read_good(exported, NULL);

        if (back != NULL)
            check_same(log, back);
        gtr_log_free(back);
        free(exported);
    }
    gtr_trace_close(trace);
    gtr_log_free(log);
}

static void imported_norms_come_back_in_every_form(void)
{
    check_round_trip("step,module,norm\n-3,q,0.1\n0,q,nan\n7,k,1e-3\n7,q,inf\n8,k,1e150\n");
    check_round_trip("step,loss,grad_norm/q\n1,nan,0.1\n2,3.25,0.3333333333333333\n");
    check_round_trip("step,module,norm\n0,\"a, \"\"b\"\" ; c\",1\n0,\"# x\",2\n0,back\\slash,3\n");
}

/* Names that mean something else in a wide table, or to import's usual globs. */
static void names_that_look_like_columns_come_back(void)
{
    check_round_trip(
        "step,module,norm\n0,time,1\n0,loss,2\n0,step,3\n0,norm,4\n0,name,5\n0,lr,6\n");
    check_round_trip("step,module,norm\n0,q,1\n0,x_grad_norm_y,2\n0,grad_norm/z,3\n0,k__MAX,4\n");
    check_round_trip("step,module,norm\n0,total,1\n");
    check_round_trip("step,module,norm\n0,grad_sumsq/a,1\n0,1e5,2\n0,nan,3\n");
}

/* Enough steps for several bands of the file. */
static void long_logs_come_back(void)
{
    uint64_t state = 88172645463325252u;
    char *text = NULL, number[GTR_NUMBER_SIZE];
    size_t size = 0, t, i;
    FILE *f = open_memstream(&text, &size);

    fputs("step,module,norm\n", f);
    for (t = 0; t < 2500; t++)
        for (i = 0; i < 3; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            gtr_text_print(ldexp(1.0 + (double)(state >> 12) * 0x1p-52, (int)(state % 61) - 30),
                           number);
            fprintf(f, "%zu,m%zu,%s\n", t, i, number);
        }
    fclose(f);
    check_round_trip(text);
    free(text);
}

/* Roots of recorded sums of squares lose their last bit when squared; the sums do not. */
static void recorded_sums_of_squares_come_back_exactly(void)
{
    struct gtr_trace *trace = NULL;
    const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    const char *path = scratch_path("sums.h5");
    struct gtr_writer *writer = NULL;
    struct gtr_step step = { 0, NAN, NAN, NAN, NAN, false, 0.0 };
    const uint64_t none[2] = { 0, 0 };
    const float unknown[2] = { NAN, NAN };
    struct gtr_head head;
    size_t i, t, wrong = 0;

    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    gtr_head_add_tensor(&head, "a.b.weight", "4", 4, GTR_F32, NULL);
    gtr_head_add_tensor(&head, "a.c.weight", "4", 4, GTR_F32, NULL);
    CHECK(gtr_writer_open(path, &head, &options, &writer, NULL) == GTR_OK);
    for (t = 0; t < 200; t++) {
        const double sums[2] = { 1.0 / (double)(t + 3), 1e-9 * (double)(t + 1) };

        step.index = (int64_t)t;
        CHECK(gtr_writer_append(writer, &step, sums, unknown, none, NULL, NULL) == GTR_OK);
    }
    CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
    gtr_head_free(&head);
    trace = open_trace(path);
    for (i = 5; trace != NULL && i < GTR_ARRAY_LEN(forms); i++) {
        char *text = export_text(trace, NULL, &forms[i]);
        struct gtr_log *log = read_good(text, NULL);

        for (t = 0; log != NULL && t < 200; t++) {
            uint64_t counts[2];
            double sums[2];

            gtr_log_row(log, t, sums, counts);
            wrong += sums[0] != 1.0 / (double)(t + 3) || sums[1] != 1e-9 * (double)(t + 1);
        }
        CHECK(log != NULL && wrong == 0);
        gtr_log_free(log);
        free(text);
    }
    gtr_trace_close(trace);
}

/* The caller sees a full disk when it closes the file; writing stops, and does not crash. */
static void a_full_disk_stops_the_export(void)
{
    const struct gtr_export_options options = { .format = GTR_EXPORT_CSV };
    struct gtr_trace *trace = recorded(scratch_path("full.h5"));
    FILE *full = fopen("/dev/full", "w");
    struct gtr_err err = { 0 };

    if (trace != NULL && full != NULL) {
        setvbuf(full, NULL, _IONBF, 0);
        CHECK(gtr_export_write(trace, NULL, &options, full, &err) == GTR_OK);
        CHECK(ferror(full));
        CHECK(gtr_file_close(full, "out.csv", &err) == GTR_EIO);
        CHECK_HOLDS(err.text, "out.csv: cannot write");
    }
    gtr_trace_close(trace);
}

static void running_out_of_memory_is_told(void)
{
    const struct gtr_export_options options = { .format = GTR_EXPORT_CSV };
    struct gtr_trace *trace = recorded(scratch_path("memory.h5"));
    FILE *f = fopen("/dev/null", "w");
    enum gtr_code rc = GTR_ENOMEM;
    size_t n;

    for (n = 1; trace != NULL && rc == GTR_ENOMEM && n < 100; n++) {
        gtr_alloc_fail_after(n);
        rc = gtr_export_write(trace, NULL, &options, f, NULL);
        gtr_alloc_fail_after(0);
    }
    CHECK(rc == GTR_OK && n > 3);
    fclose(f);
    gtr_trace_close(trace);
}

/* In 32 bits: 5.0249... is no float, 5 and 13 are. */
static void an_event_file_is_read_back_in_32_bits(void)
{
    const struct gtr_export_options options = { .format = GTR_EXPORT_TFEVENTS };
    struct gtr_trace *trace = recorded(scratch_path("events.h5"));
    struct gtr_groups *groups = NULL;
    struct gtr_log *log = NULL;
    struct gtr_err err = { 0 };
    char *bytes = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&bytes, &size);

    if (trace == NULL || f == NULL)
        return;
    CHECK(gtr_groups_new("module", gtr_trace_head(trace), &groups, &err) == GTR_OK);
    CHECK(gtr_export_write(trace, groups, &options, f, &err) == GTR_OK);
    fclose(f);
    CHECK(size > 24 && memcmp(bytes + 12 + 9 + 2, "brain.Event:2", 13) == 0);
    CHECK(read_bytes(bytes, size, NULL, &log, &err) == GTR_OK);
    if (log != NULL) {
        check_names(log, "q_proj k_proj");
        CHECK_BITS(norm_at(log, 0, "q_proj"), 5.0);
        CHECK_BITS(norm_at(log, 1, "q_proj"), 13.0);
        CHECK(isnan(norm_at(log, 1, "k_proj")));
        CHECK_BITS(gtr_log_steps(log)[0].loss, 2.5);
        CHECK_BITS(gtr_log_steps(log)[1].lr, 0.0625);
    }
    gtr_log_free(log);
    gtr_groups_free(groups);
    gtr_trace_close(trace);
    free(bytes);
}

int main(void)
{
    RUN(tensors_and_groups_are_exported_as_they_are);
    RUN(every_matrix_can_be_exported);
    RUN(imported_norms_come_back_in_every_form);
    RUN(names_that_look_like_columns_come_back);
    RUN(long_logs_come_back);
    RUN(recorded_sums_of_squares_come_back_exactly);
    RUN(a_full_disk_stops_the_export);
    RUN(running_out_of_memory_is_told);
    RUN(an_event_file_is_read_back_in_32_bits);
    return check_report();
}
