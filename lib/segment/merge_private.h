/* merge_private.h - tensors of ranks matched by name, and what copies elements. */
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

/* --- elements from one trace to another ------------------------------------------------------- */

/* How elements of a trace are kept, so that a writer can keep them so: `options` gets elements and
 * sampling.  Elements that a writer cannot keep, of some of the tensors only, are none. */
enum gtr_code gtr_copy_sampling(const struct gtr_trace *trace, struct gtr_writer_options *options,
                                struct gtr_err *err);

/* Gives a capture to the writer, which gets its row next. */
enum gtr_code gtr_copy_capture(struct gtr_trace *trace, size_t capture, struct gtr_writer *writer,
                               struct gtr_err *err);

#endif
