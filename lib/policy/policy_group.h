/* policy_group.h - a fixed limit for each group's own norm n.
 *
 *     form=torch   scale = min(1, max_norm / (n + eps))    clip_grad_norm_ once per group
 *     form=keras   scale = max_norm / max(n, max_norm)     Keras clipnorm as XLA has it; there
 *                                                          a group is a variable
 *
 * both of them by reciprocal.  NaN scales by NaN, infinity by 0.  With a quantile, max_norm is set
 * before the lane starts to that quantile of the group's recorded norms (see fit_quantile in
 * catalogue_fixed.c); the step itself does not look at it.  No state.
 */
#ifndef GTR_POLICY_GROUP_H
#define GTR_POLICY_GROUP_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

enum gtr_group_form { GTR_GROUP_TORCH = 0, GTR_GROUP_KERAS = 1 };

struct gtr_group_params {
    double max_norm;
    double quantile; /* in [0, 1]; below 0: max_norm is used as given */
    double eps;
    double form; /* enum gtr_group_form */
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

#endif

#ifdef STEP
#define STEM group

STEP(group)
{
    ACTION act = LEAVE;
    REAL limit = P(max_norm), n = obs->norm;
    /* As a maximum of XLA: NaN stays NaN. */
    REAL most = PICK(ABOVE(limit, n), limit, n);

    act.upper = limit;
    act.scale = PICK(EQUAL(P(form), NUM((double)GTR_GROUP_KERAS)), TEXT(rcp)(limit, most),
                     TEXT(clip_ratio)(limit, n, P(eps)));
    return act;
}

#undef STEM
#endif
