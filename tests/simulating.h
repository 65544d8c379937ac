/* simulating.h - synthetic traces made, read back, and their truth, for tests. */
#ifndef SIMULATING_H
#define SIMULATING_H

#include <json-c/json.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "scratch.h"

static inline struct gtr_simulation asked(const char *name, const char *settings)
{
    const struct gtr_scenario *scenario = NULL;
    struct gtr_simulation simulation;
    struct gtr_err err = { 0 };

    if (gtr_scenario_find(name, &scenario, &err) != GTR_OK ||
        gtr_simulation_start(&simulation, scenario, &err) != GTR_OK ||
        (settings != NULL && gtr_scenario_set(&simulation.params, settings, &err) != GTR_OK)) {
        printf("%s: %s\n", name, err.text);
        abort();
    }
    return simulation;
}

struct run {
    struct gtr_trace *trace;
    struct gtr_groups *groups;
    struct gtr_series *series;
    struct json_object *meta, *truth;
};

static inline struct run run_of(const struct gtr_simulation *simulation, const char *group_by)
{
    const char *path = scratch_path("run.h5");
    struct json_object *simulated;
    struct gtr_err err = { 0 };
    struct run run = { 0 };

    if (gtr_simulation_write(simulation, path, true, &err) != GTR_OK ||
        gtr_trace_open(path, &run.trace, &err) != GTR_OK ||
        gtr_groups_new(group_by, gtr_trace_head(run.trace), &run.groups, &err) != GTR_OK ||
        gtr_series_read(run.trace, run.groups, 1, &run.series, &err) != GTR_OK) {
        printf("%s: %s\n", simulation->scenario->name, err.text);
        abort();
    }
    run.meta = json_tokener_parse(gtr_trace_head(run.trace)->meta);
    if (!json_object_object_get_ex(run.meta, "simulated", &simulated) ||
        !json_object_object_get_ex(simulated, "truth", &run.truth))
        abort();
    return run;
}

static inline struct run run_named(const char *name, const char *settings)
{
    struct gtr_simulation simulation = asked(name, settings);

    return run_of(&simulation, NULL);
}

static inline void run_close(struct run *run)
{
    json_object_put(run->meta);
    gtr_series_free(run->series);
    gtr_groups_free(run->groups);
    gtr_trace_close(run->trace);
}

static inline double norm(const struct run *run, size_t j, size_t t)
{
    return sqrt(run->series->sumsq[j * run->series->n_steps + t]);
}

static inline double truth_number(const struct run *run, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(run->truth, key, &value) ? json_object_get_double(value)
                                                              : (double)NAN;
}

#endif
