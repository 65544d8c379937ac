/* goals.h - what a user asks of a setting: limits that it must keep, goals that should be small.
 *
 * Limits, goals, fronts and advice all work on rows of objectives as a sweep writes them,
 * [n][GTR_OBJECTIVE_COUNT].
 */
#ifndef GTR_GOALS_H
#define GTR_GOALS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "objectives.h"
#include "public.h"

GTR_PUBLIC_BEGIN

/* "clip_rate<0.1", "saturation<=0": objective, < <= > >=, number. */
struct gtr_limit {
    enum gtr_objective objective;
    bool above;  /* > or >= */
    bool strict; /* < or > */
    double value;
};
enum gtr_code gtr_limit_parse(const char *text, struct gtr_limit *limit, struct gtr_err *err);

/* keep[n]: true for the rows that keep all limits.  NaN keeps none. */
void gtr_limits_apply(const struct gtr_limit *limits, size_t n_limits, const double *rows, size_t n,
                      bool *keep);

/* "volatility", or a weighted sum "volatility+2*leak"; "-scale_mean" wants it large.  An objective
 * that is named twice has the sum of its weights. */
enum { GTR_TERMS_MAX = GTR_OBJECTIVE_COUNT };
struct gtr_goal {
    size_t n_terms;
    enum gtr_objective objective[GTR_TERMS_MAX];
    double weight[GTR_TERMS_MAX];
};
enum gtr_code gtr_goal_parse(const char *text, struct gtr_goal *goal, struct gtr_err *err);
double gtr_goal_value(const struct gtr_goal *goal, const double *row);

/* Several goals of a row; false, and only some of them, if one is not finite. */
bool gtr_goal_values(const struct gtr_goal *goals, size_t n_goals, const double *row,
                     double *values);

GTR_PUBLIC_END

#endif
