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
 *     spill-over           x (active - above) / active: the part of x that fell on bystanders, of
 *                          the groups that have a gradient those that are not above their past
 *
 * That account asks history: a group that has owned the norm for long has made itself a past that
 * allows it.  So beside it stands one that asks nothing: how much of what is clipped is a group's
 * own energy, and what the others would lose if it were not there.
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
    double *spilled;     /* [T] gtr_spilled(x, ...): what of it fell on bystanders */
    double *blame;       /* [G][T] */
    double *received;    /* [G] sum over steps */
    double *blamed;      /* [G] sum over steps */
    double *matrix;      /* [victim G][culprit G]: blame at steps where the victim was innocent */
    double *innocent;    /* [G] of the steps at which it has a gradient, those at which the group
                            was innocent */
    double *chance;      /* [G] of them, those at which its noise alone would put it above its
                            past (gtr_baseline_chance); NaN without a past */
    double *owned;       /* [G] sum_t A(E_t) e_jt / E_t over sum_t A(E_t): sums to 1 */
    double *without;     /* [G] mean over steps of 1 - exp(-A(E_t - e_jt)): what the others would
                            lose without the group */
    size_t n_counted;    /* steps that count */
    size_t n_clipped;    /* of them, A(E) > 0 */
    size_t n_excess;     /* of them, x > 0 */
    double attenuation_sum, excess_sum, spilled_sum;
    double excess_share; /* excess_sum / attenuation_sum; 0 if nothing was clipped */
    double spill_share;  /* spilled_sum / attenuation_sum; 0 if nothing was clipped */
    double bystanders;   /* spilled_sum / excess_sum; 0 where all exceeded their past together */
    double cost;         /* mean over steps of 1 - exp(-A(E_t)): what clipping takes in all */
    double above_share, chance_share; /* of the groups' steps with a gradient: above their past,
                                         and above it by chance */
    double lost_descent;   /* share of sum E that innocents lost to excess, first order SGD:
                            sum_t sum_innocent (s_fair - s) e_j / sum_t E */
    double culprits;       /* effective number: 1 / sum of squared shares of blame; 0 if none */
    size_t n_sampled;      /* of n_excess, steps with more players than are enumerated */
    double sampling_error; /* of a group's share of the blame, at most: standard errors of these
                              steps' Shapley values, added up as if all erred the same way */
};

/* The part of an excess of which bystanders pay: those of the groups with a gradient (n_active)
 * that are not above their past. */
static inline double gtr_spilled(double excess, size_t n_active, size_t n_above)
{
    return n_active > 0 ? excess * ((double)(n_active - n_above) / (double)n_active) : 0.0;
}

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
    double cost;         /* what an innocent group loses: mean of 1 - exp(-A(E)) over the calm
                            (calm.h), where noise that is above kappa is innocent too */
    double excess_cost;  /* the same of 1 - exp(-x): of it, to groups above their past */
    double attenuation;  /* mean A(E) */
};

/* The row from which on the run has settled: the first whose norm is at most GTR_SPILL_SETTLED
 * times the median norm of what follows it (looked at 64 times a run), or else the middle of the
 * run.  A norm that begins high and falls is warm-up, and no limit for the rest can spare it. */
#define GTR_SPILL_SETTLED 1.5
enum gtr_code gtr_spill_settled(const struct gtr_replay *replay, size_t *row, struct gtr_err *err);

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

/* How far that limit depends on the stretches of the run that one happened to see: the run is cut
 * into ten, ten are drawn with replacement (Kuensch 1989), 200 times, and the limit is sought for
 * each draw; *low and *high hold 98 of 100 of them and `limit`, the limit of the whole run. */
enum gtr_code gtr_spill_limit_range(const struct gtr_replay *replay,
                                    const struct gtr_baseline *baseline, double cost, double limit,
                                    double *low, double *high, struct gtr_err *err);

GTR_PUBLIC_END

/* The smallest of n rising limits from which on the cost is at most `cost`; n if there is none. */
size_t gtr_spill_choose(const struct gtr_spill_point *points, size_t n, double cost);

#endif
