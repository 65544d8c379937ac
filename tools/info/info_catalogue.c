/* info_catalogue.c - the policies, presets and rules, as the library's own tables have them.
 *
 * Names stand in the first column and everything else is indented, so that `grep '^[a-z]'` lists
 * them; the shell completion does that.
 */
#include "info_found.h"

#include <math.h>
#include <string.h>

enum { NAME_WIDTH = 11, VALUE_WIDTH = 8, RANGE_WIDTH = 16, SOURCE_WIDTH = 24 };

/* Word `index` of "code|paper|fixed". */
static void put_word(char *out, size_t size, const char *choices, size_t index)
{
    while (index-- > 0)
        choices += strcspn(choices, "|") + 1;
    snprintf(out, size, "%.*s", (int)strcspn(choices, "|"), choices);
}

static void describe_range(char *out, size_t size, const struct gtr_param_spec *param)
{
    char min[GTR_NUMBER_SIZE], max[GTR_NUMBER_SIZE];

    if (param->choices != NULL) {
        snprintf(out, size, "%s", param->choices);
        return;
    }
    gtr_text_print(param->min, min);
    gtr_text_print(param->max, max);
    if (isinf(param->max))
        snprintf(out, size, "at least %s", min);
    else
        snprintf(out, size, "%s to %s", min, max);
}

static void put_param(FILE *f, const struct gtr_param_spec *param)
{
    char value[64], range[80];

    if (param->choices != NULL)
        put_word(value, sizeof value, param->choices, (size_t)param->standard);
    else
        gtr_text_print(param->standard, value);
    describe_range(range, sizeof range, param);
    fprintf(f, "  %-*s %-*s %-*s %-*s %s\n", NAME_WIDTH, param->name, VALUE_WIDTH, value,
            RANGE_WIDTH, range, SOURCE_WIDTH, param->source, param->help);
}

static void put_policy(FILE *f, const struct gtr_policy_spec *policy)
{
    size_t i;

    fprintf(f, "%s\n  %s\n  source: %s\n", policy->name, policy->summary, policy->source);
    if (policy->n_params > 0)
        fprintf(f, "\n  %-*s %-*s %-*s %-*s %s\n", NAME_WIDTH, "parameter", VALUE_WIDTH, "default",
                RANGE_WIDTH, "allowed", SOURCE_WIDTH, "source", "meaning");
    for (i = 0; i < policy->n_params; i++)
        put_param(f, &policy->params[i]);
    if (policy->per_group != NULL)
        fprintf(f, "  GROUP=VALUE is short for %s@GROUP=VALUE\n", policy->per_group);
    fputc('\n', f);
}

void info_policies(FILE *f)
{
    const struct gtr_preset *presets;
    size_t n_presets, i;

    fputs("Write a policy as NAME[:KEY=VALUE,...]\n"
          "  KEY@GROUP=VALUE sets a parameter for the groups that match a glob; a later entry\n"
          "  counts over an earlier one.\n\n"
          "Policies\n\n",
          f);
    for (i = 0; i < GTR_POLICY_COUNT; i++)
        put_policy(f, gtr_policy_spec((enum gtr_policy_id)i));
    fputs("Presets, which are policies with other defaults\n", f);
    presets = gtr_presets(&n_presets);
    for (i = 0; i < n_presets; i++)
        fprintf(f, "\n%s\n  %s\n  source: %s\n  %s:%s\n", presets[i].name, presets[i].summary,
                presets[i].source, gtr_policy_spec(presets[i].id)->name, presets[i].text);
}

void info_group_rules(FILE *f)
{
    size_t n_rules, i;
    const struct gtr_group_rule *rules = gtr_group_rules(&n_rules);

    for (i = 0; i < n_rules; i++)
        fprintf(f, "%-13s %s\n", rules[i].name, rules[i].help);
}
