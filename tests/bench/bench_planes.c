/* bench_planes.c - captured elements into a file: ours against HDF5's own filters and write().
 *
 * Each kind of gradient is written as rows of 8 MiB in chunks of 1 MiB: by H5Dwrite through HDF5's
 * shuffle and gzip 1, and by a sheet, on one thread and on all; then both files are read.  The
 * contenders take turns and which goes first alternates, so that a machine that slows down slows
 * both; a factor is that of one pair, and shown are the median and the least and most of PAIRS.
 * On one thread it is the processor's time that counts, so that others at work on the machine do
 * not; elsewhere the clock's.  Nothing is synced: what is timed is the work, up to the system's
 * cache.  The last lines hold an uncompressed sheet against open, write, close of the same bytes,
 * in a new file each time and with no other file's pages waiting for the disk: here, and where
 * files are memory.
 *
 *     bench_planes [TRACE...] [PAIRS]
 *
 * TRACE: a trace whose f32 elements are written too, as they are, as bf16, and as f16 twice: times
 * the largest power of two, up to 65,536, that keeps all of them finite, as a loss scaler finds it,
 * and as they are ("raw"), so that many are denormal or zero.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "gradtrace_lab.h"
#include "h5.h"
#include "random.h"

enum { ROW_BYTES = 8 << 20, CHUNK_BYTES = 1 << 20, DATA_BYTES = 32 << 20, PAIRS_MAX = 99 };
enum { PLAIN_TIMES = 8 }; /* 256 MiB uncompressed: 32 would be over in 6 ms */

/* Gradients of one type, in rows. */
struct data {
    const char *what;
    enum gtr_dtype dtype;
    double scale; /* before they become f16 */
    unsigned char *bytes;
    size_t n_rows;
};

static char path[2][64];                            /* of the stock file and of ours */
static const char *folders[] = { ".", "/dev/shm" }; /* where files are written uncompressed */

static void set_paths(const char *folder)
{
    snprintf(path[0], sizeof path[0], "%s/bench_planes.%d.stock", folder, (int)getpid());
    snprintf(path[1], sizeof path[1], "%s/bench_planes.%d.ours", folder, (int)getpid());
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void)
{
    return seconds(CLOCK_MONOTONIC);
}

/* Of this process, the system's work for it included. */
static double worked(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void must(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bench_planes: %s failed\n", what);
    exit(1);
}

static size_t columns(const struct data *data)
{
    return ROW_BYTES / gtr_dtype_size(data->dtype);
}

/* A number type of the same size: the bytes are what counts. */
static hid_t stock_type(const struct data *data)
{
    switch (gtr_dtype_size(data->dtype)) {
    case 2:
        return H5T_STD_U16LE;
    case 4:
        return H5T_STD_U32LE;
    default:
        return H5T_STD_U64LE;
    }
}

static enum gtr_h5_type our_type(const struct data *data)
{
    switch (gtr_dtype_size(data->dtype)) {
    case 2:
        return GTR_H5_U16;
    case 4:
        return GTR_H5_F32;
    default:
        return GTR_H5_U64;
    }
}

static double stock_write(const struct data *data)
{
    hsize_t dims[2] = { 0, columns(data) }, most[2] = { H5S_UNLIMITED, columns(data) };
    hsize_t chunk[2] = { 1, CHUNK_BYTES / gtr_dtype_size(data->dtype) }, one[2] = { 1, dims[1] };
    double start = worked();
    hid_t file = H5Fcreate(path[0], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(2, dims, most), memory = H5Screate_simple(2, one, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), dataset;
    size_t r;

    H5Pset_chunk(creation, 2, chunk);
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, 1);
    dataset = H5Dcreate2(file, "x", stock_type(data), space, H5P_DEFAULT, creation, H5P_DEFAULT);
    for (r = 0; r < data->n_rows; r++) {
        hsize_t at[2] = { r, 0 };
        hid_t part;

        dims[0] = r + 1;
        H5Dset_extent(dataset, dims);
        part = H5Dget_space(dataset);
        H5Sselect_hyperslab(part, H5S_SELECT_SET, at, NULL, one, NULL);
        must(H5Dwrite(dataset, stock_type(data), memory, part, H5P_DEFAULT,
                      data->bytes + r * ROW_BYTES) >= 0,
             "H5Dwrite");
        H5Sclose(part);
    }
    H5Dclose(dataset);
    H5Pclose(creation);
    H5Sclose(memory);
    H5Sclose(space);
    must(H5Fclose(file) >= 0, "H5Fclose");
    return worked() - start;
}

/* The rows, `times` times over. */
static double our_write(const struct data *data, size_t times, bool deflate, size_t n_threads)
{
    const struct gtr_h5_shape shape = { .cols = columns(data),
                                        .chunk_rows = 1,
                                        .chunk_cols = CHUNK_BYTES / gtr_dtype_size(data->dtype),
                                        .deflate = deflate,
                                        .n_threads = n_threads };
    struct gtr_h5_sheet *sheet;
    double start = now();
    struct gtr_h5 *h5;
    size_t r;

    must(gtr_h5_create(path[1], path[1], &h5, NULL) == GTR_OK, "create");
    must(gtr_h5_sheet_new(h5, "/x", our_type(data), &shape, &sheet, NULL) == GTR_OK, "sheet");
    for (r = 0; r < data->n_rows * times; r++)
        must(gtr_h5_sheet_append(sheet, data->bytes + r % data->n_rows * ROW_BYTES, NULL) == GTR_OK,
             "append");
    must(gtr_h5_sheet_close(sheet, NULL) == GTR_OK, "close");
    must(gtr_h5_close(h5, NULL) == GTR_OK, "close");
    return now() - start;
}

static double plain_write(const struct data *data, size_t times)
{
    double start = now();
    int fd = open(path[0], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t r;

    for (r = 0; r < data->n_rows * times; r++)
        must(write(fd, data->bytes + r % data->n_rows * ROW_BYTES, ROW_BYTES) == ROW_BYTES,
             "write");
    must(close(fd) == 0, "close");
    return now() - start;
}

/* Both read our file, so that both read the same streams. */
static double stock_read(const struct data *data, unsigned char *out)
{
    double start = now();
    hid_t file = H5Fopen(path[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "x", H5P_DEFAULT), type = H5Dget_type(dataset);

    must(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0, "H5Dread");
    H5Tclose(type);
    H5Dclose(dataset);
    H5Fclose(file);
    start = now() - start;
    must(memcmp(out, data->bytes, data->n_rows * ROW_BYTES) == 0, "H5Dread: the same bytes");
    return start;
}

static double our_read(const struct data *data, unsigned char *out)
{
    double start = now();
    struct gtr_h5_table *table;
    struct gtr_h5 *h5;

    must(gtr_h5_open(path[1], &h5, NULL) == GTR_OK, "open");
    must(gtr_h5_table_open(h5, "/x", our_type(data), &table, NULL) == GTR_OK, "table");
    must(gtr_h5_table_read_rows(table, 0, data->n_rows, out, NULL) == GTR_OK, "read");
    gtr_h5_table_close(table);
    gtr_h5_close(h5, NULL);
    start = now() - start;
    must(memcmp(out, data->bytes, data->n_rows * ROW_BYTES) == 0, "read: the same bytes");
    return start;
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

static double size_of(const char *name)
{
    struct stat status;

    must(stat(name, &status) == 0, "stat");
    return (double)status.st_size;
}

static void compare(const struct data *data, size_t n_pairs, unsigned char *out)
{
    double bytes = (double)(data->n_rows * ROW_BYTES), mib = bytes / 1048576.0;
    double stock[PAIRS_MAX], ours[PAIRS_MAX], wide[PAIRS_MAX], factor[PAIRS_MAX];
    double read_stock[PAIRS_MAX], read_ours[PAIRS_MAX], ratio[2];
    size_t p;

    for (p = 0; p < n_pairs; p++) {
        /* Into new files: freeing the pages of old ones would be timed as well. */
        unlink(path[0]);
        unlink(path[1]);
        if (p % 2 == 0)
            stock[p] = stock_write(data);
        ours[p] = worked();
        our_write(data, 1, true, 1);
        ours[p] = worked() - ours[p];
        if (p % 2 != 0)
            stock[p] = stock_write(data);
        factor[p] = stock[p] / ours[p];
        wide[p] = our_write(data, 1, true, 0);
        read_stock[p] = stock_read(data, out);
        read_ours[p] = our_read(data, out);
    }
    ratio[0] = bytes / size_of(path[0]);
    ratio[1] = bytes / size_of(path[1]);
    median(factor, n_pairs); /* sorts */
    printf("%-9s %-7s %6.1f %7.3f %8.0f %7.3f %7.1f (%.1f to %.1f) %8.0f %8.0f %8.0f\n", data->what,
           data->dtype == GTR_F16 && data->scale == 1.0 ? "f16 raw" : gtr_dtype_name(data->dtype),
           mib / median(stock, n_pairs), ratio[0], mib / median(ours, n_pairs), ratio[1],
           factor[n_pairs / 2], factor[0], factor[n_pairs - 1], mib / median(wide, n_pairs),
           mib / median(read_stock, n_pairs), mib / median(read_ours, n_pairs));
    fflush(stdout);
}

/* One contender alone: neither's last file is left, so both find the same free pages. */
static double plain_or_ours(const struct data *data, bool ours)
{
    unlink(path[0]);
    unlink(path[1]);
    return ours ? our_write(data, PLAIN_TIMES, false, 0) : plain_write(data, PLAIN_TIMES);
}

static bool has_room(const char *folder)
{
    struct statvfs status;

    return statvfs(folder, &status) == 0 &&
           (double)status.f_bavail * (double)status.f_frsize > 2.0 * DATA_BYTES * PLAIN_TIMES;
}

static void compare_plain(const struct data *data, const char *folder, size_t n_pairs)
{
    double bytes = (double)(data->n_rows * ROW_BYTES * PLAIN_TIMES), factor[PAIRS_MAX];
    double plain[PAIRS_MAX], ours[PAIRS_MAX];
    size_t p;

    if (!has_room(folder)) {
        printf("uncompressed in %s: no room\n", folder);
        return;
    }
    set_paths(folder);
    plain_or_ours(data, false); /* the first one finds other pages than all that follow */
    for (p = 0; p < n_pairs; p++) {
        if (p % 2 == 0)
            plain[p] = plain_or_ours(data, false);
        ours[p] = plain_or_ours(data, true);
        if (p % 2 != 0)
            plain[p] = plain_or_ours(data, false);
        factor[p] = plain[p] / ours[p];
    }
    unlink(path[0]);
    unlink(path[1]);
    median(factor, n_pairs);
    printf("uncompressed in %s, MiB/s: write() %.0f, ours %.0f: %.2f of it (quartiles %.2f and "
           "%.2f of %zu pairs)\n",
           folder, bytes / 1048576.0 / median(plain, n_pairs),
           bytes / 1048576.0 / median(ours, n_pairs), factor[n_pairs / 2], factor[n_pairs / 4],
           factor[n_pairs * 3 / 4], n_pairs);
    fflush(stdout);
}

/* To nearest, ties to even. */
static uint16_t f16_of(double value)
{
    float narrow = (float)fabs(value);
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof bits);
    if (narrow < 0x1p-14f)
        return (uint16_t)(sign | (uint16_t)nearbyintf(narrow * 0x1p24f));
    return (uint16_t)(sign | (((bits + 0xfff + (bits >> 13 & 1)) >> 13) - (112u << 10)));
}

/* As a loss scaler finds it, with room for the rounding of the largest. */
static double f16_scale(const double *values, size_t n)
{
    double most = 0.0, scale = 65536.0;
    size_t i;

    for (i = 0; i < n; i++)
        most = fmax(most, fabs(values[i]));
    while (most * scale > 65000.0)
        scale /= 2.0;
    return scale;
}

/* Value i of n as element i of the type. */
static void store(const struct data *data, size_t i, double value)
{
    size_t size = gtr_dtype_size(data->dtype);
    float narrow = (float)value;
    uint32_t bits;
    uint16_t half;

    memcpy(&bits, &narrow, sizeof bits);
    switch (data->dtype) {
    case GTR_F64:
        memcpy(data->bytes + i * size, &value, size);
        break;
    case GTR_BF16: /* to nearest, ties to even */
        half = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
        memcpy(data->bytes + i * size, &half, size);
        break;
    case GTR_F16:
        half = f16_of(value * data->scale);
        memcpy(data->bytes + i * size, &half, size);
        break;
    default:
        memcpy(data->bytes + i * size, &narrow, size);
    }
}

/* Normal deviates; each row of 1024 has a size of its own, as neurons do. */
static double *make_up(size_t n)
{
    double *values = malloc(n * sizeof *values), scale = 1.0;
    struct gtr_random random;
    size_t i;

    must(values != NULL, "malloc");
    gtr_random_init(&random, 1, 0);
    for (i = 0; i < n; i++) {
        if (i % 1024 == 0)
            scale = 1e-4 * exp(0.7 * gtr_random_normal(&random));
        values[i] = scale * gtr_random_normal(&random);
    }
    return values;
}

/* Elements of all f32 tensors of a trace, capture after capture, up to n; *got tells how many. */
static double *take_from(const char *name, size_t n, size_t *got)
{
    double *values = malloc(n * sizeof *values);
    struct gtr_err err = { 0 };
    struct gtr_trace *trace;
    size_t c, i, e;

    *got = 0;
    if (gtr_trace_open(name, &trace, &err) != GTR_OK) {
        fprintf(stderr, "bench_planes: %s\n", err.text);
        exit(1);
    }
    for (c = 0; c < gtr_trace_n_captures(trace); c++)
        for (i = 0; i < gtr_trace_head(trace)->n_tensors; i++) {
            size_t count = gtr_trace_n_elements(trace, i);
            float *row = malloc((count + 1) * sizeof *row);

            must(row != NULL && values != NULL, "malloc");
            if (gtr_trace_head(trace)->tensors[i].dtype == GTR_F32 && count > 0)
                must(gtr_trace_read_elements(trace, i, c, row, NULL) == GTR_OK, "reading");
            else
                count = 0;
            for (e = 0; e < count && *got < n; e++)
                values[(*got)++] = row[e];
            free(row);
        }
    gtr_trace_close(trace);
    return values;
}

static void run(const char *what, const double *values, size_t n, size_t n_pairs)
{
    /* Real gradients were f32: as f64 their lower half would be zeros. */
    static const enum gtr_dtype dtypes[] = { GTR_F32, GTR_BF16, GTR_F16, GTR_F16, GTR_F64 };
    size_t n_dtypes = GTR_ARRAY_LEN(dtypes) - (strcmp(what, "made-up") != 0), d, i, f;
    unsigned char *out = malloc(DATA_BYTES);
    struct data data = { .what = what, .bytes = malloc(DATA_BYTES) };

    must(out != NULL && data.bytes != NULL, "malloc");
    data.n_rows = DATA_BYTES / ROW_BYTES;
    for (d = 0; d < n_dtypes; d++) {
        data.scale = d == 3 ? 1.0 : f16_scale(values, n);
        data.dtype = dtypes[d];
        /* Whole rows; few values are taken again, which no search that looks back 32 KiB sees. */
        for (i = 0; i < DATA_BYTES / gtr_dtype_size(data.dtype); i++)
            store(&data, i, values[i % n]);
        compare(&data, n_pairs, out);
    }
    for (f = 0; n_dtypes == GTR_ARRAY_LEN(dtypes) && f < GTR_ARRAY_LEN(folders); f++)
        compare_plain(&data, folders[f], 4 * n_pairs < PAIRS_MAX ? 4 * n_pairs : PAIRS_MAX);
    free(data.bytes);
    free(out);
}

/* "gpt2" of "folder/gpt2.h5". */
static void run_trace(const char *name, size_t n_pairs)
{
    const char *slash = strrchr(name, '/'), *base = slash == NULL ? name : slash + 1;
    size_t got;
    double *values = take_from(name, DATA_BYTES / 2, &got);
    char what[32];

    must(got > 0, "finding f32 elements in the trace");
    snprintf(what, sizeof what, "%.*s", (int)strcspn(base, "."), base);
    run(what, values, got, n_pairs);
    free(values);
}

int main(int argc, char **argv)
{
    size_t n_pairs = 5, n = DATA_BYTES / 2;
    double *values;
    char *end = "";
    int i;

    if (argc > 1) {
        size_t last = strtoul(argv[argc - 1], &end, 10);

        if (*end == '\0') {
            n_pairs = last;
            argc--;
        }
    }
    if (n_pairs < 1 || n_pairs > PAIRS_MAX) {
        fprintf(stderr, "bench_planes: PAIRS must be from 1 to %d\n", PAIRS_MAX);
        return 2;
    }
    set_paths(".");
    printf("                  writing, MiB/s and ratio                               all    "
           "reading, MiB/s\n");
    printf("gradients type    stock   ratio     ours   ratio   times (range)     threads    "
           " H5Dread     ours\n");
    for (i = 1; i < argc; i++)
        run_trace(argv[i], n_pairs);
    values = make_up(n);
    run("made-up", values, n, n_pairs);
    free(values);
    set_paths(".");
    unlink(path[0]);
    unlink(path[1]);
    return 0;
}
