/* result_file.c - each call does nothing once one has failed. */
#include "result_file.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "outfile.h"
#include "result_parts.h"

struct gtr_result {
    struct gtr_outfile file;
    struct gtr_h5 *h5;
    char folder[32]; /* of what is written: "", then "/policy/N" */
    char path[96];   /* of what was written last */
    size_t n_policies;
    enum gtr_code rc;
    struct gtr_err err;
};

enum gtr_code gtr_result_new(const char *path, bool force, const char *format, const char *trace,
                             const char *group_by, struct gtr_result **out, struct gtr_err *err)
{
    const char *slash = strrchr(trace, '/');
    struct gtr_result *result;
    enum gtr_code rc = gtr_alloc_for(out, 1, sizeof **out, "results", err);

    if (rc != GTR_OK)
        return rc;
    result = *out;
    result->rc = gtr_outfile_begin(&result->file, path, force, &result->err);
    if (result->rc == GTR_OK)
        result->rc =
            gtr_h5_create(gtr_outfile_name(&result->file), path, &result->h5, &result->err);
    gtr_result_text(result, "format", format);
    gtr_result_integer(result, "format_version", 1);
    gtr_result_text(result, "producer", "gradtrace " GTR_VERSION);
    gtr_result_text(result, "trace", slash != NULL ? slash + 1 : trace);
    gtr_result_text(result, "group_by", group_by);
    return gtr_result_opened(out, err);
}

enum gtr_code gtr_result_opened(struct gtr_result **result, struct gtr_err *err)
{
    enum gtr_code rc = gtr_result_check(*result, err);

    if (rc != GTR_OK) {
        gtr_result_abandon(*result);
        *result = NULL;
    }
    return rc;
}

enum gtr_code gtr_result_check(const struct gtr_result *result, struct gtr_err *err)
{
    if (err != NULL && err->code == GTR_OK)
        *err = result->err;
    return result->rc;
}

/* --- writing ---------------------------------------------------------------------------------- */

static const char *object(const struct gtr_result *result)
{
    return result->folder[0] != '\0' ? result->folder : "/";
}

static const char *inside(struct gtr_result *result, const char *name)
{
    snprintf(result->path, sizeof result->path, "%s/%s", result->folder, name);
    return result->path;
}

size_t gtr_result_policy(struct gtr_result *result, const char *label, const char *setting)
{
    if (result->rc == GTR_OK && result->n_policies == 0)
        result->rc = gtr_h5_make_group(result->h5, "/policy", &result->err);
    snprintf(result->folder, sizeof result->folder, "/policy/%zu", result->n_policies++);
    if (result->rc == GTR_OK)
        result->rc = gtr_h5_make_group(result->h5, result->folder, &result->err);
    if (label != NULL)
        gtr_result_text(result, "label", label);
    gtr_result_text(result, "setting", setting);
    return result->n_policies - 1;
}

void gtr_result_text(struct gtr_result *result, const char *name, const char *value)
{
    if (result->rc == GTR_OK)
        result->rc = gtr_h5_set_text(result->h5, object(result), name, value, &result->err);
}

void gtr_result_integer(struct gtr_result *result, const char *name, int64_t value)
{
    if (result->rc == GTR_OK)
        result->rc = gtr_h5_set_integer(result->h5, object(result), name, value, &result->err);
}

void gtr_result_real(struct gtr_result *result, const char *name, double value)
{
    if (result->rc == GTR_OK)
        result->rc = gtr_h5_set_real(result->h5, object(result), name, value, &result->err);
}

void gtr_result_strings(struct gtr_result *result, const char *name, const char *const *strings,
                        size_t n)
{
    if (result->rc == GTR_OK)
        result->rc =
            gtr_h5_write_strings(result->h5, inside(result, name), strings, n, &result->err);
}

void gtr_result_vector(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                       const void *values, size_t n)
{
    if (result->rc == GTR_OK)
        result->rc =
            gtr_h5_write_vector(result->h5, inside(result, name), type, values, n, &result->err);
}

void gtr_result_rows(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                     const struct gtr_h5_shape *shape, size_t n_rows, gtr_result_fill *fill,
                     const void *context)
{
    struct gtr_h5_sheet *sheet = NULL;
    void *values = NULL;
    enum gtr_code closed;
    size_t r;

    if (gtr_result_alloc(result, &values, shape->cols, gtr_h5_type_size(type)))
        result->rc =
            gtr_h5_sheet_new(result->h5, inside(result, name), type, shape, &sheet, &result->err);
    for (r = 0; result->rc == GTR_OK && r < n_rows; r++) {
        fill(context, r, values);
        result->rc = gtr_h5_sheet_append(sheet, values, &result->err);
    }
    closed = gtr_h5_sheet_close(sheet, &result->err);
    result->rc = result->rc == GTR_OK ? closed : result->rc;
    gtr_free(values);
}

struct table {
    const char *values;
    size_t stride;
};

static void copy_row(const void *context, size_t row, void *values)
{
    const struct table *table = context;

    memcpy(values, table->values + row * table->stride, table->stride);
}

void gtr_result_table(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                      const struct gtr_h5_shape *shape, size_t n_rows, const void *values)
{
    const struct table table = { values, shape->cols * gtr_h5_type_size(type) };

    gtr_result_rows(result, name, type, shape, n_rows, copy_row, &table);
}

bool gtr_result_alloc(struct gtr_result *result, void *pointer_to_pointer, size_t count,
                      size_t size)
{
    if (result->rc == GTR_OK)
        result->rc = gtr_alloc_for(pointer_to_pointer, count, size, "results", &result->err);
    return result->rc == GTR_OK;
}

/* --- the end ---------------------------------------------------------------------------------- */

enum gtr_code gtr_result_close(struct gtr_result *result, struct gtr_err *err)
{
    enum gtr_code rc;

    if (result == NULL)
        return GTR_OK;
    rc = gtr_h5_close(result->h5, &result->err);
    result->h5 = NULL;
    if (result->rc == GTR_OK)
        result->rc = rc;
    if (result->rc == GTR_OK)
        result->rc = gtr_outfile_commit(&result->file, &result->err);
    rc = gtr_result_check(result, err);
    gtr_result_abandon(result);
    return rc;
}

void gtr_result_abandon(struct gtr_result *result)
{
    if (result == NULL)
        return;
    gtr_h5_close(result->h5, NULL);
    gtr_outfile_abandon(&result->file);
    gtr_free(result);
}
