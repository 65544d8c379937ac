/* policy_sigma.h - a norm more than so many deviations above its running mean is clipped there.
 *
 * The rule of Open-Sora Plan 1.5 and of MindSpeed-MM, as described by their authors; no log of the
 * original code stands behind it.  For the norm N of the whole gradient,
 *
 *     first step: m = min(3 N, max_start), v = 0, nothing is clipped
 *     t = m + sigmas sqrt v
 *     N <= t: m = beta m + (1 - beta) N,  v = beta v + (1 - beta) (m - N)^2 with the new m
 *     else scale = min(1, rcp(t, N + 1e-6)), and m and v stay
 *
 * A norm that is not finite stops the original; here it scales by NaN or 0, and enters nothing.
 * upper is t.
 */
#ifndef GTR_POLICY_SIGMA_H
#define GTR_POLICY_SIGMA_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_sigma_params {
    double beta;
    double sigmas;
    double max_start;
};

GTR_PUBLIC_END

struct gtr_sigma_state {
    double mean;
    double var;
};

GTR_HD void gtr_sigma_init(const struct gtr_sigma_params *p, struct gtr_sigma_state *s)
{
    (void)p;
    s->mean = 0.0;
    s->var = 0.0;
}

#endif

#ifdef STEP
#define STEM sigma

STEP(sigma)
{
    const REAL one = NUM(1.0), n = obs->total;
    ACTION act = LEAVE;
    MASK first = EQUAL(obs->seen, NUM(0.0)), inside;
    REAL t = GET(mean) + P(sigmas) * ROOT(GET(var)), mean, var;

    inside = NOT_BELOW(t, n);
    act.upper = PICK(first, NUM(HUGE_VAL), t);
    act.scale = PICK(EITHER(first, inside), one, TEXT(clip_ratio)(t, n, NUM(1e-6)));
    mean = P(beta) * GET(mean) + (one - P(beta)) * n;
    var = P(beta) * GET(var) + (one - P(beta)) * ((mean - n) * (mean - n));
    mean = PICK(inside, mean, GET(mean));
    PUT(var, PICK(first, NUM(0.0), PICK(inside, var, GET(var))));
    PUT(mean, PICK(first, MIN(NUM(3.0) * n, P(max_start)), mean));
    return act;
}

#undef STEM
#endif
