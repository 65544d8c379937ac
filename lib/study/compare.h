/* compare.h - do two runs differ, or is it noise?
 *
 * Norms of consecutive steps are alike, so a thousand steps are not a thousand observations, and a
 * test that counts them so finds differences everywhere.  Here both runs are cut into the same few
 * long stretches of steps, each stretch gives one number (its median norm, for example), and the
 * numbers of the stretches, which hardly depend on each other, are compared by Student's t
 * (Ibragimov and Mueller, "t-statistic based correlation and heterogeneity robust inference",
 * J. Business & Economic Statistics 28, 2010).  Nothing is drawn: equal runs, equal answers.
 *
 *   same steps        a stretch of one run is held against the same steps of the other, so that
 *                     what both do as training goes on (warm-up, decay) cancels:
 *                     t = mean(d) / (sd(d) / sqrt(q)), q - 1 degrees of freedom
 *   different steps   t = (mean(b) - mean(a)) / sqrt((sd(a)^2 + sd(b)^2) / q), q - 1 as well, which
 *                     is the cautious count
 *
 * There are as many stretches as the run's memory allows, from 5 to 17 and odd in number: each must
 * hold at least 8 steps, and five times tau, the steps that count as one: tau = 1 + 2 sum of the
 * autocorrelations of the sign of (ln n - its linear trend - its median), summed up to the first
 * lag of at least 5 tau (Sokal, "Monte Carlo methods in statistical mechanics", 1997).  Of the same
 * steps it is that of the difference of the two.  No group counts with less than the median tau of
 * all.  A group with fewer than 5 stretches is not judged.
 *
 * Stretches of one run hardly depend on each other, but where the norms' memory is longer than the
 * sum above sees, they do: of the same steps, if neighbouring differences of level agree (their
 * correlation is above 1.5 / sqrt(q)), there are half as many stretches, until they do not.
 *
 * One run a side tells whether two runs differ, and never whether their settings do: another seed
 * makes another run.  With several runs a side (gtr_comparison_of_runs) each run gives one number,
 * and runs of one setting tell what a seed does: Student's t with a pooled deviation, of
 * n_a + n_b - 2 degrees of freedom, or one less if that is odd.
 *
 * All tests together are corrected by Holm's method (Scand. J. Statistics 6, 1979): the chance that
 * any difference is told where there is none is at most alpha.  Intervals are of each by itself.
 */
#ifndef GTR_COMPARE_H
#define GTR_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baseline.h"
#include "err.h"
#include "public.h"
#include "replay.h"

GTR_PUBLIC_BEGIN

/* What is compared of each group.  Steps that were skipped or not finite count nowhere; a norm of 0
 * has neither level nor spread. */
enum gtr_measure {
    GTR_MEASURE_LEVEL,   /* median norm; ratio B / A */
    GTR_MEASURE_SPREAD,  /* p90 / p10 of the norm; ratio B / A */
    GTR_MEASURE_SPIKES,  /* share of steps above kappa times the group's average; B - A */
    GTR_MEASURE_CLIPPED, /* and one for each further policy: share of steps it clips; B - A */
};

/* One of the two.  Borrowed. */
struct gtr_compare_side {
    const struct gtr_replay *replay;
    const struct gtr_decisions *const *decisions; /* [n_policies] */
    const size_t *group; /* [n_groups] which of its groups; its n_groups: the whole gradient */
    int64_t first, last; /* step numbers, both included */
};

struct gtr_compare_options {
    size_t n_groups; /* compared: those that both have */
    size_t n_policies;
    struct gtr_baseline_options baseline; /* of spikes */
    double alpha;                         /* 0.05; intervals hold 1 - alpha */
    size_t n_threads;                     /* 0: all */
};

/* One measure of one group. */
struct gtr_contrast {
    double a, b;      /* over all steps of the window */
    double change;    /* B / A or B - A, averaged over stretches */
    double low, high; /* its interval; NaN if it was not judged */
    double p;         /* of no change; NaN if it was not judged */
    double holm;      /* the same among all */
    bool changed;     /* holm <= alpha */
};

struct gtr_compared {
    uint64_t n_a, n_b;  /* steps that count */
    double a[3], b[3];  /* median, p90 and p99 of the norms above 0 */
    double superiority; /* P(norm of B > norm of A) + P(equal) / 2; 1/2: neither is larger.
                           Cliff's delta is 2 x - 1 */
    double tau;         /* steps that count as one */
    size_t n_stretches; /* 0: too few to judge */
    struct gtr_contrast *measure; /* [GTR_MEASURE_CLIPPED + n_policies] */
};

struct gtr_comparison {
    size_t n_groups, n_measures;
    bool same_steps;
    struct gtr_compared *group; /* [n_groups] */
    size_t n_runs[2];           /* of A and of B */
    size_t n_tests;             /* that Holm's method was told of */
    size_t n_changed;           /* groups with any change */
    double alpha;
};

/* Free with gtr_comparison_free. */
enum gtr_code gtr_comparison_new(const struct gtr_compare_side *a, const struct gtr_compare_side *b,
                                 const struct gtr_compare_options *options,
                                 struct gtr_comparison **comparison, struct gtr_err *err);

/* The same of several runs a side, at least two each; group[] of every run names the same groups.
 * Of the result a[], b[] are geometric means over runs, n_stretches and tau are 0, and superiority
 * is that of the runs' levels. */
enum gtr_code gtr_comparison_of_runs(const struct gtr_compare_side *a, size_t n_a,
                                     const struct gtr_compare_side *b, size_t n_b,
                                     const struct gtr_compare_options *options,
                                     struct gtr_comparison **comparison, struct gtr_err *err);
void gtr_comparison_free(struct gtr_comparison *comparison);

GTR_PUBLIC_END

#endif
