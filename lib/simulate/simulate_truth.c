/* simulate_truth.c - what was planted, as JSON in the trace's meta.
 *
 * All names are those of layouts, scenarios and their tensors: none needs an escape.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "builder.h"
#include "simulate_private.h"
#include "trace.h"

/* --- JSON ------------------------------------------------------------------------------------- */

/* What stands before a value: a comma if it is not the first, and its key unless that is NULL. */
static void put_key(struct gtr_builder *out, const char *key)
{
    if (out->length > 0 && strchr("{[", out->text[out->length - 1]) == NULL)
        gtr_builder_char(out, ',');
    if (key == NULL)
        return;
    gtr_builder_char(out, '"');
    gtr_builder_add(out, key);
    gtr_builder_add(out, "\":");
}

static void put_open(struct gtr_builder *out, const char *key, char bracket)
{
    put_key(out, key);
    gtr_builder_char(out, bracket);
}

static void put_text(struct gtr_builder *out, const char *key, const char *value)
{
    put_open(out, key, '"');
    gtr_builder_add(out, value);
    gtr_builder_char(out, '"');
}

static void put_number(struct gtr_builder *out, const char *key, double value)
{
    put_key(out, key);
    gtr_builder_number(out, value);
}

static void put_count(struct gtr_builder *out, const char *key, size_t value)
{
    put_key(out, key);
    gtr_builder_count(out, value);
}

/* --- the truth -------------------------------------------------------------------------------- */

static void put_spikes(struct gtr_builder *out, const char *key, const struct gtr_spike *spikes,
                       size_t n, const struct gtr_groups *groups)
{
    size_t i;

    put_open(out, key, '[');
    for (i = 0; i < n; i++) {
        put_open(out, NULL, '{');
        put_count(out, "step", spikes[i].step);
        put_text(out, "group", groups->names[spikes[i].group]);
        put_number(out, "factor", spikes[i].factor);
        gtr_builder_char(out, '}');
    }
    gtr_builder_char(out, ']');
}

static void put_bursts(struct gtr_builder *out, const struct gtr_plants *plants, double factor)
{
    size_t i;

    put_open(out, "bursts", '[');
    for (i = 0; i < plants->n_bursts; i++) {
        put_open(out, NULL, '{');
        put_count(out, "first", plants->bursts[i].first);
        put_count(out, "last", plants->bursts[i].last);
        put_number(out, "factor", factor);
        gtr_builder_char(out, '}');
    }
    gtr_builder_char(out, ']');
}

/* {"model.layers.0.block_sparse_moe.experts.3": [[first, last], ...], ...}: every expert has its
 * entry, if only an empty one. */
static void put_idle(struct gtr_builder *out, const struct gtr_plants *plants,
                     const struct gtr_head *head)
{
    size_t expert, i = 0;

    put_open(out, "idle", '{');
    for (expert = 0; expert < plants->n_experts; expert++) {
        const char *tensor = head->tensors[plants->first_tensor[expert]].name;
        char name[120];

        snprintf(name, sizeof name, "%.*s", (int)gtr_expert_name_length(tensor), tensor);
        put_open(out, name, '[');
        for (; i < plants->n_spells && plants->spells[i].expert == expert; i++) {
            put_open(out, NULL, '[');
            put_count(out, NULL, plants->spells[i].first);
            put_count(out, NULL, plants->spells[i].last);
            gtr_builder_char(out, ']');
        }
        gtr_builder_char(out, ']');
    }
    gtr_builder_char(out, '}');
}

static void put_counts(struct gtr_builder *out, const char *key, const size_t *values, size_t n)
{
    size_t i;

    put_open(out, key, '[');
    for (i = 0; i < n; i++)
        put_count(out, NULL, values[i]);
    gtr_builder_char(out, ']');
}

/* The last entries: what is wrong with the recording. */
static void put_faults(struct gtr_builder *out, const struct gtr_scenario_params *params,
                       const struct gtr_faults *faults, const struct gtr_groups *groups,
                       const struct gtr_head *head)
{
    size_t i;

    if (faults->dominant < head->n_tensors) {
        put_text(out, "dominant", head->tensors[faults->dominant].name);
        put_number(out, "dominant_factor", params->dominant);
    }
    if (gtr_faults_factor(params) != 1.0)
        put_number(out, "recorded_factor", gtr_faults_factor(params));
    if (params->clipped == 1.0)
        put_text(out, "recorded", "post-clip");
    if (faults->n_nonfinite > 0) {
        put_counts(out, "nonfinite", faults->nonfinite, faults->n_nonfinite);
        put_text(out, "nonfinite_tensor", head->tensors[faults->nan_tensor].name);
    }
    if (faults->n_stale > 0)
        put_counts(out, "stale", faults->stale, faults->n_stale);
    if (faults->n_dead > 0) {
        put_open(out, "dead", '[');
        for (i = 0; i < faults->n_dead; i++)
            put_text(out, NULL, head->tensors[faults->dead[i]].name);
        gtr_builder_char(out, ']');
    }
    if (faults->n_died > 0) {
        put_open(out, "died", '[');
        for (i = 0; i < faults->n_died; i++)
            put_text(out, NULL, groups->names[faults->died[i]]);
        gtr_builder_char(out, ']');
        put_count(out, "died_step", faults->died_step);
    }
}

static void put_truth(struct gtr_builder *out, const struct gtr_simulation *simulation,
                      const struct gtr_plants *plants, const struct gtr_groups *groups,
                      const struct gtr_head *head)
{
    const struct gtr_scenario_params *params = &simulation->params;

    put_open(out, "truth", '{');
    put_text(out, "group_by", groups->rule);
    put_number(out, "drift_factor", params->drift);
    if (plants->n_spikes > 0) {
        put_text(out, "culprit", groups->names[plants->culprit]);
        put_spikes(out, "spikes", plants->spikes, plants->n_spikes, groups);
        if (params->partners > 0.0)
            put_number(out, "partners", params->partners);
    }
    if (params->stray > 0.0)
        put_spikes(out, "strays", plants->strays, plants->n_strays, groups);
    if (plants->n_bursts > 0)
        put_bursts(out, plants, params->burst_factor);
    if (plants->change_step < (size_t)simulation->n_steps) {
        put_count(out, "change_step", plants->change_step);
        put_number(out, "change_factor", params->change);
    }
    if (params->idle > 0.0)
        put_idle(out, plants, head);
    put_faults(out, params, &plants->faults, groups, head);
    gtr_builder_char(out, '}');
}

/* --- the meta --------------------------------------------------------------------------------- */

static void put_params(struct gtr_builder *out, const struct gtr_scenario_params *params)
{
    const struct gtr_scenario_param *table;
    size_t n, i;

    table = gtr_scenario_params(&n);
    put_open(out, "parameters", '{');
    for (i = 0; i < n; i++)
        put_number(out, table[i].name, gtr_scenario_get(params, &table[i]));
    gtr_builder_char(out, '}');
}

/* How elements were made up, for a trace that has them. */
static void put_elements(struct gtr_builder *out, const struct gtr_simulation *simulation)
{
    bool sampled = simulation->elements == GTR_ELEMENTS_BLOCKS;

    put_open(out, "elements", '{');
    put_text(out, "sampling", sampled ? "blocks" : "full");
    put_number(out, "memory", GTR_ELEMENTS_MEMORY);
    put_number(out, "uneven", GTR_ELEMENTS_UNEVEN);
    if (sampled)
        put_number(out, "fraction", simulation->fraction);
    gtr_builder_char(out, '}');
}

static char *describe(const struct gtr_simulation *simulation, const struct gtr_plants *plants,
                      const struct gtr_groups *groups, const struct gtr_head *head)
{
    struct gtr_builder out = { 0 };

    gtr_builder_char(&out, '{');
    if (simulation->params.max_norm > 0.0)
        put_number(&out, "max_grad_norm", simulation->params.max_norm);
    put_open(&out, "simulated", '{');
    put_text(&out, "note", "synthetic: made up by gradtrace, not recorded");
    put_text(&out, "scenario", simulation->scenario->name);
    put_count(&out, "seed", (size_t)simulation->seed);
    put_count(&out, "steps", (size_t)simulation->n_steps);
    put_text(&out, "layout", simulation->layout->name);
    put_count(&out, "layers", (size_t)simulation->n_layers);
    put_params(&out, &simulation->params);
    if (simulation->elements != GTR_ELEMENTS_NONE)
        put_elements(&out, simulation);
    put_truth(&out, simulation, plants, groups, head);
    gtr_builder_add(&out, "}}");
    return gtr_builder_take(&out);
}

enum gtr_code gtr_truth_set(const struct gtr_simulation *simulation,
                            const struct gtr_plants *plants, const struct gtr_groups *groups,
                            struct gtr_head *head, struct gtr_err *err)
{
    char *text = describe(simulation, plants, groups, head);
    enum gtr_code rc;

    if (text == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for the truth about the trace");
    else if (strlen(text) > GTR_META_MAX)
        rc = gtr_fail(err, GTR_EUSAGE,
                      "scenario %s: the truth about %zu spikes, %zu strays, %zu bursts and %zu "
                      "spells takes %zu bytes, and a trace's meta holds %d; plant fewer, make "
                      "idle_spell longer, or the run shorter",
                      simulation->scenario->name, plants->n_spikes, plants->n_strays,
                      plants->n_bursts, plants->n_spells, strlen(text), GTR_META_MAX);
    else
        rc = gtr_head_set(&head->meta, text, err);
    gtr_free(text);
    return rc;
}
