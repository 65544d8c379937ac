/* trust.h - how far what a replay predicts may be from what a run with that policy does.
 *
 * Replay is open loop: had the policy been in place, the weights would have moved differently, and
 * later gradients would not have been these.  How far rates then stray is of the size by which they
 * vary along the recording itself: cut into 10 stretches, with p_b of stretch b and p of all,
 *
 *     standard error  s = sqrt(sum_b (p_b - mean)^2 / (10 x 9))
 *     interval        p - GTR_TRUST_FACTOR s to p + GTR_TRUST_FACTOR s, within [0, 1] for a rate
 *
 * The factor is no quantile of a distribution but was chosen so that 9 of 10 realised clip rates of
 * trainings lie in the interval (tests/bench/closed_loop.md has the table, and how often they do).
 * What never or always happened in n steps may still happen at 3 of them (the rule of three).
 */
#ifndef GTR_TRUST_H
#define GTR_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "public.h"
#include "replay.h"

GTR_PUBLIC_BEGIN

#define GTR_TRUST_FACTOR 5.0
enum { GTR_TRUST_BLOCKS = 10 };

/* NaN, both, where there are fewer than two steps a stretch, and of the policy none, of which
 * everything is known. */
struct gtr_expected {
    double low, high;
};

struct gtr_trust {
    struct gtr_expected clip_rate;  /* share of decisions */
    struct gtr_expected step_rate;  /* share of steps at which any of the groups is clipped */
    struct gtr_expected scale_mean; /* over the decisions */
    bool among_usual; /* a fixed limit, and between a quarter and three quarters of the decisions
                         are clipped: it lies among the usual norms, where it is least certain
                         how a run that is clipped there will differ */
};

/* Of groups first to end - 1 together, but the one that is left out of clipping unless it is the
 * only one. */
void gtr_trust_fill(const struct gtr_replay *replay, const struct gtr_decisions *decisions,
                    size_t first, size_t end, struct gtr_trust *trust);

GTR_PUBLIC_END

#endif
