/* test_compare_runs.c - several runs a side: by hand, and what one run a side cannot tell: whether
 * it was the setting or the seed.
 */
#include "comparing.h"

enum { A_SIDE = 3, SEEDS = 60, STEPS = 300 };

static struct run runs[2 * A_SIDE];

static struct gtr_comparison *compare_runs(size_t n_a, size_t n_b, size_t n_groups,
                                           enum gtr_code wanted)
{
    struct gtr_compare_options options = { .n_groups = n_groups, .alpha = 0.05, .n_threads = 1 };
    struct gtr_compare_side side[2 * A_SIDE];
    struct gtr_comparison *comparison = NULL;
    size_t i;

    gtr_objectives_baseline_init(&options.baseline);
    for (i = 0; i < n_a + n_b; i++)
        side[i] = (struct gtr_compare_side){ .replay = runs[i].replay,
                                             .group = runs[i].group,
                                             .last = (int64_t)runs[i].series.n_steps - 1 };
    CHECK(gtr_comparison_of_runs(side, n_a, side + n_a, n_b, &options, &comparison, NULL) ==
          wanted);
    return comparison;
}

static void make_level(struct run *run, double norm)
{
    size_t t;

    make(run, 1, 20);
    for (t = 0; t < 20; t++)
        run->sumsq[t] = norm * norm;
    start(run);
}

/* In units of ln 4 the levels are 0 and 1 against 2 and 3: a difference of 2, a pooled variance of
 * 1/2, so an error of sqrt(1/2 (1/2 + 1/2)), t = sqrt(8) with 2 degrees of freedom, of which
 * P(|T| > t) = 1 - t / sqrt(2 + t^2). */
static void two_against_two_by_hand(void)
{
    static const double levels[4] = { 1.0, 4.0, 16.0, 64.0 };
    const struct gtr_contrast *m;
    struct gtr_comparison *c;
    size_t i;

    for (i = 0; i < 4; i++)
        make_level(&runs[i], levels[i]);
    c = compare_runs(2, 2, 1, GTR_OK);
    m = &c->group[0].measure[GTR_MEASURE_LEVEL];
    CHECK_NEAR(m->a, 2.0, 1e-12);
    CHECK_NEAR(m->b, 32.0, 1e-12);
    CHECK_NEAR(m->change, 16.0, 1e-11);
    CHECK_NEAR(m->p, 1.0 - sqrt(0.8), 1e-12);
    /* t of 95 % with 2 degrees of freedom is 4.3027 */
    CHECK_NEAR(log(m->high), log(16.0) + 4.302652729911275 * sqrt(0.5) * log(4.0), 1e-9);
    CHECK(!m->changed && c->n_runs[0] == 2 && c->group[0].superiority == 1.0);
    gtr_comparison_free(c);
    for (i = 0; i < 4; i++)
        end(&runs[i]);
}

static void one_run_has_no_seed_to_compare(void)
{
    size_t i;

    for (i = 0; i < 3; i++)
        make_level(&runs[i], 1.0);
    CHECK(compare_runs(1, 2, 1, GTR_EUSAGE) == NULL);
    for (i = 0; i < 3; i++)
        end(&runs[i]);
}

/* Runs of one setting whose seeds move the level by 20 %. */
static void make_seeds(uint64_t seed, double setting)
{
    const struct noise noise = { 0.3, 0.2, 1.0, 1.0, 0.0 };
    struct gtr_random random;
    size_t i, k;

    gtr_random_init(&random, seed, 1);
    for (i = 0; i < 2 * A_SIDE; i++) {
        double level = 0.2 * gtr_random_normal(&random) + (i >= A_SIDE ? setting : 0.0);

        wander(&runs[i], STEPS, &noise, 100 * seed + i);
        for (k = 0; k < G_MAX * STEPS; k++)
            runs[i].sumsq[k] *= gtr_exp(2.0 * level);
        gtr_replay_free(runs[i].replay);
        start(&runs[i]);
    }
}

static void a_seed_is_not_taken_for_a_setting(void)
{
    const int64_t window[4] = { 0, STEPS - 1, 0, STEPS - 1 };
    size_t pairs = 0, settings = 0, found = 0, i;
    uint64_t seed;

    for (seed = 1; seed <= SEEDS; seed++) {
        struct gtr_comparison *c;

        make_seeds(seed, 0.0);
        c = compare(&runs[0], &runs[A_SIDE], G_MAX + 1, window, 1);
        pairs += c->n_changed > 0 ? 1 : 0;
        gtr_comparison_free(c);
        c = compare_runs(A_SIDE, A_SIDE, G_MAX + 1, GTR_OK);
        settings += c->n_changed > 0 ? 1 : 0;
        gtr_comparison_free(c);
        for (i = 0; i < 2 * A_SIDE; i++)
            end(&runs[i]);
        make_seeds(seed, gtr_ln(20.0));
        c = compare_runs(A_SIDE, A_SIDE, G_MAX + 1, GTR_OK);
        found += c->n_changed > 0 ? 1 : 0;
        gtr_comparison_free(c);
        for (i = 0; i < 2 * A_SIDE; i++)
            end(&runs[i]);
    }
    CHECK(pairs > SEEDS / 2);      /* the runs do differ */
    CHECK(settings <= SEEDS / 10); /* the settings do not: 5 % are allowed */
    CHECK(found > SEEDS * 9 / 10);
}

/* Beside quick noise a slow one, which the sum of autocorrelations hardly sees. */
static void make_slow(struct run *run, uint64_t seed)
{
    const struct noise noise = { 0.2, 0.3, 1.0, 1.0, 0.0 };
    struct gtr_random random;
    double slow = 0.0;
    size_t t, j;

    wander(run, 1000, &noise, seed);
    gtr_random_init(&random, seed, 2);
    for (t = 0; t < 1000; t++) {
        slow = t == 0 ? gtr_random_normal(&random)
                      : 0.995 * slow + sqrt(1.0 - 0.995 * 0.995) * gtr_random_normal(&random);
        for (j = 0; j < G_MAX; j++)
            run->sumsq[j * 1000 + t] *= gtr_exp(2.0 * 0.2 * slow);
    }
    gtr_replay_free(run->replay);
    start(run);
}

static void long_memory_is_not_judged_as_short(void)
{
    const int64_t window[4] = { 0, 999, 0, 999 };
    size_t alarms = 0;
    uint64_t seed;

    for (seed = 1; seed <= SEEDS; seed++) {
        struct gtr_comparison *c;

        make_slow(&runs[0], 2 * seed);
        make_slow(&runs[1], 2 * seed + 1);
        c = compare(&runs[0], &runs[1], G_MAX + 1, window, 1);
        alarms += c->n_changed > 0 ? 1 : 0;
        gtr_comparison_free(c);
        end(&runs[0]);
        end(&runs[1]);
    }
    CHECK(alarms <= SEEDS / 10); /* 8 of 60 before stretches that agree were joined */
}

int main(void)
{
    RUN(two_against_two_by_hand);
    RUN(one_run_has_no_seed_to_compare);
    RUN(a_seed_is_not_taken_for_a_setting);
    RUN(long_memory_is_not_judged_as_short);
    return check_report();
}
