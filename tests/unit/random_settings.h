/* random_settings.h - parameters of any policy, edges included, for tests of kernels. */
#ifndef RANDOM_SETTINGS_H
#define RANDOM_SETTINGS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "params.h"

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> 16;
}

static double uniform(void)
{
    return (double)(next_random() & 0xffffffff) / 4294967296.0;
}

static double one_of(const double *values, size_t n)
{
    return values[next_random() % n];
}
#define ONE_OF(...) \
    one_of((const double[]){ __VA_ARGS__ }, sizeof((double[]){ __VA_ARGS__ }) / sizeof(double))

/* Set: all transitions end within the run, some of them at once and exactly at a step. */
static int short_schedules;

static struct gtr_aggc_params random_aggc(int plain)
{
    struct gtr_aggc_params p = { 0 };

    p.beta = ONE_OF(0.0, 0.5, 0.9, 0.95, 0.999, 1.0);
    p.low = ONE_OF(0.0, 0.3, 0.95, 1.5);
    p.high = ONE_OF(0.0, 0.6, 1.0, 2.0, 8.0, HUGE_VAL);
    p.low_late = ONE_OF(0.0, 0.5, 0.98);
    p.high_late = ONE_OF(0.0, 0.7, 1.2, 3.0);
    p.switch_at = ONE_OF(0.0, 0.25, 0.4, 1.0) + (next_random() % 2 ? 0.0 : uniform() / 8.0);
    p.transition = ONE_OF(0.0, 1e-7, 0.1, 0.3);
    p.schedule = ONE_OF(0.0, 1.0, 1.0);
    if (short_schedules) {
        p.switch_at = ONE_OF(0.25, 0.4, 0.5);
        p.transition = ONE_OF(0.0, 0.0, 0.0625);
    }
    p.min_norm = ONE_OF(0.0, 0.01, 2.0);
    p.max_norm = ONE_OF(0.0, 1.0, 3.0, HUGE_VAL);
    p.raise = ONE_OF(0.0, 1.0);
    p.max_up = ONE_OF(0.0, 0.5, 1.1, 4.0);
    p.max_down = ONE_OF(0.0, 0.1, 0.9, 1.0);
    if (!plain) {
        p.norm_eps = ONE_OF(0.0, 1e-16, 0.5);
        p.init_zero = ONE_OF(0.0, 1.0);
        p.form = ONE_OF(0.0, 1.0, 2.0);
    }
    return p;
}

/* Any parameter of any policy: its default, an end, or something between. */
static double random_value(const struct gtr_param_spec *param)
{
    double most = 4.0 * param->standard + 1.0, value;

    if (param->choices != NULL)
        return (double)(next_random() % (uint64_t)(param->max + 1.0));
    if (strcmp(param->name, "window") == 0 || strcmp(param->name, "warmup") == 0 ||
        strcmp(param->name, "gap") == 0)
        return param->min + (double)(next_random() % 24);
    most = most < param->max ? most : param->max;
    value = ONE_OF(param->standard, param->standard, param->min, 0.0, 1.0);
    if (next_random() % 2)
        value = param->min + uniform() * (most - param->min);
    return value < param->min ? param->min : value > param->max ? param->max : value;
}

static void random_params(enum gtr_policy_id policy, int plain, union gtr_params *params)
{
    const struct gtr_policy_spec *spec = gtr_policy_spec(policy);
    size_t i;

    gtr_params_init(policy, params);
    if (policy == GTR_AGGC) {
        params->aggc = random_aggc(plain);
    } else if (policy == GTR_GLOBAL) {
        params->global.max_norm = ONE_OF(0.0, 1e-3, 1.0, 7.0, 9.0, 1e200, HUGE_VAL);
        params->global.eps = ONE_OF(0.0, 1e-6, 1.0);
        params->global.strict = ONE_OF(0.0, 1.0);
    } else if (policy == GTR_GROUP) {
        params->group.max_norm = ONE_OF(0.0, 1e-3, 1.0, 3.0, 1e200, HUGE_VAL);
        params->group.eps = ONE_OF(0.0, 1e-6, 1.0);
    }
    if (policy == GTR_AGGC || (policy <= GTR_GROUP && plain))
        return;
    for (i = 0; i < spec->n_params; i++)
        if (spec->fit_key == NULL || strcmp(spec->params[i].name, spec->fit_key) != 0)
            gtr_param_set(&spec->params[i], params, random_value(&spec->params[i]));
}

#endif
