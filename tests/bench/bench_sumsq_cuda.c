/* bench_sumsq_cuda.c - gradients reduced on a GPU, against a kernel that only reads them.
 *
 * The same memory, far more than a cache holds, as one tensor of each dtype, as the 148 tensors of
 * GPT-2 and as thousands of small ones.  The two take turns, and which goes first alternates; each
 * time is from the call until the results are on the host, and each ratio is of one pair.
 *
 *     bench_sumsq_cuda [PAIRS [MIB]]
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "cuda.h"
#include "device.h"
#include "read_cuda.h"
#include "sumsq_cuda.h"

#ifdef GTR_CUDA

enum { PAIRS_MAX = 1000, TENSORS_MAX = 20000 };

/* A way to cut the memory into tensors. */
struct cut {
    const char *name;
    size_t n;
    enum gtr_dtype dtypes[TENSORS_MAX];
    uint64_t numels[TENSORS_MAX];
    const void *elements[TENSORS_MAX];
    size_t bytes;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Adds a tensor if the memory has room for it. */
static void add(struct cut *cut, const void *memory, size_t size, enum gtr_dtype dtype,
                uint64_t numel)
{
    size_t bytes = (size_t)numel * gtr_dtype_size(dtype);

    if (cut->n == TENSORS_MAX || cut->bytes + bytes > size)
        return;
    cut->dtypes[cut->n] = dtype;
    cut->numels[cut->n] = numel;
    cut->elements[cut->n] = (const char *)memory + cut->bytes;
    cut->bytes += bytes;
    cut->n++;
}

/* The 124 million parameters of GPT-2, over and over. */
static void add_gpt2(struct cut *cut, const void *memory, size_t size)
{
    static const uint64_t layer[] = { 768, 768, 768 * 2304, 2304, 768 * 768,  768,
                                      768, 768, 768 * 3072, 3072, 3072 * 768, 768 };
    size_t before, i, k;

    do {
        before = cut->n;
        add(cut, memory, size, GTR_F32, 50257 * 768);
        add(cut, memory, size, GTR_F32, 1024 * 768);
        for (i = 0; i < 12; i++)
            for (k = 0; k < GTR_ARRAY_LEN(layer); k++)
                add(cut, memory, size, GTR_F32, layer[k]);
    } while (cut->n >= before + 148 && cut->n + 148 <= TENSORS_MAX);
}

static int time_cut(const struct cut *cut, size_t pairs, struct gtr_err *err)
{
    static double ours[PAIRS_MAX], reading[PAIRS_MAX], ratio[PAIRS_MAX];
    static struct gtr_reduction out[TENSORS_MAX];
    struct gtr_cuda_norms *norms = NULL;
    size_t i, half;

    if (gtr_cuda_norms_new(-1, cut->n, cut->dtypes, cut->numels, &norms, err) != GTR_OK)
        return 1;
    for (i = 0; i < pairs + 2; i++) { /* two to warm up */
        size_t at = i < 2 ? 0 : i - 2;

        for (half = 0; half < 2; half++) {
            double start = now();

            if ((i + half) % 2 == 0) {
                gtr_bench_read(cut->elements[0], cut->bytes / 16 * 16, err);
                reading[at] = now() - start;
            } else {
                gtr_cuda_norms_start(norms, cut->elements, NULL, err);
                gtr_cuda_norms_wait(norms, out, err);
                ours[at] = now() - start;
            }
        }
        ratio[at] = reading[at] / ours[at];
    }
    gtr_cuda_norms_free(norms);
    if (err->code != GTR_OK)
        return 1;
    qsort(ours, pairs, sizeof *ours, ascending);
    qsort(reading, pairs, sizeof *reading, ascending);
    qsort(ratio, pairs, sizeof *ratio, ascending);
    printf("%-22s %7zu %8.1f %9.1f %9.1f %7.3f  %.3f .. %.3f\n", cut->name, cut->n,
           (double)cut->bytes / 1048576.0, (double)cut->bytes / reading[pairs / 2] / 1e9,
           (double)cut->bytes / ours[pairs / 2] / 1e9, ratio[pairs / 2], ratio[pairs / 10],
           ratio[pairs - 1 - pairs / 10]);
    return 0;
}

static int time_all(const void *memory, size_t size, size_t pairs, struct gtr_err *err)
{
    static const char *const whole[GTR_DTYPE_COUNT] = { "one tensor, f32", "one tensor, f16",
                                                        "one tensor, bf16", "one tensor, f64" };
    static struct cut cut;
    int dtype, failed = 0;

    printf("%-22s %7s %8s %9s %9s %7s  %s\n", "", "tensors", "MiB", "read GB/s", "ours GB/s",
           "ratio", "10% .. 90% of pairs");
    for (dtype = 0; dtype < GTR_DTYPE_COUNT; dtype++) {
        cut.name = whole[dtype];
        cut.n = cut.bytes = 0;
        add(&cut, memory, size, (enum gtr_dtype)dtype,
            size / gtr_dtype_size((enum gtr_dtype)dtype));
        failed |= time_cut(&cut, pairs, err);
    }
    cut.name = "GPT-2, f32";
    cut.n = cut.bytes = 0;
    add_gpt2(&cut, memory, size);
    failed |= time_cut(&cut, pairs, err);
    cut.name = "small tensors, bf16";
    cut.n = cut.bytes = 0;
    while (cut.n < TENSORS_MAX && cut.bytes + 8192 <= size)
        add(&cut, memory, size, GTR_BF16, 4096);
    failed |= time_cut(&cut, pairs, err);
    return failed;
}

int main(int argc, char **argv)
{
    long asked = argc > 1 ? atol(argv[1]) : 21, mib = argc > 2 ? atol(argv[2]) : 1024;
    size_t pairs = asked < 1 ? 1 : asked > PAIRS_MAX ? PAIRS_MAX : (size_t)asked;
    size_t size = (size_t)(mib < 1 ? 1 : mib) << 20, i;
    struct gtr_err err = { 0 };
    uint32_t *host;
    void *memory = NULL;
    char name[256];
    int failed = 1;

    if (gtr_device_count() == 0) {
        puts("bench_sumsq_cuda: no GPU answers; nothing to measure");
        return 0;
    }
    gtr_device_name(0, name, sizeof name);
    printf("%s, %zu pairs, medians\n", name, pairs);
    host = malloc(size);
    if (host == NULL)
        return 1;
    for (i = 0; i < size / 4; i++) /* finite as any dtype, and nowhere alike */
        host[i] = (uint32_t)(i * 2654435761u) & 0x3bff3bff;
    if (gtr_cuda_put(host, size, &memory, &err) == GTR_OK)
        failed = time_all(memory, size, pairs, &err);
    if (failed)
        fprintf(stderr, "bench_sumsq_cuda: %s\n", err.text);
    gtr_cuda_drop(memory);
    free(host);
    return failed;
}

#else

int main(void)
{
    puts("bench_sumsq_cuda: built without CUDA; nothing to measure");
    return 0;
}

#endif
