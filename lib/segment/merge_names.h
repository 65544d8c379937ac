/* merge_names.h - tensors of several ranks matched by name. */
#ifndef GTR_MERGE_NAMES_H
#define GTR_MERGE_NAMES_H

#include "merge.h"

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

#endif
