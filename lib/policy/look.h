/* look.h - look-backs: what a policy is given of the run's past.
 *
 * A window, a sort or a power is no state of a lane: it depends on the recorded run alone, never on
 * what the policy did.  So it is made once, on the CPU, in step order, and handed to all lanes that
 * ask for the same (obs.given).  A lane keeps a few doubles and stays + - * / sqrt.
 */
#ifndef GTR_LOOK_H
#define GTR_LOOK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

union gtr_params;

/* What a look-back reads of a step. */
struct gtr_look_step {
    double seen;  /* steps before this one */
    double total; /* norm of the whole gradient, infinite or NaN where it was */
    double loss;  /* NaN if it is not known */
};

/* A catalogue entry points to one, or to none.  `memory` is plain data, zero before the first step,
 * and with the lanes' states all that a checkpoint needs. */
struct gtr_look {
    const char *keys; /* "window,form": the parameters it depends on */
    /* Doubles of memory for n_steps steps; 0 if it must know how many there will be and n_steps is
     * SIZE_MAX. */
    size_t (*size)(const union gtr_params *params, size_t n_steps);
    /* Takes the next step in and writes what lanes are given at it, GTR_GIVEN values. */
    void (*push)(const union gtr_params *params, double *memory, const struct gtr_look_step *step,
                 double *given);
};

/* b^k for k = 0, 1, ... as the rounded product of two-double numbers: the nearest double but for
 * one case in some 10^15, whatever the machine's pow.  memory: 2 doubles, zero at the start;
 * returns the power of this call's k, counted by calls. */
double gtr_look_power(double base, double *memory);

/* --- the last values: a ring --- */

/* Puts x into a ring of `size` values of which *count came so far; returns how many it holds. */
size_t gtr_look_ring(double *ring, size_t size, double *count, double x);

/* Mean, and the standard deviation with divisor n - ddof, of n values, oldest first or not: two
 * passes in the order of the array.  NaN of none. */
void gtr_look_mean(const double *values, size_t n, size_t ddof, double *mean, double *sd);

/* --- quantiles --- */

/* numpy's linear interpolation of a sorted row between a = x[floor v] and the next, b; part is v's
 * fraction. */
double gtr_look_between(double a, double b, double part);

/* All values so far around their p-th percentile: two heaps.  memory: 3 + 2 n doubles for n values.
 * Adds x and returns numpy.percentile of all, NaN once there was a NaN. */
double gtr_look_percentile(double *memory, double percent, double x);

/* A row kept sorted: takes `out` from it unless n is less than size, and puts `in` to its place. */
void gtr_look_resort(double *sorted, size_t n, size_t size, double out, double in);

#ifdef __cplusplus
}
#endif

#endif
