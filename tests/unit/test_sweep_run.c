/* test_sweep_run.c - sweeps of plans: the same rows in any cut, on any threads, by any kernel. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "sweep_block.h"

enum { G = 3, T = 90, ROWS = 2500 };

static struct gtr_series *make_series(void)
{
    struct gtr_series *series = gtr_alloc(1, sizeof *series);
    uint64_t state = 12345;
    size_t j, t;

    series->n_groups = series->left_out = G;
    series->n_steps = T;
    series->total_steps = T;
    series->names = gtr_alloc(G, sizeof *series->names);
    series->index = gtr_alloc(T, sizeof *series->index);
    series->sumsq = gtr_alloc(G * T, sizeof(double));
    series->total_sumsq = gtr_alloc(T, sizeof(double));
    series->total = gtr_alloc(T, sizeof(double));
    series->nonfinite = gtr_alloc(T, 1);
    for (j = 0; j < G; j++)
        series->names[j] = gtr_strdup(j == 0 ? "a" : j == 1 ? "b" : "c");
    for (t = 0; t < T; t++) {
        series->index[t] = (int64_t)t;
        for (j = 0; j < G; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            series->sumsq[j * T + t] = (double)(state >> 40) / 1e6 * (t % 17 == 16 ? 90.0 : 1.0);
            series->total_sumsq[t] += series->sumsq[j * T + t];
        }
        series->total[t] = sqrt(series->total_sumsq[t]);
    }
    return series;
}

struct world {
    struct gtr_series *series;
    struct gtr_replay *replay;
    struct gtr_baseline *baseline;
    struct gtr_plan *plan;
    size_t n;
};

/* Three policies, one of them without axes; low<high leaves settings out. */
static struct world make_world(void)
{
    static const char *const policies[] = { "aggc:form=paper,raise=on", "global", "none" };
    static const struct gtr_axis_text axes[] = {
        { 0, "beta=0.5:0.99:10:logit" }, { 0, "low=0:2:11" }, { 0, "high=0.5:4:20:log" },
        { 1, "max_norm=0.5:20:51:log" }, { 1, "eps=0,1e-6" },
    };
    static const char *const constraints[] = { "low<high" };
    const struct gtr_replay_options replay = { .size = sizeof replay };
    const struct gtr_plan_options options = { .policies = policies,
                                              .n_policies = GTR_ARRAY_LEN(policies),
                                              .axes = axes,
                                              .n_axes = GTR_ARRAY_LEN(axes),
                                              .constraints = constraints,
                                              .n_constraints = 1 };
    struct gtr_baseline_options about;
    struct world w = { .series = make_series() };
    struct gtr_err err = { 0 };

    gtr_baseline_options_init(&about);
    CHECK(gtr_replay_new(w.series, &replay, &w.replay, &err) == GTR_OK);
    CHECK(gtr_baseline_new(w.series, gtr_replay_skip(w.replay), &about, &w.baseline, &err) ==
          GTR_OK);
    CHECK(gtr_plan_new(&options, w.replay, &w.plan, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    w.n = gtr_plan_n_settings(w.plan);
    CHECK(w.n == 10 * 11 * 20 + 51 * 2 + 1 && w.n <= ROWS);
    return w;
}

static void world_free(struct world *w)
{
    gtr_plan_free(w->plan);
    gtr_baseline_free(w->baseline);
    gtr_replay_free(w->replay);
    gtr_series_free(w->series);
}

/* Each setting by itself. */
static void slow_rows(const struct world *w, int scales_only, double *rows)
{
    size_t i, k;

    for (i = 0; i < w->n; i++) {
        double *row = rows + i * GTR_OBJECTIVE_COUNT;
        union gtr_params params[G];

        for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
            row[k] = NAN;
        if (!gtr_plan_allows(w->plan, i))
            continue;
        gtr_plan_params(w->plan, i, params);
        CHECK(gtr_sweep_one(w->replay, w->baseline,
                            gtr_plan_policy_id(w->plan, gtr_plan_policy_of(w->plan, i)), params,
                            scales_only, row, NULL) == GTR_OK);
    }
}

static void same_rows(const double *got, const double *wanted, size_t n)
{
    size_t i;

    for (i = 0; i < n * GTR_OBJECTIVE_COUNT && check_failures < 8; i++)
        CHECK_BITS(got[i], wanted[i]);
}

static double wanted[ROWS * GTR_OBJECTIVE_COUNT], got[ROWS * GTR_OBJECTIVE_COUNT];

static void kernels_and_threads_change_no_bit(void)
{
    struct world w = make_world();
    int kernel, scales_only;
    size_t threads, n_done, i, left_out = 0;

    for (scales_only = 0; scales_only < 2; scales_only++) {
        slow_rows(&w, scales_only, wanted);
        for (kernel = GTR_SWEEP_AUTO; kernel <= GTR_SWEEP_AVX512; kernel++)
            for (threads = 1; threads <= 3; threads++) {
                const struct gtr_sweep_options options = { .n_threads = threads,
                                                           .scales_only = scales_only,
                                                           .kernel =
                                                               (enum gtr_sweep_kernel)kernel };

                memset(got, 0x55, sizeof got);
                CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 0, w.n, &options, got, &n_done,
                                    NULL) == GTR_OK);
                CHECK(n_done == w.n);
                same_rows(got, wanted, w.n);
            }
    }
    for (i = 0; i < w.n; i++)
        left_out += !gtr_plan_allows(w.plan, i);
    CHECK(left_out > 100 && left_out < 2000);
    world_free(&w);
}

static void pieces_join_to_the_whole(void)
{
    static const size_t cuts[] = { 0, 1, 33, 1000, 2199, 2210, 2302, 2303 };
    const struct gtr_sweep_options options = { .n_threads = 2 };
    struct world w = make_world();
    size_t k, n_done;

    slow_rows(&w, 0, wanted);
    memset(got, 0x55, sizeof got);
    for (k = 0; k + 1 < GTR_ARRAY_LEN(cuts); k++) {
        CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, cuts[k], cuts[k + 1] - cuts[k], &options,
                            got + cuts[k] * GTR_OBJECTIVE_COUNT, &n_done, NULL) == GTR_OK);
        CHECK(n_done == cuts[k + 1] - cuts[k]);
    }
    same_rows(got, wanted, w.n);
    CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 5, 0, &options, got, &n_done, NULL) ==
              GTR_OK &&
          n_done == 0);
    world_free(&w);
}

struct watch {
    size_t calls, last, stop_at;
    int inside, overlapped;
};

static int watch_progress(void *context, size_t done, size_t total)
{
    struct watch *watch = context;

    watch->overlapped |= watch->inside++;
    watch->calls++;
    CHECK(done > watch->last && done <= total);
    watch->last = done;
    watch->inside--;
    return watch->calls == watch->stop_at;
}

static void progress_counts_up_and_can_stop(void)
{
    struct watch watch = { 0 };
    struct gtr_sweep_options options = { .n_threads = 3,
                                         .progress = watch_progress,
                                         .context = &watch };
    struct world w = make_world();
    size_t n_done;

    slow_rows(&w, 0, wanted);
    CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 0, w.n, &options, got, &n_done, NULL) ==
          GTR_OK);
    CHECK(watch.calls > 1 && watch.last == w.n && !watch.overlapped && n_done == w.n);
    watch = (struct watch){ .stop_at = 1 };
    options.n_threads = 1;
    memset(got, 0x55, sizeof got);
    CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 0, w.n, &options, got, &n_done, NULL) ==
          GTR_OK);
    CHECK(watch.calls == 1 && n_done == watch.last && n_done > 0 && n_done < w.n);
    same_rows(got, wanted, n_done);
    world_free(&w);
}

static void without_memory_a_run_says_so(void)
{
    const struct gtr_sweep_options options = { .n_threads = 2 };
    struct world w = make_world();
    enum gtr_code rc = GTR_ENOMEM;
    size_t n_done, n;

    for (n = 1; n < 64 && rc != GTR_OK; n++) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(n);
        rc = gtr_sweep_run(w.replay, w.baseline, w.plan, 0, 64, &options, got, &n_done, &err);
        gtr_alloc_fail_after(0);
        if (rc != GTR_OK) {
            CHECK_HOLDS(err.text, "no memory");
            CHECK(n_done == 0);
        }
    }
    CHECK(rc == GTR_OK && n > 7);
    world_free(&w);
}

int main(void)
{
    RUN(kernels_and_threads_change_no_bit);
    RUN(pieces_join_to_the_whole);
    RUN(progress_counts_up_and_can_stop);
    RUN(without_memory_a_run_says_so);
    return check_report();
}
