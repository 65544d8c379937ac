/* test_scaling.c - the statistics against a slow way of their own, and by hand; result files. */
#define _GNU_SOURCE
#include <stdint.h>

#include "check.h"
#include "gradtrace.h"
#include "replaying.h"
#include "scratch.h"

/* --- statistics, the slow way ---------------------------------------------------------------- */

enum { G = 6, T = 700 };

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static double uniform(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

/* A series with spikes, quiet groups and a few bad steps. */
static struct gtr_series *random_series(void)
{
    struct gtr_series *series = gtr_alloc(1, sizeof *series);
    size_t j, t;

    series->n_groups = series->left_out = G;
    series->n_steps = T;
    series->names = gtr_alloc(G, sizeof *series->names);
    series->index = gtr_alloc(T, sizeof *series->index);
    series->sumsq = gtr_alloc(G * T, sizeof(double));
    series->total_sumsq = gtr_alloc(T, sizeof(double));
    series->total = gtr_alloc(T, sizeof(double));
    series->nonfinite = gtr_alloc(T, 1);
    series->group_nonfinite = gtr_alloc(G * T, 1);
    for (j = 0; j < G; j++) {
        char name[] = "group?";

        name[5] = (char)('a' + j);
        series->names[j] = gtr_strdup(name);
    }
    for (t = 0; t < T; t++) {
        series->index[t] = (int64_t)(3 * t);
        for (j = 0; j < G; j++) {
            double norm = (0.5 + uniform()) * (double)(j + 1) * (uniform() < 0.02 ? 40.0 : 1.0);

            series->sumsq[j * T + t] = norm * norm;
            series->total_sumsq[t] += norm * norm;
        }
        series->total[t] = sqrt(series->total_sumsq[t]);
        if (t % 97 == 50) {
            series->nonfinite[t] = series->group_nonfinite[t % G * T + t] = 1;
            series->n_nonfinite++;
        }
    }
    return series;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Type 7 from its definition: the value at (n - 1) q of the sorted list. */
static double slow_quantile(const double *values, size_t n, double q)
{
    double *sorted = malloc(n * sizeof *sorted), at = q * (double)(n - 1), value;
    size_t i = (size_t)at;

    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    value = i + 1 < n ? sorted[i] + (sorted[i + 1] - sorted[i]) * (at - (double)i) : sorted[i];
    free(sorted);
    return value;
}

static double slow_cv(const double *values, size_t n)
{
    long double sum = 0, squares = 0, mean;
    size_t i;

    for (i = 0; i < n; i++)
        sum += values[i];
    mean = sum / (long double)n;
    for (i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return (double)(sqrtl(squares / (long double)n) / mean);
}

/* Fills the scales and norms of the steps that count; returns how many. */
static size_t gather(const struct gtr_series *series, const struct gtr_decisions *d, size_t j,
                     double *scale, double *before, double *after)
{
    size_t n = 0, t;

    for (t = 0; t < T; t++) {
        if (series->nonfinite[t])
            continue;
        scale[n] = d->scale[j * T + t];
        before[n] = sqrt(series->sumsq[j * T + t]);
        after[n] = before[n] * scale[n];
        n++;
    }
    return n;
}

static void check_group(const struct gtr_series *series, const struct gtr_decisions *d, size_t j,
                        const struct gtr_scaling *s)
{
    static double scale[T], before[T], after[T];
    size_t n = gather(series, d, j, scale, before, after), clipped = 0, raised = 0, i;
    double sum = 0.0;

    for (i = 0; i < n; i++) {
        sum += scale[i];
        clipped += scale[i] < 1.0;
        raised += scale[i] > 1.0;
    }
    CHECK(s->n_decisions == n && s->n_clipped == clipped && s->n_raised == raised);
    CHECK_NEAR(s->mean, sum / (double)n, 1e-13);
    CHECK_BITS(s->min, slow_quantile(scale, n, 0.0));
    CHECK_BITS(s->p01, slow_quantile(scale, n, 0.01));
    CHECK_BITS(s->p50, slow_quantile(scale, n, 0.5));
    CHECK_BITS(s->p99, slow_quantile(scale, n, 0.99));
    CHECK_BITS(s->max, slow_quantile(scale, n, 1.0));
    CHECK_BITS(s->before.p50, slow_quantile(before, n, 0.5));
    CHECK_BITS(s->after.p99, slow_quantile(after, n, 0.99));
    CHECK_NEAR(s->after.cv, slow_cv(after, n), 1e-12);
    CHECK_NEAR(s->before.tail, s->before.p99 / s->before.p50, 1e-15);
}

/* Directions from whole vectors: one element per group stands for it. */
static void check_pooled(const struct gtr_series *series, const struct gtr_decisions *d,
                         const struct gtr_scaling_report *report)
{
    static double scales[G * T];
    double cos_sum = 0.0, cos_least = 2.0;
    size_t n = 0, steps = 0, clipped = 0, t, j;

    for (t = 0; t < T; t++) {
        double dot = 0.0, in = 0.0, out = 0.0;
        int any = 0;

        if (series->nonfinite[t])
            continue;
        for (j = 0; j < G; j++) {
            double g = sqrt(series->sumsq[j * T + t]), c = g * d->scale[j * T + t];

            scales[n++] = d->scale[j * T + t];
            dot += g * c;
            in += g * g;
            out += c * c;
            any = any || d->scale[j * T + t] < 1.0;
        }
        clipped += any != 0;
        steps++;
        cos_sum += dot / (sqrt(in) * sqrt(out));
        cos_least = fmin(cos_least, dot / (sqrt(in) * sqrt(out)));
    }
    CHECK(report->n_steps == steps && report->n_clipped_steps == clipped);
    CHECK(report->n_skipped == T - steps && report->pooled.n_decisions == n);
    CHECK_NEAR(report->cos_mean, cos_sum / (double)steps, 1e-12);
    CHECK_NEAR(report->cos_min, cos_least, 1e-12);
    CHECK_BITS(report->pooled.p01, slow_quantile(scales, n, 0.01));
    CHECK_BITS(report->pooled.p50, slow_quantile(scales, n, 0.5));
    CHECK_BITS(report->pooled.p99, slow_quantile(scales, n, 0.99));
    CHECK_BITS(report->pooled.min, slow_quantile(scales, n, 0.0));
    CHECK_BITS(report->pooled.max, slow_quantile(scales, n, 1.0));
}

static void statistics_agree_with_a_slow_way(void)
{
    static const char *const settings[] = { "none",       "global:max_norm=8", "group:quantile=0.9",
                                            "aggc-paper", "aggc-code-lora",    "aggc-code-grpo" };
    const struct gtr_replay_options options = { .size = sizeof options, .total_steps = 3 * T };
    struct gtr_series *series = random_series();
    size_t k, j;

    for (k = 0; k < GTR_ARRAY_LEN(settings); k++) {
        struct gtr_scaling_report *report = NULL;
        struct gtr_decisions *d = run_text(series, settings[k], &options, &report);

        for (j = 0; j < G; j++)
            check_group(series, d, j, &report->group[j]);
        check_pooled(series, d, report);
        gtr_scaling_free(report);
        gtr_decisions_free(d);
    }
    gtr_series_free(series);
}

static void global_keeps_the_direction_exactly(void)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_series *series = random_series();
    struct gtr_scaling_report *report = NULL;

    gtr_decisions_free(run_text(series, "global:max_norm=0.5", &options, &report));
    CHECK_BITS(report->cos_mean, 1.0);
    CHECK_BITS(report->cos_min, 1.0);
    CHECK(report->pooled.n_clipped == report->pooled.n_decisions);
    gtr_scaling_free(report);
    gtr_series_free(series);
}

/* Runs, first steps and caps of one short lane, by hand: norms 1 1 4 4 4 1 against a limit of 2. */
static void runs_and_first_steps_are_counted(void)
{
    static const double norms[] = { 1, 1, 4, 4, 4, 1 };
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_series *series = random_series();
    struct gtr_scaling_report *report = NULL;
    size_t t;

    series->n_steps = 6;
    series->n_groups = series->left_out = 1;
    series->n_nonfinite = 0;
    for (t = 0; t < 6; t++) {
        series->sumsq[t] = series->total_sumsq[t] = norms[t] * norms[t];
        series->total[t] = norms[t];
        series->nonfinite[t] = series->group_nonfinite[t] = 0;
    }
    gtr_decisions_free(
        run_text(series, "aggc:form=fixed,min_norm=2,max_norm=2,raise=on,max_up=1.5,max_down=0.75",
                 &options, &report));
    CHECK(report->group[0].n_clipped == 3 && report->group[0].n_raised == 3);
    CHECK(report->group[0].longest_run == 3 && report->group[0].first_clipped == 6);
    CHECK(report->group[0].n_capped == 6 && report->group[0].n_empty == 0);
    CHECK_BITS(report->group[0].min, 0.75);
    CHECK_BITS(report->group[0].max, 1.5);
    gtr_scaling_free(report);
    /* An interval that is empty until the average has grown: L = 3, U = 2 S. */
    gtr_decisions_free(run_text(series, "aggc:form=paper,beta=0,low=0,high=2,min_norm=3,raise=on",
                                &options, &report));
    CHECK(report->group[0].cold_start == 2 && report->group[0].n_empty == 3);
    gtr_scaling_free(report);
    series->n_groups = G;
    gtr_series_free(series);
}

static void threads_change_no_bit(void)
{
    struct gtr_series *series = random_series();
    struct gtr_replay_options options = { .size = sizeof options,
                                          .n_threads = 1,
                                          .total_steps = 3 * T };
    struct gtr_scaling_report *one = NULL, *many = NULL;
    struct gtr_decisions *a = run_text(series, "aggc-paper", &options, &one), *b;
    size_t n;

    for (n = 2; n < 8; n++) {
        options.n_threads = n;
        b = run_text(series, "aggc-paper", &options, &many);
        CHECK(memcmp(a->scale, b->scale, G * T * sizeof(double)) == 0);
        CHECK(memcmp(&one->pooled, &many->pooled, sizeof one->pooled) == 0);
        CHECK_BITS(many->cos_mean, one->cos_mean);
        gtr_decisions_free(b);
        gtr_scaling_free(many);
    }
    gtr_decisions_free(a);
    gtr_scaling_free(one);
    gtr_series_free(series);
}

/* --- results ---------------------------------------------------------------------------------- */

static void a_result_file_appears_whole(void)
{
    const struct gtr_replay_options options = { .size = sizeof options, .keep_interval = 1 };
    struct gtr_series *series = random_series();
    struct gtr_scaling_report *report = NULL;
    struct gtr_decisions *d = run_text(series, "aggc-paper", &options, &report);
    struct gtr_result *result = NULL;
    struct gtr_replay *replay = NULL;
    const char *path = scratch_path("result.h5");
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_replay_new(series, &options, &replay, NULL) == GTR_OK);
    CHECK(gtr_replay_file_open(path, false, "some/run.h5", "module", replay, &result, NULL) ==
          GTR_OK);
    CHECK(access(path, F_OK) != 0);
    CHECK(gtr_replay_file_add(result, "aggc-paper", "aggc:form=paper", d, report, NULL) == GTR_OK);
    CHECK(gtr_result_close(result, NULL) == GTR_OK);
    CHECK(access(path, F_OK) == 0);
    CHECK(gtr_trace_open(path, &trace, &err) == GTR_EFORMAT); /* a result is not a trace */
    CHECK_HOLDS(err.text, "not a gradtrace trace");
    gtr_replay_free(replay);
    gtr_scaling_free(report);
    gtr_decisions_free(d);
    gtr_series_free(series);
}

int main(void)
{
    RUN(statistics_agree_with_a_slow_way);
    RUN(global_keeps_the_direction_exactly);
    RUN(runs_and_first_steps_are_counted);
    RUN(threads_change_no_bit);
    RUN(a_result_file_appears_whole);
    return check_report();
}
