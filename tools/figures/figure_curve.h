/* figure_curve.h - one series over the steps, with its running median, as rows of a .tsv. */
#ifndef FIGURE_CURVE_H
#define FIGURE_CURVE_H

#include "figure.h"

/* Steps that a running median looks at, odd; 1: the run is too short to need one. */
size_t curve_window(size_t n_steps);

/* Steps of the run that share two rows of the file; 1: each has its own.  Of many curves each gets
 * fewer rows, so that a picture of all as vectors stays below about 1 MB. */
size_t curve_bin(size_t n_steps);

/* The same for the group of rank k, of n_groups in n_panels panels: groups drawn in grey, since
 * there are too many for colours, get few rows each. */
size_t curve_bin_of_rank(size_t n_steps, size_t n_groups, size_t n_panels, size_t k);

/* Writes view->values as a block "step value median NAME [NAME2]", set off by two blank lines.
 * Overwrites view->medians. */
void curve_write(FILE *f, const struct figure_view *view, const char *name, const char *name2);
void curve_write_binned(FILE *f, const struct figure_view *view, size_t bin, const char *name,
                        const char *name2);

/* Rows of the smallest and the largest finite value in [first, end), the earlier one in *a. */
void curve_extremes(const double *values, size_t first, size_t end, size_t *a, size_t *b);

/* The span of values that were looked at. */
struct curve_range {
    double low, high;    /* of the values that are finite; NaN if there are none */
    double low_positive; /* NaN if none is above 0 */
    size_t n_zeros;
};
void curve_range_init(struct curve_range *range);
void curve_range_see(struct curve_range *range, double value);

/* The axis that fits: logarithmic if asked for, or if positive values span over a decade. */
struct curve_axis {
    bool log;
    double low, high;
};
struct curve_axis curve_axis_of(const struct curve_range *range, enum figure_axis axis);

/* Sets LOG, Y_MIN and Y_MAX to it. */
void curve_range_set(FILE *f, const struct curve_range *range, enum figure_axis axis);

#endif
