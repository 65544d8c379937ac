/* h5_vector.c - datasets that are read and written whole: vectors of numbers and of names. */
#include "h5_private.h"

#include <string.h>

#include "alloc.h"

static const char *type_words(enum gtr_h5_type type)
{
    static const char *const words[] = { [GTR_H5_F64] = "little-endian 64-bit floats",
                                         [GTR_H5_F32] = "little-endian 32-bit floats",
                                         [GTR_H5_F16] = "little-endian 16-bit floats",
                                         [GTR_H5_I64] = "little-endian signed 64-bit integers",
                                         [GTR_H5_U64] = "little-endian unsigned 64-bit integers",
                                         [GTR_H5_U16] = "little-endian unsigned 16-bit integers",
                                         [GTR_H5_U8] = "little-endian unsigned 8-bit integers",
                                         [GTR_H5_U32] = "little-endian unsigned 32-bit integers",
                                         [GTR_H5_TEXT] = "fixed-length strings" };

    return words[type];
}

/* Opens a dataset whose numbers lie in this file.  HDF5 would follow a link, a virtual dataset or
 * external storage into any other, a pipe included. */
static enum gtr_code open_here(const struct gtr_h5 *h5, const char *name, hid_t *dataset,
                               struct gtr_err *err)
{
    enum gtr_h5_place place = gtr_h5_place(h5, name);
    hid_t creation;
    bool here;

    if (place == GTR_H5_NOWHERE)
        return gtr_fail(err, GTR_EFORMAT, "%s: no dataset %s; was it made by gradtrace?", h5->path,
                        name);
    if (place == GTR_H5_ELSEWHERE)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: %s: is a link to another place, which is not followed; a trace "
                        "holds its own data",
                        h5->path, name);
    *dataset = H5Dopen2(h5->file, name, H5P_DEFAULT);
    if (*dataset < 0)
        return gtr_h5_fail(h5, name, "cannot open the dataset", GTR_EFORMAT, err);
    creation = H5Dget_create_plist(*dataset);
    here = gtr_h5_is_stored_here(creation);
    H5Pclose(creation);
    if (!here)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: %s: is stored in another file, which is not read; a trace holds its "
                        "own data",
                        h5->path, name);
    return GTR_OK;
}

/* Opens a dataset of the given rank and reads its sizes. */
static enum gtr_code open_ranked(const struct gtr_h5 *h5, const char *name, int rank,
                                 hid_t *dataset, hsize_t *dims, struct gtr_err *err)
{
    enum gtr_code rc;
    hid_t space;
    int found;

    rc = open_here(h5, name, dataset, err);
    if (rc != GTR_OK)
        return rc;
    space = H5Dget_space(*dataset);
    found = H5Sget_simple_extent_ndims(space);
    if (found == rank)
        found = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    if (found != rank)
        return gtr_fail(err, GTR_EFORMAT, "%s: %s: has %d dimensions, not %d", h5->path, name,
                        found, rank);
    return GTR_OK;
}

static bool is_of_type(hid_t stored, enum gtr_h5_type type)
{
    hid_t wanted;
    bool equal;

    if (type == GTR_H5_TEXT)
        return H5Tget_class(stored) == H5T_STRING && H5Tis_variable_str(stored) <= 0;
    wanted = gtr_h5_type_new(type);
    equal = H5Tequal(wanted, stored) > 0;
    H5Tclose(wanted);
    return equal;
}

enum gtr_code gtr_h5_dataset_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                  int rank, hid_t *dataset, hid_t *stored, hsize_t *dims,
                                  struct gtr_err *err)
{
    enum gtr_code rc;

    *dataset = *stored = H5I_INVALID_HID;
    rc = open_ranked(h5, name, rank, dataset, dims, err);
    if (rc == GTR_OK) {
        *stored = H5Dget_type(*dataset);
        if (!is_of_type(*stored, type))
            rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: does not hold %s", h5->path, name,
                          type_words(type));
    }
    if (rc != GTR_OK) {
        if (*stored >= 0)
            H5Tclose(*stored);
        if (*dataset >= 0)
            H5Dclose(*dataset);
        *dataset = *stored = H5I_INVALID_HID;
    }
    return rc;
}

enum gtr_code gtr_h5_read_vector(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                 void *array_out, size_t *n, struct gtr_err *err)
{
    struct gtr_h5_table *column = NULL;
    enum gtr_code rc = gtr_h5_column_open(h5, name, type, &column, err);
    void *array = NULL;

    *n = 0;
    if (rc == GTR_OK)
        rc =
            gtr_alloc_for(&array, gtr_h5_table_rows(column), gtr_h5_type_size(type), "values", err);
    if (rc == GTR_OK)
        rc = gtr_h5_table_read_rows(column, 0, gtr_h5_table_rows(column), array, err);
    if (rc == GTR_OK) {
        *n = gtr_h5_table_rows(column);
        memcpy(array_out, &array, sizeof array);
        array = NULL;
    }
    gtr_free(array);
    gtr_h5_table_close(column);
    return rc;
}

/* A string as it lies in the file, ended there by a zero, by blanks, or by its size alone. */
static char *copy_text(const char *text, size_t size, bool blanks)
{
    const char *end = memchr(text, '\0', size);
    size_t n = end != NULL ? (size_t)(end - text) : size;
    char *copy;

    while (blanks && n > 0 && text[n - 1] == ' ')
        n--;
    copy = gtr_alloc(n + 1, 1);
    if (copy != NULL)
        memcpy(copy, text, n);
    return copy;
}

static bool is_padded_with_blanks(const struct gtr_h5_table *column)
{
    bool blanks;

    gtr_h5_lock();
    blanks = H5Tget_strpad(column->memory_type) == H5T_STR_SPACEPAD;
    gtr_h5_unlock();
    return blanks;
}

/* Band by band, to one allocation each. */
static enum gtr_code read_texts(const struct gtr_h5_table *column, char **texts,
                                struct gtr_err *err)
{
    const size_t size = column->size;
    size_t most = column->band_rows < column->rows ? column->band_rows : column->rows, t, i, n;
    bool blanks = is_padded_with_blanks(column);
    char *block = NULL;
    enum gtr_code rc = gtr_alloc_for(&block, most, size, "strings", err);

    for (t = 0; rc == GTR_OK && t < column->rows; t += n) {
        n = column->rows - t < most ? column->rows - t : most;
        rc = gtr_h5_table_read_rows(column, t, n, block, err);
        for (i = 0; rc == GTR_OK && i < n; i++) {
            texts[t + i] = copy_text(block + i * size, size, blanks);
            if (texts[t + i] == NULL)
                rc = gtr_fail(err, GTR_ENOMEM, "no memory for %zu strings", column->rows);
        }
    }
    gtr_free(block);
    return rc;
}

enum gtr_code gtr_h5_read_strings(const struct gtr_h5 *h5, const char *name, char ***strings,
                                  size_t *n, struct gtr_err *err)
{
    struct gtr_h5_table *column = NULL;
    enum gtr_code rc = gtr_h5_column_open(h5, name, GTR_H5_TEXT, &column, err);
    char **texts = NULL;
    size_t i;

    *strings = NULL;
    *n = 0;
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&texts, column->rows, sizeof *texts, "strings", err);
    if (rc == GTR_OK)
        rc = read_texts(column, texts, err);
    if (rc == GTR_OK) {
        *n = column->rows;
        *strings = texts;
        texts = NULL;
    }
    for (i = 0; texts != NULL && i < column->rows; i++)
        gtr_free(texts[i]);
    gtr_free(texts);
    gtr_h5_table_close(column);
    return rc;
}

/* A fixed-size 1-D dataset without object times: equal inputs give equal bytes. */
static enum gtr_code write_fixed(struct gtr_h5 *h5, const char *name, hid_t type,
                                 const void *values, size_t n, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hsize_t length = n;
    hid_t space = H5Screate_simple(1, &length, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), dataset;

    H5Pset_obj_track_times(creation, 0);
    dataset = H5Dcreate2(h5->file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (dataset < 0 ||
        (n > 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0))
        rc = gtr_h5_fail(h5, name, "cannot write", GTR_EIO, err);
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Pclose(creation);
    H5Sclose(space);
    return rc;
}

enum gtr_code gtr_h5_write_vector(struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                  const void *values, size_t n, struct gtr_err *err)
{
    enum gtr_code rc;
    hid_t h5_type;

    gtr_h5_lock();
    h5_type = gtr_h5_type_new(type);
    rc = write_fixed(h5, name, h5_type, values, n, err);
    H5Tclose(h5_type);
    gtr_h5_unlock();
    return rc;
}

enum gtr_code gtr_h5_write_strings(struct gtr_h5 *h5, const char *name, const char *const *strings,
                                   size_t n, struct gtr_err *err)
{
    enum gtr_code rc;
    char *block = NULL;
    size_t size = 1, i;
    hid_t type;

    for (i = 0; i < n; i++)
        if (strlen(strings[i]) > size)
            size = strlen(strings[i]);
    rc = gtr_alloc_for(&block, n, size, "strings", err);
    if (rc != GTR_OK)
        return rc;
    /* Null-padded: the longest name needs no byte for an end. */
    for (i = 0; i < n; i++)
        memcpy(block + i * size, strings[i], strlen(strings[i]));
    gtr_h5_lock();
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    rc = write_fixed(h5, name, type, block, n, err);
    H5Tclose(type);
    gtr_h5_unlock();
    gtr_free(block);
    return rc;
}

enum gtr_code gtr_h5_make_group(struct gtr_h5 *h5, const char *name, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hid_t creation, group;

    gtr_h5_lock();
    creation = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(creation, 0);
    group = H5Gcreate2(h5->file, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Pclose(creation);
    if (group < 0)
        rc = gtr_h5_fail(h5, name, "cannot write", GTR_EIO, err);
    else
        H5Gclose(group);
    gtr_h5_unlock();
    return rc;
}
