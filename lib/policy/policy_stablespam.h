/* policy_stablespam.h - Stable-SPAM: a tensor's largest element held to its average, then its norm
 * to its own.
 *
 * Huang et al., arXiv 2502.17055; github.com/TianjinYellow/StableSPAM, stablespam.py.  With a the
 * largest magnitude and n the norm of the tensor (of the group of this lane), at the k-th step
 * (every `gap` steps, when the optimizer forgets its moments, k starts again; T, mu and nu do not),
 *
 *     T = theta T + (1 - theta) a,  T' = T / (1 - theta^k);  elements above T' are cut to it
 *     mu = beta1 mu + (1 - beta1) n',  nu = beta2 nu + (1 - beta2) n'^2,  n' the norm after the cut
 *     scale = (1 / n') mu / (1 - beta1^k) / (sqrt(nu / (1 - beta2^k)) + eps)
 *
 * always, up or down: the norm becomes its own average over its own root mean square.  n' is not
 * known from n and a alone, unless one element at most is above T': n'^2 = n^2 - a^2 + T'^2 is
 * taken, exact in that case and an upper bound else.  The scale is that of elements that were not
 * cut; a zero gradient, and one that is NaN, is left alone.  After a NaN everything is NaN.  upper
 * is T', which holds a.
 */
#ifndef GTR_POLICY_STABLESPAM_H
#define GTR_POLICY_STABLESPAM_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_stablespam_params {
    double beta1;
    double beta2;
    double theta;
    double eps;
    double gap; /* steps after which the count k starts again */
};

GTR_PUBLIC_END

struct gtr_stablespam_state {
    double top; /* T */
    double mu;
    double nu;
};

GTR_HD void gtr_stablespam_init(const struct gtr_stablespam_params *p,
                                struct gtr_stablespam_state *s)
{
    (void)p;
    s->top = 0.0;
    s->mu = 0.0;
    s->nu = 0.0;
}

static inline size_t gtr_stablespam_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)params;
    (void)n_steps;
    return 7;
}

/* The bias corrections of beta1, beta2 and theta; memory: three powers, and steps of this gap. */
static inline void gtr_stablespam_look(const union gtr_params *params, double *memory,
                                       const struct gtr_look_step *step, double *given)
{
    const struct gtr_stablespam_params *p = (const struct gtr_stablespam_params *)params;
    const double base[3] = { p->beta1, p->beta2, p->theta };
    size_t k;

    memory[6] += 1.0;
    for (k = 0; k < 3; k++) {
        if (step->seen == 0.0 || memory[6] == p->gap) {
            memory[2 * k] = memory[2 * k + 1] = 0.0;
            gtr_look_power(base[k], memory + 2 * k);
        }
        given[k] = 1.0 - gtr_look_power(base[k], memory + 2 * k);
    }
    if (memory[6] == p->gap)
        memory[6] = 0.0;
}

#endif

#ifdef STEP
#define STEM stablespam

STEP(stablespam)
{
    const REAL one = NUM(1.0), a = obs->maxabs;
    ACTION act = LEAVE;
    REAL top = P(theta) * GET(top) + (one - P(theta)) * a, limit = top / obs->given[2];
    REAL rest = obs->sumsq - a * a, n, mu, nu;
    MASK cut = ABOVE(a, limit);

    n = PICK(cut, ROOT(MAX(rest, NUM(0.0)) + limit * limit), obs->norm);
    n = PICK(EQUAL(a, a), n, a);
    mu = P(beta1) * GET(mu) + (one - P(beta1)) * n;
    nu = P(beta2) * GET(nu) + (one - P(beta2)) * (n * n);
    act.upper = limit;
    act.scale = TEXT(rcp)((mu / obs->given[0]) / (ROOT(nu / obs->given[1]) + P(eps)), n);
    act.scale = PICK(ABOVE(n, NUM(0.0)), act.scale, one);
    PUT(top, top);
    PUT(mu, mu);
    PUT(nu, nu);
    return act;
}

#undef STEM
#endif
