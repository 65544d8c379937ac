/* bench_planes.c - captured elements into a file: ours against HDF5's own filters and write().
 *
 * Each kind of gradient is written as rows of 8 MiB in chunks of 1 MiB: by H5Dwrite through HDF5's
 * shuffle and gzip 1, and by a sheet, on one thread and on all; then both files are read.  The
 * contenders take turns and which goes first alternates, so that a machine that slows down slows
 * both; a factor is that of one pair, and shown are the median and the least and most of PAIRS.
 * Nothing is synced: what is timed is the work, up to the system's cache.  The last lines hold an
 * uncompressed sheet against open, write, close of the same bytes.
 *
 *     bench_planes [TRACE [PAIRS]]
 *
 * TRACE: a trace whose elements are written too, as they are and as other types.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gradtrace.h"
#include "h5.h"
#include "random.h"

enum { ROW_BYTES = 8 << 20, CHUNK_BYTES = 1 << 20, DATA_BYTES = 32 << 20, PAIRS_MAX = 99 };
enum { PLAIN_TIMES = 8 }; /* 256 MiB uncompressed: 32 would be over in 6 ms */

/* Gradients of one type, in rows. */
struct data {
    const char *what;
    enum gtr_dtype dtype;
    unsigned char *bytes;
    size_t n_rows;
};

static char path[2][64]; /* of the stock file and of ours */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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
    double start = now();
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
    return now() - start;
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
        if (p % 2 == 0)
            stock[p] = stock_write(data);
        ours[p] = our_write(data, 1, true, 1);
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
    printf("%-9s %-5s %6.1f %7.3f %8.0f %7.3f %7.1f (%.1f to %.1f) %8.0f %8.0f %8.0f\n", data->what,
           gtr_dtype_name(data->dtype), mib / median(stock, n_pairs), ratio[0],
           mib / median(ours, n_pairs), ratio[1], factor[n_pairs / 2], factor[0],
           factor[n_pairs - 1], mib / median(wide, n_pairs), mib / median(read_stock, n_pairs),
           mib / median(read_ours, n_pairs));
    fflush(stdout);
}

static void compare_plain(const struct data *data, size_t n_pairs)
{
    double bytes = (double)(data->n_rows * ROW_BYTES * PLAIN_TIMES), factor[PAIRS_MAX];
    double plain[PAIRS_MAX], ours[PAIRS_MAX];
    size_t p;

    for (p = 0; p < n_pairs; p++) {
        /* Into new files: freeing the pages of old ones would be timed as well. */
        unlink(path[0]);
        unlink(path[1]);
        if (p % 2 == 0)
            plain[p] = plain_write(data, PLAIN_TIMES);
        ours[p] = our_write(data, PLAIN_TIMES, false, 0);
        if (p % 2 != 0)
            plain[p] = plain_write(data, PLAIN_TIMES);
        factor[p] = plain[p] / ours[p];
    }
    median(factor, n_pairs);
    printf("\nuncompressed, MiB/s: write() %.0f, ours %.0f: %.2f of it (%.2f to %.2f)\n",
           bytes / 1048576.0 / median(plain, n_pairs), bytes / 1048576.0 / median(ours, n_pairs),
           factor[n_pairs / 2], factor[0], factor[n_pairs - 1]);
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
    case GTR_F16: { /* scaled as a loss is; cut off, which leaves noise what it is */
        float scaled = fminf(fabsf(narrow) * 65536.0f, 65504.0f);

        memcpy(&bits, &scaled, sizeof bits);
        half = (uint16_t)(scaled < 6.1035e-5f ? (uint32_t)(scaled * 16777216.0f)
                                              : (bits >> 13) - (112u << 10));
        half |= narrow < 0.0f ? 0x8000 : 0;
        memcpy(data->bytes + i * size, &half, size);
        break;
    }
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
    static const enum gtr_dtype dtypes[] = { GTR_F32, GTR_BF16, GTR_F16, GTR_F64 };
    unsigned char *out = malloc(DATA_BYTES);
    struct data data = { .what = what, .bytes = malloc(DATA_BYTES) };
    size_t d, i;

    must(out != NULL && data.bytes != NULL, "malloc");
    for (d = 0; d < GTR_ARRAY_LEN(dtypes); d++) {
        size_t room;

        data.dtype = dtypes[d];
        /* Real gradients were f32: as f64 their lower half would be zeros. */
        if (data.dtype == GTR_F64 && strcmp(what, "made-up") != 0)
            continue;
        /* Whole rows; few values are taken again, which no search that looks back 32 KiB sees. */
        room = DATA_BYTES / gtr_dtype_size(data.dtype);
        data.n_rows = DATA_BYTES / ROW_BYTES;
        for (i = 0; i < room; i++)
            store(&data, i, values[i % n]);
        compare(&data, n_pairs, out);
        if (data.dtype == GTR_F64)
            compare_plain(&data, 2 * n_pairs < PAIRS_MAX ? 2 * n_pairs : PAIRS_MAX);
    }
    free(data.bytes);
    free(out);
}

int main(int argc, char **argv)
{
    size_t n_pairs = argc > 2 ? strtoul(argv[2], NULL, 10) : 5, n = DATA_BYTES / 2, got;
    double *values;

    if (n_pairs < 1 || n_pairs > PAIRS_MAX) {
        fprintf(stderr, "bench_planes: PAIRS must be from 1 to %d\n", PAIRS_MAX);
        return 2;
    }
    snprintf(path[0], sizeof path[0], "bench_planes.%d.stock", (int)getpid());
    snprintf(path[1], sizeof path[1], "bench_planes.%d.ours", (int)getpid());
    printf("                writing, MiB/s and ratio                               all    "
           "reading, MiB/s\n");
    printf("gradients type  stock   ratio     ours   ratio   times (range)     threads    "
           " H5Dread     ours\n");
    if (argc > 1) {
        values = take_from(argv[1], n, &got);
        must(got > 0, "finding f32 elements in the trace");
        run("real", values, got, n_pairs);
        free(values);
    }
    values = make_up(n);
    run("made-up", values, n, n_pairs);
    free(values);
    unlink(path[0]);
    unlink(path[1]);
    return 0;
}
