/* h5_chunks.c - read chunks as they lie in the file, and undo their filters on the caller's thread.
 *
 * HDF5 would inflate under its own lock, one thread at a time.  Here the lock is held only while
 * H5Dread_chunk copies the stored bytes; inflating and unshuffling run side by side.
 */
#include "h5_private.h"

#include <string.h>

#include "alloc.h"
#include "planes.h"

enum {
    FLETCHER_BYTES = 4,
    CHECKSUMS_BYTES = FLETCHER_BYTES * GTR_H5_FILTERS_MAX /* what filters may add to a chunk */
};

/* What reading chunks takes; a table keeps as many as threads read it at once, because fresh
 * memory for each band would cost more than reading it. */
struct gtr_h5_buffers {
    struct gtr_h5_buffers *next;
    unsigned char *stored; /* as it lies in the file */
    size_t capacity;
    unsigned char *plain, *other; /* a chunk each: filters go back and forth between them */
    struct gtr_inflater *inflater;
    bool full;                  /* there is a chunk in them, */
    hsize_t at[2];              /* the one that starts here, */
    const unsigned char *chunk; /* as it was before the filters; NULL: it was never written */
};

static void buffers_free(struct gtr_h5_buffers *buffers)
{
    if (buffers == NULL)
        return;
    gtr_free(buffers->stored);
    gtr_free(buffers->plain);
    gtr_free(buffers->other);
    gtr_inflater_free(buffers->inflater);
    gtr_free(buffers);
}

void gtr_h5_chunks_free(struct gtr_h5_table *table)
{
    struct gtr_h5_buffers *buffers;

    while (table->spare != NULL && (buffers = *table->spare) != NULL) {
        *table->spare = buffers->next;
        buffers_free(buffers);
    }
    gtr_free(table->spare);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Ones that no other thread has; give them back with buffers_give. */
static enum gtr_code buffers_take(const struct gtr_h5_table *table, size_t chunk_bytes,
                                  struct gtr_h5_buffers **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_h5_buffers *buffers;

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
        rc = gtr_alloc_for(&buffers->plain, chunk_bytes + CHECKSUMS_BYTES, 1, "bytes", err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&buffers->other, chunk_bytes + CHECKSUMS_BYTES, 1, "bytes", err);
        if (rc == GTR_OK && (buffers->inflater = gtr_inflater_new()) == NULL)
            rc = gtr_fail(err, GTR_ENOMEM, "no memory to inflate");
    }
    if (rc != GTR_OK) {
        buffers_free(buffers);
        return rc;
    }
    *out = buffers;
    return GTR_OK;
}

static void buffers_give(const struct gtr_h5_table *table, struct gtr_h5_buffers *buffers)
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
static enum gtr_code make_room(const struct gtr_h5_table *table, struct gtr_h5_buffers *buffers,
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
                                 struct gtr_h5_buffers *buffers, size_t *n_stored, uint32_t *mask,
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

/* Fletcher's checksum as HDF5 has it: over big-endian 16-bit words, modulo 65535, folded every 360
 * words, before its sums of 32 bits can overflow. */
static uint32_t fletcher32(const unsigned char *bytes, size_t n)
{
    uint32_t low = 0, high = 0;
    size_t i;

    for (i = 0; i < n; i += 2) {
        low += (uint32_t)bytes[i] << 8 | (i + 1 < n ? bytes[i + 1] : 0u);
        high += low;
        if (i / 2 % 360 == 359 || i + 2 >= n) {
            low = (low & 0xffff) + (low >> 16);
            high = (high & 0xffff) + (high >> 16);
        }
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
    return high << 16 | low;
}

/* The checksum stands behind the bytes, little-endian. */
static bool fletcher32_fits(const unsigned char *bytes, size_t n)
{
    const unsigned char *sum = bytes + n;

    return fletcher32(bytes, n) == ((uint32_t)sum[0] | (uint32_t)sum[1] << 8 |
                                    (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24);
}

/* Undoes one filter on *n bytes; false if they are damaged.  *from leads to what they are now. */
static bool undo_filter(H5Z_filter_t filter, size_t element, size_t room,
                        struct gtr_h5_buffers *buffers, const unsigned char **from, size_t *n)
{
    unsigned char *to = *from == buffers->plain ? buffers->other : buffers->plain;
    size_t length = room, whole = *n - *n % element;

    if (filter == H5Z_FILTER_FLETCHER32) {
        if (*n < FLETCHER_BYTES || !fletcher32_fits(*from, *n - FLETCHER_BYTES))
            return false;
        *n -= FLETCHER_BYTES;
        return true;
    }
    if (filter == H5Z_FILTER_DEFLATE) {
        if (!gtr_inflate(buffers->inflater, *from, *n, to, &length))
            return false;
        *n = length;
    } else {
        if (*n > room)
            return false;
        gtr_unshuffle(*from, to, whole, element);
        memcpy(to + whole, *from + whole, *n - whole);
    }
    *from = to;
    return true;
}

/* Undoes the pipeline, last filter first.  The result is in buffers->chunk. */
static bool undo_filters(const struct gtr_h5_table *table, size_t n_stored, uint32_t mask,
                         size_t chunk_bytes, struct gtr_h5_buffers *buffers)
{
    const unsigned char *from = buffers->stored;
    size_t n = n_stored;
    int i;

    for (i = table->n_filters - 1; i >= 0; i--)
        if ((mask >> i & 1) == 0 && !undo_filter(table->filters[i], table->size,
                                                 chunk_bytes + CHECKSUMS_BYTES, buffers, &from, &n))
            return false;
    buffers->chunk = from;
    return n == chunk_bytes;
}

/* Where a part of the table and one chunk overlap. */
struct overlap {
    size_t rows, width;            /* width in bytes */
    const unsigned char *in_chunk; /* NULL: the chunk was never written */
    unsigned char *in_part;
};

static struct overlap overlap_of(const struct gtr_h5_table *table, const struct gtr_h5_part *part,
                                 const hsize_t *start, const unsigned char *chunk,
                                 unsigned char *out, size_t stride)
{
    size_t row = larger(part->first_row, start[0]), col = larger(part->first_col, start[1]);
    size_t end_row = smaller(part->first_row + part->n_rows, start[0] + table->band_rows);
    size_t end_col = smaller(part->first_col + part->n_cols, start[1] + table->chunk_cols);
    struct overlap overlap = { .rows = end_row - row, .width = (end_col - col) * table->size };

    if (chunk != NULL)
        overlap.in_chunk =
            chunk + ((row - start[0]) * table->chunk_cols + col - start[1]) * table->size;
    overlap.in_part =
        out + (row - part->first_row) * stride + (col - part->first_col) * table->size;
    return overlap;
}

static void place(const struct gtr_h5_table *table, const struct overlap *overlap, size_t stride)
{
    size_t chunk_row = table->chunk_cols * table->size, r;

    if (overlap->in_chunk != NULL && overlap->width == chunk_row && overlap->width == stride) {
        memcpy(overlap->in_part, overlap->in_chunk, overlap->rows * stride);
        return;
    }
    for (r = 0; r < overlap->rows; r++)
        if (overlap->in_chunk != NULL)
            memcpy(overlap->in_part + r * stride, overlap->in_chunk + r * chunk_row,
                   overlap->width);
        else
            gtr_h5_table_fill(table, overlap->in_part + r * stride, overlap->width / table->size);
}

/* A reader of a few rows at a time comes back for the next ones, and a chunk that others have
 * written may be large: the last one is kept. */
static enum gtr_code fill_buffers(const struct gtr_h5_table *table, const hsize_t *start,
                                  struct gtr_h5_buffers *buffers, struct gtr_err *err)
{
    size_t chunk_bytes = table->band_rows * table->chunk_cols * table->size, n_stored = 0;
    enum gtr_code rc;
    uint32_t mask = 0;

    if (buffers->full && memcmp(buffers->at, start, sizeof buffers->at) == 0)
        return GTR_OK;
    buffers->full = false;
    buffers->chunk = NULL;
    rc = fetch_chunk(table, start, buffers, &n_stored, &mask, err);
    if (rc == GTR_OK && n_stored > 0 && !undo_filters(table, n_stored, mask, chunk_bytes, buffers))
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: rows from %llu on are damaged", table->h5->path,
                      table->name, (unsigned long long)start[0]);
    if (rc == GTR_OK) {
        buffers->full = true;
        memcpy(buffers->at, start, sizeof buffers->at);
    }
    return rc;
}

/* What one chunk holds of the part. */
static enum gtr_code read_chunk(const struct gtr_h5_table *table, const struct gtr_h5_part *part,
                                const hsize_t *start, struct gtr_h5_buffers *buffers,
                                unsigned char *out, size_t stride, struct gtr_err *err)
{
    enum gtr_code rc = fill_buffers(table, start, buffers, err);
    struct overlap overlap;

    if (rc != GTR_OK)
        return rc;
    overlap = overlap_of(table, part, start, buffers->chunk, out, stride);
    place(table, &overlap, stride);
    return GTR_OK;
}

enum gtr_code gtr_h5_chunks_read(const struct gtr_h5_table *table, const struct gtr_h5_part *part,
                                 unsigned char *out, size_t stride, struct gtr_err *err)
{
    size_t chunk_bytes = table->band_rows * table->chunk_cols * table->size;
    struct gtr_h5_buffers *buffers = NULL;
    enum gtr_code rc;
    hsize_t start[2];

    rc = buffers_take(table, chunk_bytes, &buffers, err);
    for (start[0] = part->first_row - part->first_row % table->band_rows;
         rc == GTR_OK && start[0] < part->first_row + part->n_rows; start[0] += table->band_rows)
        for (start[1] = part->first_col - part->first_col % table->chunk_cols;
             rc == GTR_OK && start[1] < part->first_col + part->n_cols;
             start[1] += table->chunk_cols)
            rc = read_chunk(table, part, start, buffers, out, stride, err);
    if (buffers != NULL)
        buffers_give(table, buffers);
    return rc;
}
