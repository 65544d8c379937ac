/* plan.c - make a plan: all that can be wrong with one is found here, before anything runs. */
#include "plan_private.h"

#include <string.h>

#include "alloc.h"
#include "order.h"

static enum gtr_code read_policies(struct gtr_plan *plan, const struct gtr_plan_options *options,
                                   struct gtr_err *err)
{
    const struct gtr_series *series = plan->series;
    enum gtr_code rc;
    size_t p;

    if (options->n_policies == 0)
        return gtr_fail(err, GTR_EUSAGE, "sweep: there is no policy to sweep; name one");
    rc = gtr_alloc_for(&plan->policies, options->n_policies, sizeof *plan->policies, "policies",
                       err);
    for (p = 0; rc == GTR_OK && p < options->n_policies; p++) {
        struct gtr_planned *policy = &plan->policies[p];

        plan->n_policies = p + 1;
        rc = gtr_setting_parse(options->policies[p], &policy->setting, err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&policy->base, series->n_groups, sizeof *policy->base, "lanes", err);
        if (rc == GTR_OK)
            rc = gtr_setting_bind(policy->setting, (const char *const *)series->names,
                                  series->n_groups, policy->base, err);
    }
    return rc;
}

static enum gtr_code read_axes(struct gtr_plan *plan, const struct gtr_plan_options *options,
                               struct gtr_err *err)
{
    enum gtr_code rc;
    size_t p, i;

    for (i = 0; i < options->n_axes; i++)
        if (options->axes[i].policy >= plan->n_policies)
            return gtr_fail(err, GTR_EUSAGE, "%.80s: is for policy %zu, and there are %zu",
                            options->axes[i].text, options->axes[i].policy, plan->n_policies);
    rc = gtr_alloc_for(&plan->axes, options->n_axes, sizeof *plan->axes, "axes", err);
    for (p = 0; rc == GTR_OK && p < plan->n_policies; p++) {
        struct gtr_planned *policy = &plan->policies[p];

        policy->first_axis = plan->n_axes;
        for (i = 0; rc == GTR_OK && i < options->n_axes; i++) {
            if (options->axes[i].policy != p)
                continue;
            plan->axes[plan->n_axes].policy = p;
            rc = gtr_axis_parse(&plan->axes[plan->n_axes++], policy->setting, options->axes[i].text,
                                plan->replay, err);
        }
        policy->n_axes = plan->n_axes - policy->first_axis;
    }
    return rc;
}

/* Does setting `later` in a group undo what `axis` set there, whatever its value?  It does if it
 * sets the same parameter; and a limit puts its quantile back, and a quantile that is asked for its
 * limit. */
static bool undoes(const struct gtr_axis *later, const struct gtr_axis *axis,
                   const struct gtr_policy_spec *policy)
{
    static const double mark = 0.5; /* no default of a limit or a quantile */
    const size_t n = later->values != NULL ? later->n_values : 1;
    union gtr_params params;
    size_t i;

    if (later->param == axis->param)
        return true;
    gtr_params_init(policy->id, &params);
    for (i = 0; i < n; i++) {
        gtr_param_set(axis->param, &params, mark);
        gtr_setting_assign(policy, later->param, &params, gtr_axis_pick(later, i));
        if (gtr_param_get(axis->param, &params) == mark)
            return false;
    }
    return true;
}

static bool writes(const struct gtr_axis *axis, size_t group)
{
    size_t i;

    for (i = 0; axis->groups != NULL && i < axis->n_groups; i++)
        if (axis->groups[i] == group)
            return true;
    return axis->groups == NULL;
}

/* The axis after `axis` that undoes it in all of its groups, or NULL.  (Several that do so only
 * together are let through.) */
static const struct gtr_axis *undone_by(const struct gtr_plan *plan, const struct gtr_axis *axis)
{
    const struct gtr_planned *policy = &plan->policies[axis->policy];
    const struct gtr_axis *later, *end = plan->axes + policy->first_axis + policy->n_axes;
    size_t i;

    for (later = axis + 1; later < end; later++) {
        if (!undoes(later, axis, policy->setting->policy))
            continue;
        for (i = 0; i < axis->n_groups; i++)
            if (!writes(later, axis->groups != NULL ? axis->groups[i] : i))
                break;
        if (i == axis->n_groups)
            return later;
    }
    return NULL;
}

static enum gtr_code check_axes(const struct gtr_plan *plan, struct gtr_err *err)
{
    size_t i;

    for (i = 0; i < plan->n_axes; i++) {
        const struct gtr_axis *axis = &plan->axes[i], *later = undone_by(plan, axis);
        const char *name = plan->policies[axis->policy].setting->name;

        if (later == NULL)
            continue;
        if (strcmp(later->name, axis->name) == 0)
            return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: has values twice; write one list", name,
                            axis->name);
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s: is replaced everywhere by %.80s, which comes later; leave "
                        "one out, or put the general before the particular",
                        name, axis->name, later->name);
    }
    return GTR_OK;
}

/* Strides from the last axis back; false if the product passes the limit. */
static bool number_grid(struct gtr_plan *plan, struct gtr_planned *policy)
{
    size_t a;

    policy->n_settings = 1;
    for (a = policy->n_axes; a-- > 0;) {
        struct gtr_axis *axis = &plan->axes[policy->first_axis + a];

        axis->stride = policy->n_settings;
        if (axis->n_values > GTR_PLAN_SETTINGS_MAX / policy->n_settings)
            return false;
        policy->n_settings *= axis->n_values;
    }
    return true;
}

static enum gtr_code check_sample(const struct gtr_plan *plan, struct gtr_err *err)
{
    size_t p;

    if (plan->sampling == GTR_GRID)
        return GTR_OK;
    if (plan->n_samples < 1 || plan->n_samples > GTR_PLAN_SETTINGS_MAX)
        return gtr_fail(err, GTR_EUSAGE, "sweep: a sample of %zu points: must be from 1 to %d",
                        plan->n_samples, GTR_PLAN_SETTINGS_MAX);
    for (p = 0; plan->sampling == GTR_SOBOL && p < plan->n_policies; p++)
        if (plan->policies[p].n_axes > GTR_SOBOL_DIMENSIONS)
            return gtr_fail(err, GTR_EUSAGE,
                            "%.60s: a Sobol sample has at most %d axes, and here are %zu; use "
                            "latin or random",
                            plan->policies[p].setting->name, GTR_SOBOL_DIMENSIONS,
                            plan->policies[p].n_axes);
    return GTR_OK;
}

static enum gtr_code number_settings(struct gtr_plan *plan, struct gtr_err *err)
{
    size_t p, a;

    for (p = 0; p < plan->n_policies; p++) {
        struct gtr_planned *policy = &plan->policies[p];
        bool fits = true;

        policy->first = plan->n_settings;
        if (plan->sampling == GTR_GRID || policy->n_axes == 0)
            fits = number_grid(plan, policy);
        else
            policy->n_settings =
                plan->n_samples * (plan->sampling == GTR_SALTELLI ? policy->n_axes + 2 : 1);
        if (!fits || policy->n_settings > GTR_PLAN_SETTINGS_MAX - plan->n_settings)
            return gtr_fail(err, GTR_EUSAGE,
                            "sweep: more than %d settings; take fewer values, or a sample of them",
                            GTR_PLAN_SETTINGS_MAX);
        plan->n_settings += policy->n_settings;
        for (a = 0; plan->sampling == GTR_SOBOL && a < policy->n_axes; a++)
            gtr_sobol_direction(a, plan->axes[policy->first_axis + a].direction);
    }
    return GTR_OK;
}

/* Does any lane of any setting ask for a quantile of its norms? */
static bool asks_for_norms(const struct gtr_plan *plan)
{
    size_t p, i;

    for (p = 0; p < plan->n_policies; p++) {
        const struct gtr_planned *policy = &plan->policies[p];
        const struct gtr_policy_spec *spec = policy->setting->policy;
        const struct gtr_param_spec *key;

        if (spec->fit == NULL)
            continue;
        key = gtr_param_find(spec, spec->fit_key);
        for (i = 0; i < policy->n_axes; i++)
            if (plan->axes[policy->first_axis + i].param == key)
                return true;
        for (i = 0; i < plan->series->n_groups; i++)
            if (gtr_param_get(key, &policy->base[i]) >= 0.0)
                return true;
    }
    return false;
}

/* Every group has as many norms: those of the steps without NaN or infinity. */
static enum gtr_code sort_norms(struct gtr_plan *plan, struct gtr_err *err)
{
    const struct gtr_series *series = plan->series;
    double *scratch = NULL;
    enum gtr_code rc;
    size_t j, t;

    if (!asks_for_norms(plan))
        return GTR_OK;
    rc = gtr_alloc_for(&scratch, 2 * series->n_steps, sizeof *scratch, "norms", err);
    if (rc != GTR_OK)
        return rc;
    for (t = 0; t < series->n_steps; t++)
        plan->n_sorted += !series->nonfinite[t];
    rc = gtr_alloc_for(&plan->sorted, series->n_groups * plan->n_sorted, sizeof *plan->sorted,
                       "norms", err);
    for (j = 0; rc == GTR_OK && j < series->n_groups; j++) {
        gtr_replay_norms(plan->replay, j, scratch);
        gtr_order_sort(scratch, scratch + series->n_steps, plan->n_sorted);
        memcpy(plan->sorted + j * plan->n_sorted, scratch, plan->n_sorted * sizeof *scratch);
    }
    gtr_free(scratch);
    return rc;
}

enum gtr_code gtr_plan_new(const struct gtr_plan_options *options, const struct gtr_replay *replay,
                           struct gtr_plan **out, struct gtr_err *err)
{
    struct gtr_plan *plan;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&plan, 1, sizeof *plan, "plans", err);
    if (rc != GTR_OK)
        return rc;
    plan->replay = replay;
    plan->series = gtr_replay_series(replay);
    plan->sampling = options->sampling;
    plan->n_samples = options->n_samples;
    plan->seed = options->seed;
    rc = read_policies(plan, options, err);
    if (rc == GTR_OK)
        rc = read_axes(plan, options, err);
    if (rc == GTR_OK)
        rc = check_axes(plan, err);
    if (rc == GTR_OK)
        rc = check_sample(plan, err);
    if (rc == GTR_OK)
        rc = number_settings(plan, err);
    if (rc == GTR_OK)
        rc = gtr_rules_parse(plan, options->constraints, options->n_constraints, err);
    if (rc == GTR_OK)
        rc = sort_norms(plan, err);
    if (rc == GTR_OK)
        *out = plan;
    else
        gtr_plan_free(plan);
    return rc;
}

void gtr_plan_free(struct gtr_plan *plan)
{
    size_t i;

    if (plan == NULL)
        return;
    for (i = 0; i < plan->n_axes; i++)
        gtr_axis_clear(&plan->axes[i]);
    for (i = 0; i < plan->n_policies; i++) {
        gtr_setting_free(plan->policies[i].setting);
        gtr_free(plan->policies[i].base);
    }
    gtr_free(plan->axes);
    gtr_free(plan->policies);
    gtr_free(plan->rules);
    gtr_free(plan->sorted);
    gtr_free(plan);
}
