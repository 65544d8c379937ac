/* spill_figure.h - the figures of `gradtrace spill`.
 *
 *     spill_matrix  who paid for whom
 *     spill_steps   norm and limit over the run; below, excess attenuation, stacked by culprit
 *     spill_curve   clip rate, excess share and cost over the limit
 *
 * Files are named and made as those of `gradtrace plot`.  The functions that write rows and
 * variables take nothing but struct spill_shown, so that other commands can draw the same.
 */
#ifndef SPILL_FIGURE_H
#define SPILL_FIGURE_H

#include <stdio.h>

#include "figure.h"
#include "spill_found.h"

/* What there is to draw.  Borrows everything. */
struct spill_shown {
    const char *trace; /* its name, for titles */
    const struct gtr_series *series;
    const struct gtr_spill *spill;
    const size_t *ranked; /* [G] groups, most blame first */
    const struct gtr_spill_point *points;
    size_t n_points;
    const struct gtr_spill_point *chosen, *own, *at; /* own: NULL if unknown */
    double cost;                                     /* that the recommended limit may have */
};

/* Draws all that have something to show, as the options say. */
enum gtr_code spill_draw(const struct spill_found *found, struct gtr_err *err);

#endif
