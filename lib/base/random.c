/* random.c - xoshiro256** and what is drawn with it. */
#include "random.h"

#include <math.h>

#include "exact.h"

uint64_t gtr_splitmix_step(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void gtr_random_init(struct gtr_random *random, uint64_t seed, uint64_t stream)
{
    uint64_t mix = seed;
    int i;

    /* The stream is mixed into a number that is already scrambled: seed 1, stream 2 is then not
     * seed 2, stream 1. */
    mix = gtr_splitmix_step(&mix) + stream;
    for (i = 0; i < 4; i++)
        random->state[i] = gtr_splitmix_step(&mix);
    random->spare = 0.0;
    random->has_spare = false;
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

uint64_t gtr_random_bits(struct gtr_random *random)
{
    uint64_t *s = random->state, result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t gtr_random_below(struct gtr_random *random, uint64_t n)
{
    /* 2^64 mod n: numbers below it would make the first remainders likelier than the rest. */
    uint64_t uneven = (UINT64_MAX % n + 1) % n, bits;

    do
        bits = gtr_random_bits(random);
    while (bits < uneven);
    return bits % n;
}

double gtr_random_uniform(struct gtr_random *random)
{
    return (double)((gtr_random_bits(random) >> 11) + 1) * 0x1p-53;
}

/* Marsaglia's polar method: a point of the unit disk holds two independent deviates. */
double gtr_random_normal(struct gtr_random *random)
{
    double x, y, s, stretch;

    if (random->has_spare) {
        random->has_spare = false;
        return random->spare;
    }
    do {
        x = 2.0 * gtr_random_uniform(random) - 1.0;
        y = 2.0 * gtr_random_uniform(random) - 1.0;
        s = x * x + y * y;
    } while (s >= 1.0 || s == 0.0);
    stretch = sqrt(-2.0 * gtr_ln(s) / s);
    random->spare = y * stretch;
    random->has_spare = true;
    return x * stretch;
}

double gtr_random_exponential(struct gtr_random *random)
{
    return -gtr_ln(gtr_random_uniform(random));
}

double gtr_random_pareto(struct gtr_random *random, double tail)
{
    return gtr_exp(gtr_random_exponential(random) / tail);
}
