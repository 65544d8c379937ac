/* policy_global.h - one limit for the norm N of the whole gradient.
 *
 *     scale = min(1, max_norm / (N + eps))              torch.nn.utils.clip_grad_norm_, eps 1e-6
 *     scale = N < max_norm ? 1 : max_norm / (N + eps)   strict=1; with eps=0, optax's
 *                                                       clip_by_global_norm
 *
 * Every group gets the same scale, so a group that spikes shrinks all others with it: spill-over.
 * upper is the limit, and it holds N, not the group's own norm.  No state.
 */
#ifndef GTR_POLICY_GLOBAL_H
#define GTR_POLICY_GLOBAL_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_global_params {
    double max_norm;
    double eps;
    double strict; /* 1: leave a norm below the limit exactly alone */
};

GTR_PUBLIC_END

struct gtr_global_state {
    double unused;
};

GTR_HD void gtr_global_init(const struct gtr_global_params *p, struct gtr_global_state *s)
{
    (void)p;
    s->unused = 0.0;
}

GTR_HD struct gtr_action gtr_global_step(const struct gtr_global_params *p,
                                         struct gtr_global_state *s, const struct gtr_obs *obs)
{
    struct gtr_action act = gtr_leave();

    (void)s;
    act.upper = p->max_norm;
    if (p->strict == 0.0)
        act.scale = gtr_clip_ratio(p->max_norm, obs->total, p->eps);
    else
        act.scale = obs->total < p->max_norm ? 1.0 : p->max_norm / (obs->total + p->eps);
    return act;
}

#endif
