/* comparing.h - runs of our own making, and noise to fill them with, for tests of comparisons. */
#ifndef COMPARING_H
#define COMPARING_H

#include "check.h"
#include "exact.h"
#include "gradtrace_lab.h"
#include "random.h"

enum { T_MAX = 8192, G_MAX = 7 };

/* A run of our own making. */
struct run {
    struct gtr_series series;
    struct gtr_replay *replay;
    double sumsq[G_MAX * T_MAX], total_sumsq[T_MAX], total[T_MAX];
    int64_t index[T_MAX];
    uint8_t nonfinite[T_MAX];
    size_t group[G_MAX + 1];
};

static inline void make(struct run *run, size_t n_groups, size_t n_steps)
{
    size_t t;

    memset(run, 0, sizeof *run);
    for (t = 0; t < n_steps; t++)
        run->index[t] = (int64_t)t;
    for (t = 0; t <= n_groups; t++)
        run->group[t] = t;
    run->series = (struct gtr_series){ .n_groups = n_groups,
                                       .n_steps = n_steps,
                                       .left_out = n_groups,
                                       .index = run->index,
                                       .sumsq = run->sumsq,
                                       .total_sumsq = run->total_sumsq,
                                       .total = run->total,
                                       .nonfinite = run->nonfinite };
}

static inline void start(struct run *run)
{
    const struct gtr_replay_options options = { .size = sizeof options, .n_threads = 1 };
    size_t t, j;

    for (t = 0; t < run->series.n_steps; t++) {
        run->total_sumsq[t] = 0.0;
        for (j = 0; j < run->series.n_groups; j++)
            run->total_sumsq[t] += run->sumsq[j * run->series.n_steps + t];
        run->total[t] = sqrt(run->total_sumsq[t]);
    }
    CHECK(gtr_replay_new(&run->series, &options, &run->replay, NULL) == GTR_OK);
}

static inline void end(struct run *run)
{
    gtr_replay_free(run->replay);
    run->replay = NULL;
}

static inline struct gtr_comparison *compare(const struct run *a, const struct run *b,
                                             size_t n_groups, const int64_t window[4],
                                             size_t n_threads)
{
    struct gtr_compare_options options = { .n_groups = n_groups,
                                           .alpha = 0.05,
                                           .n_threads = n_threads };
    struct gtr_compare_side sides[2] = { { .replay = a->replay, .group = a->group },
                                         { .replay = b->replay, .group = b->group } };
    struct gtr_comparison *comparison = NULL;
    size_t i;

    gtr_objectives_baseline_init(&options.baseline);
    for (i = 0; i < 2; i++) {
        sides[i].first = window[2 * i];
        sides[i].last = window[2 * i + 1];
    }
    CHECK(gtr_comparison_new(&sides[0], &sides[1], &options, &comparison, NULL) == GTR_OK);
    return comparison;
}

/* --- noise --------------------------------------------------------------------------------- */

/* How norms wander: ln n is an autoregression of order 1, three tenths of its variance common to
 * all groups, with strays above it. */
struct noise {
    double memory, spread;
    double fall;  /* factor over the run */
    double curve; /* and of its first tenth, as in a warm-up */
    double stray; /* chance of a step thrice as high */
};

static inline void wander(struct run *run, size_t n_steps, const struct noise *noise, uint64_t seed)
{
    double fresh = sqrt(1.0 - noise->memory * noise->memory), x[G_MAX + 1];
    struct gtr_random random;
    size_t t, j;

    make(run, G_MAX, n_steps);
    gtr_random_init(&random, seed, 0);
    for (j = 0; j <= G_MAX; j++)
        x[j] = gtr_random_normal(&random);
    for (t = 0; t < n_steps; t++) {
        double part = (double)t / (double)n_steps;
        double trend = part * gtr_ln(noise->fall) + gtr_exp(-10.0 * part) * gtr_ln(noise->curve);

        for (j = 0; j <= G_MAX; j++)
            x[j] = t == 0 ? x[j] : noise->memory * x[j] + fresh * gtr_random_normal(&random);
        for (j = 0; j < G_MAX; j++) {
            double ln_n = trend + noise->spread * (sqrt(0.3) * x[G_MAX] + sqrt(0.7) * x[j]);

            if (gtr_random_uniform(&random) < noise->stray)
                ln_n += 1.1;
            run->sumsq[j * n_steps + t] = gtr_exp(2.0 * ln_n);
        }
    }
    start(run);
}

#endif
