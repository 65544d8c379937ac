/* fuzz_plan.c - any text as the policies, axes and constraints of a sweep.
 *
 *     line 1    sampling, points, seed: three characters
 *     "p..."    a policy, as after -p
 *     "c..."    a constraint
 *     others    an axis of the policy before it
 *
 * The properties: a plan is made or refused with a reason; made twice it is the same; a setting's
 * text, replayed, is replayed with the setting's parameters, bit for bit; the value of a knob that
 * a policy does not have is NaN, and only that.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradtrace_lab.h"
#include "plan.h"
#include "unit/planning.h"

enum { MOST = 12, SETTINGS = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

/* The options that a text stands for, whose lines it is cut into. */
struct asked {
    char *text;
    const char *policies[MOST];
    struct gtr_axis_text axes[MOST];
    const char *constraints[MOST];
    struct gtr_plan_options options;
};

static void take_line(struct asked *asked, const char *line)
{
    struct gtr_plan_options *o = &asked->options;

    if (line[0] == 'p' && o->n_policies < MOST)
        asked->policies[o->n_policies++] = line + 1;
    else if (line[0] == 'c' && o->n_constraints < MOST)
        asked->constraints[o->n_constraints++] = line + 1;
    else if (line[0] != 'p' && line[0] != 'c' && o->n_axes < MOST && o->n_policies > 0)
        asked->axes[o->n_axes++] = (struct gtr_axis_text){ o->n_policies - 1, line };
}

static void ask(struct asked *asked, const uint8_t *data, size_t size)
{
    struct gtr_plan_options *o = &asked->options;
    char *line, *end;

    *asked = (struct asked){ .text = calloc(size + 4, 1) };
    must(asked->text != NULL);
    memcpy(asked->text, data, size);
    *o = (struct gtr_plan_options){ .policies = asked->policies,
                                    .axes = asked->axes,
                                    .constraints = asked->constraints,
                                    .sampling = (enum gtr_sampling)(asked->text[0] & 3),
                                    .n_samples = (size_t)(asked->text[1] & 15),
                                    .seed = (uint64_t)(asked->text[2] & 1) };
    if ((asked->text[0] & 7) == 7)
        o->sampling = GTR_SALTELLI;
    line = strchr(asked->text, '\n');
    for (line = line != NULL ? line + 1 : NULL; line != NULL; line = end) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        take_line(asked, line);
    }
}

static void must_equal(enum gtr_policy_id id, const union gtr_params *a, const union gtr_params *b)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(id);
    size_t i, j;

    for (i = 0; i < PLANNING_GROUPS; i++)
        for (j = 0; j < policy->n_params; j++) {
            double x = gtr_param_get(&policy->params[j], &a[i]);
            double y = gtr_param_get(&policy->params[j], &b[i]);

            must(memcmp(&x, &y, sizeof x) == 0);
        }
}

static void check_setting(const struct gtr_plan *plan, size_t i)
{
    size_t policy = gtr_plan_policy_of(plan, i), k;
    enum gtr_policy_id id = gtr_plan_policy_id(plan, policy);
    union gtr_params params[PLANNING_GROUPS];
    char *text = gtr_plan_text(plan, i);
    struct gtr_decisions *decisions;
    struct gtr_setting *setting;

    for (k = 0; k < gtr_plan_n_knobs(plan); k++)
        must(isnan(gtr_plan_knob(plan, i, k)) == (gtr_plan_knob_policy(plan, k) != policy));
    must(text != NULL);
    if (gtr_plan_allows(plan, i)) {
        gtr_plan_params(plan, i, params);
        must(gtr_setting_parse(text, &setting, NULL) == GTR_OK);
        must(gtr_setting_policy(setting) == id);
        must(gtr_replay_run(planning_replay(), setting, &decisions, NULL) == GTR_OK);
        must_equal(id, params, decisions->params);
        gtr_decisions_free(decisions);
        gtr_setting_free(setting);
    }
    gtr_free(text);
}

static struct gtr_plan *make(const struct gtr_plan_options *options)
{
    struct gtr_plan *plan = NULL;
    struct gtr_err err = { 0 };

    if (gtr_plan_new(options, planning_replay(), &plan, &err) == GTR_OK)
        return plan;
    must(plan == NULL && err.code != GTR_OK && err.text[0] != '\0');
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asked asked;
    struct gtr_plan *plan, *again;
    char *one, *other;
    size_t n, i;

    ask(&asked, data, size);
    plan = make(&asked.options);
    if (plan != NULL) {
        again = make(&asked.options);
        must(again != NULL);
        one = gtr_plan_describe(plan);
        other = gtr_plan_describe(again);
        must(one != NULL && other != NULL && strcmp(one, other) == 0);
        n = gtr_plan_n_settings(plan);
        for (i = 0; i < n && i < SETTINGS; i++)
            check_setting(plan, n > SETTINGS ? i * (n / SETTINGS) : i);
        check_setting(plan, n - 1);
        gtr_free(one);
        gtr_free(other);
        gtr_plan_free(again);
    }
    gtr_plan_free(plan);
    free(asked.text);
    return 0;
}
