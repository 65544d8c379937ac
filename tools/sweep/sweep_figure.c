/* sweep_figure.c - the table of a sweep's figures, and which of them have something to show. */
#include "sweep_figure_parts.h"

struct sweep_figure {
    const char *script;
    bool per_policy;
    /* NULL if there is something to show, else why there is not. */
    const char *(*lacks)(const struct sweep_figures *what, size_t policy);
    void (*write_rows)(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                       size_t policy);
    void (*write_variables)(FILE *f, const struct sweep_figures *what,
                            const struct figure_look *look, size_t policy);
};

/* --- what a figure needs ------------------------------------------------------------------- */

static bool any_counts(const struct sweep_figures *what, size_t policy)
{
    size_t i;

    for (i = what->found->policy_row[policy]; i < what->found->policy_row[policy + 1]; i++)
        if (sweep_counts(what, i))
            return true;
    return false;
}

static const char *lacks_settings(const struct sweep_figures *what, size_t policy)
{
    return any_counts(what, policy) ? NULL : "no setting has a value and keeps the limits";
}

static const char *map_lacks(const struct sweep_figures *what, size_t policy)
{
    if (sweep_count_knobs(what, policy) < 2)
        return "it takes two knobs";
    return lacks_settings(what, policy);
}

static const char *knobs_lack(const struct sweep_figures *what, size_t policy)
{
    if (sweep_count_knobs(what, policy) < 1)
        return "there is no knob";
    return lacks_settings(what, policy);
}

/* A terminal shows points, and the figure is its lines. */
static const char *lines_lack(const struct sweep_figures *what, size_t policy)
{
    if (what->options->figures.term)
        return "a terminal has too little room";
    return knobs_lack(what, policy);
}

static const char *front_lacks(const struct sweep_figures *what, size_t policy)
{
    size_t p;

    (void)policy;
    if (what->n_goals < 2)
        return "it takes two goals";
    for (p = 0; p < what->found->n_policies; p++)
        if (any_counts(what, p))
            return NULL;
    return "no setting has a value and keeps the limits";
}

static const char *bars_lack(const struct sweep_figures *what, size_t policy)
{
    size_t knob;

    (void)policy;
    for (knob = 0; knob < what->found->n_knobs; knob++)
        if (what->found->sensitivity[knob].first == what->found->sensitivity[knob].first)
            return NULL;
    return "it is not known what the goal owes to which knob";
}

static const struct sweep_figure table[] = {
    { "sweep_map", true, map_lacks, sweep_map_rows, sweep_map_variables },
    { "sweep_front", false, front_lacks, sweep_front_rows, sweep_front_variables },
    { "sweep_parallel", true, lines_lack, sweep_parallel_rows, sweep_parallel_variables },
    { "sweep_curve", true, knobs_lack, sweep_curve_rows, sweep_curve_variables },
    { "sweep_bars", false, bars_lack, sweep_bars_rows, sweep_bars_variables },
};

/* --- drawing ------------------------------------------------------------------------------- */

static void write_rows(FILE *f, const void *view, const struct figure_look *look,
                       const struct picture *picture)
{
    const struct sweep_figure *figure = picture->figure;

    figure->write_rows(f, view, look, picture->policy);
}

/* The policies are what style.gp calls groups: they have the colours. */
static void write_variables(FILE *f, const void *view, const struct figure_look *look,
                            const struct picture *picture)
{
    const struct sweep_figure *figure = picture->figure;
    const struct sweep_figures *what = view;

    figure_set_string(f, "TRACE", figure_trace_name(what->options->trace));
    figure_set_names(f, "N_GROUPS", "GROUP", (const char *const *)what->results->study->labels,
                     what->found->n_policies);
    fputs("N_POLICIES = N_GROUPS\n", f);
    figure->write_variables(f, what, look, picture->policy);
}

static enum gtr_code add_pictures(struct picture_list *list, const struct sweep_figure *figure,
                                  const struct sweep_figures *what, struct gtr_err *err)
{
    size_t n = figure->per_policy ? what->found->n_policies : 1, p;
    const char *why = NULL;
    enum gtr_code rc = GTR_OK;
    size_t before = list->n;

    for (p = 0; rc == GTR_OK && p < n; p++) {
        const char *lacks = figure->lacks(what, p);

        if (lacks == NULL)
            rc = picture_list_add(
                list, figure, figure->script,
                figure->per_policy && n > 1 ? what->results->study->labels[p] : NULL, p, err);
        else
            why = lacks;
    }
    if (rc == GTR_OK && list->n == before && why != NULL)
        cli_note(&what->options->common, "%s: nothing to show: %s", figure->script, why);
    return rc;
}

enum gtr_code sweep_draw(const struct sweep_options *options, const struct sweep_results *results,
                         const struct sweep_found *found, struct gtr_err *err)
{
    const struct sweep_figures what = { .options = options,
                                        .results = results,
                                        .found = found,
                                        .plan = results->plan,
                                        .n_goals = found->n_goals < SWEEP_FIGURE_GOALS
                                                       ? found->n_goals
                                                       : SWEEP_FIGURE_GOALS };
    const struct picture_source source = { .command = "gradtrace sweep",
                                           .view = &what,
                                           .write_rows = write_rows,
                                           .write_variables = write_variables };
    struct picture_list list = { 0 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(table); i++)
        rc = add_pictures(&list, &table[i], &what, err);
    if (rc == GTR_OK)
        rc = figure_make(&list, &source, &options->figures, &options->common, err);
    picture_list_free(&list);
    return rc;
}
