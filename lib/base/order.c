/* order.c - least-significant-digit radix sort on the bits of doubles.
 *
 * The bits of positive doubles, read as integers, are in the order of the numbers; negative ones
 * run backwards.  Flipping all bits of the negative and the sign bit of the positive makes one
 * order.  Digits that are the same in all keys are skipped, which is most of them for scales.
 */
#include "order.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 6, BUCKETS = 1 << DIGIT_BITS }; /* 6 * 11 >= 64 bits */

static uint64_t key_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static void insertion_sort(double *values, size_t n)
{
    size_t i, j;

    for (i = 1; i < n; i++) {
        double moving = values[i];

        for (j = i; j > 0 && values[j - 1] > moving; j--)
            values[j] = values[j - 1];
        values[j] = moving;
    }
}

static unsigned digit_of(double value, unsigned digit)
{
    return (unsigned)(key_of(value) >> (digit * DIGIT_BITS)) & (BUCKETS - 1);
}

/* Moves `from` to `to` in the order of one digit, given how often each digit occurs. */
static void scatter(const double *from, double *to, size_t n, unsigned digit, const size_t *counts)
{
    size_t place[BUCKETS], sum = 0, i;

    for (i = 0; i < BUCKETS; i++) {
        place[i] = sum;
        sum += counts[i];
    }
    for (i = 0; i < n; i++)
        to[place[digit_of(from[i], digit)]++] = from[i];
}

void gtr_order_sort(double *values, double *scratch, size_t n)
{
    enum { SMALL = 256 }; /* below it, clearing the buckets costs more than sorting */
    double *from = values, *to = scratch;
    unsigned digit;

    if (n < SMALL) {
        insertion_sort(values, n);
        return;
    }
    for (digit = 0; digit < DIGITS; digit++) {
        size_t counts[BUCKETS] = { 0 }, i;
        double *swap;

        for (i = 0; i < n; i++)
            counts[digit_of(from[i], digit)]++;
        if (counts[digit_of(from[0], digit)] == n)
            continue;
        scatter(from, to, n, digit, counts);
        swap = from;
        from = to;
        to = swap;
    }
    if (from != values)
        memcpy(values, from, n * sizeof *values);
}

size_t gtr_order_below(const double *sorted, size_t n, double x)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double gtr_order_quantile(const double *sorted, size_t n, double q)
{
    double place, below, part;
    size_t i;

    if (n == 0)
        return NAN;
    place = q * (double)(n - 1);
    below = floor(place);
    i = (size_t)below;
    part = place - below;
    if (i + 1 >= n || part == 0.0)
        return sorted[i < n ? i : n - 1];
    return sorted[i] + (sorted[i + 1] - sorted[i]) * part;
}

/* --- selection by counting -------------------------------------------------------------------- */

struct rows {
    const double *const *rows;
    size_t n_rows, n_cols;
};

/* How often each value of the next digit occurs among the keys that begin with `prefix`; `shift`
 * is the digit's lowest bit and `mask` covers the digits above it. */
static void count_digit(const struct rows *in, uint64_t prefix, uint64_t mask, unsigned shift,
                        size_t *counts)
{
    size_t r, c;

    memset(counts, 0, BUCKETS * sizeof *counts);
    for (r = 0; r < in->n_rows; r++) {
        for (c = 0; c < in->n_cols; c++) {
            uint64_t key = key_of(in->rows[r][c]);

            if (!isnan(in->rows[r][c]) && (key & mask) == prefix)
                counts[key >> shift & (BUCKETS - 1)]++;
        }
    }
}

static double value_of(uint64_t key)
{
    uint64_t bits = key >> 63 != 0 ? key & ~(UINT64_C(1) << 63) : ~key;
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The k-th smallest, k from 0.  The highest digit comes first; each pass fixes one more.
 * *more is how many of its equals come after it. */
static double select_kth(const struct rows *in, size_t k, size_t *more)
{
    size_t counts[BUCKETS];
    uint64_t prefix = 0, mask = 0;
    int digit;

    *more = 0;
    for (digit = DIGITS - 1; digit >= 0; digit--) {
        unsigned shift = (unsigned)digit * DIGIT_BITS;
        size_t bucket = 0;

        count_digit(in, prefix, mask, shift, counts);
        while (k >= counts[bucket])
            k -= counts[bucket++];
        prefix |= (uint64_t)bucket << shift;
        mask |= (uint64_t)(BUCKETS - 1) << shift;
        *more = counts[bucket] - 1 - k;
    }
    return value_of(prefix);
}

static double least_above(const struct rows *in, double value)
{
    double least = INFINITY;
    size_t r, c;

    for (r = 0; r < in->n_rows; r++)
        for (c = 0; c < in->n_cols; c++)
            if (in->rows[r][c] > value && in->rows[r][c] < least)
                least = in->rows[r][c];
    return least;
}

double gtr_order_quantile_of_rows(const double *const *rows, size_t n_rows, size_t n_cols, double q)
{
    const struct rows in = { rows, n_rows, n_cols };
    size_t n = 0, more, r, c;
    double place, below, part, value;

    for (r = 0; r < n_rows; r++)
        for (c = 0; c < n_cols; c++)
            n += isnan(rows[r][c]) ? 0 : 1;
    if (n == 0)
        return NAN;
    place = q * (double)(n - 1);
    below = floor(place);
    part = place - below;
    value = select_kth(&in, (size_t)below, &more);
    if (part == 0.0 || more > 0)
        return value;
    return value + (least_above(&in, value) - value) * part;
}
