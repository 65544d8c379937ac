/* trace_open.c - open a trace file and check it against itself. */
#include "trace_private.h"

#include <math.h>
#include <string.h>

#include "alloc.h"

/* --- the head --------------------------------------------------------------------------------- */

static enum gtr_code check_format(struct gtr_trace *trace, struct gtr_err *err)
{
    enum gtr_code rc;
    char *format = NULL;
    int64_t version = 0;

    rc = gtr_h5_get_text(trace->h5, "/", "format", &format, err);
    if (rc != GTR_OK)
        return rc;
    if (format == NULL || strcmp(format, "gradtrace") != 0)
        rc = gtr_fail(err, GTR_EFORMAT,
                      "%s: an HDF5 file, but not a gradtrace trace (no attribute format)",
                      trace->path);
    gtr_free(format);
    if (rc == GTR_OK)
        rc = gtr_h5_get_integer(trace->h5, "/", "format_version", &version, err);
    if (rc == GTR_OK && (version < 1 || version > GTR_FORMAT_VERSION))
        rc = gtr_fail(err, GTR_EFORMAT,
                      "%s: format_version %lld, and this program reads up to %d; update gradtrace",
                      trace->path, (long long)version, GTR_FORMAT_VERSION);
    return rc;
}

static enum gtr_code read_head(struct gtr_trace *trace, struct gtr_err *err)
{
    struct gtr_head *head = &trace->head;
    const struct {
        const char *name;
        int64_t *value;
    } integers[] = { { "rank", &head->rank },
                     { "world_size", &head->world_size },
                     { "total_steps", &head->total_steps } };
    enum gtr_code rc = gtr_head_init(head, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_HEAD_TEXTS; i++) {
        char *text;

        rc = gtr_h5_get_text(trace->h5, "/", gtr_head_text_names[i], &text, err);
        if (rc == GTR_OK && text != NULL) {
            gtr_free(*gtr_head_text(head, i));
            *gtr_head_text(head, i) = text;
        }
    }
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(integers); i++)
        rc = gtr_h5_get_integer(trace->h5, "/", integers[i].name, integers[i].value, err);
    if (rc == GTR_OK && head->total_steps < 0)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: total_steps is %lld, which cannot be", trace->path,
                      (long long)head->total_steps);
    return rc;
}

/* --- tensors ---------------------------------------------------------------------------------- */

static void strings_free(char **strings, size_t n)
{
    size_t i;

    for (i = 0; strings != NULL && i < n; i++)
        gtr_free(strings[i]);
    gtr_free(strings);
}

static enum gtr_code lengths_differ(const struct gtr_trace *trace, const char *name, size_t n,
                                    const char *other, size_t wanted, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT, "%s: %s: has %zu values where %s has %zu", trace->path, name,
                    n, other, wanted);
}

/* The datasets of /param, before they become tensors. */
struct param_columns {
    char **text[TEXT_COUNT];
    size_t n_text[TEXT_COUNT];
    uint64_t *numel;
    size_t n_numel;
};

static enum gtr_code add_tensors(struct gtr_trace *trace, const struct param_columns *columns,
                                 struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < columns->n_numel; i++) {
        const char *dtype_name = columns->text[TEXT_DTYPE][i];
        enum gtr_dtype dtype;

        if (!gtr_dtype_find(dtype_name, &dtype))
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: /param/dtype: %.40s is not f32, f16, bf16 or f64", trace->path,
                            dtype_name);
        rc = gtr_head_add_tensor(&trace->head, columns->text[TEXT_NAME][i],
                                 columns->text[TEXT_SHAPE][i], columns->numel[i], dtype, err);
        if (rc == GTR_OK && columns->text[TEXT_GROUP] != NULL &&
            columns->text[TEXT_GROUP][i][0] != '\0')
            rc = gtr_head_set_param_group(&trace->head, columns->text[TEXT_GROUP][i], err);
    }
    return rc;
}

static enum gtr_code read_tensors(struct gtr_trace *trace, struct gtr_err *err)
{
    struct param_columns columns = { 0 };
    enum gtr_code rc;
    size_t i;

    rc = gtr_h5_read_vector(trace->h5, "/param/numel", GTR_H5_U64, &columns.numel, &columns.n_numel,
                            err);
    for (i = 0; rc == GTR_OK && i < TEXT_COUNT; i++) {
        const char *name = gtr_tensor_texts[i];

        if (i == TEXT_GROUP && !gtr_h5_has(trace->h5, name))
            continue;
        rc = gtr_h5_read_strings(trace->h5, name, &columns.text[i], &columns.n_text[i], err);
        if (rc == GTR_OK && columns.n_text[i] != columns.n_numel)
            rc = lengths_differ(trace, name, columns.n_text[i], "/param/numel", columns.n_numel,
                                err);
    }
    if (rc == GTR_OK && columns.n_numel == 0)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: /param: holds no tensors", trace->path);
    if (rc == GTR_OK)
        rc = add_tensors(trace, &columns, err);
    for (i = 0; i < TEXT_COUNT; i++)
        strings_free(columns.text[i], columns.n_text[i]);
    gtr_free(columns.numel);
    return rc;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Column i of /step, or NULL if the file has none. */
static enum gtr_code open_column(struct gtr_trace *trace, size_t i, struct gtr_h5_table **column,
                                 struct gtr_err *err)
{
    const char *name = gtr_step_columns[i].name;
    enum gtr_code rc;

    *column = NULL;
    if (i != STEP_INDEX && !gtr_h5_has(trace->h5, name))
        return GTR_OK;
    rc = gtr_h5_column_open(trace->h5, name, gtr_step_columns[i].type, column, err);
    if (rc == GTR_OK && i == STEP_INDEX)
        trace->n_steps = gtr_h5_table_rows(*column);
    if (rc == GTR_OK && gtr_h5_table_rows(*column) != trace->n_steps)
        rc = lengths_differ(trace, name, gtr_h5_table_rows(*column), "/step/index", trace->n_steps,
                            err);
    return rc;
}

/* Puts n values of column i into the steps from `first` on. */
static void place_values(struct gtr_trace *trace, size_t i, size_t first, size_t n,
                         const void *values)
{
    const size_t size = gtr_h5_type_size(gtr_step_columns[i].type);
    struct gtr_step *step = trace->steps + first;
    size_t t;

    for (t = 0; t < n; t++)
        if (i == STEP_SKIPPED)
            step[t].skipped = ((const uint8_t *)values)[t] != 0;
        else
            memcpy((char *)&step[t] + gtr_step_columns[i].at, (const char *)values + t * size,
                   size);
}

static enum gtr_code check_rising(const struct gtr_trace *trace, size_t first, size_t n,
                                  struct gtr_err *err)
{
    const struct gtr_step *step = trace->steps;
    size_t t;

    for (t = first > 0 ? first : 1; t < first + n; t++)
        if (step[t].index <= step[t - 1].index)
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: /step/index: row %zu has step %lld after step %lld", trace->path,
                            t, (long long)step[t].index, (long long)step[t - 1].index);
    return GTR_OK;
}

/* Band by band, so that steps which do not rise are found before all of them are in memory. */
static enum gtr_code read_column(struct gtr_trace *trace, size_t i,
                                 const struct gtr_h5_table *column, struct gtr_err *err)
{
    size_t most = gtr_h5_table_band_rows(column), t, n;
    enum gtr_code rc;
    void *values;

    most = most < trace->n_steps ? most : trace->n_steps;
    rc = gtr_alloc_for(&values, most, gtr_h5_type_size(gtr_step_columns[i].type), "values", err);
    for (t = 0; rc == GTR_OK && t < trace->n_steps; t += n) {
        n = trace->n_steps - t < most ? trace->n_steps - t : most;
        rc = gtr_h5_table_read_rows(column, t, n, values, err);
        if (rc == GTR_OK)
            place_values(trace, i, t, n, values);
        if (rc == GTR_OK && i == STEP_INDEX)
            rc = check_rising(trace, t, n, err);
    }
    gtr_free(values);
    return rc;
}

static void mark_unknown(struct gtr_trace *trace, size_t i)
{
    const double unknown = NAN;
    size_t t;

    for (t = 0; i != STEP_SKIPPED && t < trace->n_steps; t++)
        memcpy((char *)&trace->steps[t] + gtr_step_columns[i].at, &unknown, sizeof unknown);
}

static enum gtr_code read_steps(struct gtr_trace *trace, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = STEP_INDEX; rc == GTR_OK && i < STEP_REST; i++) {
        struct gtr_h5_table *column;

        rc = open_column(trace, i, &column, err);
        if (rc == GTR_OK && i == STEP_INDEX)
            rc = gtr_alloc_for(&trace->steps, trace->n_steps, sizeof *trace->steps, "steps", err);
        if (rc == GTR_OK && column != NULL)
            rc = read_column(trace, i, column, err);
        else if (rc == GTR_OK)
            mark_unknown(trace, i);
        gtr_h5_table_close(column);
    }
    return rc;
}

/* --- norms and captures ----------------------------------------------------------------------- */

static enum gtr_code open_norms(struct gtr_trace *trace, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++) {
        trace->band_rows[i] = i == GTR_SUMSQ ? 1 : trace->band_rows[GTR_SUMSQ]; /* if it lacks */
        if (gtr_norm_datasets[i].optional && !gtr_h5_has(trace->h5, gtr_norm_datasets[i].name))
            continue;
        rc = gtr_h5_table_open(trace->h5, gtr_norm_datasets[i].name, gtr_norm_datasets[i].type,
                               &trace->norm[i], err);
        if (rc == GTR_OK && (gtr_h5_table_rows(trace->norm[i]) != trace->n_steps ||
                             gtr_h5_table_cols(trace->norm[i]) != trace->head.n_tensors))
            rc = gtr_fail(err, GTR_EFORMAT,
                          "%s: %s: is %zu x %zu where %zu steps x %zu tensors are declared",
                          trace->path, gtr_norm_datasets[i].name, gtr_h5_table_rows(trace->norm[i]),
                          gtr_h5_table_cols(trace->norm[i]), trace->n_steps, trace->head.n_tensors);
        if (rc != GTR_OK)
            break;
        trace->holds[i] = true;
        /* No NaN says of what is not finite that it is infinite. */
        trace->has[i] = i == GTR_NAN || !gtr_h5_table_is_blank(trace->norm[i]);
        trace->band_rows[i] = gtr_h5_table_band_rows(trace->norm[i]);
    }
    return rc;
}

static enum gtr_code read_rest(struct gtr_trace *trace, struct gtr_err *err)
{
    struct gtr_h5_table *column;
    enum gtr_code rc = open_column(trace, STEP_REST, &column, err);
    size_t t;

    if (rc == GTR_OK && column != NULL)
        rc = read_column(trace, STEP_REST, column, err);
    for (t = 0; rc == GTR_OK && t < trace->n_steps; t++)
        if (!(trace->steps[t].rest >= 0.0))
            rc = gtr_fail(err, GTR_EFORMAT,
                          "%s: /norm/rest: row %zu is %g; a sum of squares cannot be", trace->path,
                          t, trace->steps[t].rest);
    gtr_h5_table_close(column);
    return rc;
}

static enum gtr_code read_captures(struct gtr_trace *trace, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    if (!gtr_h5_has(trace->h5, "/grad/step"))
        return GTR_OK;
    rc = gtr_h5_read_vector(trace->h5, "/grad/step", GTR_H5_I64, &trace->capture_rows,
                            &trace->n_captures, err);
    for (i = 0; rc == GTR_OK && i < trace->n_captures; i++)
        if (trace->capture_rows[i] < 0 || (uint64_t)trace->capture_rows[i] >= trace->n_steps)
            rc = gtr_fail(err, GTR_EFORMAT, "%s: /grad/step: row %lld of %zu", trace->path,
                          (long long)trace->capture_rows[i], trace->n_steps);
        else if (i > 0 && trace->capture_rows[i] <= trace->capture_rows[i - 1])
            rc = gtr_fail(err, GTR_EFORMAT, "%s: /grad/step: row %lld comes after row %lld",
                          trace->path, (long long)trace->capture_rows[i],
                          (long long)trace->capture_rows[i - 1]);
    return rc;
}

static enum gtr_code read_dropped(struct gtr_trace *trace, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_h5_get_integer(trace->h5, "/", "dropped_captures", &trace->n_dropped, err);

    if (rc == GTR_OK && trace->n_dropped < 0)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: dropped_captures is %lld, which cannot be",
                      trace->path, (long long)trace->n_dropped);
    return rc;
}

/* What a segment adds. */
static enum gtr_code read_checksums(struct gtr_trace *trace, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n;

    trace->first_row = -1;
    rc = gtr_h5_get_integer(trace->h5, "/", "first_row", &trace->first_row, err);
    if (rc != GTR_OK || !gtr_h5_has(trace->h5, "/step/crc"))
        return rc;
    rc = gtr_h5_read_vector(trace->h5, "/step/crc", GTR_H5_U32, &trace->crc, &n, err);
    if (rc == GTR_OK && n != trace->n_steps)
        rc = lengths_differ(trace, "/step/crc", n, "/step/index", trace->n_steps, err);
    return rc;
}

/* --- the form --------------------------------------------------------------------------------- */

static enum gtr_code read_rows(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                               size_t n_rows, void *out, struct gtr_err *err)
{
    return gtr_h5_table_read_rows(trace->norm[norm], first, n_rows, out, err);
}

static void close_file(struct gtr_trace *trace)
{
    size_t i;

    gtr_elements_free(trace->elements);
    for (i = 0; i < GTR_NORM_COUNT; i++)
        gtr_h5_table_close(trace->norm[i]);
    gtr_h5_close(trace->h5, NULL);
    gtr_free(trace->crc);
}

static const struct gtr_trace_form form = {
    .read_rows = read_rows,
    .captured = gtr_file_captured,
    .read_captured = gtr_file_read_captured,
    .check_capture = gtr_file_check_capture,
    .close = close_file,
};

enum gtr_code gtr_trace_open_file(const char *path, bool again, struct gtr_trace **out,
                                  struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_trace *trace;

    *out = NULL;
    rc = gtr_alloc_for(&trace, 1, sizeof *trace, "traces", err);
    if (rc != GTR_OK)
        return rc;
    trace->form = &form;
    rc = gtr_format(&trace->path, path, err, "%s", path);
    if (rc == GTR_OK)
        rc = again ? gtr_h5_reopen(path, &trace->h5, err) : gtr_h5_open(path, &trace->h5, err);
    if (rc == GTR_OK)
        rc = check_format(trace, err);
    if (rc == GTR_OK)
        rc = read_head(trace, err);
    if (rc == GTR_OK)
        rc = read_tensors(trace, err);
    if (rc == GTR_OK)
        rc = read_steps(trace, err);
    if (rc == GTR_OK)
        rc = open_norms(trace, err);
    if (rc == GTR_OK)
        rc = read_rest(trace, err);
    if (rc == GTR_OK)
        rc = read_captures(trace, err);
    if (rc == GTR_OK)
        rc = read_dropped(trace, err);
    if (rc == GTR_OK)
        rc = read_checksums(trace, err);
    if (rc == GTR_OK)
        rc = gtr_elements_new(trace->head.n_tensors, &trace->elements, err);
    if (rc != GTR_OK) {
        gtr_trace_close(trace);
        return rc;
    }
    *out = trace;
    return GTR_OK;
}

void gtr_trace_try_files(bool on)
{
    gtr_h5_try_files(on);
}
