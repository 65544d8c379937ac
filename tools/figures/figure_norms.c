/* figure_norms.c - the figures of norms over the run: norms and panels. */
#include <math.h>

#include "figure_curve.h"
#include "tell.h"

static bool has_loss(const struct figure_view *view)
{
    size_t t;

    for (t = 0; t < view->series->n_steps; t++)
        if (isfinite(view->steps[t].loss))
            return true;
    return false;
}

static double whole_norm(const struct figure_view *view, size_t t)
{
    return view->series->nonfinite[t] ? (double)NAN : view->series->total[t];
}

static size_t norms_bin(const struct figure_view *view)
{
    const struct gtr_series *series = view->series;

    return series->n_groups > 0 ? curve_bin_of_rank(series->n_steps, series->n_groups, 1, 0)
                                : curve_bin(series->n_steps);
}

static size_t panels_bin(const struct figure_view *view, size_t k)
{
    return curve_bin_of_rank(view->series->n_steps, view->series->n_groups, view->n_policies + 1,
                             k);
}

/* Blocks: the groups by rank, the whole gradient, the loss, the steps that are not finite. */
void norms_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                size_t policy)
{
    const struct gtr_series *series = view->series;
    size_t n = series->n_steps, bin = norms_bin(view), k, t;

    (void)look;
    (void)policy;
    fputs("step\tvalue\tmedian\tseries\n", f);
    for (k = 0; k < series->n_groups; k++) {
        for (t = 0; t < n; t++)
            view->values[t] = figure_norm(view, view->ranked[k], t);
        curve_write_binned(f, view, curve_bin_of_rank(n, series->n_groups, 1, k),
                           series->names[view->ranked[k]], NULL);
    }
    for (t = 0; t < n; t++)
        view->values[t] = whole_norm(view, t);
    curve_write_binned(f, view, bin, "whole gradient", NULL);
    if (has_loss(view)) {
        for (t = 0; t < n; t++)
            view->values[t] = view->steps[t].loss;
        curve_write_binned(f, view, bin, "loss", NULL);
    }
    if (series->n_nonfinite == 0)
        return;
    fputs("\n\n", f);
    for (t = 0; t < n; t++)
        if (series->nonfinite[t])
            fprintf(f, "%lld\tnan\tnan\tnot finite\n", (long long)series->index[t]);
}

static void set_curves(FILE *f, const struct figure_view *view, size_t bin)
{
    figure_set_number(f, "WINDOW", (double)curve_window(view->series->n_steps));
    figure_set_number(f, "BIN", (double)bin);
}

void norms_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                     size_t policy)
{
    const struct gtr_series *series = view->series;
    struct curve_range range;
    size_t block = series->n_groups + 1, g, t;

    (void)policy;
    curve_range_init(&range);
    for (t = 0; t < series->n_steps; t++) {
        for (g = 0; g < series->n_groups; g++)
            curve_range_see(&range, figure_norm(view, g, t));
        if (whole_norm(view, t) > 0.0)
            curve_range_see(&range, whole_norm(view, t));
    }
    curve_range_set(f, &range, look->axis);
    set_curves(f, view, norms_bin(view));
    figure_set_number(f, "WHOLE", (double)block);
    figure_set_number(f, "LOSS", has_loss(view) ? (double)++block : 0.0);
    figure_set_number(f, "NONFINITE", series->n_nonfinite > 0 ? (double)++block : 0.0);
    figure_set_number(f, "N_NONFINITE", (double)series->n_nonfinite);
}

/* Blocks: for each panel the groups by rank.  Panel 0 is the recording. */
void panels_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                 size_t policy)
{
    const struct gtr_series *series = view->series;
    size_t panel, k, t;

    (void)look;
    (void)policy;
    fputs("step\tnorm\tmedian\tgroup\tpanel\n", f);
    for (panel = 0; panel <= view->n_policies; panel++) {
        for (k = 0; k < series->n_groups; k++) {
            size_t g = view->ranked[k];

            for (t = 0; t < series->n_steps; t++)
                view->values[t] =
                    panel == 0 ? figure_norm(view, g, t) : figure_norm_out(view, panel - 1, g, t);
            curve_write_binned(f, view, panels_bin(view, k), series->names[g],
                               panel == 0 ? "recorded" : view->labels[panel - 1]);
        }
    }
}

/* "41.3% of norms clipped, 2.0% raised": of all decisions, group by group and step by step. */
static void set_changed(FILE *f, const struct figure_view *view, size_t policy)
{
    const double *scale = view->decisions[policy]->scale;
    size_t n = view->series->n_groups * view->series->n_steps, i;
    size_t decided = 0, clipped = 0, raised = 0;
    char text[TELL_SIZE];

    for (i = 0; i < n; i++) {
        decided += isfinite(scale[i]) ? 1 : 0;
        clipped += scale[i] < 1.0 ? 1 : 0;
        raised += scale[i] > 1.0 ? 1 : 0;
    }
    fprintf(f, "CHANGED[%zu] = '%s of norms clipped", policy + 2,
            tell_part(clipped, decided, text));
    if (raised > 0)
        fprintf(f, ", %s raised", tell_part(raised, decided, text));
    fputs("'\n", f);
}

void panels_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                      size_t policy)
{
    const struct gtr_series *series = view->series;
    struct curve_range range;
    size_t p, g, t;

    (void)policy;
    curve_range_init(&range);
    for (g = 0; g < series->n_groups; g++) {
        for (t = 0; t < series->n_steps; t++) {
            curve_range_see(&range, figure_norm(view, g, t));
            for (p = 0; p < view->n_policies; p++)
                curve_range_see(&range, figure_norm_out(view, p, g, t));
        }
    }
    curve_range_set(f, &range, look->axis);
    set_curves(f, view, panels_bin(view, 0));
    figure_set_short(f, "N_POLICIES", "POLICY", view->titles, view->n_policies, FIGURE_TITLE);
    fprintf(f, "N_PANELS = %zu\narray CHANGED[N_PANELS]\n", view->n_policies + 1);
    for (p = 0; p < view->n_policies; p++)
        set_changed(f, view, p);
}
