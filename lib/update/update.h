/* update.h - what reaches the optimizer: decisions pushed through a simulated one.
 *
 * Needs captured elements.  For each policy, group and captured step: the size of the update u that
 * the optimizer would have made, and how far it is from u_none, the one without clipping:
 *
 *     update = sum u^2      change = sum (u - u_none)^2      along = sum u u_none
 *
 * over the group's elements, so ||u|| = sqrt(update), the relative change is sqrt(change / plain)
 * with plain = sum u_none^2, and the cosine along / sqrt(update plain).
 *
 * u is fp32 arithmetic (optimizer.h) on the fp32 product scale x gradient; the sums are fp64 in the
 * canonical order of sums/sumsq.h: lanes and blocks within a tensor, then tensors in tensor
 * order.  The same bits on any device and any number of threads.
 *
 * The recorded gradients do not depend on the policy, so all policies are simulated in one pass
 * over the file, in memory that does not grow with it.
 */
#ifndef GTR_UPDATE_H
#define GTR_UPDATE_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "err.h"
#include "groups.h"
#include "optimizer.h"
#include "public.h"
#include "replay.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

struct gtr_update_options {
    struct gtr_optimizer optimizer;
    size_t n_threads; /* 0: all */
    size_t memory;    /* bytes for elements and states; 0: 256 MiB */
    struct gtr_device device;
    /* As in sweep.h: called between batches with elements x steps done; nonzero stops with
     * GTR_EUSAGE "stopped". */
    int (*progress)(void *context, double done, double total);
    void *context;
    /* Many processes on the same work, with the same options: this is part `part` of `n_parts`
     * (0 or 1: alone).  Part 0 gets the result, the others NULL.  `exchange` is called by part 0 to
     * receive `size` bytes of another part, and by that part to send them, both in the same order.
     */
    size_t part, n_parts;
    enum gtr_code (*exchange)(void *context, size_t part, void *bytes, size_t size,
                              struct gtr_err *err);
};

/* One policy, group and captured step. */
struct gtr_update_sums {
    double update, change, along;
};

/* Standard errors of what is derived from them, when elements are a sample of blocks.  NaN: not
 * known, since a tensor of the group has one block only and no other to compare it with.  Formulas
 * are in update_spread.h. */
struct gtr_update_errors {
    double norm;   /* of ||u|| */
    double change; /* of ||u - u_none|| / ||u_none|| */
    double cosine;
    /* Degrees of freedom, for an interval by Student's t: with few blocks their spread is little
     * known itself.  Infinite where there is no error. */
    double freedom;
};

/* What was simulated.  Lane = policy, of n_policies; rows are captures, in step order.  A capture
 * whose step was skipped has NaN.  Where elements are sampled, sums are estimates of the group's
 * totals: each tensor's sums over what was captured, times its elements / those captured. */
struct gtr_update {
    size_t n_policies, n_groups, n_rows;
    int64_t *row;                     /* [S] row of the trace */
    struct gtr_update_sums *sums;     /* [policy][G][S] */
    double *plain;                    /* [G][S] sum u_none^2 */
    struct gtr_update_errors *errors; /* [policy][G][S], or NULL if all elements were captured */
    uint64_t elements, captured;      /* of the tensors; of those in the trace */
    double *kept, *blocks;            /* [G] blocks of its tensors, or NULL as errors */
    int complete;                     /* every step of the trace was captured, from its first on */
};

/* decisions: one for each policy, of the same replay.  Fails if the trace has no elements.  Free
 * with gtr_update_free. */
enum gtr_code gtr_update_run(struct gtr_trace *trace, const struct gtr_groups *groups,
                             const struct gtr_replay *replay,
                             const struct gtr_decisions *const *decisions, size_t n_policies,
                             const struct gtr_update_options *options, struct gtr_update **update,
                             struct gtr_err *err);
void gtr_update_free(struct gtr_update *update);

/* What the sums say:
 *
 *     norm    ||u|| = sqrt(sum u^2), and `plain` of the update without clipping
 *     change  ||u - u_none|| / ||u_none||
 *     cosine  u . u_none / (||u|| ||u_none||)
 *
 * Of one group, or of the whole update: then the sums are those of all groups, added in group
 * order, with the group that its rule leaves out of clipping.
 */
struct gtr_update_values {
    double norm, plain;
    double change;                  /* 0 if the two are equal; infinite if only u_none is 0 */
    double cosine;                  /* 1 if the two are equal; NaN if one of them is 0 */
    struct gtr_update_errors error; /* zeros if all elements were captured */
};

/* `group` n_groups: the whole update.  All NaN where the step was skipped. */
void gtr_update_values_at(const struct gtr_update *update, size_t policy, size_t group, size_t row,
                          struct gtr_update_values *values);

GTR_PUBLIC_END

#endif
