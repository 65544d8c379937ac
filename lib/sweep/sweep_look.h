/* sweep_look.h - look-backs of the settings of a block, step by step.
 *
 * Settings whose look-backs depend on the same parameters share one.  What is given lies as vectors
 * want it, an array over the settings for each of the numbers.
 */
#ifndef GTR_SWEEP_LOOK_H
#define GTR_SWEEP_LOOK_H

#include <stdbool.h>

#include "look.h"
#include "policy_base.h"
#include "sweep_rows.h"

enum { GTR_LOOK_LANES = 32 };

struct gtr_sweep_look {
    const struct gtr_look *look; /* NULL: the policy does not look back */
    size_t n_keys;
    size_t key_of[GTR_LOOK_LANES];
    const union gtr_params *params[GTR_LOOK_LANES]; /* [n_keys] */
    size_t first[GTR_LOOK_LANES];                   /* of each key in memory */
    double *memory;
    size_t capacity; /* doubles of it, kept from block to block */
    double own[GTR_GIVEN][GTR_LOOK_LANES];
    double (*given)[GTR_LOOK_LANES]; /* [GTR_GIVEN]: own, or where a vector kernel wants it */
};

/* Do both ask for the same look-back? */
bool gtr_sweep_look_same(const struct gtr_policy_spec *policy, const union gtr_params *a,
                         const union gtr_params *b);

/* Before the first step of a block: params [n][stride], of each setting the first counts.  Lanes
 * from n on are given what lane n - 1 is.  False without memory. */
bool gtr_sweep_look_begin(struct gtr_sweep_look *look, const struct gtr_policy_spec *policy,
                          const union gtr_params *params, size_t stride, size_t n, size_t n_rows);

/* Sets `given` for row r, the next. */
void gtr_sweep_look_push(struct gtr_sweep_look *look, const struct gtr_sweep_rows *rows, size_t r);

/* What the policy of the first setting sees of a group at row r, which was pushed. */
struct gtr_obs gtr_sweep_look_obs(const struct gtr_sweep_look *look,
                                  const struct gtr_sweep_rows *rows, size_t r, size_t group);

void gtr_sweep_look_free(struct gtr_sweep_look *look);

#endif
