/* merge_private.h - a merge as merge.c and merge_rows.c share it. */
#ifndef GTR_MERGE_PRIVATE_H
#define GTR_MERGE_PRIVATE_H

#include "merge.h"
#include "merge_names.h"

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
    void **rows[GTR_NORM_COUNT];
    double *sumsq, *param_sumsq;
    float *maxabs;
    uint64_t *nonfinite;
    struct gtr_merged *found;
};

/* Room for one row of each rank, and for the joined one. */
enum gtr_code gtr_merge_make_rows(struct gtr_merge *merge, struct gtr_err *err);

/* Reads the row of each rank at merge->at and joins them. */
enum gtr_code gtr_merge_join_row(struct gtr_merge *merge, struct gtr_step *step,
                                 struct gtr_err *err);

#endif
