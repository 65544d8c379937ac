/* follower.h - what a norm is expected to be: a causal average of its own past.
 *
 *     m_t = average of the norms before t (decay d, corrected for its start):
 *           a_t = d a_{t-1} + (1 - d) n_{t-1},  w_t = d w_{t-1} + (1 - d),  m_t = a_t / w_t
 *
 * A step is a spike if n_t > kappa m_t.  While fewer than `warmup` norms were seen there is nothing
 * to expect.  After that a norm enters as at most GTR_FOLLOWER_RISE m_t, so that a spike does not
 * excuse the next one (norms ten times the usual at every second step bring m to 1.96 times it, not
 * to 5.5), while a level that stays higher is the new past in the end: twice the norm after some 70
 * steps of d = 0.98.  Norms of 0, of experts that were idle, are no past: they are left out.
 */
#ifndef GTR_FOLLOWER_H
#define GTR_FOLLOWER_H

#include <stdint.h>

#include "public.h"

GTR_PUBLIC_BEGIN

#define GTR_FOLLOWER_RISE 1.5

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

/* m; 0 before the first norm. */
static inline double gtr_follower_average(const struct gtr_follower *f)
{
    return f->weight > 0.0 ? f->average / f->weight : 0.0;
}

/* (kappa m)^2: the most energy that the group's past lets expect; negative if it has no baseline
 * yet. */
static inline double gtr_follower_expected(const struct gtr_follower *f,
                                           const struct gtr_baseline_options *options)
{
    double expected = options->kappa * gtr_follower_average(f);

    return f->seen < options->warmup || f->seen == 0 ? -1.0 : expected * expected;
}

/* Lets a norm in, after what it is held against was asked for. */
static inline void gtr_follower_add(struct gtr_follower *f,
                                    const struct gtr_baseline_options *options, double norm)
{
    double most = GTR_FOLLOWER_RISE * gtr_follower_average(f);

    if (!(norm > 0.0))
        return;
    if (f->seen > 0 && f->seen >= options->warmup && norm > most)
        norm = most;
    f->average = options->decay * f->average + (1.0 - options->decay) * norm;
    f->weight = options->decay * f->weight + (1.0 - options->decay);
    f->seen++;
}

GTR_PUBLIC_END

#endif
