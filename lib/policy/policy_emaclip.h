/* policy_emaclip.h - two averages of the norm: a fast one says what to clip to, a slow one what to
 * clip.
 *
 * EmaGradClip of github.com/tum-pbs/pde-transformer, callback/ema_clip.py.  For the norm N of the
 * whole gradient, with k steps before this one,
 *
 *     M = above (e2 / (1 - slow^k)),  C = to (e1 / (1 - fast^k));  at the first step M = 1e4, C = 1
 *     N > M: scale = min(1, rcp(C, N + 1e-6)), x = C;  else scale = 1, x = N
 *     e1 = fast e1 + (1 - fast) x,  e2 = slow e2 + (1 - slow) x
 *
 * After a NaN both averages are NaN, and nothing is clipped any more.  upper is M.
 */
#ifndef GTR_POLICY_EMACLIP_H
#define GTR_POLICY_EMACLIP_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_emaclip_params {
    double fast;
    double slow;
    double above; /* M / the slow average */
    double to;    /* C / the fast average */
};

GTR_PUBLIC_END

struct gtr_emaclip_state {
    double fast;
    double slow;
};

GTR_HD void gtr_emaclip_init(const struct gtr_emaclip_params *p, struct gtr_emaclip_state *s)
{
    (void)p;
    s->fast = 0.0;
    s->slow = 0.0;
}

static inline size_t gtr_emaclip_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)params;
    (void)n_steps;
    return 4;
}

/* The bias corrections. */
static inline void gtr_emaclip_look(const union gtr_params *params, double *memory,
                                    const struct gtr_look_step *step, double *given)
{
    const struct gtr_emaclip_params *p = (const struct gtr_emaclip_params *)params;

    (void)step;
    given[0] = 1.0 - gtr_look_power(p->fast, memory);
    given[1] = 1.0 - gtr_look_power(p->slow, memory + 2);
}

#endif

#ifdef STEP
#define STEM emaclip

STEP(emaclip)
{
    const REAL one = NUM(1.0), n = obs->total;
    ACTION act = LEAVE;
    MASK first = EQUAL(obs->seen, NUM(0.0)), over;
    REAL limit = PICK(first, one, P(to) * (GET(fast) / obs->given[0])), x;

    act.upper = PICK(first, NUM(1e4), P(above) * (GET(slow) / obs->given[1]));
    over = ABOVE(n, act.upper);
    act.scale = PICK(over, TEXT(clip_ratio)(limit, n, NUM(1e-6)), one);
    x = PICK(over, limit, n);
    PUT(fast, P(fast) * GET(fast) + (one - P(fast)) * x);
    PUT(slow, P(slow) * GET(slow) + (one - P(slow)) * x);
    return act;
}

#undef STEM
#endif
