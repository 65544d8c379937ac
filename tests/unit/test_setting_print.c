/* test_setting_print.c - settings back to text, and that the text means the same again. */
#include "check.h"

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

static void check_prints(const char *text, const char *wanted)
{
    struct gtr_setting *setting = parse(text);
    char *printed = gtr_setting_print(setting);

    CHECK_TEXT(printed, wanted);
    gtr_free(printed);
    gtr_setting_free(setting);
}

static void what_is_printed_is_short_and_exact(void)
{
    check_prints("aggc", "aggc");
    check_prints("none", "none");
    check_prints("aggc:beta=0.95", "aggc");
    check_prints("global:strict=1,max_norm=0.1,eps=0", "global:max_norm=0.1,eps=0,strict=on");
    check_prints("global:max_norm=0.30000000000000004", "global:max_norm=0.30000000000000004");
    check_prints("global:max_norm=1e308", "global:max_norm=1e+308");
    check_prints("global:max_norm=inf", "global:max_norm=inf");
    check_prints("aggc-paper", "aggc:low_late=0.8,high_late=1.2,raise=on,form=paper");
    check_prints("group:max_norm@eps=2", "group:max_norm@eps=2");
    check_prints("group:max_norm@q*=2", "group:q*=2");
    check_prints("group:max_norm@a@b=2", "group:max_norm@a@b=2");
    check_prints("group:a\\@b=2", "group:a\\@b=2");
    check_prints("group:max_norm@=2", "group:max_norm@=2");
    check_prints("aggc:beta@a\\,b\\=c=0.5", "aggc:beta@a\\,b\\=c=0.5");
}

/* --- bound settings --------------------------------------------------------------------------- */

enum { MOST = 16 };

/* Prints what is bound and fitted, and gets the same parameters back from the text. */
static void check_bound_round_trip(const struct gtr_setting *setting, const char *const *groups,
                                   size_t n, const union gtr_params *params)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(gtr_setting_policy(setting));
    char *text = gtr_setting_print_bound(setting, groups, n, params);
    struct gtr_setting *again = parse(text);
    union gtr_params back[MOST];
    struct gtr_err err = { 0 };
    size_t i, k;

    if (gtr_setting_bind(again, groups, n, back, &err) != GTR_OK)
        printf("%s: %s\n", text, err.text);
    CHECK(err.code == GTR_OK);
    for (i = 0; i < n; i++)
        for (k = 0; k < policy->n_params; k++)
            CHECK_BITS(gtr_param_get(&policy->params[k], &back[i]),
                       gtr_param_get(&policy->params[k], &params[i]));
    gtr_setting_free(again);
    gtr_free(text);
}

static void a_fitted_quantile_prints_as_limits(void)
{
    static const double norms[3][3] = { { 1, 2, 3 }, { 0.1, 0.2, 0.3 }, { 4, 4, 5 } };
    struct gtr_setting *setting = parse("group:quantile=0.5,k_proj=7");
    const struct gtr_policy_spec *policy = gtr_policy_spec(GTR_GROUP);
    union gtr_params params[3];
    char *text;
    size_t i;

    CHECK(gtr_setting_bind(setting, three, 3, params, NULL) == GTR_OK);
    for (i = 0; i < 3; i++)
        policy->fit(&params[i], norms[i], 3);
    text = gtr_setting_print_bound(setting, three, 3, params);
    CHECK_TEXT(text, "group:q_proj=2,k_proj=7,norm=4");
    gtr_free(text);
    check_bound_round_trip(setting, three, 3, params);
    gtr_setting_free(setting);
}

static void what_all_groups_share_prints_plainly(void)
{
    struct gtr_setting *setting = parse("aggc:beta@*=0.5,low@norm=0.25,form=paper");
    union gtr_params params[3];
    char *text;

    CHECK(gtr_setting_bind(setting, three, 3, params, NULL) == GTR_OK);
    text = gtr_setting_print_bound(setting, three, 3, params);
    CHECK_TEXT(text, "aggc:beta=0.5,form=paper,low@norm=0.25");
    gtr_free(text);
    check_bound_round_trip(setting, three, 3, params);
    gtr_setting_free(setting);
}

static void any_group_name_survives_printing(void)
{
    static const char *const groups[] = {
        /* clang-format off */
        "model.layers.3", "a,b=c", "a",     "[x]*?",  "back\\slash", "eps", "max_norm",
        "at@sign",        "-",     "b,a=c", "\\",     "quantile",    "*",   "caf\xc3\xa9 \xff",
        "a:b",            "",
        /* clang-format on */
    };
    struct gtr_setting *setting = parse("group");
    union gtr_params params[MOST];
    size_t i;

    CHECK(GTR_ARRAY_LEN(groups) == MOST);
    CHECK(gtr_setting_bind(setting, groups, MOST, params, NULL) == GTR_OK);
    for (i = 0; i < MOST; i++)
        params[i].group.max_norm = 1.0 / (double)(i + 3);
    check_bound_round_trip(setting, groups, MOST, params);
    for (i = 0; i < MOST; i++)
        params[i].group.eps = 1.0 / (double)(i + 30);
    check_bound_round_trip(setting, groups, MOST, params);
    gtr_setting_free(setting);
}

/* --- random settings -------------------------------------------------------------------------- */

static unsigned long long random_state = 20260118;

static size_t pick(size_t n)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)(random_state >> 33) % n;
}

static double random_value(const struct gtr_param_spec *param)
{
    double top = param->max < 1e3 ? param->max : 1e3;
    double value = param->min + (top - param->min) * (double)pick(1000003) / 1000003.0;

    return pick(4) == 0 ? param->standard : value;
}

/* "KEY=VALUE" with a random key, group and value. */
static void random_entry(const struct gtr_policy_spec *policy, char *out, size_t size)
{
    static const char *const globs[] = { "q_proj", "*_proj", "norm", "[kn]*", "*" };
    const struct gtr_param_spec *param = &policy->params[pick(policy->n_params)];
    char number[GTR_NUMBER_SIZE], key[64];

    if (pick(2) == 0 || (policy->unit == GTR_WHOLE && !policy->by_group))
        snprintf(key, sizeof key, "%s", param->name);
    else
        snprintf(key, sizeof key, "%s@%s", param->name, globs[pick(GTR_ARRAY_LEN(globs))]);
    if (param->choices != NULL) {
        size_t length = strcspn(param->choices, "|");

        snprintf(out, size, "%s=%.*s", key, (int)length, param->choices);
        return;
    }
    gtr_text_print(random_value(param), number);
    snprintf(out, size, "%s=%s", key, number);
}

/* What parses prints to something that binds to the same bits and prints the same. */
static void random_settings_survive_printing(void)
{
    size_t round, i, k;

    for (round = 0; round < 20000; round++) {
        const struct gtr_policy_spec *policy =
            gtr_policy_spec((enum gtr_policy_id)(1 + pick(GTR_POLICY_COUNT - 1)));
        struct gtr_setting *setting, *again;
        union gtr_params params[3], back[3];
        char text[600], *once, *twice;
        size_t n_entries = 1 + pick(6);

        snprintf(text, sizeof text, "%s", policy->name);
        for (i = 0; i < n_entries; i++) {
            size_t used = strlen(text);

            text[used] = i == 0 ? ':' : ',';
            random_entry(policy, text + used + 1, sizeof text - used - 1);
        }
        setting = parse(text);
        once = gtr_setting_print(setting);
        again = parse(once);
        twice = gtr_setting_print(again);
        CHECK_TEXT(twice, once);
        CHECK(gtr_setting_bind(setting, three, 3, params, NULL) == GTR_OK);
        CHECK(gtr_setting_bind(again, three, 3, back, NULL) == GTR_OK);
        for (i = 0; i < 3; i++)
            for (k = 0; k < policy->n_params; k++)
                CHECK_BITS(gtr_param_get(&policy->params[k], &back[i]),
                           gtr_param_get(&policy->params[k], &params[i]));
        check_bound_round_trip(setting, three, 3, params);
        if (check_failures > 0)
            printf("the setting was %s\n", text);
        gtr_setting_free(setting);
        gtr_setting_free(again);
        gtr_free(once);
        gtr_free(twice);
        if (check_failures > 0)
            break;
    }
}

/* Entry by entry, without any of the shortcuts of the parser: what "in order" means. */
static void random_settings_apply_in_order(void)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(GTR_GROUP);
    size_t round, i, g, k;

    for (round = 0; round < 5000; round++) {
        union gtr_params params[3], wanted[3];
        char text[400] = "group", number[GTR_NUMBER_SIZE];
        struct gtr_setting *setting;

        for (g = 0; g < 3; g++)
            gtr_params_init(GTR_GROUP, &wanted[g]);
        for (i = 0; i < 5; i++) {
            bool quantile = pick(2) == 0;
            double value = quantile ? (double)pick(5) / 4.0 - (pick(4) == 0 ? 1.25 : 0.0)
                                    : (double)pick(9) / 8.0;
            size_t target = pick(4), used = strlen(text); /* a group, or 3: all */

            if (value < -1.0)
                value = -1.0;
            gtr_text_print(value, number);
            snprintf(text + used, sizeof text - used, "%c%s%s%s=%s", i == 0 ? ':' : ',',
                     quantile ? "quantile" : "max_norm", target < 3 ? "@" : "",
                     target < 3 ? three[target] : "", number);
            for (g = 0; g < 3; g++) {
                if (target < 3 && target != g)
                    continue;
                if (!quantile) {
                    wanted[g].group.max_norm = value;
                    wanted[g].group.quantile = -1.0;
                } else if (value < 0.0) {
                    wanted[g].group.quantile = -1.0;
                } else {
                    wanted[g].group.quantile = value;
                    wanted[g].group.max_norm = 1.0;
                }
            }
        }
        setting = parse(text);
        CHECK(gtr_setting_bind(setting, three, 3, params, NULL) == GTR_OK);
        for (g = 0; g < 3; g++)
            for (k = 0; k < policy->n_params; k++)
                CHECK_BITS(gtr_param_get(&policy->params[k], &params[g]),
                           gtr_param_get(&policy->params[k], &wanted[g]));
        gtr_setting_free(setting);
        if (check_failures > 0) {
            printf("the setting was %s\n", text);
            break;
        }
    }
}

/* Every allocation in turn fails, and each failure is told and leaks nothing (as the sanitizer's
 * build sees). */
static void no_memory_is_an_error_and_nothing_else(void)
{
    static const char *const text = "group:max_norm=2,q_proj=0.5,k_*=0.25,quantile@norm=0.5";
    size_t n;
    bool done = false;

    for (n = 1; !done && n < 100; n++) {
        struct gtr_setting *setting = NULL;
        union gtr_params params[3];
        struct gtr_err err = { 0 };
        char *printed = NULL, *bound = NULL;

        gtr_alloc_fail_after(n);
        if (gtr_setting_parse(text, &setting, &err) == GTR_OK) {
            enum gtr_code rc = gtr_setting_bind(setting, three, 3, params, &err);

            printed = gtr_setting_print(setting);
            if (rc == GTR_OK)
                bound = gtr_setting_print_bound(setting, three, 3, params);
            done = printed != NULL && bound != NULL;
        }
        gtr_alloc_fail_after(0);
        CHECK(done || printed == NULL || bound == NULL);
        CHECK(err.code == GTR_OK || (err.code == GTR_ENOMEM && err.text[0] != '\0'));
        gtr_free(printed);
        gtr_free(bound);
        gtr_setting_free(setting);
    }
    CHECK(done && n > 8);
}

/* As many overrides as groups: what `group:quantile=0.9` by tensor prints for a large model. */
static void ten_thousand_groups_bind_quickly(void)
{
    enum { N = 10000 };
    char(*names)[48] = gtr_alloc(N, sizeof *names);
    const char **groups = gtr_alloc(N, sizeof *groups);
    union gtr_params *params = gtr_alloc(N, sizeof *params), *back = gtr_alloc(N, sizeof *back);
    struct gtr_setting *setting = parse("group"), *again;
    size_t i, wrong = 0;
    char *text;

    for (i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "model.layers.%zu.mlp.experts.%zu.w1", i / 100,
                 i % 100);
        groups[i] = names[i];
    }
    CHECK(gtr_setting_bind(setting, groups, N, params, NULL) == GTR_OK);
    for (i = 0; i < N; i++)
        params[i].group.max_norm = (double)(i + 2) / 7.0;
    text = gtr_setting_print_bound(setting, groups, N, params);
    again = parse(text);
    CHECK(gtr_setting_bind(again, groups, N, back, NULL) == GTR_OK);
    for (i = 0; i < N; i++)
        wrong += back[i].group.max_norm != params[i].group.max_norm;
    CHECK(wrong == 0);
    gtr_setting_free(setting);
    gtr_setting_free(again);
    gtr_free(text);
    gtr_free(names);
    gtr_free(groups);
    gtr_free(params);
    gtr_free(back);
}

int main(void)
{
    RUN(what_is_printed_is_short_and_exact);
    RUN(a_fitted_quantile_prints_as_limits);
    RUN(what_all_groups_share_prints_plainly);
    RUN(any_group_name_survives_printing);
    RUN(random_settings_survive_printing);
    RUN(random_settings_apply_in_order);
    RUN(no_memory_is_an_error_and_nothing_else);
    RUN(ten_thousand_groups_bind_quickly);
    return check_report();
}
