/* look.c - powers, rings and quantiles for look-backs. */
#include "look.h"

#include <math.h>
#include <string.h>

/* --- powers ----------------------------------------------------------------------------------- */

/* x * y and what rounding took from it, by Dekker's halves: no fused operation is used anywhere. */
static double product(double x, double y, double *rest)
{
    const double half = 0x1p27 + 1.0;
    double a = x * half, b = y * half, xh = a - (a - x), yh = b - (b - y);
    double xl = x - xh, yl = y - yh, p = x * y;

    *rest = ((xh * yh - p) + xh * yl + xl * yh) + xl * yl;
    return p;
}

double gtr_look_power(double base, double *memory)
{
    double high = memory[0] + 1.0, low = memory[1], rest, next, now = high + low;

    /* The power is kept less 1, so that memory starts at zero. */
    next = product(high, base, &rest);
    rest += low * base;
    memory[0] = next - 1.0;
    memory[1] = (next - (memory[0] + 1.0)) + rest;
    return now;
}

/* --- rings ------------------------------------------------------------------------------------ */

size_t gtr_look_ring(double *ring, size_t size, double *count, double x)
{
    size_t n = (size_t)*count;

    ring[n % size] = x;
    *count += 1.0;
    return n < size ? n + 1 : size;
}

void gtr_look_mean(const double *values, size_t n, size_t ddof, double *mean, double *sd)
{
    double sum = 0.0, squares = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += values[i];
    *mean = sum / (double)n;
    for (i = 0; i < n; i++)
        squares += (values[i] - *mean) * (values[i] - *mean);
    *sd = sqrt(squares / ((double)n - (double)ddof));
}

/* --- quantiles -------------------------------------------------------------------------------- */

double gtr_look_between(double a, double b, double part)
{
    double d = b - a;

    return part >= 0.5 ? b - d * (1.0 - part) : a + d * part;
}

/* A heap with its largest (sign 1) or smallest (sign -1) value at the top.  Two share an array: of
 * each every other place. */
static void heap_add(double *heap, size_t n, double sign, double x)
{
    size_t i = n;

    for (; i > 0 && sign * heap[(i - 1) / 2 * 2] < sign * x; i = (i - 1) / 2)
        heap[2 * i] = heap[(i - 1) / 2 * 2];
    heap[2 * i] = x;
}

/* Takes the top of n values away. */
static double heap_take(double *heap, size_t n, double sign)
{
    double top = heap[0], x = heap[2 * (n - 1)];
    size_t i = 0, child;

    for (n--; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && sign * heap[2 * child] < sign * heap[2 * (child + 1)])
            child++;
        if (sign * heap[2 * child] <= sign * x)
            break;
        heap[2 * i] = heap[2 * child];
    }
    heap[2 * i] = x;
    return top;
}

double gtr_look_percentile(double *memory, double percent, double x)
{
    double *low = memory + 3, *high = low + 1, place, *bad = &memory[2];
    size_t n_low = (size_t)memory[0], n_high = (size_t)memory[1], wanted;

    if (isnan(x) || *bad > 0.0) {
        *bad = 1.0;
        return (double)NAN;
    }
    if (n_low > 0 && x < low[0])
        heap_add(low, n_low++, 1.0, x);
    else
        heap_add(high, n_high++, -1.0, x);
    place = (double)(n_low + n_high - 1) * (percent / 100.0);
    wanted = (size_t)place + 1; /* values up to the one at floor(place) */
    while (n_low < wanted)
        heap_add(low, n_low++, 1.0, heap_take(high, n_high--, -1.0));
    while (n_low > wanted)
        heap_add(high, n_high++, -1.0, heap_take(low, n_low--, 1.0));
    memory[0] = (double)n_low;
    memory[1] = (double)n_high;
    return gtr_look_between(low[0], n_high > 0 ? high[0] : low[0], place - floor(place));
}

/* The first of n sorted values that is not below x. */
static size_t place_of(const double *sorted, size_t n, double x)
{
    size_t low = 0;

    while (low < n) {
        size_t middle = low + (n - low) / 2;

        if (sorted[middle] < x)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

void gtr_look_resort(double *sorted, size_t n, size_t size, double out, double in)
{
    size_t at;

    if (n == size) {
        at = place_of(sorted, n, out);
        memmove(sorted + at, sorted + at + 1, (n - at - 1) * sizeof *sorted);
        n--;
    }
    at = place_of(sorted, n, in);
    memmove(sorted + at + 1, sorted + at, (n - at) * sizeof *sorted);
    sorted[at] = in;
}
