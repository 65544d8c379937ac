/* policy_adagc_global.h - AdaGC on the norm of the whole gradient: policy_adagc.h with n = N.
 */
#ifndef GTR_POLICY_ADAGC_GLOBAL_H
#define GTR_POLICY_ADAGC_GLOBAL_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_adagc_global_params {
    double ratio;
    double beta;
    double max_norm; /* of the whole gradient, during warm-up */
    double warmup;   /* steps */
    double eps;
    double form; /* enum gtr_adagc_form */
};

GTR_PUBLIC_END

struct gtr_adagc_global_state {
    double gamma;
};

GTR_HD void gtr_adagc_global_init(const struct gtr_adagc_global_params *p,
                                  struct gtr_adagc_global_state *s)
{
    (void)p;
    s->gamma = 0.0;
}

#endif

#ifdef STEP
#define STEM adagc_global

STEP(adagc_global)
{
    ACTION act = LEAVE;
    struct TEXT(adagc_now) now =
        TEXT(adagc_step_of)(obs->total, obs->total, obs->seen, GET(gamma), P(ratio), P(beta),
                            P(max_norm), P(warmup), P(eps), P(form));

    act.upper = now.upper;
    act.scale = now.scale;
    PUT(gamma, now.gamma);
    return act;
}

#undef STEM
#endif
