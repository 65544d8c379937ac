/* simulate_truth.c - what was planted, as JSON in the trace's meta. */
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "alloc.h"
#include "simulate_elements.h"
#include "simulate_private.h"
#include "text.h"
#include "trace.h"

/* Both take `value` over, and are false if there was no memory for it. */
static bool put(struct json_object *object, const char *key, struct json_object *value)
{
    if (object != NULL && value != NULL && json_object_object_add(object, key, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static bool append(struct json_object *array, struct json_object *value)
{
    if (array != NULL && value != NULL && json_object_array_add(array, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* In our own spelling: json-c's differs between releases. */
static struct json_object *number(double value)
{
    char text[GTR_NUMBER_SIZE];

    gtr_text_print(value, text);
    return json_object_new_double_s(value, text);
}

static struct json_object *count(size_t value)
{
    return json_object_new_int64((int64_t)value);
}

/* The object, or NULL if building it failed. */
static struct json_object *finished(struct json_object *object, bool ok)
{
    if (ok)
        return object;
    json_object_put(object);
    return NULL;
}

static struct json_object *spikes_json(const struct gtr_spike *spikes, size_t n,
                                       const struct gtr_groups *groups)
{
    struct json_object *list = json_object_new_array();
    bool ok = list != NULL;
    size_t i;

    for (i = 0; ok && i < n; i++) {
        struct json_object *spike = json_object_new_object();

        ok = put(spike, "step", count(spikes[i].step)) &&
             put(spike, "group", json_object_new_string(groups->names[spikes[i].group])) &&
             put(spike, "factor", number(spikes[i].factor));
        ok = append(list, finished(spike, ok)) && ok;
    }
    return finished(list, ok);
}

static struct json_object *bursts_json(const struct gtr_plants *plants, double factor)
{
    struct json_object *list = json_object_new_array();
    bool ok = list != NULL;
    size_t i;

    for (i = 0; ok && i < plants->n_bursts; i++) {
        struct json_object *burst = json_object_new_object();

        ok = put(burst, "first", count(plants->bursts[i].first)) &&
             put(burst, "last", count(plants->bursts[i].last)) &&
             put(burst, "factor", number(factor));
        ok = append(list, finished(burst, ok)) && ok;
    }
    return finished(list, ok);
}

/* {"model.layers.0.block_sparse_moe.experts.3": [[first, last], ...], ...}: every expert has its
 * entry, if only an empty one. */
static struct json_object *idle_json(const struct gtr_plants *plants, const struct gtr_head *head)
{
    struct json_object *idle = json_object_new_object();
    bool ok = idle != NULL;
    size_t expert, i = 0;

    for (expert = 0; ok && expert < plants->n_experts; expert++) {
        const char *tensor = head->tensors[plants->first_tensor[expert]].name;
        struct json_object *list = json_object_new_array();
        char name[120];

        for (; ok && i < plants->n_spells && plants->spells[i].expert == expert; i++) {
            struct json_object *spell = json_object_new_array();

            ok = append(spell, count(plants->spells[i].first)) &&
                 append(spell, count(plants->spells[i].last));
            ok = append(list, finished(spell, ok)) && ok;
        }
        memset(name, 0, sizeof name);
        strncpy(name, tensor, GTR_ARRAY_LEN(name) - 1);
        name[gtr_expert_name_length(tensor)] = '\0';
        ok = put(idle, name, list) && ok;
    }
    return finished(idle, ok);
}

static struct json_object *counts_json(const size_t *values, size_t n)
{
    struct json_object *list = json_object_new_array();
    bool ok = list != NULL;
    size_t i;

    for (i = 0; ok && i < n; i++)
        ok = append(list, count(values[i]));
    return finished(list, ok);
}

static struct json_object *dead_json(const struct gtr_faults *faults, const struct gtr_head *head)
{
    struct json_object *list = json_object_new_array();
    bool ok = list != NULL;
    size_t i;

    for (i = 0; ok && i < faults->n_dead; i++)
        ok = append(list, json_object_new_string(head->tensors[faults->dead[i]].name));
    return finished(list, ok);
}

static struct json_object *died_json(const struct gtr_faults *faults,
                                     const struct gtr_groups *groups)
{
    struct json_object *list = json_object_new_array();
    bool ok = list != NULL;
    size_t i;

    for (i = 0; ok && i < faults->n_died; i++)
        ok = append(list, json_object_new_string(groups->names[faults->died[i]]));
    return finished(list, ok);
}

static struct json_object *params_json(const struct gtr_scenario_params *params)
{
    struct json_object *object = json_object_new_object();
    const struct gtr_scenario_param *table;
    bool ok = object != NULL;
    size_t n, i;

    table = gtr_scenario_params(&n);
    for (i = 0; ok && i < n; i++)
        ok = put(object, table[i].name, number(gtr_scenario_get(params, &table[i])));
    return finished(object, ok);
}

/* The last entries: what is wrong with the recording. */
static bool put_faults(struct json_object *truth, const struct gtr_scenario_params *params,
                       const struct gtr_faults *faults, const struct gtr_groups *groups,
                       const struct gtr_head *head)
{
    bool ok = true;

    if (faults->dominant < head->n_tensors)
        ok = put(truth, "dominant", json_object_new_string(head->tensors[faults->dominant].name)) &&
             put(truth, "dominant_factor", number(params->dominant));
    if (gtr_faults_factor(params) != 1.0)
        ok = ok && put(truth, "recorded_factor", number(gtr_faults_factor(params)));
    if (params->clipped == 1.0)
        ok = ok && put(truth, "recorded", json_object_new_string("post-clip"));
    if (faults->n_nonfinite > 0)
        ok = ok && put(truth, "nonfinite", counts_json(faults->nonfinite, faults->n_nonfinite)) &&
             put(truth, "nonfinite_tensor",
                 json_object_new_string(head->tensors[faults->nan_tensor].name));
    if (faults->n_stale > 0)
        ok = ok && put(truth, "stale", counts_json(faults->stale, faults->n_stale));
    if (faults->n_dead > 0)
        ok = ok && put(truth, "dead", dead_json(faults, head));
    if (faults->n_died > 0)
        ok = ok && put(truth, "died", died_json(faults, groups)) &&
             put(truth, "died_step", count(faults->died_step));
    return ok;
}

static struct json_object *truth_json(const struct gtr_simulation *simulation,
                                      const struct gtr_plants *plants,
                                      const struct gtr_groups *groups, const struct gtr_head *head)
{
    const struct gtr_scenario_params *params = &simulation->params;
    struct json_object *truth = json_object_new_object();
    bool ok = put(truth, "group_by", json_object_new_string(groups->rule)) &&
              put(truth, "drift_factor", number(params->drift));

    if (plants->n_spikes > 0)
        ok = ok && put(truth, "culprit", json_object_new_string(groups->names[plants->culprit])) &&
             put(truth, "spikes", spikes_json(plants->spikes, plants->n_spikes, groups));
    if (params->stray > 0.0)
        ok = ok && put(truth, "strays", spikes_json(plants->strays, plants->n_strays, groups));
    if (plants->n_bursts > 0)
        ok = ok && put(truth, "bursts", bursts_json(plants, params->burst_factor));
    if (plants->change_step < (size_t)simulation->n_steps)
        ok = ok && put(truth, "change_step", count(plants->change_step)) &&
             put(truth, "change_factor", number(params->change));
    if (params->idle > 0.0)
        ok = ok && put(truth, "idle", idle_json(plants, head));
    ok = ok && put_faults(truth, params, &plants->faults, groups, head);
    return finished(truth, ok);
}

/* How elements were made up, for a trace that has them. */
static struct json_object *elements_json(const struct gtr_simulation *simulation)
{
    struct json_object *object = json_object_new_object();
    bool sampled = simulation->elements == GTR_ELEMENTS_BLOCKS;
    bool ok = put(object, "sampling", json_object_new_string(sampled ? "blocks" : "full")) &&
              put(object, "memory", number(GTR_ELEMENTS_MEMORY)) &&
              put(object, "uneven", number(GTR_ELEMENTS_UNEVEN));

    if (sampled)
        ok = ok && put(object, "fraction", number(simulation->fraction));
    return finished(object, ok);
}

static struct json_object *meta_json(const struct gtr_simulation *simulation,
                                     const struct gtr_plants *plants,
                                     const struct gtr_groups *groups, const struct gtr_head *head)
{
    struct json_object *meta = json_object_new_object(), *simulated = json_object_new_object();
    bool ok;

    ok = put(simulated, "note",
             json_object_new_string("synthetic: made up by gradtrace, not recorded")) &&
         put(simulated, "scenario", json_object_new_string(simulation->scenario->name)) &&
         put(simulated, "seed", json_object_new_int64(simulation->seed)) &&
         put(simulated, "steps", json_object_new_int64(simulation->n_steps)) &&
         put(simulated, "layout", json_object_new_string(simulation->layout->name)) &&
         put(simulated, "layers", json_object_new_int64(simulation->n_layers)) &&
         put(simulated, "parameters", params_json(&simulation->params)) &&
         (simulation->elements == GTR_ELEMENTS_NONE ||
          put(simulated, "elements", elements_json(simulation))) &&
         put(simulated, "truth", truth_json(simulation, plants, groups, head));
    if (simulation->params.max_norm > 0.0)
        ok = ok && put(meta, "max_grad_norm", number(simulation->params.max_norm));
    ok = put(meta, "simulated", finished(simulated, ok)) && ok;
    return finished(meta, ok);
}

enum gtr_code gtr_truth_set(const struct gtr_simulation *simulation,
                            const struct gtr_plants *plants, const struct gtr_groups *groups,
                            struct gtr_head *head, struct gtr_err *err)
{
    struct json_object *meta = meta_json(simulation, plants, groups, head);
    const char *text = meta != NULL
                           ? json_object_to_json_string_ext(
                                 meta, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                           : NULL;
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
    json_object_put(meta);
    return rc;
}
