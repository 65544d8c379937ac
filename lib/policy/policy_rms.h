/* policy_rms.h - the root mean square of a block's gradient held below a threshold.
 *
 * optax.clip_by_block_rms, as XLA compiles it; there a block is a tensor.  With n the norm of the
 * group of this lane and k its number of elements,
 *
 *     r = sqrt(n n (1 / k)),  scale = 1 / max(1, r / threshold)
 *
 * NaN scales by NaN, infinity by 0.  No state.  upper is the norm at the threshold.
 */
#ifndef GTR_POLICY_RMS_H
#define GTR_POLICY_RMS_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_rms_params {
    double threshold;
};

GTR_PUBLIC_END

struct gtr_rms_state {
    double unused;
};

GTR_HD void gtr_rms_init(const struct gtr_rms_params *p, struct gtr_rms_state *s)
{
    (void)p;
    s->unused = 0.0;
}

#endif

#ifdef STEP
#define STEM rms

STEP(rms)
{
    const REAL one = NUM(1.0);
    ACTION act = LEAVE;
    REAL over = ROOT(obs->norm * obs->norm * (one / obs->numel)) / P(threshold);

    act.upper = P(threshold) * ROOT(obs->numel);
    act.scale = one / PICK(ABOVE(one, over), one, over);
    return act;
}

#undef STEM
#endif
