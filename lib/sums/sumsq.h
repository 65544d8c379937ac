/* sumsq.h - sum of squares, largest magnitude and count of bad elements of one gradient.
 *
 * A sum of floating-point numbers depends on its order, so the order is fixed, and this is its
 * definition.  Every implementation (any instruction set, any number of threads, a GPU) follows
 * it, and so all give the same bits:
 *
 *   1. A tensor of m elements is cut into blocks of 1024.  Block k holds elements 1024k ..
 *      1024k + 1023; those past the end count as +0.
 *   2. Within a block there are 128 lanes.  Lane l starts at +0 and adds the squares of the
 *      block's elements l, l + 128, ..., l + 896, in this order.  An element is converted exactly
 *      to double, squared in double, then added: each of the two rounds by itself, never fused.
 *   3. The lanes fold in halves: for h = 64, 32, 16, 8, 4, 2, 1: lane[i] = lane[i] + lane[i + h]
 *      for all i < h.  lane[0] is the block's sum.
 *   4. The blocks' sums combine in a perfect binary tree over the block index, padded with +0 to
 *      a power of two: s[i] = s[2i] + s[2i + 1], level by level.  Any aligned subtree may be
 *      computed elsewhere.  A tensor without elements has the sum +0.
 *
 * Rounding is to nearest, subnormal numbers are numbers.  NaN and infinite elements count as +0,
 * and are counted.  The sum itself is infinite only if finite f64 elements make it so.
 */
#ifndef GTR_SUMSQ_H
#define GTR_SUMSQ_H

#include <stddef.h>
#include <stdint.h>

#include "trace.h"

GTR_PUBLIC_BEGIN

enum { GTR_SUMSQ_BLOCK = 1024, GTR_SUMSQ_LANES = 128 };

struct gtr_reduction {
    double sumsq;
    float maxabs;       /* of the finite elements: exact, but for f64 rounded to the nearest
                           float, which may be infinite */
    uint64_t nonfinite; /* NaN and infinite elements */
};

/* Reduces numel elements, contiguous, at any address.  Cannot fail.  n_threads (0: all
 * processors) is an upper bound: small tensors are done by the caller's thread alone. */
void gtr_reduce(enum gtr_dtype dtype, const void *elements, uint64_t numel, size_t n_threads,
                struct gtr_reduction *out);

GTR_PUBLIC_END

/* The same, and copies the elements to `copy` on the way, unless that is NULL: memory is read once
 * for both. */
void gtr_reduce_copy(enum gtr_dtype dtype, const void *elements, uint64_t numel, size_t n_threads,
                     void *copy, struct gtr_reduction *out);

#endif
