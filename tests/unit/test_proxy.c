/* test_proxy.c - what norms say of Adam's update: by hand, the slow way, and where there is
 * nothing to say. */
#include "check.h"
#include "gradtrace_lab.h"
#include "random.h"

enum { T_MAX = 500, G_MAX = 3 };

/* Up to three groups of up to 500 steps, with scales of our own. */
struct run {
    struct gtr_series series;
    struct gtr_decisions decisions;
    double sumsq[G_MAX * T_MAX], total[T_MAX], scale[G_MAX * T_MAX];
    double rho[G_MAX * T_MAX], moved[G_MAX];
    int64_t index[T_MAX];
    uint8_t nonfinite[T_MAX], group_nonfinite[G_MAX * T_MAX];
};

static void make(struct run *run, size_t n_groups, size_t n_steps)
{
    size_t t;

    memset(run, 0, sizeof *run);
    for (t = 0; t < n_steps; t++)
        run->index[t] = (int64_t)t;
    run->series = (struct gtr_series){ .n_groups = n_groups,
                                       .n_steps = n_steps,
                                       .left_out = n_groups,
                                       .index = run->index,
                                       .sumsq = run->sumsq,
                                       .total_sumsq = run->total,
                                       .total = run->total,
                                       .nonfinite = run->nonfinite,
                                       .group_nonfinite = run->group_nonfinite };
    run->decisions =
        (struct gtr_decisions){ .n_groups = n_groups, .n_steps = n_steps, .scale = run->scale };
}

/* Of `rows`, or of all if n_rows is 0. */
static void follow_with(struct run *run, double beta2, enum gtr_nonfinite_rule rule,
                        const int64_t *rows, size_t n_rows)
{
    const struct gtr_replay_options options = { .size = sizeof options, .nonfinite = rule };
    struct gtr_replay *replay = NULL;

    CHECK(gtr_replay_new(&run->series, &options, &replay, NULL) == GTR_OK);
    CHECK(gtr_proxy_run(replay, &run->decisions, rows, n_rows, beta2, run->rho, run->moved, NULL) ==
          GTR_OK);
    gtr_replay_free(replay);
}

static void follow(struct run *run, double beta2)
{
    follow_with(run, beta2, GTR_SKIP_STEP, NULL, 0);
}

/* beta2 1/2.  A = 4, then 4/2 + 2 = 4: the second step weighs 1/2.  So the mean of s^2 is
 * 1, then 1 + (1/4 - 1) / 2 = 5/8. */
static void two_steps_by_hand(void)
{
    static struct run run;

    make(&run, 1, 2);
    run.sumsq[0] = 4.0;
    run.sumsq[1] = 2.0;
    run.scale[0] = 1.0;
    run.scale[1] = 0.5;
    follow(&run, 0.5);
    CHECK_BITS(run.rho[0], 1.0);
    CHECK_BITS(run.rho[1], 0.5 / sqrt(0.625));
    CHECK_BITS(run.moved[0], sqrt((run.rho[1] - 1.0) * (run.rho[1] - 1.0) / 2.0));
}

static void a_constant_scale_is_cancelled_to_the_bit(void)
{
    static const double scales[] = { 0.9, 1.0, 1.0 / 3.0, 1e-7, 123.456 };
    static struct run run;
    struct gtr_random random;
    size_t i, t;

    gtr_random_init(&random, 5, 0);
    for (i = 0; i < GTR_ARRAY_LEN(scales); i++) {
        make(&run, 1, T_MAX);
        for (t = 0; t < T_MAX; t++) {
            run.sumsq[t] = t % 7 == 3 ? 0.0 : gtr_random_uniform(&random) * (t % 50 == 0 ? 1e6 : 1);
            run.scale[t] = scales[i];
        }
        follow(&run, 0.999);
        for (t = 0; t < T_MAX; t++)
            CHECK_BITS(run.rho[t], 1.0);
        CHECK_BITS(run.moved[0], 0.0);
    }
}

/* Both averages apart, as the definition has them, in long double. */
static void it_is_the_quotient_of_two_averages(void)
{
    static struct run run;
    struct gtr_random random;
    long double above = 0, below = 0;
    size_t t;

    gtr_random_init(&random, 6, 0);
    make(&run, 1, T_MAX);
    for (t = 0; t < T_MAX; t++) {
        run.sumsq[t] = 0.1 + gtr_random_uniform(&random) * (t % 40 == 20 ? 400.0 : 1.0);
        run.scale[t] = run.sumsq[t] > 1.0 ? 1.0 / sqrt(run.sumsq[t]) : 1.0;
    }
    follow(&run, 0.97);
    for (t = 0; t < T_MAX; t++) {
        above = 0.97L * above + 0.03L * (run.scale[t] * (long double)run.scale[t]) * run.sumsq[t];
        below = 0.97L * below + 0.03L * run.sumsq[t];
        CHECK_NEAR(run.rho[t], (double)(run.scale[t] / sqrtl(above / below)), 1e-13);
    }
}

static void a_skipped_step_has_none_and_leaves_no_trace(void)
{
    static struct run with, without;

    make(&with, 1, 3);
    make(&without, 1, 2);
    with.sumsq[0] = without.sumsq[0] = 3.0;
    with.sumsq[1] = 1e9;
    with.sumsq[2] = without.sumsq[1] = 5.0;
    with.scale[0] = without.scale[0] = 1.0;
    with.scale[1] = NAN;
    with.scale[2] = without.scale[1] = 0.25;
    with.nonfinite[1] = with.group_nonfinite[1] = 1;
    follow(&with, 0.9);
    follow(&without, 0.9);
    CHECK_BITS(with.rho[0], without.rho[0]);
    CHECK(isnan(with.rho[1]));
    CHECK_BITS(with.rho[2], without.rho[1]);
    CHECK_BITS(with.moved[0], without.moved[0]);
}

/* As in the optimizer itself, whose moments are NaN for good. */
static void what_is_let_through_though_not_finite_ends_it(void)
{
    static struct run run;
    size_t t;

    make(&run, 2, 3);
    for (t = 0; t < 6; t++)
        run.sumsq[t] = run.scale[t] = 1.0;
    run.nonfinite[1] = run.group_nonfinite[1] = 1;
    follow_with(&run, 0.9, GTR_PROPAGATE, NULL, 0);
    CHECK_BITS(run.rho[0], 1.0);
    CHECK(isnan(run.rho[1]));
    CHECK(isnan(run.rho[2]));
    CHECK_BITS(run.rho[3 + 2], 1.0); /* the other group's gradient was finite */
}

static void a_group_without_a_gradient_has_none(void)
{
    static struct run run;
    size_t t;

    make(&run, 2, 4);
    for (t = 0; t < 8; t++)
        run.scale[t] = 0.5;
    run.sumsq[4 + 1] = 2.0;
    run.scale[4 + 3] = 1.0;
    follow(&run, 0.9);
    for (t = 0; t < 4; t++)
        CHECK(isnan(run.rho[t]));
    CHECK(isnan(run.moved[0]));
    CHECK(isnan(run.rho[4 + 0]));
    CHECK_BITS(run.rho[4 + 1], 1.0);
    CHECK_BITS(run.rho[4 + 2], 1.0); /* no gradient now, but before */
    CHECK_BITS(run.rho[4 + 3], 2.0);
    CHECK_BITS(run.moved[1], sqrt(1.0 / 3.0));
}

static void a_scale_of_zero_lets_nothing_through(void)
{
    static struct run run;

    make(&run, 1, 2);
    run.sumsq[0] = run.sumsq[1] = 1.0;
    run.scale[1] = 1.0;
    follow(&run, 0.5);
    CHECK_BITS(run.rho[0], 0.0);
    CHECK(run.rho[1] > 1.0);
}

static void only_the_rows_asked_for_are_remembered(void)
{
    static const int64_t rows[] = { 1, 3 };
    static struct run all, two;
    size_t t;

    make(&all, 1, 5);
    make(&two, 1, 2);
    for (t = 0; t < 5; t++) {
        all.sumsq[t] = 1.0 + (double)(t * t);
        all.scale[t] = 1.0 / (1.0 + (double)t);
    }
    for (t = 0; t < 2; t++) {
        two.sumsq[t] = all.sumsq[rows[t]];
        two.scale[t] = all.scale[rows[t]];
    }
    follow_with(&all, 0.99, GTR_SKIP_STEP, rows, 2);
    follow(&two, 0.99);
    CHECK_BITS(all.rho[1], two.rho[0]);
    CHECK_BITS(all.rho[3], two.rho[1]);
    CHECK(isnan(all.rho[0]) && isnan(all.rho[2]) && isnan(all.rho[4]));
    CHECK_BITS(all.moved[0], two.moved[0]);
}

static void a_beta2_of_one_is_refused(void)
{
    static struct run run;
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_replay *replay = NULL;
    struct gtr_err err = { 0 };

    make(&run, 1, 1);
    CHECK(gtr_replay_new(&run.series, &options, &replay, NULL) == GTR_OK);
    CHECK(gtr_proxy_run(replay, &run.decisions, NULL, 0, 1.0, run.rho, NULL, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "below 1");
    gtr_replay_free(replay);
}

int main(void)
{
    RUN(two_steps_by_hand);
    RUN(a_constant_scale_is_cancelled_to_the_bit);
    RUN(it_is_the_quotient_of_two_averages);
    RUN(a_skipped_step_has_none_and_leaves_no_trace);
    RUN(what_is_let_through_though_not_finite_ends_it);
    RUN(a_group_without_a_gradient_has_none);
    RUN(a_scale_of_zero_lets_nothing_through);
    RUN(only_the_rows_asked_for_are_remembered);
    RUN(a_beta2_of_one_is_refused);
    return check_report();
}
