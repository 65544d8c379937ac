/* policy_global.h - one limit for the norm N of the whole gradient.
 *
 *     form=torch      scale = min(1, rcp(max_norm, N + eps))      torch.nn.utils.clip_grad_norm_
 *     form=float      scale = r < 1 ? r : 1, r = max_norm / (N + eps)   Megatron-LM's and all that
 *                     divide Python floats; NaN leaves the gradient alone
 *     form=deepspeed  scale = 1 / max(1, (N + eps) / max_norm)    ZeRO
 *     form=keras      scale = max_norm min(1/N, 1/max_norm) + (N - N)   global_clipnorm: infinity
 *                     gives NaN
 *     form=axlearn    scale = min(1, max_norm / (N + eps))
 *
 * rcp(a, b) is a * (1 / b), two roundings (policy_ratio.h).  strict=on leaves N < max_norm exactly
 * alone instead of looking at the ratio: with eps=0, optax's clip_by_global_norm.  Every group gets
 * the same scale, so a group that spikes shrinks all others with it: spill-over.  upper is the
 * limit, and it holds N, not the group's own norm.  norm=max: N is the largest magnitude of all
 * elements, torch's norm_type=inf.  precision=fp32 rounds N and each operation as the original does
 * whose gradients are fp32.
 *
 * A step with N above skip_above is left out (Megatron-LM's grad_norm_skip_threshold), after it was
 * clipped; above zero_above its gradient is 0, and the optimizer still moves (axlearn).  bad says
 * what a norm that is not finite does: its own arithmetic; the step is left out (DeepSpeed since
 * 0.16); or it counts as 1 (DeepSpeed up to 0.15, which took the -1 of an overflow for a norm of
 * 1). No state.
 */
#ifndef GTR_POLICY_GLOBAL_H
#define GTR_POLICY_GLOBAL_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

enum gtr_global_form {
    GTR_GLOBAL_TORCH = 0,
    GTR_GLOBAL_FLOAT = 1,
    GTR_GLOBAL_DEEPSPEED = 2,
    GTR_GLOBAL_KERAS = 3,
    GTR_GLOBAL_AXLEARN = 4
};

enum gtr_global_bad { GTR_GLOBAL_AS_IT_IS = 0, GTR_GLOBAL_SKIP = 1, GTR_GLOBAL_ONE = 2 };

struct gtr_global_params {
    double max_norm;
    double eps;
    double strict;    /* 1: leave a norm below the limit exactly alone */
    double form;      /* enum gtr_global_form */
    double norm_type; /* 0: the L2 norm, 1: the largest magnitude */
    double precision; /* 1: fp32 */
    double skip_above;
    double zero_above;
    double bad; /* enum gtr_global_bad */
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

#endif

#ifdef STEP
#define STEM global

/* max_norm / N of a form, before precision. */
HELPER REAL TEXT(global_scale)(REAL limit, REAL n, REAL eps, REAL form, MASK strict, MASK single)
{
    const REAL one = NUM(1.0);
    const MASK keras = EQUAL(form, NUM((double)GTR_GLOBAL_KERAS));
    const MASK once = EITHER(EQUAL(form, NUM((double)GTR_GLOBAL_FLOAT)),
                             EQUAL(form, NUM((double)GTR_GLOBAL_AXLEARN)));
    REAL bottom = TEXT(round_if)(single, n + eps);
    REAL inverse = TEXT(round_if)(single, one / bottom);
    REAL ratio = TEXT(round_if)(single, PICK(once, limit / bottom, limit * inverse));
    REAL s = PICK(EQUAL(form, NUM((double)GTR_GLOBAL_FLOAT)), TEXT(if_below_1)(ratio),
                  PICK(strict, PICK(ABOVE(limit, n), one, ratio), TEXT(at_most_1)(ratio)));

    if (ANY(EQUAL(form, NUM((double)GTR_GLOBAL_DEEPSPEED)))) {
        REAL over = TEXT(round_if)(single, bottom / limit);

        s = PICK(EQUAL(form, NUM((double)GTR_GLOBAL_DEEPSPEED)),
                 TEXT(round_if)(single, one / MAX(over, one)), s);
    }
    if (ANY(keras)) {
        REAL most = one / limit, own = one / n;

        /* As a minimum of XLA: NaN stays NaN. */
        s = PICK(keras, limit * PICK(ABOVE(own, most), most, own) + (n - n), s);
    }
    return s;
}

STEP(global)
{
    ACTION act = LEAVE;
    const MASK single = DIFFER(P(precision), NUM(0.0));
    REAL n = PICK(EQUAL(P(norm_type), NUM(0.0)), obs->total, obs->total_maxabs);
    MASK odd = NOT_SECOND(DIFFER(P(bad), NUM(0.0)), EQUAL(n - n, NUM(0.0)));

    n = TEXT(round_if)(single, n);
    n = PICK(BOTH(odd, EQUAL(P(bad), NUM((double)GTR_GLOBAL_ONE))), NUM(1.0), n);
    act.upper = P(max_norm);
    act.scale =
        TEXT(global_scale)(TEXT(round_if)(single, P(max_norm)), n, TEXT(round_if)(single, P(eps)),
                           P(form), DIFFER(P(strict), NUM(0.0)), single);
    act.scale = PICK(BOTH(NOT_BELOW(n, P(zero_above)), ABOVE(NUM(HUGE_VAL), P(zero_above))),
                     NUM(0.0), act.scale);
    act.skip =
        EITHER(ABOVE(n, P(skip_above)), BOTH(odd, EQUAL(P(bad), NUM((double)GTR_GLOBAL_SKIP))));
    return act;
}

#undef STEM
#endif
