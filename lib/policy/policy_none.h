/* policy_none.h - no clipping: what every other policy is compared with.
 *
 * It has no settings and no memory, but C has no empty struct that C++ would size the same.
 */
#ifndef GTR_POLICY_NONE_H
#define GTR_POLICY_NONE_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

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

#endif

#ifdef STEP
#define STEM none

STEP(none)
{
    return LEAVE;
}

#undef STEM
#endif
