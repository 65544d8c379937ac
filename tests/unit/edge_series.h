/* edge_series.h - series of any shape with all that a recorder may meet: zeros, subnormal numbers,
 * sums near the largest, infinite ones, steps that are not finite; for tests that hold a GPU to the
 * CPU. */
#ifndef EDGE_SERIES_H
#define EDGE_SERIES_H

#include <float.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"

static uint64_t edge_state = 0x2545f4914f6cdd1du;

static inline uint64_t edge_random(void)
{
    edge_state ^= edge_state << 13;
    edge_state ^= edge_state >> 7;
    edge_state ^= edge_state << 17;
    return edge_state >> 16;
}

enum edge_kind { EDGE_SMOOTH, EDGE_NUMBERS, EDGE_NONFINITE, EDGE_NONE_FINITE, EDGE_KINDS };

static inline double edge_energy(enum edge_kind kind, size_t j)
{
    static const double edges[] = { 0.0,  4.9e-324, 1e-310, 2.3e-308, 1e-300,  1e-24,
                                    1e24, 1e300,    1e300,  2e307,    DBL_MAX, HUGE_VAL };
    double norm = (0.5 + (double)(edge_random() % 4096) / 4096.0) * (double)(j % 7 + 1);

    if (kind == EDGE_NUMBERS && edge_random() % 2 == 0)
        return edges[edge_random() % GTR_ARRAY_LEN(edges)];
    if (edge_random() % 16 == 0)
        norm *= 50.0;
    return norm * norm;
}

/* left_out: n_groups for none. */
static inline struct gtr_series *edge_series(enum edge_kind kind, size_t n_groups, size_t n_steps,
                                             size_t left_out)
{
    struct gtr_series *s = gtr_alloc(1, sizeof *s);
    size_t j, t;

    s->n_groups = n_groups;
    s->n_steps = n_steps;
    s->left_out = left_out;
    s->total_steps = (int64_t)n_steps;
    s->names = gtr_alloc(n_groups, sizeof *s->names);
    s->index = gtr_alloc(n_steps, sizeof *s->index);
    s->sumsq = gtr_alloc(n_groups * n_steps, sizeof(double));
    s->total_sumsq = gtr_alloc(n_steps, sizeof(double));
    s->total = gtr_alloc(n_steps, sizeof(double));
    s->nonfinite = gtr_alloc(n_steps, 1);
    s->group_nonfinite = kind >= EDGE_NONFINITE ? gtr_alloc(n_groups * n_steps, 1) : NULL;
    for (j = 0; j < n_groups; j++) {
        char name[24];

        snprintf(name, sizeof name, "g%zu", j);
        s->names[j] = gtr_strdup(j == left_out ? "-" : name);
    }
    s->loss = gtr_alloc(n_steps, sizeof(double));
    s->numel = gtr_alloc(n_groups, sizeof(double));
    s->maxabs = gtr_alloc((n_groups + 1) * n_steps, sizeof(double));
    s->weight = gtr_alloc(n_groups * n_steps, sizeof(double));
    for (t = 0; t < n_steps; t++) {
        s->index[t] = (int64_t)t;
        for (j = 0; j < n_groups; j++) {
            s->sumsq[j * n_steps + t] = edge_energy(kind, j);
            s->total_sumsq[t] += s->sumsq[j * n_steps + t];
        }
        s->total[t] = sqrt(s->total_sumsq[t]);
        s->loss[t] = (double)(edge_random() % 512) / 64.0;
        for (j = 0; j < n_groups; j++) {
            s->numel[j] = (double)(3 * j + 1);
            s->maxabs[j * n_steps + t] = 0.5 * sqrt(s->sumsq[j * n_steps + t]);
            s->maxabs[n_groups * n_steps + t] =
                fmax(s->maxabs[n_groups * n_steps + t], s->maxabs[j * n_steps + t]);
            s->weight[j * n_steps + t] = (double)(edge_random() % 8);
        }
        if (kind == EDGE_NONE_FINITE || (kind == EDGE_NONFINITE && (t == 0 || t % 23 == 7))) {
            s->nonfinite[t] = s->group_nonfinite[edge_random() % n_groups * n_steps + t] =
                edge_random() % 2 ? GTR_IS_NAN : GTR_IS_INFINITE;
            s->n_nonfinite++;
        }
    }
    return s;
}

/* One NaN is as good as another for CHECK_BITS; here even those must be the same, as files are
 * compared byte by byte. */
static inline void check_same(const char *what, const double *got, const double *wanted, size_t n)
{
    size_t i;

    for (i = 0; i < n && check_failures < 8; i++)
        if (memcmp(&got[i], &wanted[i], sizeof got[i]) != 0) {
            check_failures++;
            printf("%s, number %zu: is %.17g, wanted %.17g (or another NaN)\n", what, i, got[i],
                   wanted[i]);
        }
}

/* Ends a program whose tests need a GPU, where there is none. */
static inline int skipped_without_gpu(int n_tests)
{
    if (gtr_device_count() > 0)
        return 0;
    printf("skipped: no GPU answers, and this is no build with CUDA=emulate\n");
    printf("0 passed, 0 failed, %d skipped\n", n_tests);
    return 1;
}

#endif
