/* planning.h - plans over a small made-up run, for the tests of plans. */
#ifndef PLANNING_H
#define PLANNING_H

#include "check.h"

#include "gradtrace_lab.h"
#include "plan.h"

enum { PLANNING_GROUPS = 3, PLANNING_STEPS = 101 };

/* Group j at step t has norm (j + 1) (t + 1) / 64, exactly, in an order that is not sorted; step 50
 * is not finite. */
static inline struct gtr_series *planning_series(void)
{
    static const char *const names[] = { "q_proj", "k_proj", "odd,=@*" };
    const size_t n = PLANNING_STEPS;
    struct gtr_series *series = gtr_alloc(1, sizeof *series);
    size_t j, t;

    series->n_groups = series->left_out = PLANNING_GROUPS;
    series->n_steps = n;
    series->names = gtr_alloc(PLANNING_GROUPS, sizeof *series->names);
    series->index = gtr_alloc(n, sizeof *series->index);
    series->sumsq = gtr_alloc(PLANNING_GROUPS * n, sizeof(double));
    series->total_sumsq = gtr_alloc(n, sizeof(double));
    series->total = gtr_alloc(n, sizeof(double));
    series->nonfinite = gtr_alloc(n, 1);
    series->total_steps = (int64_t)n;
    for (j = 0; j < PLANNING_GROUPS; j++)
        series->names[j] = gtr_strdup(names[j]);
    for (t = 0; t < n; t++) {
        series->index[t] = (int64_t)t;
        for (j = 0; j < PLANNING_GROUPS; j++) {
            double norm = (double)((j + 1) * (37 * t % n + 1)) / 64.0;

            series->sumsq[j * n + t] = norm * norm;
            series->total_sumsq[t] += norm * norm;
        }
        series->total[t] = sqrt(series->total_sumsq[t]);
    }
    series->nonfinite[50] = 1;
    series->n_nonfinite = 1;
    return series;
}

/* The one run of a test program. */
static inline const struct gtr_replay *planning_replay(void)
{
    static const struct gtr_replay_options options = { .size = sizeof options, .n_threads = 1 };
    static struct gtr_series *series;
    static struct gtr_replay *replay;

    if (replay == NULL) {
        series = planning_series();
        CHECK(gtr_replay_new(series, &options, &replay, NULL) == GTR_OK);
    }
    return replay;
}

/* Options of one policy; its axes have a blank between them. */
static inline struct gtr_plan_options planning_one(const char *policy, const char *axes)
{
    enum { MOST = 40 };
    static char text[1000];
    static const char *policies[1];
    static struct gtr_axis_text list[MOST];
    struct gtr_plan_options options = { .policies = policies, .n_policies = 1, .axes = list };
    char *at;

    policies[0] = policy;
    snprintf(text, sizeof text, "%s", axes);
    for (at = strtok(text, " "); at != NULL && options.n_axes < MOST; at = strtok(NULL, " "))
        list[options.n_axes++] = (struct gtr_axis_text){ .policy = 0, .text = at };
    return options;
}

static inline struct gtr_plan *planning_make(const struct gtr_plan_options *options)
{
    struct gtr_plan *plan;
    struct gtr_err err = { 0 };

    gtr_plan_new(options, planning_replay(), &plan, &err);
    CHECK_TEXT(err.text, "");
    return plan;
}

static inline struct gtr_plan *planning_grid(const char *policy, const char *axes)
{
    const struct gtr_plan_options options = planning_one(policy, axes);

    return planning_make(&options);
}

/* The plan is refused, with this in the error. */
static inline void planning_refuses(const struct gtr_plan_options *options, const char *part)
{
    struct gtr_plan *plan;
    struct gtr_err err = { 0 };

    CHECK(gtr_plan_new(options, planning_replay(), &plan, &err) == GTR_EUSAGE && plan == NULL);
    CHECK_HOLDS(err.text, part);
}

#endif
