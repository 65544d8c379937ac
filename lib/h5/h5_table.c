/* h5_table.c - read a [rows][cols] dataset or a vector, or a part of it, on several threads.
 *
 * HDF5 runs on one thread at a time, so it is kept out of the way: h5_chunks.c reads chunks, and a
 * contiguous dataset needs no lock at all: HDF5 tells its offset once, and pread does the rest.
 * Anything unusual (other filters, compact storage) goes through H5Dread.  Vectors are tables of
 * one column: HDF5 would inflate a chunk of theirs into as much memory as the stream asks for.
 */
#include "h5_private.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "outfile.h"

enum { BAND_BYTES = 1 << 20 /* of a contiguous dataset: fits a core's cache */ };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Reads the pipeline.  Some filters are undone by h5_chunks.c; the rest is HDF5's affair, if it
 * has them: those that others bring along it looks for among its plugins. */
static enum gtr_code read_filters(struct gtr_h5_table *table, hid_t creation, struct gtr_err *err)
{
    int n = H5Pget_nfilters(creation), i;

    if (n < 0 || n > GTR_H5_FILTERS_MAX)
        table->layout = GTR_H5_OTHER;
    for (i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        char name[32] = "";
        H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)i, &flags, &n_values, NULL,
                                             sizeof name, name, &config);

        if (H5Zfilter_avail(filter) <= 0)
            return gtr_fail(
                err, GTR_EFORMAT,
                "%s: %s: needs the filter %d (%.31s), which this HDF5 has not; h5repack "
                "-f GZIP=1, where it is, writes it without",
                table->h5->path, table->name, (int)filter, name);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            table->layout = GTR_H5_OTHER;
        if (table->layout == GTR_H5_CHUNKED)
            table->filters[i] = filter;
    }
    table->n_filters = n;
    return GTR_OK;
}

static enum gtr_code plan_chunks(struct gtr_h5_table *table, hid_t creation, struct gtr_err *err)
{
    hsize_t chunk[2] = { 1, 1 };

    table->layout = GTR_H5_CHUNKED;
    if (H5Pget_chunk(creation, table->rank, chunk) != table->rank || chunk[0] == 0 ||
        chunk[1] == 0 || chunk[1] > UINT64_MAX / chunk[0] || chunk[1] * chunk[0] > UINT32_MAX ||
        !gtr_h5_is_justified(table->h5, chunk[0] * chunk[1], table->size))
        return gtr_fail(err, GTR_EFORMAT, "%s: %s: claims chunks larger than the file",
                        table->h5->path, table->name);
    if (!gtr_h5_chunk_is_fair(chunk[0] * chunk[1] * table->size,
                              (uint64_t)table->rows * table->cols * table->size))
        return gtr_fail(
            err, GTR_EFORMAT,
            "%s: %s: has chunks of %llu MiB, more than all of its values take; h5repack "
            "-l makes smaller ones",
            table->h5->path, table->name,
            (unsigned long long)(chunk[0] * chunk[1] * table->size >> 20));
    table->band_rows = chunk[0];
    table->chunk_cols = chunk[1];
    return read_filters(table, creation, err);
}

/* What HDF5 says of elements that were never written: others than zeros if the file wants so. */
static enum gtr_code read_fill(struct gtr_h5_table *table, hid_t creation, struct gtr_err *err)
{
    H5D_fill_value_t kind;
    enum gtr_code rc;

    if (H5Pfill_value_defined(creation, &kind) < 0 || kind != H5D_FILL_VALUE_USER_DEFINED)
        return GTR_OK;
    rc = gtr_alloc_for(&table->fill, table->size, 1, "bytes", err);
    if (rc == GTR_OK && H5Pget_fill_value(creation, table->memory_type, table->fill) < 0)
        rc = gtr_h5_fail(table->h5, table->name, "cannot read", GTR_EFORMAT, err);
    return rc;
}

/* Zeros, and nothing but zeros, where nothing was written. */
static bool fills_with_zeros(const struct gtr_h5_table *table)
{
    size_t i;

    for (i = 0; table->fill != NULL && i < table->size; i++)
        if (table->fill[i] != 0)
            return false;
    return true;
}

void gtr_h5_table_fill(const struct gtr_h5_table *table, unsigned char *out, size_t n)
{
    size_t i;

    if (table->fill == NULL)
        memset(out, 0, n * table->size);
    for (i = 0; table->fill != NULL && i < n; i++)
        memcpy(out + i * table->size, table->fill, table->size);
}

/* How the dataset lies in the file.  The lock is held. */
static enum gtr_code plan(struct gtr_h5_table *table, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hid_t creation = H5Dget_create_plist(table->dataset);
    size_t row_bytes = table->cols * table->size;
    haddr_t offset;

    table->layout = GTR_H5_OTHER;
    table->band_rows = row_bytes > 0 && row_bytes < BAND_BYTES ? BAND_BYTES / row_bytes : 1;
    table->chunk_cols = smaller(table->cols, BAND_BYTES / table->size + 1);
    if (H5Pget_layout(creation) == H5D_CHUNKED) {
        rc = plan_chunks(table, creation, err);
    } else if (H5Pget_layout(creation) == H5D_CONTIGUOUS && H5Pget_external_count(creation) == 0) {
        offset = H5Dget_offset(table->dataset);
        if (offset != HADDR_UNDEF && offset <= table->h5->file_size &&
            (uint64_t)table->rows * row_bytes <= table->h5->file_size - offset) {
            table->layout = GTR_H5_CONTIGUOUS;
            table->offset = offset;
        }
    }
    if (rc == GTR_OK)
        rc = read_fill(table, creation, err);
    if (H5Dget_storage_size(table->dataset) == 0)
        table->layout = GTR_H5_BLANK;
    H5Pclose(creation);
    if (rc == GTR_OK &&
        !gtr_h5_is_justified(table->h5, table->cols, table->size * table->band_rows))
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: claims %zu columns, more than the file can hold",
                      table->h5->path, table->name, table->cols);
    return rc;
}

/* Nobody can say of so many values that they were deflated into this file; and what was never
 * written takes no room in it, but as much time to read as what was. */
static enum gtr_code check_size(struct gtr_h5_table *table, const hsize_t *dims,
                                struct gtr_err *err)
{
    if (dims[1] > SIZE_MAX / 16 || (dims[1] > 0 && dims[0] > SIZE_MAX / 16 / dims[1]))
        return gtr_fail(err, GTR_EFORMAT, "%s: %s: claims an impossible size", table->h5->path,
                        table->name);
    if (gtr_h5_is_justified(table->h5, dims[0] * dims[1], table->size))
        return GTR_OK;
    return gtr_fail(
        err, GTR_EFORMAT, "%s: %s: claims %llu values of %zu bytes, more than the file can hold",
        table->h5->path, table->name, (unsigned long long)(dims[0] * dims[1]), table->size);
}

/* The lock is held. */
static enum gtr_code open_dataset(struct gtr_h5_table *table, enum gtr_h5_type type,
                                  struct gtr_err *err)
{
    hsize_t dims[2] = { 0, 1 };
    enum gtr_code rc = gtr_h5_dataset_open(table->h5, table->name, type, table->rank,
                                           &table->dataset, &table->memory_type, dims, err);

    if (rc != GTR_OK)
        return rc;
    table->rows = dims[0];
    table->cols = dims[1];
    table->size = H5Tget_size(table->memory_type);
    rc = check_size(table, dims, err);
    return rc == GTR_OK ? plan(table, err) : rc;
}

static enum gtr_code table_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                int rank, struct gtr_h5_table **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_h5_table *table;

    *out = NULL;
    rc = gtr_alloc_for(&table, 1, sizeof *table, "tables", err);
    if (rc != GTR_OK)
        return rc;
    table->h5 = h5;
    table->rank = rank;
    table->dataset = table->memory_type = H5I_INVALID_HID;
    table->name = gtr_strdup(name);
    table->spare = gtr_alloc(1, sizeof *table->spare);
    if (table->name == NULL || table->spare == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory", h5->path);
    if (rc == GTR_OK) {
        gtr_h5_lock();
        rc = open_dataset(table, type, err);
        gtr_h5_unlock();
    }
    if (rc != GTR_OK) {
        gtr_h5_table_close(table);
        return rc;
    }
    *out = table;
    return GTR_OK;
}

enum gtr_code gtr_h5_table_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                struct gtr_h5_table **table, struct gtr_err *err)
{
    return table_open(h5, name, type, 2, table, err);
}

enum gtr_code gtr_h5_column_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                 struct gtr_h5_table **column, struct gtr_err *err)
{
    return table_open(h5, name, type, 1, column, err);
}

void gtr_h5_table_close(struct gtr_h5_table *table)
{
    if (table == NULL)
        return;
    gtr_h5_lock();
    if (table->dataset >= 0)
        H5Dclose(table->dataset);
    if (table->memory_type >= 0)
        H5Tclose(table->memory_type);
    gtr_h5_unlock();
    gtr_h5_chunks_free(table);
    gtr_free(table->fill);
    gtr_free(table->name);
    gtr_free(table);
}

size_t gtr_h5_table_rows(const struct gtr_h5_table *table)
{
    return table->rows;
}

size_t gtr_h5_table_cols(const struct gtr_h5_table *table)
{
    return table->cols;
}

size_t gtr_h5_table_band_rows(const struct gtr_h5_table *table)
{
    return table->band_rows;
}

size_t gtr_h5_table_chunk_cols(const struct gtr_h5_table *table)
{
    return table->chunk_cols;
}

bool gtr_h5_table_is_blank(const struct gtr_h5_table *table)
{
    return table->layout == GTR_H5_BLANK && fills_with_zeros(table);
}

static enum gtr_code read_bytes(const struct gtr_h5_table *table, uint64_t at, size_t wanted,
                                char *out, struct gtr_err *err)
{
    if (gtr_read_at(table->h5->fd, out, wanted, at) == wanted)
        return GTR_OK;
    return gtr_fail(err, GTR_EIO, "%s: %s: cannot read: %s", table->h5->path, table->name,
                    errno != 0 ? strerror(errno) : "the file ends early");
}

static enum gtr_code read_contiguous(const struct gtr_h5_table *table,
                                     const struct gtr_h5_part *part, void *out, size_t stride,
                                     struct gtr_err *err)
{
    size_t row_bytes = table->cols * table->size, width = part->n_cols * table->size, r;
    uint64_t at = table->offset + (uint64_t)part->first_row * row_bytes +
                  (uint64_t)part->first_col * table->size;
    enum gtr_code rc = GTR_OK;

    if (width == row_bytes && stride == row_bytes)
        return read_bytes(table, at, part->n_rows * row_bytes, out, err);
    for (r = 0; rc == GTR_OK && r < part->n_rows; r++)
        rc = read_bytes(table, at + r * row_bytes, width, (char *)out + r * stride, err);
    return rc;
}

/* Through HDF5's own filters, one thread at a time; rows without gaps between them. */
static enum gtr_code read_by_library(const struct gtr_h5_table *table,
                                     const struct gtr_h5_part *part, void *out, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hsize_t start[2] = { part->first_row, part->first_col };
    hsize_t count[2] = { part->n_rows, part->n_cols };
    hid_t file, memory;

    gtr_h5_lock();
    file = H5Dget_space(table->dataset);
    memory = H5Screate_simple(table->rank, count, NULL);
    H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL);
    if (H5Dread(table->dataset, table->memory_type, memory, file, H5P_DEFAULT, out) < 0)
        rc = gtr_h5_fail(table->h5, table->name, "cannot read", GTR_EFORMAT, err);
    H5Sclose(memory);
    H5Sclose(file);
    gtr_h5_unlock();
    return rc;
}

/* HDF5 strides in elements and not in bytes, so gaps between rows are made here. */
static enum gtr_code read_other(const struct gtr_h5_table *table, const struct gtr_h5_part *part,
                                unsigned char *out, size_t stride, struct gtr_err *err)
{
    size_t width = part->n_cols * table->size, r;
    unsigned char *rows = NULL;
    enum gtr_code rc;

    if (stride == width)
        return read_by_library(table, part, out, err);
    rc = gtr_alloc_for(&rows, part->n_rows, width, "rows", err);
    if (rc == GTR_OK)
        rc = read_by_library(table, part, rows, err);
    for (r = 0; rc == GTR_OK && r < part->n_rows; r++)
        memcpy(out + r * stride, rows + r * width, width);
    gtr_free(rows);
    return rc;
}

enum gtr_code gtr_h5_table_read_part(const struct gtr_h5_table *table,
                                     const struct gtr_h5_part *part, void *out, size_t stride,
                                     struct gtr_err *err)
{
    size_t r;

    if (part->n_rows == 0 || part->n_cols == 0)
        return GTR_OK;
    switch (table->layout) {
    case GTR_H5_BLANK:
        for (r = 0; r < part->n_rows; r++)
            gtr_h5_table_fill(table, (unsigned char *)out + r * stride, part->n_cols);
        return GTR_OK;
    case GTR_H5_CONTIGUOUS:
        return read_contiguous(table, part, out, stride, err);
    case GTR_H5_CHUNKED:
        return gtr_h5_chunks_read(table, part, out, stride, err);
    case GTR_H5_OTHER:
        break;
    }
    return read_other(table, part, out, stride, err);
}

enum gtr_code gtr_h5_table_read_rows(const struct gtr_h5_table *table, size_t first, size_t n_rows,
                                     void *out, struct gtr_err *err)
{
    const struct gtr_h5_part part = { first, n_rows, 0, table->cols };

    return gtr_h5_table_read_part(table, &part, out, table->cols * table->size, err);
}
