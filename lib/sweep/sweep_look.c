/* sweep_look.c - which settings share a look-back, and its steps. */
#include "sweep_look.h"

#include <string.h>

#include "alloc.h"
#include "catalogue.h"
#include "params.h"
#include "sweep_lane.h"

bool gtr_sweep_look_same(const struct gtr_policy_spec *policy, const union gtr_params *a,
                         const union gtr_params *b)
{
    const char *keys = policy->look->keys;
    size_t i, n;

    for (; *keys != '\0'; keys += n + (keys[n] == ',')) {
        n = strcspn(keys, ",");
        for (i = 0; i < policy->n_params; i++) {
            const struct gtr_param_spec *param = &policy->params[i];

            if (strlen(param->name) == n && strncmp(param->name, keys, n) == 0 &&
                gtr_param_get(param, a) != gtr_param_get(param, b))
                return false;
        }
    }
    return true;
}

bool gtr_sweep_look_begin(struct gtr_sweep_look *look, const struct gtr_policy_spec *policy,
                          const union gtr_params *params, size_t stride, size_t n, size_t n_rows)
{
    size_t i, k, used = 0;

    look->look = policy->look;
    look->n_keys = 0;
    if (look->look == NULL)
        return true;
    memset(look->own, 0, sizeof look->own);
    look->given = look->own;
    for (i = 0; i < GTR_LOOK_LANES; i++) {
        const union gtr_params *of = params + (i < n ? i : n - 1) * stride;

        for (k = 0; k < look->n_keys && !gtr_sweep_look_same(policy, look->params[k], of);)
            k++;
        look->key_of[i] = k;
        if (k < look->n_keys)
            continue;
        look->params[k] = of;
        look->first[k] = used;
        used += look->look->size(of, n_rows);
        look->n_keys++;
    }
    if (used > look->capacity) {
        gtr_free(look->memory);
        look->capacity = 0;
        if (gtr_alloc_for(&look->memory, used, sizeof *look->memory, "norms", NULL) != GTR_OK)
            return false;
        look->capacity = used;
    }
    memset(look->memory, 0, used * sizeof *look->memory);
    return true;
}

void gtr_sweep_look_push(struct gtr_sweep_look *look, const struct gtr_sweep_rows *rows, size_t r)
{
    const struct gtr_look_step step = { (double)r, rows->row[r].total, rows->row[r].loss };
    double given[GTR_LOOK_LANES][GTR_GIVEN] = { { 0.0 } };
    size_t i, k;

    if (look->look == NULL)
        return;
    for (k = 0; k < look->n_keys; k++)
        look->look->push(look->params[k], look->memory + look->first[k], &step, given[k]);
    for (k = 0; k < GTR_GIVEN; k++)
        for (i = 0; i < GTR_LOOK_LANES; i++)
            look->given[k][i] = given[look->key_of[i]][k];
}

struct gtr_obs gtr_sweep_look_obs(const struct gtr_sweep_look *look,
                                  const struct gtr_sweep_rows *rows, size_t r, size_t group)
{
    struct gtr_obs obs = gtr_sweep_obs(&rows->row[r], &rows->cell[r * rows->n_groups + group],
                                       rows->numel[group], (double)r);
    size_t k;

    for (k = 0; look->look != NULL && k < GTR_GIVEN; k++)
        obs.given[k] = look->given[k][0];
    return obs;
}

void gtr_sweep_look_free(struct gtr_sweep_look *look)
{
    gtr_free(look->memory);
    look->memory = NULL;
    look->capacity = 0;
}
