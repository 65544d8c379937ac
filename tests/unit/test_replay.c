/* test_replay.c - from a trace to series to decisions, by hand. */
#define _GNU_SOURCE
#include <stdint.h>

#include "check.h"
#include "gradtrace.h"
#include "replaying.h"
#include "scratch.h"

/* --- a small run ---------------------------------------------------------------------------- */

enum { STEPS = 4, TENSORS = 5 };

/* Squares of norms that are easy to add: q_proj 3-4-5, k_proj 6-8-10. */
static const double sums[STEPS][TENSORS] = {
    { 9, 36, 16, 64, 0 },
    { 9, 36, 16, 64, 144 },
    { 0, 1, 0, 0, 0 },
    { 2304, 4, 0, 0, 0 },
};

static void write_small(const char *path, const uint64_t nonfinite[STEPS][TENSORS])
{
    static const char *const names[TENSORS] = { "layers.0.q_proj.weight", "layers.0.k_proj.weight",
                                                "layers.1.q_proj.weight", "layers.1.k_proj.weight",
                                                "layers.2" };
    const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    const float maxabs[TENSORS] = { 0 };
    struct gtr_writer *writer;
    struct gtr_head head;
    size_t i, t;

    gtr_head_init(&head, NULL);
    head.total_steps = 8;
    for (i = 0; i < TENSORS; i++)
        gtr_head_add_tensor(&head, names[i], "2", 2, GTR_F32, NULL);
    gtr_writer_open(path, &head, &options, &writer, NULL);
    for (t = 0; t < STEPS; t++) {
        const struct gtr_step step = { .index = (int64_t)t * 2 };

        gtr_writer_append(writer, &step, sums[t], maxabs, nonfinite[t], NULL, NULL);
    }
    gtr_writer_close(writer, NULL);
    gtr_head_free(&head);
}

static struct gtr_series *read_small(const char *rule, const uint64_t nonfinite[STEPS][TENSORS],
                                     size_t n_threads)
{
    const char *path = scratch_path("small.h5");
    struct gtr_series *series = NULL;
    struct gtr_groups *groups = NULL;
    struct gtr_trace *trace = NULL;

    write_small(path, nonfinite);
    CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
    CHECK(gtr_groups_new(rule, gtr_trace_head(trace), &groups, NULL) == GTR_OK);
    CHECK(gtr_series_read(trace, groups, n_threads, &series, NULL) == GTR_OK);
    gtr_groups_free(groups);
    gtr_trace_close(trace);
    return series;
}

static const uint64_t all_finite[STEPS][TENSORS];
static const uint64_t one_bad[STEPS][TENSORS] = { { 0 }, { 0, 3, 0, 0, 0 }, { 0 }, { 0 } };

/* --- series ----------------------------------------------------------------------------------- */

static void groups_sum_their_tensors(void)
{
    struct gtr_series *series = read_small("module", all_finite, 1);

    CHECK(series->n_groups == 3 && series->n_steps == STEPS && series->total_steps == 8);
    CHECK_TEXT(series->names[0], "q_proj");
    CHECK_TEXT(series->names[1], "k_proj");
    CHECK_BITS(series->sumsq[0 * STEPS + 0], 25.0);
    CHECK_BITS(series->sumsq[1 * STEPS + 0], 100.0);
    CHECK_BITS(series->sumsq[2 * STEPS + 1], 144.0);
    CHECK_BITS(series->total_sumsq[1], 269.0);
    CHECK_BITS(series->total[0], sqrt(125.0));
    CHECK(series->n_nonfinite == 0);
    gtr_series_free(series);
}

/* Adding in another order than the tensors' would lose the ones: 1e16 + 1 == 1e16. */
static void the_total_is_in_tensor_order(void)
{
    const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    static const double row[3] = { 1.0, 1.0, 1e16 };
    const float maxabs[3] = { 0 };
    const uint64_t none[3] = { 0 };
    const struct gtr_step step = { .index = 0 };
    const char *path = scratch_path("order.h5");
    struct gtr_series *series = NULL;
    struct gtr_groups *groups = NULL;
    struct gtr_trace *trace = NULL;
    struct gtr_writer *writer;
    struct gtr_head head;

    gtr_head_init(&head, NULL);
    gtr_head_add_tensor(&head, "b", "", 1, GTR_F32, NULL);
    gtr_head_add_tensor(&head, "a", "", 1, GTR_F32, NULL);
    gtr_head_add_tensor(&head, "c", "", 1, GTR_F32, NULL);
    gtr_writer_open(path, &head, &options, &writer, NULL);
    gtr_writer_append(writer, &step, row, maxabs, none, NULL, NULL);
    gtr_writer_close(writer, NULL);
    CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
    CHECK(gtr_groups_new("tensor", gtr_trace_head(trace), &groups, NULL) == GTR_OK);
    CHECK(gtr_series_read(trace, groups, 0, &series, NULL) == GTR_OK);
    CHECK_BITS(series->total_sumsq[0], 1e16 + 2.0);
    gtr_series_free(series);
    gtr_groups_free(groups);
    gtr_trace_close(trace);
    gtr_head_free(&head);
}

/* --- decisions -------------------------------------------------------------------------------- */

static void global_scales_every_group_alike(void)
{
    const struct gtr_replay_options options = { .size = sizeof options, .keep_interval = 1 };
    struct gtr_series *series = read_small("module", all_finite, 2);
    struct gtr_decisions *d = run_text(series, "global:max_norm=2", &options, NULL);
    double expected = 2.0 / (sqrt(125.0) + 1e-6);
    size_t j;

    for (j = 0; j < 3; j++) {
        CHECK_BITS(d->scale[j * STEPS + 0], expected);
        CHECK_BITS(d->scale[j * STEPS + 2], 1.0);
        CHECK_BITS(d->upper[j * STEPS + 2], 2.0);
    }
    gtr_decisions_free(d);
    gtr_series_free(series);
}

static void group_limits_bind_by_name_and_fit_by_quantile(void)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_series *series = read_small("module", all_finite, 2);
    struct gtr_decisions *d = run_text(series, "group:max_norm=5,k_proj=2", &options, NULL);

    CHECK_BITS(d->scale[0], 5.0 * (1.0 / (5.0 + 1e-6)));
    CHECK_BITS(d->scale[STEPS], 2.0 / (10.0 + 1e-6));
    CHECK(d->lower == NULL);
    gtr_decisions_free(d);
    /* k_proj's norms are 10, 10, 1, 2: sorted 1 2 10 10, the median halfway between 2 and 10. */
    d = run_text(series, "group:quantile=0.5", &options, NULL);
    CHECK_BITS(d->params[1].group.max_norm, 6.0);
    CHECK_BITS(d->scale[STEPS], 6.0 * (1.0 / (10.0 + 1e-6)));
    gtr_decisions_free(d);
    gtr_series_free(series);
}

static void what_a_rule_leaves_out_only_global_touches(void)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_series *series = read_small("aggc", all_finite, 1);
    struct gtr_decisions *d;

    CHECK(series->left_out == 2);
    CHECK_TEXT(series->names[2], "-");
    d = run_text(series, "group:max_norm=1", &options, NULL);
    CHECK_BITS(d->scale[2 * STEPS + 1], 1.0);
    gtr_decisions_free(d);
    d = run_text(series, "global:max_norm=1", &options, NULL);
    CHECK_BITS(d->scale[2 * STEPS + 1], 1.0 / (sqrt(269.0) + 1e-6));
    gtr_decisions_free(d);
    gtr_series_free(series);
}

/* With beta=1/2 the average would be 5 and then 3.75 in a run without the bad step. */
static void a_bad_step_is_skipped_and_leaves_the_state_alone(void)
{
    const struct gtr_replay_options options = { .size = sizeof options, .keep_interval = 1 };
    struct gtr_series *series = read_small("module", one_bad, 1);
    struct gtr_scaling_report *report = NULL;
    struct gtr_decisions *d =
        run_text(series, "aggc:form=code,beta=0.5,low=0.5,high=2", &options, &report);

    CHECK(series->n_nonfinite == 1);
    CHECK(isnan(d->scale[1]) && isnan(d->upper[1]) && isnan(d->scale[2 * STEPS + 1]));
    CHECK_BITS(d->upper[2], 5.0); /* 2 * (5 / 2): the average saw one norm */
    CHECK_BITS(d->upper[3], 2.5); /* then 0 */
    CHECK(report->n_skipped == 1 && report->n_steps == 3);
    CHECK(report->group[0].n_decisions == 3);
    gtr_scaling_free(report);
    gtr_decisions_free(d);
    gtr_series_free(series);
}

static void a_bad_step_can_be_propagated(void)
{
    const struct gtr_replay_options options = { .size = sizeof options,
                                                .keep_interval = 1,
                                                .nonfinite = GTR_PROPAGATE };
    struct gtr_series *series = read_small("module", one_bad, 1);
    struct gtr_decisions *d = run_text(series, "global:max_norm=1", &options, NULL);

    /* torch: NaN total norm, NaN coefficient for all. */
    CHECK(isnan(d->scale[0 * STEPS + 1]) && isnan(d->scale[2 * STEPS + 1]));
    CHECK_BITS(d->upper[1], 1.0);
    gtr_decisions_free(d);
    /* The reference lets a NaN through, and its average is NaN from then on. */
    d = run_text(series, "aggc:form=code,beta=0.5,low=0.5,high=2", &options, NULL);
    CHECK_BITS(d->scale[STEPS + 1], 1.0);
    CHECK_BITS(d->upper[STEPS + 2], 0.0);
    CHECK_BITS(d->scale[STEPS + 3], 1.0);
    CHECK_BITS(d->upper[2], 7.5); /* q_proj was finite at that step: 2 * (5/4 + 5/2) */
    gtr_decisions_free(d);
    gtr_series_free(series);
}

/* Steps 0, 2, 4, 6 of 8 planned: the switch at 1/4 is passed at step 4. */
static void schedules_follow_the_runs_own_step_numbers(void)
{
    static const char setting[] =
        "aggc:form=paper,beta=0,high=1,high_late=4,switch=0.25,transition=0";
    struct gtr_replay_options options = { .size = sizeof options, .keep_interval = 1 };
    struct gtr_series *series = read_small("module", all_finite, 1);
    struct gtr_decisions *d = run_text(series, setting, &options, NULL);

    CHECK_BITS(d->upper[1], 5.0);   /* q_proj: 1 * 5 */
    CHECK_BITS(d->upper[3], 192.0); /* 4 * 48 */
    gtr_decisions_free(d);
    options.total_steps = -1;
    d = run_text(series, setting, &options, NULL);
    CHECK_BITS(d->upper[3], 48.0);
    gtr_decisions_free(d);
    options.total_steps = 24;
    d = run_text(series, setting, &options, NULL);
    CHECK_BITS(d->upper[3], 48.0); /* 6/24 is the switch itself: still early */
    gtr_decisions_free(d);
    gtr_series_free(series);
}

int main(void)
{
    RUN(groups_sum_their_tensors);
    RUN(the_total_is_in_tensor_order);
    RUN(global_scales_every_group_alike);
    RUN(group_limits_bind_by_name_and_fit_by_quantile);
    RUN(what_a_rule_leaves_out_only_global_touches);
    RUN(a_bad_step_is_skipped_and_leaves_the_state_alone);
    RUN(a_bad_step_can_be_propagated);
    RUN(schedules_follow_the_runs_own_step_numbers);
    return check_report();
}
