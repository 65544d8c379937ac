/* h5_pack.c - cut a band into chunks and pack them side by side.
 *
 * All that is slow about a chunk happens here, where HDF5's lock is not held.  Chunks are packed a
 * few at a time and written in their order, so that the file does not depend on which thread was
 * first.
 */
#include "h5_pack.h"

#include <string.h>

#include "alloc.h"
#include "planes.h"
#include "threads.h"

enum {
    /* Some take longer than others. */
    CHUNKS_PER_THREAD = 4,
    /* Each deflates 500 MiB/s and more: more of them only cost memory, some 6 MiB each. */
    PACKERS_MAX = 16
};

struct gtr_h5_packer {
    size_t n_workers, n_slots;
    size_t chunk_bytes;           /* room for each of these: */
    unsigned char *whole;         /* [n_workers] chunks gathered */
    struct gtr_planes **planes;   /* [n_workers] */
    unsigned char *streams;       /* [n_slots], gtr_planes_bound(chunk_bytes) each */
    struct gtr_h5_packed *packed; /* [n_slots] */
};

static size_t chunk_bytes_of(const struct gtr_h5_band *band)
{
    return band->chunk_rows * band->chunk_width;
}

size_t gtr_h5_band_chunks(const struct gtr_h5_band *band)
{
    return (band->row_bytes + band->chunk_width - 1) / band->chunk_width;
}

/* What is not deflated is only copied, which is not worth a thread. */
static size_t workers_for(const struct gtr_h5_band *band)
{
    size_t most = gtr_threads_count(band->n_threads, gtr_h5_band_chunks(band));

    if (!band->deflate)
        return 1;
    return most < PACKERS_MAX ? most : PACKERS_MAX;
}

static void empty(struct gtr_h5_packer *packer)
{
    size_t i;

    gtr_free(packer->whole);
    for (i = 0; packer->planes != NULL && i < packer->n_workers; i++)
        gtr_planes_free(packer->planes[i]);
    gtr_free(packer->planes);
    gtr_free(packer->streams);
    gtr_free(packer->packed);
}

void gtr_h5_packer_free(struct gtr_h5_packer *packer)
{
    if (packer != NULL)
        empty(packer);
    gtr_free(packer);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

enum gtr_code gtr_h5_packer_fit(struct gtr_h5_packer **packer, const struct gtr_h5_band *band,
                                struct gtr_err *err)
{
    const size_t workers = workers_for(band), chunks = gtr_h5_band_chunks(band);
    struct gtr_h5_packer fit = { .n_workers = workers,
                                 .n_slots = workers > 1 ? workers * CHUNKS_PER_THREAD : 1,
                                 .chunk_bytes = chunk_bytes_of(band) };
    enum gtr_code rc = GTR_OK;
    size_t i;

    fit.n_slots = fit.n_slots < chunks ? fit.n_slots : larger(chunks, 1);
    if (*packer == NULL)
        rc = gtr_alloc_for(packer, 1, sizeof **packer, "packers", err);
    if (rc != GTR_OK ||
        ((*packer)->n_workers >= fit.n_workers && (*packer)->n_slots >= fit.n_slots &&
         (*packer)->chunk_bytes >= fit.chunk_bytes))
        return rc;
    fit.n_workers = larger(fit.n_workers, (*packer)->n_workers);
    fit.n_slots = larger(fit.n_slots, (*packer)->n_slots);
    fit.chunk_bytes = larger(fit.chunk_bytes, (*packer)->chunk_bytes);
    rc = gtr_alloc_for(&fit.whole, fit.n_workers, fit.chunk_bytes, "bytes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&fit.planes, fit.n_workers, sizeof *fit.planes, "threads", err);
    for (i = 0; rc == GTR_OK && i < fit.n_workers; i++)
        rc = gtr_planes_new(fit.chunk_bytes, &fit.planes[i], err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&fit.streams, fit.n_slots, gtr_planes_bound(fit.chunk_bytes), "bytes",
                           err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&fit.packed, fit.n_slots, sizeof *fit.packed, "chunks", err);
    if (rc != GTR_OK) {
        empty(&fit);
        return rc;
    }
    empty(*packer);
    **packer = fit;
    return GTR_OK;
}

/* The whole chunk: where it lies among the rows if it lies there in one piece, else a copy. */
static const unsigned char *gather(const struct gtr_h5_band *band, size_t chunk,
                                   unsigned char *whole)
{
    size_t left = chunk * band->chunk_width, right = band->row_bytes - left, r;
    size_t width = right < band->chunk_width ? right : band->chunk_width;

    if (band->n_rows == band->chunk_rows && width == band->chunk_width &&
        (band->n_rows == 1 || width == band->row_bytes))
        return band->rows + left;
    for (r = 0; r < band->n_rows; r++) {
        memcpy(whole + r * band->chunk_width, band->rows + r * band->row_bytes + left, width);
        memset(whole + r * band->chunk_width + width, 0, band->chunk_width - width);
    }
    memset(whole + r * band->chunk_width, 0, (band->chunk_rows - r) * band->chunk_width);
    return whole;
}

static bool all_zero(const unsigned char *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

struct job {
    struct gtr_h5_packer *packer;
    const struct gtr_h5_band *band;
    size_t first;
};

static void pack_one(void *context, size_t item, size_t worker)
{
    const struct job *job = context;
    const struct gtr_h5_packer *packer = job->packer;
    const struct gtr_h5_band *band = job->band;
    struct gtr_h5_packed *packed = &packer->packed[item];
    unsigned char *stream = packer->streams + item * gtr_planes_bound(packer->chunk_bytes);

    packed->n = chunk_bytes_of(band);
    /* Without deflate there is no stream, and its room is the copy's: it must outlast this call. */
    packed->bytes = gather(band, job->first + item,
                           band->deflate ? packer->whole + worker * packer->chunk_bytes : stream);
    if (band->sparse && all_zero(packed->bytes, packed->n)) {
        packed->n = 0;
    } else if (band->deflate) {
        packed->n = gtr_planes_deflate(packer->planes[worker], packed->bytes, packed->n, band->size,
                                       stream);
        packed->bytes = stream;
    }
}

size_t gtr_h5_pack(struct gtr_h5_packer *packer, const struct gtr_h5_band *band, size_t first,
                   const struct gtr_h5_packed **packed)
{
    struct job job = { packer, band, first };
    size_t n = gtr_h5_band_chunks(band) - first;

    n = n < packer->n_slots ? n : packer->n_slots;
    gtr_threads_run(workers_for(band), n, pack_one, &job);
    *packed = packer->packed;
    return n;
}
