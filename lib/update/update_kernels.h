/* update_kernels.h - one block of elements, one policy, one row; once per instruction set.
 *
 * All give the same bits.  update_portable.c is the plain text; the others are made from
 * update_body.h.
 */
#ifndef GTR_UPDATE_KERNELS_H
#define GTR_UPDATE_KERNELS_H

#include <stdint.h>

#include "isa.h"
#include "optimizer.h"
#include "trace.h"

enum { GTR_UPDATE_BLOCK = 1024, GTR_UPDATE_LANES = 128 };

/* Arrays are of a whole block; elements past the tensor's end are +0. */
struct gtr_update_cell {
    const struct gtr_optimizer_step *step;
    const float *x;         /* the gradient */
    float scale;            /* of the policy; 1 for u_none */
    float *first, *second;  /* what the optimizer remembers; aligned to 64 */
    float *none;            /* u_none: written by `plain`, read by `policy`; aligned to 64 */
    double *none_wide;      /* the same, as double */
    const uint32_t *inside; /* all bits set where there is an element, else 0; NULL: everywhere */
    double *sums;           /* plain: sum u_none^2; policy: as struct gtr_update_sums */
};

struct gtr_update_moves {
    void (*plain)(const struct gtr_update_cell *cell);
    void (*policy)(const struct gtr_update_cell *cell);
};

struct gtr_update_kernels {
    struct gtr_update_moves move[GTR_OPTIMIZER_COUNT];
    /* A whole block of a dtype, at any address, as float; NULL for f32. */
    void (*load[GTR_DTYPE_COUNT])(const void *block, float *x);
};

extern const struct gtr_update_kernels gtr_update_portable;
#ifdef __x86_64__
extern const struct gtr_update_kernels gtr_update_avx2;
extern const struct gtr_update_kernels gtr_update_avx512;
#endif

#endif
