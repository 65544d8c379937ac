/* figure_heatmap.c - the figure of scales, step by step and group by group. */
#include <math.h>

#include "figure_columns.h"

enum { TERM_LEGEND = 19 }; /* letters that the legend takes in a terminal */

static size_t names_width(const struct gtr_series *series)
{
    return figure_names_width((const char *const *)series->names, series->n_groups);
}

static struct figure_columns columns_of(const struct gtr_series *series,
                                        const struct figure_look *look)
{
    return figure_columns_of(series, look, series->n_groups, names_width(series), TERM_LEGEND);
}

/* Farther from 1 as a factor: 0.5 and 2 are equally far.  False for NaN. */
static bool farther(double scale, double than)
{
    double a = scale < 1.0 ? 1.0 / scale : scale;
    double b = than < 1.0 ? 1.0 / than : than;

    return a > b || (isnan(than) && !isnan(scale));
}

static void write_row(FILE *f, const struct figure_view *view, const struct figure_columns *c,
                      size_t policy, size_t row)
{
    const struct gtr_series *series = view->series;
    const double *scale = view->decisions[policy]->scale + row * series->n_steps;
    size_t t = 0;
    int64_t column;

    for (column = 0; column < c->n; column++) {
        size_t end = figure_column_end(c, series, column, t);
        double shown = (double)NAN;

        for (; t < end; t++)
            if (farther(scale[t], shown))
                shown = scale[t];
        figure_write_number(f, figure_column_middle(c, series, column), '\t');
        fprintf(f, "%zu\t", row + 1);
        figure_write_number(f, shown, '\t');
        figure_write_name(f, series->names[row], '\n');
    }
}

void heatmap_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                  size_t policy)
{
    struct figure_columns c = columns_of(view->series, look);
    size_t row;

    fputs("step\trow\tscale\tgroup\n\n\n", f);
    for (row = 0; row < view->series->n_groups; row++)
        write_row(f, view, &c, policy, row);
}

void heatmap_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                       size_t policy)
{
    struct figure_columns c = columns_of(view->series, look);

    figure_set_string(f, "POLICY", view->titles[policy]);
    figure_columns_set(f, &c, look, names_width(view->series), TERM_LEGEND);
    /* In the trace's order, in which neighbours in the model are neighbours. */
    figure_set_short(f, "N_ROWS", "ROW", (const char *const *)view->series->names,
                     view->series->n_groups, COLUMN_NAME_MAX);
}
