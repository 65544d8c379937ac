/* policy_autoclip.h - AutoClip: the limit is a percentile of all norms so far, this one included.
 *
 * Seetharaman et al., arXiv 2007.14469; github.com/pseeth/autoclip.  With C numpy's percentile
 *
 *     scale = min(1, rcp(C, N + 1e-6))
 *
 * as clip_grad_norm_ has it, N the norm of the whole gradient.  After one NaN every later
 * percentile, and with it every scale, is NaN.  The history only grows, so the limit moves ever
 * more slowly.
 */
#ifndef GTR_POLICY_AUTOCLIP_H
#define GTR_POLICY_AUTOCLIP_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_autoclip_params {
    double percentile; /* in [0, 100] */
};

GTR_PUBLIC_END

struct gtr_autoclip_state {
    double unused;
};

GTR_HD void gtr_autoclip_init(const struct gtr_autoclip_params *p, struct gtr_autoclip_state *s)
{
    (void)p;
    s->unused = 0.0;
}

static inline size_t gtr_autoclip_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)params;
    return n_steps == SIZE_MAX ? 0 : 3 + 2 * n_steps;
}

static inline void gtr_autoclip_look(const union gtr_params *params, double *memory,
                                     const struct gtr_look_step *step, double *given)
{
    const struct gtr_autoclip_params *p = (const struct gtr_autoclip_params *)params;

    given[0] = gtr_look_percentile(memory, p->percentile, step->total);
}

#endif

#ifdef STEP
#define STEM autoclip

STEP(autoclip)
{
    ACTION act = LEAVE;

    act.upper = obs->given[0];
    act.scale = TEXT(clip_ratio)(obs->given[0], obs->total, NUM(1e-6));
    return act;
}

#undef STEM
#endif
