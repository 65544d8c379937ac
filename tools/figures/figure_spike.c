/* figure_spike.c - the figure of one spike: what rose, how far, and what the policies made of it.
 *
 * Norms are shown over their baselines, each group's causal average of its own past (baseline.h):
 * groups of all sizes share one axis, on which 1 is "as before".  The spike that is shown by
 * default is the largest such factor of the run.
 *
 * A policy is shown by the scale that it gave the group that spiked, and by the median of the
 * scales of all other groups: where that drops too, they paid for what they did not do.
 */
#include <math.h>

#include "figure_curve.h"

enum { AROUND = 32 }; /* steps on each side: a narrow spike and its aftermath */

static double log_ratio(const struct figure_view *view, size_t group, size_t t)
{
    return view->baseline->log_ratio[group * view->baseline->n_steps + t];
}

/* Norm over baseline; NaN where there is none. */
static double ratio_at(const struct figure_view *view, size_t group, size_t t)
{
    double ln = log_ratio(view, group, t);

    return isnan(ln) ? (double)NAN : exp(ln);
}

/* --- which spike --------------------------------------------------------------------------- */

/* The group farthest above its past at a step; the one with most energy if none has a past. */
static size_t highest_at(const struct figure_view *view, size_t t)
{
    size_t highest = view->ranked[0], k;

    for (k = 0; k < view->series->n_groups; k++) {
        size_t g = view->ranked[k];

        if (isnan(log_ratio(view, highest, t)) ||
            log_ratio(view, g, t) > log_ratio(view, highest, t))
            highest = g;
    }
    return highest;
}

static void find_worst(struct figure_view *view)
{
    double most = (double)NAN;
    size_t g, t;

    view->spike = 0;
    for (g = 0; g < view->series->n_groups; g++) {
        for (t = 0; t < view->series->n_steps; t++) {
            if (log_ratio(view, g, t) > most || (isnan(most) && !isnan(log_ratio(view, g, t)))) {
                most = log_ratio(view, g, t);
                view->spike = t;
            }
        }
    }
}

static enum gtr_code find_step(struct figure_view *view, int64_t step, struct gtr_err *err)
{
    const struct gtr_series *series = view->series;
    size_t t;

    for (t = 0; t < series->n_steps; t++) {
        if (series->index[t] == step) {
            view->spike = t;
            return GTR_OK;
        }
    }
    return gtr_fail(err, GTR_EUSAGE,
                    "--step %lld: no such step; the trace has %zu from %lld to %lld",
                    (long long)step, series->n_steps, (long long)series->index[0],
                    (long long)series->index[series->n_steps - 1]);
}

enum gtr_code figure_view_spike(struct figure_view *view, const int64_t *step, struct gtr_err *err)
{
    struct gtr_baseline_options options;
    enum gtr_code rc = GTR_OK;

    if (step != NULL)
        rc = find_step(view, *step, err);
    gtr_baseline_options_init(&options);
    if (rc == GTR_OK)
        rc = gtr_baseline_new(view->series, view->skip, &options, &view->baseline, err);
    if (rc != GTR_OK || view->series->n_groups == 0)
        return rc;
    if (step == NULL)
        find_worst(view);
    view->spike_group = highest_at(view, view->spike);
    return rc;
}

static size_t first_of(const struct figure_view *view)
{
    return view->spike > AROUND ? view->spike - AROUND : 0;
}

static size_t end_of(const struct figure_view *view)
{
    size_t n = view->series->n_steps;

    return n - view->spike > AROUND + 1 ? view->spike + AROUND + 1 : n;
}

const char *spike_lacks(const struct figure_view *view, size_t policy)
{
    size_t g, t;

    (void)policy;
    for (g = 0; g < view->series->n_groups; g++)
        for (t = first_of(view); t < end_of(view); t++)
            if (!isnan(log_ratio(view, g, t)))
                return NULL;
    return "no norm has a baseline there, which takes 10 steps with norms above 0";
}

/* --- the figure ---------------------------------------------------------------------------- */

static double scale_at(const struct figure_view *view, size_t policy, size_t group, size_t t)
{
    return view->decisions[policy]->scale[group * view->series->n_steps + t];
}

/* Median of the other groups' scales; NaN if there are none.  `scales` has room for one number
 * per group. */
static double others_at(const struct figure_view *view, size_t policy, size_t t, double *scales)
{
    size_t n = 0, g;

    for (g = 0; g < view->series->n_groups; g++) {
        double scale = scale_at(view, policy, g, t);

        if (g != view->spike_group && isfinite(scale))
            scales[n++] = scale;
    }
    figure_sort(scales, n);
    return figure_median(scales, n);
}

static bool loss_known(const struct figure_view *view)
{
    size_t t;

    for (t = first_of(view); t < end_of(view); t++)
        if (isfinite(view->steps[t].loss))
            return true;
    return false;
}

static void write_row(FILE *f, const struct figure_view *view, size_t t, double value,
                      double second, const char *name)
{
    fprintf(f, "%lld\t", (long long)view->series->index[t]);
    figure_write_number(f, value, '\t');
    figure_write_number(f, second, '\t');
    figure_write_name(f, name, '\n');
}

/* Blocks: the loss, the groups by rank, the policies. */
void spike_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                size_t policy)
{
    const struct gtr_series *series = view->series;
    struct gtr_err err = { 0 };
    double *scales = NULL;
    size_t t, k, p;

    (void)look;
    (void)policy;
    fputs("step\tvalue\tsecond\tseries\n\n\n", f);
    for (t = first_of(view); t < end_of(view); t++)
        write_row(f, view, t, view->steps[t].loss, (double)NAN, "loss");
    for (k = 0; k < series->n_groups; k++) {
        fputs("\n\n", f);
        for (t = first_of(view); t < end_of(view); t++)
            write_row(f, view, t, ratio_at(view, view->ranked[k], t),
                      figure_norm(view, view->ranked[k], t), series->names[view->ranked[k]]);
    }
    /* Without memory the medians are left out, and the picture is drawn all the same. */
    if (gtr_alloc_for(&scales, series->n_groups, sizeof *scales, "groups", &err) != GTR_OK)
        scales = NULL;
    for (p = 0; p < view->n_policies; p++) {
        fputs("\n\n", f);
        for (t = first_of(view); t < end_of(view); t++)
            write_row(f, view, t, scale_at(view, p, view->spike_group, t),
                      scales != NULL ? others_at(view, p, t, scales) : (double)NAN,
                      view->labels[p]);
    }
    gtr_free(scales);
}

static void set_range(FILE *f, const struct curve_range *range, const char *log, const char *low,
                      const char *high)
{
    struct curve_axis y = curve_axis_of(range, AXIS_AUTO);

    figure_set_number(f, log, y.log ? 1.0 : 0.0);
    figure_set_number(f, low, y.low);
    figure_set_number(f, high, y.high);
}

void spike_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                     size_t policy)
{
    const struct gtr_series *series = view->series;
    size_t first = first_of(view), end = end_of(view), n_bad = 0, g, p, t;
    struct curve_range ratios, scales;

    (void)look;
    (void)policy;
    curve_range_init(&ratios);
    curve_range_init(&scales);
    curve_range_see(&ratios, 1.0);
    curve_range_see(&scales, 1.0);
    for (t = first; t < end; t++) {
        n_bad += series->nonfinite[t] != GTR_IS_FINITE;
        for (g = 0; g < series->n_groups; g++) {
            curve_range_see(&ratios, ratio_at(view, g, t));
            for (p = 0; p < view->n_policies; p++)
                curve_range_see(&scales, scale_at(view, p, g, t));
        }
    }
    set_range(f, &ratios, "LOG", "Y_MIN", "Y_MAX");
    set_range(f, &scales, "S_LOG", "S_MIN", "S_MAX");
    figure_set_number(f, "SPIKE", (double)series->index[view->spike]);
    figure_set_string(f, "SPIKE_GROUP", series->names[view->spike_group]);
    figure_set_number(f, "FACTOR", ratio_at(view, view->spike_group, view->spike));
    figure_set_number(f, "KAPPA", view->baseline->options.kappa);
    figure_set_number(f, "FIRST", (double)series->index[first]);
    figure_set_number(f, "LAST", (double)series->index[end - 1]);
    figure_set_number(f, "LOSS", loss_known(view) ? 1.0 : 0.0);
    figure_set_number(f, "N_NONFINITE", (double)n_bad);
    for (g = 0; g < series->n_groups && view->ranked[g] != view->spike_group; g++)
        ;
    figure_set_number(f, "SPIKE_RANK", (double)g + 1.0);
    figure_set_short(f, "N_POLICIES", "POLICY", view->titles, view->n_policies, FIGURE_LEGEND);
}
