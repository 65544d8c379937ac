/* sweep_file.c - rows of objectives in and out of HDF5. */
#include "sweep_file.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "builder.h"
#include "digest.h"
#include "h5.h"
#include "objectives.h"
#include "result_parts.h"
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

static void write_names(struct gtr_result *result, const struct gtr_plan *plan)
{
    size_t n_knobs = gtr_plan_n_knobs(plan), n_policies = gtr_plan_n_policies(plan), i;
    const char *objectives[GTR_OBJECTIVE_COUNT], **names;

    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++)
        objectives[i] = gtr_objective_name((enum gtr_objective)i);
    if (!gtr_result_alloc(result, &names, n_knobs + n_policies, sizeof *names))
        return;
    for (i = 0; i < n_knobs; i++)
        names[i] = gtr_plan_knob_name(plan, i);
    for (i = 0; i < n_policies; i++)
        names[n_knobs + i] = gtr_plan_policy_name(plan, i);
    gtr_result_strings(result, "objective", objectives, GTR_OBJECTIVE_COUNT);
    if (n_knobs > 0)
        gtr_result_strings(result, "knob", names, n_knobs);
    gtr_result_strings(result, "policy", names + n_knobs, n_policies);
    gtr_free(names);
}

struct knobs {
    const struct gtr_plan *plan;
    size_t first;
};

/* The values of the knobs follow from the setting's number. */
static void fill_knobs(const void *context, size_t row, void *values)
{
    const struct knobs *knobs = context;
    double *value = values;
    size_t k;

    for (k = 0; k < gtr_plan_n_knobs(knobs->plan); k++)
        value[k] = gtr_plan_knob(knobs->plan, knobs->first + row, k);
}

enum gtr_code gtr_sweep_file_write(const char *path, bool force,
                                   const struct gtr_sweep_about *about, const struct gtr_plan *plan,
                                   const double *rows, struct gtr_err *err)
{
    const struct knobs knobs = { plan, about->first };
    struct gtr_h5_shape shape = { .cols = gtr_plan_n_knobs(plan), .chunk_rows = CHUNK_ROWS };
    struct gtr_result *result;
    enum gtr_code rc =
        gtr_result_new(path, force, "gradtrace-sweep", about->trace, about->group_by, &result, err);

    if (rc != GTR_OK)
        return rc;
    gtr_result_text(result, "context", about->context);
    gtr_result_text(result, "plan", about->plan);
    gtr_result_integer(result, "n_settings", (int64_t)about->n_settings);
    gtr_result_integer(result, "first", (int64_t)about->first);
    gtr_result_integer(result, "count", (int64_t)about->count);
    write_names(result, plan);
    if (shape.cols > 0)
        gtr_result_rows(result, "knobs", GTR_H5_F64, &shape, about->count, fill_knobs, &knobs);
    shape.cols = GTR_OBJECTIVE_COUNT;
    gtr_result_table(result, "objectives", GTR_H5_F64, &shape, about->count, rows);
    return gtr_result_close(result, err);
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
    if (rc == GTR_OK &&
        (about->first > about->n_settings || about->count > about->n_settings - about->first))
        rc = gtr_fail(err, GTR_EFORMAT, "%s: claims settings %llu to %llu of %llu", path,
                      (unsigned long long)about->first,
                      (unsigned long long)(about->first + about->count),
                      (unsigned long long)about->n_settings);
    return rc;
}

enum gtr_code gtr_sweep_file_read(const char *path, struct gtr_sweep_about *about, double **rows,
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

static bool are_of_one_sweep(const struct gtr_sweep_about *a, const struct gtr_sweep_about *b)
{
    return strcmp(a->plan, b->plan) == 0 && strcmp(a->context, b->context) == 0 &&
           strcmp(a->group_by, b->group_by) == 0 && a->n_settings == b->n_settings;
}

/* The first of n rows that is there already and has other bits; n: none. */
static size_t first_that_differs(const double *there, const bool *have, const double *rows,
                                 size_t n)
{
    const size_t width = GTR_OBJECTIVE_COUNT;
    size_t i;

    for (i = 0; i < n; i++)
        if (have[i] && memcmp(there + i * width, rows + i * width, width * sizeof *rows) != 0)
            return i;
    return n;
}

enum gtr_code gtr_sweep_file_join(const char *path, const struct gtr_sweep_about *whole,
                                  double *rows, bool *have, struct gtr_err *err)
{
    struct gtr_sweep_about part;
    double *own;
    enum gtr_code rc = gtr_sweep_file_read(path, &part, &own, err);
    size_t i;

    if (rc != GTR_OK)
        return rc;
    if (!are_of_one_sweep(&part, whole)) {
        rc = gtr_fail(err, GTR_EUSAGE,
                      "%s: is a part of another sweep; join with the options that it was run with",
                      path);
        goto out;
    }
    rows += part.first * GTR_OBJECTIVE_COUNT;
    have += part.first;
    i = first_that_differs(rows, have, own, part.count);
    if (i < part.count) {
        rc =
            gtr_fail(err, GTR_EFORMAT, "%s: setting %llu is in another part too, and differs there",
                     path, (unsigned long long)(part.first + i));
        goto out;
    }
    memcpy(rows, own, part.count * GTR_OBJECTIVE_COUNT * sizeof *rows);
    for (i = 0; i < part.count; i++)
        have[i] = true;
out:
    gtr_sweep_about_free(&part);
    gtr_free(own);
    return rc;
}
