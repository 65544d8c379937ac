/* test_written.c - elements that a writer was given are what HDF5's own filters read. */
#define _GNU_SOURCE
#include <hdf5.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "random.h"
#include "scratch.h"

enum { CAPTURES = 5, TENSORS = 7 };

/* Smaller and larger than a chunk, of each type; a tensor of zeros, and one that sometimes has
 * none. 70,001 captured five times is a chunk that is not full when the file is closed. */
static const struct {
    uint64_t numel;
    enum gtr_dtype dtype;
} tensors[TENSORS] = { { 1, GTR_F32 },      { 300001, GTR_F32 }, { 70001, GTR_BF16 },
                       { 600001, GTR_F16 }, { 140000, GTR_F64 }, { 262145, GTR_F32 },
                       { 777, GTR_F32 } };

/* Bytes of a tensor at a capture: gradients with NaNs, infinities and -0 among them. */
static unsigned char *elements_of(size_t tensor, size_t capture)
{
    size_t size = gtr_dtype_size(tensors[tensor].dtype), e;
    unsigned char *bytes = calloc(tensors[tensor].numel, size);
    struct gtr_random random;

    gtr_random_init(&random, tensor, capture);
    if (tensor == 5 || (tensor == 6 && capture % 2 != 0))
        return bytes;
    for (e = 0; e < tensors[tensor].numel; e++) {
        double value = e % 1000 == 7   ? NAN
                       : e % 1000 == 8 ? -INFINITY
                       : e % 1000 == 9 ? -0.0
                                       : 1e-3 * gtr_random_normal(&random);
        float narrow = (float)value;

        /* bf16 is the upper half of an f32, and f16 looks much like it to the filters. */
        if (size == 8)
            memcpy(bytes + e * size, &value, size);
        else
            memcpy(bytes + e * size, (unsigned char *)&narrow + 4 - size, size);
    }
    return bytes;
}

static enum gtr_code write_trace(const char *path, enum gtr_compression compression,
                                 size_t n_threads, struct gtr_err *err)
{
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .force = true,
                                                .elements = true,
                                                .compression = compression,
                                                .n_threads = n_threads };
    const double sums[TENSORS] = { 0 };
    const float most[TENSORS] = { 0 };
    const uint64_t none[TENSORS] = { 0 };
    enum gtr_code rc, closed;
    struct gtr_writer *writer;
    struct gtr_head head = { 0 };
    size_t i, c;

    rc = gtr_head_init(&head, err);
    for (i = 0; rc == GTR_OK && i < TENSORS; i++) {
        char name[8];

        snprintf(name, sizeof name, "t%zu", i);
        rc = gtr_head_add_tensor(&head, name, "", tensors[i].numel, tensors[i].dtype, err);
    }
    if (rc == GTR_OK)
        rc = gtr_writer_open(path, &head, &options, &writer, err);
    gtr_head_free(&head);
    if (rc != GTR_OK)
        return rc;
    for (c = 0; rc == GTR_OK && c < CAPTURES; c++) {
        const struct gtr_step step = { .index = (int64_t)c };

        for (i = 0; rc == GTR_OK && i < TENSORS; i++) {
            unsigned char *bytes = elements_of(i, c);

            rc = gtr_writer_elements(writer, i, bytes, err);
            free(bytes);
        }
        if (rc == GTR_OK)
            rc = gtr_writer_append(writer, &step, sums, most, none, NULL, err);
    }
    if (rc != GTR_OK) {
        gtr_writer_abandon(writer);
        return rc;
    }
    closed = gtr_writer_close(writer, err);
    return rc == GTR_OK ? closed : rc;
}

/* Bytes of the dataset that are not what was written, as H5Dread has them; its filters in *n. */
static size_t wrong_by_hdf5(hid_t file, size_t tensor, int *n_filters)
{
    size_t bytes = tensors[tensor].numel * gtr_dtype_size(tensors[tensor].dtype), wrong = 0, c, i;
    unsigned char *all = malloc(CAPTURES * bytes);
    hid_t dataset, type, creation;
    char name[16];

    snprintf(name, sizeof name, "/grad/%zu", tensor);
    dataset = H5Dopen2(file, name, H5P_DEFAULT);
    type = H5Dget_type(dataset);
    creation = H5Dget_create_plist(dataset);
    *n_filters = H5Pget_nfilters(creation);
    memset(all, 0xa5, CAPTURES * bytes);
    CHECK(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all) >= 0);
    for (c = 0; c < CAPTURES; c++) {
        unsigned char *wanted = elements_of(tensor, c);

        for (i = 0; i < bytes; i++)
            wrong += all[c * bytes + i] != wanted[i];
        free(wanted);
    }
    H5Pclose(creation);
    H5Tclose(type);
    H5Dclose(dataset);
    free(all);
    return wrong;
}

static size_t wrong_by_us(const struct gtr_trace *trace, size_t tensor, size_t capture)
{
    size_t n = tensors[tensor].numel, size = gtr_dtype_size(tensors[tensor].dtype), wrong = 0, i;
    unsigned char *wanted = elements_of(tensor, capture), *got = malloc(n * size);

    CHECK(gtr_trace_read_captured(trace, tensor, capture, 1, 0, n, got, n * size, NULL) == GTR_OK);
    for (i = 0; i < n * size; i++)
        wrong += got[i] != wanted[i];
    free(wanted);
    free(got);
    return wrong;
}

static void check_file(const char *path, int filters)
{
    struct gtr_trace *trace;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    int n_filters;
    size_t i, c;

    CHECK(file >= 0);
    for (i = 0; i < TENSORS; i++) {
        CHECK(wrong_by_hdf5(file, i, &n_filters) == 0);
        CHECK(n_filters == filters);
    }
    H5Fclose(file);
    CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
    for (i = 0; i < TENSORS; i++)
        for (c = 0; c < CAPTURES; c++)
            CHECK(wrong_by_us(trace, i, c) == 0);
    gtr_trace_close(trace);
}

static void hdf5_reads_what_was_deflated(void)
{
    const char *path = scratch_path("deflated.h5");
    struct gtr_err err = { 0 };

    CHECK(write_trace(path, GTR_COMPRESS_DEFLATE, 0, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    check_file(path, 2);
}

static void hdf5_reads_what_was_not(void)
{
    const char *path = scratch_path("plain.h5");

    CHECK(write_trace(path, GTR_COMPRESS_NONE, 0, NULL) == GTR_OK);
    check_file(path, 0);
}

static unsigned char *contents(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes;

    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*n);
    CHECK(fread(bytes, 1, *n, file) == *n);
    fclose(file);
    return bytes;
}

static void threads_do_not_change_the_file(void)
{
    size_t n_threads, wanted_n, n;
    unsigned char *wanted, *got;

    CHECK(write_trace(scratch_path("one.h5"), GTR_COMPRESS_DEFLATE, 1, NULL) == GTR_OK);
    wanted = contents(scratch_path("one.h5"), &wanted_n);
    for (n_threads = 2; n_threads < 5; n_threads++) {
        CHECK(write_trace(scratch_path("more.h5"), GTR_COMPRESS_DEFLATE, n_threads, NULL) ==
              GTR_OK);
        got = contents(scratch_path("more.h5"), &n);
        CHECK(n == wanted_n && memcmp(got, wanted, n) == 0);
        free(got);
    }
    free(wanted);
}

static void deflate_makes_the_file_smaller(void)
{
    size_t deflated, plain;

    CHECK(write_trace(scratch_path("a.h5"), GTR_COMPRESS_DEFLATE, 0, NULL) == GTR_OK);
    CHECK(write_trace(scratch_path("b.h5"), GTR_COMPRESS_NONE, 0, NULL) == GTR_OK);
    free(contents(scratch_path("a.h5"), &deflated));
    free(contents(scratch_path("b.h5"), &plain));
    CHECK((double)deflated < 0.8 * (double)plain);
}

static void every_allocation_may_fail(void)
{
    enum gtr_code rc = GTR_ENOMEM;
    size_t n;

    for (n = 1; n < 3000 && rc != GTR_OK; n += 1 + n / 16) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(n);
        rc = write_trace(scratch_path("failed.h5"), GTR_COMPRESS_DEFLATE, 3, &err);
        gtr_alloc_fail_after(0);
        CHECK(rc == GTR_OK || rc == GTR_ENOMEM);
        CHECK((rc == GTR_OK) == (err.text[0] == '\0'));
    }
    CHECK(rc == GTR_OK && n > 20);
}

int main(void)
{
    RUN(hdf5_reads_what_was_deflated);
    RUN(hdf5_reads_what_was_not);
    RUN(threads_do_not_change_the_file);
    RUN(deflate_makes_the_file_smaller);
    RUN(every_allocation_may_fail);
    return check_report();
}
