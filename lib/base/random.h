/* random.h - random numbers that are the same everywhere: seeded, and made of exact arithmetic.
 *
 * The generator is xoshiro256** (Blackman and Vigna 2018), its state filled by splitmix64.  A seed
 * has many streams that share nothing, so that what one part of a program draws does not depend on
 * how much another part drew before it.  Deviates use gtr_ln, gtr_exp and sqrt, never the C
 * library's logarithm, and so have the same bits with every compiler.
 */
#ifndef GTR_RANDOM_H
#define GTR_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct gtr_random {
    uint64_t state[4];
    double spare; /* normal deviates come in pairs: the second of the last pair */
    bool has_spare;
};

/* The next number of splitmix64, for filling states. */
uint64_t gtr_splitmix_step(uint64_t *state);

void gtr_random_init(struct gtr_random *random, uint64_t seed, uint64_t stream);

uint64_t gtr_random_bits(struct gtr_random *random);

/* 0 .. n - 1, each equally likely; n > 0. */
uint64_t gtr_random_below(struct gtr_random *random, uint64_t n);

/* In (0, 1], a multiple of 2^-53: its logarithm is finite. */
double gtr_random_uniform(struct gtr_random *random);

/* Mean 0, standard deviation 1. */
double gtr_random_normal(struct gtr_random *random);

/* Mean 1: the time until something happens that is equally likely at any time. */
double gtr_random_exponential(struct gtr_random *random);

/* At least 1; above x with probability x^-tail.  tail > 0; its mean is infinite up to tail 1. */
double gtr_random_pareto(struct gtr_random *random, double tail);

#endif
