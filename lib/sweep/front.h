/* front.h - the settings that no other beats (Pareto front), and the knee among them.
 *
 * Smaller is better in every goal.  Rows whose goals are not all finite are left out.  Ties go to
 * the lower number, so results depend on nothing but the rows.
 */
#ifndef GTR_FRONT_H
#define GTR_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goals.h"
#include "err.h"
#include "public.h"

GTR_PUBLIC_BEGIN

enum { GTR_GOALS_MAX = 3 };
#define GTR_NO_ROW SIZE_MAX

GTR_PUBLIC_END

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
