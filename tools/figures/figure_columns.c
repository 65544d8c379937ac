/* figure_columns.c - columns of equal width over steps whose numbers may have gaps.
 *
 * An image needs columns of equal width, while a run's step numbers may go up by 10, or have
 * gaps.  The width of a column is therefore a multiple of the greatest common divisor of all
 * distances between steps; a column in which no step was recorded stays empty.
 *
 * In an SVG each cell is a shape of some 130 bytes, so there it has fewer columns.
 */
#include "figure_columns.h"

#include <string.h>

#include "tell.h"

enum {
    COLUMNS_MAX = 1500, /* more than a printed column can show */
    SVG_CELLS = 6500,   /* about 1 MB */
    SVG_LEAST = 250,    /* of many rows; heatmap.gp and layers.gp then make one image of them */
    TERM_LEAST = 10
};

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

size_t figure_names_width(const char *const *names, size_t n)
{
    struct tell_names shown;

    tell_names_make(&shown, names, n, 1, COLUMN_NAME_MAX);
    tell_names_free(&shown);
    return shown.width + 2;
}

/* Columns there is room for: in a terminal, one for each letter inside the frame. */
static int64_t room_for(const struct figure_look *look, size_t n_rows, size_t names_width,
                        size_t legend)
{
    int64_t room = (int64_t)look->columns - (int64_t)(names_width + legend) - 2;

    if (look->columns > 0)
        return room > TERM_LEAST ? room : TERM_LEAST;
    if (strstr(look->formats, "svg") == NULL || n_rows == 0)
        return COLUMNS_MAX;
    room = SVG_CELLS / (int64_t)n_rows;
    return room < SVG_LEAST ? SVG_LEAST : room > COLUMNS_MAX ? COLUMNS_MAX : room;
}

struct figure_columns figure_columns_of(const struct gtr_series *series,
                                        const struct figure_look *look, size_t n_rows,
                                        size_t names_width, size_t legend)
{
    struct figure_columns c = { 0, 1, 0 };
    int64_t most = room_for(look, n_rows, names_width, legend), slots;
    size_t t;

    if (series->n_steps == 0)
        return c;
    for (t = 1; t < series->n_steps && c.stride != 1; t++)
        c.stride = common_divisor(series->index[t] - series->index[t - 1], c.stride);
    if (c.stride == 0)
        c.stride = 1;
    slots = (series->index[series->n_steps - 1] - series->index[0]) / c.stride + 1;
    c.bin = (slots + most - 1) / most;
    c.n = (slots + c.bin - 1) / c.bin;
    return c;
}

double figure_column_middle(const struct figure_columns *c, const struct gtr_series *series,
                            int64_t column)
{
    double width = (double)c->stride * (double)c->bin;

    return (double)series->index[0] + ((double)column + 0.5) * width - 0.5 * (double)c->stride;
}

size_t figure_column_end(const struct figure_columns *c, const struct gtr_series *series,
                         int64_t column, size_t t)
{
    while (t < series->n_steps &&
           (series->index[t] - series->index[0]) / c->stride / c->bin == column)
        t++;
    return t;
}

void figure_columns_set(FILE *f, const struct figure_columns *c, const struct figure_look *look,
                        size_t names_width, size_t legend)
{
    figure_set_number(f, "STRIDE", (double)c->stride);
    figure_set_number(f, "BIN", (double)c->bin);
    figure_set_number(f, "N_COLUMNS", (double)c->n);
    if (look->columns > 0) {
        figure_set_number(f, "TERM_LEFT", (double)names_width);
        figure_set_number(f, "TERM_RIGHT", (double)legend);
    }
}
