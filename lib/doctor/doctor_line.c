/* doctor_line.c - medians of a line, and where its level changes at once. */
#include "doctor_line.h"

#include <math.h>
#include <string.h>

#include "order.h"

enum { WINDOWS = 16, WINDOW_LEAST = 12, WINDOW_MOST = 64 };

double gtr_line_median(const struct gtr_line *line, size_t from, size_t to)
{
    size_t n = to - from;

    memcpy(line->space, line->x + from, n * sizeof *line->x);
    gtr_order_sort(line->space, line->space + n, n);
    return gtr_order_quantile(line->space, n, 0.5);
}

double gtr_line_deviation(const struct gtr_line *line, size_t from, size_t to)
{
    double median = gtr_line_median(line, from, to);
    size_t n = to - from, i;

    for (i = 0; i < n; i++)
        line->space[i] = fabs(line->x[from + i] - median);
    gtr_order_sort(line->space, line->space + n, n);
    return 1.4826 * gtr_order_quantile(line->space, n, 0.5);
}

size_t gtr_line_window(size_t n)
{
    size_t window = n / WINDOWS;

    if (window < WINDOW_LEAST)
        return 0;
    return window < WINDOW_MOST ? window : WINDOW_MOST;
}

/* The entry near `at` from which on the line is on the far side of the middle: where three of four
 * entries that follow are. */
static size_t place_jump(const struct gtr_line *line, const struct gtr_jump *jump, size_t window)
{
    double middle = 0.5 * (jump->before + jump->after);
    size_t from = jump->at - window / 2, to = jump->at + window, i, k;

    for (i = from; i < to; i++) {
        size_t beyond = 0, n = 0;

        for (k = i; k < i + 8 && k < line->n; k++, n++)
            beyond += (line->x[k] > middle) == (jump->after > middle) ? 1 : 0;
        if ((line->x[i] > middle) == (jump->after > middle) && 4 * beyond >= 3 * n)
            return i;
    }
    return jump->at;
}

bool gtr_line_jump(const struct gtr_line *line, size_t from, size_t to, struct gtr_jump *jump)
{
    size_t w = gtr_line_window(line->n), stride, at;
    bool any = false;

    if (w == 0)
        return false;
    stride = w / 4;
    for (at = from > w ? from : w; at + w <= line->n && at <= to; at += stride) {
        struct gtr_jump here = { .at = at,
                                 .before = gtr_line_median(line, at - w, at),
                                 .after = gtr_line_median(line, at, at + w) };
        double size = fabs(here.after - here.before), drift, noise;

        /* Of two that are about as large, up and down again, the first. */
        if (any && size <= 1.1 * fabs(jump->after - jump->before))
            continue;
        drift =
            fabs(gtr_line_median(line, at - w / 2, at) - gtr_line_median(line, at - w, at - w / 2));
        noise = gtr_line_deviation(line, at - w, at);
        here.noise = gtr_line_deviation(line, at, at + w);
        here.noise = here.noise > noise ? here.noise : noise;
        if (size < 3.0 * drift || size < 2.0 * here.noise)
            continue;
        *jump = here;
        any = true;
    }
    if (any)
        jump->at = place_jump(line, jump, w);
    return any;
}
