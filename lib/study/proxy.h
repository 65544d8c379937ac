/* proxy.h - how far a policy moves Adam's update, guessed from norms alone.
 *
 * Adam divides by the root of a running mean of squared gradients, so a constant factor cancels and
 * only its changes reach the weights.  With e the group's energy, s its scale and EMA the average
 * that Adam keeps of squares (beta2, corrected for starting at zero; the correction cancels):
 *
 *     rho_t = s_t / sqrt(EMA(s^2 e)_t / EMA(e)_t)
 *
 * is what is left of the clip: 1 for any constant s, 0.1 for a step that is cut to a tenth among
 * steps that are not.  It treats a group's elements as one, and leaves out the memory of m; where
 * elements were captured, update/update.h is the exact answer.
 */
#ifndef GTR_PROXY_H
#define GTR_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "public.h"
#include "replay.h"

GTR_PUBLIC_BEGIN

/* rho of every group and step into `rho` [G][T]; NaN where the step was skipped, or the group had
 * no gradient yet.  `rows`: the n_rows steps, in order, that the optimizer saw, and nothing before
 * them, as in an update that is simulated from captured elements; NaN at all others.  n_rows 0:
 * all. `moved` [G], unless NULL: the root mean square of rho - 1 over the steps that have one. */
enum gtr_code gtr_proxy_run(const struct gtr_replay *replay, const struct gtr_decisions *decisions,
                            const int64_t *rows, size_t n_rows, double beta2, double *rho,
                            double *moved, struct gtr_err *err);

GTR_PUBLIC_END

#endif
