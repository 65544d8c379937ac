/* sweep_block.c - the scalar path, and which path a block takes. */
#include "sweep_block.h"

#include <math.h>
#include <stdint.h>

#include "alloc.h"
#include "catalogue.h"
#include "sweep_lane.h"
#include "wide.h"

enum gtr_code gtr_sweep_space_init(struct gtr_sweep_space *space, size_t n_groups,
                                   struct gtr_err *err)
{
    enum gtr_code rc;

    *space = (struct gtr_sweep_space){ 0 };
    rc = gtr_alloc_for(&space->state, n_groups, sizeof *space->state, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&space->tally, n_groups, sizeof *space->tally, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&space->params, n_groups * GTR_SWEEP_LANES, sizeof *space->params,
                           "lanes", err);
    if (rc == GTR_OK && gtr_wide_find(GTR_SWEEP_AUTO) != NULL)
        rc = gtr_alloc_for(&space->wide_memory, gtr_wide_size(n_groups) + GTR_WIDE_ALIGN, 1,
                           "bytes", err);
    if (rc != GTR_OK) {
        gtr_sweep_space_free(space);
        return rc;
    }
    if (space->wide_memory != NULL) {
        uintptr_t at = (uintptr_t)space->wide_memory;

        space->wide = (void *)((at + GTR_WIDE_ALIGN - 1) / GTR_WIDE_ALIGN * GTR_WIDE_ALIGN);
    }
    return GTR_OK;
}

void gtr_sweep_space_free(struct gtr_sweep_space *space)
{
    gtr_free(space->state);
    gtr_free(space->tally);
    gtr_free(space->params);
    gtr_free(space->wide_memory);
    gtr_sweep_look_free(&space->look);
    *space = (struct gtr_sweep_space){ 0 };
}

/* --- one setting ------------------------------------------------------------------------------ */

static void run_row(const struct gtr_sweep_rows *rows, size_t r, enum gtr_policy_id policy,
                    const union gtr_params *params, struct gtr_sweep_space *space,
                    struct gtr_direction *direction)
{
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    const int whole = gtr_policy_unit(policy) == GTR_WHOLE;
    size_t j;

    gtr_sweep_look_push(&space->look, rows, r);
    for (j = 0; j < rows->n_groups; j++) {
        struct gtr_obs obs = gtr_sweep_look_obs(&space->look, rows, r, j);
        struct gtr_action act = gtr_leave();

        if (j != rows->left_out || whole)
            act = gtr_policy_step(policy, &params[j], &space->state[j], &obs, 0);
        if (j != rows->left_out)
            gtr_tally_add(&space->tally[j], &act, cell[j].log_ratio, rows->log_kappa);
        gtr_direction_add(direction, j, gtr_sweep_scale(&act), cell[j].energy);
    }
}

static bool run_scalar(const struct gtr_sweep_rows *rows, enum gtr_policy_id policy,
                       const union gtr_params *params, int scales_only,
                       struct gtr_sweep_space *space, double out[GTR_OBJECTIVE_COUNT])
{
    struct gtr_whole whole;
    struct gtr_tally pooled;
    double log_limit = policy == GTR_GLOBAL ? gtr_log_limit(&params->global) : 0.0;
    size_t r, j;

    if (!gtr_sweep_look_begin(&space->look, gtr_policy_spec(policy), params, 0, 1, rows->n_rows))
        return false;
    gtr_whole_init(&whole);
    for (j = 0; j < rows->n_groups; j++) {
        gtr_policy_init(policy, &params[j], &space->state[j]);
        gtr_tally_init(&space->tally[j]);
    }
    for (r = 0; r < rows->n_rows; r++) {
        struct gtr_direction direction;

        gtr_direction_init(&direction);
        run_row(rows, r, policy, params, space, &direction);
        gtr_whole_add_cosine(&whole, gtr_direction_cosine(&direction, rows->row[r].energy));
        if (policy == GTR_GLOBAL)
            gtr_whole_add_spill(&whole, &rows->row[r], log_limit);
    }
    gtr_tally_init(&pooled);
    for (j = 0; j < rows->n_groups; j++)
        if (j != rows->left_out)
            gtr_tally_merge(&pooled, &space->tally[j]);
    gtr_objectives(&pooled, &whole, scales_only, out);
    return true;
}

/* --- a block ---------------------------------------------------------------------------------- */

bool gtr_sweep_block(const struct gtr_sweep_rows *rows, enum gtr_policy_id policy,
                     const union gtr_params *params, size_t n, int scales_only,
                     enum gtr_sweep_kernel kernel, struct gtr_sweep_space *space, double *out)
{
    const struct gtr_wide_kernel *wide = gtr_wide_find(kernel);
    bool done = true;
    size_t i;

    if (wide != NULL && n > 0 && gtr_wide_fits(rows, policy, params, n))
        return gtr_wide_run(wide, rows, policy, params, n, scales_only, space, out);
    for (i = 0; done && i < n; i++)
        done = run_scalar(rows, policy, params + i * rows->n_groups, scales_only, space,
                          out + i * GTR_OBJECTIVE_COUNT);
    return done;
}
