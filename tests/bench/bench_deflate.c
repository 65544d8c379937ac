/* bench_deflate.c - our deflate encoder alone, in memory, beside zlib and libdeflate.
 *
 *     bench_deflate TRACE [PAIRS]
 *
 * All f32 elements that TRACE holds, up to 32 MiB, in chunks of 1 MiB as a trace has them.  The
 * peers get chunks whose bytes are shuffled already, which ours does itself, and write streams of
 * the same format; every stream is read back by zlib.  The contenders take turns PAIRS times
 * (default 5), on one thread; shown are the median rate in MiB a second of processor time, the
 * ratio, and the median of ours over the peer's rate of the same turn.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#ifdef GTR_LIBDEFLATE
#include <libdeflate.h>
#endif

#include "gradtrace_lab.h"
#include "planes.h"

enum { CHUNK = 1 << 20, MOST = 32 << 20, BOUND = CHUNK + CHUNK / 4, PAIRS_MAX = 99 };

static unsigned char *plain, *shuffled; /* n_chunks of CHUNK bytes */
static size_t n_chunks;
static struct gtr_planes *planes;

static void must(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bench_deflate: %s failed\n", what);
    exit(1);
}

static double worked(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Each compresses chunk c and returns the bytes that it took. */
static size_t by_ours(int level, size_t c, unsigned char *out)
{
    (void)level;
    return gtr_planes_deflate(planes, plain + c * CHUNK, CHUNK, 4, out);
}

static size_t by_zlib(int level, size_t c, unsigned char *out)
{
    uLongf size = BOUND;

    must(compress2(out, &size, shuffled + c * CHUNK, CHUNK, level) == Z_OK, "compress2");
    return size;
}

#ifdef GTR_LIBDEFLATE
static size_t by_libdeflate(int level, size_t c, unsigned char *out)
{
    static struct libdeflate_compressor *compressors[13];

    if (compressors[level] == NULL)
        compressors[level] = libdeflate_alloc_compressor(level);
    must(compressors[level] != NULL, "libdeflate_alloc_compressor");
    return libdeflate_zlib_compress(compressors[level], shuffled + c * CHUNK, CHUNK, out, BOUND);
}
#endif

static const struct contender {
    const char *name;
    int level;
    size_t (*compress)(int level, size_t c, unsigned char *out);
} contenders[] = {
    { "ours", 0, by_ours },
    { "zlib", 1, by_zlib },
    { "zlib", 6, by_zlib },
#ifdef GTR_LIBDEFLATE
    { "libdeflate", 1, by_libdeflate },
    { "libdeflate", 3, by_libdeflate },
    { "libdeflate", 6, by_libdeflate },
#endif
};
enum { N_CONTENDERS = sizeof contenders / sizeof contenders[0] };

/* All chunks; the time, and in *bytes what came out.  `check`: it is read back as well. */
static double compress_all(const struct contender *contender, bool check, size_t *bytes)
{
    unsigned char *out = malloc(BOUND), *back = malloc(CHUNK);
    double start = worked(), time;
    size_t c;

    must(out != NULL && back != NULL, "malloc");
    *bytes = 0;
    for (c = 0; c < n_chunks; c++) {
        size_t size = contender->compress(contender->level, c, out);
        uLongf length = CHUNK;

        *bytes += size;
        must(size > 0, contender->name);
        if (check)
            must(uncompress(back, &length, out, size) == Z_OK && length == CHUNK &&
                     memcmp(back, shuffled + c * CHUNK, CHUNK) == 0,
                 "reading back");
    }
    time = worked() - start;
    free(out);
    free(back);
    return time;
}

/* Capture after capture, f32 tensors one behind the other. */
static void read_elements(const char *path)
{
    struct gtr_err err = { 0 };
    struct gtr_trace *trace;
    size_t c, i, used = 0;

    plain = calloc(1, MOST);
    shuffled = malloc(MOST);
    must(plain != NULL && shuffled != NULL, "malloc");
    if (gtr_trace_open(path, &trace, &err) != GTR_OK) {
        fprintf(stderr, "bench_deflate: %s\n", err.text);
        exit(1);
    }
    for (c = 0; c < gtr_trace_n_captures(trace); c++)
        for (i = 0; i < gtr_trace_head(trace)->n_tensors; i++) {
            size_t size = 4 * gtr_trace_n_elements(trace, i);

            if (gtr_trace_head(trace)->tensors[i].dtype != GTR_F32 || used + size > MOST)
                continue;
            must(gtr_trace_read_elements(trace, i, c, plain + used, NULL) == GTR_OK, "reading");
            used += size;
        }
    gtr_trace_close(trace);
    n_chunks = used / CHUNK;
    must(n_chunks > 0, "finding 1 MiB of f32 elements");
    for (c = 0; c < n_chunks; c++)
        gtr_shuffle(plain + c * CHUNK, shuffled + c * CHUNK, CHUNK, 4);
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, rising);
    return values[n / 2];
}

int main(int argc, char **argv)
{
    size_t n_pairs = argc > 2 ? strtoul(argv[2], NULL, 10) : 5, p, k, bytes[N_CONTENDERS];
    double time[N_CONTENDERS][PAIRS_MAX], factor[N_CONTENDERS][PAIRS_MAX], mib;

    if (argc < 2 || n_pairs < 1 || n_pairs > PAIRS_MAX) {
        fprintf(stderr, "bench_deflate TRACE [PAIRS from 1 to %d]\n", PAIRS_MAX);
        return 2;
    }
    read_elements(argv[1]);
    must(gtr_planes_new(CHUNK, &planes, NULL) == GTR_OK && gtr_planes_bound(CHUNK) <= BOUND,
         "room");
    for (k = 0; k < N_CONTENDERS; k++)
        compress_all(&contenders[k], true, &bytes[k]);
    for (p = 0; p < n_pairs; p++)
        for (k = 0; k < N_CONTENDERS; k++) {
            size_t at = (k + p) % N_CONTENDERS;

            time[at][p] = compress_all(&contenders[at], false, &bytes[at]);
        }
    mib = (double)(n_chunks * CHUNK) / 1048576.0;
    printf("f32 elements of %s, %.0f MiB in chunks of 1 MiB, %zu turns\n", argv[1], mib, n_pairs);
    printf("encoder      level    MiB/s    ratio   ours is faster\n");
    for (k = 0; k < N_CONTENDERS; k++)
        for (p = 0; p < n_pairs; p++)
            factor[k][p] = time[k][p] / time[0][p];
    for (k = 0; k < N_CONTENDERS; k++) {
        median(factor[k], n_pairs); /* sorts */
        printf("%-12s %5d %8.0f %8.3f   %.1f times (%.1f to %.1f)\n", contenders[k].name,
               contenders[k].level, mib / median(time[k], n_pairs),
               (double)(n_chunks * CHUNK) / (double)bytes[k], factor[k][n_pairs / 2], factor[k][0],
               factor[k][n_pairs - 1]);
    }
    gtr_planes_free(planes);
    free(plain);
    free(shuffled);
    return 0;
}
