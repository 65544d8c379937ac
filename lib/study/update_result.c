/* update_result.c - a row of each table for a group, a column for a step that was simulated.
 *
 * What is derived is derived row by row while it is written, so nothing is held twice.
 */
#include "update_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "h5.h"
#include "outfile.h"
#include "update_values.h"

struct gtr_update_result {
    struct gtr_outfile file;
    struct gtr_h5 *h5;
    struct gtr_update_about about;
    size_t n_policies, n_groups, n_rows;
    double *values; /* [n_rows] a row on its way to the file */
};

/* Where the rows of a table come from. */
struct source {
    size_t policy;
    const double *by_step;                            /* [G][T], or NULL: */
    double (*pick)(const struct gtr_update_values *); /* from the update, the whole's row last */
};

static double pick_norm(const struct gtr_update_values *v)
{
    return v->norm;
}

static double pick_plain(const struct gtr_update_values *v)
{
    return v->plain;
}

static double pick_change(const struct gtr_update_values *v)
{
    return v->change;
}

static double pick_cosine(const struct gtr_update_values *v)
{
    return v->cosine;
}

static double pick_norm_error(const struct gtr_update_values *v)
{
    return v->error.norm;
}

static double pick_change_error(const struct gtr_update_values *v)
{
    return v->error.change;
}

static double pick_cosine_error(const struct gtr_update_values *v)
{
    return v->error.cosine;
}

static void fill_row(const struct gtr_update_result *result, const struct source *source,
                     size_t group)
{
    const struct gtr_update *update = result->about.update;
    size_t n_steps = gtr_replay_series(result->about.replay)->n_steps, r;

    for (r = 0; r < result->n_rows; r++) {
        size_t t = update != NULL ? (size_t)update->row[r] : r;
        struct gtr_update_values v;

        if (source->by_step != NULL) {
            result->values[r] = source->by_step[group * n_steps + t];
            continue;
        }
        gtr_update_values_at(update, source->policy, group, r, &v);
        result->values[r] = source->pick(&v);
    }
}

static enum gtr_code write_table(struct gtr_update_result *result, const char *folder,
                                 const char *name, const struct source *source, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .cols = result->n_rows, .chunk_rows = 1, .deflate = true };
    size_t n_groups = result->n_groups + (source->by_step == NULL ? 1 : 0), g;
    struct gtr_h5_sheet *sheet;
    enum gtr_code rc, closed;
    char path[96];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    rc = gtr_h5_sheet_new(result->h5, path, GTR_H5_F64, &shape, &sheet, err);
    if (rc != GTR_OK)
        return rc;
    for (g = 0; rc == GTR_OK && g < n_groups; g++) {
        fill_row(result, source, g);
        rc = gtr_h5_sheet_append(sheet, result->values, err);
    }
    closed = gtr_h5_sheet_close(sheet, err);
    return rc == GTR_OK ? closed : rc;
}

static enum gtr_code write_texts(struct gtr_h5 *h5, const struct gtr_update_about *about,
                                 struct gtr_err *err)
{
    const char *slash = strrchr(about->trace, '/');
    char optimizer[160];
    enum gtr_code rc;

    rc = gtr_h5_set_text(h5, "/", "format", "gradtrace-update", err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(h5, "/", "format_version", 1, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, "/", "producer", "gradtrace " GTR_VERSION, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, "/", "trace", slash != NULL ? slash + 1 : about->trace, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, "/", "group_by", about->group_by, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(h5, "/", "optimizer",
                             gtr_optimizer_print(about->optimizer, optimizer, sizeof optimizer),
                             err);
    return rc;
}

/* The update is unclipped for every policy alike: any lane tells it. */
static enum gtr_code write_elements(struct gtr_update_result *result, struct gtr_err *err)
{
    const struct source plain = { .pick = pick_plain };
    const struct gtr_update *update = result->about.update;
    struct gtr_h5 *h5 = result->h5;
    enum gtr_code rc;

    rc = gtr_h5_set_integer(h5, "/", "elements", (int64_t)update->elements, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(h5, "/", "captured", (int64_t)update->captured, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(h5, "/", "complete", update->complete, err);
    if (rc == GTR_OK)
        rc = write_table(result, "", "plain_norm", &plain, err);
    return rc;
}

static enum gtr_code write_steps(struct gtr_update_result *result, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(result->about.replay);
    const struct gtr_update *update = result->about.update;
    int64_t *steps;
    enum gtr_code rc;
    size_t r;

    if (update == NULL)
        return gtr_h5_write_vector(result->h5, "/step", GTR_H5_I64, series->index, series->n_steps,
                                   err);
    rc = gtr_alloc_for(&steps, result->n_rows, sizeof *steps, "steps", err);
    if (rc != GTR_OK)
        return rc;
    for (r = 0; r < result->n_rows; r++)
        steps[r] = series->index[update->row[r]];
    rc = gtr_h5_write_vector(result->h5, "/step", GTR_H5_I64, steps, result->n_rows, err);
    gtr_free(steps);
    return rc;
}

static enum gtr_code write_shared(struct gtr_update_result *result, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(result->about.replay);
    enum gtr_code rc = write_texts(result->h5, &result->about, err);

    if (rc == GTR_OK)
        rc = gtr_h5_make_group(result->h5, "/policy", err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_strings(result->h5, "/group", (const char *const *)series->names,
                                  series->n_groups, err);
    if (rc == GTR_OK)
        rc = write_steps(result, err);
    if (rc == GTR_OK && result->about.update != NULL)
        rc = write_elements(result, err);
    return rc;
}

enum gtr_code gtr_update_result_open(const char *path, bool force,
                                     const struct gtr_update_about *about,
                                     struct gtr_update_result **out, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(about->replay);
    struct gtr_update_result *result;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&result, 1, sizeof *result, "results", err);
    if (rc != GTR_OK)
        return rc;
    result->about = *about;
    result->n_groups = series->n_groups;
    result->n_rows = about->update != NULL ? about->update->n_rows : series->n_steps;
    rc = gtr_alloc_for(&result->values, result->n_rows, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_outfile_begin(&result->file, path, force, err);
    if (rc == GTR_OK)
        rc = gtr_h5_create(gtr_outfile_name(&result->file), path, &result->h5, err);
    if (rc == GTR_OK)
        rc = write_shared(result, err);
    if (rc != GTR_OK) {
        gtr_update_result_abandon(result);
        return rc;
    }
    *out = result;
    return GTR_OK;
}

enum gtr_code gtr_update_result_add(struct gtr_update_result *result, const char *label,
                                    const char *setting, const struct gtr_decisions *decisions,
                                    const double *rho, struct gtr_err *err)
{
    const struct gtr_update *update = result->about.update;
    size_t policy = result->n_policies++, n, i;
    const struct {
        const char *name;
        struct source source;
    } tables[] = { { "scale", { policy, decisions->scale, NULL } },
                   { "proxy", { policy, rho, NULL } },
                   { "update_norm", { policy, NULL, pick_norm } },
                   { "change", { policy, NULL, pick_change } },
                   { "cosine", { policy, NULL, pick_cosine } },
                   { "update_norm_se", { policy, NULL, pick_norm_error } },
                   { "change_se", { policy, NULL, pick_change_error } },
                   { "cosine_se", { policy, NULL, pick_cosine_error } } };
    enum gtr_code rc;
    char folder[48];

    n = update == NULL ? 2 : update->errors == NULL ? 5 : GTR_ARRAY_LEN(tables);
    snprintf(folder, sizeof folder, "/policy/%zu", policy);
    rc = gtr_h5_make_group(result->h5, folder, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(result->h5, folder, "label", label, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(result->h5, folder, "setting", setting, err);
    for (i = 0; rc == GTR_OK && i < n; i++)
        rc = write_table(result, folder, tables[i].name, &tables[i].source, err);
    return rc;
}

static void free_result(struct gtr_update_result *result)
{
    gtr_free(result->values);
    gtr_free(result);
}

enum gtr_code gtr_update_result_close(struct gtr_update_result *result, struct gtr_err *err)
{
    enum gtr_code rc;

    if (result == NULL)
        return GTR_OK;
    rc = gtr_h5_finish(result->h5, &result->file, GTR_OK, err);
    free_result(result);
    return rc;
}

void gtr_update_result_abandon(struct gtr_update_result *result)
{
    if (result == NULL)
        return;
    gtr_h5_close(result->h5, NULL);
    gtr_outfile_abandon(&result->file);
    free_result(result);
}
