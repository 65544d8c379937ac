/* simulate_plants.c - where spikes, bursts, changes, idle experts and faults of the recording go.
 *
 * Spikes and bursts are spread over the run: behind its first tenth, which averages need to warm
 * up, the run is cut into equal parts, and each has one of them at a random place.  They do not
 * touch: as many calm steps as one is long lie between it and the next.
 */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "random.h"
#include "simulate_private.h"
#include "text.h"

/* First steps of `count` stretches of `length` steps each. */
static enum gtr_code spread(const struct gtr_simulation *simulation, const char *what, size_t count,
                            size_t length, enum gtr_simulate_stream stream, size_t **first,
                            struct gtr_err *err)
{
    size_t n = (size_t)simulation->n_steps, quiet = n / 10, part, i;
    struct gtr_random random;
    enum gtr_code rc;

    if (count == 0)
        return GTR_OK;
    part = (n - quiet) / count;
    if (part < 2 * length)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s=%zu: each needs %zu steps of its own, and the run has only %zu after "
                        "its first tenth; ask for fewer or for more steps",
                        what, count, 2 * length, n - quiet);
    rc = gtr_alloc_for(first, count, sizeof **first, what, err);
    if (rc != GTR_OK)
        return rc;
    gtr_random_init(&random, (uint64_t)simulation->seed, stream);
    for (i = 0; i < count; i++)
        (*first)[i] = quiet + i * part + (size_t)gtr_random_below(&random, part - 2 * length + 1);
    return GTR_OK;
}

static enum gtr_code find_culprit(struct gtr_plants *plants,
                                  const struct gtr_simulation *simulation,
                                  const struct gtr_groups *groups, struct gtr_err *err)
{
    struct gtr_random random;

    if (simulation->culprit != NULL && simulation->params.spikes < 1.0)
        return gtr_fail(err, GTR_EUSAGE,
                        "culprit %.80s: no spikes are planted; set spikes=N as well",
                        simulation->culprit);
    if (simulation->culprit != NULL)
        return gtr_simulate_find("group", simulation->culprit, (const char *const *)groups->names,
                                 groups->n_groups, &plants->culprit, err);
    gtr_random_init(&random, (uint64_t)simulation->seed, GTR_STREAM_CULPRIT);
    plants->culprit = (size_t)gtr_random_below(&random, groups->n_groups);
    return GTR_OK;
}

static enum gtr_code plant_spikes(struct gtr_plants *plants,
                                  const struct gtr_simulation *simulation, struct gtr_err *err)
{
    size_t n = (size_t)simulation->params.spikes, *steps = NULL, i;
    enum gtr_code rc;

    rc = spread(simulation, "spikes", n, 1, GTR_STREAM_SPIKES, &steps, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&plants->spikes, n, sizeof *plants->spikes, "spikes", err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        plants->spikes[i].step = steps[i];
        plants->spikes[i].group = plants->culprit;
        plants->spikes[i].factor = simulation->params.spike_factor;
        plants->n_spikes++;
    }
    gtr_free(steps);
    return rc;
}

static enum gtr_code plant_bursts(struct gtr_plants *plants,
                                  const struct gtr_simulation *simulation, struct gtr_err *err)
{
    size_t n = (size_t)simulation->params.bursts, *steps = NULL, i;
    size_t length = (size_t)simulation->params.burst_steps;
    enum gtr_code rc;

    rc = spread(simulation, "bursts", n, length, GTR_STREAM_BURSTS, &steps, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&plants->bursts, n, sizeof *plants->bursts, "bursts", err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        plants->bursts[i].first = steps[i];
        plants->bursts[i].last = steps[i] + length - 1;
        plants->n_bursts++;
    }
    gtr_free(steps);
    return rc;
}

/* Strays come at any step, the first included, and in any group. */
static enum gtr_code plant_strays(struct gtr_plants *plants,
                                  const struct gtr_simulation *simulation, size_t n_groups,
                                  struct gtr_err *err)
{
    const struct gtr_scenario_params *params = &simulation->params;
    enum gtr_code rc = GTR_OK;
    struct gtr_random random;
    size_t t, j;

    if (params->stray == 0.0)
        return GTR_OK;
    gtr_random_init(&random, (uint64_t)simulation->seed, GTR_STREAM_STRAYS);
    for (t = 0; rc == GTR_OK && t < (size_t)simulation->n_steps; t++) {
        for (j = 0; rc == GTR_OK && j < n_groups; j++) {
            if (gtr_random_uniform(&random) > params->stray)
                continue;
            rc = gtr_grow(&plants->strays, &plants->strays_capacity, plants->n_strays + 1,
                          sizeof *plants->strays, err);
            if (rc != GTR_OK)
                break;
            plants->strays[plants->n_strays].step = t;
            plants->strays[plants->n_strays].group = j;
            plants->strays[plants->n_strays++].factor =
                params->stray_factor * gtr_random_pareto(&random, params->stray_tail);
        }
    }
    return rc;
}

/* --- experts -------------------------------------------------------------------------------- */

size_t gtr_expert_name_length(const char *tensor)
{
    static const char mark[] = ".experts.";
    const char *at = strstr(tensor, mark);

    if (at == NULL)
        return 0;
    at += sizeof mark - 1;
    return (size_t)(at - tensor) + strspn(at, "0123456789");
}

/* The tensors of an expert follow each other. */
static enum gtr_code find_experts(struct gtr_plants *plants, const struct gtr_head *head,
                                  struct gtr_err *err)
{
    size_t n = head->n_tensors, i, before = 0;
    enum gtr_code rc;

    rc = gtr_alloc_for(&plants->of_tensor, n, sizeof *plants->of_tensor, "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&plants->first_tensor, n, sizeof *plants->first_tensor, "experts", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n; i++) {
        const char *name = head->tensors[i].name;
        size_t length = gtr_expert_name_length(name);

        plants->of_tensor[i] = SIZE_MAX;
        if (length > 0) {
            if (length != before || strncmp(name, head->tensors[i - 1].name, length) != 0)
                plants->first_tensor[plants->n_experts++] = i;
            plants->of_tensor[i] = plants->n_experts - 1;
        }
        before = length;
    }
    for (i = 0; i < n; i++)
        if (plants->of_tensor[i] == SIZE_MAX)
            plants->of_tensor[i] = plants->n_experts;
    return GTR_OK;
}

/* At least one step, exponential beyond it. */
static size_t spell_length(struct gtr_random *random, double mean)
{
    return 1 + (size_t)(gtr_random_exponential(random) * (mean - 1.0) + 0.5);
}

/* Are there experts, and can they be idle so much?  `busy`: mean length of the spells between. */
static enum gtr_code check_idle(const struct gtr_plants *plants,
                                const struct gtr_simulation *simulation, double busy,
                                struct gtr_err *err)
{
    char idle[GTR_NUMBER_SIZE], spell[GTR_NUMBER_SIZE];

    gtr_text_print(simulation->params.idle, idle);
    gtr_text_print(simulation->params.idle_spell, spell);
    if (plants->n_experts == 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "idle=%s: layout %s has no experts; moe-small and moe-8x7b have", idle,
                        simulation->layout->name);
    if (busy < 1.0)
        return gtr_fail(err, GTR_EUSAGE,
                        "idle=%s: with idle_spell=%s less than a step would lie between spells; "
                        "make idle_spell longer or idle less",
                        idle, spell);
    return GTR_OK;
}

/* Busy and idle spells take turns; their mean lengths make the share. */
static enum gtr_code plant_spells(struct gtr_plants *plants,
                                  const struct gtr_simulation *simulation, struct gtr_err *err)
{
    double idle = simulation->params.idle, mean = simulation->params.idle_spell;
    size_t n = (size_t)simulation->n_steps, expert, t;
    double busy = mean * (1.0 - idle) / idle;
    struct gtr_random random;
    enum gtr_code rc;

    if (idle == 0.0)
        return GTR_OK;
    rc = check_idle(plants, simulation, busy, err);
    if (rc != GTR_OK)
        return rc;
    gtr_random_init(&random, (uint64_t)simulation->seed, GTR_STREAM_IDLE);
    for (expert = 0; expert < plants->n_experts; expert++) {
        for (t = spell_length(&random, busy); t < n; t += spell_length(&random, busy)) {
            size_t end = t + spell_length(&random, mean);

            rc = gtr_grow(&plants->spells, &plants->spells_capacity, plants->n_spells + 1,
                          sizeof *plants->spells, err);
            if (rc != GTR_OK)
                return rc;
            plants->spells[plants->n_spells].expert = expert;
            plants->spells[plants->n_spells].first = t;
            plants->spells[plants->n_spells++].last = (end < n ? end : n) - 1;
            t = end;
        }
    }
    return GTR_OK;
}

/* --- what is wrong with the recording --------------------------------------------------------- */

double gtr_faults_factor(const struct gtr_scenario_params *params)
{
    /* A shard holds one part in `ranks` of the elements, and so of the energy. */
    return params->left_in / sqrt(params->ranks);
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

static enum gtr_code plant_faults(struct gtr_faults *faults,
                                  const struct gtr_simulation *simulation,
                                  const struct gtr_groups *groups, struct gtr_err *err)
{
    const struct gtr_scenario_params *params = &simulation->params;
    enum gtr_code rc;

    if (params->clipped == 1.0 && params->max_norm == 0.0)
        return gtr_fail(err, GTR_EUSAGE, "clipped=1: by what? set max_norm=C as well");
    faults->n_nonfinite = (size_t)params->nonfinite;
    faults->n_stale = (size_t)params->stale;
    faults->died_step = (size_t)(params->died_at * (double)simulation->n_steps);
    rc = draw_tensors(faults, simulation, groups->n_tensors, err);
    if (rc == GTR_OK)
        rc = draw_some(simulation, "died", params->died, groups->n_groups, GTR_STREAM_DIED,
                       &faults->died, &faults->n_died, err);
    if (rc == GTR_OK)
        rc = spread(simulation, "nonfinite", faults->n_nonfinite, 1, GTR_STREAM_NONFINITE,
                    &faults->nonfinite, err);
    if (rc == GTR_OK)
        rc = spread(simulation, "stale", faults->n_stale, 1, GTR_STREAM_STALE, &faults->stale, err);
    if (rc == GTR_OK)
        rc = mark_tensors(faults, groups, err);
    return rc;
}

/* --- all of them ------------------------------------------------------------------------------ */

enum gtr_code gtr_plants_init(struct gtr_plants *plants, const struct gtr_simulation *simulation,
                              const struct gtr_head *head, const struct gtr_groups *groups,
                              struct gtr_err *err)
{
    const struct gtr_scenario_params *params = &simulation->params;
    enum gtr_code rc;

    memset(plants, 0, sizeof *plants);
    plants->change_step = (size_t)simulation->n_steps;
    if (params->change != 1.0)
        plants->change_step = (size_t)(params->change_at * (double)simulation->n_steps);
    rc = find_culprit(plants, simulation, groups, err);
    if (rc == GTR_OK)
        rc = plant_spikes(plants, simulation, err);
    if (rc == GTR_OK)
        rc = plant_bursts(plants, simulation, err);
    if (rc == GTR_OK)
        rc = plant_strays(plants, simulation, groups->n_groups, err);
    if (rc == GTR_OK)
        rc = find_experts(plants, head, err);
    if (rc == GTR_OK)
        rc = plant_spells(plants, simulation, err);
    if (rc == GTR_OK)
        rc = plant_faults(&plants->faults, simulation, groups, err);
    return rc;
}

void gtr_plants_free(struct gtr_plants *plants)
{
    gtr_free(plants->spikes);
    gtr_free(plants->strays);
    gtr_free(plants->bursts);
    gtr_free(plants->spells);
    gtr_free(plants->of_tensor);
    gtr_free(plants->first_tensor);
    gtr_free(plants->faults.nonfinite);
    gtr_free(plants->faults.stale);
    gtr_free(plants->faults.dead);
    gtr_free(plants->faults.died);
    gtr_free(plants->faults.silent);
    gtr_free(plants->faults.dying);
    memset(plants, 0, sizeof *plants);
}
