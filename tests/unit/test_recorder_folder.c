/* test_recorder_folder.c - a recorder that writes a folder of segments: what is safe, and when. */
#define _GNU_SOURCE
#include <time.h>

#include "alloc.h"
#include "kill/killed.h"
#include "merge.h"
#include "recorder_private.h"
#include "recording.h"

enum { STEPS = 12 };

static struct killed_plan plan_of(const char *name)
{
    return (struct killed_plan){ .path = scratch_path(name),
                                 .recorder = true,
                                 .elements = true,
                                 .slots = STEPS,
                                 .segment_bytes = 1 << 20 };
}

static void train(struct gtr_recorder *r, size_t from, size_t to)
{
    struct gtr_err err = { 0 };
    size_t t;

    for (t = from; t < to; t++)
        killed_train(r, t, &err);
    CHECK_TEXT(err.text, "");
}

/* What a reader finds now: rows 0 to n - 1, each right, and so many captures. */
static void check_now(const struct killed_plan *plan, size_t n, size_t captures)
{
    struct gtr_err err = { 0 };
    struct gtr_trace *trace = NULL;
    size_t t, c;

    gtr_trace_open(plan->path, &trace, &err);
    CHECK_TEXT(err.text, "");
    if (trace == NULL)
        return;
    CHECK(gtr_trace_n_steps(trace) == n && gtr_trace_n_captures(trace) == captures);
    for (t = 0; t < gtr_trace_n_steps(trace); t++)
        CHECK(killed_reduced_is_right(trace, t, false));
    for (c = 0; c < gtr_trace_n_captures(trace); c++)
        CHECK(killed_capture_is_right(trace, c));
    gtr_trace_close(trace);
}

static void check_stopped(const char *path_of_it, const char *why)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    gtr_trace_open(path_of_it, &trace, &err);
    CHECK_TEXT(err.text, "");
    if (trace != NULL)
        CHECK_TEXT(gtr_trace_head(trace)->stopped, why);
    gtr_trace_close(trace);
}

static void say_nothing(void *context, const char *about, bool fault, const char *text)
{
    (void)context;
    (void)about;
    (void)fault;
    (void)text;
}

/* The writer stands still: were the process killed now, these are the rows that would be left. */
static void norms_are_safe_while_their_elements_wait(void)
{
    const struct killed_plan plan = plan_of("waits.gtr");
    struct gtr_recorder *r = killed_open(&plan);
    struct gtr_err err = { 0 };
    size_t t;

    train(r, 0, 1);
    gtr_recorder_hold(r, true);
    for (t = 1; t < STEPS; t++) {
        train(r, t, t + 1);
        check_now(&plan, t + 1, 0);
    }
    gtr_recorder_hold(r, false);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    check_now(&plan, STEPS, STEPS / KILLED_EVERY);
}

/* Of a flight recorder, rows wait for a spike that may want their elements. */
static void norms_are_safe_before_it_is_known_whether_their_elements_are_wanted(void)
{
    struct killed_plan plan = plan_of("flight.gtr");
    struct gtr_recorder *r;
    struct gtr_err err = { 0 };
    size_t t;

    plan.around = 3;
    r = killed_open(&plan);
    for (t = 0; t < STEPS; t++) {
        train(r, t, t + 1);
        check_now(&plan, t + 1, 0);
    }
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    check_now(&plan, STEPS, 0);
}

static size_t count_segments(const char *folder)
{
    struct gtr_trace_folder about = { 0 };
    struct gtr_trace *trace = NULL;

    if (gtr_trace_open(folder, &trace, NULL) == GTR_OK)
        gtr_trace_is_folder(trace, &about);
    gtr_trace_close(trace);
    return about.n_segments;
}

/* A run that evaluates for an hour between two steps does not leave its elements in a file that
 * nobody could read. */
static void elements_get_into_a_segment_though_no_step_comes(void)
{
    const struct timespec pause = { 0, 20000000 };
    struct killed_plan plan = plan_of("idle.gtr");
    struct gtr_recorder *r;
    struct gtr_err err = { 0 };
    int tries;

    plan.segment_seconds = 0.01;
    r = killed_open(&plan);
    train(r, 0, 1);
    for (tries = 0; tries < 500 && count_segments(plan.path) == 0; tries++)
        nanosleep(&pause, NULL);
    CHECK(count_segments(plan.path) == 1);
    check_now(&plan, 1, 1);
    train(r, 1, STEPS);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    check_now(&plan, STEPS, STEPS / KILLED_EVERY);
}

/* Once it has been told, the row may be in a segment that is closed. */
static void what_the_run_applied_is_told_once(void)
{
    const struct killed_plan plan = plan_of("twice.gtr");
    struct gtr_recorder *r = killed_open(&plan);
    struct gtr_err err = { 0 };

    train(r, 0, 1);
    CHECK(gtr_recorder_applied(r, 0.5, false, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "twice.gtr: applied scale: told twice for step 5");
    train(r, 1, STEPS);
    CHECK(gtr_recorder_close(r, NULL) == GTR_OK);
    check_now(&plan, STEPS, STEPS / KILLED_EVERY);
}

/* What was recorded until then is kept, also what waits, and the trace tells readers, packed or
 * recovered, that it is not the whole run. */
static void a_recording_that_is_stopped_says_so(void)
{
    static const char *const names[] = { "stopped.gtr", "stopped.h5" };
    const struct gtr_merge_options merging = { .force = true };
    const struct gtr_remarks silence = { say_nothing, NULL };
    struct gtr_recovered recovered;
    struct gtr_merged merged;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(names); i++) {
        const struct killed_plan plan = plan_of(names[i]);
        const char *packed = scratch_path("packed.h5");
        struct gtr_recorder *r = killed_open(&plan);
        struct gtr_err err = { 0 };

        train(r, 0, 4);
        gtr_recorder_hold(r, true);
        train(r, 4, STEPS);
        gtr_recorder_stop(r, "no more of this");
        CHECK(killed_train(r, STEPS, &err) == GTR_EUSAGE);
        CHECK_TEXT(err.text, "no more of this");
        CHECK(gtr_recorder_close(r, NULL) == GTR_OK);
        check_now(&plan, STEPS, STEPS / KILLED_EVERY);
        check_stopped(plan.path, "no more of this");
        CHECK(gtr_trace_merge(&plan.path, 1, packed, &merging, &silence, &merged, NULL) == GTR_OK);
        check_stopped(packed, "no more of this");
        CHECK(gtr_trace_recover(plan.path, packed, true, &silence, &recovered, NULL) == GTR_OK);
        check_stopped(packed, "no more of this");
    }
}

int main(void)
{
    RUN(norms_are_safe_while_their_elements_wait);
    RUN(norms_are_safe_before_it_is_known_whether_their_elements_are_wanted);
    RUN(elements_get_into_a_segment_though_no_step_comes);
    RUN(what_the_run_applied_is_told_once);
    RUN(a_recording_that_is_stopped_says_so);
    return check_report();
}
