/* plan_point.c - what a setting's number means.
 *
 * The point of a setting within its policy gives each axis a value: in a grid by its digit (strides
 * fall from the first axis to the last), in a sample by its part of the axis.  Values are then
 * assigned in the order of the axes, as if they had been typed behind the policy's own entries.
 */
#include "plan_private.h"

#include <math.h>
#include <string.h>

size_t gtr_plan_n_settings(const struct gtr_plan *plan)
{
    return plan->n_settings;
}

size_t gtr_plan_n_policies(const struct gtr_plan *plan)
{
    return plan->n_policies;
}

enum gtr_policy_id gtr_plan_policy_id(const struct gtr_plan *plan, size_t policy)
{
    return gtr_setting_policy(plan->policies[policy].setting);
}

const char *gtr_plan_policy_name(const struct gtr_plan *plan, size_t policy)
{
    return gtr_setting_text(plan->policies[policy].setting);
}

size_t gtr_plan_policy_of(const struct gtr_plan *plan, size_t setting)
{
    size_t p = 0;

    while (p + 1 < plan->n_policies && setting >= plan->policies[p + 1].first)
        p++;
    return p;
}

size_t gtr_plan_first_of(const struct gtr_plan *plan, size_t policy)
{
    return plan->policies[policy].first;
}

size_t gtr_plan_n_knobs(const struct gtr_plan *plan)
{
    return plan->n_axes;
}

const char *gtr_plan_knob_name(const struct gtr_plan *plan, size_t knob)
{
    return plan->axes[knob].name;
}

size_t gtr_plan_knob_policy(const struct gtr_plan *plan, size_t knob)
{
    return plan->axes[knob].policy;
}

bool gtr_plan_knob_is_log(const struct gtr_plan *plan, size_t knob)
{
    return plan->axes[knob].spacing == GTR_SPACED_LOG;
}

size_t gtr_plan_knob_size(const struct gtr_plan *plan, size_t knob)
{
    return plan->sampling == GTR_GRID ? plan->axes[knob].n_values : 0;
}

/* Of a setting of the axis's own policy. */
static double value_at(const struct gtr_plan *plan, const struct gtr_axis *axis, size_t setting)
{
    const struct gtr_planned *policy = &plan->policies[axis->policy];
    const size_t point = setting - policy->first;
    const size_t place = (size_t)(axis - plan->axes) - policy->first_axis;

    if (plan->sampling == GTR_GRID)
        return gtr_axis_pick(axis, point / axis->stride % axis->n_values);
    return gtr_axis_at(axis, gtr_sample_part(plan, axis->policy, place, point));
}

double gtr_plan_knob(const struct gtr_plan *plan, size_t setting, size_t knob)
{
    const struct gtr_axis *axis = &plan->axes[knob];

    if (gtr_plan_policy_of(plan, setting) != axis->policy)
        return (double)NAN;
    return value_at(plan, axis, setting);
}

bool gtr_plan_allows(const struct gtr_plan *plan, size_t setting)
{
    const size_t p = gtr_plan_policy_of(plan, setting);
    const struct gtr_planned *policy = &plan->policies[p];
    union gtr_params params = policy->setting->params;
    bool applied = false;
    size_t i, a;

    for (i = 0; i < plan->n_rules; i++) {
        if (plan->rules[i].policy != p)
            continue;
        for (a = 0; !applied && a < policy->n_axes; a++) {
            const struct gtr_axis *axis = &plan->axes[policy->first_axis + a];

            if (axis->groups == NULL)
                gtr_axis_apply(axis, policy->setting->policy, value_at(plan, axis, setting),
                               &params, 1);
        }
        applied = true;
        if (!gtr_rule_holds(&plan->rules[i], &params))
            return false;
    }
    return true;
}

/* Of the first n_groups groups, before anything is fitted. */
static void bind(const struct gtr_plan *plan, size_t setting, union gtr_params *params,
                 size_t n_groups)
{
    const struct gtr_planned *policy = &plan->policies[gtr_plan_policy_of(plan, setting)];
    size_t a;

    memcpy(params, policy->base, n_groups * sizeof *params);
    for (a = 0; a < policy->n_axes; a++) {
        const struct gtr_axis *axis = &plan->axes[policy->first_axis + a];

        gtr_axis_apply(axis, policy->setting->policy, value_at(plan, axis, setting), params,
                       n_groups);
    }
}

static bool is_fitted(const struct gtr_plan *plan, const struct gtr_planned *policy)
{
    return plan->sorted != NULL && policy->setting->policy->fit != NULL;
}

void gtr_plan_params(const struct gtr_plan *plan, size_t setting, union gtr_params *params)
{
    const struct gtr_planned *policy = &plan->policies[gtr_plan_policy_of(plan, setting)];
    const size_t n_groups = plan->series->n_groups;
    size_t j;

    bind(plan, setting, params, n_groups);
    for (j = 0; is_fitted(plan, policy) && j < n_groups; j++)
        policy->setting->policy->fit(&params[j], plan->sorted + j * plan->n_sorted, plan->n_sorted);
}

bool gtr_plan_is_shared(const struct gtr_plan *plan, size_t policy)
{
    const struct gtr_planned *p = &plan->policies[policy];
    size_t a, j;

    for (a = 0; a < p->n_axes; a++)
        if (plan->axes[p->first_axis + a].groups != NULL)
            return false;
    for (j = 1; j < plan->series->n_groups; j++)
        if (memcmp(&p->base[j], &p->base[0], sizeof p->base[0]) != 0)
            return false;
    return !is_fitted(plan, p);
}

void gtr_plan_params_shared(const struct gtr_plan *plan, size_t setting, union gtr_params *params)
{
    bind(plan, setting, params, 1);
}
