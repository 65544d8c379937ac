/* test_recorder.c - whole recordings read back; what callers do wrong. */
#define _XOPEN_SOURCE 700
#include "recording.h"

/* --- recordings ------------------------------------------------------------------------------- */

static void fill_options(struct gtr_record_options *options)
{
    gtr_record_options_init(options);
    options->producer = "test";
    options->reduction = "mean";
    options->grad_state = "pre-clip";
    options->meta = "{\"lr\": 0.001}";
    options->group_by = "layer";
    options->rank = 1;
    options->world_size = 2;
    options->total_steps = 100;
}

/* Three steps: both gradients; one with bad elements and none for s; only a norm for s. */
static void record_three(struct gtr_recorder *r, struct gtr_err *err)
{
    const float bad[4] = { 3.0f, NAN, -INFINITY, -4.0f };

    record_step(r, 7, err);
    gtr_recorder_applied(r, 0.25, true, err);
    gtr_recorder_begin(r, 9, (double)NAN, (double)NAN, err);
    gtr_recorder_grad(r, 0, bad, err);
    gtr_recorder_end(r, err);
    gtr_recorder_begin(r, 10, 1.0, 0.5, err);
    gtr_recorder_norm(r, 1, 6.25, 2.5f, 1, err);
    gtr_recorder_end(r, err);
    gtr_recorder_applied(r, 1.0, false, err);
}

static void check_head(const struct gtr_head *head)
{
    CHECK_TEXT(head->producer, "test");
    CHECK_TEXT(head->reduction, "mean");
    CHECK_TEXT(head->grad_state, "pre-clip");
    CHECK_TEXT(head->meta, "{\"lr\": 0.001}");
    CHECK_TEXT(head->group_by, "layer");
    CHECK(head->created != NULL && strlen(head->created) == strlen("2026-01-01T00:00:00Z"));
    CHECK(head->rank == 1 && head->world_size == 2 && head->total_steps == 100);
    CHECK(head->n_tensors == 2 && head->tensors[1].dtype == GTR_BF16);
    CHECK_TEXT(head->tensors[0].name, "layers.0.q_proj.weight");
    CHECK_TEXT(head->tensors[0].shape, "2x2");
    CHECK_TEXT(head->tensors[1].shape, "");
}

static void check_steps(const struct gtr_step *steps)
{
    CHECK(steps[0].index == 7 && steps[1].index == 9 && steps[2].index == 10);
    CHECK_BITS(steps[0].loss, 2.5);
    CHECK_BITS(steps[0].lr, 1e-3);
    CHECK_BITS(steps[1].loss, (double)NAN);
    CHECK_BITS(steps[0].time, 0.0);
    CHECK(steps[1].time > 0.0 && steps[2].time > steps[1].time && steps[2].time < 60.0);
    CHECK_BITS(steps[0].applied_scale, 0.25);
    CHECK_BITS(steps[1].applied_scale, (double)NAN);
    CHECK_BITS(steps[2].applied_scale, 1.0);
    CHECK(steps[0].skipped && !steps[1].skipped && !steps[2].skipped);
}

static void check_norms(const struct gtr_trace *trace)
{
    static const double wanted[3][2] = { { 5.25, 9.0 }, { 25.0, 0.0 }, { 0.0, 6.25 } };
    static const float wanted_max[3][2] = { { 2.0f, 3.0f }, { 4.0f, 0.0f }, { 0.0f, 2.5f } };
    static const uint64_t wanted_bad[3][2] = { { 0, 0 }, { 2, 0 }, { 0, 1 } };
    struct gtr_err err = { 0 };
    double sumsq[3][2];
    float maxabs[3][2];
    uint64_t nonfinite[3][2];

    gtr_trace_read_rows(trace, GTR_SUMSQ, 0, 3, sumsq, &err);
    gtr_trace_read_rows(trace, GTR_MAXABS, 0, 3, maxabs, &err);
    gtr_trace_read_rows(trace, GTR_NONFINITE, 0, 3, nonfinite, &err);
    CHECK_TEXT(err.text, "");
    CHECK(memcmp(sumsq, wanted, sizeof wanted) == 0);
    CHECK(memcmp(maxabs, wanted_max, sizeof wanted_max) == 0);
    CHECK(memcmp(nonfinite, wanted_bad, sizeof wanted_bad) == 0);
}

static void a_recording_reads_back_as_it_was_given(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    struct gtr_trace *trace;

    fill_options(&options);
    r = open_pair(&options);
    record_three(r, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");

    trace = read_back();
    check_head(gtr_trace_head(trace));
    CHECK(gtr_trace_n_steps(trace) == 3);
    check_steps(gtr_trace_steps(trace));
    check_norms(trace);
    CHECK(gtr_trace_n_captures(trace) == 0);
    gtr_trace_close(trace);
    remove_trace();
}

static void elements_are_kept_at_every_kth_step_of_the_window(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    struct gtr_trace *trace;
    float q[4];
    uint16_t s;
    int64_t step;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.first = 3;
    options.every = 2;
    options.last = 8;
    r = open_pair(&options);
    for (step = 0; step < 12; step++) {
        const float mine[4] = { (float)step, NAN, -0.0f, 1e-45f };

        gtr_recorder_begin(r, step, 0.0, 0.0, &err);
        if (step != 5)
            gtr_recorder_grad(r, 1, &s_grad, &err);
        if (step != 7)
            gtr_recorder_grad(r, 0, mine, &err);
        gtr_recorder_end(r, &err);
    }
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");

    trace = read_back();
    CHECK(gtr_trace_n_steps(trace) == 12);
    CHECK(gtr_trace_n_captures(trace) == 3); /* 3 5 7 */
    if (gtr_trace_n_captures(trace) == 3) {
        const int64_t *rows = gtr_trace_capture_rows(trace);

        CHECK(rows[0] == 3 && rows[1] == 5 && rows[2] == 7);
        CHECK(gtr_trace_n_elements(trace, 0) == 4 && gtr_trace_n_elements(trace, 1) == 1);
        gtr_trace_read_elements(trace, 0, 1, q, &err);
        CHECK(q[0] == 5.0f && isnan(q[1]) && signbit(q[2]) && q[3] == 1e-45f);
        gtr_trace_read_elements(trace, 1, 0, &s, &err);
        CHECK(s == s_grad);
        gtr_trace_read_elements(trace, 1, 1, &s, &err); /* had no gradient at step 5 */
        CHECK(s == 0);
        gtr_trace_read_elements(trace, 0, 2, q, &err); /* nor this one at 7 */
        CHECK(q[0] == 0.0f && q[1] == 0.0f && q[3] == 0.0f);
    }
    CHECK_TEXT(err.text, "");
    gtr_trace_close(trace);
    remove_trace();
}

/* The window's arithmetic must not overflow where step - first does. */
static void a_window_may_span_all_of_the_integers(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    struct gtr_trace *trace;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.first = INT64_MIN;
    options.every = INT64_MAX;
    r = open_pair(&options);
    record_step(r, INT64_MIN, &err);
    record_step(r, -1, &err);            /* INT64_MAX later */
    record_step(r, INT64_MAX - 1, &err); /* twice that */
    record_step(r, INT64_MAX, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    trace = read_back();
    CHECK(gtr_trace_n_captures(trace) == 3);
    gtr_trace_close(trace);
    remove_trace();
}

static void a_step_that_was_not_ended_is_left_out(void)
{
    int elements;

    for (elements = 0; elements <= 1; elements++) {
        struct gtr_record_options options;
        struct gtr_err err = { 0 };
        struct gtr_recorder *r;
        struct gtr_trace *trace;
        double sumsq[2];
        float q[4];

        gtr_record_options_init(&options);
        options.elements = elements;
        r = open_pair(&options);
        record_step(r, 0, &err);
        gtr_recorder_begin(r, 1, 0.0, 0.0, &err);
        gtr_recorder_grad(r, 0, q_grad, &err);
        CHECK(gtr_recorder_close(r, &err) == GTR_OK);
        trace = read_back();
        CHECK(gtr_trace_n_steps(trace) == 1);
        gtr_trace_read_rows(trace, GTR_SUMSQ, 0, 1, sumsq, &err);
        CHECK_BITS(sumsq[1], 9.0);
        if (elements) {
            gtr_trace_read_elements(trace, 0, 0, q, &err);
            CHECK(memcmp(q, q_grad, sizeof q) == 0);
        }
        CHECK_TEXT(err.text, "");
        gtr_trace_close(trace);
        remove_trace();
    }
}

static void many_steps_cross_the_chunks_of_the_file(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    struct gtr_trace *trace;
    const struct gtr_step *steps;
    int64_t t;

    gtr_record_options_init(&options);
    r = open_pair(&options);
    for (t = 0; t < 2500; t++) {
        gtr_recorder_begin(r, 10 * t, (double)t, 0.0, &err);
        gtr_recorder_norm(r, 0, (double)t * 0.5, 0.0f, 0, &err);
        gtr_recorder_end(r, &err);
        gtr_recorder_applied(r, (double)t, t % 2 == 1, &err);
    }
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    trace = read_back();
    steps = gtr_trace_steps(trace);
    CHECK(gtr_trace_n_steps(trace) == 2500);
    for (t = 0; t < 2500 && t < (int64_t)gtr_trace_n_steps(trace); t++) {
        double sumsq[2];

        CHECK(steps[t].applied_scale == (double)t && steps[t].skipped == (t % 2 == 1));
        gtr_trace_read_rows(trace, GTR_SUMSQ, (size_t)t, 1, sumsq, &err);
        CHECK(sumsq[0] == (double)t * 0.5);
    }
    gtr_trace_close(trace);
    remove_trace();
}

/* --- mistakes of the caller ------------------------------------------------------------------- */

/* One call that must be refused with this text, and leave the recorder usable. */
#define REFUSED(call, part)          \
    do {                             \
        struct gtr_err e = { 0 };    \
        struct gtr_err *err = &e;    \
                                     \
        CHECK((call) == GTR_EUSAGE); \
        CHECK_HOLDS(e.text, part);   \
        CHECK_HOLDS(e.text, path);   \
    } while (0)

static void calls_out_of_order_are_refused_and_harm_nothing(void)
{
    struct gtr_record_options options;
    struct gtr_err no_err = { 0 };
    struct gtr_recorder *r = NULL;
    struct gtr_trace *trace;

    gtr_record_options_init(&options);
    gtr_recorder_open(path, &options, &r, &no_err);
    REFUSED(gtr_recorder_begin(r, 0, 0.0, 0.0, err), "no tensor was declared");
    REFUSED(gtr_recorder_grad(r, 0, q_grad, err), "outside a step");
    REFUSED(gtr_recorder_end(r, err), "has not begun");
    REFUSED(gtr_recorder_applied(r, 1.0, false, err), "after the end of a step");
    gtr_recorder_abandon(r);

    r = open_pair(&options);
    REFUSED(gtr_recorder_grad(r, 0, q_grad, err), "outside a step");
    REFUSED(gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, err), "outside a step");
    gtr_recorder_begin(r, 5, 0.0, 0.0, &no_err);
    REFUSED(gtr_recorder_tensor(r, "late", "1", 1, GTR_F32, err), "before");
    REFUSED(gtr_recorder_begin(r, 6, 0.0, 0.0, err), "before step 5 has ended");
    REFUSED(gtr_recorder_applied(r, 1.0, false, err), "after the end of a step");
    REFUSED(gtr_recorder_grad(r, 2, q_grad, err), "from 0 to 1");
    REFUSED(gtr_recorder_grad(r, SIZE_MAX, q_grad, err), "from 0 to 1");
    REFUSED(gtr_recorder_grad(r, 0, NULL, err), "no elements");
    REFUSED(gtr_recorder_norm(r, 0, -1.0, 1.0f, 0, err), "0 or more");
    REFUSED(gtr_recorder_norm(r, 0, (double)NAN, 1.0f, 0, err), "counted");
    REFUSED(gtr_recorder_norm(r, 0, 1.0, NAN, 0, err), "counted");
    REFUSED(gtr_recorder_norm(r, 0, 1.0, 1.0f, 5, err), "has 4 elements");
    gtr_recorder_grad(r, 0, q_grad, &no_err);
    REFUSED(gtr_recorder_grad(r, 0, q_grad, err), "twice in step 5");
    REFUSED(gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, err), "layers.0.q_proj.weight");
    gtr_recorder_end(r, &no_err);
    REFUSED(gtr_recorder_end(r, err), "has not begun");
    REFUSED(gtr_recorder_grad(r, 1, &s_grad, err), "outside a step");
    REFUSED(gtr_recorder_begin(r, 5, 0.0, 0.0, err), "must grow");
    REFUSED(gtr_recorder_begin(r, -1, 0.0, 0.0, err), "must grow");
    REFUSED(gtr_recorder_applied(r, -0.5, false, err), "0 or more");
    record_step(r, 6, &no_err);
    CHECK(gtr_recorder_close(r, &no_err) == GTR_OK);
    CHECK_TEXT(no_err.text, "");
    trace = read_back();
    CHECK(gtr_trace_n_steps(trace) == 2);
    gtr_trace_close(trace);
    remove_trace();
}

static void norms_are_refused_where_elements_are_kept(void)
{
    struct gtr_record_options options;
    struct gtr_err no_err = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.last = 0;
    r = open_pair(&options);
    gtr_recorder_begin(r, 0, 0.0, 0.0, &no_err);
    REFUSED(gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, err), "step 0 keeps elements");
    gtr_recorder_end(r, &no_err);
    gtr_recorder_begin(r, 1, 0.0, 0.0, &no_err);
    CHECK(gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, &no_err) == GTR_OK);
    gtr_recorder_end(r, &no_err);
    CHECK(gtr_recorder_close(r, &no_err) == GTR_OK);
    remove_trace();
}

static void tensors_that_cannot_be_are_refused(void)
{
    struct gtr_record_options options;
    struct gtr_err no_err = { 0 };
    struct gtr_recorder *r = NULL;

    gtr_record_options_init(&options);
    gtr_recorder_open(path, &options, &r, &no_err);
    REFUSED(gtr_recorder_tensor(r, "", "1", 1, GTR_F32, err), "no name");
    REFUSED(gtr_recorder_tensor(r, NULL, "1", 1, GTR_F32, err), "no name");
    REFUSED(gtr_recorder_tensor(r, "w", NULL, 1, GTR_F32, err), "shape (none)");
    REFUSED(gtr_recorder_tensor(r, "w", "2x", 2, GTR_F32, err), "shape 2x;");
    REFUSED(gtr_recorder_tensor(r, "w", "x2", 2, GTR_F32, err), "shape x2;");
    REFUSED(gtr_recorder_tensor(r, "w", "2,2", 4, GTR_F32, err), "shape 2,2;");
    REFUSED(gtr_recorder_tensor(r, "w", "2x-2", 4, GTR_F32, err), "shape 2x-2;");
    REFUSED(gtr_recorder_tensor(r, "w", "3x5", 16, GTR_F32, err), "has 15 elements, not 16");
    REFUSED(gtr_recorder_tensor(r, "w", "", 2, GTR_F32, err), "has 1 elements, not 2");
    REFUSED(gtr_recorder_tensor(r, "w", "4294967296x4294967296", 0, GTR_F32, err), "shape");
    REFUSED(gtr_recorder_tensor(r, "w", "99999999999999999999", 0, GTR_F32, err), "shape");
    REFUSED(gtr_recorder_tensor(r, "w", "4611686018427387904", UINT64_C(1) << 62, GTR_F64, err),
            "memory");
    REFUSED(gtr_recorder_tensor(r, "w", "1", 1, (enum gtr_dtype)4, err), "dtype 4");
    REFUSED(gtr_recorder_tensor(r, "w", "1", 1, (enum gtr_dtype) - 1, err), "dtype -1");
    CHECK(gtr_recorder_tensor(r, "none", "0x5", 0, GTR_F32, &no_err) == GTR_OK);
    gtr_recorder_abandon(r);
    remove_trace();
}

/* An option with a value out of range: the message names option and value. */
static void check_option(const struct gtr_record_options *options, const char *part)
{
    struct gtr_err err = { 0 };
    struct gtr_recorder *r = NULL;

    CHECK(gtr_recorder_open(path, options, &r, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, part);
    CHECK(r == NULL);
    CHECK(count_files() == 0);
}

static void options_out_of_range_are_named(void)
{
    struct gtr_record_options o;

#define WITH(field, value, part)     \
    do {                             \
        gtr_record_options_init(&o); \
        o.field = (value);           \
        check_option(&o, part);      \
    } while (0)
    WITH(reduction, "avg", "reduction avg: must be none, sum or mean");
    WITH(reduction, NULL, "reduction (none)");
    WITH(grad_state, "clipped", "grad_state clipped: must be pre-clip, post-clip or unknown");
    WITH(meta, "{\"a\": }", "meta: is not JSON");
    WITH(meta, "{\"a\": 1", "meta: is not JSON: unexpected end of data");
    WITH(meta, "{} {}", "meta: is not JSON");
    WITH(meta, "", "meta: is not JSON");
    WITH(meta, "[1]", "meta [1]: must be a JSON object");
    WITH(meta, "17", "meta 17: must be a JSON object");
    WITH(meta, "null", "meta null: must be a JSON object");
    WITH(group_by, "modul", "did you mean module?");
    WITH(group_by, "file:groups.tsv", "group_by file:groups.tsv");
    WITH(rank, 1, "rank 1: must be from 0 to 0");
    WITH(rank, -1, "rank -1");
    WITH(world_size, 0, "world_size 0: must be 1 or more");
    WITH(total_steps, -5, "total_steps -5: must be 0 or more");
    WITH(elements, 3, "elements 3: must be from 0 to 2");
    WITH(every, 0, "every 0: must be 1 or more");
    WITH(last, -1, "last -1: must be 0 or more");
    WITH(force, 2, "force 2");
    WITH(n_threads, 257, "n_threads 257: must be from 0 to 256");
#undef WITH
}

int main(void)
{
    recording_init();
    RUN(a_recording_reads_back_as_it_was_given);
    RUN(elements_are_kept_at_every_kth_step_of_the_window);
    RUN(a_window_may_span_all_of_the_integers);
    RUN(a_step_that_was_not_ended_is_left_out);
    RUN(many_steps_cross_the_chunks_of_the_file);
    RUN(calls_out_of_order_are_refused_and_harm_nothing);
    RUN(norms_are_refused_where_elements_are_kept);
    RUN(tensors_that_cannot_be_are_refused);
    RUN(options_out_of_range_are_named);
    return check_report();
}
