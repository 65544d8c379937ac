/* test_plan_bad.c - plans that are refused, what is said, and running out of memory. */
#include "planning.h"

static void refuses(const char *policy, const char *axes, const char *part)
{
    const struct gtr_plan_options options = planning_one(policy, axes);

    planning_refuses(&options, part);
}

static void wrong_keys_and_values_are_named(void)
{
    refuses("aggc", "betta=0.5", "aggc: betta: no such parameter; did you mean beta?");
    refuses("aggcc", "", "did you mean aggc?");
    refuses("none", "beta=1", "no parameters");
    refuses("aggc", "beta", "aggc: beta: has no values; write beta=V1,V2,... or beta=A:B:N");
    refuses("aggc", "beta=0.5,1.5,0.7", "aggc: beta=1.5: must be from 0 to 1");
    refuses("aggc", "beta=", "beta=: is not a number");
    refuses("aggc", "beta=0.5,", "beta=: is not a number");
    refuses("aggc", "beta=half", "beta=half: is not a number");
    refuses("aggc", "form=papr",
            "form=papr: must be one of code, paper, fixed; did you mean paper?");
    refuses("aggc", "form=0:2:3", "form=0:2:3: ranges are for numbers");
    refuses("aggc", "form=auto", "form=auto: must be one of");
    refuses("aggc", "beta@k_porj=0.5", "k_porj: no such group; did you mean k_proj?");
    refuses("aggc", "beta@zzzzzzzzzzz*=0.5", "matches none of the groups q_proj, k_proj");
    refuses("aggc:beta@nowhere=1", "low=1", "nowhere");
}

static void wrong_ranges_are_named(void)
{
    refuses("aggc", "beta=0.5:0.9", "beta=0.5:0.9: a range needs a number of values");
    refuses("aggc", "beta=0.5:1.9:4", "beta=1.9: must be from 0 to 1");
    refuses("aggc", "beta=0.5:0.9:1", "1: a range has a whole number of values, from 2");
    refuses("aggc", "beta=0.5:0.9:2.5", "2.5: a range has a whole number of values");
    refuses("aggc", "beta=0.5:0.9:4:lin", "lin: no such spacing; there are log and logit");
    refuses("aggc", "beta=0.5:0.9:4:log:3", "log:3: no such spacing");
    refuses("aggc", "beta=0.9:0.5:4", "beta: a range must rise");
    refuses("aggc", "beta=0.5:0.5:4", "beta: a range must rise");
    refuses("aggc", "low=0:1:4:log", "low: a range with log must start above 0");
    refuses("aggc", "beta=0:0.5:4:logit", "beta: a range with logit must lie between 0 and 1");
    refuses("aggc", "beta=0.5:1:4:logit", "beta: a range with logit must lie between 0 and 1");
    refuses("global", "max_norm=1:inf:4", "max_norm: a range ends at 1e290");
    refuses("global", "max_norm=nan:1:4", "max_norm=nan: must be at least 0");
    refuses("group", "quantile=-1:1:4", "quantile: a range of it must start at 0");
    refuses("aggc", "max_down=auto", "max_down=auto: this has no range of its own");
    refuses("aggc", "max_up=auto", "max_up=auto: this has no range of its own");
    refuses("global", "max_norm=auto:1", "1: a range has a whole number of values");
    refuses("global", "max_norm=automatic", "max_norm=automatic: is not a number");
}

static void an_axis_without_effect_is_refused(void)
{
    refuses("aggc", "beta=0.5 beta=0.7", "aggc: beta: has values twice");
    refuses("group", "max_norm@q*=1,2 max_norm=3",
            "group: max_norm@q*: is replaced everywhere by max_norm, which comes later");
    refuses("group", "max_norm=1,2 quantile=0.5,0.9",
            "max_norm: is replaced everywhere by quantile");
    refuses("group", "quantile=0.5 max_norm=1", "quantile: is replaced everywhere by max_norm");
    refuses("group", "max_norm@*proj=1 max_norm@[qk]*=2",
            "is replaced everywhere by max_norm@[qk]*");
    gtr_plan_free(planning_grid("group", "max_norm=1,2 quantile=0.5,0.7,-1"));
    gtr_plan_free(planning_grid("group", "max_norm@*proj=1 max_norm@q*=2"));
}

static void wrong_constraints_are_named(void)
{
    static const char *const texts[][2] = {
        { "low=high", "low=high: is not a constraint" },
        { "low<", "needs a key or a number on both sides" },
        { "<=2", "needs a key or a number on both sides" },
        { "0<low<high", "more than one comparison" },
        { "low==2", "is not a constraint" },
        { "1<2", "compares two numbers" },
        { "low<nan", "nothing compares with nan" },
        { "lwo<high", "lwo<high: lwo: no policy here has such a parameter; did you mean low?" },
        { "low<strict", "no policy here has both low and strict" },
        { "low<zzzzzzz", "zzzzzzz: no policy here has such a parameter" },
    };
    static const char *const policies[] = { "aggc", "global" };
    struct gtr_plan_options options = { .policies = policies, .n_policies = 2, .n_constraints = 1 };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(texts); i++) {
        options.constraints = &texts[i][0];
        planning_refuses(&options, texts[i][1]);
    }
}

/* An axis for each group. */
#define MANY(key) key "@q_proj=0,1 " key "@k_proj=0,1 " key "@odd*=0,1 "

static void sizes_are_limited(void)
{
    static const struct gtr_axis_text stray = { 1, "beta=1" };
    struct gtr_plan_options options = planning_one("aggc", "beta=0:1:1000000000 low=0,1");
    struct gtr_plan *plan;

    planning_refuses(&options, "more than 1000000000 settings");
    refuses("aggc", "beta=0:1:40000 low=0:1:30000", "more than 1000000000 settings");
    refuses("aggc", "beta=0:1:1000000001", "from 2 to 1000000000");
    plan = planning_grid("aggc", "beta=0:1:500000000 low=0,1");
    CHECK(gtr_plan_n_settings(plan) == 1000000000);
    CHECK_BITS(gtr_plan_knob(plan, 999999999, 0), 1.0);
    gtr_plan_free(plan);
    options = planning_one("aggc", "beta=0:1:10");
    options.sampling = GTR_SOBOL;
    planning_refuses(&options, "a sample of 0 points: must be from 1 to 1000000000");
    options.n_samples = 1000000001;
    planning_refuses(&options, "must be from 1 to 1000000000");
    options.n_policies = 0;
    planning_refuses(&options, "no policy");
    options = planning_one("aggc", "");
    options.axes = &stray;
    options.n_axes = 1;
    planning_refuses(&options, "beta=1: is for policy 1, and there are 1");
    /* 33 axes. */
    options = planning_one("aggc",
                           MANY("beta") MANY("low") MANY("high") MANY("low_late") MANY("high_late")
                               MANY("switch") MANY("transition") MANY("min_norm") MANY("max_norm")
                                   MANY("max_up") MANY("max_down"));
    CHECK(options.n_axes == 33);
    options.sampling = GTR_SOBOL;
    options.n_samples = 10;
    planning_refuses(&options, "aggc: a Sobol sample has at most 32 axes, and here are 33");
    options.n_axes = 32;
    gtr_plan_free(planning_make(&options));
}

static void a_trace_of_zeros_has_no_auto_range(void)
{
    static const char *const policies[] = { "global" };
    static const struct gtr_axis_text axes[] = { { 0, "max_norm=auto" } };
    const struct gtr_replay_options how = { .size = sizeof how };
    const struct gtr_plan_options options = {
        .policies = policies, .n_policies = 1, .axes = axes, .n_axes = 1
    };
    struct gtr_series *series = planning_series();
    struct gtr_replay *replay;
    struct gtr_plan *plan;
    struct gtr_err err = { 0 };

    memset(series->total_sumsq, 0, PLANNING_STEPS * sizeof(double));
    CHECK(gtr_replay_new(series, &how, &replay, NULL) == GTR_OK);
    CHECK(gtr_plan_new(&options, replay, &plan, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "the trace has no norm above 0");
    /* One norm is enough. */
    series->total_sumsq[7] = 4.0;
    CHECK(gtr_plan_new(&options, replay, &plan, NULL) == GTR_OK);
    CHECK_BITS(gtr_plan_knob(plan, 0, 0), 1.0);
    CHECK_BITS(gtr_plan_knob(plan, 15, 0), 4.0);
    gtr_plan_free(plan);
    gtr_replay_free(replay);
    gtr_series_free(series);
}

/* Each allocation fails once; nothing is lost (the sanitizers look) and memory is what is told. */
static void running_out_of_memory_is_an_error(void)
{
    static const char *const constraint = "max_norm<50";
    struct gtr_plan_options options =
        planning_one("group:quantile=0.5,k_proj=3", "quantile=0,1 max_norm@q*=auto:3");
    struct gtr_plan *plan;
    size_t n = 0;
    enum gtr_code rc;
    char *text;

    options.constraints = &constraint;
    options.n_constraints = 1;
    planning_replay();
    do {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(++n);
        rc = gtr_plan_new(&options, planning_replay(), &plan, &err);
        gtr_alloc_fail_after(0);
        CHECK(rc == GTR_OK || (rc == GTR_ENOMEM && plan == NULL && err.code == GTR_ENOMEM));
    } while (rc != GTR_OK && n < 200);
    CHECK(rc == GTR_OK && n > 10);
    for (n = 1; n < 20; n++) {
        gtr_alloc_fail_after(n);
        text = gtr_plan_text(plan, 0);
        gtr_alloc_fail_after(0);
        gtr_free(text);
        gtr_alloc_fail_after(n);
        text = gtr_plan_describe(plan);
        gtr_alloc_fail_after(0);
        gtr_free(text);
    }
    gtr_plan_free(plan);
}

int main(void)
{
    RUN(wrong_keys_and_values_are_named);
    RUN(wrong_ranges_are_named);
    RUN(an_axis_without_effect_is_refused);
    RUN(wrong_constraints_are_named);
    RUN(sizes_are_limited);
    RUN(a_trace_of_zeros_has_no_auto_range);
    RUN(running_out_of_memory_is_an_error);
    return check_report();
}
