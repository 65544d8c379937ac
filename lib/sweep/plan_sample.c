/* plan_sample.c - where a sample's points lie: functions of their number and nothing else.
 *
 * Random bits come from a counter, not from a generator with a state: the finishing rounds of
 * splitmix64 over (seed, policy, axis, point).  So any piece of a sample can be made alone.
 *
 *   random   part = bits
 *   Sobol    the sequence from its point 0; with a seed other than 0 its bits are flipped where the
 *            seed's are 1, per axis, which keeps all that is even about it
 *   Saltelli two random samples and their mixtures, see plan.h
 *   Latin    the n points fall one into each of n strata of an axis, in an order of its own
 */
#include "plan_private.h"

/* --- Sobol points: sequences that fill every dyadic box evenly -------------------------------- */

/* Each dimension has a primitive polynomial over GF(2),
 *
 *     x^s + a_1 x^(s-1) + ... + a_(s-1) x + 1,     the bits of `a` are a_1 ... a_(s-1),
 *
 * and s odd numbers m_1 ... m_s, m_k < 2^k, that say how it starts; the recurrence
 *
 *     m_k = 2 a_1 m_(k-1) ^ 4 a_2 m_(k-2) ^ ... ^ 2^s m_(k-s) ^ m_(k-s)
 *
 * gives the rest.  Bit k of the point's number, counted from 0, turns m_(k+1) / 2^(k+1) on or off.
 * The numbers are those of Joe and Kuo, "Constructing Sobol sequences with better two-dimensional
 * projections", SIAM J. Sci. Comput. 30 (2008): file new-joe-kuo-6, its first 32 dimensions.
 */
struct start {
    unsigned degree;
    unsigned a;
    unsigned m[7];
};

/* Of dimensions 1, 2, ...; dimension 0 is the bits of the number, reversed. */
static const struct start starts[GTR_SOBOL_DIMENSIONS - 1] = {
    { 1, 0, { 1 } },
    { 2, 1, { 1, 3 } },
    { 3, 1, { 1, 3, 1 } },
    { 3, 2, { 1, 1, 1 } },
    { 4, 1, { 1, 1, 3, 3 } },
    { 4, 4, { 1, 3, 5, 13 } },
    { 5, 2, { 1, 1, 5, 5, 17 } },
    { 5, 4, { 1, 1, 5, 5, 5 } },
    { 5, 7, { 1, 1, 7, 11, 19 } },
    { 5, 11, { 1, 1, 5, 1, 1 } },
    { 5, 13, { 1, 1, 1, 3, 11 } },
    { 5, 14, { 1, 3, 5, 5, 31 } },
    { 6, 1, { 1, 3, 3, 9, 7, 49 } },
    { 6, 13, { 1, 1, 1, 15, 21, 21 } },
    { 6, 16, { 1, 3, 1, 13, 27, 49 } },
    { 6, 19, { 1, 1, 1, 15, 7, 5 } },
    { 6, 22, { 1, 3, 1, 15, 13, 25 } },
    { 6, 25, { 1, 1, 5, 5, 19, 61 } },
    { 7, 1, { 1, 3, 7, 11, 23, 15, 103 } },
    { 7, 4, { 1, 3, 7, 13, 13, 15, 69 } },
    { 7, 7, { 1, 1, 3, 13, 7, 35, 63 } },
    { 7, 8, { 1, 3, 5, 9, 1, 25, 53 } },
    { 7, 14, { 1, 3, 1, 13, 9, 35, 107 } },
    { 7, 19, { 1, 3, 1, 5, 27, 61, 31 } },
    { 7, 21, { 1, 1, 5, 11, 19, 41, 61 } },
    { 7, 28, { 1, 3, 5, 3, 3, 13, 69 } },
    { 7, 31, { 1, 1, 7, 13, 1, 19, 1 } },
    { 7, 32, { 1, 3, 7, 5, 13, 19, 59 } },
    { 7, 37, { 1, 1, 3, 9, 25, 29, 41 } },
    { 7, 41, { 1, 3, 5, 13, 23, 1, 55 } },
    { 7, 42, { 1, 3, 7, 3, 13, 59, 17 } },
};

void gtr_sobol_direction(size_t dimension, uint32_t direction[GTR_SOBOL_BITS])
{
    const struct start *start;
    unsigned k, j;

    if (dimension == 0) {
        for (k = 0; k < GTR_SOBOL_BITS; k++)
            direction[k] = UINT32_C(1) << (31 - k);
        return;
    }
    start = &starts[dimension - 1];
    for (k = 0; k < GTR_SOBOL_BITS; k++) {
        uint32_t sum;

        if (k < start->degree) {
            direction[k] = (uint32_t)start->m[k] << (31 - k);
            continue;
        }
        /* The recurrence, with the binary point put before the highest bit. */
        sum = direction[k - start->degree] ^ direction[k - start->degree] >> start->degree;
        for (j = 1; j < start->degree; j++)
            if ((start->a >> (start->degree - 1 - j) & 1) != 0)
                sum ^= direction[k - j];
        direction[k] = sum;
    }
}

uint32_t gtr_sobol_point(const uint32_t direction[GTR_SOBOL_BITS], uint64_t point)
{
    uint32_t sum = 0;
    unsigned k;

    for (k = 0; point != 0 && k < GTR_SOBOL_BITS; k++, point >>= 1)
        sum ^= direction[k] & (uint32_t) - (point & 1);
    return sum;
}

/* --- points of a plan ------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t key_of(uint64_t seed, size_t policy, size_t axis)
{
    return mix(mix(mix(seed) ^ (uint64_t)policy) ^ (uint64_t)axis);
}

/* A Feistel network over twice `half` bits, the fewest that hold n - 1: for any key it maps them
 * one to one.  What falls beyond n goes through it again, until it is below; at most 4 numbers in
 * n's place make that a few turns.  Over few bits a network prefers some places; a turn of the
 * whole circle by the key makes all places equally likely. */
uint64_t gtr_sample_permute(uint64_t i, uint64_t n, uint64_t key)
{
    enum { ROUNDS = 8 };
    unsigned half = 1;
    uint64_t mask;

    while (half < 32 && n > UINT64_C(1) << 2 * half)
        half++;
    mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask, round;

        for (round = 0; round < ROUNDS; round++) {
            uint64_t next = left ^ (mix(key ^ mix(right + (round << 32))) & mask);

            left = right;
            right = next;
        }
        i = left << half | right;
    } while (i >= n);
    return (i + mix(~key) % n) % n;
}

/* The place within a stratum has 20 bits: with at most 2^30 strata the sum of both is exact, and
 * the quotient stays below the next stratum's. */
static double latin_part(uint64_t n, uint64_t key, uint64_t point)
{
    double stratum = (double)gtr_sample_permute(point, n, key);
    double place = (double)(mix(key ^ mix(~point)) >> 44) * 0x1p-20;

    return (stratum + place) / (double)n;
}

/* Row i of A, or of B where the block asks for it: B itself, and this axis's own block. */
static double saltelli_part(uint64_t n, uint64_t key, size_t axis, uint64_t point)
{
    uint64_t block = point / n, row = point % n;
    bool from_b = block == 1 || block == axis + 2;

    return (double)(mix(key ^ mix(from_b ? ~row : row)) >> 11) * 0x1p-53;
}

double gtr_sample_part(const struct gtr_plan *plan, size_t policy, size_t axis, size_t point)
{
    uint64_t key = key_of(plan->seed, policy, axis);
    const struct gtr_axis *at = &plan->axes[plan->policies[policy].first_axis + axis];
    uint32_t bits;

    switch (plan->sampling) {
    case GTR_GRID:
        break;
    case GTR_RANDOM:
        return (double)(mix(key ^ mix(point)) >> 11) * 0x1p-53;
    case GTR_SOBOL:
        bits = gtr_sobol_point(at->direction, point);
        if (plan->seed != 0)
            bits ^= (uint32_t)(key >> 32);
        return (double)bits * 0x1p-32;
    case GTR_LATIN:
        return latin_part(plan->n_samples, key, point);
    case GTR_SALTELLI:
        return saltelli_part(plan->n_samples, key, axis, point);
    }
    return 0.0;
}
