/* test_recorder_late.c - what becomes known of a run while it is recorded, and when rows were. */
#define _XOPEN_SOURCE 700
#include <math.h>

#include "groups.h"
#include "merge.h"
#include "recorder_private.h"
#include "recording.h"
#include "segment_recover.h"
#include "series.h"

static void say_nothing(void *context, const char *about, bool fault, const char *text)
{
    (void)context;
    (void)about;
    (void)fault;
    (void)text;
}

static const struct gtr_remarks silence = { say_nothing, NULL };

static struct gtr_trace *open_at(const char *where)
{
    struct gtr_err err = { 0 };
    struct gtr_trace *trace = NULL;

    gtr_trace_open(where, &trace, &err);
    CHECK_TEXT(err.text, "");
    return trace;
}

static void check_head(const char *where, const char *grad_state, int64_t total_steps,
                       const char *from)
{
    struct gtr_trace *trace = open_at(where);
    const struct gtr_head *head;

    if (trace == NULL)
        return;
    head = gtr_trace_head(trace);
    CHECK_TEXT(head->grad_state, grad_state);
    CHECK(head->total_steps == total_steps);
    CHECK((head->total_steps_from == NULL) == (from == NULL));
    if (from != NULL && head->total_steps_from != NULL)
        CHECK_TEXT(head->total_steps_from, from);
    gtr_trace_close(trace);
}

/* As it is, packed and recovered. */
static void check_copies(const char *where, const char *grad_state, int64_t total_steps,
                         const char *from)
{
    const struct gtr_merge_options merging = { .force = true };
    const char *copy = scratch_path("copy.h5");
    struct gtr_recovered recovered;
    struct gtr_merged merged;

    check_head(where, grad_state, total_steps, from);
    CHECK(gtr_trace_merge(&where, 1, copy, &merging, &silence, &merged, NULL) == GTR_OK);
    check_head(copy, grad_state, total_steps, from);
    CHECK(gtr_trace_recover(where, copy, true, &silence, &recovered, NULL) == GTR_OK);
    check_head(copy, grad_state, total_steps, from);
    unlink(copy);
}

static struct gtr_recorder *open_named(const char *name, int64_t synchronous, int64_t elements,
                                       int64_t segment_bytes)
{
    struct gtr_record_options options;

    snprintf(path, sizeof path, "%s", scratch_path(name));
    gtr_record_options_init(&options);
    options.grad_state = "pre-clip";
    options.synchronous = synchronous;
    options.elements = elements;
    options.segment_bytes = segment_bytes;
    options.force = 1;
    return open_pair(&options);
}

static void what_was_told_last_is_what_the_trace_says(void)
{
    static const char *const names[] = { "late.h5", "late.gtr" };
    size_t i;

    for (i = 0; i < 4; i++) {
        struct gtr_recorder *r = open_named(names[i / 2], (int64_t)(i % 2), 0, 0);
        struct gtr_err err = { 0 };

        CHECK(gtr_recorder_set_total_steps(r, 10, &err) == GTR_OK);
        record_step(r, 0, &err);
        CHECK(gtr_recorder_set_total_steps(r, 20, &err) == GTR_OK);
        record_step(r, 1, &err);
        gtr_recorder_begin(r, 2, 0.0, 0.0, &err);
        CHECK(gtr_recorder_set_grad_state(r, "post-clip", &err) == GTR_OK);
        gtr_recorder_end(r, &err);
        CHECK(gtr_recorder_set_grad_state(r, "unknown", &err) == GTR_OK);
        CHECK(gtr_recorder_set_total_steps(r, 30, &err) == GTR_OK);
        CHECK(gtr_recorder_close(r, &err) == GTR_OK);
        CHECK_TEXT(err.text, "");
        check_copies(path, "unknown", 30, NULL);
    }
}

/* A reader of a folder stands for what a SIGKILL would leave: it sees what the process has written.
 * Each segment, and each journal that follows one, says it again. */
static void in_a_folder_it_is_said_at_once(void)
{
    struct gtr_recorder *r = open_named("kept.gtr", 1, GTR_ELEMENTS_FULL, 1);
    struct gtr_err err = { 0 };
    int64_t step;

    record_step(r, 0, &err);
    check_head(path, "pre-clip", 0, NULL);
    gtr_recorder_set_total_steps(r, 100, &err);
    check_head(path, "pre-clip", 100, NULL);
    gtr_recorder_set_grad_state(r, "unknown", &err);
    check_copies(path, "unknown", 100, NULL);
    for (step = 1; step < 4; step++) {
        record_step(r, step, &err);
        check_copies(path, "unknown", 100, NULL);
    }
    gtr_recorder_set_total_steps(r, 200, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    check_copies(path, "unknown", 200, NULL);
}

/* The run of 7 steps, 0 to 6, told no plan. */
static void the_rows_of_a_run_that_ended_are_its_plan_if_it_told_none(void)
{
    static const char *const names[] = { "ended.h5", "ended.gtr" };
    size_t i;

    for (i = 0; i < 2; i++) {
        struct gtr_recorder *r = open_named(names[i], 0, 0, 0);
        struct gtr_err err = { 0 };
        int64_t step;

        CHECK(gtr_recorder_run_ended(r, &err) == GTR_OK); /* no row, no plan */
        for (step = 0; step < 7; step++)
            record_step(r, step, &err);
        gtr_recorder_begin(r, 7, 0.0, 0.0, &err); /* and never ends */
        CHECK(gtr_recorder_run_ended(r, &err) == GTR_OK);
        CHECK(gtr_recorder_close(r, &err) == GTR_OK);
        check_copies(path, "pre-clip", 7, "rows");

        r = open_named(names[i], 0, 0, 0);
        record_step(r, 0, &err);
        gtr_recorder_set_total_steps(r, 50, &err);
        CHECK(gtr_recorder_run_ended(r, &err) == GTR_OK);
        CHECK(gtr_recorder_close(r, &err) == GTR_OK);
        CHECK_TEXT(err.text, "");
        check_copies(path, "pre-clip", 50, NULL);
    }
}

static void words_and_lengths_that_cannot_be_are_refused(void)
{
    struct gtr_recorder *r = open_named("words.h5", 1, 0, 0);
    struct gtr_err err = { 0 };

    record_step(r, 0, &err);
    CHECK(gtr_recorder_set_grad_state(r, "clipped", &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "grad_state clipped: must be pre-clip, post-clip or unknown");
    err = (struct gtr_err){ 0 };
    CHECK(gtr_recorder_set_grad_state(r, NULL, &err) == GTR_EUSAGE);
    CHECK(gtr_recorder_set_total_steps(r, -1, &err) == GTR_EUSAGE);
    CHECK(gtr_recorder_rest(r, 1.0, &err) == GTR_EUSAGE); /* outside a step */
    gtr_recorder_begin(r, 1, 0.0, 0.0, NULL);
    CHECK(gtr_recorder_rest(r, -1.0, NULL) == GTR_EUSAGE);
    CHECK(gtr_recorder_rest(r, (double)NAN, NULL) == GTR_EUSAGE);
    CHECK(gtr_recorder_rest(r, 1.0, NULL) == GTR_OK);
    CHECK(gtr_recorder_rest(r, 1.0, NULL) == GTR_EUSAGE); /* twice */
    gtr_recorder_end(r, NULL);
    CHECK(gtr_recorder_close(r, NULL) == GTR_OK);
    check_head(path, "pre-clip", 0, NULL);
}

/* Rows told late, and one in between told when it was made. */
static void times_are_those_at_which_rows_were_made(void)
{
    static const double times[3] = { 1000.0, 1000.5, 1003.25 };
    struct gtr_recorder *r = open_named("times.h5", 0, 0, 0);
    struct gtr_err err = { 0 };
    struct gtr_trace *trace;
    size_t t;

    for (t = 0; t < 3; t++) {
        gtr_recorder_begin_at(r, (int64_t)t, 0.0, 0.0, times[t], &err);
        gtr_recorder_end(r, &err);
    }
    gtr_recorder_begin_at(r, 3, 0.0, 0.0, (double)NAN, &err);
    gtr_recorder_end(r, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    trace = open_at(path);
    for (t = 0; t < 3; t++)
        CHECK(gtr_trace_steps(trace)[t].time == times[t] - 1000.0);
    CHECK(isnan(gtr_trace_steps(trace)[3].time));
    gtr_trace_close(trace);
}

/* |q| = sqrt(1 + 4 + 1/4), |s| = 3; with a rest of 5.75 the whole is sqrt(14.25 + 5.75). */
static void the_global_norm_counts_what_no_tensor_holds(void)
{
    static const char *const names[] = { "rest.h5", "rest.gtr" };
    size_t i;

    for (i = 0; i < 2; i++) {
        struct gtr_recorder *r = open_named(names[i], 0, 0, 0);
        struct gtr_series *series = NULL;
        struct gtr_groups *groups = NULL;
        struct gtr_err err = { 0 };
        struct gtr_trace *trace;

        record_step(r, 0, &err);
        gtr_recorder_begin(r, 1, 0.0, 0.0, &err);
        gtr_recorder_grad(r, 0, q_grad, &err);
        gtr_recorder_grad(r, 1, &s_grad, &err);
        CHECK(gtr_recorder_rest(r, 5.75, &err) == GTR_OK);
        gtr_recorder_end(r, &err);
        record_step(r, 2, &err);
        CHECK(gtr_recorder_close(r, &err) == GTR_OK);
        trace = open_at(path);
        CHECK(gtr_trace_steps(trace)[0].rest == 0.0 && gtr_trace_steps(trace)[1].rest == 5.75 &&
              gtr_trace_steps(trace)[2].rest == 0.0);
        CHECK(gtr_groups_new("tensor", gtr_trace_head(trace), &groups, &err) == GTR_OK);
        CHECK(gtr_series_read(trace, groups, 1, &series, &err) == GTR_OK);
        CHECK_BITS(series->total_sumsq[0], 14.25);
        CHECK_BITS(series->total_sumsq[1], 20.0);
        CHECK_BITS(series->total[1], sqrt(20.0));
        CHECK_BITS(series->sumsq[1], 5.25); /* of the first group at the second step */
        gtr_series_free(series);
        gtr_groups_free(groups);
        gtr_trace_close(trace);
    }
}

int main(void)
{
    recording_init();
    RUN(what_was_told_last_is_what_the_trace_says);
    RUN(in_a_folder_it_is_said_at_once);
    RUN(the_rows_of_a_run_that_ended_are_its_plan_if_it_told_none);
    RUN(words_and_lengths_that_cannot_be_are_refused);
    RUN(times_are_those_at_which_rows_were_made);
    RUN(the_global_norm_counts_what_no_tensor_holds);
    return check_report();
}
