/* bench_recorder.c - what a step costs the training thread, without a framework around it.
 *
 * 64 MiB of f32 gradients in 64 tensors, or 1000 tensors of 16 elements.  The bare sums and a bare
 * copy are what the recorder's calls are held against; they take turns, step by step.  Then the
 * writer has its time, so that nobody waits.
 *
 *     bench_recorder [STEPS] [TRACE]       TRACE: a path to write to; default bench_recorder.h5
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "recorder.h"
#include "sumsq.h"

enum { TENSORS_MOST = 1000, STEPS_MOST = 1000 };

struct gradients {
    size_t n_tensors, numel;
    float *elements;
    const void *each[TENSORS_MOST];
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return values[n / 2];
}

static void make(struct gradients *g, size_t n_tensors, size_t numel)
{
    size_t i;

    g->n_tensors = n_tensors;
    g->numel = numel;
    g->elements = malloc(n_tensors * numel * sizeof *g->elements);
    if (g->elements == NULL)
        exit(1);
    for (i = 0; i < n_tensors * numel; i++)
        g->elements[i] = (float)((i * 2654435761u) >> 8 & 0xffff) * 1e-5f - 0.3f;
    for (i = 0; i < n_tensors; i++)
        g->each[i] = g->elements + i * numel;
}

static struct gtr_recorder *open_recorder(const char *path, const struct gradients *g,
                                          const struct gtr_record_options *options)
{
    struct gtr_err err = { 0 };
    struct gtr_recorder *r = NULL;
    char name[48], shape[32];
    size_t i;

    gtr_recorder_open(path, options, &r, &err);
    snprintf(shape, sizeof shape, "%zu", g->numel);
    for (i = 0; r != NULL && i < g->n_tensors; i++) {
        snprintf(name, sizeof name, "layers.%zu.weight", i);
        gtr_recorder_tensor(r, name, shape, g->numel, GTR_F32, &err);
    }
    if (err.code != GTR_OK) {
        fprintf(stderr, "bench_recorder: %s\n", err.text);
        exit(1);
    }
    return r;
}

static double bare_sums(const struct gradients *g)
{
    double start = now();
    struct gtr_reduction sum;
    size_t i;

    for (i = 0; i < g->n_tensors; i++)
        gtr_reduce(GTR_F32, g->each[i], g->numel, 1, &sum);
    return now() - start;
}

static double bare_copy(const struct gradients *g, void *to)
{
    double start = now();

    memcpy(to, g->elements, g->n_tensors * g->numel * sizeof *g->elements);
    return now() - start;
}

static double recorded(struct gtr_recorder *r, const struct gradients *g, int64_t step)
{
    struct gtr_record_progress p = { 0 };
    double start = now(), spent;

    gtr_recorder_begin(r, step, 0.0, 0.0, NULL);
    gtr_recorder_grads(r, g->each, NULL);
    gtr_recorder_end(r, NULL);
    spent = now() - start;
    do {
        usleep(200);
        gtr_recorder_progress(r, &p);
    } while (p.steps_written < p.steps);
    return spent;
}

static void measure(const char *path, const char *name, const struct gradients *g, int64_t elements,
                    size_t n_steps)
{
    static double sums[STEPS_MOST], copies[STEPS_MOST], calls[STEPS_MOST];
    size_t bytes = g->n_tensors * g->numel * sizeof(float), t;
    struct gtr_record_options options;
    struct gtr_recorder *r;
    void *copy = malloc(bytes);

    gtr_record_options_init(&options);
    options.elements = elements;
    options.n_threads = 1;
    options.force = 1;
    options.compression = GTR_COMPRESS_NONE;
    r = open_recorder(path, g, &options);
    recorded(r, g, 0); /* its memory is touched for the first time */
    bare_copy(g, copy);
    for (t = 0; t < n_steps; t++) {
        sums[t] = bare_sums(g);
        copies[t] = bare_copy(g, copy);
        calls[t] = recorded(r, g, (int64_t)t + 1);
    }
    gtr_recorder_abandon(r);
    free(copy);
    printf("%-12s %7zu tensors %8.1f MB   sums %9.1f us   copy %9.1f us   recorder %9.1f us\n",
           name, g->n_tensors, 1e-6 * (double)bytes, 1e6 * median(sums, n_steps),
           1e6 * median(copies, n_steps), 1e6 * median(calls, n_steps));
}

int main(int argc, char **argv)
{
    size_t n_steps = argc > 1 ? strtoul(argv[1], NULL, 10) : 30;
    const char *path = argc > 2 ? argv[2] : "bench_recorder.h5";
    struct gradients large, small;

    if (n_steps < 1 || n_steps > STEPS_MOST)
        return 2;
    make(&large, 64, 1 << 18);
    make(&small, TENSORS_MOST, 16);
    measure(path, "norms", &large, GTR_ELEMENTS_NONE, n_steps);
    measure(path, "blocks:1/64", &large, GTR_ELEMENTS_BLOCKS, n_steps);
    measure(path, "full", &large, GTR_ELEMENTS_FULL, n_steps);
    measure(path, "norms", &small, GTR_ELEMENTS_NONE, n_steps);
    measure(path, "full", &small, GTR_ELEMENTS_FULL, n_steps);
    free(large.elements);
    free(small.elements);
    return 0;
}
