/* policy_agc.h - adaptive gradient clipping: a gradient's norm held to a part of its weights' norm.
 *
 * Brock et al., "High-Performance Large-Scale Image Recognition Without Normalization", ICML
 * 2021.  With n the norm of the unit's gradient and w of its weights (the original's units are rows
 * of matrices; here a unit is the group of this lane),
 *
 *     form=timm      M = factor max(w, eps);  scale = n < M ? 1 : M / max(n, 1e-6)   timm, optax
 *     form=composer  r = (factor w) / n, 1 if NaN;  scale = min(1, r)
 *
 * divided once.  A norm that is NaN scales by NaN in timm and by 1 in composer.  No state.  upper
 * is M, or factor w.
 */
#ifndef GTR_POLICY_AGC_H
#define GTR_POLICY_AGC_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

enum gtr_agc_form { GTR_AGC_TIMM = 0, GTR_AGC_COMPOSER = 1 };

struct gtr_agc_params {
    double factor;
    double eps;
    double form; /* enum gtr_agc_form */
};

GTR_PUBLIC_END

struct gtr_agc_state {
    double unused;
};

GTR_HD void gtr_agc_init(const struct gtr_agc_params *p, struct gtr_agc_state *s)
{
    (void)p;
    s->unused = 0.0;
}

#endif

#ifdef STEP
#define STEM agc

STEP(agc)
{
    const REAL one = NUM(1.0), n = obs->norm;
    const MASK composer = EQUAL(P(form), NUM((double)GTR_AGC_COMPOSER));
    ACTION act = LEAVE;
    REAL r;

    act.upper = PICK(composer, P(factor) * obs->weight, MAX(obs->weight, P(eps)) * P(factor));
    r = act.upper / PICK(BOTH(ABOVE(NUM(1e-6), n), NOT_SECOND(ALWAYS, composer)), NUM(1e-6), n);
    act.scale = PICK(composer, TEXT(at_most_1)(PICK(EQUAL(r, r), r, one)),
                     PICK(ABOVE(act.upper, n), one, r));
    return act;
}

#undef STEM
#endif
