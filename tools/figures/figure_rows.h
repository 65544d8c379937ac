/* figure_rows.h - the rows and the variables of each figure; the table in figure.c names them.
 *
 * Each .tsv starts with a line of column names.  Blocks are set off by two blank lines, gnuplot's
 * mark for `index`: the names are block 0, so the first block is number 1.  Names come last in a
 * row, where no character of theirs can be taken for a comment or a number.
 */
#ifndef FIGURE_ROWS_H
#define FIGURE_ROWS_H

#include "figure.h"

#define FIGURE_FUNCTIONS(name)                                                                     \
    void name##_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,      \
                     size_t policy);                                                               \
    void name##_variables(FILE *f, const struct figure_view *view, const struct figure_look *look, \
                          size_t policy)

FIGURE_FUNCTIONS(norms);
FIGURE_FUNCTIONS(panels);
FIGURE_FUNCTIONS(interval);
FIGURE_FUNCTIONS(heatmap);
FIGURE_FUNCTIONS(scales);
FIGURE_FUNCTIONS(layers);
FIGURE_FUNCTIONS(intervals);
FIGURE_FUNCTIONS(spike);
FIGURE_FUNCTIONS(tails);

const char *interval_lacks(const struct figure_view *view, size_t policy);
const char *intervals_lacks(const struct figure_view *view, size_t policy);
const char *layers_lacks(const struct figure_view *view, size_t policy);
const char *spike_lacks(const struct figure_view *view, size_t policy);
const char *tails_lacks(const struct figure_view *view, size_t policy);

#endif
