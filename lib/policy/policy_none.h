/* policy_none.h - no clipping: what every other policy is compared with. */
#ifndef GTR_POLICY_NONE_H
#define GTR_POLICY_NONE_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

/* It has no settings and no memory, but C has no empty struct that C++ would size the same. */
struct gtr_none_params {
    double unused;
};

GTR_PUBLIC_END

struct gtr_none_state {
    double unused;
};

GTR_HD void gtr_none_init(const struct gtr_none_params *p, struct gtr_none_state *s)
{
    (void)p;
    s->unused = 0.0;
}

GTR_HD struct gtr_action gtr_none_step(const struct gtr_none_params *p, struct gtr_none_state *s,
                                       const struct gtr_obs *obs)
{
    (void)p;
    (void)s;
    (void)obs;
    return gtr_leave();
}

#endif
