/* simulate_norms.c - ln n_j(t), the norm of each group at each step, as scenario.h has it.
 *
 * One table [T][G] is filled in passes.  First come the shocks: the noise's, and those that are
 * planted.  Then each shock leaves its tail on the steps after it.  What moves a level, trend,
 * bursts and changes, is added last and leaves none.
 */
#include <math.h>

#include "alloc.h"
#include "exact.h"
#include "random.h"
#include "simulate_private.h"

struct norms {
    const struct gtr_simulation *simulation;
    const struct gtr_plants *plants;
    size_t n_steps, n_groups;
    double *log_norm; /* [T][G] */
    double *past;     /* [G] what earlier shocks amount to: s_j of scenario.h */
};

static void draw(struct gtr_random *random, const struct norms *norms, size_t stream)
{
    gtr_random_init(random, (uint64_t)norms->simulation->seed, stream);
}

/* --- shocks ----------------------------------------------------------------------------------- */

/* A normal deviate, and rarely a surge on top of it.  With surges of chance p and mean height h
 * the sum has the mean p h and the variance 1 + 2 p h^2 - p^2 h^2. */
static double shock(struct gtr_random *random, const struct gtr_scenario_params *params)
{
    double mean = params->surge * params->surge_height, x = gtr_random_normal(random);

    if (gtr_random_uniform(random) <= params->surge)
        x += params->surge_height * gtr_random_exponential(random);
    return (x - mean) / sqrt(1.0 + 2.0 * mean * params->surge_height - mean * mean);
}

/* One noise, added to groups first .. end - 1.  Shocks of variance 1 come to
 * 1 + tail^2 / (1 - memory^2) with their tails, which is divided out; the past before the first
 * step is drawn too. */
static void add_noise(struct norms *norms, size_t stream, double deviation, size_t first,
                      size_t end)
{
    const struct gtr_scenario_params *params = &norms->simulation->params;
    double kept = 1.0 - params->memory * params->memory, x;
    double size = deviation / sqrt(1.0 + params->tail * params->tail / kept);
    struct gtr_random random;
    size_t t, j;

    draw(&random, norms, stream);
    x = gtr_random_normal(&random) / sqrt(kept);
    for (j = first; j < end; j++)
        norms->past[j] += size * x;
    for (t = 0; t < norms->n_steps; t++) {
        x = shock(&random, params);
        for (j = first; j < end; j++)
            norms->log_norm[t * norms->n_groups + j] += size * x;
    }
}

/* The others have a part of each spike's logarithm. */
static void add_spikes(struct norms *norms, const struct gtr_spike *spikes, size_t n,
                       double partners)
{
    size_t i, j;

    for (i = 0; i < n; i++) {
        double *row = norms->log_norm + spikes[i].step * norms->n_groups;
        double height = gtr_ln(spikes[i].factor);

        for (j = 0; j < norms->n_groups; j++)
            row[j] += j == spikes[i].group ? height : partners * height;
    }
}

static void add_shocks(struct norms *norms)
{
    const struct gtr_scenario_params *params = &norms->simulation->params;
    size_t j;

    add_noise(norms, GTR_STREAM_COMMON, params->spread * sqrt(params->common), 0, norms->n_groups);
    for (j = 0; j < norms->n_groups; j++)
        add_noise(norms, GTR_STREAM_GROUPS + j, params->spread * sqrt(1.0 - params->common), j,
                  j + 1);
    add_spikes(norms, norms->plants->spikes, norms->plants->n_spikes, params->partners);
    add_spikes(norms, norms->plants->strays, norms->plants->n_strays, 0.0);
}

static void add_tails(struct norms *norms)
{
    const struct gtr_scenario_params *params = &norms->simulation->params;
    size_t t, j;

    for (t = 0; t < norms->n_steps; t++)
        for (j = 0; j < norms->n_groups; j++) {
            double *x = &norms->log_norm[t * norms->n_groups + j], fresh = *x;

            *x += params->tail * norms->past[j];
            norms->past[j] = params->memory * norms->past[j] + fresh;
        }
}

/* --- levels ----------------------------------------------------------------------------------- */

/* Level and drift.  The squares of the groups' weights sum to 1. */
static void add_trend(struct norms *norms, double *level)
{
    const struct gtr_scenario_params *params = &norms->simulation->params;
    size_t n_steps = norms->n_steps, n_groups = norms->n_groups, t, j;
    double slope = gtr_ln(params->drift) / (double)(n_steps > 1 ? n_steps - 1 : 1);
    double energy = 0.0, scale;
    struct gtr_random random;

    draw(&random, norms, GTR_STREAM_LEVELS);
    for (j = 0; j < n_groups; j++) {
        level[j] = params->uneven * gtr_random_normal(&random);
        energy += gtr_exp(2.0 * level[j]);
    }
    scale = gtr_ln(params->level) - 0.5 * gtr_ln(energy);
    for (t = 0; t < n_steps; t++)
        for (j = 0; j < n_groups; j++)
            norms->log_norm[t * n_groups + j] += level[j] + scale + slope * (double)t;
}

/* Steps first .. end - 1 of all groups. */
static void add_factor(struct norms *norms, size_t first, size_t end, double factor)
{
    double log_factor = gtr_ln(factor);
    size_t i;

    for (i = first * norms->n_groups; i < end * norms->n_groups; i++)
        norms->log_norm[i] += log_factor;
}

static void add_levels(struct norms *norms, double *room)
{
    const struct gtr_scenario_params *params = &norms->simulation->params;
    const struct gtr_plants *plants = norms->plants;
    size_t i;

    add_trend(norms, room);
    for (i = 0; i < plants->n_bursts; i++)
        add_factor(norms, plants->bursts[i].first, plants->bursts[i].last + 1,
                   params->burst_factor);
    add_factor(norms, plants->change_step, norms->n_steps, params->change);
}

enum gtr_code gtr_norms_fill(const struct gtr_simulation *simulation,
                             const struct gtr_plants *plants, size_t n_groups, double *log_norm,
                             struct gtr_err *err)
{
    struct norms norms = {
        simulation, plants, (size_t)simulation->n_steps, n_groups, log_norm, NULL
    };
    enum gtr_code rc;

    rc = gtr_alloc_for(&norms.past, n_groups, sizeof(double), "groups", err);
    if (rc != GTR_OK)
        return rc;
    add_shocks(&norms);
    add_tails(&norms);
    add_levels(&norms, norms.past); /* which is needed no more */
    gtr_free(norms.past);
    return GTR_OK;
}
