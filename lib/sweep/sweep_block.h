/* sweep_block.h - a few settings of one policy over prepared rows: what a sweep is made of.
 *
 * A block is up to GTR_SWEEP_LANES settings.  The scalar path runs them one after another, the
 * wide one side by side; both give the same bits.
 */
#ifndef GTR_SWEEP_BLOCK_H
#define GTR_SWEEP_BLOCK_H

#include "sweep.h"
#include "sweep_look.h"
#include "sweep_rows.h"

enum { GTR_SWEEP_LANES = GTR_LOOK_LANES };

/* One worker's memory; nothing else is allocated while blocks run, but for look-backs. */
struct gtr_sweep_space {
    union gtr_state *state;   /* [G] */
    struct gtr_tally *tally;  /* [G] */
    union gtr_params *params; /* [GTR_SWEEP_LANES][G] for the caller to gather settings in */
    struct gtr_wide *wide;    /* NULL if the processor has no wide kernel */
    void *wide_memory;
    struct gtr_sweep_look look;
};

enum gtr_code gtr_sweep_space_init(struct gtr_sweep_space *space, size_t n_groups,
                                   struct gtr_err *err);
void gtr_sweep_space_free(struct gtr_sweep_space *space);

/* n settings: params [n][G], out [n][GTR_OBJECTIVE_COUNT].  A kernel that is not here, or cannot
 * run these settings, is replaced by the scalar path.  False for want of memory. */
bool gtr_sweep_block(const struct gtr_sweep_rows *rows, enum gtr_policy_id policy,
                     const union gtr_params *params, size_t n, int scales_only,
                     enum gtr_sweep_kernel kernel, struct gtr_sweep_space *space, double *out);

#endif
