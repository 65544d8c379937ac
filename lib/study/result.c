/* result.c - [G][T] arrays as they are in memory: one row, one chunk for each group. */
#include "result.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "h5.h"
#include "outfile.h"

struct gtr_result {
    struct gtr_outfile file;
    struct gtr_h5 *h5;
    const struct gtr_replay *replay;
    size_t n_policies;
};

/* A [rows][cols] table, written whole. */
static enum gtr_code write_table(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                                 const void *values, size_t rows, size_t cols, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .cols = cols, .chunk_rows = 1, .deflate = true };
    struct gtr_h5_sheet *sheet;
    enum gtr_code rc, closed;
    size_t r;

    rc = gtr_h5_sheet_new(result->h5, name, type, &shape, &sheet, err);
    if (rc != GTR_OK)
        return rc;
    for (r = 0; rc == GTR_OK && r < rows; r++)
        rc = gtr_h5_sheet_append(sheet, (const char *)values + r * cols * gtr_h5_type_size(type),
                                 err);
    closed = gtr_h5_sheet_close(sheet, err);
    return rc == GTR_OK ? closed : rc;
}

static enum gtr_code write_shared(struct gtr_result *result, const char *trace_path,
                                  const char *group_by, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(result->replay);
    struct gtr_h5 *h5 = result->h5;
    const char *slash = strrchr(trace_path, '/');
    enum gtr_code rc;

    rc = gtr_h5_set_text(h5, "/", "format", "gradtrace-result", err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(h5, "/", "format_version", 1, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, "/", "producer", "gradtrace " GTR_VERSION, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, "/", "trace", slash != NULL ? slash + 1 : trace_path, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, "/", "group_by", group_by, err);
    if (rc == GTR_OK)
        rc =
            gtr_h5_set_integer(h5, "/", "total_steps", gtr_replay_total_steps(result->replay), err);
    if (rc == GTR_OK)
        rc = gtr_h5_make_group(h5, "/policy", err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_strings(h5, "/group", (const char *const *)series->names,
                                  series->n_groups, err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_vector(h5, "/step", GTR_H5_I64, series->index, series->n_steps, err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_vector(h5, "/skipped", GTR_H5_U8, gtr_replay_skip(result->replay),
                                 series->n_steps, err);
    if (rc == GTR_OK)
        rc = write_table(result, "/sumsq", GTR_H5_F64, series->sumsq, series->n_groups,
                         series->n_steps, err);
    return rc;
}

static enum gtr_code write_column_names(struct gtr_result *result, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n = gtr_scaling_n_columns(), i;
    const char **names;

    rc = gtr_alloc_for(&names, n, sizeof *names, "columns", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n; i++)
        names[i] = gtr_scaling_column_name(i);
    rc = gtr_h5_write_strings(result->h5, "/statistic", names, n, err);
    gtr_free(names);
    return rc;
}

enum gtr_code gtr_result_open(const char *path, bool force, const char *trace_path,
                              const char *group_by, const struct gtr_replay *replay,
                              struct gtr_result **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_result *result;

    *out = NULL;
    rc = gtr_alloc_for(&result, 1, sizeof *result, "results", err);
    if (rc != GTR_OK)
        return rc;
    result->replay = replay;
    rc = gtr_outfile_begin(&result->file, path, force, err);
    if (rc == GTR_OK)
        rc = gtr_h5_create(gtr_outfile_name(&result->file), path, &result->h5, err);
    if (rc == GTR_OK)
        rc = write_shared(result, trace_path, group_by, err);
    if (rc == GTR_OK)
        rc = write_column_names(result, err);
    if (rc != GTR_OK) {
        gtr_result_abandon(result);
        return rc;
    }
    *out = result;
    return GTR_OK;
}

/* [G + 1][statistics], the pooled row last. */
static enum gtr_code write_statistics(struct gtr_result *result, const char *name,
                                      const struct gtr_scaling_report *report, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n = gtr_scaling_n_columns(), j, i;
    double *values;

    rc = gtr_alloc_for(&values, (report->n_groups + 1) * n, sizeof *values, "statistics", err);
    if (rc != GTR_OK)
        return rc;
    for (j = 0; j <= report->n_groups; j++)
        for (i = 0; i < n; i++)
            values[j * n + i] =
                gtr_scaling_column(j < report->n_groups ? &report->group[j] : &report->pooled, i);
    rc = write_table(result, name, GTR_H5_F64, values, report->n_groups + 1, n, err);
    gtr_free(values);
    return rc;
}

enum gtr_code gtr_result_add(struct gtr_result *result, const char *label, const char *setting,
                             const struct gtr_decisions *decisions,
                             const struct gtr_scaling_report *report, struct gtr_err *err)
{
    const struct {
        const char *name;
        enum gtr_h5_type type;
        const void *values;
    } tables[] = { { "scale", GTR_H5_F64, decisions->scale },
                   { "lower", GTR_H5_F64, decisions->lower },
                   { "upper", GTR_H5_F64, decisions->upper },
                   { "flags", GTR_H5_U8, decisions->flags } };
    enum gtr_code rc;
    char folder[48], name[64];
    size_t i;

    snprintf(folder, sizeof folder, "/policy/%zu", result->n_policies++);
    rc = gtr_h5_make_group(result->h5, folder, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(result->h5, folder, "label", label, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(result->h5, folder, "setting", setting, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(tables); i++) {
        snprintf(name, sizeof name, "%s/%s", folder, tables[i].name);
        if (tables[i].values != NULL)
            rc = write_table(result, name, tables[i].type, tables[i].values, decisions->n_groups,
                             decisions->n_steps, err);
    }
    snprintf(name, sizeof name, "%s/statistics", folder);
    if (rc == GTR_OK)
        rc = write_statistics(result, name, report, err);
    return rc;
}

enum gtr_code gtr_result_close(struct gtr_result *result, struct gtr_err *err)
{
    enum gtr_code rc;

    if (result == NULL)
        return GTR_OK;
    rc = gtr_h5_finish(result->h5, &result->file, GTR_OK, err);
    gtr_free(result);
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
