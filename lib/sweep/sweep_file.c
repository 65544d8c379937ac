/* sweep_file.c - rows of objectives in and out of HDF5. */
#include "sweep_file.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "builder.h"
#include "digest.h"
#include "h5.h"
#include "objectives.h"
#include "outfile.h"
#include "sweep.h"

enum { CHUNK_ROWS = 4096 };

void gtr_sweep_about_free(struct gtr_sweep_about *about)
{
    gtr_free(about->trace);
    gtr_free(about->group_by);
    gtr_free(about->context);
    gtr_free(about->plan);
    memset(about, 0, sizeof *about);
}

/* Whatever the rows depend on besides the plan. */
static char *describe(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                      bool scales_only)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const uint8_t *skip = gtr_replay_skip(replay);
    struct gtr_builder text = { 0 };
    uint64_t digest =
        gtr_digest_doubles(GTR_DIGEST_START, series->sumsq, series->n_groups * series->n_steps);
    size_t skipped = 0, t;
    char line[160];

    for (t = 0; t < series->n_steps; t++)
        skipped += skip[t];
    snprintf(line, sizeof line,
             "norms=%016llx groups=%zu steps=%zu skipped=%zu total_steps=%lld objectives=%s ",
             (unsigned long long)digest, series->n_groups, series->n_steps, skipped,
             (long long)gtr_replay_total_steps(replay), scales_only ? "scales" : "all");
    gtr_builder_add(&text, line);
    gtr_builder_add(&text, "kappa=");
    gtr_builder_number(&text, baseline->options.kappa);
    gtr_builder_add(&text, " decay=");
    gtr_builder_number(&text, baseline->options.decay);
    gtr_builder_add(&text, " warmup=");
    gtr_builder_number(&text, (double)baseline->options.warmup);
    return gtr_builder_take(&text);
}

enum gtr_code gtr_sweep_about_fill(struct gtr_sweep_about *about, const char *trace_path,
                                   const char *group_by, const struct gtr_replay *replay,
                                   const struct gtr_baseline *baseline, const struct gtr_plan *plan,
                                   bool scales_only, struct gtr_err *err)
{
    const char *slash = strrchr(trace_path, '/');

    memset(about, 0, sizeof *about);
    about->n_settings = about->count = gtr_plan_n_settings(plan);
    about->trace = gtr_strdup(slash != NULL ? slash + 1 : trace_path);
    about->group_by = gtr_strdup(group_by);
    about->context = describe(replay, baseline, scales_only);
    about->plan = gtr_plan_describe(plan);
    if (about->trace != NULL && about->group_by != NULL && about->context != NULL &&
        about->plan != NULL)
        return GTR_OK;
    gtr_sweep_about_free(about);
    return gtr_fail(err, GTR_ENOMEM, "no memory for the description of the sweep");
}

static enum gtr_code write_about(struct gtr_h5 *h5, const struct gtr_sweep_about *about,
                                 struct gtr_err *err)
{
    const struct {
        const char *name, *value;
    } texts[] = { { "format", "gradtrace-sweep" }, { "producer", "gradtrace " GTR_VERSION },
                  { "trace", about->trace },       { "group_by", about->group_by },
                  { "context", about->context },   { "plan", about->plan } };
    const struct {
        const char *name;
        uint64_t value;
    } integers[] = { { "format_version", 1 },
                     { "n_settings", about->n_settings },
                     { "first", about->first },
                     { "count", about->count } };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(texts); i++)
        rc = gtr_h5_set_text(h5, "/", texts[i].name, texts[i].value, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(integers); i++)
        rc = gtr_h5_set_integer(h5, "/", integers[i].name, (int64_t)integers[i].value, err);
    return rc;
}

static enum gtr_code write_names(struct gtr_h5 *h5, const struct gtr_plan *plan,
                                 struct gtr_err *err)
{
    size_t n_knobs = gtr_plan_n_knobs(plan), n_policies = gtr_plan_n_policies(plan), i;
    const char *objectives[GTR_OBJECTIVE_COUNT], **names;
    enum gtr_code rc;

    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++)
        objectives[i] = gtr_objective_name((enum gtr_objective)i);
    rc = gtr_alloc_for(&names, n_knobs + n_policies, sizeof *names, "names", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n_knobs; i++)
        names[i] = gtr_plan_knob_name(plan, i);
    for (i = 0; i < n_policies; i++)
        names[n_knobs + i] = gtr_plan_policy_name(plan, i);
    rc = gtr_h5_write_strings(h5, "/objective", objectives, GTR_OBJECTIVE_COUNT, err);
    if (rc == GTR_OK && n_knobs > 0)
        rc = gtr_h5_write_strings(h5, "/knob", names, n_knobs, err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_strings(h5, "/policy", names + n_knobs, n_policies, err);
    gtr_free(names);
    return rc;
}

/* The values of the knobs, a row at a time: they follow from the setting's number. */
static enum gtr_code write_knobs(struct gtr_h5 *h5, const struct gtr_sweep_about *about,
                                 const struct gtr_plan *plan, struct gtr_err *err)
{
    size_t n_knobs = gtr_plan_n_knobs(plan), i, k;
    const struct gtr_h5_shape shape = { .cols = n_knobs, .chunk_rows = CHUNK_ROWS };
    struct gtr_h5_sheet *sheet = NULL;
    double *values = NULL;
    enum gtr_code rc, closed;

    if (n_knobs == 0)
        return GTR_OK;
    rc = gtr_alloc_for(&values, n_knobs, sizeof *values, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_new(h5, "/knobs", GTR_H5_F64, &shape, &sheet, err);
    for (i = 0; rc == GTR_OK && i < about->count; i++) {
        for (k = 0; k < n_knobs; k++)
            values[k] = gtr_plan_knob(plan, about->first + i, k);
        rc = gtr_h5_sheet_append(sheet, values, err);
    }
    closed = gtr_h5_sheet_close(sheet, err);
    gtr_free(values);
    return rc == GTR_OK ? closed : rc;
}

static enum gtr_code write_rows(struct gtr_h5 *h5, const struct gtr_sweep_about *about,
                                const double *rows, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .cols = GTR_OBJECTIVE_COUNT, .chunk_rows = CHUNK_ROWS };
    struct gtr_h5_sheet *sheet = NULL;
    enum gtr_code rc, closed;
    size_t i;

    rc = gtr_h5_sheet_new(h5, "/objectives", GTR_H5_F64, &shape, &sheet, err);
    for (i = 0; rc == GTR_OK && i < about->count; i++)
        rc = gtr_h5_sheet_append(sheet, rows + i * GTR_OBJECTIVE_COUNT, err);
    closed = gtr_h5_sheet_close(sheet, err);
    return rc == GTR_OK ? closed : rc;
}

enum gtr_code gtr_sweep_write(const char *path, bool force, const struct gtr_sweep_about *about,
                              const struct gtr_plan *plan, const double *rows, struct gtr_err *err)
{
    struct gtr_outfile file = { 0 };
    struct gtr_h5 *h5 = NULL;
    enum gtr_code rc;

    rc = gtr_outfile_begin(&file, path, force, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_h5_create(gtr_outfile_name(&file), path, &h5, err);
    if (rc == GTR_OK)
        rc = write_about(h5, about, err);
    if (rc == GTR_OK)
        rc = write_names(h5, plan, err);
    if (rc == GTR_OK)
        rc = write_knobs(h5, about, plan, err);
    if (rc == GTR_OK)
        rc = write_rows(h5, about, rows, err);
    return gtr_h5_finish(h5, &file, rc, err);
}

static enum gtr_code read_about(const char *path, const struct gtr_h5 *h5,
                                struct gtr_sweep_about *about, struct gtr_err *err)
{
    const struct {
        const char *name;
        char **value;
    } texts[] = { { "trace", &about->trace },
                  { "group_by", &about->group_by },
                  { "context", &about->context },
                  { "plan", &about->plan } };
    const struct {
        const char *name;
        uint64_t *value;
    } integers[] = { { "n_settings", &about->n_settings },
                     { "first", &about->first },
                     { "count", &about->count } };
    char *format = NULL;
    enum gtr_code rc = gtr_h5_get_text(h5, "/", "format", &format, err);
    size_t i;

    if (rc == GTR_OK && (format == NULL || strcmp(format, "gradtrace-sweep") != 0))
        rc = gtr_fail(err, GTR_EFORMAT, "%s: is not the result of gradtrace sweep", path);
    gtr_free(format);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(texts); i++) {
        rc = gtr_h5_get_text(h5, "/", texts[i].name, texts[i].value, err);
        if (rc == GTR_OK && *texts[i].value == NULL)
            rc = gtr_fail(err, GTR_EFORMAT, "%s: has no attribute %s", path, texts[i].name);
    }
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(integers); i++) {
        int64_t value = -1;

        rc = gtr_h5_get_integer(h5, "/", integers[i].name, &value, err);
        if (rc == GTR_OK && value < 0)
            rc = gtr_fail(err, GTR_EFORMAT, "%s: has no attribute %s", path, integers[i].name);
        *integers[i].value = (uint64_t)value;
    }
    return rc;
}

enum gtr_code gtr_sweep_read(const char *path, struct gtr_sweep_about *about, double **rows,
                             struct gtr_err *err)
{
    struct gtr_h5_table *table = NULL;
    struct gtr_h5 *h5 = NULL;
    enum gtr_code rc;

    *rows = NULL;
    memset(about, 0, sizeof *about);
    rc = gtr_h5_open(path, &h5, err);
    if (rc == GTR_OK)
        rc = read_about(path, h5, about, err);
    if (rc == GTR_OK)
        rc = gtr_h5_table_open(h5, "/objectives", GTR_H5_F64, &table, err);
    if (rc == GTR_OK && (gtr_h5_table_rows(table) != about->count ||
                         gtr_h5_table_cols(table) != GTR_OBJECTIVE_COUNT))
        rc = gtr_fail(err, GTR_EFORMAT, "%s: /objectives: has another size than is declared", path);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(rows, about->count * GTR_OBJECTIVE_COUNT, sizeof **rows, "rows", err);
    if (rc == GTR_OK)
        rc = gtr_h5_table_read_rows(table, 0, about->count, *rows, err);
    gtr_h5_table_close(table);
    gtr_h5_close(h5, NULL);
    if (rc != GTR_OK) {
        gtr_sweep_about_free(about);
        gtr_free(*rows);
        *rows = NULL;
    }
    return rc;
}
