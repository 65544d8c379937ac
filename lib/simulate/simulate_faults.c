/* simulate_faults.c - what is wrong with a recording, and where: for testing what looks for it. */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "random.h"
#include "simulate_private.h"

double gtr_faults_factor(const struct gtr_scenario_params *params)
{
    /* A shard holds one part in `ranks` of the elements, and so of the energy. */
    return params->left_in / sqrt(params->ranks);
}

static enum gtr_code spread_steps(const struct gtr_simulation *simulation, const char *what,
                                  double count, enum gtr_simulate_stream stream, size_t **steps,
                                  size_t *n, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    *n = (size_t)count;
    if (*n > 0)
        rc = gtr_alloc_for(steps, *n, sizeof **steps, what, err);
    if (rc == GTR_OK && *n > 0)
        rc = gtr_plants_place(simulation, what, *n, 1, stream, *steps, err);
    return rc;
}

/* `count` of `n`, each equally likely, rising.  At least one is left over. */
static enum gtr_code draw_some(const struct gtr_simulation *simulation, const char *what,
                               double count, size_t n, enum gtr_simulate_stream stream,
                               size_t **drawn, size_t *n_drawn, struct gtr_err *err)
{
    struct gtr_random random;
    enum gtr_code rc;
    size_t i, needed = (size_t)count;

    if (needed == 0)
        return GTR_OK;
    if (needed >= n)
        return gtr_fail(err, GTR_EUSAGE, "%s=%zu: the model has only %zu, and one must be left",
                        what, needed, n);
    rc = gtr_alloc_for(drawn, needed, sizeof **drawn, what, err);
    if (rc != GTR_OK)
        return rc;
    gtr_random_init(&random, (uint64_t)simulation->seed, stream);
    for (i = 0; i < n && *n_drawn < needed; i++)
        if (gtr_random_below(&random, n - i) < needed - *n_drawn)
            (*drawn)[(*n_drawn)++] = i;
    return GTR_OK;
}

static enum gtr_code draw_tensors(struct gtr_faults *faults,
                                  const struct gtr_simulation *simulation, size_t n_tensors,
                                  struct gtr_err *err)
{
    struct gtr_random random;

    gtr_random_init(&random, (uint64_t)simulation->seed, GTR_STREAM_DOMINANT);
    faults->dominant = n_tensors;
    if (simulation->params.dominant != 1.0)
        faults->dominant = (size_t)gtr_random_below(&random, n_tensors);
    gtr_random_init(&random, (uint64_t)simulation->seed, GTR_STREAM_NONFINITE);
    faults->nan_tensor = (size_t)gtr_random_below(&random, n_tensors);
    return draw_some(simulation, "dead", simulation->params.dead, n_tensors, GTR_STREAM_DEAD,
                     &faults->dead, &faults->n_dead, err);
}

static enum gtr_code mark_tensors(struct gtr_faults *faults, const struct gtr_groups *groups,
                                  struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i, k;

    rc = gtr_alloc_for(&faults->silent, groups->n_tensors, sizeof(bool), "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&faults->dying, groups->n_tensors, sizeof(bool), "tensors", err);
    for (k = 0; rc == GTR_OK && k < faults->n_dead; k++)
        faults->silent[faults->dead[k]] = true;
    for (i = 0; rc == GTR_OK && i < groups->n_tensors; i++)
        for (k = 0; k < faults->n_died; k++)
            faults->dying[i] = faults->dying[i] || groups->of_tensor[i] == faults->died[k];
    return rc;
}

enum gtr_code gtr_faults_init(struct gtr_faults *faults, const struct gtr_simulation *simulation,
                              const struct gtr_groups *groups, struct gtr_err *err)
{
    const struct gtr_scenario_params *params = &simulation->params;
    enum gtr_code rc;

    if (params->clipped == 1.0 && params->max_norm == 0.0)
        return gtr_fail(err, GTR_EUSAGE, "clipped=1: by what? set max_norm=C as well");
    faults->died_step = (size_t)(params->died_at * (double)simulation->n_steps);
    rc = draw_tensors(faults, simulation, groups->n_tensors, err);
    if (rc == GTR_OK)
        rc = draw_some(simulation, "died", params->died, groups->n_groups, GTR_STREAM_DIED,
                       &faults->died, &faults->n_died, err);
    if (rc == GTR_OK)
        rc = spread_steps(simulation, "nonfinite", params->nonfinite, GTR_STREAM_NONFINITE,
                          &faults->nonfinite, &faults->n_nonfinite, err);
    if (rc == GTR_OK)
        rc = spread_steps(simulation, "stale", params->stale, GTR_STREAM_STALE, &faults->stale,
                          &faults->n_stale, err);
    if (rc == GTR_OK)
        rc = mark_tensors(faults, groups, err);
    return rc;
}

void gtr_faults_free(struct gtr_faults *faults)
{
    gtr_free(faults->nonfinite);
    gtr_free(faults->stale);
    gtr_free(faults->dead);
    gtr_free(faults->died);
    gtr_free(faults->silent);
    gtr_free(faults->dying);
    memset(faults, 0, sizeof *faults);
}
