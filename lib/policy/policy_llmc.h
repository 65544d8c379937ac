/* policy_llmc.h - steps whose loss or norm is an outlier of the last 128 are left out; the others
 * are clipped.
 *
 * github.com/karpathy/llm.c, outlier_detector.h and train_gpt2.cu (-sl, -sg, default off).  Of the
 * last `window` losses, and norms N of the whole gradient, this one among them, running sums S and
 * Q of the values and their squares give
 *
 *     m = S / window,  z = (x - m) / sqrt(Q / window - m^2), 0 if that root is 0
 *
 * once the window is full; a z above its limit leaves the step out.  Else N > max_norm: scale =
 * max_norm / N, divided once.  A NaN that has entered the sums never leaves them: z is NaN for the
 * rest of the run, and nothing is left out any more.  No z is above (window - 1) / sqrt(window),
 * 11.27 of 128.  A limit of 0 is off.
 */
#ifndef GTR_POLICY_LLMC_H
#define GTR_POLICY_LLMC_H

#include "look.h"
#include "policy_base.h"

GTR_PUBLIC_BEGIN

struct gtr_llmc_params {
    double window;
    double z_loss; /* 0: off */
    double z_norm;
    double max_norm;
};

GTR_PUBLIC_END

struct gtr_llmc_state {
    double unused;
};

GTR_HD void gtr_llmc_init(const struct gtr_llmc_params *p, struct gtr_llmc_state *s)
{
    (void)p;
    s->unused = 0.0;
}

/* memory: of each detector steps so far, S, Q and the ring. */
static inline size_t gtr_llmc_look_size(const union gtr_params *params, size_t n_steps)
{
    (void)n_steps;
    return 2 * (3 + (size_t)((const struct gtr_llmc_params *)params)->window);
}

static inline double gtr_llmc_z(double *memory, size_t size, double x)
{
    double *sum = &memory[1], *squares = &memory[2], *ring = memory + 3, mean, sd;
    const size_t n = (size_t)memory[0];

    if (n >= size) {
        *sum -= ring[n % size];
        *squares -= ring[n % size] * ring[n % size];
    }
    *sum += x;
    *squares += x * x;
    gtr_look_ring(ring, size, &memory[0], x);
    if (n < size)
        return (double)NAN;
    mean = *sum / (double)size;
    sd = sqrt(*squares / (double)size - mean * mean);
    return sd == 0.0 ? 0.0 : (x - mean) / sd;
}

static inline void gtr_llmc_look(const union gtr_params *params, double *memory,
                                 const struct gtr_look_step *step, double *given)
{
    const size_t size = (size_t)((const struct gtr_llmc_params *)params)->window;

    given[0] = gtr_llmc_z(memory, size, step->loss);
    given[1] = gtr_llmc_z(memory + 3 + size, size, step->total);
}

#endif

#ifdef STEP
#define STEM llmc

/* Is z a finite number above a limit that is not off?  llm.c holds both as floats. */
HELPER MASK TEXT(llmc_is_out)(REAL z, REAL limit)
{
    return BOTH(BOTH(ABOVE(F32(z), F32(limit)), EQUAL(z - z, NUM(0.0))), DIFFER(limit, NUM(0.0)));
}

STEP(llmc)
{
    const REAL n = obs->total;
    ACTION act = LEAVE;

    act.upper = P(max_norm);
    act.scale = PICK(ABOVE(n, P(max_norm)), P(max_norm) / n, NUM(1.0));
    act.skip = EITHER(TEXT(llmc_is_out)(obs->given[0], P(z_loss)),
                      TEXT(llmc_is_out)(obs->given[1], P(z_norm)));
    return act;
}

#undef STEM
#endif
