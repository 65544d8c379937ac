/* policy_group.h - a fixed limit for each group's own norm n.
 *
 *     scale = min(1, max_norm / (n + eps))
 *
 * the rule of torch.nn.utils.clip_grad_norm_ called once per group.  With a quantile, max_norm is
 * set before the lane starts to that quantile of the group's recorded norms (see
 * catalogue.c, fit_quantile); the step itself does not look at it.  No state.
 */
#ifndef GTR_POLICY_GROUP_H
#define GTR_POLICY_GROUP_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_group_params {
    double max_norm;
    double quantile; /* in [0, 1]; below 0: max_norm is used as given */
    double eps;
};

GTR_PUBLIC_END

struct gtr_group_state {
    double unused;
};

GTR_HD void gtr_group_init(const struct gtr_group_params *p, struct gtr_group_state *s)
{
    (void)p;
    s->unused = 0.0;
}

GTR_HD struct gtr_action gtr_group_step(const struct gtr_group_params *p, struct gtr_group_state *s,
                                        const struct gtr_obs *obs)
{
    struct gtr_action act = gtr_leave();

    (void)s;
    act.upper = p->max_norm;
    act.scale = gtr_clip_ratio(p->max_norm, obs->norm, p->eps);
    return act;
}

#endif
