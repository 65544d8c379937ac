/* test_setting.c - "NAME:KEY=VALUE,..." to parameters and back. */
#include "check.h"

#include <stdlib.h>

#include "gradtrace_lab.h"

static const char *const three[] = { "q_proj", "k_proj", "norm" };

static struct gtr_setting *parse(const char *text)
{
    struct gtr_setting *setting;
    struct gtr_err err = { 0 };

    gtr_setting_parse(text, &setting, &err);
    CHECK_TEXT(err.text, "");
    return setting;
}

/* A parameter by name. */
static double get(const struct gtr_setting *setting, const union gtr_params *params,
                  const char *name)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(gtr_setting_policy(setting));
    const struct gtr_param_spec *param = gtr_param_find(policy, name);

    return param != NULL ? gtr_param_get(param, params) : -12345.0;
}

/* One parameter of a setting as it would be for a group that nothing names. */
static double value_of(const char *text, const char *name)
{
    static const char *const group[] = { "some group" };
    struct gtr_setting *setting = parse(text);
    union gtr_params params[1];
    double value = NAN;

    if (setting != NULL && gtr_setting_bind(setting, group, 1, params, NULL) == GTR_OK)
        value = get(setting, params, name);
    gtr_setting_free(setting);
    return value;
}

/* Parses, and holds the error to its code and its whole text. */
static void check_refused(const char *text, const char *wanted)
{
    struct gtr_setting *setting = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_setting_parse(text, &setting, &err) == GTR_EUSAGE);
    CHECK(setting == NULL);
    CHECK_TEXT(err.text, wanted);
    gtr_setting_free(setting);
}

static void check_prints(const char *text, const char *wanted)
{
    struct gtr_setting *setting = parse(text);
    char *printed = gtr_setting_print(setting);

    CHECK_TEXT(printed, wanted);
    gtr_free(printed);
    gtr_setting_free(setting);
}

static void a_name_alone_takes_all_defaults(void)
{
    struct gtr_setting *setting = parse("aggc");

    CHECK(gtr_setting_policy(setting) == GTR_AGGC);
    CHECK_TEXT(gtr_setting_text(setting), "aggc");
    CHECK_TEXT(gtr_setting_name(setting), "aggc");
    gtr_setting_free(setting);
    CHECK_BITS(value_of("aggc", "beta"), 0.95);
    CHECK_BITS(value_of("global", "max_norm"), 1.0);
    CHECK_BITS(value_of("global", "eps"), 1e-6);
    CHECK_BITS(value_of("group", "quantile"), -1.0);
}

static void values_are_numbers_or_words(void)
{
    CHECK_BITS(value_of("global:max_norm=0.25", "max_norm"), 0.25);
    CHECK_BITS(value_of("global:max_norm=2.5e-3", "max_norm"), 2.5e-3);
    CHECK_BITS(value_of("global:max_norm=inf", "max_norm"), HUGE_VAL);
    CHECK_BITS(value_of("global:max_norm=-0", "max_norm"), 0.0);
    CHECK_BITS(value_of("aggc:form=paper", "form"), 1.0);
    CHECK_BITS(value_of("aggc:form=fixed", "form"), 2.0);
    CHECK_BITS(value_of("aggc:init=zero", "init"), 1.0);
    CHECK_BITS(value_of("aggc:schedule=none", "schedule"), 0.0);
}

static void switches_can_be_written_in_many_ways(void)
{
    static const char *const on[] = { "on", "yes", "true", "1", "True" };
    static const char *const off[] = { "off", "no", "false", "0", "False" };
    char text[64];
    size_t i;

    for (i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "aggc:raise=%s", on[i]);
        CHECK_BITS(value_of(text, "raise"), 1.0);
        snprintf(text, sizeof text, "aggc:raise=on,raise=%s", off[i]);
        CHECK_BITS(value_of(text, "raise"), 0.0);
    }
    check_refused("aggc:form=1", "aggc: form=1: must be one of code, paper, fixed");
    check_refused("aggc:raise=2", "aggc: raise=2: must be one of off, on");
}

static void a_preset_is_its_text_and_what_follows_overrides_it(void)
{
    struct gtr_setting *setting = parse("aggc-code-lora:max_down=0.5");

    CHECK_TEXT(gtr_setting_name(setting), "aggc-code-lora");
    CHECK_TEXT(gtr_setting_text(setting), "aggc-code-lora:max_down=0.5");
    CHECK(gtr_setting_policy(setting) == GTR_AGGC);
    gtr_setting_free(setting);
    CHECK_BITS(value_of("aggc-code-lora:max_down=0.5", "max_down"), 0.5);
    CHECK_BITS(value_of("aggc-code-lora:max_down=0.5", "max_up"), 1.1);
    CHECK_BITS(value_of("aggc-code-lora:max_down=0.5", "min_norm"), 0.01);
    CHECK_BITS(value_of("aggc-paper", "high_late"), 1.2);
    CHECK_BITS(value_of("aggc-code-grpo", "switch"), 0.6);
}

static void the_later_of_two_entries_counts(void)
{
    CHECK_BITS(value_of("aggc:beta=0.5,beta=0.75", "beta"), 0.75);
    check_prints("aggc:beta@q=0.5,beta=0.75", "aggc:beta=0.75");
    check_prints("aggc:beta=0.75,beta@q=0.5", "aggc:beta=0.75,beta@q=0.5");
}

static void overrides_apply_in_order_to_what_their_glob_matches(void)
{
    struct gtr_setting *setting =
        parse("aggc:beta=0.5,beta@*_proj=0.25,beta@k_*=0.125,high@[!q]*=3");
    union gtr_params params[3];

    CHECK(gtr_setting_bind(setting, three, 3, params, NULL) == GTR_OK);
    CHECK_BITS(params[0].aggc.beta, 0.25);
    CHECK_BITS(params[1].aggc.beta, 0.125);
    CHECK_BITS(params[2].aggc.beta, 0.5);
    CHECK_BITS(params[0].aggc.high, 2.0);
    CHECK_BITS(params[1].aggc.high, 3.0);
    CHECK_BITS(params[2].aggc.high, 3.0);
    gtr_setting_free(setting);
}

static void a_group_alone_is_short_for_its_limit(void)
{
    struct gtr_setting *setting = parse("group:max_norm=2,q_proj=0.5,?_proj=0.25,max_norm@q*=1");
    union gtr_params params[3];

    CHECK(gtr_setting_bind(setting, three, 3, params, NULL) == GTR_OK);
    CHECK_BITS(params[0].group.max_norm, 1.0);
    CHECK_BITS(params[1].group.max_norm, 0.25);
    CHECK_BITS(params[2].group.max_norm, 2.0);
    gtr_setting_free(setting);
    check_refused("aggc:q_proj=0.5",
                  "aggc: q_proj: no such parameter; it has beta, low, high, low_late, high_late, "
                  "switch, transition, schedule, min_norm, max_norm, raise, max_up, max_down, "
                  "norm_eps, init, form");
}

/* A limit that the user typed must not be replaced by one that is computed, and the other way
 * round: the later one counts. */
static void a_limit_and_a_quantile_replace_each_other(void)
{
    struct gtr_setting *setting = parse("group:quantile=0.75,q_proj=0.5");
    union gtr_params params[3];

    CHECK(gtr_setting_bind(setting, three, 3, params, NULL) == GTR_OK);
    CHECK_BITS(params[0].group.max_norm, 0.5);
    CHECK_BITS(params[0].group.quantile, -1.0);
    CHECK_BITS(params[1].group.quantile, 0.75);
    gtr_setting_free(setting);
    CHECK_BITS(value_of("group:quantile=0.75,max_norm=3", "quantile"), -1.0);
    CHECK_BITS(value_of("group:quantile=0.75,max_norm=3", "max_norm"), 3.0);
    CHECK_BITS(value_of("group:max_norm=3,quantile=0.75", "quantile"), 0.75);
    CHECK_BITS(value_of("group:max_norm=3,quantile=0.75", "max_norm"), 1.0);
    CHECK_BITS(value_of("group:max_norm=3,quantile=-1", "max_norm"), 3.0);
    CHECK_BITS(value_of("group:quantile=-0.5", "quantile"), -1.0);
    check_prints("group:q_proj=0.5,quantile=0.75", "group:quantile=0.75");
    check_prints("group:quantile=0.75,q_proj=0.5", "group:quantile=0.75,q_proj=0.5");
}

static void wrong_values_are_told_with_their_range(void)
{
    check_refused("aggc:beta=2", "aggc: beta=2: must be from 0 to 1");
    check_refused("aggc:beta=-0.1", "aggc: beta=-0.1: must be from 0 to 1");
    check_refused("aggc:beta=nan", "aggc: beta=nan: must be from 0 to 1");
    check_refused("global:max_norm=nan", "global: max_norm=nan: must be at least 0");
    check_refused("global:max_norm=-1", "global: max_norm=-1: must be at least 0");
    check_refused("aggc:high=inf", "aggc: high=inf: must be from 0 to 1000000");
    check_refused("aggc:beta=0.9x", "aggc: beta=0.9x: is not a number");
    check_refused("aggc:beta=", "aggc: beta=: is not a number");
    check_refused("aggc:beta@q=0,5", "aggc: 5: has no value; write 5=VALUE");
    check_refused("aggc-paper:beta=2", "aggc-paper: beta=2: must be from 0 to 1");
    check_refused("group:q_proj=-1", "group: q_proj=-1: must be at least 0");
    check_refused("aggc:form=papre",
                  "aggc: form=papre: must be one of code, paper, fixed; did you mean paper?");
    check_refused("aggc:form=", "aggc: form=: must be one of code, paper, fixed");
}

static void wrong_names_are_answered_with_the_nearest(void)
{
    struct gtr_setting *setting;
    struct gtr_err err = { 0 };

    /* Nothing is near; then all that there is. */
    CHECK(gtr_setting_parse("", &setting, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, ": no such policy or preset; there are none, global, group, aggc, ");
    CHECK_HOLDS(err.text, ", aggc-paper, aggc-code-lora");
    check_refused("agcg", "agcg: no such policy or preset; did you mean aggc?");
    check_refused("aggc-code-lara", "aggc-code-lara: no such policy or preset; did you mean "
                                    "aggc-code-lora?");
    check_refused("aggc:bate=0.5", "aggc: bate: no such parameter; did you mean beta?");
    check_refused("aggc:bate@q=0.5", "aggc: bate: no such parameter; did you mean beta?");
    check_refused("none:x=1", "none: x: this policy has no parameters");
    check_refused("aggc:beta", "aggc: beta: has no value; write beta=VALUE");
    check_refused("aggc:", "aggc: an entry is empty; write aggc:KEY=VALUE,...");
    check_refused("aggc:beta=0.5,", "aggc: an entry is empty; write aggc:KEY=VALUE,...");
    check_refused("aggc:,beta=0.5", "aggc: an entry is empty; write aggc:KEY=VALUE,...");
}

static void check_unbound(const char *text, const char *wanted)
{
    struct gtr_setting *setting = parse(text);
    union gtr_params params[3];
    struct gtr_err err = { 0 };

    CHECK(gtr_setting_bind(setting, three, 3, params, &err) == GTR_EUSAGE);
    CHECK_TEXT(err.text, wanted);
    gtr_setting_free(setting);
}

/* A list that does not fit says that it goes on. */
static void many_groups_are_told_in_part(void)
{
    static char names[200][16];
    const char *groups[200];
    union gtr_params params[200];
    struct gtr_setting *setting = parse("aggc:beta@experts=0.5");
    struct gtr_err err = { 0 };
    size_t i;

    for (i = 0; i < 200; i++) {
        snprintf(names[i], sizeof names[i], "layers.%zu", i);
        groups[i] = names[i];
    }
    CHECK(gtr_setting_bind(setting, groups, 200, params, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "aggc: experts: matches none of the groups layers.0, layers.1, ");
    CHECK_TEXT(err.text + strlen(err.text) - 5, ", ...");
    gtr_setting_free(setting);
}

static void a_group_that_is_not_there_is_an_error(void)
{
    check_unbound("group:q_prj=1", "group: q_prj: no such group; did you mean q_proj?");
    check_unbound("group:max_nrm=1",
                  "group: max_nrm: no such group or parameter; did you mean max_norm?");
    check_unbound("aggc:beta@experts=0.5",
                  "aggc: experts: matches none of the groups q_proj, k_proj, norm");
    check_unbound("aggc:beta@*_prj=0.5", "aggc: *_prj: no such group; did you mean q_proj?");
}

/* --- the catalogue ---------------------------------------------------------------------------- */

static void the_catalogue_is_consistent(void)
{
    const struct gtr_preset *presets;
    size_t n_presets, i, k;

    for (i = 0; i < GTR_POLICY_COUNT; i++) {
        const struct gtr_policy_spec *policy = gtr_policy_spec((enum gtr_policy_id)i);

        CHECK(policy->id == (enum gtr_policy_id)i);
        CHECK(gtr_policy_find(policy->name) == policy);
        CHECK(gtr_preset_find(policy->name) == NULL);
        CHECK(policy->summary != NULL && policy->source != NULL);
        CHECK((policy->fit == NULL) == (policy->fit_key == NULL));
        for (k = 0; k < policy->n_params; k++) {
            const struct gtr_param_spec *param = &policy->params[k];

            CHECK(gtr_param_find(policy, param->name) == param);
            CHECK(param->min <= param->standard && param->standard <= param->max);
            CHECK(param->help != NULL);
            CHECK(strpbrk(param->name, ":,=@") == NULL);
        }
        if (policy->per_group != NULL)
            CHECK(gtr_param_find(policy, policy->per_group) != NULL);
        if (policy->fit_key != NULL) {
            const struct gtr_param_spec *key = gtr_param_find(policy, policy->fit_key);

            CHECK(key != NULL && key->standard < 0.0);
            /* Printing relies on the limit coming first. */
            CHECK(policy->per_group != NULL && gtr_param_find(policy, policy->per_group) < key);
        }
    }
    presets = gtr_presets(&n_presets);
    for (i = 0; i < n_presets; i++) {
        struct gtr_setting *setting = parse(presets[i].name);

        CHECK(gtr_setting_policy(setting) == presets[i].id);
        CHECK(presets[i].summary != NULL && presets[i].source != NULL);
        gtr_setting_free(setting);
    }
}

int main(void)
{
    RUN(a_name_alone_takes_all_defaults);
    RUN(values_are_numbers_or_words);
    RUN(switches_can_be_written_in_many_ways);
    RUN(a_preset_is_its_text_and_what_follows_overrides_it);
    RUN(the_later_of_two_entries_counts);
    RUN(overrides_apply_in_order_to_what_their_glob_matches);
    RUN(a_group_alone_is_short_for_its_limit);
    RUN(a_limit_and_a_quantile_replace_each_other);
    RUN(wrong_values_are_told_with_their_range);
    RUN(wrong_names_are_answered_with_the_nearest);
    RUN(a_group_that_is_not_there_is_an_error);
    RUN(many_groups_are_told_in_part);
    RUN(the_catalogue_is_consistent);
    return check_report();
}
