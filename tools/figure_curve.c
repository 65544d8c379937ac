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
    ROWS_MAX = 4000, /* points that one curve may have before it is binned */
    BINS = 1000      /* then: more than a printed column can resolve */
};

size_t curve_window(size_t n_steps)
{
    size_t window = n_steps / MEDIAN_PARTS | 1;

    if (n_steps < MEDIAN_FROM)
        return 1;
    return window > MEDIAN_MAX ? MEDIAN_MAX : window < 5 ? 5 : window;
}

size_t curve_bin(size_t n_steps)
{
    return n_steps <= ROWS_MAX ? 1 : (n_steps + BINS - 1) / BINS;
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
    if (w->n == 0)
        return (double)NAN;
    return 0.5 * (w->sorted[(w->n - 1) / 2] + w->sorted[w->n / 2]);
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
    char value[GTR_NUMBER_SIZE], median[GTR_NUMBER_SIZE];

    gtr_text_print(view->values[t], value);
    gtr_text_print(view->medians[t], median);
    fprintf(f, "%lld\t%s\t%s\t", (long long)view->series->index[t], value, median);
    figure_write_text(f, name);
    if (name2 != NULL) {
        fputc('\t', f);
        figure_write_text(f, name2);
    }
    fputc('\n', f);
}

/* The rows of the smallest and the largest value in [first, end), the earlier one in *a. */
static void extremes(const double *values, size_t first, size_t end, size_t *a, size_t *b)
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
    size_t n = view->series->n_steps, bin = curve_bin(n), t;

    running_median(view->values, n, curve_window(n), view->medians);
    fputs("\n\n", f);
    for (t = 0; t < n; t += bin) {
        size_t a = t, b = t;

        if (bin > 1)
            extremes(view->values, t, t + bin < n ? t + bin : n, &a, &b);
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

void curve_range_set(FILE *f, const struct curve_range *range, enum figure_axis axis)
{
    double low = range->low_positive, high = range->high;
    bool can = low > 0.0 && high > 0.0;
    bool log_axis = can && (axis == AXIS_LOG || (axis == AXIS_AUTO && high > 10.0 * low));

    figure_set_number(f, "LOG", log_axis ? 1.0 : 0.0);
    figure_set_number(f, "N_ZEROS", (double)range->n_zeros);
    if (log_axis) {
        /* A little room, and never an axis of no height. */
        figure_set_number(f, "Y_MIN", low / 1.15);
        figure_set_number(f, "Y_MAX", high * 1.15);
        return;
    }
    if (!(high > 0.0))
        high = 1.0;
    figure_set_number(f, "Y_MIN", 0.0);
    figure_set_number(f, "Y_MAX", high * 1.04);
}
