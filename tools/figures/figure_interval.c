/* figure_interval.c - the figures of norms and the intervals that a policy held them in: one
 * group's (interval), and all groups' side by side (intervals).
 *
 * Of long runs a bin of steps gives up to four rows, each of them a step as it was: the smallest
 * and the largest norm, the scale farthest below 1 and the one farthest above.  A line through
 * them covers the same paper as a line through all, and no spike or mark is lost that could be
 * told from its neighbours.
 */
#include <math.h>

#include "figure_curve.h"
#include "tell.h"

enum {
    BINS = 1000,           /* of one graph */
    BINS_OF_PANELS = 2000, /* of all panels together */
    BINS_LEAST = 80,       /* of a panel */
    PANELS_MAX = 30,       /* more cannot be read on a page */
    ROWS_PER_BIN = 4
};

/* One group under one policy. */
struct held {
    const struct figure_view *view;
    size_t policy, group;
};

/* Some policies hold the norm of the whole gradient; the others hold each group's own. */
static double held_norm(const struct held *held, size_t t)
{
    const struct gtr_series *series = held->view->series;

    if (!figure_holds_whole(held->view, held->policy))
        return figure_norm(held->view, held->group, t);
    return series->nonfinite[t] ? (double)NAN : series->total[t];
}

/* Decisions about the group: three rows of [T]. */
struct decided {
    const double *scale, *lower, *upper;
};

static struct decided decided_of(const struct held *held)
{
    const struct gtr_decisions *d = held->view->decisions[held->policy];
    size_t at = held->group * held->view->series->n_steps;

    return (struct decided){ d->scale + at, d->lower + at, d->upper + at };
}

/* What an interval that is there at least once has. */
struct ends {
    bool lower, upper;
};

static struct ends ends_of(const struct held *held)
{
    struct decided d = decided_of(held);
    struct ends ends = { false, false };
    size_t t;

    for (t = 0; t < held->view->series->n_steps; t++) {
        ends.lower |= d.lower[t] > 0.0;
        ends.upper |= isfinite(d.upper[t]);
    }
    return ends;
}

/* --- rows ---------------------------------------------------------------------------------- */

static size_t bin_for(size_t n_steps, size_t bins)
{
    return n_steps <= ROWS_PER_BIN * bins ? 1 : (n_steps + bins - 1) / bins;
}

static void write_row(FILE *f, const struct held *held, size_t t, const char *name)
{
    struct decided d = decided_of(held);
    double norm = held_norm(held, t);
    const double row[] = { norm, d.lower[t], d.upper[t], d.scale[t], norm * d.scale[t] };
    size_t n = GTR_ARRAY_LEN(row), i;

    fprintf(f, "%lld\t", (long long)held->view->series->index[t]);
    for (i = 0; i < n; i++)
        figure_write_number(f, row[i], i + 1 < n || name != NULL ? '\t' : '\n');
    if (name != NULL)
        figure_write_name(f, name, '\n');
}

/* Steps of a bin that are shown, as a mark in `shown`; view->values holds the norms. */
static void choose_rows(const struct held *held, size_t first, size_t end, size_t chosen[4])
{
    struct decided d = decided_of(held);
    size_t low = first, high = first, t;

    curve_extremes(held->view->values, first, end, &chosen[0], &chosen[1]);
    for (t = first; t < end; t++) {
        if (d.scale[t] < 1.0 && !(d.scale[low] <= d.scale[t]))
            low = t;
        if (d.scale[t] > 1.0 && !(d.scale[high] >= d.scale[t]))
            high = t;
    }
    chosen[2] = d.scale[low] < 1.0 ? low : chosen[0];
    chosen[3] = d.scale[high] > 1.0 ? high : chosen[0];
}

static void write_steps(FILE *f, const struct held *held, size_t bin, const char *name)
{
    size_t n = held->view->series->n_steps, chosen[4], t, end, i;

    for (t = 0; t < n; t++)
        held->view->values[t] = held_norm(held, t);
    for (t = 0; t < n; t = end) {
        end = t + bin < n ? t + bin : n;
        if (bin == 1) {
            write_row(f, held, t, name);
            continue;
        }
        choose_rows(held, t, end, chosen);
        for (; t < end; t++) {
            bool shown = false;

            for (i = 0; i < 4; i++)
                shown |= chosen[i] == t;
            if (shown)
                write_row(f, held, t, name);
        }
    }
}

/* --- axes and counts ----------------------------------------------------------------------- */

struct counts {
    size_t decided, clipped, raised, empty;
};

static struct counts count(const struct held *held)
{
    struct decided d = decided_of(held);
    struct counts counts = { 0, 0, 0, 0 };
    size_t t;

    for (t = 0; t < held->view->series->n_steps; t++) {
        counts.decided += held->view->skip[t] ? 0 : 1;
        counts.clipped += d.scale[t] < 1.0 ? 1 : 0;
        counts.raised += d.scale[t] > 1.0 ? 1 : 0;
        counts.empty += d.lower[t] > d.upper[t] ? 1 : 0;
    }
    return counts;
}

/* An end far from every norm - 0 before there is a past, or a limit never reached - leaves the
 * axis to the norms. */
static void see_end(struct curve_range *range, const struct curve_range *norms, double end)
{
    enum { NEAR = 3 };

    if (end * NEAR >= norms->low_positive && end <= norms->high * NEAR)
        curve_range_see(range, end);
}

static struct curve_range range_of(const struct held *held)
{
    struct decided d = decided_of(held);
    struct ends ends = ends_of(held);
    struct curve_range range, norms;
    size_t t;

    curve_range_init(&norms);
    for (t = 0; t < held->view->series->n_steps; t++)
        curve_range_see(&norms, held_norm(held, t));
    range = norms;
    for (t = 0; t < held->view->series->n_steps; t++) {
        if (ends.upper)
            see_end(&range, &norms, d.upper[t]);
        if (ends.lower)
            see_end(&range, &norms, d.lower[t]);
    }
    return range;
}

/* --- one group ----------------------------------------------------------------------------- */

static struct held chosen_group(const struct figure_view *view, size_t policy)
{
    return (struct held){ view, policy, view->group };
}

static const char no_interval[] = "these policies have no interval";

const char *interval_lacks(const struct figure_view *view, size_t policy)
{
    struct held held = chosen_group(view, policy);
    struct ends ends = view->series->n_groups > 0 ? ends_of(&held) : (struct ends){ false, false };

    return ends.lower || ends.upper ? NULL : no_interval;
}

void interval_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                   size_t policy)
{
    struct held held = chosen_group(view, policy);

    (void)look;
    fputs("step\tnorm\tlower\tupper\tscale\tnorm_out\n\n\n", f);
    write_steps(f, &held, bin_for(view->series->n_steps, BINS), NULL);
}

void interval_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                        size_t policy)
{
    struct held held = chosen_group(view, policy);
    struct curve_range range = range_of(&held);
    struct counts counts = count(&held);
    struct ends ends = ends_of(&held);
    char share[TELL_SIZE];

    curve_range_set(f, &range, look->axis);
    figure_set_string(f, "POLICY", view->titles[policy]);
    figure_set_string(f, "SUBJECT",
                      figure_holds_whole(view, policy) ? "whole gradient"
                                                       : view->series->names[view->group]);
    figure_set_number(f, "BIN", (double)bin_for(view->series->n_steps, BINS));
    figure_set_number(f, "HAS_LOWER", ends.lower ? 1.0 : 0.0);
    figure_set_number(f, "HAS_UPPER", ends.upper ? 1.0 : 0.0);
    figure_set_number(f, "N_DECIDED", (double)counts.decided);
    figure_set_number(f, "N_CLIPPED", (double)counts.clipped);
    figure_set_number(f, "N_RAISED", (double)counts.raised);
    figure_set_string(f, "SHARE_CLIPPED", tell_part(counts.clipped, counts.decided, share));
    figure_set_string(f, "SHARE_RAISED", tell_part(counts.raised, counts.decided, share));
    figure_set_number(f, "N_EMPTY", (double)counts.empty);
}

/* --- all groups ---------------------------------------------------------------------------- */

static size_t n_panels(const struct figure_view *view)
{
    return view->series->n_groups < PANELS_MAX ? view->series->n_groups : PANELS_MAX;
}

static size_t panels_bin(const struct figure_view *view)
{
    size_t bins = BINS_OF_PANELS / n_panels(view);

    bins = bins > BINS / 2 ? BINS / 2 : bins < BINS_LEAST ? BINS_LEAST : bins;
    return bin_for(view->series->n_steps, bins);
}

const char *intervals_lacks(const struct figure_view *view, size_t policy)
{
    size_t k;

    if (view->series->n_groups == 0)
        return "there are no groups";
    if (figure_holds_whole(view, policy))
        return "these policies hold the norm of the whole gradient; see interval";
    for (k = 0; k < n_panels(view); k++) {
        struct held held = { view, policy, view->ranked[k] };
        struct ends ends = ends_of(&held);

        if (ends.lower || ends.upper)
            return NULL;
    }
    return no_interval;
}

void intervals_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                    size_t policy)
{
    size_t bin = panels_bin(view), k;

    (void)look;
    fputs("step\tnorm\tlower\tupper\tscale\tnorm_out\tgroup\n", f);
    for (k = 0; k < n_panels(view); k++) {
        struct held held = { view, policy, view->ranked[k] };

        fputs("\n\n", f);
        write_steps(f, &held, bin, view->series->names[held.group]);
    }
}

static void set_panel(FILE *f, const struct held *held, size_t panel, enum figure_axis axis)
{
    struct curve_range range = range_of(held);
    struct curve_axis y = curve_axis_of(&range, axis);
    struct counts counts = count(held);
    char down[TELL_SIZE], up[TELL_SIZE];

    fprintf(f, "IS_LOG[%zu] = %d; CLIPPED[%zu] = %zu; RAISED[%zu] = %zu; EMPTIES[%zu] = %zu\n",
            panel, y.log, panel, counts.clipped, panel, counts.raised, panel, counts.empty);
    fprintf(f, "DOWN[%zu] = \"%s\"; UP[%zu] = \"%s\"\n", panel,
            tell_part(counts.clipped, counts.decided, down), panel,
            tell_part(counts.raised, counts.decided, up));
    fprintf(f, "LOW[%zu] = ", panel);
    figure_write_number(f, y.low, '\n');
    fprintf(f, "HIGH[%zu] = ", panel);
    figure_write_number(f, y.high, '\n');
}

/* One kind of axis for all panels, so that heights in them mean the same: logarithmic if any of
 * them needs that. */
static enum figure_axis panels_axis(const struct figure_view *view, size_t policy,
                                    enum figure_axis asked)
{
    size_t k;

    for (k = 0; k < n_panels(view) && asked == AXIS_AUTO; k++) {
        struct held held = { view, policy, view->ranked[k] };
        struct curve_range range = range_of(&held);

        if (curve_axis_of(&range, AXIS_AUTO).log)
            return AXIS_LOG;
    }
    return asked;
}

void intervals_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                         size_t policy)
{
    enum figure_axis axis = panels_axis(view, policy, look->axis);
    const char *names[PANELS_MAX];
    struct ends any = { false, false };
    size_t n = n_panels(view), k;

    for (k = 0; k < n; k++)
        names[k] = view->series->names[view->ranked[k]];
    figure_set_short(f, "N_PANELS", "PANEL", names, n, FIGURE_LEGEND);
    fputs("array IS_LOG[N_PANELS]\narray LOW[N_PANELS]\narray HIGH[N_PANELS]\n"
          "array CLIPPED[N_PANELS]\narray RAISED[N_PANELS]\narray EMPTIES[N_PANELS]\n"
          "array DOWN[N_PANELS]\narray UP[N_PANELS]\n",
          f);
    for (k = 0; k < n; k++) {
        struct held held = { view, policy, view->ranked[k] };
        struct ends ends = ends_of(&held);

        any.lower |= ends.lower;
        any.upper |= ends.upper;
        set_panel(f, &held, k + 1, axis);
    }
    figure_set_string(f, "POLICY", view->titles[policy]);
    figure_set_number(f, "BIN", (double)panels_bin(view));
    figure_set_number(f, "HAS_LOWER", any.lower ? 1.0 : 0.0);
    figure_set_number(f, "HAS_UPPER", any.upper ? 1.0 : 0.0);
}
