/* update_figure.c - rows and variables of the two figures.
 *
 * Changes span many decades, and the smallest are roundings: where the axis ends below.
 */
#include "update_found.h"

#include <math.h>

#include "figure_curve.h"
#include "tell.h"

/* What there is to draw. */
struct drawing {
    const struct update_found *found;
    const struct update_summary *summaries;
    const char *trace; /* its name, for titles */
    /* The simulated steps as a series of their own, for figure_curve.h. */
    struct gtr_series series;
    struct figure_view curve;
    int64_t *steps;
    double *values, *medians;
};

struct update_figure {
    const char *script;
    void (*write_rows)(FILE *f, const struct drawing *d);
    void (*write_variables)(FILE *f, const struct drawing *d);
};

/* As far down as is worth the paper: below are roundings of fp32.  What is smaller is drawn along
 * the edge, and AT_EDGE says so. */
static void set_axis(FILE *f, struct curve_range *range, enum figure_axis axis)
{
    const double least = 1e-5;
    bool beyond = range->low_positive < least && range->high > least;

    if (beyond)
        range->low_positive = least;
    figure_set_number(f, "AT_EDGE", beyond ? 1.0 : 0.0);
    curve_range_set(f, range, axis);
}

/* --- the whole update over the steps ------------------------------------------------------- */

/* NaN where the step was skipped. */
static void fill_curve(const struct drawing *d, size_t policy, bool exact)
{
    size_t r;

    for (r = 0; r < d->found->n_rows; r++) {
        struct update_place place;

        update_place_at(d->found, policy, d->found->n_groups, r, &place);
        d->values[r] = exact ? place.values.change : place.hinted;
    }
}

/* Blocks: the changes of each policy, if there are elements, then what norms suggest. */
static void change_rows(FILE *f, const struct drawing *d)
{
    const struct study *study = d->found->study;
    int exact;
    size_t p;

    fputs("step\tchange\tmedian\tpolicy\tfrom\n", f);
    for (exact = d->found->update != NULL; exact >= 0; exact--) {
        for (p = 0; p < study->n_settings; p++) {
            fill_curve(d, p, exact);
            curve_write(f, &d->curve, study->labels[p], exact ? "elements" : "norms");
        }
    }
}

static void set_range(FILE *f, const struct drawing *d)
{
    struct curve_range range;
    int exact;
    size_t p, r;

    curve_range_init(&range);
    for (p = 0; p < d->found->study->n_settings; p++) {
        for (exact = d->found->update != NULL; exact >= 0; exact--) {
            fill_curve(d, p, exact);
            for (r = 0; r < d->found->n_rows; r++)
                curve_range_see(&range, d->values[r]);
        }
    }
    set_axis(f, &range, AXIS_LOG);
}

static void change_variables(FILE *f, const struct drawing *d)
{
    const struct update_found *found = d->found;
    size_t n = found->n_rows;

    figure_set_number(f, "N_STEPS", (double)n);
    figure_set_number(f, "FIRST_STEP", (double)d->steps[0]);
    figure_set_number(f, "LAST_STEP", (double)d->steps[n - 1]);
    figure_set_number(f, "WARM_UP_END",
                      found->n_warm_up > 0 ? (double)d->steps[found->n_warm_up] : (double)NAN);
    figure_set_number(f, "WINDOW", (double)curve_window(n));
    figure_set_number(f, "BIN", (double)curve_bin(n));
    set_range(f, d);
}

/* --- each group ---------------------------------------------------------------------------- */

/* Blocks: the policies.  Row 1 is the whole update. */
static void groups_rows(FILE *f, const struct drawing *d)
{
    const struct study *study = d->found->study;
    size_t n = d->found->n_groups, p, row;

    fputs("row\tmedian\tp90\tmax\tpolicy\tgroup\n", f);
    for (p = 0; p < study->n_settings; p++) {
        fputs("\n\n", f);
        for (row = 0; row <= n; row++) {
            size_t g = row == 0 ? n : row - 1;
            const struct update_summary *s = &d->summaries[p * (n + 1) + g];

            fprintf(f, "%zu\t", row + 1);
            figure_write_number(f, s->change_p50, '\t');
            figure_write_number(f, s->change_p90, '\t');
            figure_write_number(f, s->change_max, '\t');
            tell_text(f, study->labels[p]);
            fputc('\t', f);
            tell_text(f, row == 0 ? "(all)" : study->series->names[g]);
            fputc('\n', f);
        }
    }
}

static void groups_variables(FILE *f, const struct drawing *d)
{
    const struct update_found *found = d->found;
    size_t n = found->n_groups, n_policies = found->study->n_settings, i, row;
    struct curve_range range;

    curve_range_init(&range);
    for (i = 0; i < n_policies * (n + 1); i++) {
        curve_range_see(&range, d->summaries[i].change_p50);
        curve_range_see(&range, d->summaries[i].change_max);
    }
    set_axis(f, &range, AXIS_AUTO);
    fprintf(f, "N_ROWS = %zu\narray ROW[N_ROWS]\n", n + 1);
    for (row = 0; row <= n; row++)
        figure_set_element(f, "ROW", row + 1,
                           row == 0 ? "all together" : found->study->series->names[row - 1]);
}

/* --- both ---------------------------------------------------------------------------------- */

static void write_rows(FILE *f, const void *view, const struct figure_look *look,
                       const struct picture *picture)
{
    const struct update_figure *figure = picture->figure;

    (void)look;
    figure->write_rows(f, view);
}

/* MOVES[k] = 0: the policy changes nothing, and has no line on a logarithmic axis. */
static void set_movers(FILE *f, const struct drawing *d)
{
    size_t n = d->found->study->n_settings, p;

    fputs("array MOVES[N_GROUPS]\n", f);
    for (p = 0; p < n; p++) {
        const struct update_summary *all = &d->summaries[p * (d->found->n_groups + 1)];

        fprintf(f, "MOVES[%zu] = %d\n", p + 1, all[d->found->n_groups].change_max > 0.0);
    }
}

/* The policies are what style.gp calls groups: they have the colours. */
static void write_variables(FILE *f, const void *view, const struct figure_look *look,
                            const struct picture *picture)
{
    const struct update_figure *figure = picture->figure;
    const struct drawing *d = view;
    const struct gtr_update *update = d->found->update;
    bool sampled = update != NULL && update->errors != NULL;
    char share[TELL_SIZE];

    (void)look;
    figure_set_string(f, "TRACE", d->trace);
    figure_set_string(f, "OPTIMIZER", update_optimizer_name(d->found));
    figure_set_number(f, "EXACT", update != NULL ? 1.0 : 0.0);
    figure_set_string(f, "SHARE",
                      sampled ? tell_part(update->captured, update->elements, share) : "");
    figure_set_names(f, "N_GROUPS", "GROUP", (const char *const *)d->found->study->labels,
                     d->found->study->n_settings);
    set_movers(f, d);
    figure->write_variables(f, d);
}

static enum gtr_code prepare(struct drawing *d, struct gtr_err *err)
{
    size_t n = d->found->n_rows, r;
    enum gtr_code rc;

    d->trace = figure_trace_name(d->found->options->trace);
    rc = gtr_alloc_for(&d->steps, n, sizeof *d->steps, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&d->values, n, sizeof *d->values, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&d->medians, n, sizeof *d->medians, "steps", err);
    for (r = 0; rc == GTR_OK && r < n; r++)
        d->steps[r] = d->found->study->series->index[update_row(d->found, r)];
    d->series = (struct gtr_series){ .n_steps = n, .index = d->steps };
    d->curve =
        (struct figure_view){ .series = &d->series, .values = d->values, .medians = d->medians };
    return rc;
}

enum gtr_code update_figures_draw(const struct update_found *found,
                                  const struct update_summary *summaries, struct gtr_err *err)
{
    static const struct update_figure table[] = {
        { "update_change", change_rows, change_variables },
        { "update_groups", groups_rows, groups_variables },
    };
    const struct update_options *o = found->options;
    struct drawing d = { .found = found, .summaries = summaries };
    const struct picture_source source = { .command = "gradtrace update",
                                           .view = &d,
                                           .write_rows = write_rows,
                                           .write_variables = write_variables };
    struct picture_list list = { 0 };
    enum gtr_code rc = prepare(&d, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(table); i++)
        rc = picture_list_add(&list, &table[i], table[i].script, NULL, 0, err);
    if (rc == GTR_OK)
        rc = figure_make(&list, &source, &o->figures, &o->common, err);
    picture_list_free(&list);
    gtr_free(d.steps);
    gtr_free(d.values);
    gtr_free(d.medians);
    return rc;
}
