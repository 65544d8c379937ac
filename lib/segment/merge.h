/* merge.h - segments and ranks into one trace.
 *
 * A rank of a run sees its own shard of each gradient, its own micro-batch, or what all others see
 * too.  What a row of the whole run is depends on which; e_r is rank r's sum of squares:
 *
 *     sum    shards (FSDP, tensor parallelism): e = sum of e_r, largest magnitude, counts added.
 *            Exact.  A tensor that a rank does not have counts as empty there, and elements of
 *            tensors are added up.
 *     same   replicas (DDP after its all-reduce): the ranks must agree, and the first one is taken.
 *     mean   gradients before an all-reduce that averages them: e = mean of e_r, largest magnitude,
 *            largest count.  The norm of the average gradient cannot be known from the ranks'
 *            norms: this is an upper bound of it, and equal only if the ranks' gradients are.
 *
 * Tensors are matched by name, without what wrappers add (module., _fsdp_wrapped_module.,
 * _orig_mod., _checkpoint_wrapped_module.); steps by their numbers.  A step that some rank does not
 * have is left out.  Loss, learning rate, time and applied scale are the first rank's; a step
 * counts as skipped if any rank skipped it.  Captures that a recorder dropped are counted for the
 * rank whose elements are kept, the first one; by sum and mean no elements are kept, and no count.
 */
#ifndef GTR_MERGE_H
#define GTR_MERGE_H

#include "segment_recover.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

enum gtr_join { GTR_JOIN_NONE, GTR_JOIN_SUM, GTR_JOIN_SAME, GTR_JOIN_MEAN, GTR_JOIN_COUNT };

struct gtr_merge_options {
    enum gtr_join join; /* GTR_JOIN_NONE: there is one rank, and it is packed */
    double tolerance;   /* of GTR_JOIN_SAME: relative, of sums of squares; 0 wants equal ones */
    bool force;
};

struct gtr_merged {
    size_t n_ranks, n_rows, n_left_out; /* steps that not all ranks had, of each rank */
    size_t n_captures;
};

/* Writes the joined trace to `output`.  A folder counts as all of its ranks.  Elements are kept
 * where one rank's are those of the run: not by sum and mean.  Remarks say what was left out. */
enum gtr_code gtr_trace_merge(const char *const *paths, size_t n_paths, const char *output,
                              const struct gtr_merge_options *options,
                              const struct gtr_remarks *remarks, struct gtr_merged *merged,
                              struct gtr_err *err);

GTR_PUBLIC_END

/* Do the two paths name the same file or folder? */
bool gtr_merge_same_place(const char *a, const char *b);

#endif
