/* trace_read.c - hand out the rows of a trace, be it one file or a folder of segments. */
#include "trace_private.h"

#include "alloc.h"

const char *gtr_trace_path(const struct gtr_trace *trace)
{
    return trace->path;
}

const struct gtr_head *gtr_trace_head(const struct gtr_trace *trace)
{
    return &trace->head;
}

const struct gtr_step *gtr_trace_steps(const struct gtr_trace *trace)
{
    return trace->steps;
}

size_t gtr_trace_n_steps(const struct gtr_trace *trace)
{
    return trace->n_steps;
}

bool gtr_trace_has(const struct gtr_trace *trace, enum gtr_norm norm)
{
    if (trace->folder != NULL)
        return gtr_folder_has(trace, norm);
    return trace->norm[norm] != NULL && !gtr_h5_table_is_blank(trace->norm[norm]);
}

size_t gtr_trace_band_rows(const struct gtr_trace *trace, enum gtr_norm norm)
{
    if (trace->folder != NULL)
        return gtr_folder_band_rows(trace);
    return gtr_h5_table_band_rows(trace->norm[norm]);
}

size_t gtr_trace_n_bands(const struct gtr_trace *trace, enum gtr_norm norm)
{
    size_t rows = gtr_trace_band_rows(trace, norm);

    return (trace->n_steps + rows - 1) / rows;
}

/* A negative or NaN energy would become a NaN norm somewhere far away. */
static enum gtr_code check_sums(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                                size_t n_rows, const double *values, struct gtr_err *err)
{
    size_t n = n_rows * trace->head.n_tensors, i;

    if (norm != GTR_SUMSQ && norm != GTR_PARAM_SUMSQ)
        return GTR_OK;
    for (i = 0; i < n; i++)
        if (!(values[i] >= 0.0))
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: %s: row %zu, tensor %zu is %g; a sum of squares "
                            "cannot be",
                            trace->path, gtr_norm_datasets[norm].name,
                            first + i / trace->head.n_tensors, i % trace->head.n_tensors,
                            values[i]);
    return GTR_OK;
}

static enum gtr_code is_missing(const struct gtr_trace *trace, enum gtr_norm norm,
                                struct gtr_err *err)
{
    if (trace->norm[norm] != NULL || (trace->folder != NULL && gtr_folder_holds(trace, norm)))
        return GTR_OK;
    return gtr_fail(err, GTR_EFORMAT, "%s: has no dataset %s", trace->path,
                    gtr_norm_datasets[norm].name);
}

enum gtr_code gtr_trace_read_band(const struct gtr_trace *trace, enum gtr_norm norm, size_t band,
                                  void *out, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t rows, first;

    if (trace->folder != NULL) {
        rows = gtr_folder_band_rows(trace);
        first = band * rows;
        if (rows > trace->n_steps - first)
            rows = trace->n_steps - first;
        return gtr_trace_read_rows(trace, norm, first, rows, out, err);
    }
    rc = is_missing(trace, norm, err);
    if (rc == GTR_OK)
        rc = gtr_h5_table_read(trace->norm[norm], band, out, err);
    if (rc != GTR_OK)
        return rc;
    rows = gtr_h5_table_band_rows(trace->norm[norm]);
    first = band * rows;
    if (rows > trace->n_steps - first)
        rows = trace->n_steps - first;
    return check_sums(trace, norm, first, rows, out, err);
}

enum gtr_code gtr_trace_read_rows(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                                  size_t n_rows, void *out, struct gtr_err *err)
{
    enum gtr_code rc = is_missing(trace, norm, err);

    if (rc == GTR_OK && (first > trace->n_steps || n_rows > trace->n_steps - first))
        rc = gtr_fail(err, GTR_EUSAGE, "%s: rows %zu to %zu of %zu", trace->path, first,
                      first + n_rows, trace->n_steps);
    if (rc == GTR_OK && trace->folder != NULL)
        rc = gtr_folder_read_rows(trace, norm, first, n_rows, out, err);
    else if (rc == GTR_OK)
        rc = gtr_h5_table_read_rows(trace->norm[norm], first, n_rows, out, err);
    if (rc != GTR_OK)
        return rc;
    return check_sums(trace, norm, first, n_rows, out, err);
}

size_t gtr_trace_n_captures(const struct gtr_trace *trace)
{
    return trace->n_captures;
}

const int64_t *gtr_trace_capture_rows(const struct gtr_trace *trace)
{
    return trace->capture_rows;
}

uint64_t gtr_trace_n_dropped(const struct gtr_trace *trace)
{
    return (uint64_t)trace->n_dropped;
}
