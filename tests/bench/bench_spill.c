/* bench_spill.c - how long it takes to say who makes the norm explode and who pays.
 *
 *     bench_spill [THREADS]      seconds of each part of `gradtrace spill`, on all cores or so many
 *
 * The series has 100,000 steps x 64 groups; at each step up to 12 groups stand out of their past.
 * Norms come from integers.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradtrace_lab.h"

enum { STEPS = 100000, GROUPS = 64, CULPRITS = 12, RUNS = 5 };

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> 32;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *take(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p == NULL)
        abort();
    return p;
}

/* Norms near 1; 0 to 12 of them, spread over the groups, are 2 to 18. */
static void fill(struct gtr_series *series)
{
    size_t t, j, k;

    for (t = 0; t < STEPS; t++) {
        size_t n = next_random() % (CULPRITS + 1), first = next_random() % GROUPS;

        series->index[t] = (int64_t)t;
        for (j = 0; j < GROUPS; j++) {
            double norm = 1.0 + (double)(next_random() % 256) / 1024.0;

            series->sumsq[j * STEPS + t] = norm * norm;
        }
        for (k = 0; k < n; k++) {
            double norm = 2.0 + (double)(next_random() % 16384) / 1024.0;

            series->sumsq[(first + 5 * k) % GROUPS * STEPS + t] = norm * norm;
        }
        for (j = 0; j < GROUPS; j++)
            series->total_sumsq[t] += series->sumsq[j * STEPS + t];
        series->total[t] = sqrt(series->total_sumsq[t]);
    }
}

static void check(enum gtr_code rc, const struct gtr_err *err)
{
    if (rc == GTR_OK)
        return;
    fprintf(stderr, "bench_spill: %s\n", err->text);
    exit(1);
}

/* Best of RUNS: the machine may be doing other things. */
enum { AVERAGES, CURVE, LIMIT, SHAPLEY, AUMANN, PARTS };
static double best[PARTS], work[PARTS];

static double began, began_work;

static double work_so_far(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void start(void)
{
    began = seconds();
    began_work = work_so_far();
}

static void keep(size_t part)
{
    double took = seconds() - began, worked = work_so_far() - began_work;

    if (best[part] == 0.0 || took < best[part])
        best[part] = took;
    if (work[part] == 0.0 || worked < work[part])
        work[part] = worked;
}

static void run(const struct gtr_series *series, size_t n_threads)
{
    const struct gtr_replay_options about = { .size = sizeof about, .n_threads = n_threads };
    struct gtr_spill_options options = { .max_norm = 10.0, .n_threads = n_threads };
    struct gtr_spill_point points[121] = { { 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 } };
    struct gtr_baseline_options standard;
    struct gtr_baseline *baseline;
    struct gtr_replay *replay;
    struct gtr_spill *spill;
    struct gtr_err err = { 0 };

    gtr_baseline_options_init(&standard);
    check(gtr_replay_new(series, &about, &replay, &err), &err);
    start();
    check(gtr_baseline_new(series, gtr_replay_skip(replay), &standard, &baseline, &err), &err);
    keep(AVERAGES);
    start();
    check(gtr_spill_curve(replay, baseline, points, 121, &err), &err);
    keep(CURVE);
    start();
    check(gtr_spill_limit(replay, baseline, 0.01, &points[0], &err), &err);
    keep(LIMIT);
    start();
    check(gtr_spill_new(replay, baseline, &options, &spill, &err), &err);
    keep(SHAPLEY);
    gtr_spill_free(spill);
    start();
    options.method = GTR_BLAME_AUMANN;
    check(gtr_spill_new(replay, baseline, &options, &spill, &err), &err);
    keep(AUMANN);
    gtr_spill_free(spill);
    gtr_baseline_free(baseline);
    gtr_replay_free(replay);
}

int main(int argc, char **argv)
{
    static const char *const parts[PARTS] = { "averages", "curve of 121 limits",
                                              "recommended limit", "spill-over, Shapley's blame",
                                              "the same for 5 kappas, Aumann and Shapley's" };
    static char *names[GROUPS], name[GROUPS][8];
    double all = 0.0, all_work = 0.0;
    size_t n_threads = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 0, j;
    struct gtr_series series = { .n_groups = GROUPS,
                                 .n_steps = STEPS,
                                 .left_out = GROUPS,
                                 .names = names,
                                 .index = take(STEPS, sizeof(int64_t)),
                                 .sumsq = take((size_t)GROUPS * STEPS, sizeof(double)),
                                 .total_sumsq = take(STEPS, sizeof(double)),
                                 .total = take(STEPS, sizeof(double)),
                                 .nonfinite = take(STEPS, 1) };

    for (j = 0; j < GROUPS; j++) {
        snprintf(name[j], sizeof name[j], "%zu", j);
        names[j] = name[j];
    }
    fill(&series);
    for (j = 0; j < RUNS; j++)
        run(&series, n_threads);
    best[AUMANN] *= 5.0;
    work[AUMANN] *= 5.0;
    printf("%-44s %9s %11s\n", "", "seconds", "of all cores");
    for (j = 0; j < PARTS; j++) {
        printf("%-44s %9.2f %11.2f\n", parts[j], best[j], work[j]);
        all += best[j];
        all_work += work[j];
    }
    printf("%-44s %9.2f %11.2f\n", "gradtrace spill, but for reading and writing", all, all_work);
    free(series.index);
    free(series.sumsq);
    free(series.total_sumsq);
    free(series.total);
    free(series.nonfinite);
    return 0;
}
