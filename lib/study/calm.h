/* calm.h - the groups and steps that a limit should leave alone: those that did nothing.
 *
 * A group is calm at a step at which it has a gradient and is not above its past, or not further
 * than its own noise reaches (baseline.h), once the run has settled.  What a policy costs the calm
 * is the mean of 1 - s over them, each step's groups sharing one weight:
 *
 *     cost = sum_t sum_j w_jt max(0, 1 - s_jt) / sum w_jt,   w_jt = 1 / (groups with a gradient)
 *
 * The limits that `spill` and `sweep` recommend are held to the same cost.
 */
#ifndef GTR_CALM_H
#define GTR_CALM_H

#include "baseline.h"
#include "err.h"
#include "public.h"
#include "replay.h"

GTR_PUBLIC_BEGIN

/* What a recommended setting may cost the calm. */
#define GTR_CALM_COST 0.01

GTR_PUBLIC_END

/* weight [G][T] = w, 0 for those that are not calm.  Free *weight with gtr_free. */
enum gtr_code gtr_calm_new(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                           double **weight, struct gtr_err *err);

#endif
