/* goals.h - what a user asks of a setting: limits that it must keep, goals that should be small.
 *
 * Limits, goals, fronts and advice all work on rows of objectives as a sweep writes them,
 * [n][GTR_OBJECTIVE_COUNT].
 */
#ifndef GTR_GOALS_H
#define GTR_GOALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

enum { GTR_GOALS_MAX = 3 };
#define GTR_NO_ROW SIZE_MAX

GTR_PUBLIC_END

/* --- front.c: the settings that no other beats (Pareto front), and the knee among them -------- */

/* Smaller is better in every goal.  Rows whose goals are not all finite are left out.  Ties go to
 * the lower number, so results depend on nothing but the rows. */

/* The rows of which no other kept row is at least as good in all of 1 to 3 goals and better in one:
 * their numbers, ordered by the first goal, then the second, the third and the number.  Rows that
 * are equal in all goals are on it together.  `keep` NULL keeps all.  *front is new, free with
 * gtr_free.  Takes O(n log n). */
enum gtr_code gtr_front_new(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                            size_t n, const bool *keep, size_t **front, size_t *n_front,
                            struct gtr_err *err);

/* Of a front, the row with the smallest sum of goals, each scaled to [0, 1] over the front.  Of two
 * goals that is the row farthest below the line through the ends; of three, farthest below the
 * plane through the corners; of one, the minimum.  GTR_NO_ROW if the front is empty. */
size_t gtr_front_knee(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                      const size_t *front, size_t n_front);

#endif
