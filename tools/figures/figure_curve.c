/* figure_curve.c - running medians, bins for long runs, and the axes that fit.
 *
 * The median window slides over the values with a sorted copy beside it: one binary search and
 * two short moves a step.  Bins keep the smallest and the largest value at their own steps, so a
 * line through them covers the same paper as a line through all, and no spike is lost.
 */
#include "figure_curve.h"

#include <math.h>
#include <string.h>

enum {
    MEDIAN_FROM = 100, /* steps; fewer are read as they are */
    MEDIAN_PARTS = 40, /* windows to a run: wide enough to calm, narrow enough to follow it */
    MEDIAN_MAX = 201,
    BINS = 1000, /* of a long run: more than a printed column can resolve */
    BINS_LEAST = 60,
    BINS_GREY_TOTAL = 8000,
    BINS_GREY_LEAST = 20,
    OTHER_CURVES = 4, /* room for the grey ones, the whole gradient and the loss */
    COLOURED_OF_MANY = 8,
    BINS_TOTAL = 8000,    /* of all curves of a picture */
    ROWS_PER_BIN = 4,     /* a curve may have that many times its bins before it is binned, */
    ROWS_PER_FEW_BINS = 3 /* or that many if others need the room */
};

size_t curve_window(size_t n_steps)
{
    size_t window = n_steps / MEDIAN_PARTS | 1;

    if (n_steps < MEDIAN_FROM)
        return 1;
    return window > MEDIAN_MAX ? MEDIAN_MAX : window < 5 ? 5 : window;
}

static size_t bin_of_many(size_t n_steps, size_t n_curves)
{
    size_t bins = n_curves > 0 ? BINS_TOTAL / n_curves : BINS;

    bins = bins > BINS ? BINS : bins < BINS_LEAST ? BINS_LEAST : bins;
    return n_steps <= (bins == BINS ? ROWS_PER_BIN : ROWS_PER_FEW_BINS) * bins
               ? 1
               : (n_steps + bins - 1) / bins;
}

size_t curve_bin_of_rank(size_t n_steps, size_t n_groups, size_t n_panels, size_t k)
{
    size_t n_shown = n_groups <= FIGURE_COLOURED ? n_groups : COLOURED_OF_MANY;
    size_t n_grey = (n_groups - n_shown) * n_panels, bins;

    if (k < n_shown)
        return bin_of_many(n_steps, n_shown * n_panels + OTHER_CURVES);
    bins = BINS_GREY_TOTAL / n_grey;
    bins = bins > BINS_LEAST ? BINS_LEAST : bins < BINS_GREY_LEAST ? BINS_GREY_LEAST : bins;
    return n_steps <= ROWS_PER_FEW_BINS * bins ? 1 : (n_steps + bins - 1) / bins;
}

size_t curve_bin(size_t n_steps)
{
    return bin_of_many(n_steps, 1);
}

/* Values in the window, sorted; those that are not finite are left out. */
struct window {
    double sorted[MEDIAN_MAX];
    size_t n;
};

static size_t place_of(const struct window *w, double value)
{
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (w->sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double window_middle(const struct window *w)
{
    return figure_median(w->sorted, w->n);
}

static void window_add(struct window *w, double value)
{
    size_t at;

    if (!isfinite(value))
        return;
    at = place_of(w, value);
    memmove(w->sorted + at + 1, w->sorted + at, (w->n - at) * sizeof *w->sorted);
    w->sorted[at] = value;
    w->n++;
}

static void window_drop(struct window *w, double value)
{
    size_t at;

    if (!isfinite(value))
        return;
    at = place_of(w, value);
    w->n--;
    memmove(w->sorted + at, w->sorted + at + 1, (w->n - at) * sizeof *w->sorted);
}

/* Centred, and cut short at the two ends of the run. */
static void running_median(const double *values, size_t n, size_t window, double *medians)
{
    struct window w = { .n = 0 };
    size_t half = window / 2, t;

    for (t = 0; t < half && t < n; t++)
        window_add(&w, values[t]);
    for (t = 0; t < n; t++) {
        if (t > half)
            window_drop(&w, values[t - half - 1]);
        if (t + half < n)
            window_add(&w, values[t + half]);
        medians[t] = window_middle(&w);
    }
}

static void write_row(FILE *f, const struct figure_view *view, size_t t, const char *name,
                      const char *name2)
{
    fprintf(f, "%lld\t", (long long)view->series->index[t]);
    figure_write_number(f, view->values[t], '\t');
    figure_write_number(f, view->medians[t], '\t');
    figure_write_name(f, name, name2 != NULL ? '\t' : '\n');
    if (name2 != NULL)
        figure_write_name(f, name2, '\n');
}

void curve_extremes(const double *values, size_t first, size_t end, size_t *a, size_t *b)
{
    size_t low = first, high = first, t;

    for (t = first; t < end; t++) {
        if (!isfinite(values[t]))
            continue;
        if (!isfinite(values[low]) || values[t] < values[low])
            low = t;
        if (!isfinite(values[high]) || values[t] > values[high])
            high = t;
    }
    *a = low < high ? low : high;
    *b = low < high ? high : low;
}

void curve_write(FILE *f, const struct figure_view *view, const char *name, const char *name2)
{
    curve_write_binned(f, view, curve_bin(view->series->n_steps), name, name2);
}

void curve_write_binned(FILE *f, const struct figure_view *view, size_t bin, const char *name,
                        const char *name2)
{
    size_t n = view->series->n_steps, t;

    running_median(view->values, n, curve_window(n), view->medians);
    fputs("\n\n", f);
    for (t = 0; t < n; t += bin) {
        size_t a = t, b = t;

        if (bin > 1)
            curve_extremes(view->values, t, t + bin < n ? t + bin : n, &a, &b);
        write_row(f, view, a, name, name2);
        if (b != a)
            write_row(f, view, b, name, name2);
    }
}

void curve_range_init(struct curve_range *range)
{
    range->low = range->high = range->low_positive = (double)NAN;
    range->n_zeros = 0;
}

void curve_range_see(struct curve_range *range, double value)
{
    if (!isfinite(value))
        return;
    if (!(range->low <= value))
        range->low = value;
    if (!(range->high >= value))
        range->high = value;
    if (value > 0.0 && !(range->low_positive <= value))
        range->low_positive = value;
    range->n_zeros += value == 0.0 ? 1 : 0;
}

struct curve_axis curve_axis_of(const struct curve_range *range, enum figure_axis axis)
{
    double low = range->low_positive, high = range->high;
    bool can = low > 0.0 && high > 0.0;

    /* A little room, and never an axis of no height. */
    if (can && (axis == AXIS_LOG || (axis == AXIS_AUTO && high > 10.0 * low)))
        return (struct curve_axis){ true, low / 1.15, high * 1.15 };
    return (struct curve_axis){ false, 0.0, high > 0.0 ? high * 1.04 : 1.04 };
}

void curve_range_set(FILE *f, const struct curve_range *range, enum figure_axis axis)
{
    struct curve_axis fits = curve_axis_of(range, axis);

    figure_set_number(f, "LOG", fits.log ? 1.0 : 0.0);
    figure_set_number(f, "N_ZEROS", (double)range->n_zeros);
    figure_set_number(f, "Y_MIN", fits.low);
    figure_set_number(f, "Y_MAX", fits.high);
}
