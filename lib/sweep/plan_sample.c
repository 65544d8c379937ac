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
