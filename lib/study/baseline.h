/* baseline.h - what each group's norm is expected to be, at every step of a series.
 *
 * base/follower.h is the definition.  Steps that are left out change nothing.
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
    double *log_ratio; /* [G][T] gtr_ln(n / m); NaN where there is no baseline or n is 0 */
    double *energy;    /* [T] B = sum_j min(e_j, (kappa m_j)^2): had nobody exceeded its past */
    double log_kappa;  /* gtr_ln(kappa): a log_ratio above it is a spike */
};

/* `skip` [T]: steps left out.  Free with gtr_baseline_free. */
enum gtr_code gtr_baseline_new(const struct gtr_series *series, const uint8_t *skip,
                               const struct gtr_baseline_options *options,
                               struct gtr_baseline **baseline, struct gtr_err *err);
void gtr_baseline_free(struct gtr_baseline *baseline);

/* B of a step whose energy is E.  Where nobody is above his past, B is E; summed in another order
 * it would be off by a rounding, and the spill not 0. */
double gtr_baseline_fair(const struct gtr_baseline *baseline, size_t t, double energy);

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
