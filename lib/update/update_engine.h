/* update_engine.h - what walks elements through time: the CPU, or a GPU.
 *
 * A tensor is cut into pieces of up to GTR_PIECE_BLOCKS canonical blocks: aligned subtrees of the
 * tensor's sum.  A batch is as many pieces, of any tensors, as memory holds; an engine keeps the
 * states of a batch's elements for all policies while the batch's steps stream through it, a few
 * rows at a time, and answers for each row, piece and policy with the piece's subtree.  Which
 * device does it, and how rows are cut into calls, changes no bit.
 *
 * The order of operations, for one piece, row and policy:
 *
 *   1. element: x = (float)gradient; g = scale * x; u = move(g); d = u - u_none, all in fp32
 *   2. lane l of a block: from +0, adds (double)u * (double)u, (double)d * (double)d and
 *      (double)u * (double)u_none of the block's elements l, l + 128, ..., l + 896, in this order
 *   3. the lanes fold in halves, 64, 32, ..., 1, and blocks add up as a perfect binary tree padded
 *      with +0, as in sums/sumsq.h
 *
 * Elements past a tensor's end count as +0 in each sum.  scale 1 multiplies too: it changes
 * nothing.
 */
#ifndef GTR_UPDATE_ENGINE_H
#define GTR_UPDATE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "optimizer.h"
#include "trace.h"
#include "update.h"

enum {
    GTR_PIECE_BLOCKS = 64,              /* a power of two */
    GTR_PIECE = GTR_PIECE_BLOCKS * 1024 /* elements */
};

struct gtr_update_piece {
    size_t tensor, group;
    enum gtr_dtype dtype;
    uint32_t n;      /* elements, 1 .. GTR_PIECE */
    uint64_t first;  /* among the tensor's captured elements; a multiple of GTR_PIECE */
    size_t offset;   /* bytes from a row's start to the piece's first element; a multiple of 64 */
    size_t position; /* among the batch's elements, each piece rounded up to whole blocks */
};

struct gtr_update_batch {
    const struct gtr_update_piece *pieces;
    size_t n_pieces;
    size_t n_elements; /* sum of n rounded up to whole blocks */
    size_t row_bytes;  /* of one row of elements */
};

/* What holds for all batches. */
struct gtr_update_pass {
    enum gtr_optimizer_id optimizer;
    size_t n_policies, n_groups, n_rows;
    const float *scale;                     /* [S][G][policy] */
    const uint8_t *skip;                    /* [S] 1: the optimizer does not see this row */
    const struct gtr_optimizer_step *steps; /* [S]; of a skipped row unused */
    int moments;                            /* 1: gtr_update_moments are wanted */
};

/* Over the blocks of a piece, in block order: what standard errors are made of.  z is the block's
 * sum of u_none^2, the letters are those of gtr_update_sums: u(pdate), c(hange), a(long). */
struct gtr_update_moments {
    double uu, cc, aa, uz, cz, az, ua;
};

/* Answers of one call, [rows of the call][pieces][...]. */
struct gtr_update_answer {
    struct gtr_update_sums *sums;       /* [...][policy] */
    double *plain;                      /* [...] sum u_none^2 */
    struct gtr_update_moments *moments; /* [...][policy], or NULL */
    double *plain_squares;              /* [...] sum over blocks of z^2, or NULL */
};

/* An engine is used by one thread at a time. */
struct gtr_update_engine {
    /* States of all elements become zero. */
    enum gtr_code (*begin)(struct gtr_update_engine *engine, const struct gtr_update_batch *batch,
                           struct gtr_err *err);
    /* Rows first .. first + n_rows - 1 of the pass; elements: [n_rows][row_bytes] in memory from
     * `new_rows`.  Skipped rows leave their part of the answer undefined. */
    enum gtr_code (*run)(struct gtr_update_engine *engine, const void *elements, size_t first,
                         size_t n_rows, const struct gtr_update_answer *answer,
                         struct gtr_err *err);
    /* Memory that the engine reads fast (pinned, for a GPU).  NULL if there is none. */
    void *(*rows_new)(struct gtr_update_engine *engine, size_t bytes);
    void (*rows_free)(struct gtr_update_engine *engine, void *rows);
    void (*free)(struct gtr_update_engine *engine); /* takes NULL */
};

/* The pass must outlive the engine. */
enum gtr_code gtr_update_cpu_new(const struct gtr_update_pass *pass, size_t n_threads,
                                 struct gtr_update_engine **engine, struct gtr_err *err);

#ifdef __cplusplus
extern "C" {
#endif
#ifdef GTR_CUDA
enum gtr_code gtr_update_cuda_new(const struct gtr_update_pass *pass, int number,
                                  struct gtr_update_engine **engine, struct gtr_err *err);
#endif
#ifdef __cplusplus
}
#endif

/* Adds one block: its sums, and z. */
GTR_HD void gtr_update_moments_add(struct gtr_update_moments *m, const struct gtr_update_sums *s,
                                   double z)
{
    m->uu += s->update * s->update;
    m->cc += s->change * s->change;
    m->aa += s->along * s->along;
    m->uz += s->update * z;
    m->cz += s->change * z;
    m->az += s->along * z;
    m->ua += s->update * s->along;
}

#endif
