/* sweep_lane.h - what happens at a step of a sweep, written once for CPUs and GPUs.
 *
 * A lane decides by its policy and adds to its tally (objectives.h); what the groups of a setting
 * make of a step together, its direction and spill, is added up here, groups in their order and
 * steps in theirs.
 */
#ifndef GTR_SWEEP_LANE_H
#define GTR_SWEEP_LANE_H

#include "objectives.h"
#include "sweep_rows.h"

/* What the scales of the groups make of one step's direction. */
struct gtr_direction {
    double sum_se, sum_sse, first;
    int equal;
};

GTR_HD void gtr_direction_init(struct gtr_direction *d)
{
    d->sum_se = d->sum_sse = d->first = 0.0;
    d->equal = 1;
}

/* Adds the next group. */
GTR_HD void gtr_direction_add(struct gtr_direction *d, size_t group, double scale, double energy)
{
    if (group == 0)
        d->first = scale;
    d->equal = d->equal && scale == d->first;
    d->sum_se += scale * energy;
    d->sum_sse += scale * scale * energy;
}

/* energy: of the whole step, NaN where it has no direction; so is the cosine then. */
GTR_HD double gtr_direction_cosine(const struct gtr_direction *d, double energy)
{
    return gtr_cosine(d->sum_se, d->sum_sse, energy, d->equal);
}

GTR_HD void gtr_whole_init(struct gtr_whole *w)
{
    w->cos_sum = w->cos_steps = w->spilled_sum = w->attenuation_sum = 0.0;
}

GTR_HD void gtr_whole_add_cosine(struct gtr_whole *w, double cosine)
{
    w->cos_sum += cosine == cosine ? cosine : 0.0;
    w->cos_steps += cosine == cosine ? 1.0 : 0.0;
}

/* Of a limit for the whole gradient. */
GTR_HD void gtr_whole_add_spill(struct gtr_whole *w, const struct gtr_sweep_row *row,
                                double log_limit)
{
    double a = gtr_attenuation(row->log_energy, log_limit);

    w->attenuation_sum += a;
    w->spilled_sum += (a - gtr_attenuation(row->log_fair, log_limit)) * row->bystanders;
}

/* What a policy sees of a group at a step, but for what its look-back gives. */
GTR_HD struct gtr_obs gtr_sweep_obs(const struct gtr_sweep_row *row,
                                    const struct gtr_sweep_cell *cell, double numel, double seen)
{
    struct gtr_obs obs;
    int k;

    obs.sumsq = cell->sumsq;
    obs.norm = cell->norm;
    obs.total = row->total;
    obs.progress = row->progress;
    obs.loss = row->loss;
    obs.maxabs = cell->maxabs;
    obs.total_maxabs = row->total_maxabs;
    obs.weight = cell->weight;
    obs.numel = numel;
    obs.seen = seen;
    for (k = 0; k < GTR_GIVEN; k++)
        obs.given[k] = 0.0;
    return obs;
}

/* The scale that the step's direction has from it: nothing moves in one that is left out. */
GTR_HD double gtr_sweep_scale(const struct gtr_action *act)
{
    return act->skip ? 0.0 : act->scale;
}

#endif
