/* sensitivity.h - which knob matters: shares of a goal's variance over a sweep (Sobol indices).
 *
 *     first_i = Var(E[y | x_i]) / Var(y)            what knob i explains by itself
 *     total_i = 1 - Var(E[y | all but x_i]) / Var(y)   with all its interactions
 *
 * On a full grid both are exact: means over rows of the grid.  Settings of the grid that were not
 * run (NaN) are left out of the means; then knobs are no longer independent, and first may exceed
 * total.
 *
 * From a sample, `first` is estimated from the rows as they are (Plischke, Borgonovo and Smith
 * 2013, "Global sensitivity measures from given data"): the knob's values are cut into bins of
 * equal probability, sqrt(n) of them and at most 64 (its own values where there are no more), and
 * the variance between bins is freed of what chance alone puts there (Kelley's epsilon squared).
 * `total` cannot be told from such rows and is NaN: a grid tells it.
 */
#ifndef GTR_SENSITIVITY_H
#define GTR_SENSITIVITY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "public.h"

GTR_PUBLIC_BEGIN

/* Shares in [0, 1]; NaN where they cannot be told.  The intervals hold 95 %, from 200 bootstrap
 * resamples of at most 20,000 rows (chosen at random from more, and the interval narrowed by
 * sqrt(20,000 / n) to what n rows would give).  On a grid nothing is left to chance: low and high
 * are the index. */
struct gtr_sensitivity {
    double first, first_low, first_high;
    double total, total_low, total_high;
};

/* knobs: [n][n_knobs]; values: the goal [n].  grid_sizes: NULL for a sample, or [n_knobs]: the rows
 * are a full grid, last knob fastest.  Rows with a NaN among knobs or values are left out.  A
 * constant goal has NaN for all indices, and so have fewer than 4 rows.  seed: of the bootstrap;
 * equal seeds give equal bits.  out: [n_knobs]. */
enum gtr_code gtr_sensitivity_run(const double *knobs, const double *values, size_t n,
                                  size_t n_knobs, const size_t *grid_sizes, uint64_t seed,
                                  struct gtr_sensitivity *out, struct gtr_err *err);

/* The same from a design made for it (GTR_SALTELLI of plan.h): values of n_base (n_knobs + 2)
 * settings, block by block.  With f_A, f_B and f_k the goal on rows of A, B and AB_k,
 *
 *     first_k = mean f_B (f_k - f_A) / Var    (Saltelli et al. 2010, table 2, b)
 *     total_k = mean (f_A - f_k)^2 / 2 Var    (Jansen 1999)
 *
 * Var over A and B, f_B centred by the mean of both.  Rows with a NaN in any block are left out.
 * The intervals hold 95 %, from 200 bootstrap resamples of the rows. */
enum gtr_code gtr_sensitivity_design(const double *values, size_t n_base, size_t n_knobs,
                                     uint64_t seed, struct gtr_sensitivity *out,
                                     struct gtr_err *err);

GTR_PUBLIC_END

#endif
