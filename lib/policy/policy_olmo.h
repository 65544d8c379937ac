/* policy_olmo.h - each tensor's norm held to a multiple of its average, as OLMo does.
 *
 * Optimizer.clip_grads_and_collect_metrics of github.com/allenai/OLMo, olmo/optim.py.  In fp32,
 * with n the norm of the tensor (of the group of this lane) and e its average, which starts at the
 * second n (the first step keeps none),
 *
 *     scale = min(1, (ratio e) / (n + 1e-6))        tensor / tensor: divided once
 *     e = lerp(e, n scale, 1 - beta),  beta = max(beta1, beta2)
 *
 * lerp(a, b, w) is a + w (b - a) for w < 1/2 and b - (b - a) (1 - w) else, its last two operations
 * fused on a CPU: in doubles the product is exact, and one rounding more in 2^29 is all that is
 * left. After a NaN e, and every scale, is NaN; a norm of 0 that is clipped to 0 or starts the
 * average makes it 0 for ever.  upper is ratio e.  precision=fp64 leaves the roundings out.
 */
#ifndef GTR_POLICY_OLMO_H
#define GTR_POLICY_OLMO_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_olmo_params {
    double ratio;
    double beta;
    double precision; /* 1: fp32 */
};

GTR_PUBLIC_END

struct gtr_olmo_state {
    double ema;
};

GTR_HD void gtr_olmo_init(const struct gtr_olmo_params *p, struct gtr_olmo_state *s)
{
    (void)p;
    s->ema = 0.0;
}

#endif

#ifdef STEP
#define STEM olmo

STEP(olmo)
{
    const REAL one = NUM(1.0);
    const MASK single = DIFFER(P(precision), NUM(0.0));
    ACTION act = LEAVE;
    REAL n = TEXT(round_if)(single, obs->norm), ema = PICK(ABOVE(NUM(2.0), obs->seen), n, GET(ema));
    REAL w = TEXT(round_if)(single, one - P(beta)), gap, next;

    act.upper = TEXT(round_if)(single, TEXT(round_if)(single, P(ratio)) * ema);
    act.scale = TEXT(round_if)(
        single, act.upper / TEXT(round_if)(single, n + TEXT(round_if)(single, NUM(1e-6))));
    act.scale = TEXT(at_most_1)(act.scale);
    next = TEXT(round_if)(single, n * act.scale);
    gap = TEXT(round_if)(single, next - ema);
    PUT(ema, TEXT(round_if)(single, PICK(ABOVE(NUM(0.5), w), ema + w * gap,
                                         next - gap * TEXT(round_if)(single, one - w))));
    return act;
}

#undef STEM
#endif
