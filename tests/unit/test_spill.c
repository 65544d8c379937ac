/* test_spill.c - spill-over by hand, on planted culprits, and its curve. */
#define _GNU_SOURCE
#include <stdbool.h>

#include "blame.h"
#include "simulating.h"
#include "spill.h"

struct world {
    struct gtr_replay *replay;
    struct gtr_baseline *baseline;
};

static struct world world_of(const struct gtr_series *series, double kappa)
{
    struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_baseline_options about;
    struct world w;

    gtr_baseline_options_init(&about);
    about.kappa = kappa;
    CHECK(gtr_replay_new(series, &options, &w.replay, NULL) == GTR_OK);
    CHECK(gtr_baseline_new(series, gtr_replay_skip(w.replay), &about, &w.baseline, NULL) == GTR_OK);
    return w;
}

static void world_free(struct world *w)
{
    gtr_baseline_free(w->baseline);
    gtr_replay_free(w->replay);
}

static struct gtr_spill *spill_of(const struct world *w, double max_norm,
                                  enum gtr_blame_method method, size_t n_threads)
{
    const struct gtr_spill_options options = { max_norm, method, n_threads };
    struct gtr_spill *spill = NULL;

    CHECK(gtr_spill_new(w->replay, w->baseline, &options, &spill, NULL) == GTR_OK);
    return spill;
}

/* Three groups of norms 1, 2, 2 for eleven steps (E = 9), then at the last the first rises to 4:
 * with kappa 2 its b is 4 and a is 12, so B = 4 + 4 + 4 = 12 and E = 24.  C = 3.2: A(B) =
 * ln(12/10.24) / 2, x = ln(2) / 2, all of it the first group's. */
static void a_rise_by_hand(void)
{
    enum { T = 12 };
    static char *names[3] = { "a", "b", "c" };
    double sumsq[3 * T], energy[T], total[T];
    uint8_t nonfinite[T] = { 0 };
    int64_t index[T];
    struct gtr_series series = { .n_groups = 3,
                                 .n_steps = T,
                                 .left_out = 3,
                                 .names = names,
                                 .index = index,
                                 .sumsq = sumsq,
                                 .total_sumsq = energy,
                                 .total = total,
                                 .nonfinite = nonfinite };
    struct gtr_spill *spill;
    struct world w;
    size_t t;

    for (t = 0; t < T; t++) {
        index[t] = (int64_t)t;
        sumsq[t] = t == T - 1 ? 16.0 : 1.0;
        sumsq[T + t] = sumsq[2 * T + t] = 4.0;
        energy[t] = sumsq[t] + 8.0;
        total[t] = sqrt(energy[t]);
    }
    w = world_of(&series, 2.0);
    spill = spill_of(&w, 3.2, GTR_BLAME_SHAPLEY, 1);
    CHECK_NEAR(spill->attenuation[T - 1], 0.5 * log(24.0 / 10.24), 1e-15);
    CHECK_NEAR(spill->excess[T - 1], 0.5 * log(2.0), 1e-14);
    CHECK_BITS(spill->excess[T - 2], 0.0);
    CHECK_BITS(spill->blame[T - 1], spill->excess[T - 1]);
    CHECK_BITS(spill->blame[2 * T - 1], 0.0);
    CHECK_BITS(spill->matrix[1 * 3 + 0], spill->excess[T - 1]); /* b paid for a */
    CHECK_BITS(spill->matrix[0 * 3 + 0], 0.0);                  /* a was not innocent */
    /* a received x - ln(16/4) / 2 < 0 of its own: nothing */
    CHECK_BITS(spill->received[0], 0.0);
    CHECK_BITS(spill->received[2], spill->excess[T - 1]);
    CHECK_NEAR(spill->innocent[0], 11.0 / 12.0, 1e-15);
    CHECK_BITS(spill->innocent[1], 1.0);
    CHECK(spill->n_clipped == 1 && spill->n_excess == 1 && spill->n_counted == T);
    CHECK_NEAR(spill->excess_share, log(2.0) / log(24.0 / 10.24), 1e-14);
    /* s_fair = 3.2 / sqrt(12), s = 3.2 / sqrt(24); the innocent had 8; sum E = 11 x 9 + 24 */
    CHECK_NEAR(spill->lost_descent, (3.2 / sqrt(12.0) - 3.2 / sqrt(24.0)) * 8.0 / 123.0, 1e-14);
    CHECK_NEAR(spill->culprits, 1.0, 1e-14);
    CHECK_NEAR(spill->bystanders, 2.0 / 3.0, 1e-15); /* two of three groups, at the one step */
    gtr_spill_free(spill);
    world_free(&w);
}

/* Surges of the noise lift all groups together, and those share the blame for them; what groups
 * paid that kept to their own past, they paid for the culprit. */
static void the_innocent_pay_for_the_planted_culprit(void)
{
    const char *culprit;
    struct run run = run_named("culprit", NULL);
    struct world w = world_of(run.series, 1.5);
    struct gtr_spill *spill = spill_of(&w, 2.0, GTR_BLAME_SHAPLEY, 2);
    double blamed = 0.0, for_culprit = 0.0, paid = 0.0;
    size_t n = spill->n_groups, i, j;
    struct json_object *name;

    CHECK(json_object_object_get_ex(run.truth, "culprit", &name));
    culprit = json_object_get_string(name);
    for (j = 0; j < n; j++) {
        bool is_culprit = strcmp(run.series->names[j], culprit) == 0;

        blamed = is_culprit ? spill->blamed[j] : blamed;
        for (i = 0; i < n; i++) {
            paid += spill->matrix[i * n + j];
            for_culprit += is_culprit ? spill->matrix[i * n + j] : 0.0;
        }
    }
    CHECK(spill->n_excess >= 12);
    CHECK(for_culprit >= 0.95 * paid);
    for (j = 0; j < n; j++)
        CHECK(spill->blamed[j] <= blamed);
    gtr_spill_free(spill);
    world_free(&w);
    run_close(&run);
}

static void blame_of_each_step_sums_to_its_excess_and_threads_change_nothing(void)
{
    struct run run = run_named("heavy", NULL);
    struct world w = world_of(run.series, 1.2);
    struct gtr_spill *one = spill_of(&w, 0.5, GTR_BLAME_SHAPLEY, 1);
    struct gtr_spill *many = spill_of(&w, 0.5, GTR_BLAME_SHAPLEY, 5);
    size_t t, j, n = one->n_groups * one->n_steps;
    double received = 0.0, given = 0.0;

    for (t = 0; t < one->n_steps; t++) {
        double sum = 0.0;

        for (j = 0; j < one->n_groups; j++)
            sum += one->blame[j * one->n_steps + t];
        CHECK_NEAR(sum, one->excess[t], 1e-12 * one->excess[t]);
        CHECK(one->excess[t] >= 0.0);
    }
    CHECK(one->n_excess > 50);
    CHECK(memcmp(one->blame, many->blame, n * sizeof(double)) == 0);
    CHECK(memcmp(one->matrix, many->matrix, one->n_groups * one->n_groups * sizeof(double)) == 0);
    CHECK_BITS(one->lost_descent, many->lost_descent);
    for (j = 0; j < one->n_groups; j++) {
        received += one->received[j];
        given += one->blamed[j];
    }
    CHECK_NEAR(given, one->excess_sum, 1e-9 * given);
    CHECK(received > 0.0);
    gtr_spill_free(one);
    gtr_spill_free(many);
    world_free(&w);
    run_close(&run);
}

/* Every number of the matrix by its definition, who is innocent taken from the baseline. */
static void matrix_of(const char *scenario)
{
    struct run run = run_named(scenario, NULL);
    struct world w = world_of(run.series, 1.2);
    struct gtr_spill *spill = spill_of(&w, 0.5, GTR_BLAME_SHAPLEY, 2);
    size_t n = spill->n_steps, v, c, t, joint = 0;

    for (v = 0; v < spill->n_groups; v++)
        for (c = 0; c < spill->n_groups; c++) {
            double sum = 0.0;

            for (t = 0; t < n; t++) {
                bool innocent = run.series->sumsq[v * n + t] > 0.0 &&
                                !(w.baseline->log_ratio[v * n + t] > w.baseline->log_kappa);

                sum += innocent && spill->blame[c * n + t] > 0.0 ? spill->blame[c * n + t] : 0.0;
                joint += innocent && v == 0 && spill->blame[c * n + t] > 0.0 ? 1 : 0;
            }
            CHECK_NEAR(spill->matrix[v * spill->n_groups + c], sum, 1e-12 * sum);
        }
    CHECK(joint > spill->n_excess / 2); /* some steps have several culprits */
    gtr_spill_free(spill);
    world_free(&w);
    run_close(&run);
}

/* Experts that are idle have no gradient, and pay for nobody. */
static void the_matrix_is_what_culprits_took_while_the_victim_was_innocent(void)
{
    matrix_of("heavy");
    matrix_of("moe");
}

/* 24 groups double their norm at the last step: too many to enumerate, and each has 1/24; with 20
 * there is no need to sample. */
static void equal_culprits_beyond_twenty_are_sampled_and_counted(void)
{
    enum { G = 24, T = 12 };
    static char *names[G];
    double sumsq[G * T], energy[T], total[T];
    uint8_t nonfinite[T] = { 0 };
    int64_t index[T];
    struct gtr_series series = { .n_groups = G,
                                 .n_steps = T,
                                 .left_out = G,
                                 .names = names,
                                 .index = index,
                                 .sumsq = sumsq,
                                 .total_sumsq = energy,
                                 .total = total,
                                 .nonfinite = nonfinite };
    size_t rising, j, t;

    for (rising = 20; rising <= G; rising += 4) {
        struct gtr_spill *spill;
        struct world w;

        for (t = 0; t < T; t++) {
            index[t] = (int64_t)t;
            energy[t] = 0.0;
            for (j = 0; j < G; j++)
                energy[t] += sumsq[j * T + t] = t == T - 1 && j < rising ? 4.0 : 1.0;
            total[t] = sqrt(energy[t]);
        }
        w = world_of(&series, 1.5);
        spill = spill_of(&w, 3.0, GTR_BLAME_SHAPLEY, 1);
        CHECK(spill->n_sampled == (rising > GTR_BLAME_EXACT ? 1u : 0u));
        CHECK_NEAR(spill->blamed[0], spill->excess_sum / (double)rising,
                   rising > GTR_BLAME_EXACT ? 0.02 * spill->excess_sum / (double)rising : 1e-13);
        CHECK((spill->sampling_error > 0.0) == (rising > GTR_BLAME_EXACT));
        CHECK_NEAR(spill->bystanders, (double)(G - rising) / G, 1e-15);
        gtr_spill_free(spill);
        spill = spill_of(&w, 1e3, GTR_BLAME_SHAPLEY, 1);
        CHECK(spill->n_sampled == 0); /* nothing is clipped, so nothing was guessed */
        gtr_spill_free(spill);
        world_free(&w);
    }
}

static void the_curve_agrees_with_the_spill_at_each_limit(void)
{
    struct run run = run_named("heavy", NULL);
    struct world w = world_of(run.series, 1.5);
    struct gtr_spill_point points[9] = { 0 };
    size_t i;

    CHECK(gtr_spill_curve(w.replay, w.baseline, points, 9, NULL) == GTR_OK);
    for (i = 0; i < 9; i++) {
        struct gtr_spill *spill = spill_of(&w, points[i].max_norm, GTR_BLAME_AUMANN, 1);

        CHECK_NEAR(points[i].clip_rate, (double)spill->n_clipped / (double)spill->n_counted, 2e-3);
        CHECK_NEAR(points[i].excess_share, spill->excess_share, 1e-9);
        gtr_spill_free(spill);
    }
    CHECK(points[0].clip_rate > 0.99 && points[8].clip_rate == 0.0);
    CHECK_BITS(points[8].excess_share, 0.0);
    world_free(&w);
    run_close(&run);
}

/* Norms 100, 99, .., 51, never above their past: nothing is spill-over, and from the start within
 * 1.5 times what follows.  At 95 the cost is (1/96 + 2/97 + .. + 5/100) / 50. */
static void the_recommended_limit_by_hand(void)
{
    enum { T = 50 };
    static char *names[1] = { "a" };
    double sumsq[T], total[T], sum = 0.0;
    uint8_t nonfinite[T] = { 0 };
    int64_t index[T];
    struct gtr_series series = { .n_groups = 1,
                                 .n_steps = T,
                                 .left_out = 1,
                                 .names = names,
                                 .index = index,
                                 .sumsq = sumsq,
                                 .total_sumsq = sumsq,
                                 .total = total,
                                 .nonfinite = nonfinite };
    struct gtr_spill_point limit, at = { .max_norm = 95.0 };
    struct world w;
    size_t t;

    for (t = 0; t < T; t++) {
        index[t] = (int64_t)t;
        total[t] = (double)(100 - t); /* falling: no norm exceeds 1.5 times its past */
        sumsq[t] = total[t] * total[t];
    }
    w = world_of(&series, 1.5);
    CHECK(gtr_spill_curve(w.replay, w.baseline, &at, 1, NULL) == GTR_OK);
    for (t = 96; t <= 100; t++)
        sum += 1.0 - 95.0 / (double)t;
    CHECK_NEAR(at.cost, sum / 50.0, 1e-15);
    CHECK_BITS(at.excess_cost, 0.0);
    CHECK_NEAR(at.clip_rate, 0.1, 1e-15);
    CHECK(gtr_spill_limit(w.replay, w.baseline, sum / 50.0, &limit, NULL) == GTR_OK);
    CHECK_NEAR(limit.max_norm, 95.0, 0.1001);
    CHECK(limit.cost <= sum / 50.0);
    at.max_norm = limit.max_norm - 0.2;
    CHECK(gtr_spill_curve(w.replay, w.baseline, &at, 1, NULL) == GTR_OK);
    CHECK(at.cost > sum / 50.0);
    world_free(&w);
}

/* What gtr_spill_limit halves by, and what the report says of the curve. */
static void costs_only_fall_as_the_limit_rises(void)
{
    static const char *const names[] = { "culprit", "heavy", "regime", "drift", "bursts", "moe" };
    struct gtr_spill_point points[200], limit;
    size_t k, i;

    for (k = 0; k < sizeof names / sizeof *names; k++) {
        struct run run = run_named(names[k], NULL);
        struct world w = world_of(run.series, 1.5);

        memset(points, 0, sizeof points);
        CHECK(gtr_spill_curve(w.replay, w.baseline, points, 200, NULL) == GTR_OK);
        for (i = 1; i < 200; i++) {
            CHECK(points[i].cost <= points[i - 1].cost);
            CHECK(points[i].excess_cost <= points[i - 1].excess_cost + 1e-15);
            CHECK(points[i].clip_rate <= points[i - 1].clip_rate);
            CHECK(points[i].excess_cost <= points[i].cost);
        }
        CHECK(gtr_spill_limit(w.replay, w.baseline, 0.01, &limit, NULL) == GTR_OK);
        CHECK(limit.cost <= 0.01 && limit.cost > 0.008);
        for (i = 200; i > 0 && points[i - 1].cost <= 0.01;)
            i--;
        CHECK(i > 0 && i < 200);
        CHECK(points[i - 1].max_norm <= limit.max_norm);
        CHECK(points[i].max_norm >= limit.max_norm / 1.01);
        world_free(&w);
        run_close(&run);
    }
}

int main(void)
{
    RUN(a_rise_by_hand);
    RUN(the_innocent_pay_for_the_planted_culprit);
    RUN(blame_of_each_step_sums_to_its_excess_and_threads_change_nothing);
    RUN(the_matrix_is_what_culprits_took_while_the_victim_was_innocent);
    RUN(equal_culprits_beyond_twenty_are_sampled_and_counted);
    RUN(the_curve_agrees_with_the_spill_at_each_limit);
    RUN(the_recommended_limit_by_hand);
    RUN(costs_only_fall_as_the_limit_rises);
    return check_report();
}
