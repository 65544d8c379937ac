/* plan_text.c - settings of a plan, and the plan itself, as text. */
#include "plan_private.h"

#include "alloc.h"
#include "builder.h"

char *gtr_plan_text(const struct gtr_plan *plan, size_t setting)
{
    const struct gtr_planned *policy = &plan->policies[gtr_plan_policy_of(plan, setting)];
    union gtr_params *params = gtr_alloc(plan->series->n_groups, sizeof *params);
    char *text;

    if (params == NULL)
        return NULL;
    gtr_plan_params(plan, setting, params);
    text = gtr_setting_print_bound(policy->setting, (const char *const *)plan->series->names,
                                   plan->series->n_groups, params);
    gtr_free(params);
    return text;
}

static void add_sampling(struct gtr_builder *out, const struct gtr_plan *plan)
{
    static const char *const names[] = { [GTR_GRID] = "grid",
                                         [GTR_RANDOM] = "random",
                                         [GTR_SOBOL] = "sobol",
                                         [GTR_LATIN] = "latin",
                                         [GTR_SALTELLI] = "saltelli" };

    gtr_builder_add(out, "sampling ");
    gtr_builder_add(out, names[plan->sampling]);
    if (plan->sampling != GTR_GRID) {
        gtr_builder_char(out, ' ');
        gtr_builder_count(out, plan->n_samples);
        gtr_builder_add(out, " seed ");
        gtr_builder_count(out, plan->seed);
    }
    gtr_builder_char(out, '\n');
}

static void add_axis(struct gtr_builder *out, const struct gtr_axis *axis)
{
    static const char *const names[] = {
        [GTR_SPACED_LINEAR] = " linear ", [GTR_SPACED_LOG] = " log ", [GTR_SPACED_LOGIT] = " logit "
    };
    size_t i;

    gtr_builder_add(out, "axis ");
    gtr_builder_count(out, axis->policy);
    gtr_builder_char(out, ' ');
    gtr_builder_add(out, axis->name);
    if (axis->values != NULL) {
        gtr_builder_add(out, " list");
        for (i = 0; i < axis->n_values; i++) {
            gtr_builder_char(out, ' ');
            gtr_builder_number(out, axis->values[i]);
        }
    } else {
        gtr_builder_add(out, names[axis->spacing]);
        gtr_builder_number(out, axis->low);
        gtr_builder_char(out, ' ');
        gtr_builder_number(out, axis->high);
        gtr_builder_char(out, ' ');
        gtr_builder_count(out, axis->n_values);
    }
    gtr_builder_char(out, '\n');
}

static void add_rule(struct gtr_builder *out, const struct gtr_rule *rule)
{
    size_t s;

    gtr_builder_add(out, "constraint ");
    gtr_builder_count(out, rule->policy);
    gtr_builder_char(out, ' ');
    for (s = 0; s < 2; s++) {
        if (rule->param[s] != NULL)
            gtr_builder_add(out, rule->param[s]->name);
        else
            gtr_builder_number(out, rule->number[s]);
        if (s == 0) {
            gtr_builder_char(out, rule->above ? '>' : '<');
            gtr_builder_add(out, rule->strict ? "" : "=");
        }
    }
    gtr_builder_char(out, '\n');
}

char *gtr_plan_describe(const struct gtr_plan *plan)
{
    struct gtr_builder out = { 0 };
    size_t i;

    add_sampling(&out, plan);
    for (i = 0; i < plan->n_policies; i++) {
        char *text = gtr_setting_print(plan->policies[i].setting);

        if (text == NULL) {
            gtr_builder_free(&out);
            return NULL;
        }
        gtr_builder_add(&out, "policy ");
        gtr_builder_count(&out, i);
        gtr_builder_char(&out, ' ');
        gtr_builder_add(&out, text);
        gtr_builder_char(&out, '\n');
        gtr_free(text);
    }
    for (i = 0; i < plan->n_axes; i++)
        add_axis(&out, &plan->axes[i]);
    for (i = 0; i < plan->n_rules; i++)
        add_rule(&out, &plan->rules[i]);
    return gtr_builder_take(&out);
}
