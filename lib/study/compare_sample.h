/* compare_sample.h - the steps of one group of one run, how many of them count as one, and how
 * likely chance makes a difference.
 */
#ifndef GTR_COMPARE_SAMPLE_H
#define GTR_COMPARE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "compare.h"

/* One group's steps that count, in step order. */
struct gtr_compare_sample {
    size_t n;
    int64_t *step;
    double *norm;
    double *average; /* [capacity], of all rows: what each was held against */
    uint8_t *spike;
    uint8_t *clipped; /* [n_policies][capacity] */
    size_t capacity;
};

/* Room for all steps of the side. */
enum gtr_code gtr_compare_sample_new(const struct gtr_compare_side *side, size_t n_policies,
                                     struct gtr_compare_sample *sample, struct gtr_err *err);
void gtr_compare_sample_free(struct gtr_compare_sample *sample);

void gtr_compare_sample_fill(const struct gtr_compare_side *side, size_t group,
                             const struct gtr_compare_options *options,
                             struct gtr_compare_sample *sample);

/* Those of n norms that are above 0, sorted, *n_sorted of them.  `sorted` and `scratch` have room
 * for n. */
void gtr_compare_sort(const double *norms, size_t n, double *sorted, double *scratch,
                      size_t *n_sorted);

/* tau of one series: see compare.h.  `x` is overwritten; `scratch` has room for 2 n. */
double gtr_compare_tau(double *x, size_t n, double *scratch);

/* tau of two samples: of the difference at the steps that both have if same_steps and they share
 * at least half of them, else the larger of both.  `scratch` has room for 3 (a->n + b->n). */
double gtr_compare_tau_of(const struct gtr_compare_sample *a, const struct gtr_compare_sample *b,
                          bool same_steps, double *scratch);

/* P(y > x) + P(y = x) / 2 of two sorted lists; NaN if one is empty. */
double gtr_compare_superiority(const double *x, size_t n_x, const double *y, size_t n_y);

/* The number that entries from .. to - 1 of a sample give; of norms, as a logarithm.  NaN if there
 * is too little in them.  `space` has room for 2 (to - from). */
double gtr_compare_number(const struct gtr_compare_sample *sample, size_t from, size_t to,
                          size_t measure, double *space);

/* exp within a double's reach. */
double gtr_compare_factor(double log_ratio);

/* --- what comparisons of runs and of stretches share (compare.c) ------------------------------ */

/* An empty comparison; to be freed after failure as well. */
enum gtr_code gtr_compare_open(const struct gtr_compare_options *options,
                               struct gtr_comparison **comparison, struct gtr_err *err);

/* Holm's method over all of its tests. */
enum gtr_code gtr_compare_correct(struct gtr_comparison *comparison, struct gtr_err *err);

#endif
