/* h5_pack.h - chunks of a sheet as they are to lie in the file, made on several threads. */
#ifndef GTR_H5_PACK_H
#define GTR_H5_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* Rows that fill one row of chunks, or less: what is missing at the right and below is zeros. */
struct gtr_h5_band {
    const unsigned char *rows;
    size_t n_rows, row_bytes;
    size_t size;                    /* bytes of an element */
    size_t chunk_rows, chunk_width; /* of a whole chunk; its width in bytes */
    size_t n_threads;               /* 0: all processors; never more than 16 */
    bool deflate;                   /* shuffled and deflated, see planes.h; else as they are */
    bool sparse;                    /* chunks of zeros are left out */
};

struct gtr_h5_packed {
    const unsigned char *bytes;
    size_t n; /* 0: left out */
};

/* Room for chunks under way; the sheets of a file share it. */
struct gtr_h5_packer;

/* Makes sure that there is room for bands of this shape.  *packer NULL: a new one.  On failure it
 * is good for what it was good for before. */
enum gtr_code gtr_h5_packer_fit(struct gtr_h5_packer **packer, const struct gtr_h5_band *band,
                                struct gtr_err *err);
void gtr_h5_packer_free(struct gtr_h5_packer *packer);

/* How many chunks a band of this shape has. */
size_t gtr_h5_band_chunks(const struct gtr_h5_band *band);

/* Packs chunks from number `first` on, as many as there is room for; returns how many.  *packed is
 * an array of them, valid until the next call. */
size_t gtr_h5_pack(struct gtr_h5_packer *packer, const struct gtr_h5_band *band, size_t first,
                   const struct gtr_h5_packed **packed);

#endif
