/* figure_curve.h - one series over the steps, with its running median, as rows of a .tsv. */
#ifndef FIGURE_CURVE_H
#define FIGURE_CURVE_H

#include "figure.h"

/* Steps that a running median looks at, odd; 1: the run is too short to need one. */
size_t curve_window(size_t n_steps);

/* Rows of the run that share two rows of the file; 1: each has its own. */
size_t curve_bin(size_t n_steps);

/* Writes view->values as a block "step value median NAME [NAME2]", set off by two blank lines.
 * Overwrites view->medians. */
void curve_write(FILE *f, const struct figure_view *view, const char *name, const char *name2);

/* The span of values that were looked at. */
struct curve_range {
    double low, high;    /* of the values that are finite; NaN if there are none */
    double low_positive; /* NaN if none is above 0 */
    size_t n_zeros;
};
void curve_range_init(struct curve_range *range);
void curve_range_see(struct curve_range *range, double value);

/* Sets LOG, Y_MIN and Y_MAX: log axes if asked for, or if positive values span over a decade. */
void curve_range_set(FILE *f, const struct curve_range *range, enum figure_axis axis);

#endif
