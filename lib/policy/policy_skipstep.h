/* policy_skipstep.h - steps whose loss or norm stands out of the last ones are left out.
 *
 * SkipStepOptimizer of github.com/allenai/OLMo-core and, form=levanter, SkipStep of
 * github.com/stanford-crfm/levanter.  With the loss l and the norm N of the whole gradient, means m
 * and deviations d of those of the last `window` steps, this one not among them,
 *
 *     form=olmo-core   the step is taken if  l - m <= sigmas d  and  N - m <= sigmas d
 *     form=levanter    ... if  l <= m + sigmas d  and  N <= m + sigmas d, in fp32; d at least 1e-6
 *
 * and always while there are fewer than max(2, window / 2) (OLMo-core counts this step).  d is the
 * sample's (n - 1) in OLMo-core, the population's (n) in levanter.  Losses and norms enter as they
 * came, also of steps that were left out: a NaN in the window leaves every step out until it has
 * gone. use_loss=off looks at norms alone.  upper is the norm's end.
 */
#ifndef GTR_POLICY_SKIPSTEP_H
#define GTR_POLICY_SKIPSTEP_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

enum gtr_skipstep_form { GTR_SKIPSTEP_OLMO_CORE = 0, GTR_SKIPSTEP_LEVANTER = 1 };

struct gtr_skipstep_params {
    double window;
    double sigmas;
    double use_loss; /* 0: norms alone */
    double form;     /* enum gtr_skipstep_form */
};

GTR_PUBLIC_END

struct gtr_skipstep_state {
    double unused;
};

GTR_HD void gtr_skipstep_init(const struct gtr_skipstep_params *p, struct gtr_skipstep_state *s)
{
    (void)p;
    s->unused = 0.0;
}

/* memory: steps so far, losses, norms. */
static inline size_t gtr_skipstep_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)n_steps;
    return 1 + 2 * (size_t)((const struct gtr_skipstep_params *)params)->window;
}

/* Of what came before: mean and deviation of the losses, then of the norms. */
static inline void gtr_skipstep_look(const union gtr_params *params, double *memory,
                                     const struct gtr_look_step *step, double *given)
{
    const struct gtr_skipstep_params *p = (const struct gtr_skipstep_params *)params;
    const int levanter = p->form == (double)GTR_SKIPSTEP_LEVANTER;
    const size_t size = (size_t)p->window;
    double *loss = memory + 1, *norm = loss + size;
    size_t n = (size_t)memory[0] < size ? (size_t)memory[0] : size, k;
    double count = memory[0];

    gtr_look_mean(loss, n, levanter ? 0 : 1, &given[0], &given[1]);
    gtr_look_mean(norm, n, levanter ? 0 : 1, &given[2], &given[3]);
    for (k = 0; levanter && k < 4; k++)
        given[k] = (double)(float)(k % 2 && given[k] < 1e-6 ? 1e-6 : given[k]);
    gtr_look_ring(loss, size, &count, levanter ? (double)(float)step->loss : step->loss);
    gtr_look_ring(norm, size, &memory[0], levanter ? (double)(float)step->total : step->total);
}

#endif

#ifdef STEP
#define STEM skipstep

/* Does x stay within its end? */
HELPER MASK TEXT(skipstep_is_in)(MASK levanter, REAL x, REAL mean, REAL sd, REAL sigmas)
{
    REAL end = F32(mean + F32(F32(sigmas) * sd));

    return PICK_MASK(levanter, NOT_BELOW(end, F32(x)), NOT_BELOW(sigmas * sd, x - mean));
}

STEP(skipstep)
{
    const REAL one = NUM(1.0), two = NUM(2.0);
    const MASK levanter = EQUAL(P(form), NUM((double)GTR_SKIPSTEP_LEVANTER));
    ACTION act = LEAVE;
    REAL n = PICK(levanter, obs->seen, obs->seen + one);
    /* 2 n >= window - 1 is n >= window / 2 rounded down. */
    MASK ready = BOTH(NOT_BELOW(n, two), NOT_BELOW(two * n, P(window) - one));
    MASK in = TEXT(skipstep_is_in)(levanter, obs->total, obs->given[2], obs->given[3], P(sigmas));
    MASK loss_in =
        TEXT(skipstep_is_in)(levanter, obs->loss, obs->given[0], obs->given[1], P(sigmas));

    in = BOTH(in, EITHER(loss_in, EQUAL(P(use_loss), NUM(0.0))));
    act.upper = PICK(ready, obs->given[2] + P(sigmas) * obs->given[3], NUM(HUGE_VAL));
    act.skip = NOT_SECOND(ready, in);
    return act;
}

#undef STEM
#endif
