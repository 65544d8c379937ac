/* h5_sheet.c - vectors and tables that grow by rows, written a whole chunk at a time.
 *
 * Rows wait in memory until they fill a row of chunks.  Those are packed here, and HDF5 only gives
 * them a place in the file: its own filters would run under the lock, and search in vain for
 * repetitions in the noise that gradients are.  What is in the file is what they would read.
 */
#include "h5_private.h"

#include <string.h>

#include "alloc.h"
#include "h5_pack.h"

enum { DEFLATE_LEVEL = 1 }; /* what readers are told; it changes nothing for them */

struct gtr_h5_sheet {
    struct gtr_h5 *h5;
    char *name;
    hid_t dataset;
    hid_t type;
    struct gtr_h5_shape shape;
    struct gtr_h5_band band; /* of chunks, without rows yet */
    size_t written;          /* rows in the file */
    size_t waiting;          /* rows in `rows` */
    unsigned char *rows;     /* NULL if a chunk is one row, which then waits for nothing */
};

static int rank_of(const struct gtr_h5_sheet *sheet)
{
    return sheet->shape.cols > 0 ? 2 : 1;
}

/* The lock is held. */
static enum gtr_code create_dataset(struct gtr_h5_sheet *sheet, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    const struct gtr_h5_shape *shape = &sheet->shape;
    hsize_t dims[2] = { 0, shape->cols }, most[2] = { H5S_UNLIMITED, shape->cols };
    hsize_t chunk[2] = { shape->chunk_rows,
                         shape->chunk_cols > 0 ? shape->chunk_cols : shape->cols };
    hid_t space = H5Screate_simple(rank_of(sheet), dims, most);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), access = H5Pcreate(H5P_DATASET_ACCESS);

    H5Pset_obj_track_times(creation, 0); /* equal inputs give equal bytes */
    H5Pset_chunk(creation, rank_of(sheet), chunk);
    if (shape->deflate) {
        H5Pset_shuffle(creation);
        H5Pset_deflate(creation, DEFLATE_LEVEL);
    }
    /* Chunks are written whole, so a cache would only cost memory, once per tensor. */
    H5Pset_chunk_cache(access, 0, 0, 0.0);
    sheet->dataset =
        H5Dcreate2(sheet->h5->file, sheet->name, sheet->type, space, H5P_DEFAULT, creation, access);
    if (sheet->dataset < 0)
        rc = gtr_h5_fail(sheet->h5, sheet->name, "cannot write", GTR_EIO, err);
    H5Pclose(access);
    H5Pclose(creation);
    H5Sclose(space);
    return rc;
}

static void sheet_free(struct gtr_h5_sheet *sheet)
{
    gtr_h5_lock();
    if (sheet->dataset >= 0)
        H5Dclose(sheet->dataset);
    if (sheet->type >= 0)
        H5Tclose(sheet->type);
    gtr_h5_unlock();
    gtr_free(sheet->rows);
    gtr_free(sheet->name);
    gtr_free(sheet);
}

enum gtr_code gtr_h5_sheet_new(struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                               const struct gtr_h5_shape *shape, struct gtr_h5_sheet **out,
                               struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_h5_sheet *sheet;
    size_t cols = shape->cols > 0 ? shape->cols : 1, size = gtr_h5_type_size(type);

    *out = NULL;
    rc = gtr_alloc_for(&sheet, 1, sizeof *sheet, "sheets", err);
    if (rc != GTR_OK)
        return rc;
    sheet->h5 = h5;
    sheet->dataset = sheet->type = H5I_INVALID_HID;
    sheet->shape = *shape;
    sheet->band = (struct gtr_h5_band){
        .row_bytes = cols * size,
        .size = size,
        .chunk_rows = shape->chunk_rows,
        .chunk_width = (shape->chunk_cols > 0 ? shape->chunk_cols : cols) * size,
        .n_threads = shape->n_threads,
        .deflate = shape->deflate,
        .sparse = shape->sparse,
    };
    sheet->name = gtr_strdup(name);
    if (sheet->name == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory", h5->path);
    if (rc == GTR_OK && shape->chunk_rows > 1)
        rc = gtr_alloc_for(&sheet->rows, shape->chunk_rows, sheet->band.row_bytes, "rows", err);
    if (rc == GTR_OK)
        rc = gtr_h5_packer_fit(&h5->packer, &sheet->band, err);
    if (rc == GTR_OK) {
        gtr_h5_lock();
        sheet->type = gtr_h5_type_new(type);
        rc = create_dataset(sheet, err);
        gtr_h5_unlock();
    }
    if (rc != GTR_OK) {
        sheet_free(sheet);
        return rc;
    }
    *out = sheet;
    return GTR_OK;
}

/* Hands HDF5 the packed chunks from column chunk `first` on.  The lock is held. */
static bool write_chunks(const struct gtr_h5_sheet *sheet, size_t first, size_t n,
                         const struct gtr_h5_packed *packed)
{
    size_t i;

    for (i = 0; i < n; i++) {
        hsize_t at[2] = { sheet->written,
                          (first + i) * sheet->band.chunk_width / sheet->band.size };

        if (packed[i].n > 0 &&
            H5Dwrite_chunk(sheet->dataset, H5P_DEFAULT, 0, at, packed[i].n, packed[i].bytes) < 0)
            return false;
    }
    return true;
}

/* Writes n rows, a row of chunks or the last part of one, after those in the file. */
static enum gtr_code write_through(struct gtr_h5_sheet *sheet, const void *rows, size_t n,
                                   struct gtr_err *err)
{
    hsize_t dims[2] = { sheet->written + n, sheet->shape.cols };
    struct gtr_h5_band band = sheet->band;
    const struct gtr_h5_packed *packed;
    enum gtr_code rc = GTR_OK;
    size_t first = 0, count;
    bool done;

    if (n == 0)
        return GTR_OK;
    band.rows = rows;
    band.n_rows = n;
    gtr_h5_lock();
    done = H5Dset_extent(sheet->dataset, dims) >= 0;
    while (done && first < gtr_h5_band_chunks(&band)) {
        gtr_h5_unlock();
        count = gtr_h5_pack(sheet->h5->packer, &band, first, &packed);
        gtr_h5_lock();
        done = write_chunks(sheet, first, count, packed);
        first += count;
    }
    if (done)
        sheet->written += n;
    else
        rc = gtr_h5_fail(sheet->h5, sheet->name, "cannot write", GTR_EIO, err);
    gtr_h5_unlock();
    return rc;
}

enum gtr_code gtr_h5_sheet_append(struct gtr_h5_sheet *sheet, const void *row, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (sheet->rows == NULL)
        return write_through(sheet, row, 1, err);
    /* Written when the next row comes, not when the chunk fills: the last row can be amended. */
    if (sheet->waiting == sheet->shape.chunk_rows) {
        rc = write_through(sheet, sheet->rows, sheet->waiting, err);
        if (rc != GTR_OK)
            return rc;
        sheet->waiting = 0;
    }
    memcpy(sheet->rows + sheet->waiting * sheet->band.row_bytes, row, sheet->band.row_bytes);
    sheet->waiting++;
    return GTR_OK;
}

void *gtr_h5_sheet_last(struct gtr_h5_sheet *sheet)
{
    return sheet->waiting > 0 ? sheet->rows + (sheet->waiting - 1) * sheet->band.row_bytes : NULL;
}

enum gtr_code gtr_h5_sheet_cut(struct gtr_h5_sheet *sheet, size_t n_rows, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hsize_t dims[2];

    if (sheet == NULL)
        return GTR_OK;
    if (n_rows > sheet->written + sheet->waiting)
        return gtr_fail(err, GTR_EIO, "%s: %s: rows were lost", sheet->h5->path, sheet->name);
    sheet->waiting = n_rows > sheet->written ? n_rows - sheet->written : 0;
    sheet->written = n_rows - sheet->waiting;
    dims[0] = sheet->written;
    dims[1] = sheet->shape.cols;
    gtr_h5_lock();
    if (H5Dset_extent(sheet->dataset, dims) < 0)
        rc = gtr_h5_fail(sheet->h5, sheet->name, "cannot write", GTR_EIO, err);
    gtr_h5_unlock();
    return rc;
}

enum gtr_code gtr_h5_sheet_close(struct gtr_h5_sheet *sheet, struct gtr_err *err)
{
    enum gtr_code rc;

    if (sheet == NULL)
        return GTR_OK;
    rc = write_through(sheet, sheet->rows, sheet->waiting, err);
    sheet_free(sheet);
    return rc;
}
