/* scenario.c - the tables of parameters and scenarios, and KEY=VALUE. */
#include "scenario.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "simulate_private.h"
#include "text.h"

#define AT(field) offsetof(struct gtr_scenario_params, field)
/* Factors of a million keep every sum of squares far from the ends of a double's range. */
static const struct gtr_scenario_param params_table[] = {
    /* name, where, default, min, max, whole, help; --help has 40 columns for the last */
    { "level", AT(level), 1, 1e-6, 1e6, false, "norm of the whole gradient at first" },
    { "uneven", AT(uneven), 0.5, 0, 2, false, "deviation of ln norm between groups" },
    { "spread", AT(spread), 0.2, 0, 2, false, "deviation of ln norm around its trend" },
    { "common", AT(common), 0.8, 0, 1, false, "part of that variance common to all" },
    { "own", AT(own), 0.18, 0, 2, false, "deviation of a tensor's ln in its group" },
    { "surge", AT(surge), 0.1, 0, 1, false, "chance that noise surges, per step" },
    { "surge_height", AT(surge_height), 1.8, 0, 20, false, "mean height of that, in deviations" },
    { "tail", AT(tail), 0.1, 0, 1, false, "part of a shock left at the next step" },
    { "memory", AT(memory), 0.9, 0, 0.9999, false, "part of that left a step later" },
    { "drift", AT(drift), 0.7, 1e-6, 1e6, false, "factor of all norms over the run" },
    { "spikes", AT(spikes), 0, 0, 1000, true, "spikes planted in one group" },
    { "spike_factor", AT(spike_factor), 20, 1, 1e6, false, "how far each stands out" },
    { "partners", AT(partners), 0, 0, 1, false, "part of its ln that other groups have" },
    { "stray", AT(stray), 0, 0, 1, false, "chance of a stray per group and step" },
    { "stray_factor", AT(stray_factor), 3, 1, 1e6, false, "least factor of a stray" },
    { "stray_tail", AT(stray_tail), 2, 0.5, 100, false, "Pareto exponent of their factors" },
    { "change", AT(change), 1, 1e-6, 1e6, false, "factor of all norms from one step on" },
    { "change_at", AT(change_at), 0.5, 0, 1, false, "that step, as a share of the run" },
    { "bursts", AT(bursts), 0, 0, 1000, true, "times when all groups rise together" },
    { "burst_factor", AT(burst_factor), 5, 1, 1e6, false, "how far they rise" },
    { "burst_steps", AT(burst_steps), 6, 1, 1000, true, "and for how many steps" },
    { "idle", AT(idle), 0, 0, 0.95, false, "share of steps an expert is idle" },
    { "idle_spell", AT(idle_spell), 50, 1, 1e6, false, "mean length of an idle spell, in steps" },
    { "dominant", AT(dominant), 1, 1, 1e6, false, "factor of one tensor's norm" },
    { "max_norm", AT(max_norm), 0, 0, 1e6, false, "the run clips its norm to it; 0: no" },
    { "clipped", AT(clipped), 0, 0, 1, true, "1: recorded after that clipping" },
    { "left_in", AT(left_in), 1, 1e-6, 1e6, false, "factor left in what is recorded" },
    { "ranks", AT(ranks), 1, 1, 1e5, true, "recorded: the shard of one of so many" },
    { "nonfinite", AT(nonfinite), 0, 0, 1000, true, "steps with NaNs in one tensor" },
    { "stale", AT(stale), 0, 0, 1000, true, "steps that repeat the one before" },
    { "dead", AT(dead), 0, 0, 1000, true, "tensors that never have a gradient" },
    { "died", AT(died), 0, 0, 100, true, "groups that have none after a time" },
    { "died_at", AT(died_at), 0.6, 0, 1, false, "that time, as a share of the run" },
};
#undef AT
_Static_assert(sizeof(struct gtr_scenario_params) == GTR_ARRAY_LEN(params_table) * sizeof(double),
               "each parameter has one row");

/* clang-format off */
static const struct gtr_scenario scenarios[] = {
    { "healthy", "norms that wander and slowly fall; nothing planted", "llama-small", "" },
    { "culprit", "one group spikes, at steps and by a factor that the trace tells", "llama-small", "spikes=12" },
    { "partners", "one group spikes and takes the others along, as most do", "llama-small", "spikes=12,partners=0.7" },
    { "drift", "all norms fall to a tenth over the run", "llama-small", "drift=0.1" },
    { "regime", "all norms jump to four times theirs in mid-run", "llama-small", "change=4" },
    { "bursts", "all groups rise together for a few steps, as at rewards in RL", "llama-small", "bursts=8" },
    { "moe", "a mixture of experts that are idle at many steps", "moe-small", "idle=0.2" },
    { "correlated", "groups that move nearly as one", "llama-small", "common=0.95" },
    { "heavy", "stray spikes of heavy-tailed height in every group", "llama-small", "stray=0.005" },
    { "dominant", "one tensor's norm is 100 times what it would be", "llama-small", "dominant=100" },
    { "post-clip", "recorded after the run's own clipping, and not said so", "llama-small", "max_norm=0.8,clipped=1" },
    { "loss-scale", "norms with the loss scale left in", "llama-small", "max_norm=0.8,left_in=65536" },
    { "shards", "norms of one rank's shard, never added up over 8 ranks", "llama-small", "max_norm=0.8,ranks=8" },
    { "nonfinite", "a few steps with NaNs, which the run left out", "llama-small", "nonfinite=5" },
    { "stale", "steps at which the last gradients were recorded again", "llama-small", "stale=40" },
    { "dead", "tensors without a gradient, and a group that loses its own", "llama-small", "dead=2,died=1" },
};
/* clang-format on */

const struct gtr_scenario_param *gtr_scenario_params(size_t *n_params)
{
    *n_params = GTR_ARRAY_LEN(params_table);
    return params_table;
}

const struct gtr_scenario *gtr_scenarios(size_t *n_scenarios)
{
    *n_scenarios = GTR_ARRAY_LEN(scenarios);
    return scenarios;
}

enum gtr_code gtr_simulate_find(const char *kind, const char *name, const char *const *names,
                                size_t n_names, size_t *found, struct gtr_err *err)
{
    const char *nearest = gtr_text_nearest(name, names, n_names);
    char list[200] = "";
    size_t i;

    for (i = 0; i < n_names; i++) {
        size_t used = strlen(list);

        if (strcmp(names[i], name) == 0) {
            *found = i;
            return GTR_OK;
        }
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE, "%.80s: no such %s; did you mean %s?", name, kind,
                        nearest);
    return gtr_fail(err, GTR_EUSAGE, "%.80s: no such %s; must be one of %s", name, kind, list);
}

enum gtr_code gtr_scenario_find(const char *name, const struct gtr_scenario **scenario,
                                struct gtr_err *err)
{
    const char *names[GTR_ARRAY_LEN(scenarios)];
    enum gtr_code rc;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(scenarios); i++)
        names[i] = scenarios[i].name;
    rc = gtr_simulate_find("scenario", name, names, GTR_ARRAY_LEN(scenarios), &i, err);
    if (rc == GTR_OK)
        *scenario = &scenarios[i];
    return rc;
}

double gtr_scenario_get(const struct gtr_scenario_params *params,
                        const struct gtr_scenario_param *param)
{
    double value;

    memcpy(&value, (const char *)params + param->offset, sizeof value);
    return value;
}

static enum gtr_code set_value(struct gtr_scenario_params *params,
                               const struct gtr_scenario_param *param, const char *text,
                               struct gtr_err *err)
{
    char min[GTR_NUMBER_SIZE], max[GTR_NUMBER_SIZE];
    double value;

    if (!gtr_text_number(text, &value))
        return gtr_fail(err, GTR_EUSAGE, "%s=%.80s: is not a number", param->name, text);
    gtr_text_print(param->min, min);
    gtr_text_print(param->max, max);
    if (!(value >= param->min && value <= param->max)) /* false for NaN */
        return gtr_fail(err, GTR_EUSAGE, "%s=%.80s: must be from %s to %s", param->name, text, min,
                        max);
    if (param->whole && value != floor(value))
        return gtr_fail(err, GTR_EUSAGE, "%s=%.80s: must be a whole number from %s to %s",
                        param->name, text, min, max);
    value += 0.0; /* -0 becomes 0 */
    memcpy((char *)params + param->offset, &value, sizeof value);
    return GTR_OK;
}

/* One KEY=VALUE, which is taken apart in place. */
static enum gtr_code set_pair(struct gtr_scenario_params *params, char *pair, struct gtr_err *err)
{
    const char *names[GTR_ARRAY_LEN(params_table)];
    char *equals = strchr(pair, '=');
    enum gtr_code rc;
    size_t i;

    if (equals == NULL)
        return gtr_fail(err, GTR_EUSAGE, "%.80s: must be KEY=VALUE", pair);
    *equals = '\0';
    for (i = 0; i < GTR_ARRAY_LEN(params_table); i++)
        names[i] = params_table[i].name;
    rc = gtr_simulate_find("parameter", pair, names, GTR_ARRAY_LEN(params_table), &i, err);
    return rc == GTR_OK ? set_value(params, &params_table[i], equals + 1, err) : rc;
}

enum gtr_code gtr_scenario_set(struct gtr_scenario_params *params, const char *text,
                               struct gtr_err *err)
{
    char *copy = gtr_strdup(text), *pair = copy;
    enum gtr_code rc = GTR_OK;

    if (copy == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for %zu characters", strlen(text));
    while (rc == GTR_OK && pair != NULL) {
        char *comma = strchr(pair, ',');

        if (comma != NULL)
            *comma = '\0';
        rc = set_pair(params, pair, err);
        pair = comma != NULL ? comma + 1 : NULL;
    }
    gtr_free(copy);
    return rc;
}

enum gtr_code gtr_scenario_start(const struct gtr_scenario *scenario,
                                 struct gtr_scenario_params *params, struct gtr_err *err)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(params_table); i++)
        memcpy((char *)params + params_table[i].offset, &params_table[i].standard, sizeof(double));
    return scenario->settings[0] != '\0' ? gtr_scenario_set(params, scenario->settings, err)
                                         : GTR_OK;
}
