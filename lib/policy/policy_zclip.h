/* policy_zclip.h - ZClip: a norm far above its running mean is brought down to where it would not
 * be.
 *
 * Kumar et al., arXiv 2504.02507; github.com/bluorion-com/ZClip, zclip.py.  For the norm N of the
 * whole gradient, with the mean m and the variance v of the first `warmup` norms and then their
 * exponential averages,
 *
 *     z = (N - m) / (sqrt v + 1e-6),  spike if z > z_max
 *     form=adaptive    t = (m + z_max sqrt v / (z / z_max)) factor
 *     form=mean        t = m
 *     form=percentile  t = m + z_max sqrt v, and a spike is what is above t
 *     x = t for a spike, N else;  C = min(x, max_norm);  N > C: scale = C / (N + 1e-6)
 *     m = alpha m + (1 - alpha) x,  v = alpha v + (1 - alpha) (x - m)^2 with the new m
 *
 * So what a spike was brought down to enters the averages, the cap max_norm does not.  During
 * warm-up, its last step included, only the cap holds, as clip_grad_norm_ has it (by
 * reciprocal).  update=off leaves the averages as they are at a spike.  After a NaN the averages
 * are NaN for ever: no spike is seen any more, the cap stays.  upper is min(max_norm, m + z_max
 * sqrt v).
 */
#ifndef GTR_POLICY_ZCLIP_H
#define GTR_POLICY_ZCLIP_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

enum gtr_zclip_form { GTR_ZCLIP_ADAPTIVE = 0, GTR_ZCLIP_MEAN = 1, GTR_ZCLIP_PERCENTILE = 2 };

struct gtr_zclip_params {
    double alpha;
    double z_max;
    double warmup;   /* steps */
    double max_norm; /* infinite: no cap */
    double factor;
    double form;   /* enum gtr_zclip_form */
    double update; /* 0: not at a spike */
};

GTR_PUBLIC_END

struct gtr_zclip_state {
    double mean;
    double var;
};

GTR_HD void gtr_zclip_init(const struct gtr_zclip_params *p, struct gtr_zclip_state *s)
{
    (void)p;
    s->mean = 0.0;
    s->var = 0.0;
}

/* Mean and variance of the norms so far, while they are asked for.  memory: n, then the norms. */
static inline size_t gtr_zclip_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)n_steps;
    return 1 + (size_t)((const struct gtr_zclip_params *)params)->warmup;
}

static inline void gtr_zclip_look(const union gtr_params *params, double *memory,
                                  const struct gtr_look_step *step, double *given)
{
    const size_t warmup = (size_t)((const struct gtr_zclip_params *)params)->warmup;
    double *norms = memory + 1, sum = 0.0, squares = 0.0;
    size_t n = (size_t)memory[0], i;

    if (n >= warmup)
        return;
    norms[n++] = step->total;
    memory[0] = (double)n;
    if (n < warmup)
        return;
    for (i = 0; i < n; i++)
        sum += norms[i];
    given[0] = sum / (double)n;
    for (i = 0; i < n; i++)
        squares += (norms[i] - given[0]) * (norms[i] - given[0]);
    given[1] = squares / (double)n;
}

#endif

#ifdef STEP
#define STEM zclip

STEP(zclip)
{
    const REAL one = NUM(1.0), tiny = NUM(1e-6), n = obs->total;
    ACTION act = LEAVE;
    MASK warm = ABOVE(P(warmup), obs->seen), last = EQUAL(P(warmup), obs->seen + one);
    MASK percentile = EQUAL(P(form), NUM((double)GTR_ZCLIP_PERCENTILE)), spike, moves;
    REAL mean = GET(mean), sd = ROOT(GET(var)), reach = P(z_max) * sd;
    REAL z = (n - mean) / (sd + tiny), t, x, most, next;

    spike = PICK_MASK(percentile, ABOVE(n, mean + reach), ABOVE(z, P(z_max)));
    t = PICK(EQUAL(P(form), NUM((double)GTR_ZCLIP_MEAN)), mean,
             PICK(percentile, mean + reach, (mean + reach / (z / P(z_max))) * P(factor)));
    x = PICK(spike, t, n);
    most = PICK(ABOVE(x, P(max_norm)), P(max_norm), x);
    act.upper = PICK(warm, P(max_norm), MIN(mean + reach, P(max_norm)));
    act.scale = PICK(ABOVE(n, most), most / (n + tiny), one);
    if (ANY(warm)) {
        REAL capped =
            PICK(EQUAL(P(max_norm), NUM(HUGE_VAL)), one, TEXT(clip_ratio)(P(max_norm), n, tiny));

        act.scale = PICK(warm, capped, act.scale);
    }
    moves = NOT_SECOND(NOT_SECOND(ALWAYS, warm), BOTH(spike, EQUAL(P(update), NUM(0.0))));
    next = P(alpha) * mean + (one - P(alpha)) * x;
    PUT(mean, PICK(last, obs->given[0], PICK(moves, next, mean)));
    x = x - next;
    next = P(alpha) * GET(var) + (one - P(alpha)) * (x * x);
    PUT(var, PICK(last, obs->given[1], PICK(moves, next, GET(var))));
    return act;
}

#undef STEM
#endif
