/* plot_pictures.c - which pictures a figure has, and the variables that all figures of a trace
 * share.
 */
#include "plot_pictures.h"

enum gtr_code plot_pictures_add(struct picture_list *list, const struct figure *figure,
                                const struct figure_view *view, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t p;

    if (figure->replays && !figure_has_decisions(view))
        return GTR_OK;
    if (!figure->per_policy)
        return picture_list_add(list, figure, figure->name, NULL, 0, err);
    for (p = 0; rc == GTR_OK && p < view->n_policies; p++)
        if (figure->applies == NULL || figure->applies(view, p))
            rc = picture_list_add(list, figure, figure->name, view->labels[p], p, err);
    return rc;
}

static void write_groups(FILE *f, const struct figure_view *view)
{
    size_t n = view->series->n_groups, k;

    fprintf(f, "N_GROUPS = %zu\narray GROUP[N_GROUPS]\n", n);
    for (k = 0; k < n; k++) {
        fprintf(f, "GROUP[%zu] = ", k + 1);
        figure_write_string(f, view->series->names[view->ranked[k]]);
        fputc('\n', f);
    }
}

static void write_variables(FILE *f, const void *what, const struct figure_look *look,
                            const struct picture *picture)
{
    const struct figure_view *view = what;
    const struct figure *figure = picture->figure;
    const struct gtr_series *series = view->series;
    size_t n = series->n_steps;

    figure_set_string(f, "TRACE", view->trace);
    figure_set_number(f, "N_STEPS", (double)n);
    figure_set_number(f, "FIRST_STEP", n > 0 ? (double)series->index[0] : 0.0);
    figure_set_number(f, "LAST_STEP", n > 0 ? (double)series->index[n - 1] : 0.0);
    write_groups(f, view);
    figure->write_variables(f, view, look, picture->policy);
}

static void write_rows(FILE *f, const void *what, const struct figure_look *look,
                       const struct picture *picture)
{
    const struct figure *figure = picture->figure;

    figure->write_rows(f, what, look, picture->policy);
}

struct picture_source plot_source(const struct figure_view *view)
{
    return (struct picture_source){ .command = "gradtrace plot",
                                    .view = view,
                                    .write_rows = write_rows,
                                    .write_variables = write_variables };
}
