/* bench_sweep_cuda.c - how many settings x groups x steps a sweep does in a second on a GPU, and on
 * all cores of the CPU beside it in the same run.
 *
 *     bench_sweep_cuda [MILLION_SETTINGS]      default: 2 on a GPU, 0.02 on the CPU
 *
 * Whole sweeps by gtr_sweep_run, as the program does them: parameters of each setting made on the
 * host, results in its memory.  1,500 steps x 7 groups; AGGC as its code computes it, with schedule
 * and caps, a grid over beta, low and high.  Also the rate of the host's part alone.  Without a GPU
 * only the CPU is timed; an emulated one says nothing about speed.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradtrace_lab.h"
#include "threads.h"

enum { STEPS = 1500, GROUPS = 7, RUNS = 5, PART = 4096 };

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Noise about a level for each group; one norm in 64 is 16 times as large. */
static struct gtr_series *make_series(void)
{
    static struct gtr_series series = {
        .n_groups = GROUPS, .n_steps = STEPS, .left_out = GROUPS, .total_steps = STEPS
    };
    static int64_t index[STEPS];
    static double sumsq[GROUPS * STEPS], total_sumsq[STEPS], total[STEPS];
    static uint8_t nonfinite[STEPS];
    static char *names[GROUPS] = { "q", "k", "v", "o", "gate", "up", "down" };
    uint64_t state = 88172645463325252u;
    size_t t, j;

    for (t = 0; t < STEPS; t++) {
        index[t] = (int64_t)t;
        for (j = 0; j < GROUPS; j++) {
            double norm;

            state = state * 6364136223846793005u + 1442695040888963407u;
            norm = (double)((state >> 40) % 256 + 1) / 256.0 + (double)(j + 1) / 4.0;
            norm *= (state >> 50) % 64 == 0 ? 16.0 : 1.0;
            sumsq[j * STEPS + t] = norm * norm;
            total_sumsq[t] += norm * norm;
        }
        total[t] = sqrt(total_sumsq[t]);
    }
    series.names = names;
    series.index = index;
    series.sumsq = sumsq;
    series.total_sumsq = total_sumsq;
    series.total = total;
    series.nonfinite = nonfinite;
    return &series;
}

struct world {
    struct gtr_replay *replay;
    struct gtr_baseline *baseline;
    struct gtr_plan *plan;
    size_t n;
    double *out;
};

/* 200 x 100 values of low and high, and as many of beta as make n. */
static int world_make(struct world *w, size_t n)
{
    static const char *const policies[] = {
        "aggc:form=code,low_late=0.9,high_late=1.5,min_norm=0.01,raise=on,max_up=1.1,max_down=0.1"
    };
    const struct gtr_replay_options how = { .size = sizeof how };
    struct gtr_baseline_options about;
    char beta[64];
    const struct gtr_axis_text axes[] = { { 0, "high=1:5:200" },
                                          { 0, "low=0:0.9:100" },
                                          { 0, beta } };
    const struct gtr_plan_options options = {
        .policies = policies, .n_policies = 1, .axes = axes, .n_axes = GTR_ARRAY_LEN(axes)
    };
    struct gtr_err err = { 0 };

    snprintf(beta, sizeof beta, "beta=0.8:0.999:%zu:logit", n / 20000 > 2 ? n / 20000 : 2);
    gtr_objectives_baseline_init(&about);
    if (gtr_replay_new(make_series(), &how, &w->replay, &err) != GTR_OK ||
        gtr_baseline_new(gtr_replay_series(w->replay), gtr_replay_skip(w->replay), &about,
                         &w->baseline, &err) != GTR_OK ||
        gtr_plan_new(&options, w->replay, &w->plan, &err) != GTR_OK) {
        fprintf(stderr, "bench_sweep_cuda: %s\n", err.text);
        return 0;
    }
    w->n = gtr_plan_n_settings(w->plan) < n ? gtr_plan_n_settings(w->plan) : n;
    w->out = gtr_alloc(w->n * GTR_OBJECTIVE_COUNT, sizeof(double));
    return w->out != NULL;
}

static void world_free(struct world *w)
{
    gtr_free(w->out);
    gtr_plan_free(w->plan);
    gtr_baseline_free(w->baseline);
    gtr_replay_free(w->replay);
}

static double median(double *values, size_t n)
{
    size_t i, k;

    for (i = 1; i < n; i++)
        for (k = i; k > 0 && values[k - 1] > values[k]; k--) {
            double swap = values[k];

            values[k] = values[k - 1];
            values[k - 1] = swap;
        }
    return values[n / 2];
}

static void time_sweeps(const struct world *w, const char *name, struct gtr_device device)
{
    struct gtr_sweep_options options = { .device = device };
    double took[RUNS];
    size_t n_done, run;

    for (options.scales_only = 1; options.scales_only >= 0; options.scales_only--) {
        for (run = 0; run < RUNS; run++) {
            struct gtr_err err = { 0 };
            double start = seconds();

            if (gtr_sweep_run(w->replay, w->baseline, w->plan, 0, w->n, &options, w->out, &n_done,
                              &err) != GTR_OK) {
                printf("%-30s %s\n", name, err.text);
                return;
            }
            took[run] = seconds() - start;
        }
        printf("%-30s %-12s %10.3f s %10.0f\n", name, options.scales_only ? "scales only" : "all",
               median(took, RUNS), (double)w->n * STEPS * GROUPS * 1e-6 / median(took, RUNS));
    }
}

/* --- the host's part -------------------------------------------------------------------------- */

static void make_params(void *context, size_t item, size_t worker)
{
    const struct world *w = context;
    union gtr_params params;
    size_t i, end = (item + 1) * PART < w->n ? (item + 1) * PART : w->n;

    (void)worker;
    for (i = item * PART; i < end; i++) {
        gtr_plan_params_shared(w->plan, i, &params);
        w->out[i] = params.aggc.beta;
    }
}

static void time_host(struct world *w)
{
    size_t n_threads = gtr_threads_available(), run;
    double took[RUNS];

    for (run = 0; run < RUNS; run++) {
        double start = seconds();

        gtr_threads_run(n_threads, (w->n + PART - 1) / PART, make_params, w);
        took[run] = seconds() - start;
    }
    printf("parameters of settings, %zu threads: 10^6 a second: %.1f\n", n_threads,
           (double)w->n * 1e-6 / median(took, RUNS));
}

int main(int argc, char **argv)
{
    double millions = argc > 1 ? atof(argv[1]) : 2.0;
    struct world w = { 0 };
    char name[64];

    printf("AGGC, form=code, schedule and caps; %d steps x %d groups; median of %d sweeps; last "
           "column: 10^6 settings x groups x steps a second\n",
           STEPS, GROUPS, RUNS);
    if (gtr_device_count() > 0) {
        if (!world_make(&w, (size_t)(millions * 1e6)))
            return 1;
        gtr_device_name(0, name, sizeof name);
        time_sweeps(&w, name, (struct gtr_device){ GTR_DEVICE_CUDA, 0 });
        time_host(&w);
        world_free(&w);
    } else {
        printf("no GPU answers\n");
    }
    if (!world_make(&w, (size_t)(millions * 1e4)))
        return 1;
    snprintf(name, sizeof name, "CPU, %zu threads", gtr_threads_available());
    time_sweeps(&w, name, (struct gtr_device){ GTR_DEVICE_CPU, -1 });
    time_host(&w);
    world_free(&w);
    return 0;
}
