/* sumsq_kernels.h - one block's sum of squares, once per instruction set and element type.
 *
 * All kernels are made from sumsq_body.h and give the same bits; they differ in speed.
 */
#ifndef GTR_SUMSQ_KERNELS_H
#define GTR_SUMSQ_KERNELS_H

#include "isa.h"
#include "trace.h"

/* Reduces one whole block at any address by steps 2 and 3 of sumsq.h.  *top is the block's largest
 * square (f64: magnitude, because squares round).  If any element is NaN or infinite then so is
 * *sumsq, and *top means nothing. */
struct gtr_sumsq_kernels {
    void (*reduce[GTR_DTYPE_COUNT])(const void *block, double *sumsq, double *top);
};

extern const struct gtr_sumsq_kernels gtr_sumsq_portable;
#ifdef __x86_64__
extern const struct gtr_sumsq_kernels gtr_sumsq_avx2;
extern const struct gtr_sumsq_kernels gtr_sumsq_avx512;
#endif

#endif
