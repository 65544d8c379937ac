/* h5_chunks.h - a table as h5_table.c and h5_chunks.c share it. */
#ifndef GTR_H5_CHUNKS_H
#define GTR_H5_CHUNKS_H

#include "h5_private.h"

enum { GTR_H5_FILTERS_MAX = 4 };

enum gtr_h5_layout { GTR_H5_BLANK, GTR_H5_CONTIGUOUS, GTR_H5_CHUNKED, GTR_H5_OTHER };

struct gtr_h5_buffers;

struct gtr_h5_table {
    const struct gtr_h5 *h5;
    char *name;
    hid_t dataset;
    hid_t memory_type;
    size_t rows, cols, size; /* size: bytes of one element */
    size_t band_rows;
    enum gtr_h5_layout layout;
    uint64_t offset;   /* GTR_H5_CONTIGUOUS: of the first byte in the file */
    size_t chunk_cols; /* GTR_H5_CHUNKED; else a width that is good to read */
    H5Z_filter_t filters[GTR_H5_FILTERS_MAX];
    int n_filters;
    struct gtr_h5_buffers **spare; /* head of the list of those not in use; the lock guards it */
};

/* Reads a part of a chunked table: its row r at out + r * stride bytes. */
enum gtr_code gtr_h5_chunks_read(const struct gtr_h5_table *table, const struct gtr_h5_part *part,
                                 unsigned char *out, size_t stride, struct gtr_err *err);

/* Frees what reading has kept. */
void gtr_h5_chunks_free(struct gtr_h5_table *table);

#endif
