/* bench_sumsq.c - gtr_reduce against reading the same memory and doing nothing with it.
 *
 * 256 MiB of f32 gradients, far more than any cache holds.  The two take turns, and which goes
 * first alternates, so that a machine that slows down slows both; each ratio is of one pair.
 *
 *     bench_sumsq [PAIRS]
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "sumsq.h"
#include "threads.h"

enum { N_ELEMENTS = 64 << 20, PIECE = 1 << 20, PAIRS_MAX = 1000 };

struct job {
    const float *elements;
    size_t n_threads;
    struct gtr_reduction reduction;
    uint64_t *seen; /* one a piece */
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* All of n bytes as vectors of the machine's full width; the answer depends on each of them, so no
 * load can be left out. */
#define DEFINE_READ(name, target, bytes)                                             \
    target static uint64_t name(const char *p, size_t n)                             \
    {                                                                                \
        __attribute__((vector_size(bytes))) uint64_t a = { 0 }, b = a, c = a, d = a; \
        uint64_t all = 0;                                                            \
        size_t i, j;                                                                 \
                                                                                     \
        for (i = 0; i < n; i += 4 * sizeof a) {                                      \
            __attribute__((vector_size(bytes))) uint64_t v, w, x, y;                 \
                                                                                     \
            memcpy(&v, p + i, sizeof v);                                             \
            memcpy(&w, p + i + sizeof v, sizeof w);                                  \
            memcpy(&x, p + i + 2 * sizeof v, sizeof x);                              \
            memcpy(&y, p + i + 3 * sizeof v, sizeof y);                              \
            a ^= v;                                                                  \
            b ^= w;                                                                  \
            c ^= x;                                                                  \
            d ^= y;                                                                  \
        }                                                                            \
        a ^= b ^ c ^ d;                                                              \
        for (j = 0; j < (bytes) / sizeof all; j++)                                   \
            all ^= a[j];                                                             \
        return all;                                                                  \
    }
DEFINE_READ(read_portable, , 16)
#ifdef __x86_64__
DEFINE_READ(read_avx2, __attribute__((target("avx2"))), 32)
DEFINE_READ(read_avx512, __attribute__((target("avx512f"))), 64)
#endif

static uint64_t read_all(const char *p, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return read_avx512(p, n);
    if (__builtin_cpu_supports("avx2"))
        return read_avx2(p, n);
#endif
    return read_portable(p, n);
}

static void read_piece(void *context, size_t item, size_t worker)
{
    const struct job *job = context;

    (void)worker;
    job->seen[item] = read_all((const char *)(job->elements + item * PIECE), PIECE * sizeof(float));
}

static double time_read(struct job *job)
{
    double start = now();

    gtr_threads_run(job->n_threads, N_ELEMENTS / PIECE, read_piece, job);
    return now() - start;
}

static double time_reduce(struct job *job)
{
    double start = now();

    gtr_reduce(GTR_F32, job->elements, N_ELEMENTS, job->n_threads, &job->reduction);
    return now() - start;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void compare(struct job *job, size_t n_pairs)
{
    static double read_rate[PAIRS_MAX], reduce_rate[PAIRS_MAX], ratio[PAIRS_MAX];
    double gigabytes = (double)N_ELEMENTS * sizeof(float) / 1e9;
    size_t i;

    for (i = 0; i < n_pairs; i++) {
        double reading, reducing;

        if (i % 2 == 0) {
            reading = time_read(job);
            reducing = time_reduce(job);
        } else {
            reducing = time_reduce(job);
            reading = time_read(job);
        }
        read_rate[i] = gigabytes / reading;
        reduce_rate[i] = gigabytes / reducing;
        ratio[i] = reading / reducing;
    }
    printf("%zu thread%s: read %.1f GB/s, sumsq %.1f GB/s, sumsq / read bandwidth %.3f"
           " (medians of %zu pairs)\n",
           job->n_threads, job->n_threads == 1 ? "" : "s", median(read_rate, n_pairs),
           median(reduce_rate, n_pairs), median(ratio, n_pairs), n_pairs);
}

/* Normal-like values of many sizes: sums of four uniform ones. */
static void fill(float *elements)
{
    uint64_t state = 1;
    size_t i;

    for (i = 0; i < N_ELEMENTS; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        elements[i] = 1e-3f * ((float)(state >> 48) + (float)(state >> 32 & 0xffff) +
                               (float)(state >> 16 & 0xffff) + (float)(state & 0xffff) - 131070.0f);
    }
}

int main(int argc, char **argv)
{
    long n_pairs = argc > 1 ? strtol(argv[1], NULL, 10) : 15;
    struct job job = { 0 };
    float *elements = malloc((size_t)N_ELEMENTS * sizeof *elements);
    uint64_t *seen = malloc(N_ELEMENTS / PIECE * sizeof *seen);
    size_t all = gtr_threads_available();

    if (elements == NULL || seen == NULL || n_pairs < 1 || n_pairs > PAIRS_MAX) {
        fprintf(stderr, "bench_sumsq: needs 256 MiB, and PAIRS from 1 to %d\n", PAIRS_MAX);
        return 1;
    }
    fill(elements);
    job.elements = elements;
    job.seen = seen;
    job.n_threads = 1;
    compare(&job, (size_t)n_pairs);
    if (all > 1) {
        job.n_threads = all;
        compare(&job, (size_t)n_pairs);
    }
    free(elements);
    free(seen);
    return 0;
}
