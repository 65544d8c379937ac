/* baseline.h - what each group's norm is expected to be, at every step of a series.
 *
 * base/follower.h is the definition.  Steps that are left out change nothing.
 *
 * The first norms have no past to speak of, and are the ones that explode.  So while a group has
 * fewer than `warmup` norms (of the first 32), each but the very first is held against the larger
 * of what came before it and what follows, the median of the next 2 `warmup` norms: that is
 * exceeded by what rises and falls again, and not by norms that begin high and fall, nor by those
 * that rise to stay.
 */
#ifndef GTR_BASELINE_H
#define GTR_BASELINE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "follower.h"
#include "public.h"
#include "series.h"

GTR_PUBLIC_BEGIN

void gtr_baseline_options_init(struct gtr_baseline_options *options);

struct gtr_baseline {
    struct gtr_baseline_options options;
    size_t n_groups, n_steps;
    double *log_ratio; /* [G][T] ln n - ln m; NaN where there is no baseline or n is 0 */
    double *energy;    /* [T] B = sum_j min(e_j, (kappa m_j)^2): had nobody exceeded its past */
    double log_kappa;  /* gtr_ln(kappa): a log_ratio above it is a spike */
};

/* `skip` [T]: steps left out.  Free with gtr_baseline_free. */
enum gtr_code gtr_baseline_new(const struct gtr_series *series, const uint8_t *skip,
                               const struct gtr_baseline_options *options,
                               struct gtr_baseline **baseline, struct gtr_err *err);
void gtr_baseline_free(struct gtr_baseline *baseline);

/* average [T]: m of one row of sums of squares [T], also at steps left out; NaN where there is
 * nothing to expect.  `nonfinite` [T] as in gtr_series. */
void gtr_baseline_average(const double *sumsq, const uint8_t *skip, const uint8_t *nonfinite,
                          size_t n_steps, const struct gtr_baseline_options *options,
                          double *average);

/* B of a step whose energy is E.  Where nobody is above his past, B is E; summed in another order
 * it would be off by a rounding, and the spill not 0. */
double gtr_baseline_fair(const struct gtr_baseline *baseline, size_t t, double energy);

/* The part of a step's groups that were bystanders: those that have a gradient and are not above
 * their past, of those that have a gradient.  0 where nobody has one. */
double gtr_baseline_bystanders(const struct gtr_baseline *baseline, const struct gtr_series *series,
                               size_t t);

/* How often a group would be above kappa times its average by chance: its log ratios [n] (NaNs left
 * out) that lie as far below their median as ln kappa does above it, as a share of all.  Noise of
 * a logarithm is about even on both sides, and spikes have no part in the lower one.  `scratch`
 * [2 n].  NaN without any. */
double gtr_baseline_chance(const double *log_ratio, size_t n, double log_kappa, double *scratch);

/* How far noise reaches: the log ratio as far above the median of n (NaNs left out) as the lowest
 * hundredth lies below it.  `scratch` [2 n].  NaN without any. */
double gtr_baseline_reach(const double *log_ratio, size_t n, double *scratch);

/* Norms that stand out of their group's own noise: ln(n / m) more than `sigmas` standard deviations
 * above its median, the deviation taken from the median absolute one (times 1.4826), which the
 * outliers themselves do not move. */
struct gtr_outliers {
    size_t n_based;  /* norms with a baseline */
    size_t n_spikes; /* above kappa times it */
    size_t n_outliers;
    size_t group, step; /* of the one that stands out most, in deviations; row, not step number */
    double sigmas;      /* by how many; 0 if there is no noise to hold it against */
    double ratio;       /* n / m there */
};
enum gtr_code gtr_baseline_outliers(const struct gtr_baseline *baseline, double sigmas,
                                    struct gtr_outliers *out, struct gtr_err *err);

GTR_PUBLIC_END

#endif
