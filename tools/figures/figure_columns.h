/* figure_columns.h - the columns of an image over the steps: heatmap and layers. */
#ifndef FIGURE_COLUMNS_H
#define FIGURE_COLUMNS_H

#include "figure.h"

struct figure_columns {
    int64_t stride; /* greatest common divisor of the distances between steps */
    int64_t bin;    /* strides to a column */
    int64_t n;
};

/* Letters of a name that are shown. */
enum { COLUMN_NAME_MAX = 24 };

/* Columns for an image of n_rows rows; `names_width` and `legend` are the letters kept free beside
 * it in a terminal. */
struct figure_columns figure_columns_of(const struct gtr_series *series,
                                        const struct figure_look *look, size_t n_rows,
                                        size_t names_width, size_t legend);

/* Letters that names take in a terminal, to the left of the frame. */
size_t figure_names_width(const char *const *names, size_t n);

/* The middle of a column, as a step number. */
double figure_column_middle(const struct figure_columns *columns, const struct gtr_series *series,
                            int64_t column);

/* First row of the run after those of a column, from its first row t on. */
size_t figure_column_end(const struct figure_columns *columns, const struct gtr_series *series,
                         int64_t column, size_t t);

/* Sets STRIDE, BIN and N_COLUMNS, and for a terminal TERM_LEFT and TERM_RIGHT. */
void figure_columns_set(FILE *f, const struct figure_columns *columns,
                        const struct figure_look *look, size_t names_width, size_t legend);

#endif
