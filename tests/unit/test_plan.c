/* test_plan.c - grids: numbers, values, parameters, text, constraints. */
#include "planning.h"

static void a_grid_counts_with_its_last_axis_fastest(void)
{
    static const double low[] = { 0, 0.25 }, high[] = { 1, 2, 4 };
    struct gtr_plan *plan = planning_grid("aggc", "form=code,paper low=0,0.25 high=1,2,4");
    size_t i, a, b, c;

    CHECK(gtr_plan_n_settings(plan) == 12 && gtr_plan_n_knobs(plan) == 3);
    CHECK_TEXT(gtr_plan_knob_name(plan, 2), "high");
    CHECK(gtr_plan_knob_size(plan, 0) == 2 && gtr_plan_knob_size(plan, 2) == 3);
    for (i = 0, a = 0; a < 2; a++) {
        for (b = 0; b < 2; b++) {
            for (c = 0; c < 3; c++, i++) {
                union gtr_params params[PLANNING_GROUPS];

                CHECK_BITS(gtr_plan_knob(plan, i, 0), (double)a);
                CHECK_BITS(gtr_plan_knob(plan, i, 1), low[b]);
                CHECK_BITS(gtr_plan_knob(plan, i, 2), high[c]);
                gtr_plan_params(plan, i, params);
                CHECK_BITS(params[2].aggc.form, (double)a);
                CHECK_BITS(params[1].aggc.low, low[b]);
                CHECK_BITS(params[0].aggc.high, high[c]);
                CHECK_BITS(params[0].aggc.beta, 0.95);
            }
        }
    }
    gtr_plan_free(plan);
}

/* A sweep on a GPU sends one struct instead of one for each group. */
static void groups_that_share_their_parameters_share_one_struct(void)
{
    static const char *const apart[][2] = { { "aggc", "high=1,2 low@q_proj=0,0.25" },
                                            { "aggc:low@q_proj=0.25", "high=1,2" },
                                            { "group:quantile=0.5", "eps=0,1e-6" } };
    struct gtr_plan *plan = planning_grid("aggc", "form=code,paper low=0,0.25 high=1:4:3:log");
    union gtr_params params[PLANNING_GROUPS], shared;
    size_t i, j;

    CHECK(gtr_plan_is_shared(plan, 0));
    for (i = 0; i < gtr_plan_n_settings(plan); i++) {
        gtr_plan_params(plan, i, params);
        gtr_plan_params_shared(plan, i, &shared);
        for (j = 0; j < PLANNING_GROUPS; j++)
            CHECK(memcmp(&params[j], &shared, sizeof shared) == 0);
    }
    gtr_plan_free(plan);
    for (i = 0; i < GTR_ARRAY_LEN(apart); i++) {
        plan = planning_grid(apart[i][0], apart[i][1]);
        CHECK(!gtr_plan_is_shared(plan, 0));
        gtr_plan_free(plan);
    }
}

static void policies_are_numbered_one_after_the_other(void)
{
    static const char *const policies[] = { "aggc-paper", "none", "global:eps=0", "aggc" };
    /* Not in the order of the policies: knobs are. */
    static const struct gtr_axis_text axes[] = { { 2, "max_norm=1,2,3" },
                                                 { 0, "beta=0.5,0.9" },
                                                 { 2, "strict=off,on" } };
    const struct gtr_plan_options options = {
        .policies = policies, .n_policies = 4, .axes = axes, .n_axes = 3
    };
    static const size_t first[] = { 0, 2, 3, 9 };
    struct gtr_plan *plan = planning_make(&options);
    size_t p, i;

    CHECK(gtr_plan_n_settings(plan) == 10 && gtr_plan_n_policies(plan) == 4);
    for (p = 0; p < 4; p++)
        CHECK(gtr_plan_first_of(plan, p) == first[p]);
    for (i = 0; i < 10; i++)
        CHECK(gtr_plan_policy_of(plan, i) == (i < 2 ? 0u : i < 3 ? 1u : i < 9 ? 2u : 3u));
    CHECK_TEXT(gtr_plan_policy_name(plan, 0), "aggc-paper");
    CHECK(gtr_plan_policy_id(plan, 0) == GTR_AGGC && gtr_plan_policy_id(plan, 1) == GTR_NONE);
    CHECK_TEXT(gtr_plan_knob_name(plan, 0), "beta");
    CHECK(gtr_plan_knob_policy(plan, 0) == 0 && gtr_plan_knob_policy(plan, 1) == 2);
    CHECK_BITS(gtr_plan_knob(plan, 1, 0), 0.9);
    CHECK_BITS(gtr_plan_knob(plan, 1, 1), (double)NAN);
    CHECK_BITS(gtr_plan_knob(plan, 8, 1), 3.0);
    CHECK_BITS(gtr_plan_knob(plan, 8, 2), 1.0);
    CHECK_BITS(gtr_plan_knob(plan, 9, 2), (double)NAN);
    gtr_plan_free(plan);
}

/* --- ranges ----------------------------------------------------------------------------------- */

static void even_ranges_have_the_values_one_expects(void)
{
    struct gtr_plan *plan = planning_grid("aggc", "beta=0:1:11");
    size_t i;

    for (i = 0; i < 11; i++)
        CHECK_BITS(gtr_plan_knob(plan, i, 0), (double)i / 10.0);
    CHECK(!gtr_plan_knob_is_log(plan, 0));
    gtr_plan_free(plan);
    plan = planning_grid("aggc", "low_late=-1:1:2");
    CHECK_BITS(gtr_plan_knob(plan, 0, 0), -1.0);
    CHECK_BITS(gtr_plan_knob(plan, 1, 0), 1.0);
    gtr_plan_free(plan);
}

static void log_and_logit_ranges_agree_with_libm(void)
{
    const double steps = 63.0, from = log(0.001), to = log(700.0);
    const double start = log(0.8 / 0.2), end = log(0.999 / (1.0 - 0.999));
    struct gtr_plan *plan = planning_grid("global", "max_norm=0.001:700:64:log");
    size_t i;

    CHECK(gtr_plan_knob_is_log(plan, 0));
    CHECK_BITS(gtr_plan_knob(plan, 0, 0), 0.001);
    CHECK_BITS(gtr_plan_knob(plan, 63, 0), 700.0);
    for (i = 0; i < 64; i++) {
        double wanted = exp(from + (to - from) * (double)i / steps);

        CHECK_NEAR(gtr_plan_knob(plan, i, 0), wanted, 1e-14 * wanted);
        CHECK(i == 0 || gtr_plan_knob(plan, i, 0) > gtr_plan_knob(plan, i - 1, 0));
    }
    gtr_plan_free(plan);
    plan = planning_grid("aggc", "beta=0.8:0.999:64:logit");
    CHECK(!gtr_plan_knob_is_log(plan, 0));
    CHECK_BITS(gtr_plan_knob(plan, 0, 0), 0.8);
    CHECK_BITS(gtr_plan_knob(plan, 63, 0), 0.999);
    for (i = 0; i < 64; i++) {
        double place = start + (end - start) * (double)i / steps;

        CHECK_NEAR(gtr_plan_knob(plan, i, 0), 1.0 / (1.0 + exp(-place)), 1e-14);
    }
    gtr_plan_free(plan);
}

/* The whole gradient's norm is sqrt(14) (t + 1) / 64 for t + 1 from 1 to 101 without that of step
 * 50, 37 * 50 % 101 + 1 = 33; its 1 % quantile lies 0.99 of the way from the first to the second.
 */
static void auto_ranges_come_from_the_norms(void)
{
    struct gtr_plan *plan = planning_grid("global", "max_norm=auto");

    CHECK(gtr_plan_n_settings(plan) == 16 && gtr_plan_knob_is_log(plan, 0));
    CHECK_NEAR(gtr_plan_knob(plan, 0, 0), 0.5 * 1.99 * sqrt(14.0) / 64.0, 1e-15);
    CHECK_NEAR(gtr_plan_knob(plan, 15, 0), 2.0 * 101.0 * sqrt(14.0) / 64.0, 1e-13);
    gtr_plan_free(plan);
    plan = planning_grid("group", "max_norm@k_proj=auto:3");
    CHECK(gtr_plan_n_settings(plan) == 3);
    CHECK_NEAR(gtr_plan_knob(plan, 0, 0), 0.5 * 1.99 * 2.0 / 64.0, 1e-15);
    CHECK_NEAR(gtr_plan_knob(plan, 2, 0), 2.0 * 101.0 * 2.0 / 64.0, 1e-13);
    gtr_plan_free(plan);
    /* All groups at once: the largest is the third's. */
    plan = planning_grid("aggc:form=fixed", "max_norm=auto:2");
    CHECK_BITS(gtr_plan_knob(plan, 1, 0), 2.0 * 101.0 * 3.0 / 64.0);
    gtr_plan_free(plan);
}

/* --- parameters ------------------------------------------------------------------------------- */

static void an_axis_may_name_groups(void)
{
    union gtr_params params[PLANNING_GROUPS];
    struct gtr_plan *plan =
        planning_grid("group:k_proj=7", "max_norm=3,4 max_norm@q*=1,2 eps@odd\\,\\=\\@\\*=0,0.5");

    CHECK(gtr_plan_n_settings(plan) == 8);
    CHECK_TEXT(gtr_plan_knob_name(plan, 1), "max_norm@q*");
    gtr_plan_params(plan, 7, params);
    CHECK_BITS(params[0].group.max_norm, 2.0);
    CHECK_BITS(params[1].group.max_norm, 4.0); /* the axis comes after the policy's own 7 */
    CHECK_BITS(params[2].group.max_norm, 4.0);
    CHECK_BITS(params[1].group.eps, 1e-6);
    CHECK_BITS(params[2].group.eps, 0.5);
    gtr_plan_free(plan);
}

static void quantiles_are_fitted_for_each_value(void)
{
    union gtr_params params[PLANNING_GROUPS];
    struct gtr_plan *plan = planning_grid("group", "quantile=0,1,-1 max_norm@q_proj=5,6");
    size_t i, j;

    for (i = 0; i < 6; i++) {
        gtr_plan_params(plan, i, params);
        CHECK_BITS(params[0].group.max_norm, i % 2 == 0 ? 5.0 : 6.0);
        for (j = 1; j < PLANNING_GROUPS; j++) {
            double wanted = i < 2 ? (double)(j + 1) / 64.0 : (double)(j + 1) * 101.0 / 64.0;

            CHECK_BITS(params[j].group.max_norm, i < 4 ? wanted : 1.0);
            CHECK_BITS(params[j].group.quantile, -1.0);
        }
    }
    gtr_plan_free(plan);
}

/* What a user would have typed: the policy, then each axis with its one value. */
static void typed(const struct gtr_plan *plan, size_t setting, char *text, size_t size)
{
    static const char *const forms[] = { "code", "paper", "fixed" };
    const size_t p = gtr_plan_policy_of(plan, setting);
    size_t used, k;

    used = (size_t)snprintf(text, size, "%s", gtr_plan_policy_name(plan, p));
    for (k = 0; k < gtr_plan_n_knobs(plan); k++) {
        const char *name = gtr_plan_knob_name(plan, k);
        const char *separator = strchr(text, ':') != NULL ? "," : ":";
        double value = gtr_plan_knob(plan, setting, k);
        char number[GTR_NUMBER_SIZE];

        if (gtr_plan_knob_policy(plan, k) != p)
            continue;
        gtr_text_print(value, number);
        used += (size_t)snprintf(text + used, size - used, "%s%s=%s", separator, name,
                                 strncmp(name, "form", 4) == 0 ? forms[(size_t)value] : number);
    }
}

static void check_replays_as(const struct gtr_plan *plan, size_t i, const char *text)
{
    const struct gtr_policy_spec *spec =
        gtr_policy_spec(gtr_plan_policy_id(plan, gtr_plan_policy_of(plan, i)));
    union gtr_params params[PLANNING_GROUPS];
    struct gtr_decisions *decisions = NULL;
    struct gtr_setting *setting = NULL;
    struct gtr_err err = { 0 };
    size_t j, k;

    gtr_plan_params(plan, i, params);
    if (gtr_setting_parse(text, &setting, &err) != GTR_OK ||
        gtr_replay_run(planning_replay(), setting, &decisions, &err) != GTR_OK) {
        CHECK_TEXT(err.text, text);
    } else {
        CHECK(gtr_setting_policy(setting) == spec->id);
        for (j = 0; j < PLANNING_GROUPS; j++)
            for (k = 0; k < spec->n_params; k++)
                CHECK_BITS(gtr_param_get(&spec->params[k], &params[j]),
                           gtr_param_get(&spec->params[k], &decisions->params[j]));
    }
    gtr_decisions_free(decisions);
    gtr_setting_free(setting);
}

/* Every setting, replayed alone from its text or from what one would have typed, has the same
 * parameters; in whatever order settings are asked for. */
static void check_all_settings(const struct gtr_plan_options *options)
{
    struct gtr_plan *plan = planning_make(options);
    const size_t n = gtr_plan_n_settings(plan);
    char by_hand[1000];
    size_t i;

    for (i = 0; i < n; i++) {
        const size_t setting = (i * 7919 + 3) % n;
        char *text = gtr_plan_text(plan, setting);

        check_replays_as(plan, setting, text);
        typed(plan, setting, by_hand, sizeof by_hand);
        check_replays_as(plan, setting, by_hand);
        gtr_free(text);
    }
    gtr_plan_free(plan);
}

static void any_setting_can_be_replayed_alone(void)
{
    static const char *const plans[][2] = {
        { "none", "" },
        { "global", "max_norm=auto:5 eps=0:1e-6:3 strict=off,on" },
        { "group:quantile=0.5,k_proj=3", "" },
        { "group:quantile=0.5,k_proj=3", "eps=0,1e-6" },
        { "group:quantile@q_proj=0.5,k_proj=3", "quantile=-0.5,0,0.3,0.99 max_norm@q*=1:2:3" },
        { "group:max_norm=5", "max_norm=auto:7 quantile@k_proj=0:1:4" },
        { "aggc-paper:low@q_proj=0.1", "beta=0.8:0.999:4:logit high=1:4:3:log raise=off,on" },
        { "aggc-code-lora", "form=code,paper,fixed beta@k_proj=0.1:0.9:5 max_norm=auto:3" },
    };
    enum gtr_sampling sampling;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(plans); i++) {
        for (sampling = GTR_GRID; sampling <= GTR_SALTELLI; sampling++) {
            struct gtr_plan_options options = planning_one(plans[i][0], plans[i][1]);

            options.sampling = sampling;
            options.n_samples = 40;
            options.seed = 5;
            check_all_settings(&options);
        }
    }
}

/* --- constraints ------------------------------------------------------------------------------ */

static void constraints_take_points_out_and_leave_numbers(void)
{
    static const char *const policies[] = { "aggc:low=0.5", "global", "aggc:low=3" };
    static const struct gtr_axis_text axes[] = { { 0, "low@q_proj=9,10" },
                                                 { 0, "high=0.25:1:4" },
                                                 { 1, "max_norm=1,2" } };
    static const char *const constraints[] = { "low < high", "max_norm>=2", "1>high" };
    struct gtr_plan_options options = { .policies = policies,
                                        .n_policies = 3,
                                        .axes = axes,
                                        .n_axes = 3,
                                        .constraints = constraints,
                                        .n_constraints = 1 };
    struct gtr_plan *plan = planning_make(&options);
    size_t i;

    /* high is 0.25, 0.5, 0.75, 1 twice; what one group has of low does not count; the third policy
     * has low 3 and high 2. */
    CHECK(gtr_plan_n_settings(plan) == 11);
    for (i = 0; i < 11; i++)
        CHECK(gtr_plan_allows(plan, i) == (i < 8 ? i % 4 >= 2 : i < 10));
    gtr_plan_free(plan);
    options.n_constraints = 3;
    plan = planning_make(&options);
    /* aggc has a max_norm, too: 1. */
    for (i = 0; i < 11; i++)
        CHECK(gtr_plan_allows(plan, i) == (i == 9));
    gtr_plan_free(plan);
    options.constraints = constraints + 2;
    options.n_constraints = 1;
    plan = planning_make(&options);
    for (i = 0; i < 11; i++)
        CHECK(gtr_plan_allows(plan, i) == (i < 8 ? i % 4 < 3 : i < 10));
    gtr_plan_free(plan);
}

static void equal_numbers_tell_strict_from_not(void)
{
    static const char *const texts[] = { "high<2", "high<=2", "high>2", "high>=2" };
    struct gtr_plan_options options = planning_one("aggc", "");
    size_t i;

    for (i = 0; i < 4; i++) {
        struct gtr_plan *plan;

        options.constraints = &texts[i];
        options.n_constraints = 1;
        plan = planning_make(&options);
        CHECK(gtr_plan_allows(plan, 0) == (i % 2 == 1));
        gtr_plan_free(plan);
    }
}

/* --- description ------------------------------------------------------------------------------ */

static void a_plan_describes_itself_exactly(void)
{
    static const char *const constraints[] = { "low<=high", " 3 > low" };
    struct gtr_plan_options options =
        planning_one("aggc-paper", "form=code,paper beta=0.5:0.75:3 high@q*=1:4:5:log");
    struct gtr_plan *plan;
    char *text;

    options.constraints = constraints;
    options.n_constraints = 2;
    options.seed = UINT64_MAX; /* no matter in a grid */
    plan = planning_make(&options);
    text = gtr_plan_describe(plan);
    CHECK_TEXT(text, "sampling grid\n"
                     "policy 0 aggc:low_late=0.8,high_late=1.2,raise=on,form=paper\n"
                     "axis 0 form list 0 1\n"
                     "axis 0 beta linear 0.5 0.75 3\n"
                     "axis 0 high@q* log 1 4 5\n"
                     "constraint 0 low<=high\n"
                     "constraint 0 3>low\n");
    gtr_free(text);
    gtr_plan_free(plan);
    options.sampling = GTR_LATIN;
    options.n_samples = 1000;
    plan = planning_make(&options);
    text = gtr_plan_describe(plan);
    CHECK_HOLDS(text, "sampling latin 1000 seed 18446744073709551615\n");
    gtr_free(text);
    gtr_plan_free(plan);
}

int main(void)
{
    RUN(a_grid_counts_with_its_last_axis_fastest);
    RUN(groups_that_share_their_parameters_share_one_struct);
    RUN(policies_are_numbered_one_after_the_other);
    RUN(even_ranges_have_the_values_one_expects);
    RUN(log_and_logit_ranges_agree_with_libm);
    RUN(auto_ranges_come_from_the_norms);
    RUN(an_axis_may_name_groups);
    RUN(quantiles_are_fitted_for_each_value);
    RUN(any_setting_can_be_replayed_alone);
    RUN(constraints_take_points_out_and_leave_numbers);
    RUN(equal_numbers_tell_strict_from_not);
    RUN(a_plan_describes_itself_exactly);
    return check_report();
}
