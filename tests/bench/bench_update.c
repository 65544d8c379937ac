/* bench_update.c - how many elements x steps x policies an update replay does in a second.
 *
 *     bench_update                             rates per kernel, on one core and on all
 *     bench_update ELEMENTS STEPS THREADS [N]  seconds of N runs (1) by the best kernel with 8
 *                                              policies, and of each policy the mean over the steps
 *                                              of its three sums: for update_vs_numpy.py, which
 *                                              makes the same gradients
 *
 * Gradients are fp32, in memory, and come from integers, so that any language makes the same.  The
 * scales differ at each step, but for the first policy's, which are 1/2.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "isa.h"
#include "threads.h"
#include "update_engine.h"

enum { POLICIES = 8, RUNS = 5 };

struct work {
    size_t n_elements, n_steps;
    float *gradients; /* [steps][elements] */
    float *scale;     /* [steps][POLICIES] */
    uint8_t *skip;
    struct gtr_optimizer_step *steps;
    struct gtr_update_piece *pieces;
    struct gtr_update_sums *sums; /* [steps][pieces][POLICIES] */
    double *plain;
    struct gtr_update_pass pass;
    struct gtr_update_batch batch;
};

/* Element i at step t: a multiple of 2^-30, below 2^-8 in magnitude. */
static float gradient(uint32_t i, uint32_t t)
{
    uint32_t h = (i + 1u) * 2654435761u ^ (t + 1u) * 2246822519u;

    h = (h ^ h >> 15) * 2654435769u;
    return (float)((int32_t)(h >> 9) - (1 << 22)) * 0x1p-30f;
}

static float scale(size_t t, size_t policy)
{
    return policy == 0 ? 0.5f : (float)((t * 7 + policy * 5) % 16 + 1) / 16.0f;
}

static void fill(struct work *w)
{
    size_t t, i;

    for (t = 0; t < w->n_steps; t++) {
        for (i = 0; i < w->n_elements; i++)
            w->gradients[t * w->n_elements + i] = gradient((uint32_t)i, (uint32_t)t);
        for (i = 0; i < POLICIES; i++)
            w->scale[t * POLICIES + i] = scale(t, i);
    }
    for (i = 0; i < w->batch.n_pieces; i++) {
        size_t left = w->n_elements - i * GTR_PIECE;

        w->pieces[i] =
            (struct gtr_update_piece){ .dtype = GTR_F32,
                                       .n = left < GTR_PIECE ? (uint32_t)left : GTR_PIECE,
                                       .first = i * GTR_PIECE,
                                       .offset = i * GTR_PIECE * sizeof(float),
                                       .position = i * GTR_PIECE };
    }
}

static void make(struct work *w, size_t n_elements, size_t n_steps)
{
    size_t n_pieces = (n_elements + GTR_PIECE - 1) / GTR_PIECE;
    struct gtr_optimizer adamw;

    gtr_optimizer_init(&adamw, GTR_ADAMW);
    w->n_elements = n_elements;
    w->n_steps = n_steps;
    w->gradients = gtr_alloc(n_elements * n_steps, sizeof *w->gradients);
    w->scale = gtr_alloc(n_steps * POLICIES, sizeof *w->scale);
    w->skip = gtr_alloc(n_steps, 1);
    w->steps = gtr_alloc(n_steps, sizeof *w->steps);
    w->pieces = gtr_alloc(n_pieces, sizeof *w->pieces);
    w->sums = gtr_alloc(n_steps * n_pieces * POLICIES, sizeof *w->sums);
    w->plain = gtr_alloc(n_steps * n_pieces, sizeof *w->plain);
    if (w->gradients == NULL || w->scale == NULL || w->skip == NULL || w->steps == NULL ||
        w->pieces == NULL || w->sums == NULL || w->plain == NULL)
        exit(1);
    gtr_optimizer_steps(&adamw, (int64_t)n_steps, w->steps);
    w->pass = (struct gtr_update_pass){ .optimizer = GTR_ADAMW,
                                        .n_policies = POLICIES,
                                        .n_groups = 1,
                                        .n_rows = n_steps,
                                        .scale = w->scale,
                                        .skip = w->skip,
                                        .steps = w->steps };
    w->batch = (struct gtr_update_batch){ .pieces = w->pieces,
                                          .n_pieces = n_pieces,
                                          .n_elements = (n_elements + 1023) / 1024 * 1024,
                                          .row_bytes = n_elements * sizeof(float) };
    fill(w);
}

static void release(struct work *w)
{
    gtr_free(w->gradients);
    gtr_free(w->scale);
    gtr_free(w->skip);
    gtr_free(w->steps);
    gtr_free(w->pieces);
    gtr_free(w->sums);
    gtr_free(w->plain);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The median of `runs` runs, from states of zero on. */
static double time_work(struct work *w, size_t n_threads, int runs)
{
    const struct gtr_update_answer answer = { .sums = w->sums, .plain = w->plain };
    struct gtr_update_engine *engine;
    double took[64];
    int run, i;

    if (gtr_update_cpu_new(&w->pass, n_threads, &engine, NULL) != GTR_OK)
        exit(1);
    for (run = -1; run < runs; run++) { /* the first only touches memory */
        double start = seconds(), now;

        if (engine->begin(engine, &w->batch, NULL) != GTR_OK ||
            engine->run(engine, w->gradients, 0, w->n_steps, &answer, NULL) != GTR_OK)
            exit(1);
        now = seconds() - start;
        for (i = run; i > 0 && took[i - 1] > now; i--)
            took[i] = took[i - 1];
        if (run >= 0)
            took[i] = now;
    }
    engine->free(engine);
    return took[runs / 2];
}

/* Seconds, the mean of sum u_none^2, and each policy's means of its sums. */
static void print_sums(struct work *w, size_t n_threads, int runs)
{
    double mean[1 + 3 * POLICIES] = { 0.0 }, factor, took = time_work(w, n_threads, runs);
    size_t t, i, p;

    for (t = 0; t < w->n_steps; t++) {
        factor = w->steps[t].factor * w->steps[t].factor / (double)w->n_steps;
        for (i = 0; i < w->batch.n_pieces; i++) {
            size_t at = t * w->batch.n_pieces + i;

            mean[0] += w->plain[at] * factor;
            for (p = 0; p < POLICIES; p++) {
                mean[1 + 3 * p] += w->sums[at * POLICIES + p].update * factor;
                mean[2 + 3 * p] += w->sums[at * POLICIES + p].change * factor;
                mean[3 + 3 * p] += w->sums[at * POLICIES + p].along * factor;
            }
        }
    }
    printf("%.9f", took);
    for (i = 0; i < GTR_ARRAY_LEN(mean); i++)
        printf(" %.17g", mean[i]);
    printf("\n");
}

static void print_rates(struct work *w)
{
    static const char *const names[GTR_ISA_COUNT] = { "portable", "avx2", "avx512" };
    static const char *const optimizers[GTR_OPTIMIZER_COUNT] = { "adamw", "sgd" };
    size_t all = gtr_threads_available();
    double rate = (double)w->n_elements * (double)w->n_steps * POLICIES * 1e-6;
    int isa, id;

    printf("%zu elements x %zu steps x %d policies, fp32; 10^6 elements x steps x policies a "
           "second (median of %d)\n%-9s %-9s %9s %9s\n",
           w->n_elements, w->n_steps, POLICIES, RUNS, "optimizer", "kernel", "1 core", "all cores");
    for (id = 0; id < GTR_OPTIMIZER_COUNT; id++)
        for (isa = 0; isa < GTR_ISA_COUNT; isa++) {
            struct gtr_optimizer optimizer;
            double one, many;

            if (!gtr_isa_here((enum gtr_isa)isa))
                continue;
            gtr_isa_force((enum gtr_isa)isa);
            gtr_optimizer_init(&optimizer, (enum gtr_optimizer_id)id);
            gtr_optimizer_steps(&optimizer, (int64_t)w->n_steps, w->steps);
            w->pass.optimizer = optimizer.id;
            one = rate / time_work(w, 1, RUNS);
            many = rate / time_work(w, all, RUNS);
            printf("%-9s %-9s %9.0f %9.0f   (%zu cores)\n", optimizers[id], names[isa], one, many,
                   all);
        }
}

int main(int argc, char **argv)
{
    struct work work = { 0 };

    if (argc > 3) {
        make(&work, strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10));
        print_sums(&work, strtoul(argv[3], NULL, 10), argc > 4 ? atoi(argv[4]) : 1);
    } else {
        make(&work, 1 << 19, 16);
        print_rates(&work);
    }
    release(&work);
    return 0;
}
