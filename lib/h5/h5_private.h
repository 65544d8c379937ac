/* h5_private.h - what the h5*.c files share. */
#ifndef GTR_H5_PRIVATE_H
#define GTR_H5_PRIVATE_H

#include <hdf5.h>

#include "h5.h"

/* How the disk takes what is written. */
struct gtr_h5_disk {
    bool closing;   /* failures are remembered here and not told to HDF5 */
    int error;      /* errno of the first failure; 0 */
    int reserve[2]; /* descriptors of files without a name that hold some room; 0: none */
};

struct gtr_h5 {
    hid_t file;
    char *path;         /* as errors show it */
    uint64_t file_size; /* when opened for reading */
    int fd;             /* a second descriptor for reading raw bytes; -1 when writing */
    struct gtr_h5_disk disk;
    struct gtr_h5_packer *packer; /* when writing: h5_pack.h */
};

/* Properties for creating a file whose writes report to *disk, which outlives it.  Close them with
 * H5Pclose; negative on failure.  The lock is held. */
hid_t gtr_h5_disk_access(struct gtr_h5_disk *disk);
void gtr_h5_disk_release(struct gtr_h5_disk *disk);

/* One lock for all of HDF5, and its own error printing off. */
void gtr_h5_lock(void);
void gtr_h5_unlock(void);

/* Properties for reading a file, to be closed with H5Pclose.  A read-only or network disk without
 * locks is no reason not to read.  The lock is held. */
static inline hid_t gtr_h5_read_access(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);

    H5Pset_file_locking(access, 1, 1);
    return access;
}

/* Fails if HDF5 cannot survive reading the file's structure, tried out in a child process.  The
 * lock is not held. */
enum gtr_code gtr_h5_probe(const char *path, struct gtr_err *err);

/* Fails with "PATH: DATASET: WHAT: reason", the system's or HDF5's.  Call with the lock held,
 * straight after the failing call. */
enum gtr_code gtr_h5_fail(const struct gtr_h5 *h5, const char *name, const char *what,
                          enum gtr_code code, struct gtr_err *err);

/* Where a path from "/" on leads: nowhere, to an object of this file, or through a link that is not
 * a hard one.  Those are not followed, for they may lead into other files: a trace from a stranger
 * must not show what else is on this machine.  The lock is held. */
enum gtr_h5_place { GTR_H5_NOWHERE, GTR_H5_HERE, GTR_H5_ELSEWHERE };
enum gtr_h5_place gtr_h5_place(const struct gtr_h5 *h5, const char *name);

/* Whether the numbers of a dataset made with these properties lie in the file itself, neither in
 * external storage nor in those of a virtual dataset. */
bool gtr_h5_is_stored_here(hid_t creation);

/* The HDF5 type; close it with H5Tclose.  None for texts, whose size is the file's.  The lock is
 * held. */
hid_t gtr_h5_type_new(enum gtr_h5_type type);

/* Opens a dataset and checks its rank and type, which *stored gets; *dims gets `rank` sizes.  On
 * failure there is nothing to close.  The lock is held. */
enum gtr_code gtr_h5_dataset_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                  int rank, hid_t *dataset, hid_t *stored, hsize_t *dims,
                                  struct gtr_err *err);

/* Whether `count` elements of `size` bytes may be allocated for this file: deflate shrinks at most
 * 1032 times (zlib's documentation), so no honest file claims more. */
bool gtr_h5_is_justified(const struct gtr_h5 *h5, uint64_t count, uint64_t size);

/* Whether chunks of so many bytes are in proportion to the dataset's own.  A chunk is inflated
 * whole, whatever is wanted of it, so one of a gigabyte must not stand around five numbers; a
 * dataset that grows may begin with less than a chunk. */
bool gtr_h5_chunk_is_fair(uint64_t chunk_bytes, uint64_t dataset_bytes);

/* --- a table, as h5_table.c and h5_chunks.c share it ------------------------------------------ */

enum { GTR_H5_FILTERS_MAX = 4 };

enum gtr_h5_layout { GTR_H5_BLANK, GTR_H5_CONTIGUOUS, GTR_H5_CHUNKED, GTR_H5_OTHER };

struct gtr_h5_buffers;

struct gtr_h5_table {
    const struct gtr_h5 *h5;
    char *name;
    hid_t dataset;
    hid_t memory_type;
    int rank;                /* 1: a vector, a table of one column */
    size_t rows, cols, size; /* size: bytes of one element */
    unsigned char *fill;     /* an element that was never written; NULL: zeros */
    size_t band_rows;
    enum gtr_h5_layout layout;
    uint64_t offset;   /* GTR_H5_CONTIGUOUS: of the first byte in the file */
    size_t chunk_cols; /* GTR_H5_CHUNKED; else a width that is good to read */
    H5Z_filter_t filters[GTR_H5_FILTERS_MAX];
    int n_filters;
    struct gtr_h5_buffers **spare; /* head of the list of those not in use; the lock guards it */
};

/* `n` elements that were never written. */
void gtr_h5_table_fill(const struct gtr_h5_table *table, unsigned char *out, size_t n);

/* Reads a part of a chunked table: its row r at out + r * stride bytes. */
enum gtr_code gtr_h5_chunks_read(const struct gtr_h5_table *table, const struct gtr_h5_part *part,
                                 unsigned char *out, size_t stride, struct gtr_err *err);

/* Frees what reading has kept. */
void gtr_h5_chunks_free(struct gtr_h5_table *table);

#endif
