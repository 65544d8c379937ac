/* spill.h - what a limit on the global norm does to those who did nothing.
 *
 * Clipping the global norm to C shrinks every group by the same factor.  Where one group exceeds
 * its own past (baseline.h), the others pay.  Per step, in nats (0.01 nat is about 1 %):
 *
 *     fair attenuation     A(B)         what clipping would have done had nobody exceeded its past
 *     excess attenuation   x = A(E) - A(B) >= 0
 *     received by group j  max(0, x - max(0, ln(e_j / b_j) / 2)): x for the innocent (e_j <= b_j);
 *                          nothing where it has no gradient, as an idle expert
 *     blame                each culprit's share of x (blame.h); sums to x
 *
 * Policies that decide for each group by itself have x = 0.
 */
#ifndef GTR_SPILL_H
#define GTR_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "baseline.h"
#include "blame.h"
#include "err.h"
#include "public.h"
#include "replay.h"

GTR_PUBLIC_BEGIN

struct gtr_spill_options {
    double max_norm; /* C > 0 */
    enum gtr_blame_method method;
    size_t n_threads; /* 0: all */
};

/* Steps that were skipped, or have no finite norm, have NaN per step and count nowhere. */
struct gtr_spill {
    size_t n_groups, n_steps;
    double max_norm;
    double *attenuation; /* [T] A(E) */
    double *excess;      /* [T] x */
    double *blame;       /* [G][T] */
    double *received;    /* [G] sum over steps */
    double *blamed;      /* [G] sum over steps */
    double *matrix;      /* [victim G][culprit G]: blame at steps where the victim was innocent */
    double *innocent;    /* [G] share of steps at which the group was innocent */
    size_t n_counted;    /* steps that count */
    size_t n_clipped;    /* of them, A(E) > 0 */
    size_t n_excess;     /* of them, x > 0 */
    double attenuation_sum, excess_sum;
    double excess_share; /* excess_sum / attenuation_sum; 0 if nothing was clipped */
    double bystanders;   /* share of excess_sum that fell on innocent groups, averaged over the
                            groups with a gradient; 0 where all exceeded their past together */
    double lost_descent; /* share of sum E that innocents lost to excess, first order SGD:
                            sum_t sum_innocent (s_fair - s) e_j / sum_t E */
    double culprits;     /* effective number: 1 / sum of squared shares of blame; 0 if none */
    size_t n_inexact;    /* of n_excess, steps with more players than exact Shapley takes */
};

/* Only the options of the baseline are used.  Free with gtr_spill_free. */
enum gtr_code gtr_spill_new(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                            const struct gtr_spill_options *options, struct gtr_spill **spill,
                            struct gtr_err *err);
void gtr_spill_free(struct gtr_spill *spill);

/* One limit among others. */
struct gtr_spill_point {
    double max_norm;
    double clip_rate;    /* share of steps with A(E) > 0 */
    double excess_share; /* sum x / sum A(E); 0 if nothing is clipped */
    double cost;         /* mean over steps of 1 - exp(-A(E)): what an innocent group loses */
    double excess_cost;  /* mean over steps of 1 - exp(-x): of it, to groups above their past */
    double attenuation;  /* mean A(E) */
};

/* n limits, logarithmic from a norm that one step in 200 keeps to just above the largest, or as
 * given in point[].max_norm if it is not 0 there.  No blame is computed: this is quick.
 *
 * As the limit rises, clip rate, both costs and attenuation can only fall: so they do step by step.
 * The excess share need not: it is small below the usual norms, where everybody is clipped, often 1
 * where only spikes are, and small again if the largest norms were nobody's spike. */
enum gtr_code gtr_spill_curve(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                              struct gtr_spill_point *points, size_t n, struct gtr_err *err);

/* The smallest limit whose cost is at most `cost`, rounded up to three digits.
 *
 * Excess share would be no goal: it falls to 0 as the limit does.  Nor would excess_cost alone:
 * where spikes are rare it stays small at any limit, even one that clips every step. */
enum gtr_code gtr_spill_limit(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                              double cost, struct gtr_spill_point *limit, struct gtr_err *err);

GTR_PUBLIC_END

/* The smallest of n rising limits from which on the cost is at most `cost`; n if there is none. */
size_t gtr_spill_choose(const struct gtr_spill_point *points, size_t n, double cost);

#endif
