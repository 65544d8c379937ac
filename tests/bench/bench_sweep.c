/* bench_sweep.c - how many settings x groups x steps a sweep does in a second.
 *
 *     bench_sweep                         rates per kernel, on one core and on all
 *     bench_sweep SETTINGS THREADS [all]  seconds for that many by the best kernel, scales only or
 *                                         all objectives, and the mean over the settings of each:
 *                                         for sweep_vs_numpy.py, which makes the same series
 *
 * The series has 1,500 steps x 7 groups; its norms come from integers, so that any language makes
 * the same.  The policy is AGGC as its code computes it, with schedule and caps.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "baseline.h"
#include "sweep_block.h"
#include "threads.h"
#include "wide.h"

enum { STEPS = 1500, GROUPS = 7, RUNS = 5 };

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> 32;
}

/* Norms of 1/256 to 257/256 about a level for each group, one in 64 is 16 times as large. */
static void fill(double *sumsq)
{
    size_t t, j;

    for (t = 0; t < STEPS; t++)
        for (j = 0; j < GROUPS; j++) {
            double norm = (double)(next_random() % 256 + 1) / 256.0 + (double)(j + 1) / 4.0;

            if (next_random() % 64 == 0)
                norm *= 16.0;
            sumsq[j * STEPS + t] = norm * norm;
        }
}

static struct gtr_series *make_series(void)
{
    static struct gtr_series series = {
        .n_groups = GROUPS, .n_steps = STEPS, .left_out = GROUPS, .total_steps = STEPS
    };
    static int64_t index[STEPS];
    static double sumsq[GROUPS * STEPS], total_sumsq[STEPS], total[STEPS];
    static uint8_t nonfinite[STEPS];
    size_t t, j;

    fill(sumsq);
    for (t = 0; t < STEPS; t++) {
        index[t] = (int64_t)t;
        for (j = 0; j < GROUPS; j++)
            total_sumsq[t] += sumsq[j * STEPS + t];
        total[t] = sqrt(total_sumsq[t]);
    }
    series.index = index;
    series.sumsq = sumsq;
    series.total_sumsq = total_sumsq;
    series.total = total;
    series.nonfinite = nonfinite;
    return &series;
}

/* Setting i of a lattice over beta, low and high. */
static void setting(size_t i, union gtr_params *params)
{
    struct gtr_aggc_params p = { .switch_at = 0.4,
                                 .transition = 0.3,
                                 .schedule = 1.0,
                                 .min_norm = 0.01,
                                 .raise = 1.0,
                                 .max_up = 1.1,
                                 .max_down = 0.1 };
    size_t j;

    p.beta = 0.8 + (double)(i % 64) / 320.0;
    p.low = (double)(i / 64 % 32) / 64.0;
    p.high = 1.0 + (double)(i / 2048 % 64) / 16.0;
    p.low_late = p.low * 1.25;
    p.high_late = p.high * 0.75;
    for (j = 0; j < GROUPS; j++)
        params[j].aggc = p;
}

struct job {
    const struct gtr_sweep_rows *rows;
    struct gtr_sweep_space *space; /* [workers] */
    enum gtr_sweep_kernel kernel;
    int scales_only;
    double *out;
};

static void run_block(void *context, size_t item, size_t worker)
{
    struct job *job = context;
    struct gtr_sweep_space *space = &job->space[worker];
    size_t i;

    for (i = 0; i < GTR_SWEEP_LANES; i++)
        setting(item * GTR_SWEEP_LANES + i, space->params + i * GROUPS);
    gtr_sweep_block(job->rows, GTR_AGGC, space->params, GTR_SWEEP_LANES, job->scales_only,
                    job->kernel, space, job->out + item * GTR_SWEEP_LANES * GTR_OBJECTIVE_COUNT);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The median of RUNS runs. */
static double time_job(struct job *job, size_t n_threads, size_t n_settings, int runs)
{
    double took[RUNS];
    int run, i;

    for (run = 0; run < runs; run++) {
        double start = seconds(), now;

        gtr_threads_run(n_threads, n_settings / GTR_SWEEP_LANES, run_block, job);
        now = seconds() - start;
        for (i = run; i > 0 && took[i - 1] > now; i--)
            took[i] = took[i - 1];
        took[i] = now;
    }
    return took[runs / 2];
}

/* Seconds, and the mean over the settings of each objective; NaN for those not asked for. */
static void print_means(struct job *job, size_t n_threads, size_t n_settings)
{
    double mean[GTR_OBJECTIVE_COUNT] = { 0.0 };
    size_t i, k;

    printf("%.9f", time_job(job, n_threads, n_settings, 1));
    for (i = 0; i < n_settings; i++)
        for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
            mean[k] += job->out[i * GTR_OBJECTIVE_COUNT + k] / (double)n_settings;
    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        printf(" %.12f", mean[k]);
    printf("\n");
}

static void print_rates(struct job *job)
{
    static const struct {
        enum gtr_sweep_kernel kernel;
        const char *name;
        size_t n_settings;
    } kernels[] = { { GTR_SWEEP_SCALAR, "scalar", 512 },
                    { GTR_SWEEP_SSE2, "sse2", 2048 },
                    { GTR_SWEEP_AVX2, "avx2", 8192 },
                    { GTR_SWEEP_AVX512, "avx512", 16384 } };
    size_t all = gtr_threads_available(), k;

    printf("AGGC, form=code, schedule and caps; %d steps x %d groups; 10^6 settings x groups x "
           "steps a second (median of %d)\n%-8s %-14s %9s %9s\n",
           STEPS, GROUPS, RUNS, "kernel", "objectives", "1 core", "all cores");
    for (k = 0; k < GTR_ARRAY_LEN(kernels); k++)
        for (job->scales_only = 1; job->scales_only >= 0; job->scales_only--) {
            double work = (double)kernels[k].n_settings * STEPS * GROUPS * 1e-6, one, many;

            job->kernel = kernels[k].kernel;
            if (job->kernel > GTR_SWEEP_SCALAR && gtr_wide_find(job->kernel) == NULL)
                continue;
            one = work / time_job(job, 1, kernels[k].n_settings, RUNS);
            many = work / time_job(job, all, kernels[k].n_settings, RUNS);
            printf("%-8s %-14s %9.0f %9.0f   (%zu cores)\n", kernels[k].name,
                   job->scales_only ? "scales only" : "all", one, many, all);
        }
}

int main(int argc, char **argv)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_baseline_options about;
    struct gtr_replay *replay = NULL;
    struct gtr_baseline *baseline = NULL;
    struct gtr_sweep_rows *rows = NULL;
    struct job job = { .scales_only = argc <= 3 };
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 32768, workers = 256, i;

    gtr_baseline_options_init(&about);
    if (gtr_replay_new(make_series(), &options, &replay, NULL) != GTR_OK ||
        gtr_baseline_new(gtr_replay_series(replay), gtr_replay_skip(replay), &about, &baseline,
                         NULL) != GTR_OK ||
        gtr_sweep_rows_new(replay, baseline, &rows, NULL) != GTR_OK)
        return 1;
    workers = gtr_threads_count(argc > 2 ? strtoul(argv[2], NULL, 10) : 0, workers);
    job.rows = rows;
    job.space = gtr_alloc(workers, sizeof *job.space);
    job.out = gtr_alloc((n + GTR_SWEEP_LANES) * GTR_OBJECTIVE_COUNT, sizeof(double));
    if (job.space == NULL || job.out == NULL)
        return 1;
    for (i = 0; i < workers; i++)
        if (gtr_sweep_space_init(&job.space[i], GROUPS, NULL) != GTR_OK)
            return 1;
    if (argc > 1)
        print_means(&job, workers, n);
    else
        print_rates(&job);
    for (i = 0; i < workers; i++)
        gtr_sweep_space_free(&job.space[i]);
    gtr_free(job.space);
    gtr_free(job.out);
    gtr_sweep_rows_free(rows);
    gtr_baseline_free(baseline);
    gtr_replay_free(replay);
    return 0;
}
