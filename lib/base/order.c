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
