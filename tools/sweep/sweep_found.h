/* sweep_found.h - what the rows of a sweep come to: goals, front, advice, which knob matters.
 *
 * Made once, told by sweep_report.c, drawn by sweep_draw.c.
 */
#ifndef SWEEP_FOUND_H
#define SWEEP_FOUND_H

#include "gradtrace_lab.h"
#include "study.h"
#include "sweep_options.h"

struct sweep_results {
    const struct study *study;
    const struct gtr_plan *plan;
    const struct gtr_baseline *baseline;
    size_t first, n;    /* rows are settings first .. first + n - 1 */
    const double *rows; /* [n][GTR_OBJECTIVE_COUNT] */
};

struct sweep_found {
    struct gtr_goal goals[SWEEP_GOALS_MAX];
    size_t n_goals;
    double *goal_values[SWEEP_GOALS_MAX]; /* [n] each */
    bool *keep;                           /* [n] rows that keep all limits */
    size_t n_policies;
    size_t *policy_row; /* [n_policies + 1] the first row of each policy, and n */
    size_t n_knobs;
    double *knobs; /* [n][n_knobs]; NaN where a setting does not have the knob */
    struct gtr_advice *advice;
    /* Of the first goal, over the knob's own policy; NaN where it cannot be told. */
    struct gtr_sensitivity *sensitivity; /* [n_knobs] */
};

/* Are goals and limits what a sweep has?  Asked before it runs. */
enum gtr_code sweep_found_check(const struct sweep_options *options, struct gtr_err *err);

/* Free with sweep_found_free, also after failure. */
enum gtr_code sweep_found_make(struct sweep_found *found, const struct sweep_options *options,
                               const struct sweep_results *results, struct gtr_err *err);
void sweep_found_free(struct sweep_found *found);

#endif
