/* spill_result.c - one HDF5 group for each policy; [G][T] tables have a row and a chunk a group. */
#include "spill_result.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "h5.h"
#include "outfile.h"

struct gtr_spill_result {
    struct gtr_outfile file;
    struct gtr_h5 *h5;
    struct gtr_spill_about about;
    size_t n_policies;
};

/* A [rows][cols] table, written whole. */
static enum gtr_code write_table(struct gtr_h5 *h5, const char *name, const double *values,
                                 size_t rows, size_t cols, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = {
        .cols = cols, .chunk_rows = 1, .deflate = true, .sparse = true
    };
    struct gtr_h5_sheet *sheet;
    enum gtr_code rc, closed;
    size_t r;

    rc = gtr_h5_sheet_new(h5, name, GTR_H5_F64, &shape, &sheet, err);
    if (rc != GTR_OK)
        return rc;
    for (r = 0; rc == GTR_OK && r < rows; r++)
        rc = gtr_h5_sheet_append(sheet, values + r * cols, err);
    closed = gtr_h5_sheet_close(sheet, err);
    return rc == GTR_OK ? closed : rc;
}

static enum gtr_code write_texts(struct gtr_spill_result *result, struct gtr_err *err)
{
    const char *slash = strrchr(result->about.trace, '/');
    const char *const texts[][2] = {
        { "format", "gradtrace-spill" },
        { "producer", "gradtrace " GTR_VERSION },
        { "trace", slash != NULL ? slash + 1 : result->about.trace },
        { "group_by", result->about.group_by },
        { "blame", result->about.method },
    };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(texts); i++)
        rc = gtr_h5_set_text(result->h5, "/", texts[i][0], texts[i][1], err);
    return rc;
}

static enum gtr_code write_numbers(struct gtr_spill_result *result, struct gtr_err *err)
{
    const struct gtr_baseline_options *past = &result->about.baseline->options;
    struct gtr_h5 *h5 = result->h5;
    enum gtr_code rc = gtr_h5_set_integer(h5, "/", "format_version", 1, err);

    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(h5, "/", "warmup", past->warmup, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_real(h5, "/", "kappa", past->kappa, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_real(h5, "/", "decay", past->decay, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_real(h5, "/", "cost", result->about.cost, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_real(h5, "/", "recommended", result->about.chosen->max_norm, err);
    return rc;
}

static enum gtr_code write_curve(struct gtr_spill_result *result, struct gtr_err *err)
{
    static const char *const columns[] = { "max_norm", "clip_rate",   "excess_share",
                                           "cost",     "excess_cost", "attenuation" };
    enum { N = GTR_ARRAY_LEN(columns) };
    size_t n = result->about.n_points, i;
    enum gtr_code rc;
    double *values;

    rc = gtr_alloc_for(&values, n * N, sizeof *values, "limits", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n; i++) {
        const struct gtr_spill_point *p = &result->about.points[i];
        const double row[N] = { p->max_norm, p->clip_rate,   p->excess_share,
                                p->cost,     p->excess_cost, p->attenuation };

        memcpy(values + i * N, row, sizeof row);
    }
    rc = gtr_h5_write_strings(result->h5, "/curve_column", columns, N, err);
    if (rc == GTR_OK)
        rc = write_table(result->h5, "/curve", values, n, N, err);
    gtr_free(values);
    return rc;
}

static enum gtr_code write_shared(struct gtr_spill_result *result, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(result->about.replay);
    struct gtr_h5 *h5 = result->h5;
    enum gtr_code rc = write_texts(result, err);

    if (rc == GTR_OK)
        rc = write_numbers(result, err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_strings(h5, "/group", (const char *const *)series->names,
                                  series->n_groups, err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_vector(h5, "/step", GTR_H5_I64, series->index, series->n_steps, err);
    if (rc == GTR_OK)
        rc = write_table(h5, "/log_ratio", result->about.baseline->log_ratio, series->n_groups,
                         series->n_steps, err);
    if (rc == GTR_OK)
        rc = write_curve(result, err);
    return rc == GTR_OK ? gtr_h5_make_group(h5, "/policy", err) : rc;
}

enum gtr_code gtr_spill_result_open(const char *path, bool force,
                                    const struct gtr_spill_about *about,
                                    struct gtr_spill_result **out, struct gtr_err *err)
{
    struct gtr_spill_result *result;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&result, 1, sizeof *result, "results", err);
    if (rc != GTR_OK)
        return rc;
    result->about = *about;
    rc = gtr_outfile_begin(&result->file, path, force, err);
    if (rc == GTR_OK)
        rc = gtr_h5_create(gtr_outfile_name(&result->file), path, &result->h5, err);
    if (rc == GTR_OK)
        rc = write_shared(result, err);
    if (rc != GTR_OK) {
        gtr_spill_result_abandon(result);
        return rc;
    }
    *out = result;
    return GTR_OK;
}

static enum gtr_code write_summary(struct gtr_h5 *h5, const char *folder,
                                   const struct gtr_spill *spill, struct gtr_err *err)
{
    const struct {
        const char *name;
        double value;
    } reals[] = { { "max_norm", spill->max_norm },
                  { "excess_share", spill->excess_share },
                  { "bystanders", spill->bystanders },
                  { "lost_descent", spill->lost_descent },
                  { "culprits", spill->culprits } };
    const struct {
        const char *name;
        size_t value;
    } counts[] = { { "n_counted", spill->n_counted },
                   { "n_clipped", spill->n_clipped },
                   { "n_excess", spill->n_excess },
                   { "n_inexact", spill->n_inexact } };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(reals); i++)
        rc = gtr_h5_set_real(h5, folder, reals[i].name, reals[i].value, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(counts); i++)
        rc = gtr_h5_set_integer(h5, folder, counts[i].name, (int64_t)counts[i].value, err);
    return rc;
}

enum gtr_code gtr_spill_result_add(struct gtr_spill_result *result, const char *setting,
                                   const struct gtr_spill *spill, struct gtr_err *err)
{
    const struct {
        const char *name;
        const double *values;
        size_t rows, cols; /* rows 0: a vector */
    } arrays[] = { { "attenuation", spill->attenuation, 0, spill->n_steps },
                   { "excess", spill->excess, 0, spill->n_steps },
                   { "innocent", spill->innocent, 0, spill->n_groups },
                   { "received", spill->received, 0, spill->n_groups },
                   { "blamed", spill->blamed, 0, spill->n_groups },
                   { "matrix", spill->matrix, spill->n_groups, spill->n_groups },
                   { "blame", spill->blame, spill->n_groups, spill->n_steps } };
    struct gtr_h5 *h5 = result->h5;
    char folder[48], name[64];
    enum gtr_code rc;
    size_t i;

    snprintf(folder, sizeof folder, "/policy/%zu", result->n_policies++);
    rc = gtr_h5_make_group(h5, folder, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, folder, "setting", setting, err);
    if (rc == GTR_OK)
        rc = write_summary(h5, folder, spill, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(arrays); i++) {
        snprintf(name, sizeof name, "%s/%s", folder, arrays[i].name);
        if (arrays[i].rows == 0)
            rc = gtr_h5_write_vector(h5, name, GTR_H5_F64, arrays[i].values, arrays[i].cols, err);
        else
            rc = write_table(h5, name, arrays[i].values, arrays[i].rows, arrays[i].cols, err);
    }
    return rc;
}

enum gtr_code gtr_spill_result_close(struct gtr_spill_result *result, struct gtr_err *err)
{
    enum gtr_code rc;

    if (result == NULL)
        return GTR_OK;
    rc = gtr_h5_finish(result->h5, &result->file, GTR_OK, err);
    gtr_free(result);
    return rc;
}

void gtr_spill_result_abandon(struct gtr_spill_result *result)
{
    if (result == NULL)
        return;
    gtr_h5_close(result->h5, NULL);
    gtr_outfile_abandon(&result->file);
    gtr_free(result);
}
