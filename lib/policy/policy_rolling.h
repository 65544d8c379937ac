/* policy_rolling.h - a norm far above the mean of the last ones is clipped to where it stands out.
 *
 * clip_update_norm of github.com/stanford-crfm/levanter (there it is the optimizer's update that is
 * clipped).  In fp32, with the mean m and the population's deviation d (at least 1e-6) of the last
 * `window` norms N of the whole gradient as they came, this one not among them,
 *
 *     t = m + sigmas d;  N > t: scale = t / max(N, 1e-6)
 *
 * once there are max(2, window / 2) of them.  A NaN scales nothing, and while it is in the window
 * nothing is clipped.  XLA adds the window up in an order of its own, so the original's t differs
 * from this one by some 2e-7 of it.  upper is t.
 */
#ifndef GTR_POLICY_ROLLING_H
#define GTR_POLICY_ROLLING_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_rolling_params {
    double window;
    double sigmas;
};

GTR_PUBLIC_END

struct gtr_rolling_state {
    double unused;
};

GTR_HD void gtr_rolling_init(const struct gtr_rolling_params *p, struct gtr_rolling_state *s)
{
    (void)p;
    s->unused = 0.0;
}

/* memory: steps so far, norms. */
static inline size_t gtr_rolling_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)n_steps;
    return 1 + (size_t)((const struct gtr_rolling_params *)params)->window;
}

static inline void gtr_rolling_look(const union gtr_params *params, double *memory,
                                    const struct gtr_look_step *step, double *given)
{
    const size_t size = (size_t)((const struct gtr_rolling_params *)params)->window;
    const size_t n = (size_t)memory[0] < size ? (size_t)memory[0] : size;

    gtr_look_mean(memory + 1, n, 0, &given[0], &given[1]);
    given[0] = (double)(float)given[0];
    given[1] = (double)(float)(given[1] < 1e-6 ? 1e-6 : given[1]);
    gtr_look_ring(memory + 1, size, &memory[0], (double)(float)step->total);
}

#endif

#ifdef STEP
#define STEM rolling

STEP(rolling)
{
    const REAL one = NUM(1.0), two = NUM(2.0), n = F32(obs->total);
    ACTION act = LEAVE;
    MASK ready = BOTH(NOT_BELOW(obs->seen, two), NOT_BELOW(two * obs->seen, P(window) - one));

    act.upper =
        PICK(ready, F32(obs->given[0] + F32(F32(P(sigmas)) * obs->given[1])), NUM(HUGE_VAL));
    act.scale = PICK(ABOVE(n, act.upper), F32(act.upper / MAX(n, F32(NUM(1e-6)))), one);
    return act;
}

#undef STEM
#endif
