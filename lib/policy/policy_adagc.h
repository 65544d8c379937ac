/* policy_adagc.h - each tensor's norm held to a multiple of the average of its norms as they were
 * let through.
 *
 * Wang et al., "AdaGC", arXiv 2502.11034; with n the norm of the tensor (of the group of this lane)
 * and N that of the whole gradient,
 *
 *     warm-up: s = min(1, max_norm / (N + eps)),  gamma = least n s so far
 *     then:    n > ratio gamma: s = ratio gamma / (n + eps), x = ratio gamma;  else s = 1, x = n
 *              gamma = beta gamma + (1 - beta) x
 *
 *   form=torch   the authors' release (github.com/lishuai-97/AdaGC), as written
 *   form=paddle  Paddle's: the least n itself during warm-up, not n s
 *   form=optimizer  pytorch_optimizer's: s = min(1, ratio max(gamma, eps) / max(n, eps)), average
 *                by lerp, and one step of warm-up less
 *
 * adagc-global is the same for N alone.  Comparisons are written so that a NaN does what it does in
 * the original: during warm-up it is ignored; later its scale is 1, and gamma NaN for ever.  One
 * norm of 0 in warm-up makes gamma, and so every later scale, 0.  upper is ratio gamma.
 */
#ifndef GTR_POLICY_ADAGC_H
#define GTR_POLICY_ADAGC_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

enum gtr_adagc_form { GTR_ADAGC_TORCH = 0, GTR_ADAGC_PADDLE = 1, GTR_ADAGC_OPTIMIZER = 2 };

struct gtr_adagc_params {
    double ratio;
    double beta;
    double max_norm; /* of the whole gradient, during warm-up */
    double warmup;   /* steps */
    double eps;
    double form; /* enum gtr_adagc_form */
};

GTR_PUBLIC_END

struct gtr_adagc_state {
    double gamma;
};

GTR_HD void gtr_adagc_init(const struct gtr_adagc_params *p, struct gtr_adagc_state *s)
{
    (void)p;
    s->gamma = 0.0;
}

#endif

#ifdef STEP
#define STEM adagc

/* scale and the new gamma.  n: of the unit; seen: steps before this one. */
struct TEXT(adagc_now) {
    REAL scale, gamma, upper;
};

HELPER struct TEXT(adagc_now)
    TEXT(adagc_step_of)(REAL n, REAL total, REAL seen, REAL gamma, REAL ratio, REAL beta,
                        REAL max_norm, REAL warmup, REAL eps, REAL form)
{
    const REAL one = NUM(1.0);
    const MASK optimizer = EQUAL(form, NUM((double)GTR_ADAGC_OPTIMIZER));
    const MASK paddle = EQUAL(form, NUM((double)GTR_ADAGC_PADDLE));
    const MASK warm = ABOVE(PICK(optimizer, warmup - one, warmup), seen);
    struct TEXT(adagc_now) now = { one, gamma, one };
    REAL lim = ratio * gamma, x, mixed;

    now.upper = PICK(warm, NUM(HUGE_VAL), lim);
    if (ANY(warm)) {
        REAL s = TEXT(if_below_1)(max_norm / (total + eps));

        s = PICK(optimizer, TEXT(at_most_1)(TEXT(rcp)(max_norm, total + eps)), s);
        x = PICK(paddle, n, n * s);
        now.scale = s;
        now.gamma = PICK(EQUAL(seen, NUM(0.0)), x, PICK(ABOVE(gamma, x), x, gamma));
    }
    if (ANY(NOT_SECOND(ALWAYS, warm))) {
        REAL s = PICK(ABOVE(n, lim), lim / (n + eps), one);

        x = PICK(ABOVE(n, lim), lim, n);
        mixed = gamma * beta + x * (one - beta);
        if (ANY(optimizer)) {
            REAL own = TEXT(at_most_1)(ratio * MAX(gamma, eps) / PICK(ABOVE(eps, n), eps, n));

            s = PICK(optimizer, own, s);
            mixed = PICK(optimizer, gamma + (one - beta) * (n * own - gamma), mixed);
        }
        now.scale = PICK(warm, now.scale, s);
        now.gamma = PICK(warm, now.gamma, mixed);
    }
    return now;
}

STEP(adagc)
{
    ACTION act = LEAVE;
    struct TEXT(adagc_now) now =
        TEXT(adagc_step_of)(obs->norm, obs->total, obs->seen, GET(gamma), P(ratio), P(beta),
                            P(max_norm), P(warmup), P(eps), P(form));

    act.upper = now.upper;
    act.scale = now.scale;
    PUT(gamma, now.gamma);
    return act;
}

#undef STEM
#endif
