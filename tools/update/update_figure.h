/* update_figure.h - the figures of `gradtrace update`.
 *
 *     update_change  how far each policy moves the whole update, step by step; and what norms
 *                    alone suggest
 *     update_groups  the same of each group: median, 90th percentile and most
 *
 * Files are named and made as those of `gradtrace plot`.
 */
#ifndef UPDATE_FIGURE_H
#define UPDATE_FIGURE_H

#include "update_summary.h"

/* Draws into the folder that was asked for and prints the names of the pictures, or in the
 * terminal. */
enum gtr_code update_figures_draw(const struct update_found *found,
                                  const struct update_summary *summaries, struct gtr_err *err);

#endif
