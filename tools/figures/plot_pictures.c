/* plot_pictures.c - which pictures a figure has, and the variables that all figures of a trace
 * share.
 */
#include "picture.h"

/* The rest of this cannot be asked of a run without decisions. */
static const char *lacks(const struct figure *figure, const struct figure_view *view, size_t policy)
{
    if (figure->replays && !figure_has_decisions(view))
        return "every step is skipped, its gradient is not finite";
    return figure->lacks != NULL ? figure->lacks(view, policy) : NULL;
}

enum gtr_code plot_pictures_add(struct picture_list *list, const struct figure *figure,
                                const struct figure_view *view, const char **why,
                                struct gtr_err *err)
{
    size_t n = figure->per_policy ? view->n_policies : 1, before = list->n, p;
    enum gtr_code rc = GTR_OK;
    const char *reason;

    *why = NULL;
    for (p = 0; rc == GTR_OK && p < n; p++) {
        reason = lacks(figure, view, p);
        if (reason == NULL)
            rc = picture_list_add(list, figure, figure->name,
                                  figure->per_policy ? view->labels[p] : NULL, p, err);
        else
            *why = reason;
    }
    if (list->n > before)
        *why = NULL;
    return rc;
}

/* Only the first can be in a legend, and need to differ. */
static void write_groups(FILE *f, const struct figure_view *view)
{
    size_t n = view->series->n_groups, n_shown = n < FIGURE_COLOURED ? n : FIGURE_COLOURED, k;
    const char *names[FIGURE_COLOURED];

    for (k = 0; k < n_shown; k++)
        names[k] = view->series->names[view->ranked[k]];
    fprintf(f, "N_GROUPS = %zu\n", n);
    figure_set_short(f, "N_NAMED", "GROUP", names, n_shown, FIGURE_LEGEND);
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
