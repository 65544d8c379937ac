/* figure_heatmap.c - the figure of scales, step by step and group by group.
 *
 * An image needs columns of equal width, while a run's step numbers may go up by 10, or have
 * gaps.  The width of a column is therefore a multiple of the greatest common divisor of all
 * distances between steps; a column in which no step was recorded stays empty.
 */
#include <math.h>
#include <string.h>

#include "figure_rows.h"

enum {
    COLUMNS_MAX = 1500,  /* more than a printed column can show */
    NAME_MAX_SHOWN = 24, /* letters of a group's name; heatmap.gp shortens to it */
    TERM_LEGEND = 19,    /* letters that the legend takes in a terminal */
    TERM_LEAST = 10
};

struct columns {
    int64_t stride; /* greatest common divisor of the distances between steps */
    int64_t bin;    /* strides to a column */
    int64_t n;
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

/* Letters that the names take in a terminal, to the left of the frame. */
static int64_t names_width(const struct gtr_series *series)
{
    size_t widest = 1, g;

    for (g = 0; g < series->n_groups; g++) {
        size_t n = strlen(series->names[g]);

        if (n > widest)
            widest = n < NAME_MAX_SHOWN ? n : NAME_MAX_SHOWN;
    }
    return (int64_t)widest + 2;
}

/* Columns there is room for: in a terminal, one for each letter inside the frame. */
static int64_t room_for(const struct gtr_series *series, const struct figure_look *look)
{
    int64_t room = (int64_t)look->columns - names_width(series) - TERM_LEGEND - 2;

    if (look->columns == 0)
        return COLUMNS_MAX;
    return room > TERM_LEAST ? room : TERM_LEAST;
}

static struct columns columns_of(const struct gtr_series *series, const struct figure_look *look)
{
    struct columns c = { 0, 1, 0 };
    int64_t most = room_for(series, look);
    int64_t slots;
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

/* Farther from 1 as a factor: 0.5 and 2 are equally far.  False for NaN. */
static bool farther(double scale, double than)
{
    double a = scale < 1.0 ? 1.0 / scale : scale;
    double b = than < 1.0 ? 1.0 / than : than;

    return a > b || (isnan(than) && !isnan(scale));
}

static void write_row(FILE *f, const struct figure_view *view, const struct columns *c,
                      size_t policy, size_t row)
{
    const struct gtr_series *series = view->series;
    const double *scale = view->decisions[policy]->scale + row * series->n_steps;
    size_t t = 0;
    double width = (double)c->stride * (double)c->bin;
    int64_t column;

    for (column = 0; column < c->n; column++) {
        double middle =
            (double)series->index[0] + ((double)column + 0.5) * width - 0.5 * (double)c->stride;
        double shown = (double)NAN;
        char text[GTR_NUMBER_SIZE];

        for (; t < series->n_steps &&
               (series->index[t] - series->index[0]) / c->stride / c->bin == column;
             t++)
            if (farther(scale[t], shown))
                shown = scale[t];
        gtr_text_print(middle, text);
        fprintf(f, "%s\t%zu\t", text, row + 1);
        gtr_text_print(shown, text);
        fprintf(f, "%s\t", text);
        figure_write_text(f, series->names[row]);
        fputc('\n', f);
    }
}

void heatmap_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                  size_t policy)
{
    struct columns c = columns_of(view->series, look);
    size_t row;

    fputs("step\trow\tscale\tgroup\n\n\n", f);
    for (row = 0; row < view->series->n_groups; row++)
        write_row(f, view, &c, policy, row);
}

void heatmap_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                       size_t policy)
{
    struct columns c = columns_of(view->series, look);
    size_t row;

    figure_set_string(f, "POLICY", view->titles[policy]);
    figure_set_number(f, "STRIDE", (double)c.stride);
    figure_set_number(f, "BIN", (double)c.bin);
    figure_set_number(f, "N_COLUMNS", (double)c.n);
    if (look->columns > 0) {
        figure_set_number(f, "TERM_LEFT", (double)names_width(view->series));
        figure_set_number(f, "TERM_RIGHT", TERM_LEGEND);
    }
    /* In the trace's order, in which neighbours in the model are neighbours. */
    fputs("array ROW[N_GROUPS]\n", f);
    for (row = 0; row < view->series->n_groups; row++) {
        fprintf(f, "ROW[%zu] = ", row + 1);
        figure_write_string(f, view->series->names[row]);
        fputc('\n', f);
    }
}
