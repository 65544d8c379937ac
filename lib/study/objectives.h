/* objectives.h - numbers by which settings are compared, made while a lane runs.
 *
 * Each decision is added to its group's tally in step order; tallies of groups are merged in group
 * order; both in the same way here, in the vector kernels of a sweep and on a GPU, so that a
 * setting taken out of a sweep and replayed alone has the same numbers to the bit.
 *
 *   clip_rate, raise_rate, saturation, empty_rate   shares of decisions
 *   skip_rate     share of decisions in steps that the policy left out; no more is said of them
 *                 but that their spikes did not get through
 *   scale_mean, scale_min, scale_max
 *   attenuation   mean of -ln s
 *   volatility    standard deviation of ln(s n / m), m the group's baseline, over all decisions
 *                 that have one
 *   leak          mean over spikes of max(0, ln(s n / (kappa m))): how much of them gets through
 *   distortion    1 - mean cosine between the recorded and the clipped gradient
 *   spill         of what a global threshold takes, the part that falls on bystanders because of
 *                 somebody's excess: sum of x_t times the part of the groups that are not above
 *                 their past, over sum A(E_t) (spill.h); 0 for policies that decide for each group
 *                 by itself
 */
#ifndef GTR_OBJECTIVES_H
#define GTR_OBJECTIVES_H

#include <math.h>
#include <stdint.h>

#include "baseline.h"
#include "exact.h"
#include "policy.h"
#include "public.h"

GTR_PUBLIC_BEGIN

/* The columns of a sweep, in the order of files. */
enum gtr_objective {
    GTR_CLIP_RATE,
    GTR_RAISE_RATE,
    GTR_SATURATION,
    GTR_EMPTY_RATE,
    GTR_SCALE_MEAN,
    GTR_SCALE_MIN,
    GTR_SCALE_MAX,
    GTR_ATTENUATION,
    GTR_VOLATILITY,
    GTR_LEAK,
    GTR_DISTORTION,
    GTR_SPILL,
    GTR_SKIP_RATE,
    GTR_OBJECTIVE_COUNT
};

const char *gtr_objective_name(enum gtr_objective objective); /* "clip_rate" */

/* The baseline that objectives are held against unless the user says otherwise: as
 * gtr_baseline_options_init, but a spike is a norm above 3 times its average.  Anything above 1.5
 * times exceeds its past, but much of that is a run's own noise, and a setting that cuts noise is
 * not what one looks for. */
void gtr_objectives_baseline_init(struct gtr_baseline_options *options);

GTR_PUBLIC_END

/* One lane's sums.  Counts are integers, which cost a GPU less than doubles; a sweep has fewer than
 * 2^32 norms (sweep_rows.c). */
struct gtr_tally {
    uint32_t decisions, clipped, raised, capped, empty;
    uint32_t based, spikes; /* decisions with a baseline, and above kappa times it */
    uint32_t skipped;       /* of decisions: in steps left out by the policy */
    double scale_sum, scale_min, scale_max;
    double log_sum;                  /* of ln s */
    double ratio_sum, ratio_squares; /* of ln s + ln(n / m) */
    double leak_sum;
};

GTR_HD void gtr_tally_init(struct gtr_tally *t)
{
    t->decisions = t->clipped = t->raised = t->capped = t->empty = 0;
    t->scale_sum = 0.0;
    t->scale_min = HUGE_VAL;
    t->scale_max = 0.0;
    t->log_sum = t->ratio_sum = t->ratio_squares = t->leak_sum = 0.0;
    t->based = t->spikes = t->skipped = 0;
}

/* Adds what `scales_only` asks for of one decision. */
GTR_HD void gtr_tally_add_scale(struct gtr_tally *t, const struct gtr_action *act)
{
    double s = act->scale;

    t->decisions += 1;
    if (act->skip) {
        t->skipped += 1;
        return;
    }
    t->clipped += s < 1.0 ? 1u : 0u;
    t->raised += s > 1.0 ? 1u : 0u;
    t->capped += act->capped ? 1u : 0u;
    t->empty += act->lower > act->upper ? 1u : 0u;
    t->scale_sum += s;
    t->scale_min = s < t->scale_min ? s : t->scale_min;
    t->scale_max = s > t->scale_max ? s : t->scale_max;
}

/* Adds what needs a logarithm.  log_ratio: ln(n / m) of the group at this step, NaN if it has
 * none. */
GTR_HD void gtr_tally_add_log(struct gtr_tally *t, const struct gtr_action *act, double log_ratio,
                              double log_kappa)
{
    double s = act->scale, log_s = s == 1.0 ? 0.0 : gtr_ln(s > 1e-300 ? s : 1e-300);
    double ratio = log_s + log_ratio, over = ratio - log_kappa;
    int based = log_ratio == log_ratio, spike = based && log_ratio > log_kappa;

    if (act->skip) {
        t->spikes += spike ? 1u : 0u;
        return;
    }
    t->log_sum += log_s;
    t->based += based ? 1u : 0u;
    t->ratio_sum += based ? ratio : 0.0;
    t->ratio_squares += based ? ratio * ratio : 0.0;
    t->spikes += spike ? 1u : 0u;
    t->leak_sum += spike && over > 0.0 ? over : 0.0;
}

/* Adds one decision. */
GTR_HD void gtr_tally_add(struct gtr_tally *t, const struct gtr_action *act, double log_ratio,
                          double log_kappa)
{
    gtr_tally_add_scale(t, act);
    gtr_tally_add_log(t, act, log_ratio, log_kappa);
}

/* Adds `other`, the next group's tally. */
GTR_HD void gtr_tally_merge(struct gtr_tally *t, const struct gtr_tally *other)
{
    t->decisions += other->decisions;
    t->clipped += other->clipped;
    t->raised += other->raised;
    t->capped += other->capped;
    t->empty += other->empty;
    t->scale_sum += other->scale_sum;
    t->scale_min = other->scale_min < t->scale_min ? other->scale_min : t->scale_min;
    t->scale_max = other->scale_max > t->scale_max ? other->scale_max : t->scale_max;
    t->log_sum += other->log_sum;
    t->based += other->based;
    t->ratio_sum += other->ratio_sum;
    t->ratio_squares += other->ratio_squares;
    t->spikes += other->spikes;
    t->skipped += other->skipped;
    t->leak_sum += other->leak_sum;
}

/* What all groups of a setting share. */
struct gtr_whole {
    double cos_sum, cos_steps; /* cosines, and steps that have a direction */
    double spilled_sum;        /* sum of A(E_t) - A(B_t), times the bystanders' part */
    double attenuation_sum;    /* sum of A(E_t) */
};

/* cos(g, clipped g) = sum s e / sqrt(E sum s^2 e); equal scales leave the direction alone; NaN
 * where there is none. */
GTR_HD double gtr_cosine(double sum_se, double sum_sse, double sum_e, int equal)
{
    double cosine;

    if (!(sum_e > 0.0) || !(sum_sse > 0.0))
        return (double)NAN;
    if (equal)
        return 1.0;
    cosine = sum_se / sqrt(sum_e * sum_sse);
    return cosine > 1.0 ? 1.0 : cosine;
}

/* From pooled tallies to the columns.  A mean over nothing is NaN; leak without spikes is 0.
 * scales_only: what needs logarithms or directions was not summed, and is NaN. */
GTR_HD void gtr_objectives(const struct gtr_tally *t, const struct gtr_whole *w, int scales_only,
                           double out[GTR_OBJECTIVE_COUNT])
{
    double n = (double)t->decisions, taken = n - (double)t->skipped, based = (double)t->based,
           spikes = (double)t->spikes;
    double mean = t->ratio_sum / based;
    double variance = t->ratio_squares / based - mean * mean;
    int k;

    out[GTR_CLIP_RATE] = (double)t->clipped / n;
    out[GTR_RAISE_RATE] = (double)t->raised / n;
    out[GTR_SATURATION] = (double)t->capped / n;
    out[GTR_EMPTY_RATE] = (double)t->empty / n;
    out[GTR_SCALE_MEAN] = t->scale_sum / taken;
    out[GTR_SCALE_MIN] = t->scale_min;
    out[GTR_SCALE_MAX] = t->scale_max;
    out[GTR_ATTENUATION] = 0.0 - t->log_sum / taken;
    out[GTR_VOLATILITY] = variance > 0.0 ? sqrt(variance) : variance == variance ? 0.0 : variance;
    out[GTR_LEAK] = spikes > 0.0 ? t->leak_sum / spikes : 0.0;
    out[GTR_DISTORTION] = 1.0 - w->cos_sum / w->cos_steps;
    out[GTR_SPILL] = w->attenuation_sum > 0.0 ? w->spilled_sum / w->attenuation_sum : 0.0;
    out[GTR_SKIP_RATE] = (double)t->skipped / n;
    if (scales_only)
        out[GTR_ATTENUATION] = out[GTR_VOLATILITY] = out[GTR_LEAK] = out[GTR_DISTORTION] =
            out[GTR_SPILL] = (double)NAN;
    /* A CPU's 0/0 has other bits than a GPU's; files shall not. */
    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        out[k] = out[k] == out[k] ? out[k] : (double)NAN;
}

/* The objective of that name, or GTR_OBJECTIVE_COUNT. */
enum gtr_objective gtr_objective_find(const char *name);

/* --- what a limit on the whole gradient takes from an energy, in nats ------------------------- */

/* gtr_ln with a floor that keeps it inside its domain; -infinity for 0. */
GTR_HD double gtr_log_energy(double energy)
{
    return energy > 0.0 ? gtr_ln(energy > 1e-300 ? energy : 1e-300) : -HUGE_VAL;
}

/* A(x) = max(0, ln(x / C^2) / 2), nats that clipping to C takes from energy x. */
GTR_HD double gtr_attenuation(double log_energy, double log_limit)
{
    double a = 0.5 * (log_energy - 2.0 * log_limit);

    return a > 0.0 ? a : 0.0;
}

/* ln C of a limit for the whole gradient; within a floor, as the scales are.  The largest element
 * is no energy: of a limit on it nothing is said. */
GTR_HD double gtr_log_limit(const struct gtr_global_params *p)
{
    if (p->norm_type != 0.0)
        return HUGE_VAL;
    return gtr_ln(p->max_norm > 1e-300 ? p->max_norm : 1e-300);
}

#endif
