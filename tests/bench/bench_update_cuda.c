/* bench_update_cuda.c - how fast a GPU replays updates, and what share of its bandwidth that is.
 *
 *     bench_update_cuda [ELEMENTS STEPS]       rates by number of policies
 *     bench_update_cuda ELEMENTS STEPS sums    for update_vs_torch.py, 8 policies: seconds of the
 *                                              kernels, of the kernels with copies from the host,
 *                                              and the mean over the steps of sum u_none^2 and of
 *                                              each policy's three sums
 *
 * The gradients and scales are those of bench_update.c: fp32, made of integers.  "kernels" has the
 * rows in device memory already and repeats a slice's kernels; "with copies" is what a caller sees
 * who has rows in pinned memory.  The bandwidth is that of a kernel that only reads the same rows.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "device.h"
#include "read_cuda.h"
#include "update_cuda.h"
#include "update_engine.h"

#ifdef GTR_CUDA

enum { POLICIES = 8, AGAIN = 5 };

struct work {
    size_t n_elements, n_steps, n_policies;
    float *scale; /* [steps][policy] */
    uint8_t *skip;
    struct gtr_optimizer_step *steps;
    struct gtr_update_piece *pieces;
    struct gtr_update_sums *sums; /* [steps][pieces][policy] */
    double *plain;
    struct gtr_update_pass pass;
    struct gtr_update_batch batch;
    struct gtr_update_engine *engine;
    float *gradients; /* pinned, [steps][elements] */
};

static void stop(const struct gtr_err *err)
{
    fprintf(stderr, "bench_update_cuda: %s\n", err->text);
    exit(1);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

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

static void make_pieces(struct work *w)
{
    size_t i;

    for (i = 0; i < w->batch.n_pieces; i++) {
        size_t left = w->n_elements - i * GTR_PIECE;

        w->pieces[i].dtype = GTR_F32;
        w->pieces[i].n = left < GTR_PIECE ? (uint32_t)left : GTR_PIECE;
        w->pieces[i].first = w->pieces[i].position = i * GTR_PIECE;
        w->pieces[i].offset = i * GTR_PIECE * sizeof(float);
    }
}

/* calm: no policy has touched anything yet. */
static void make(struct work *w, size_t n_elements, size_t n_steps, size_t n_policies, int calm)
{
    size_t n_pieces = (n_elements + GTR_PIECE - 1) / GTR_PIECE, t, i;
    struct gtr_optimizer adamw;
    struct gtr_err err = { 0 };

    gtr_optimizer_init(&adamw, GTR_ADAMW);
    w->n_elements = n_elements;
    w->n_steps = n_steps;
    w->n_policies = n_policies;
    w->scale = gtr_alloc(n_steps * n_policies, sizeof *w->scale);
    w->skip = gtr_alloc(n_steps, 1);
    w->steps = gtr_alloc(n_steps, sizeof *w->steps);
    w->pieces = gtr_alloc(n_pieces, sizeof *w->pieces);
    w->sums = gtr_alloc(n_steps * n_pieces * n_policies, sizeof *w->sums);
    w->plain = gtr_alloc(n_steps * n_pieces, sizeof *w->plain);
    if (w->scale == NULL || w->skip == NULL || w->steps == NULL || w->pieces == NULL ||
        w->sums == NULL || w->plain == NULL)
        exit(1);
    gtr_optimizer_steps(&adamw, (int64_t)n_steps, w->steps);
    for (t = 0; t < n_steps; t++)
        for (i = 0; i < n_policies; i++)
            w->scale[t * n_policies + i] = calm ? 1.0f : scale(t, i);
    w->pass = (struct gtr_update_pass){ .optimizer = GTR_ADAMW,
                                        .n_policies = n_policies,
                                        .n_groups = 1,
                                        .n_rows = n_steps,
                                        .scale = w->scale,
                                        .skip = w->skip,
                                        .steps = w->steps };
    w->batch = (struct gtr_update_batch){ .pieces = w->pieces,
                                          .n_pieces = n_pieces,
                                          .n_elements = (n_elements + 1023) / 1024 * 1024,
                                          .row_bytes = n_elements * sizeof(float) };
    make_pieces(w);
    if (gtr_update_cuda_new(&w->pass, 0, &w->engine, &err) != GTR_OK)
        stop(&err);
    w->gradients = w->engine->rows_new(w->engine, n_steps * w->batch.row_bytes);
    if (w->gradients == NULL)
        exit(1);
    for (t = 0; t < n_steps; t++)
        for (i = 0; i < n_elements; i++)
            w->gradients[t * n_elements + i] = gradient((uint32_t)i, (uint32_t)t);
}

static void release(struct work *w)
{
    w->engine->rows_free(w->engine, w->gradients);
    w->engine->free(w->engine);
    gtr_free(w->scale);
    gtr_free(w->skip);
    gtr_free(w->steps);
    gtr_free(w->pieces);
    gtr_free(w->sums);
    gtr_free(w->plain);
}

/* Seconds for all steps, each the best of a few. */
struct times {
    double kernels, copies, reading;
};

static void keep_best(double *best, double took)
{
    if (*best == 0.0 || took < *best)
        *best = took;
}

static struct times time_work(struct work *w)
{
    const struct gtr_update_answer answer = { .sums = w->sums, .plain = w->plain };
    struct times best = { 0.0, 0.0, 0.0 };
    struct gtr_err err = { 0 };
    int i;

    for (i = 0; i < AGAIN; i++) {
        struct gtr_update_again slice;
        double start, took, share;

        if (w->engine->begin(w->engine, &w->batch, &err) != GTR_OK)
            stop(&err);
        start = seconds();
        if (w->engine->run(w->engine, w->gradients, 0, w->n_steps, &answer, &err) != GTR_OK)
            stop(&err);
        keep_best(&best.copies, seconds() - start);
        if (gtr_update_cuda_again(w->engine, AGAIN, &slice, &took, &err) != GTR_OK)
            stop(&err);
        share = (double)slice.n_rows / (double)w->n_steps;
        keep_best(&best.kernels, took / (share * AGAIN));
        start = seconds();
        if (gtr_bench_read(slice.rows, slice.bytes, &err) != GTR_OK)
            stop(&err);
        keep_best(&best.reading, (seconds() - start) / share);
    }
    return best;
}

static void print_sums(size_t n_elements, size_t n_steps)
{
    struct work w = { 0 };
    double mean[1 + 3 * POLICIES] = { 0.0 };
    struct times took;
    size_t t, i, p;

    make(&w, n_elements, n_steps, POLICIES, 0);
    took = time_work(&w);
    for (t = 0; t < n_steps; t++) {
        double factor = w.steps[t].factor * w.steps[t].factor / (double)n_steps;

        for (i = t * w.batch.n_pieces; i < (t + 1) * w.batch.n_pieces; i++) {
            mean[0] += w.plain[i] * factor;
            for (p = 0; p < POLICIES; p++) {
                mean[1 + 3 * p] += w.sums[i * POLICIES + p].update * factor;
                mean[2 + 3 * p] += w.sums[i * POLICIES + p].change * factor;
                mean[3 + 3 * p] += w.sums[i * POLICIES + p].along * factor;
            }
        }
    }
    printf("%.9f %.9f", took.kernels, took.copies);
    for (i = 0; i < GTR_ARRAY_LEN(mean); i++)
        printf(" %.17g", mean[i]);
    printf("\n");
    release(&w);
}

/* 10^9 a second. */
static void print_rate(size_t n_elements, size_t n_steps, size_t n_policies, int calm)
{
    struct work w = { 0 };
    double work = (double)n_elements * (double)n_steps * 1e-9;
    struct times took;

    make(&w, n_elements, n_steps, n_policies, calm);
    took = time_work(&w);
    printf("%8zu%s %10.2f %10.1f %8.1f %8.0f %9.1f%% %13.2f\n", n_policies, calm ? "*" : " ",
           work / took.kernels, work * (double)n_policies / took.kernels, 4.0 * work / took.kernels,
           4.0 * work / took.reading, 100.0 * took.reading / took.kernels, work / took.copies);
    fflush(stdout);
    release(&w);
}

int main(int argc, char **argv)
{
    static const size_t counts[] = { 1, 2, 4, POLICIES, 2 * POLICIES };
    size_t n_elements = argc > 2 ? strtoul(argv[1], NULL, 10) : 1 << 24;
    size_t n_steps = argc > 2 ? strtoul(argv[2], NULL, 10) : 16, i;
    char name[128];

    if (gtr_device_count() == 0) {
        printf("bench_update_cuda: no GPU answers\n");
        return 77;
    }
    if (argc > 3) {
        print_sums(n_elements, n_steps);
        return 0;
    }
    gtr_device_name(0, name, sizeof name);
    printf("%s; adamw, %zu elements x %zu steps, fp32\n"
           "10^9 a second, best of %d; *: no policy has clipped yet\n"
           "%9s %10s %10s %8s %8s %10s %13s\n",
           name, n_elements, n_steps, AGAIN, "policies ", "elements", "x policies", "GB/s",
           "reading", "share", "with copies");
    for (i = 0; i < GTR_ARRAY_LEN(counts); i++)
        print_rate(n_elements, n_steps, counts[i], 0);
    print_rate(n_elements, n_steps, POLICIES, 1);
    return 0;
}

#else

int main(void)
{
    printf("bench_update_cuda: built without CUDA\n");
    return 77;
}

#endif
