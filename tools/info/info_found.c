/* info_found.c - counts tensors and steps, and measures groups: once, so that people and programs
 * are told the same. */
#include "info_found.h"

#include <math.h>

/* --- steps ------------------------------------------------------------------------------------ */

/* One number of a step; NaN: not known. */
static double loss_of(const struct gtr_step *step)
{
    return step->loss;
}

static double lr_of(const struct gtr_step *step)
{
    return step->lr;
}

static double time_of(const struct gtr_step *step)
{
    return step->time;
}

static double scale_of(const struct gtr_step *step)
{
    return step->applied_scale;
}

static struct info_range range_of(const struct study *study,
                                  double (*value_of)(const struct gtr_step *))
{
    const struct gtr_step *steps = gtr_trace_steps(study->trace);
    struct info_range range = { NAN, NAN, NAN, NAN, 0 };
    size_t i;

    for (i = 0; i < gtr_trace_n_steps(study->trace); i++) {
        double value = value_of(&steps[i]);

        if (isnan(value))
            continue;
        if (range.n++ == 0)
            range.first = range.min = range.max = value;
        range.last = value;
        range.min = value < range.min ? value : range.min;
        range.max = value > range.max ? value : range.max;
    }
    return range;
}

static void see_steps(struct info_found *found)
{
    const struct gtr_series *series = found->study->series;
    const struct gtr_step *steps = gtr_trace_steps(found->study->trace);
    size_t t;

    found->loss = range_of(found->study, loss_of);
    found->lr = range_of(found->study, lr_of);
    found->time = range_of(found->study, time_of);
    found->scale = range_of(found->study, scale_of);
    for (t = 0; t < gtr_trace_n_steps(found->study->trace); t++) {
        found->n_left_out += steps[t].skipped;
        found->n_clipped += steps[t].applied_scale < 1.0;
        found->n_rest += steps[t].rest > 0.0;
    }
    found->largest = series->n_steps;
    for (t = 0; t < series->n_steps; t++)
        if (!series->nonfinite[t] &&
            (found->largest == series->n_steps || series->total[t] > series->total[found->largest]))
            found->largest = t;
}

/* --- tensors and groups ----------------------------------------------------------------------- */

static void count_tensors(struct info_found *found)
{
    const struct gtr_head *head = found->head;
    size_t i;

    for (i = 0; i < head->n_tensors; i++) {
        struct info_group *group = &found->groups[found->study->groups->of_tensor[i]];

        if (group->n_tensors < INFO_TENSORS)
            group->first[group->n_tensors] = i;
        group->n_tensors++;
        group->n_elements += head->tensors[i].numel;
        found->n_elements += head->tensors[i].numel;
    }
}

static void measure(struct info_found *found)
{
    const struct gtr_series *series = found->study->series;
    size_t j, t;

    for (t = 0; t < series->n_steps; t++)
        found->energy += series->nonfinite[t] ? 0.0 : series->total_sumsq[t];
    for (j = 0; j < series->n_groups; j++) {
        double energy = 0.0, max = (double)NAN;

        for (t = 0; t < series->n_steps; t++) {
            double sumsq = series->sumsq[j * series->n_steps + t];

            if (series->nonfinite[t])
                continue;
            energy += sumsq;
            if (!(sumsq <= max)) /* true also for the first, over NaN */
                max = sumsq;
        }
        found->groups[j].share = found->energy > 0.0 ? energy / found->energy : 0.0;
        found->groups[j].max = sqrt(max);
    }
}

/* --- elements --------------------------------------------------------------------------------- */

static enum gtr_code add_captured(const struct gtr_trace *trace, size_t tensor,
                                  struct info_captures *sum, struct gtr_err *err)
{
    struct gtr_captured one;
    enum gtr_code rc = gtr_trace_captured(trace, tensor, &one, err);

    if (rc != GTR_OK || one.n == 0)
        return rc;
    sum->n_tensors++;
    sum->elements += one.n;
    sum->bytes += one.n * gtr_dtype_size(gtr_trace_head(trace)->tensors[tensor].dtype);
    if (!one.sampled)
        return GTR_OK;
    sum->differ = sum->differ || (sum->n_sampled > 0 && (one.block != sum->sample.block ||
                                                         one.fraction != sum->sample.fraction ||
                                                         one.seed != sum->sample.seed));
    sum->sample = one;
    sum->n_sampled++;
    return GTR_OK;
}

enum gtr_code info_see_captures(struct info_found *found, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < found->head->n_tensors; i++)
        rc = add_captured(found->study->trace, i, &found->captures, err);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

static void see_meta(struct info_found *found)
{
    struct json_object *simulated, *seed;

    found->meta = json_tokener_parse(found->head->meta);
    if (json_object_object_get_ex(found->meta, "simulated", &simulated) &&
        json_object_object_get_ex(simulated, "seed", &seed) &&
        json_object_object_get_ex(simulated, "scenario", &found->scenario))
        found->seed = json_object_get_int64(seed);
}

enum gtr_code info_found_make(struct info_found *found, const struct study *study,
                              struct gtr_err *err)
{
    enum gtr_code rc;

    *found = (struct info_found){ .study = study, .head = gtr_trace_head(study->trace) };
    rc = gtr_alloc_for(&found->groups, study->groups->n_groups, sizeof *found->groups, "groups",
                       err);
    if (rc == GTR_OK)
        rc = gtr_norm_summaries_new(study->replay, &found->norms, err);
    if (rc != GTR_OK)
        return rc;
    see_steps(found);
    count_tensors(found);
    measure(found);
    see_meta(found);
    return GTR_OK;
}

void info_found_free(struct info_found *found)
{
    gtr_free(found->groups);
    gtr_free(found->norms);
    json_object_put(found->meta);
}
