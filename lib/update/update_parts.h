/* update_parts.h - what the files of update replay share.
 *
 *   update.c        checks, scales, elements from the trace, and the loop over batches
 *   update_plan.c   which tensors, cut into pieces and batches
 *   update_share.c  batches that other processes compute
 *   update_sums.c   pieces to tensors, tensors to groups, and what their sums say
 */
#ifndef GTR_UPDATE_PARTS_H
#define GTR_UPDATE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "update.h"
#include "update_engine.h"
#include "update_spread.h"

/* A tensor that has elements. */
struct gtr_update_tensor {
    size_t tensor, group;
    enum gtr_dtype dtype;
    uint64_t n;                        /* captured at each row */
    struct gtr_update_portion portion; /* kept = blocks: all of it */
    size_t chunk_rows, chunk_cols;     /* of the file */
    bool last;                         /* of its group */
};

/* Tensors one group after another, in tensor order within it. */
struct gtr_update_plan {
    struct gtr_update_tensor *tensors;
    size_t n_tensors, n_policies, n_rows;
    size_t n_states;   /* numbers that an optimizer keeps of an element */
    size_t memory;     /* bytes for a batch */
    size_t call_rows;  /* rows of a call to the engine */
    uint64_t elements; /* of all tensors at each row */
    bool sampled;
};

/* A range of one tensor's elements that is read in one go. */
struct gtr_update_range {
    size_t tensor; /* of the plan */
    uint64_t first, n;
    size_t offset; /* bytes from a row's start */
};

struct gtr_update_slice {
    struct gtr_update_batch batch;
    struct gtr_update_piece *pieces;
    size_t *place; /* of each piece, its tensor in the plan */
    struct gtr_update_range *ranges;
    size_t n_ranges, pieces_capacity, places_capacity, ranges_capacity;
    uint64_t elements; /* not rounded up */
};

/* Where the next batch starts. */
struct gtr_update_cursor {
    size_t tensor;
    uint64_t first;
};

enum gtr_code gtr_update_plan_init(const struct gtr_trace *trace, const struct gtr_groups *groups,
                                   const struct gtr_update_options *options, size_t n_policies,
                                   struct gtr_update_plan *plan, struct gtr_err *err);
void gtr_update_plan_free(struct gtr_update_plan *plan);

/* Fills the slice with what follows the cursor, which moves on; no pieces at the end. */
enum gtr_code gtr_update_plan_cut(const struct gtr_update_plan *plan,
                                  struct gtr_update_cursor *cursor, struct gtr_update_slice *slice,
                                  struct gtr_err *err);
void gtr_update_slice_free(struct gtr_update_slice *slice);

/* --- sums ---------------------------------------------------------------------------------- */

struct gtr_update_totals;

/* Writes into `update`, whose arrays are there and zero. */
enum gtr_code gtr_update_totals_new(const struct gtr_update_plan *plan,
                                    const struct gtr_update_pass *pass, struct gtr_update *update,
                                    struct gtr_update_totals **totals, struct gtr_err *err);
void gtr_update_totals_free(struct gtr_update_totals *totals);

/* Takes the answers of rows first .. first + n_rows - 1.  Of each row, slices come in order. */
void gtr_update_totals_add(struct gtr_update_totals *totals, const struct gtr_update_slice *slice,
                           size_t first, size_t n_rows, const struct gtr_update_answer *answer,
                           size_t n_threads);

/* --- sharing ------------------------------------------------------------------------------- */

/* An answer that grows. */
struct gtr_update_answers {
    struct gtr_update_answer answer;
    size_t room; /* pieces x rows of it */
};

/* Room for n pieces x rows.  What was there is lost if there is too little. */
enum gtr_code gtr_update_answers_room(struct gtr_update_answers *answers,
                                      const struct gtr_update_plan *plan, size_t n,
                                      struct gtr_err *err);
void gtr_update_answers_free(struct gtr_update_answers *answers);

struct gtr_update_share;

enum gtr_code gtr_update_share_new(const struct gtr_update_plan *plan,
                                   const struct gtr_update_options *options,
                                   struct gtr_update_totals *totals,
                                   struct gtr_update_share **share, struct gtr_err *err);
void gtr_update_share_free(struct gtr_update_share *share);

/* As gtr_update_plan_cut, but passes over the batches of other parts. */
enum gtr_code gtr_update_share_cut(struct gtr_update_share *share, struct gtr_update_cursor *cursor,
                                   struct gtr_update_slice *slice, struct gtr_err *err);

/* Takes the answers of rows of a batch of this part; the rows of a batch come in order. */
enum gtr_code gtr_update_share_add(struct gtr_update_share *share,
                                   const struct gtr_update_slice *slice, size_t first,
                                   size_t n_rows, const struct gtr_update_answer *answer,
                                   struct gtr_err *err);

#endif
