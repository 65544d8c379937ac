/* test_bootstrap.c - what is recommended, and how far it depends on the stretches seen. */
#define _GNU_SOURCE
#include <string.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "simulating.h"

enum { N = 24 };

struct world {
    struct run run;
    struct gtr_replay *replay;
    struct gtr_baseline *usual, *spikes; /* kappa 1.5 and 3 */
    struct gtr_plan *plan;
    double rows[N * GTR_OBJECTIVE_COUNT];
    bool keep[N];
};

static struct world world_of(const char *scenario)
{
    static const char *const policies[1] = { "global" };
    static const struct gtr_axis_text axes[1] = { { 0, "max_norm=auto:24" } };
    const struct gtr_plan_options plan = {
        .policies = policies, .n_policies = 1, .axes = axes, .n_axes = 1
    };
    const struct gtr_replay_options replay = { .size = sizeof replay };
    const struct gtr_sweep_options options = { .n_threads = 1 };
    struct world w = { .run = run_named(scenario, NULL) };
    struct gtr_baseline_options about;
    size_t done, i;

    CHECK(gtr_replay_new(w.run.series, &replay, &w.replay, NULL) == GTR_OK);
    gtr_baseline_options_init(&about);
    CHECK(gtr_baseline_new(w.run.series, gtr_replay_skip(w.replay), &about, &w.usual, NULL) ==
          GTR_OK);
    gtr_objectives_baseline_init(&about);
    CHECK(gtr_baseline_new(w.run.series, gtr_replay_skip(w.replay), &about, &w.spikes, NULL) ==
          GTR_OK);
    CHECK(gtr_plan_new(&plan, w.replay, &w.plan, NULL) == GTR_OK);
    CHECK(gtr_plan_n_settings(w.plan) == N);
    CHECK(gtr_sweep_run(w.replay, w.spikes, w.plan, 0, N, &options, w.rows, &done, NULL) == GTR_OK);
    for (i = 0; i < N; i++)
        w.keep[i] = true;
    return w;
}

static void world_free(struct world *w)
{
    gtr_plan_free(w->plan);
    gtr_baseline_free(w->usual);
    gtr_baseline_free(w->spikes);
    gtr_replay_free(w->replay);
    run_close(&w->run);
}

static struct gtr_bootstrap *boot_of(const struct world *w, size_t n_threads)
{
    const struct gtr_bootstrap_options options = { .cost = GTR_CALM_COST, .n_threads = n_threads };
    struct gtr_bootstrap *boot = NULL;

    CHECK(gtr_bootstrap_new(w->replay, w->spikes, w->plan, 0, w->rows, N, w->keep, &options, &boot,
                            NULL) == GTR_OK);
    return boot;
}

/* Of limits, the least leak is that of the smallest one that is cheap enough: the first tried above
 * what `spill` takes, and the cost is spill's own. */
static void the_recommended_limit_is_the_one_that_spill_takes(void)
{
    static const char *const names[] = { "culprit", "heavy", "bursts" };
    size_t k, i;

    for (k = 0; k < sizeof names / sizeof *names; k++) {
        struct world w = world_of(names[k]);
        struct gtr_bootstrap *boot = boot_of(&w, 1);
        struct gtr_spill_point limit, at;
        double chosen;

        CHECK(gtr_spill_limit(w.replay, w.usual, GTR_CALM_COST, &limit, NULL) == GTR_OK);
        CHECK(boot->n == N && boot->affordable && boot->chosen[1] < N);
        for (i = 0; i < N; i++) {
            at = (struct gtr_spill_point){ .max_norm = gtr_plan_knob(w.plan, i, 0) };
            CHECK(gtr_spill_curve(w.replay, w.usual, &at, 1, NULL) == GTR_OK);
            CHECK_NEAR(boot->cost[i], at.cost, 1e-5); /* torch's 1e-6 beside the norm */
        }
        chosen = gtr_plan_knob(w.plan, boot->chosen[1], 0);
        CHECK(chosen >= 0.99 * limit.max_norm);
        for (i = 0; i < N; i++) /* nothing between them has less leak */
            if (boot->cost[i] <= GTR_CALM_COST)
                CHECK(w.rows[i * GTR_OBJECTIVE_COUNT + GTR_LEAK] >=
                      w.rows[boot->chosen[1] * GTR_OBJECTIVE_COUNT + GTR_LEAK] - 1e-12);
        gtr_bootstrap_free(boot);
        world_free(&w);
    }
}

static void draws_surround_the_recommended_and_threads_change_none(void)
{
    struct world w = world_of("heavy");
    struct gtr_bootstrap *one = boot_of(&w, 1), *many = boot_of(&w, 5);
    size_t low = N, high = 0, i;

    for (i = 0; i < GTR_BOOTSTRAP_DRAWS; i++) {
        size_t drawn = one->drawn[GTR_BOOTSTRAP_DRAWS + i];

        low = drawn < low ? drawn : low;
        high = drawn > high ? drawn : high;
    }
    CHECK(low <= one->chosen[1] && one->chosen[1] <= high && high < N);
    CHECK(high - low < N / 2);
    CHECK(memcmp(one->drawn, many->drawn, 2 * GTR_BOOTSTRAP_DRAWS * sizeof *one->drawn) == 0);
    CHECK(memcmp(one->cost, many->cost, N * sizeof *one->cost) == 0);
    gtr_bootstrap_free(one);
    gtr_bootstrap_free(many);
    world_free(&w);
}

static void where_nothing_is_cheap_the_cheapest_is_recommended(void)
{
    struct world w = world_of("heavy");
    struct gtr_bootstrap *boot;
    size_t i;

    for (i = 3; i < N; i++)
        w.keep[i] = false; /* the three lowest limits are left */
    boot = boot_of(&w, 1);
    CHECK(boot->n == 3 && !boot->affordable && boot->chosen[1] == 2);
    gtr_bootstrap_free(boot);
    w.keep[0] = w.keep[1] = w.keep[2] = false;
    boot = boot_of(&w, 1);
    CHECK(boot->n == 0 && boot->chosen[1] == GTR_NO_ROW && boot->drawn[0] == GTR_NO_ROW);
    gtr_bootstrap_free(boot);
    world_free(&w);
}

int main(void)
{
    RUN(the_recommended_limit_is_the_one_that_spill_takes);
    RUN(draws_surround_the_recommended_and_threads_change_none);
    RUN(where_nothing_is_cheap_the_cheapest_is_recommended);
    return check_report();
}
