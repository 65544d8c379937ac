/* figure_view.c - what there is to draw: groups by their energy, norms and their medians. */
#include "figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double figure_norm_of(const struct gtr_series *series, size_t group, size_t t)
{
    size_t at = group * series->n_steps + t;

    if (series->group_nonfinite != NULL && series->group_nonfinite[at])
        return (double)NAN;
    return sqrt(series->sumsq[at]);
}

double figure_norm(const struct figure_view *view, size_t group, size_t t)
{
    return figure_norm_of(view->series, group, t);
}

double figure_norm_out(const struct figure_view *view, size_t policy, size_t group, size_t t)
{
    double scale = view->decisions[policy]->scale[group * view->series->n_steps + t];

    return view->skip[t] ? (double)NAN : figure_norm(view, group, t) * scale;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void figure_sort(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
}

double figure_median(const double *sorted, size_t n)
{
    return n > 0 ? 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]) : (double)NAN;
}

bool figure_holds_whole(const struct figure_view *view, size_t policy)
{
    return gtr_policy_spec(view->decisions[policy]->policy)->unit == GTR_WHOLE;
}

bool figure_has_decisions(const struct figure_view *view)
{
    size_t t;

    for (t = 0; t < view->series->n_steps; t++)
        if (!view->skip[t])
            return true;
    return false;
}

/* Energy of a group over the steps that count: what its norms add to the whole gradient. */
static double energy_of(const struct figure_view *view, size_t group)
{
    const double *sumsq = view->series->sumsq + group * view->series->n_steps;
    double sum = 0.0;
    size_t t;

    for (t = 0; t < view->series->n_steps; t++)
        if (!view->skip[t] && isfinite(sumsq[t]))
            sum += sumsq[t];
    return sum;
}

/* Insertion, so that equal groups keep the trace's order.  view->values is too short for
 * energies if there are more groups than steps. */
static enum gtr_code rank_groups(struct figure_view *view, struct gtr_err *err)
{
    size_t n = view->series->n_groups, g, k;
    double *energy = NULL;
    enum gtr_code rc = gtr_alloc_for(&energy, n, sizeof *energy, "groups", err);

    for (g = 0; rc == GTR_OK && g < n; g++) {
        energy[g] = energy_of(view, g);
        for (k = g; k > 0 && energy[view->ranked[k - 1]] < energy[g]; k--)
            view->ranked[k] = view->ranked[k - 1];
        view->ranked[k] = g;
    }
    gtr_free(energy);
    return rc;
}

/* How often policies that decide group by group clipped this one. */
static size_t times_clipped(const struct figure_view *view, size_t group)
{
    size_t n_steps = view->series->n_steps, count = 0, p, t;

    for (p = 0; p < view->n_policies; p++) {
        const double *scale = view->decisions[p]->scale + group * n_steps;

        if (figure_holds_whole(view, p))
            continue;
        for (t = 0; t < n_steps; t++)
            count += scale[t] < 1.0 ? 1 : 0;
    }
    return count;
}

/* The group most often clipped, or else the one with most energy. */
static size_t telling_group(const struct figure_view *view)
{
    size_t telling = view->ranked[0], most = 0, k;

    for (k = 0; k < view->series->n_groups; k++) {
        size_t count = times_clipped(view, view->ranked[k]);

        if (count > most) {
            most = count;
            telling = view->ranked[k];
        }
    }
    return telling;
}

static enum gtr_code choose_group(struct figure_view *view, const char *name, struct gtr_err *err)
{
    const char *const *names = (const char *const *)view->series->names;
    size_t n = view->series->n_groups, k;
    const char *nearest;

    if (name == NULL) {
        view->group = n > 0 ? telling_group(view) : 0;
        return GTR_OK;
    }
    for (k = 0; k < n; k++) {
        if (strcmp(names[k], name) == 0) {
            view->group = k;
            return GTR_OK;
        }
    }
    nearest = gtr_text_nearest(name, names, n);
    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE, "--group %s: no group of that name; did you mean %s?",
                        name, nearest);
    return gtr_fail(err, GTR_EUSAGE,
                    "--group %s: no group of that name; `gradtrace info --groups` lists them",
                    name);
}

enum gtr_code figure_view_fill(struct figure_view *view, const char *group, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_alloc_for(&view->ranked, view->series->n_groups, sizeof *view->ranked, "groups", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&view->values, view->series->n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&view->medians, view->series->n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = rank_groups(view, err);
    return rc == GTR_OK ? choose_group(view, group, err) : rc;
}

void figure_view_free(struct figure_view *view)
{
    gtr_free(view->ranked);
    gtr_free(view->values);
    gtr_free(view->medians);
    gtr_free(view->layer_rows);
    gtr_series_free(view->layers);
    gtr_baseline_free(view->baseline);
    view->ranked = view->layer_rows = NULL;
    view->values = view->medians = NULL;
    view->layers = NULL;
    view->baseline = NULL;
}
