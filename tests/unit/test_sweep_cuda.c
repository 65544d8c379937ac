/* test_sweep_cuda.c - sweeps on GPUs: the objectives of gtr_sweep_one, the definition, to the bit.
 *
 * Where kernels are emulated a GPU is small, so that a few thousand settings make several pieces,
 * waves and chunks of rows, and there are two of them.
 */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "edge_series.h"
#include "gradtrace_lab.h"

struct world {
    struct gtr_series *series;
    struct gtr_replay *replay;
    struct gtr_baseline *baseline;
    struct gtr_plan *plan;
    size_t n;
    double *wanted, *got;
};

/* AGGC of all forms, limits of both kinds, with and without parameters for single groups. */
static const char *const policies[] = { "aggc",
                                        "aggc",
                                        "aggc-code-lora",
                                        "aggc-paper",
                                        "global",
                                        "group",
                                        "group:quantile=0.9",
                                        "none",
                                        "zclip",
                                        "autoclip",
                                        "adagc",
                                        "adagc-global",
                                        "olmo",
                                        "skipstep",
                                        "llmc",
                                        "agc",
                                        "rms",
                                        "trellis",
                                        "emaclip",
                                        "sigma",
                                        "levanter-clip",
                                        "stablespam" };
static const struct gtr_axis_text axes[] = {
    { 0, "form=code,paper,fixed" },
    { 0, "beta=0:1:9" },
    { 0, "low=0,0.3,0.95,1.5" },
    { 0, "high=0,0.6,1,2,8" },
    { 0, "low_late=0,0.5" },
    { 0, "high_late=0,0.7,3" },
    { 0, "switch=0,0.25,0.4,1" },
    { 0, "transition=0,1e-7,0.1,0.3" },
    { 0, "schedule=none,linear" },
    { 0, "min_norm=0,0.01,2" },
    { 0, "max_norm=0,1,3" },
    { 0, "raise=off,on" },
    { 0, "max_up=0,0.5,1.1" },
    { 0, "max_down=0,0.1,0.9,1" },
    { 0, "norm_eps=0,1e-16,0.5" },
    { 0, "init=first,zero" },
    { 1, "beta=0:1:9" },
    { 1, "low=0,0.3,0.95,1.5" },
    { 1, "high=0,0.6,1,2,8" },
    { 1, "raise=off,on" },
    { 1, "max_up=0,1.1" },
    { 1, "max_down=0,0.1,0.9" },
    { 2, "high@g0=0.3:3:9" },
    { 2, "beta=0.5:0.999:20:logit" },
    { 3, "beta=0.5:0.999:20:logit" },
    { 4, "max_norm=0,1,7,90,1e200" },
    { 4, "eps=0,1e-6,1" },
    { 4, "strict=off,on" },
    { 5, "max_norm=0.5:20:40:log" },
    { 6, "eps=0,1e-6,1" },
    { 4, "form=torch,float,deepspeed,keras,axlearn" },
    { 4, "norm=l2,max" },
    { 4, "skip_above=3,20,inf" },
    { 4, "bad=as-it-is,skip,one" },
    { 4, "precision=fp64,fp32" },
    { 8, "warmup=1,5,9" },
    { 8, "form=adaptive,mean,percentile" },
    { 9, "percentile=0:100:90" }, /* more look-backs than a GPU is given */
    { 10, "form=torch,paddle,optimizer" },
    { 10, "warmup=0,3" },
    { 11, "warmup=0,3" },
    { 12, "ratio=1:3:9" },
    { 13, "window=4,16" },
    { 13, "sigmas=0.5:2:5" },
    { 13, "form=olmo-core,levanter" },
    { 14, "z_norm=0,1,2" },
    { 14, "window=9" },
    { 15, "form=timm,composer" },
    { 16, "threshold=0.01:2:9:log" },
    { 17, "window=5,40" },
    { 18, "above=0.5:3:9" },
    { 19, "sigmas=0:3:9" },
    { 20, "window=6,20" },
    { 21, "gap=4,1000" },
    { 5, "max_norm@g0=0,1e-3,4" }, /* the last: see world_make */
};
static const char *const constraints[] = { "low<=high" };

static void world_make(struct world *w, struct gtr_series *series, enum gtr_nonfinite_rule rule,
                       size_t n_samples)
{
    const struct gtr_replay_options how = { .size = sizeof how, .nonfinite = rule };
    const size_t one = series->n_groups == 1 ? 1 : 0; /* that is all groups, and refused */
    const struct gtr_plan_options options = { .policies = policies,
                                              .n_policies = GTR_ARRAY_LEN(policies),
                                              .axes = axes,
                                              .n_axes = GTR_ARRAY_LEN(axes) - one,
                                              .constraints = constraints,
                                              .n_constraints = 1,
                                              .sampling = GTR_RANDOM,
                                              .n_samples = n_samples };
    struct gtr_baseline_options about;
    struct gtr_err err = { 0 };

    *w = (struct world){ .series = series };
    gtr_baseline_options_init(&about);
    CHECK(gtr_replay_new(series, &how, &w->replay, &err) == GTR_OK);
    CHECK(gtr_baseline_new(series, gtr_replay_skip(w->replay), &about, &w->baseline, &err) ==
          GTR_OK);
    CHECK(gtr_plan_new(&options, w->replay, &w->plan, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    if (w->plan == NULL)
        abort();
    w->n = gtr_plan_n_settings(w->plan);
    w->wanted = gtr_alloc(w->n * GTR_OBJECTIVE_COUNT, sizeof(double));
    w->got = gtr_alloc(w->n * GTR_OBJECTIVE_COUNT, sizeof(double));
}

static void world_free(struct world *w)
{
    gtr_plan_free(w->plan);
    gtr_baseline_free(w->baseline);
    gtr_replay_free(w->replay);
    gtr_series_free(w->series);
    gtr_free(w->wanted);
    gtr_free(w->got);
}

/* Each setting by itself, on the CPU. */
static void run_slowly(const struct world *w, int scales_only)
{
    union gtr_params *params = gtr_alloc(w->series->n_groups, sizeof *params);
    size_t i, k;

    for (i = 0; i < w->n; i++) {
        double *row = w->wanted + i * GTR_OBJECTIVE_COUNT;
        size_t policy = gtr_plan_policy_of(w->plan, i);

        for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
            row[k] = (double)NAN;
        if (!gtr_plan_allows(w->plan, i))
            continue;
        gtr_plan_params(w->plan, i, params);
        CHECK(gtr_sweep_one(w->replay, w->baseline, gtr_plan_policy_id(w->plan, policy), params,
                            scales_only, row, NULL) == GTR_OK);
    }
    gtr_free(params);
}

static void run_on(const struct world *w, int scales_only, int device)
{
    const struct gtr_sweep_options options = { .n_threads = 2,
                                               .scales_only = scales_only,
                                               .device = { GTR_DEVICE_CUDA, device } };
    struct gtr_err err = { 0 };
    size_t n_done;

    memset(w->got, 0x55, w->n * GTR_OBJECTIVE_COUNT * sizeof(double));
    CHECK(gtr_sweep_run(w->replay, w->baseline, w->plan, 0, w->n, &options, w->got, &n_done,
                        &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    CHECK(n_done == w->n);
}

static void compare(struct gtr_series *series, enum gtr_nonfinite_rule rule, size_t n_samples)
{
    struct world w;
    int scales_only;

    world_make(&w, series, rule, n_samples);
    for (scales_only = 0; scales_only < 2; scales_only++) {
        run_slowly(&w, scales_only);
        run_on(&w, scales_only, -1);
        check_same("objectives", w.got, w.wanted, w.n * GTR_OBJECTIVE_COUNT);
        run_on(&w, scales_only, 0);
        check_same("objectives on cuda:0", w.got, w.wanted, w.n * GTR_OBJECTIVE_COUNT);
    }
    world_free(&w);
}

static void every_policy_has_the_objectives_of_the_cpu(void)
{
    int kind;

    for (kind = 0; kind < EDGE_NONE_FINITE; kind++) {
        compare(edge_series((enum edge_kind)kind, 7, 90, 7), GTR_SKIP_STEP, 151);
        compare(edge_series((enum edge_kind)kind, 7, 90, 7), GTR_PROPAGATE, 151);
    }
}

static void groups_that_are_left_out_are_left_out(void)
{
    size_t left_out;

    for (left_out = 1; left_out < 4; left_out += 2) {
        compare(edge_series(EDGE_SMOOTH, 4, 33, left_out), GTR_SKIP_STEP, 67);
        compare(edge_series(EDGE_NONFINITE, 4, 33, left_out), GTR_PROPAGATE, 67);
    }
}

static void one_group_seventy_groups_and_one_step(void)
{
    compare(edge_series(EDGE_NUMBERS, 1, 300, 1), GTR_SKIP_STEP, 33);
    compare(edge_series(EDGE_SMOOTH, 70, 20, 70), GTR_SKIP_STEP, 33);
    compare(edge_series(EDGE_NUMBERS, 3, 1, 3), GTR_SKIP_STEP, 1);
    compare(edge_series(EDGE_SMOOTH, 700, 2, 700), GTR_SKIP_STEP, 3);
}

static void a_trace_without_a_step_that_counts_has_no_numbers(void)
{
    compare(edge_series(EDGE_NONE_FINITE, 3, 12, 3), GTR_SKIP_STEP, 5);
    compare(edge_series(EDGE_NONE_FINITE, 3, 12, 3), GTR_PROPAGATE, 5);
}

/* Waves, and chunks of rows: a state that was put away goes on where it was. */
static void thousands_of_settings_and_rows(void)
{
    struct world w;

    compare(edge_series(EDGE_SMOOTH, 3, 400, 3), GTR_SKIP_STEP, 701);
    world_make(&w, edge_series(EDGE_SMOOTH, 2, 40, 2), GTR_SKIP_STEP, 3001);
    run_slowly(&w, 1);
    run_on(&w, 1, -1);
    check_same("objectives", w.got, w.wanted, w.n * GTR_OBJECTIVE_COUNT);
    world_free(&w);
}

static void parts_of_a_plan_join_to_the_whole(void)
{
    const struct gtr_sweep_options options = { .device = { GTR_DEVICE_CUDA, -1 } };
    size_t at, n, n_done;
    struct world w;

    world_make(&w, edge_series(EDGE_SMOOTH, 3, 20, 3), GTR_SKIP_STEP, 50);
    run_slowly(&w, 0);
    memset(w.got, 0x55, w.n * GTR_OBJECTIVE_COUNT * sizeof(double));
    for (at = 0; at < w.n; at += n) {
        n = w.n - at < 37 ? w.n - at : 37;
        CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, at, n, &options,
                            w.got + at * GTR_OBJECTIVE_COUNT, &n_done, NULL) == GTR_OK);
        CHECK(n_done == n);
    }
    check_same("objectives", w.got, w.wanted, w.n * GTR_OBJECTIVE_COUNT);
    CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 3, 0, &options, w.got, &n_done, NULL) ==
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
    struct gtr_sweep_options options = { .scales_only = 1,
                                         .progress = watch_progress,
                                         .context = &watch,
                                         .device = { GTR_DEVICE_CUDA, -1 } };
    struct world w;
    size_t n_done;

    world_make(&w, edge_series(EDGE_SMOOTH, 2, 10, 2), GTR_SKIP_STEP, 2000);
    run_slowly(&w, 1);
    CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 0, w.n, &options, w.got, &n_done, NULL) ==
          GTR_OK);
    CHECK(watch.calls > 4 && watch.last == w.n && !watch.overlapped && n_done == w.n);
    watch = (struct watch){ .stop_at = 1 };
    options.device.number = 0;
    memset(w.got, 0x55, w.n * GTR_OBJECTIVE_COUNT * sizeof(double));
    CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 0, w.n, &options, w.got, &n_done, NULL) ==
          GTR_OK);
    CHECK(watch.calls == 1 && n_done >= watch.last && n_done < w.n);
    check_same("objectives", w.got, w.wanted, n_done * GTR_OBJECTIVE_COUNT);
    world_free(&w);
}

static void without_memory_a_run_says_so(void)
{
    const struct gtr_sweep_options options = { .device = { GTR_DEVICE_CUDA, 0 } };
    enum gtr_code rc = GTR_ENOMEM;
    struct world w;
    size_t n_done, n;

    world_make(&w, edge_series(EDGE_SMOOTH, 2, 10, 2), GTR_SKIP_STEP, 5);
    for (n = 1; n < 64 && rc != GTR_OK; n++) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(n);
        rc = gtr_sweep_run(w.replay, w.baseline, w.plan, 0, w.n, &options, w.got, &n_done, &err);
        gtr_alloc_fail_after(0);
        if (rc != GTR_OK) {
            CHECK_HOLDS(err.text, "no memory");
            CHECK(n_done < w.n);
        }
    }
    CHECK(rc == GTR_OK && n > 6);
    world_free(&w);
}

static void a_gpu_that_is_not_there_is_an_error(void)
{
    const struct gtr_sweep_options options = { .device = { GTR_DEVICE_CUDA, 900 } };
    struct gtr_err err = { 0 };
    struct world w;
    size_t n_done;

    world_make(&w, edge_series(EDGE_SMOOTH, 2, 10, 2), GTR_SKIP_STEP, 1);
    CHECK(gtr_sweep_run(w.replay, w.baseline, w.plan, 0, w.n, &options, w.got, &n_done, &err) ==
              GTR_EDEVICE &&
          n_done == 0);
    CHECK_HOLDS(err.text, "cuda:900: no such GPU");
    world_free(&w);
}

int main(void)
{
    if (skipped_without_gpu(9))
        return 0;
    RUN(every_policy_has_the_objectives_of_the_cpu);
    RUN(groups_that_are_left_out_are_left_out);
    RUN(one_group_seventy_groups_and_one_step);
    RUN(a_trace_without_a_step_that_counts_has_no_numbers);
    RUN(thousands_of_settings_and_rows);
    RUN(parts_of_a_plan_join_to_the_whole);
    RUN(progress_counts_up_and_can_stop);
    RUN(without_memory_a_run_says_so);
    RUN(a_gpu_that_is_not_there_is_an_error);
    return check_report();
}
