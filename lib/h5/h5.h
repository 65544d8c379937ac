/* h5.h - HDF5 as this project needs it, and no more.
 *
 * Only h5*.c include hdf5.h.  HDF5 keeps global state and may be built without thread safety, so
 * every call into it holds one lock; chunks are packed and unpacked outside that lock.  Errors
 * name the file and the dataset, with HDF5's own innermost reason.
 */
#ifndef GTR_H5_H
#define GTR_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Element types, little-endian in the file. */
enum gtr_h5_type {
    GTR_H5_F64,
    GTR_H5_F32,
    GTR_H5_F16,
    GTR_H5_I64,
    GTR_H5_U64,
    GTR_H5_U16,
    GTR_H5_U8,
    GTR_H5_U32,
    GTR_H5_TEXT /* strings of one length, which the dataset tells */
};

/* Bytes; 0 for texts. */
size_t gtr_h5_type_size(enum gtr_h5_type type);

struct gtr_h5;

/* Refuses what is not a regular file, so that a pipe never blocks. */
enum gtr_code gtr_h5_open(const char *path, struct gtr_h5 **h5, struct gtr_err *err);

/* Has a child process try out each file that is opened from now on, or not, as at first; see
 * h5_probe.c.  A file that is opened again is not tried out again. */
void gtr_h5_try_files(bool on);
enum gtr_code gtr_h5_reopen(const char *path, struct gtr_h5 **h5, struct gtr_err *err);

/* Overwrites `path`; errors call the file `shown`. */
enum gtr_code gtr_h5_create(const char *path, const char *shown, struct gtr_h5 **h5,
                            struct gtr_err *err);

/* Takes NULL.  The code matters after writing: a full disk may show only here. */
enum gtr_code gtr_h5_close(struct gtr_h5 *h5, struct gtr_err *err);

/* After a failed write: those that follow may find room, of which some was kept aside. */
void gtr_h5_go_on(struct gtr_h5 *h5);

/* All room that was kept aside is for what is written from now on, which completes the file. */
void gtr_h5_finish(struct gtr_h5 *h5);

bool gtr_h5_has(const struct gtr_h5 *h5, const char *name);

/* --- attributes; `object` is "/" or a dataset ------------------------------------------------ */

/* *value is a new string, or NULL if there is no such attribute. */
enum gtr_code gtr_h5_get_text(const struct gtr_h5 *h5, const char *object, const char *name,
                              char **value, struct gtr_err *err);
/* *value is left alone if there is no such attribute. */
enum gtr_code gtr_h5_get_integer(const struct gtr_h5 *h5, const char *object, const char *name,
                                 int64_t *value, struct gtr_err *err);
enum gtr_code gtr_h5_get_real(const struct gtr_h5 *h5, const char *object, const char *name,
                              double *value, struct gtr_err *err);
/* These replace one that is there. */
enum gtr_code gtr_h5_set_text(struct gtr_h5 *h5, const char *object, const char *name,
                              const char *value, struct gtr_err *err);
enum gtr_code gtr_h5_set_integer(struct gtr_h5 *h5, const char *object, const char *name,
                                 int64_t value, struct gtr_err *err);
enum gtr_code gtr_h5_set_real(struct gtr_h5 *h5, const char *object, const char *name, double value,
                              struct gtr_err *err);

/* --- whole vectors --------------------------------------------------------------------------- */

/* Reads a 1-D dataset of exactly this type into a new array of *n elements. */
enum gtr_code gtr_h5_read_vector(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                 void *array_out, size_t *n, struct gtr_err *err);

/* Reads a 1-D dataset of fixed-length strings into a new array of new strings. */
enum gtr_code gtr_h5_read_strings(const struct gtr_h5 *h5, const char *name, char ***strings,
                                  size_t *n, struct gtr_err *err);
enum gtr_code gtr_h5_write_vector(struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                  const void *values, size_t n, struct gtr_err *err);
enum gtr_code gtr_h5_write_strings(struct gtr_h5 *h5, const char *name, const char *const *strings,
                                   size_t n, struct gtr_err *err);
enum gtr_code gtr_h5_make_group(struct gtr_h5 *h5, const char *name, struct gtr_err *err);

/* --- tables: [rows][cols], read in bands of rows ---------------------------------------------- */

struct gtr_h5_table;

enum gtr_code gtr_h5_table_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                struct gtr_h5_table **table, struct gtr_err *err);

/* A 1-D dataset as a table of one column, to be read in bands instead of whole. */
enum gtr_code gtr_h5_column_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                 struct gtr_h5_table **column, struct gtr_err *err);
void gtr_h5_table_close(struct gtr_h5_table *table);
size_t gtr_h5_table_rows(const struct gtr_h5_table *table);
size_t gtr_h5_table_cols(const struct gtr_h5_table *table);

/* All bands but the last have this many rows, as many as one chunk of the file. */
size_t gtr_h5_table_band_rows(const struct gtr_h5_table *table);

/* True if nothing was ever written and all values are 0. */
bool gtr_h5_table_is_blank(const struct gtr_h5_table *table);

/* Rows first .. first + n_rows - 1, whatever the bands.  Safe to call from several threads. */
enum gtr_code gtr_h5_table_read_rows(const struct gtr_h5_table *table, size_t first, size_t n_rows,
                                     void *out, struct gtr_err *err);

/* Some columns of some rows.  Lies inside the table. */
struct gtr_h5_part {
    size_t first_row, n_rows;
    size_t first_col, n_cols;
};

/* Columns that are cheapest to read together, as band_rows are rows. */
size_t gtr_h5_table_chunk_cols(const struct gtr_h5_table *table);

/* Reads the part: its row r at out + r * stride bytes; a stride is at least a row of the part.
 * Only the chunks that hold some of it are read.  Safe to call from several threads. */
enum gtr_code gtr_h5_table_read_part(const struct gtr_h5_table *table,
                                     const struct gtr_h5_part *part, void *out, size_t stride,
                                     struct gtr_err *err);

/* --- sheets: vectors and tables that grow ----------------------------------------------------- */

struct gtr_h5_sheet;

struct gtr_h5_shape {
    size_t cols; /* 0: a vector */
    size_t chunk_rows;
    size_t chunk_cols; /* 0: all */
    bool deflate;      /* shuffle and deflate, see planes.h */
    bool sparse;       /* chunks of zeros are not written: readers see 0 there anyway */
    size_t n_threads;  /* that deflate, if a row has several chunks; 0: all processors */
};

enum gtr_code gtr_h5_sheet_new(struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                               const struct gtr_h5_shape *shape, struct gtr_h5_sheet **sheet,
                               struct gtr_err *err);

/* Appends one row.  Rows are kept until a chunk is full and another comes. */
enum gtr_code gtr_h5_sheet_append(struct gtr_h5_sheet *sheet, const void *row, struct gtr_err *err);

/* The last appended row, for amending; NULL if chunks are one row, or none was appended. */
void *gtr_h5_sheet_last(struct gtr_h5_sheet *sheet);

/* Forgets all rows after the first n_rows, and what a failed append left.  Takes NULL. */
enum gtr_code gtr_h5_sheet_cut(struct gtr_h5_sheet *sheet, size_t n_rows, struct gtr_err *err);

/* Writes what is kept and frees.  Takes NULL. */
enum gtr_code gtr_h5_sheet_close(struct gtr_h5_sheet *sheet, struct gtr_err *err);

#endif
