/* policy_trellis.h - a percentile of the last finite norms, once there are enough of them.
 *
 * AdaptiveGradClipper of github.com/microsoft/TRELLIS, grad_clip_utils.py.  A ring of `window`
 * norms, in fp32, to which a norm is added after it was tested, if it is finite; with C the ring's
 * percentile once it is full, but max_norm at most, and max_norm before that,
 *
 *     scale = min(1, rcp(C, N + 1e-6))
 *
 * as clip_grad_norm_ has it, N the norm of the whole gradient.  A NaN scales by NaN, as infinity
 * does without a limit; neither leaves a trace in the ring.
 */
#ifndef GTR_POLICY_TRELLIS_H
#define GTR_POLICY_TRELLIS_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_trellis_params {
    double percentile; /* in [0, 100] */
    double window;
    double max_norm; /* infinite: none */
};

GTR_PUBLIC_END

struct gtr_trellis_state {
    double unused;
};

GTR_HD void gtr_trellis_init(const struct gtr_trellis_params *p, struct gtr_trellis_state *s)
{
    (void)p;
    s->unused = 0.0;
}

/* memory: norms so far, the limit (0: none yet), the ring, and the same sorted. */
static inline size_t gtr_trellis_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)n_steps;
    return 2 + 2 * (size_t)((const struct gtr_trellis_params *)params)->window;
}

/* numpy.percentile of fp32 values: the place is a double, the interpolation fp32. */
static inline double gtr_trellis_quantile(const double *sorted, size_t n, double percent)
{
    const double place = (double)(n - 1) * (percent / 100.0);
    const size_t at = (size_t)place;
    const double part = place - (double)at, a = sorted[at], b = sorted[at + 1 < n ? at + 1 : at];
    const double d = (double)(float)(b - a);

    if (part >= 0.5)
        return (double)(float)(b - (double)(float)(d * (double)(float)(1.0 - part)));
    return (double)(float)(a + (double)(float)(d * (double)(float)part));
}

static inline void gtr_trellis_look(const union gtr_params *params, double *memory,
                                    const struct gtr_look_step *step, double *given)
{
    const struct gtr_trellis_params *p = (const struct gtr_trellis_params *)params;
    const size_t size = (size_t)p->window;
    double *ring = memory + 2, *sorted = ring + size, x = (double)(float)step->total, out;
    size_t n = (size_t)memory[0];

    given[0] = n < size ? HUGE_VAL : memory[1];
    if (!(step->total - step->total == 0.0))
        return;
    out = ring[n % size];
    gtr_look_resort(sorted, n < size ? n : size, size, out, x);
    n = gtr_look_ring(ring, size, &memory[0], x);
    if (n == size)
        memory[1] = gtr_trellis_quantile(sorted, size, p->percentile);
}

#endif

#ifdef STEP
#define STEM trellis

STEP(trellis)
{
    ACTION act = LEAVE;

    act.upper = MIN(obs->given[0], P(max_norm));
    act.scale = TEXT(clip_ratio)(act.upper, obs->total, NUM(1e-6));
    return act;
}

#undef STEM
#endif
