/* update_cuda.h - what the files of the CUDA engine of update replay share.
 *
 * A batch's states live in device memory, one slot for each policy and one more for u_none; only
 * leads (update_leads.h) use theirs.  Rows come in slices: while the kernels work on one, the next
 * is copied.
 */
#ifndef GTR_UPDATE_CUDA_H
#define GTR_UPDATE_CUDA_H

#include <stddef.h>
#include <stdint.h>

#include "update_engine.h"
#include "update_leads.h"

/* Leads that one thread of `walk` has in registers, besides u_none.  Measured by ptxas: five would
 * spill where four blocks are to fit on a multiprocessor. */
enum { GTR_UPDATE_BUNDLE = 4 };

/* All that kernels read and write, in device memory.  width = 3 x the most leads of a group + 1. */
struct gtr_update_device {
    /* the pass */
    size_t n_policies, n_groups;
    const float *scale;                     /* [S][G][policy] */
    const uint8_t *skip;                    /* [S] */
    const struct gtr_optimizer_step *steps; /* [S] */
    /* the batch */
    const struct gtr_update_piece *pieces;
    const uint32_t *piece_of; /* [block] */
    size_t n_pieces, n_blocks;
    float *states; /* [policy, then none][first, second][element] */
    /* a slice of rows, and its leads */
    const unsigned char *rows;
    size_t row_bytes, first, n_rows;
    const struct gtr_update_lead *leads; /* [G][policy] */
    const uint32_t *n_leads;             /* [G] */
    const uint32_t *place;               /* [G][policy] */
    size_t width;
    double *sums;                    /* [row][block][plain, then 3 of each lead] */
    struct gtr_update_answer answer; /* of the slice's rows */
};

/* Before a loop: nvcc has to unroll those that index registers, and spills if it unrolls others. */
#ifdef __CUDACC__
#define GTR_UNROLL _Pragma("unroll")
#define GTR_ROLLED _Pragma("unroll 1")
#else
#define GTR_UNROLL
#define GTR_ROLLED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Block sums of leads bundle x GTR_UPDATE_BUNDLE and on, of all groups that have as many.  Bundles
 * go from the last to the first: a lead's state may come from one before it, and u_none's is stored
 * by the first. */
void gtr_update_walk(const struct gtr_update_device *d, enum gtr_optimizer_id optimizer,
                     uint32_t bundle, void *stream);

/* The answer, from block sums. */
void gtr_update_gather(const struct gtr_update_device *d, void *stream);

/* For timings: the slice that ran last, as it stays on the device. */
struct gtr_update_again {
    const void *rows;
    size_t n_rows, bytes; /* all rows together */
};

/* Its kernels again, `times` times.  Tells how long they took. */
enum gtr_code gtr_update_cuda_again(struct gtr_update_engine *engine, size_t times,
                                    struct gtr_update_again *again, double *seconds,
                                    struct gtr_err *err);

#ifdef __cplusplus
}
#endif

#endif
