/* follower.h - what a norm is expected to be: a causal average of its own past.
 *
 *     m_t = average of the norms before t (decay d, corrected for its start):
 *           a_t = d a_{t-1} + (1 - d) n_{t-1},  w_t = d w_{t-1} + (1 - d),  m_t = a_t / w_t
 *
 * A step is a spike if n_t > kappa m_t.  While fewer than `warmup` norms were seen, and where m is
 * 0, there is nothing to expect.
 */
#ifndef GTR_FOLLOWER_H
#define GTR_FOLLOWER_H

#include <stdint.h>

#include "public.h"

GTR_PUBLIC_BEGIN

/* The average of one group as it goes along; starts as zeros. */
struct gtr_follower {
    double average, weight;
    int64_t seen;
};

struct gtr_baseline_options {
    double decay;   /* 0.98 */
    double kappa;   /* 1.5 */
    int64_t warmup; /* 10 norms */
};

/* (kappa m)^2: the most energy that the group's past lets expect; negative if it has no baseline
 * yet. */
static inline double gtr_follower_expected(const struct gtr_follower *f,
                                           const struct gtr_baseline_options *options)
{
    double expected = options->kappa * (f->average / f->weight);

    return f->seen < options->warmup || !(f->average > 0.0) ? -1.0 : expected * expected;
}

/* Lets a norm in, after what it is held against was asked for. */
static inline void gtr_follower_add(struct gtr_follower *f,
                                    const struct gtr_baseline_options *options, double norm)
{
    f->average = options->decay * f->average + (1.0 - options->decay) * norm;
    f->weight = options->decay * f->weight + (1.0 - options->decay);
    f->seen++;
}

GTR_PUBLIC_END

#endif
