/* h5_table.c - read a [rows][cols] dataset band by band, on several threads.
 *
 * HDF5 runs its filters on one thread under its own lock.  Here the lock is held only while
 * H5Dread_chunk copies a chunk as it lies in the file; inflating and unshuffling are done by the
 * caller's thread.  A contiguous dataset needs no lock at all: HDF5 tells its offset once, and
 * pread does the rest.  Anything unusual (other filters, compact storage, fletcher32) goes through
 * H5Dread.
 */
#define _GNU_SOURCE
#include "h5_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc.h"

enum { MAX_FILTERS = 4, BAND_BYTES = 1 << 20 /* of a contiguous dataset: fits a core's cache */ };

enum layout { BLANK, CONTIGUOUS, CHUNKED, OTHER };

struct gtr_h5_table {
    const struct gtr_h5 *h5;
    char *name;
    hid_t dataset;
    hid_t memory_type;
    size_t rows, cols, size; /* size: bytes of one element */
    size_t band_rows;
    enum layout layout;
    uint64_t offset;   /* CONTIGUOUS: of the first byte in the file */
    size_t chunk_cols; /* CHUNKED */
    H5Z_filter_t filters[MAX_FILTERS];
    int n_filters;
    struct chunk_buffers **spare; /* head of the list of those not in use; the lock guards it */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* True if the pipeline is one that undo_filters knows. */
static bool read_filters(struct gtr_h5_table *table, hid_t creation)
{
    int n = H5Pget_nfilters(creation), i;

    if (n < 0 || n > MAX_FILTERS)
        return false;
    for (i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_values = 0;

        table->filters[i] =
            H5Pget_filter2(creation, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
        if (table->filters[i] != H5Z_FILTER_DEFLATE && table->filters[i] != H5Z_FILTER_SHUFFLE)
            return false;
    }
    table->n_filters = n;
    return true;
}

static enum gtr_code plan_chunks(struct gtr_h5_table *table, hid_t creation, struct gtr_err *err)
{
    hsize_t chunk[2] = { 1, 1 };

    table->layout = CHUNKED;
    if (H5Pget_chunk(creation, 2, chunk) != 2 || chunk[0] == 0 || chunk[1] == 0 ||
        chunk[1] > UINT64_MAX / chunk[0] || chunk[1] * chunk[0] > UINT32_MAX ||
        !gtr_h5_is_justified(table->h5, chunk[0] * chunk[1], table->size))
        return gtr_fail(err, GTR_EFORMAT, "%s: %s: claims chunks larger than the file",
                        table->h5->path, table->name);
    table->band_rows = chunk[0];
    table->chunk_cols = chunk[1];
    if (!read_filters(table, creation))
        table->layout = OTHER;
    return GTR_OK;
}

/* How the dataset lies in the file.  The lock is held. */
static enum gtr_code plan(struct gtr_h5_table *table, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hid_t creation = H5Dget_create_plist(table->dataset);
    size_t row_bytes = table->cols * table->size;
    haddr_t offset;

    table->layout = OTHER;
    table->band_rows = row_bytes > 0 && row_bytes < BAND_BYTES ? BAND_BYTES / row_bytes : 1;
    if (H5Pget_layout(creation) == H5D_CHUNKED) {
        rc = plan_chunks(table, creation, err);
    } else if (H5Pget_layout(creation) == H5D_CONTIGUOUS && H5Pget_external_count(creation) == 0) {
        offset = H5Dget_offset(table->dataset);
        if (offset != HADDR_UNDEF && offset <= table->h5->file_size &&
            (uint64_t)table->rows * row_bytes <= table->h5->file_size - offset) {
            table->layout = CONTIGUOUS;
            table->offset = offset;
        }
    }
    if (H5Dget_storage_size(table->dataset) == 0)
        table->layout = BLANK;
    H5Pclose(creation);
    if (rc == GTR_OK &&
        !gtr_h5_is_justified(table->h5, table->cols, table->size * table->band_rows))
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: claims %zu columns, more than the file can hold",
                      table->h5->path, table->name, table->cols);
    return rc;
}

enum gtr_code gtr_h5_table_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                struct gtr_h5_table **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_h5_table *table;
    hsize_t dims[2] = { 0, 0 };

    *out = NULL;
    rc = gtr_alloc_for(&table, 1, sizeof *table, "tables", err);
    if (rc != GTR_OK)
        return rc;
    table->h5 = h5;
    table->dataset = table->memory_type = H5I_INVALID_HID;
    table->size = gtr_h5_type_size(type);
    table->name = gtr_strdup(name);
    table->spare = gtr_alloc(1, sizeof *table->spare);
    gtr_h5_lock();
    rc = table->name == NULL || table->spare == NULL
             ? gtr_fail(err, GTR_ENOMEM, "%s: no memory", h5->path)
             : gtr_h5_dataset_open(h5, name, type, 2, &table->dataset, dims, err);
    if (rc == GTR_OK) {
        table->memory_type = gtr_h5_type_new(type);
        table->rows = dims[0];
        table->cols = dims[1];
        if (dims[1] > SIZE_MAX / 16 || (dims[1] > 0 && dims[0] > SIZE_MAX / 16 / dims[1]))
            rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: claims an impossible size", h5->path, name);
        else
            rc = plan(table, err);
    }
    gtr_h5_unlock();
    if (rc != GTR_OK) {
        gtr_h5_table_close(table);
        return rc;
    }
    *out = table;
    return GTR_OK;
}

/* What reading chunks takes; a table keeps as many as threads read it at once, because fresh
 * memory for each band would cost more than reading it. */
struct chunk_buffers {
    struct chunk_buffers *next;
    unsigned char *stored; /* as it lies in the file */
    size_t capacity;
    unsigned char *plain, *other; /* chunk_bytes each: filters go back and forth between them */
};

static void buffers_free(struct chunk_buffers *buffers)
{
    if (buffers == NULL)
        return;
    gtr_free(buffers->stored);
    gtr_free(buffers->plain);
    gtr_free(buffers->other);
    gtr_free(buffers);
}

void gtr_h5_table_close(struct gtr_h5_table *table)
{
    struct chunk_buffers *buffers;

    if (table == NULL)
        return;
    gtr_h5_lock();
    if (table->dataset >= 0)
        H5Dclose(table->dataset);
    if (table->memory_type >= 0)
        H5Tclose(table->memory_type);
    gtr_h5_unlock();
    while (table->spare != NULL && (buffers = *table->spare) != NULL) {
        *table->spare = buffers->next;
        buffers_free(buffers);
    }
    gtr_free(table->spare);
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

bool gtr_h5_table_is_blank(const struct gtr_h5_table *table)
{
    return table->layout == BLANK;
}

static enum gtr_code read_contiguous(const struct gtr_h5_table *table, size_t first, size_t n_rows,
                                     void *out, struct gtr_err *err)
{
    size_t row_bytes = table->cols * table->size, wanted = n_rows * row_bytes, got = 0;
    uint64_t at = table->offset + (uint64_t)first * row_bytes;

    while (got < wanted) {
        ssize_t n = pread(table->h5->fd, (char *)out + got, wanted - got, (off_t)(at + got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gtr_fail(err, GTR_EIO, "%s: %s: cannot read: %s", table->h5->path, table->name,
                            n < 0 ? strerror(errno) : "the file ends early");
        got += (size_t)n;
    }
    return GTR_OK;
}

/* Through HDF5's own filters, one thread at a time. */
static enum gtr_code read_by_library(const struct gtr_h5_table *table, size_t first, size_t n_rows,
                                     void *out, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hsize_t start[2] = { first, 0 }, count[2] = { n_rows, table->cols };
    hid_t file, memory;

    gtr_h5_lock();
    file = H5Dget_space(table->dataset);
    memory = H5Screate_simple(2, count, NULL);
    H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL);
    if (H5Dread(table->dataset, table->memory_type, memory, file, H5P_DEFAULT, out) < 0)
        rc = gtr_h5_fail(table->h5, table->name, "cannot read", GTR_EFORMAT, err);
    H5Sclose(memory);
    H5Sclose(file);
    gtr_h5_unlock();
    return rc;
}

/* Byte j of element i lies at j * n + i: all first bytes, then all second bytes, ...  Bytes left
 * over at the end are as they were. */
static void unshuffle(const unsigned char *from, unsigned char *to, size_t bytes, size_t size)
{
    size_t n = bytes / size, i, j;

    for (j = 0; j < size; j++)
        for (i = 0; i < n; i++)
            to[i * size + j] = from[j * n + i];
    memcpy(to + n * size, from + n * size, bytes - n * size);
}

/* Ones that no other thread has; give them back with buffers_give. */
static enum gtr_code buffers_take(const struct gtr_h5_table *table, size_t chunk_bytes,
                                  struct chunk_buffers **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct chunk_buffers *buffers;

    gtr_h5_lock();
    buffers = *table->spare;
    if (buffers != NULL)
        *table->spare = buffers->next;
    gtr_h5_unlock();
    *out = buffers;
    if (buffers != NULL)
        return GTR_OK;
    rc = gtr_alloc_for(&buffers, 1, sizeof *buffers, "buffers", err);
    if (rc == GTR_OK && table->n_filters > 0) {
        rc = gtr_alloc_for(&buffers->plain, chunk_bytes, 1, "bytes", err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&buffers->other, chunk_bytes, 1, "bytes", err);
    }
    if (rc != GTR_OK) {
        buffers_free(buffers);
        return rc;
    }
    *out = buffers;
    return GTR_OK;
}

static void buffers_give(const struct gtr_h5_table *table, struct chunk_buffers *buffers)
{
    gtr_h5_lock();
    buffers->next = *table->spare;
    *table->spare = buffers;
    gtr_h5_unlock();
}

/* Bytes of a chunk in the file; 0 if it was never written, which HDF5 1.10 calls an error: only
 * then is the slow question asked that has an answer for it.  The lock is held. */
static bool stored_size(const struct gtr_h5_table *table, const hsize_t *start, hsize_t *size)
{
    haddr_t address;
    unsigned mask;

    if (H5Dget_chunk_storage_size(table->dataset, start, size) >= 0)
        return true;
    H5Eclear2(H5E_DEFAULT);
    return H5Dget_chunk_info_by_coord(table->dataset, start, &mask, &address, size) >= 0 &&
           address == HADDR_UNDEF && *size == 0;
}

/* Without filters HDF5 1.10 tells the size that a chunk should have, and then reads as many bytes
 * as its index entry says: in a damaged file any 32-bit number, of which the file ends the rest.
 * So there is room for that, which costs nothing as long as it is not touched; and bytes that were
 * not read are NaN, not what lay there. */
static enum gtr_code make_room(const struct gtr_h5_table *table, struct chunk_buffers *buffers,
                               size_t size, struct gtr_err *err)
{
    size_t most = size;
    enum gtr_code rc;

    if (table->n_filters == 0 && most < table->h5->file_size)
        most = smaller(table->h5->file_size, UINT32_MAX);
    if (most < size)
        most = size;
    rc = gtr_grow(&buffers->stored, &buffers->capacity, most, 1, err);
    if (rc == GTR_OK && table->n_filters == 0)
        memset(buffers->stored, 0xff, size);
    return rc;
}

/* Copies one chunk from the file.  *n_stored 0: it was never written.  `mask` tells which filters
 * were left out for it. */
static enum gtr_code fetch_chunk(const struct gtr_h5_table *table, const hsize_t *start,
                                 struct chunk_buffers *buffers, size_t *n_stored, uint32_t *mask,
                                 struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hsize_t size = 0;

    gtr_h5_lock();
    if (!stored_size(table, start, &size)) {
        rc = gtr_h5_fail(table->h5, table->name, "cannot read", GTR_EFORMAT, err);
        goto out;
    }
    *n_stored = size;
    if (size == 0)
        goto out;
    if (size > table->h5->file_size) {
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: a chunk is larger than the file", table->h5->path,
                      table->name);
        goto out;
    }
    rc = make_room(table, buffers, size, err);
    if (rc == GTR_OK &&
        H5Dread_chunk(table->dataset, H5P_DEFAULT, start, mask, buffers->stored) < 0)
        rc = gtr_h5_fail(table->h5, table->name, "cannot read", GTR_EFORMAT, err);
out:
    gtr_h5_unlock();
    return rc;
}

/* Undoes the pipeline, last filter first.  The result is in *plain. */
static bool undo_filters(const struct gtr_h5_table *table, const unsigned char *stored,
                         size_t n_stored, uint32_t mask, size_t chunk_bytes,
                         struct chunk_buffers *buffers, const unsigned char **plain)
{
    const unsigned char *from = stored;
    size_t n = n_stored;
    int i;

    for (i = table->n_filters - 1; i >= 0; i--) {
        unsigned char *to = from == buffers->plain ? buffers->other : buffers->plain;
        uLongf length = chunk_bytes;

        if (mask >> i & 1)
            continue;
        if (table->filters[i] == H5Z_FILTER_DEFLATE) {
            if (uncompress(to, &length, from, n) != Z_OK)
                return false;
            n = length;
        } else {
            if (n != chunk_bytes)
                return false;
            unshuffle(from, to, n, table->size);
        }
        from = to;
    }
    *plain = from;
    return n == chunk_bytes;
}

/* Copies the part of a chunk that lies inside the table into out[n_rows][cols]. */
static void place_chunk(const struct gtr_h5_table *table, const unsigned char *chunk,
                        size_t first_col, size_t n_rows, unsigned char *out)
{
    size_t width = smaller(table->chunk_cols, table->cols - first_col) * table->size;
    size_t row_bytes = table->cols * table->size, chunk_row = table->chunk_cols * table->size, r;

    if (width == row_bytes && width == chunk_row) {
        memcpy(out, chunk, n_rows * row_bytes);
        return;
    }
    for (r = 0; r < n_rows; r++)
        memcpy(out + r * row_bytes + first_col * table->size, chunk + r * chunk_row, width);
}

static void place_zeros(const struct gtr_h5_table *table, size_t first_col, size_t n_rows,
                        unsigned char *out)
{
    size_t width = smaller(table->chunk_cols, table->cols - first_col) * table->size, r;

    for (r = 0; r < n_rows; r++)
        memset(out + (r * table->cols + first_col) * table->size, 0, width);
}

static enum gtr_code read_chunks(const struct gtr_h5_table *table, size_t first, size_t n_rows,
                                 unsigned char *out, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t chunk_bytes = table->band_rows * table->chunk_cols * table->size, col;
    struct chunk_buffers *buffers = NULL;

    rc = buffers_take(table, chunk_bytes, &buffers, err);
    for (col = 0; rc == GTR_OK && col < table->cols; col += table->chunk_cols) {
        hsize_t start[2] = { first, col };
        const unsigned char *chunk = NULL;
        size_t n_stored = 0;
        uint32_t mask = 0;

        rc = fetch_chunk(table, start, buffers, &n_stored, &mask, err);
        if (rc != GTR_OK)
            break;
        if (n_stored == 0) {
            place_zeros(table, col, n_rows, out); /* never written */
            continue;
        }
        if (!undo_filters(table, buffers->stored, n_stored, mask, chunk_bytes, buffers, &chunk)) {
            rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: rows from %zu on are damaged", table->h5->path,
                          table->name, first);
            break;
        }
        place_chunk(table, chunk, col, n_rows, out);
    }
    if (buffers != NULL)
        buffers_give(table, buffers);
    return rc;
}

enum gtr_code gtr_h5_table_read(const struct gtr_h5_table *table, size_t band, void *out,
                                struct gtr_err *err)
{
    size_t first = band * table->band_rows;
    size_t n_rows = smaller(table->band_rows, table->rows - first);

    switch (table->layout) {
    case BLANK:
        memset(out, 0, n_rows * table->cols * table->size);
        return GTR_OK;
    case CONTIGUOUS:
        return read_contiguous(table, first, n_rows, out, err);
    case CHUNKED:
        return read_chunks(table, first, n_rows, out, err);
    case OTHER:
        break;
    }
    return read_by_library(table, first, n_rows, out, err);
}

enum gtr_code gtr_h5_table_read_rows(const struct gtr_h5_table *table, size_t first, size_t n_rows,
                                     void *out, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t row_bytes = table->cols * table->size, row = first, end = first + n_rows;
    unsigned char *to = out, *band_rows = NULL;

    rc = gtr_alloc_for(&band_rows, table->band_rows, row_bytes, "bytes", err);
    while (rc == GTR_OK && row < end) {
        size_t band = row / table->band_rows, skip = row % table->band_rows;
        size_t n = smaller(table->band_rows - skip, end - row);

        rc = gtr_h5_table_read(table, band, band_rows, err);
        memcpy(to, band_rows + skip * row_bytes, n * row_bytes);
        to += n * row_bytes;
        row += n;
    }
    gtr_free(band_rows);
    return rc;
}
