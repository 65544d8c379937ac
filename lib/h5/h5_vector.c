/* h5_vector.c - datasets that are read and written whole: vectors of numbers and of names. */
#include "h5_private.h"

#include <string.h>

#include "alloc.h"

static const char *type_words(enum gtr_h5_type type)
{
    static const char *const words[] = { [GTR_H5_F64] = "64-bit floats",
                                         [GTR_H5_F32] = "32-bit floats",
                                         [GTR_H5_F16] = "16-bit floats",
                                         [GTR_H5_I64] = "signed 64-bit integers",
                                         [GTR_H5_U64] = "unsigned 64-bit integers",
                                         [GTR_H5_U16] = "unsigned 16-bit integers",
                                         [GTR_H5_U8] = "unsigned 8-bit integers",
                                         [GTR_H5_U32] = "unsigned 32-bit integers" };

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

    *dataset = H5I_INVALID_HID;
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

enum gtr_code gtr_h5_dataset_open(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                  int rank, hid_t *dataset, hsize_t *dims, struct gtr_err *err)
{
    enum gtr_code rc = open_ranked(h5, name, rank, dataset, dims, err);
    hid_t wanted = H5I_INVALID_HID, found = H5I_INVALID_HID;

    if (rc != GTR_OK)
        goto out;
    wanted = gtr_h5_type_new(type);
    found = H5Dget_type(*dataset);
    if (H5Tequal(wanted, found) <= 0)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: does not hold little-endian %s", h5->path, name,
                      type_words(type));
    H5Tclose(wanted);
    H5Tclose(found);
out:
    if (rc != GTR_OK && *dataset >= 0) {
        H5Dclose(*dataset);
        *dataset = H5I_INVALID_HID;
    }
    return rc;
}

enum gtr_code gtr_h5_read_vector(const struct gtr_h5 *h5, const char *name, enum gtr_h5_type type,
                                 void *array_out, size_t *n, struct gtr_err *err)
{
    enum gtr_code rc;
    hid_t dataset, memory = H5I_INVALID_HID;
    hsize_t length = 0;
    void *array = NULL;

    *n = 0;
    gtr_h5_lock();
    rc = gtr_h5_dataset_open(h5, name, type, 1, &dataset, &length, err);
    if (rc != GTR_OK)
        goto out;
    if (!gtr_h5_is_justified(h5, length, gtr_h5_type_size(type))) {
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: claims %llu values, more than the file can hold",
                      h5->path, name, (unsigned long long)length);
        goto out;
    }
    rc = gtr_alloc_for(&array, length, gtr_h5_type_size(type), "values", err);
    if (rc != GTR_OK)
        goto out;
    memory = gtr_h5_type_new(type);
    if (length > 0 && H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, array) < 0) {
        rc = gtr_h5_fail(h5, name, "cannot read", GTR_EFORMAT, err);
        goto out;
    }
    *n = length;
    memcpy(array_out, &array, sizeof array);
    array = NULL;
out:
    gtr_free(array);
    if (memory >= 0)
        H5Tclose(memory);
    if (dataset >= 0)
        H5Dclose(dataset);
    gtr_h5_unlock();
    return rc;
}

/* One block of `size` bytes a string, to one allocation each. */
static enum gtr_code split_strings(const char *block, size_t n, size_t size, char ***strings,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    char **list = NULL;
    size_t i;

    rc = gtr_alloc_for(&list, n, sizeof *list, "strings", err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        list[i] = gtr_strdup(block + i * size);
        if (list[i] == NULL)
            rc = gtr_fail(err, GTR_ENOMEM, "no memory for %zu strings", n);
    }
    if (rc != GTR_OK) {
        for (i = 0; list != NULL && i < n; i++)
            gtr_free(list[i]);
        gtr_free(list);
        return rc;
    }
    *strings = list;
    return GTR_OK;
}

enum gtr_code gtr_h5_read_strings(const struct gtr_h5 *h5, const char *name, char ***strings,
                                  size_t *n, struct gtr_err *err)
{
    enum gtr_code rc;
    hid_t dataset, type = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    hsize_t length = 0;
    char *block = NULL;
    size_t size;

    *strings = NULL;
    *n = 0;
    gtr_h5_lock();
    rc = open_ranked(h5, name, 1, &dataset, &length, err);
    if (rc != GTR_OK)
        goto out;
    type = H5Dget_type(dataset);
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0) {
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: does not hold fixed-length strings", h5->path,
                      name);
        goto out;
    }
    size = H5Tget_size(type) + 1;
    if (!gtr_h5_is_justified(h5, length, size)) {
        rc = gtr_fail(err, GTR_EFORMAT,
                      "%s: %s: claims %llu strings of %zu bytes, more than the "
                      "file can hold",
                      h5->path, name, (unsigned long long)length, size - 1);
        goto out;
    }
    rc = gtr_alloc_for(&block, length, size, "strings", err);
    if (rc != GTR_OK)
        goto out;
    memory = H5Tcopy(H5T_C_S1);
    H5Tset_size(memory, size);
    H5Tset_cset(memory, H5Tget_cset(type));
    if (length > 0 && H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) < 0) {
        rc = gtr_h5_fail(h5, name, "cannot read", GTR_EFORMAT, err);
        goto out;
    }
    rc = split_strings(block, length, size, strings, err);
    if (rc == GTR_OK)
        *n = length;
out:
    gtr_free(block);
    if (memory >= 0)
        H5Tclose(memory);
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    gtr_h5_unlock();
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
