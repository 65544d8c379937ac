/* order.h - sorting doubles, and quantiles of what is sorted. */
#ifndef GTR_ORDER_H
#define GTR_ORDER_H

#include <stddef.h>

#include "err.h"

/* Sorts n doubles upward, in linear time (radix).  `scratch` holds n doubles and is overwritten.
 * NaNs must have been left out. */
void gtr_order_sort(double *values, double *scratch, size_t n);

/* How many of n sorted values are below x. */
size_t gtr_order_below(const double *sorted, size_t n, double x);

/* The q-quantile of n sorted values, q in [0, 1], by linear interpolation between the two nearest
 * (Hyndman and Fan 1996, type 7; NumPy's default).  NaN if n is 0. */
double gtr_order_quantile(const double *sorted, size_t n, double q);

/* The same quantile of all values in n_rows rows of n_cols, without sorting or copying them; NaNs
 * are left out.  Six passes of counting, so for many values and few quantiles. */
double gtr_order_quantile_of_rows(const double *const *rows, size_t n_rows, size_t n_cols,
                                  double q);

#endif
