/* shortest.c - a double times a power of ten, to 64 bits behind the point.
 *
 * v = m 2^e.  With q such that 10^16 <= v / 10^q < 10^17,
 *
 *     x = v / 10^q = m 2^e P,    P = 10^-q to 128 bits
 *
 * is a whole number of 17 digits and a fraction.  Rounded to n digits (15, 16, 17) it reads back
 * as v if it is nearer to x than half of m's last bit, u / 2 = 2^e P / 2.  P is cut off at each of
 * up to 320 multiplications by ten, and so at most 2^-118 too small, relatively: x, below 2^57, is
 * short of less than 2^-61, or 8 in the last place of the fraction.  Whatever is within SLACK of a
 * tie or of half a bit is left to others to decide.
 */
#include "shortest.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

enum { POWER_MAX = 320, SLACK = 64 };

/* 10^k = mantissa 2^exponent, the mantissa's highest bit set. */
static struct power {
    u128 mantissa;
    int exponent;
} powers[2 * POWER_MAX + 1];
static pthread_once_t powers_once = PTHREAD_ONCE_INIT;

static struct power normal(u128 mantissa, int exponent)
{
    while (mantissa >> 127 == 0) {
        mantissa <<= 1;
        exponent--;
    }
    return (struct power){ mantissa, exponent };
}

static void make_powers(void)
{
    struct power *one = &powers[POWER_MAX];
    int k;

    *one = normal(1, 0);
    for (k = 1; k <= POWER_MAX; k++) {
        /* Ten times: four bits fall off below.  A tenth: the remainder is brought down once. */
        one[k] = normal((one[k - 1].mantissa >> 4) * 10 + ((one[k - 1].mantissa & 15) * 10 >> 4),
                        one[k - 1].exponent + 4);
        one[-k] = one[1 - k];
        one[-k] = normal(one[-k].mantissa / 10, one[-k].exponent);
    }
}

/* A number of up to 64 bits before the point and 64 behind. */
static u128 scaled(uint64_t m, struct power p, int e)
{
    u128 low = (u128)m * (uint64_t)p.mantissa, high = (u128)m * (uint64_t)(p.mantissa >> 64);
    int shift = -(e + p.exponent + 64); /* to the right, of m * mantissa, leaves 64 bits behind */

    high += low >> 64; /* the product is high 2^64 + the lower half of low */
    if (shift >= 64)
        return high >> (shift - 64);
    return high << (64 - shift) | (uint64_t)low >> shift;
}

static const uint64_t tens[] = { 1, 10, 100 };

/* x rounded to a multiple of `unit`; false if x is too near to a tie. */
static bool round_to(u128 x, uint64_t unit, uint64_t *rounded)
{
    uint64_t whole = (uint64_t)(x >> 64), rest = whole % unit;
    u128 fraction = (u128)rest << 64 | (uint64_t)x, half = (u128)unit << 63;

    if (fraction + SLACK >= half && fraction <= half + SLACK)
        return false;
    *rounded = whole - rest + (fraction > half ? unit : 0);
    return true;
}

/* 1: nearer than half a bit; 0: farther; -1: too near to tell. */
static int reads_back(u128 x, uint64_t rounded, u128 half)
{
    u128 there = (u128)rounded << 64, far = there > x ? there - x : x - there;

    if (far + SLACK >= half && far <= half + SLACK)
        return -1;
    return far < half;
}

static size_t put_exponent(int exponent, char *out)
{
    unsigned n = (unsigned)(exponent < 0 ? -exponent : exponent);
    size_t used = 2;

    out[0] = 'e';
    out[1] = exponent < 0 ? '-' : '+';
    if (n >= 100)
        out[used++] = (char)('0' + n / 100);
    out[used++] = (char)('0' + n / 10 % 10);
    out[used++] = (char)('0' + n % 10);
    return used;
}

/* As %.*g writes d.ddd 10^exponent, of `precision` digits without zeros at the end. */
static size_t layout(const char *digits, size_t n, int exponent, int precision, char *out)
{
    size_t used = 0, point;

    if (exponent < -4 || exponent >= precision) {
        out[used++] = digits[0];
        if (n > 1) {
            out[used++] = '.';
            memcpy(out + used, digits + 1, n - 1);
            used += n - 1;
        }
        return used + put_exponent(exponent, out + used);
    }
    if (exponent < 0) {
        memcpy(out, "0.0000", (size_t)(1 - exponent));
        used = (size_t)(1 - exponent);
        memcpy(out + used, digits, n);
        return used + n;
    }
    point = (size_t)exponent + 1;
    for (used = 0; used < point; used++)
        out[used] = used < n ? digits[used] : '0';
    if (n <= point)
        return used;
    out[used++] = '.';
    memcpy(out + used, digits + point, n - point);
    return used + n - point;
}

/* The 17 digits of `rounded`, or 18 where rounding has carried; q is the last one's exponent. */
static size_t print(uint64_t rounded, int q, int precision, char *out)
{
    char digits[20];
    size_t n = 0, i;
    int exponent = q + 16;

    for (i = 20; rounded > 0; rounded /= 10)
        digits[--i] = (char)('0' + rounded % 10);
    n = 20 - i;
    exponent += (int)n - 17;
    while (n > 1 && digits[i + n - 1] == '0')
        n--;
    return layout(digits + i, n, exponent, precision, out);
}

static size_t print_positive(double value, char *out)
{
    int e, q, n, known;
    uint64_t m = (uint64_t)ldexp(frexp(value, &e), 53), rounded;
    u128 x, half;

    e -= 53;
    if (m == UINT64_C(1) << 52)
        return 0; /* its neighbour below is nearer than that above */
    /* Of the power of two below the value, so that q may be one too small at first. */
    q = (int)floor((e + 52) * 0.30102999566398120) - 16;
    x = scaled(m, powers[POWER_MAX - q], e);
    if (x >> 64 >= UINT64_C(100000000000000000))
        x = scaled(m, powers[POWER_MAX - ++q], e);
    half = scaled(UINT64_C(1) << 52, powers[POWER_MAX - q], e - 53);
    for (n = 15; n <= 17; n++) {
        if (!round_to(x, tens[17 - n], &rounded))
            return 0;
        known = n < 17 ? reads_back(x, rounded, half) : 1;
        if (known < 0)
            return 0;
        if (known > 0)
            return print(rounded, q, n, out);
    }
    return 0;
}

size_t gtr_shortest_print(double value, char out[GTR_NUMBER_SIZE])
{
    double size = fabs(value);
    size_t sign = value < 0.0, n;

    if (!(size > 1e-300 && size < 1e300))
        return 0;
    pthread_once(&powers_once, make_powers);
    out[0] = '-';
    n = print_positive(size, out + sign);
    if (n > 0)
        out[sign + n] = '\0';
    return n > 0 ? sign + n : 0;
}
