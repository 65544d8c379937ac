/* h5_attribute.c - the small facts about a file. */
#include "h5_private.h"

#include <string.h>

#include "alloc.h"

/* Opens `name` on `object`; *attribute stays invalid if there is none. */
static enum gtr_code attribute_open(const struct gtr_h5 *h5, const char *object, const char *name,
                                    hid_t *attribute, struct gtr_err *err)
{
    bool here = strcmp(object, "/") == 0 || gtr_h5_place(h5, object) == GTR_H5_HERE;
    htri_t there = here ? H5Aexists_by_name(h5->file, object, name, H5P_DEFAULT) : 0;

    *attribute = H5I_INVALID_HID;
    if (there == 0)
        return GTR_OK;
    if (there > 0)
        *attribute = H5Aopen_by_name(h5->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (*attribute < 0)
        return gtr_h5_fail(h5, name, "cannot read the attribute", GTR_EFORMAT, err);
    return GTR_OK;
}

/* Stock h5py writes variable-length text unless told not to; both are read. */
static enum gtr_code read_text(const struct gtr_h5 *h5, hid_t attribute, hid_t type,
                               const char *name, char **value, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hid_t memory = H5Tcopy(H5T_C_S1);
    char *loose = NULL;
    size_t size;

    H5Tset_cset(memory, H5Tget_cset(type));
    if (H5Tis_variable_str(type) > 0) {
        H5Tset_size(memory, H5T_VARIABLE);
        if (H5Aread(attribute, memory, &loose) < 0 || loose == NULL)
            rc = gtr_h5_fail(h5, name, "cannot read the attribute", GTR_EFORMAT, err);
        else if ((*value = gtr_strdup(loose)) == NULL)
            rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory", h5->path);
        H5free_memory(loose);
    } else {
        size = H5Tget_size(type) + 1;
        H5Tset_size(memory, size);
        rc = gtr_h5_is_justified(h5, size, 1)
                 ? gtr_alloc_for(value, size, 1, "bytes", err)
                 : gtr_h5_fail(h5, name, "is larger than the file", GTR_EFORMAT, err);
        if (rc == GTR_OK && H5Aread(attribute, memory, *value) < 0)
            rc = gtr_h5_fail(h5, name, "cannot read the attribute", GTR_EFORMAT, err);
    }
    H5Tclose(memory);
    return rc;
}

enum gtr_code gtr_h5_get_text(const struct gtr_h5 *h5, const char *object, const char *name,
                              char **value, struct gtr_err *err)
{
    enum gtr_code rc;
    hid_t attribute, type = H5I_INVALID_HID, space = H5I_INVALID_HID;

    *value = NULL;
    gtr_h5_lock();
    rc = attribute_open(h5, object, name, &attribute, err);
    if (rc != GTR_OK || attribute < 0)
        goto out;
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
        rc = gtr_h5_fail(h5, name, "the attribute is not a text", GTR_EFORMAT, err);
    else
        rc = read_text(h5, attribute, type, name, value, err);
out:
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    gtr_h5_unlock();
    if (rc != GTR_OK) {
        gtr_free(*value);
        *value = NULL;
    }
    return rc;
}

/* One number of the given class, as `memory` has it in this machine. */
static enum gtr_code get_number(const struct gtr_h5 *h5, const char *object, const char *name,
                                H5T_class_t kind, hid_t memory, void *value, struct gtr_err *err)
{
    enum gtr_code rc;
    hid_t attribute, type = H5I_INVALID_HID, space = H5I_INVALID_HID;

    rc = attribute_open(h5, object, name, &attribute, err);
    if (rc != GTR_OK || attribute < 0)
        return rc;
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    if (H5Tget_class(type) != kind || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, memory, value) < 0)
        rc = gtr_h5_fail(h5, name,
                         kind == H5T_INTEGER ? "the attribute is not an integer"
                                             : "the attribute is not a floating-point number",
                         GTR_EFORMAT, err);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    H5Aclose(attribute);
    return rc;
}

enum gtr_code gtr_h5_get_integer(const struct gtr_h5 *h5, const char *object, const char *name,
                                 int64_t *value, struct gtr_err *err)
{
    enum gtr_code rc;

    gtr_h5_lock();
    rc = get_number(h5, object, name, H5T_INTEGER, H5T_NATIVE_INT64, value, err);
    gtr_h5_unlock();
    return rc;
}

enum gtr_code gtr_h5_get_real(const struct gtr_h5 *h5, const char *object, const char *name,
                              double *value, struct gtr_err *err)
{
    enum gtr_code rc;

    gtr_h5_lock();
    rc = get_number(h5, object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, value, err);
    gtr_h5_unlock();
    return rc;
}

/* In the place of one that has the name: a text may need another length. */
static enum gtr_code attribute_write(struct gtr_h5 *h5, const char *object, const char *name,
                                     hid_t type, const void *value, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    hid_t space = H5Screate(H5S_SCALAR), attribute;

    if (H5Aexists_by_name(h5->file, object, name, H5P_DEFAULT) > 0)
        H5Adelete_by_name(h5->file, object, name, H5P_DEFAULT);
    attribute = H5Acreate_by_name(h5->file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                  H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        rc = gtr_h5_fail(h5, name, "cannot write the attribute", GTR_EIO, err);
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
    return rc;
}

enum gtr_code gtr_h5_set_text(struct gtr_h5 *h5, const char *object, const char *name,
                              const char *value, struct gtr_err *err)
{
    enum gtr_code rc;
    hid_t type;

    gtr_h5_lock();
    type = H5Tcopy(H5T_C_S1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_size(type, strlen(value) + 1);
    rc = attribute_write(h5, object, name, type, value, err);
    H5Tclose(type);
    gtr_h5_unlock();
    return rc;
}

enum gtr_code gtr_h5_set_integer(struct gtr_h5 *h5, const char *object, const char *name,
                                 int64_t value, struct gtr_err *err)
{
    enum gtr_code rc;

    gtr_h5_lock();
    rc = attribute_write(h5, object, name, H5T_STD_I64LE, &value, err);
    gtr_h5_unlock();
    return rc;
}

enum gtr_code gtr_h5_set_real(struct gtr_h5 *h5, const char *object, const char *name, double value,
                              struct gtr_err *err)
{
    enum gtr_code rc;

    gtr_h5_lock();
    rc = attribute_write(h5, object, name, H5T_IEEE_F64LE, &value, err);
    gtr_h5_unlock();
    return rc;
}
