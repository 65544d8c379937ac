/* merge_private.h - a merge as merge*.c share it, and what copies elements. */
#ifndef GTR_MERGE_PRIVATE_H
#define GTR_MERGE_PRIVATE_H

#include "merge.h"
#include "segment_private.h"

/* --- tensors matched by name ------------------------------------------------------------------ */

struct gtr_matched {
    struct gtr_head head; /* of the joined trace */
    size_t *of; /* [rank][tensor of head]: the rank's tensor, or SIZE_MAX if it has none */
    size_t n_ranks;
};

/* `traces` are ordered by rank.  Fails, naming the tensor, if they do not fit together. */
enum gtr_code gtr_match_tensors(struct gtr_trace *const *traces, size_t n_ranks, enum gtr_join join,
                                struct gtr_matched *matched, struct gtr_err *err);
void gtr_matched_free(struct gtr_matched *matched);

/* The name without what wrappers add, in `bare`, which is as long as the name. */
void gtr_bare_name(const char *name, char *bare);

/* --- rows ------------------------------------------------------------------------------------- */

enum { GTR_MERGE_SHOWN = 5 };

/* Steps of a rank that others do not have. */
struct gtr_left_out {
    size_t n;
    int64_t steps[GTR_MERGE_SHOWN]; /* the first of them */
};

struct gtr_merge {
    const struct gtr_merge_options *options;
    const struct gtr_remarks *remarks;
    struct gtr_trace **traces; /* by rank */
    size_t n_ranks, capacity;
    struct gtr_matched matched;
    bool param_norms, has_elements;
    bool differ;        /* ranks that are added up, somewhere */
    uint64_t n_dropped; /* captures that the recorder left out of the elements that are kept */
    struct gtr_writer *writer;
    /* One row: of the ranks, [rank][its tensors]; then joined. */
    size_t *at;                    /* [rank]: its row */
    struct gtr_left_out *left_out; /* [rank] */
    struct gtr_rows *rows;         /* [rank] */
    struct gtr_rows joined;
    struct gtr_merged *found;
};

/* Room for one row of each rank, and for the joined one. */
enum gtr_code gtr_merge_make_rows(struct gtr_merge *merge, struct gtr_err *err);

/* Reads the row of each rank at merge->at and joins them. */
enum gtr_code gtr_merge_join_row(struct gtr_merge *merge, struct gtr_step *step,
                                 struct gtr_err *err);

/* --- elements from one trace to another ------------------------------------------------------- */

/* How elements of a trace are kept, so that a writer can keep them so: `options` gets elements and
 * sampling.  Elements that a writer cannot keep, of some of the tensors only, are none. */
enum gtr_code gtr_copy_sampling(const struct gtr_trace *trace, struct gtr_writer_options *options,
                                struct gtr_err *err);

/* Gives a capture to the writer, which gets its row next. */
enum gtr_code gtr_copy_capture(struct gtr_trace *trace, size_t capture, struct gtr_writer *writer,
                               struct gtr_err *err);

#endif
