/* trace_read.c - hand out what a trace holds, whatever its form. */
#include "trace_private.h"

#include <math.h>
#include <string.h>

#include "alloc.h"

const struct gtr_norm_dataset gtr_norm_datasets[GTR_NORM_COUNT] = {
    [GTR_SUMSQ] = { "/norm/sumsq", GTR_H5_F64, false },
    [GTR_MAXABS] = { "/norm/maxabs", GTR_H5_F32, true },
    [GTR_NONFINITE] = { "/norm/nonfinite", GTR_H5_U64, true },
    [GTR_PARAM_SUMSQ] = { "/norm/param_sumsq", GTR_H5_F64, true },
    [GTR_NAN] = { "/norm/nan", GTR_H5_U64, true },
};

#define AT(field) offsetof(struct gtr_step, field)
const struct gtr_step_column gtr_step_columns[STEP_COUNT] = {
    [STEP_INDEX] = { "/step/index", GTR_H5_I64, AT(index) },
    [STEP_LOSS] = { "/step/loss", GTR_H5_F64, AT(loss) },
    [STEP_LR] = { "/step/lr", GTR_H5_F64, AT(lr) },
    [STEP_TIME] = { "/step/time", GTR_H5_F64, AT(time) },
    [STEP_SCALE] = { "/step/applied_scale", GTR_H5_F64, AT(applied_scale) },
    [STEP_SKIPPED] = { "/step/skipped", GTR_H5_U8, AT(skipped) },
    [STEP_REST] = { "/norm/rest", GTR_H5_F64, AT(rest) },
};
#undef AT

const char *const gtr_tensor_texts[TEXT_COUNT] = { "/param/name", "/param/shape", "/param/dtype",
                                                   "/param/group" };

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

/* Boyer and Moore's vote finds the difference that has a majority, if one has. */
int64_t gtr_steps_stride(const struct gtr_step *steps, size_t n_steps)
{
    uint64_t candidate = 1, difference;
    size_t votes = 0, n = 0, t;

    if (n_steps < 3)
        return 1;
    for (t = 1; t < n_steps; t++) {
        difference = (uint64_t)steps[t].index - (uint64_t)steps[t - 1].index;
        if (votes == 0)
            candidate = difference;
        votes = difference == candidate ? votes + 1 : votes - 1;
    }
    for (t = 1; t < n_steps; t++)
        n += (uint64_t)steps[t].index - (uint64_t)steps[t - 1].index == candidate;
    if (2 * n <= n_steps - 1) {
        difference = (uint64_t)steps[n_steps - 1].index - (uint64_t)steps[0].index;
        candidate = (difference + (n_steps - 1) / 2) / (n_steps - 1);
    }
    return candidate < INT64_MAX ? (int64_t)candidate : INT64_MAX;
}

int64_t gtr_trace_stride(const struct gtr_trace *trace)
{
    return gtr_steps_stride(trace->steps, trace->n_steps);
}

bool gtr_trace_has(const struct gtr_trace *trace, enum gtr_norm norm)
{
    return trace->has[norm];
}

size_t gtr_trace_band_rows(const struct gtr_trace *trace, enum gtr_norm norm)
{
    return trace->band_rows[norm];
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
            return gtr_fail(
                err, GTR_EFORMAT, "%s: %s: row %zu, tensor %zu is %g; a sum of squares cannot be",
                trace->path, gtr_norm_datasets[norm].name, first + i / trace->head.n_tensors,
                i % trace->head.n_tensors, values[i]);
    return GTR_OK;
}

/* What is said of rows of a matrix that the trace does not hold. */
static enum gtr_code read_missing(const struct gtr_trace *trace, enum gtr_norm norm, size_t n_rows,
                                  void *out, struct gtr_err *err)
{
    size_t n = n_rows * trace->head.n_tensors, i;
    float *maxabs = out;

    if (norm == GTR_NONFINITE || norm == GTR_NAN) {
        memset(out, 0, n * sizeof(uint64_t));
        return GTR_OK;
    }
    for (i = 0; norm == GTR_MAXABS && i < n; i++)
        maxabs[i] = NAN;
    if (norm == GTR_MAXABS)
        return GTR_OK;
    return gtr_fail(err, GTR_EFORMAT, "%s: has no dataset %s", trace->path,
                    gtr_norm_datasets[norm].name);
}

enum gtr_code gtr_trace_read_band(const struct gtr_trace *trace, enum gtr_norm norm, size_t band,
                                  void *out, struct gtr_err *err)
{
    size_t rows = gtr_trace_band_rows(trace, norm), first = band * rows;

    if (first < trace->n_steps && rows > trace->n_steps - first)
        rows = trace->n_steps - first;
    return gtr_trace_read_rows(trace, norm, first, rows, out, err);
}

enum gtr_code gtr_trace_read_rows(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                                  size_t n_rows, void *out, struct gtr_err *err)
{
    enum gtr_code rc;

    if (first > trace->n_steps || n_rows > trace->n_steps - first)
        return gtr_fail(err, GTR_EUSAGE, "%s: rows %zu to %zu of %zu", trace->path, first,
                        first + n_rows, trace->n_steps);
    if (!trace->holds[norm])
        return read_missing(trace, norm, n_rows, out, err);
    rc = trace->form->read_rows(trace, norm, first, n_rows, out, err);
    return rc == GTR_OK ? check_sums(trace, norm, first, n_rows, out, err) : rc;
}

enum gtr_code gtr_trace_read_all(const struct gtr_trace *trace, size_t first, size_t n_rows,
                                 struct gtr_rows *rows, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    enum gtr_norm norm;

    for (norm = 0; rc == GTR_OK && norm < GTR_NORM_COUNT; norm++) {
        void *out = gtr_rows_of(rows, norm);

        if (out == NULL)
            continue;
        if (trace->holds[norm])
            rc = gtr_trace_read_rows(trace, norm, first, n_rows, out, err);
        else
            memset(out, 0,
                   n_rows * trace->head.n_tensors * gtr_h5_type_size(gtr_norm_datasets[norm].type));
    }
    return rc;
}

/* --- elements --------------------------------------------------------------------------------- */

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

enum gtr_code gtr_trace_captured(const struct gtr_trace *trace, size_t tensor,
                                 struct gtr_captured *captured, struct gtr_err *err)
{
    *captured = (struct gtr_captured){ 0 };
    if (tensor >= trace->head.n_tensors)
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu of %zu", trace->path, tensor,
                        trace->head.n_tensors);
    return trace->form->captured(trace, tensor, captured, err);
}

enum gtr_code gtr_trace_read_captured(const struct gtr_trace *trace, size_t tensor,
                                      size_t first_capture, size_t n_captures, uint64_t first,
                                      uint64_t n, void *out, size_t stride, struct gtr_err *err)
{
    const struct gtr_h5_part part = { first_capture, n_captures, first, n };
    struct gtr_captured captured;
    enum gtr_code rc = gtr_trace_captured(trace, tensor, &captured, err);

    if (rc != GTR_OK)
        return rc;
    if (first_capture > trace->n_captures || n_captures > trace->n_captures - first_capture ||
        first > captured.n || n > captured.n - first)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: no elements %llu to %llu of tensor %zu at captures %zu to %zu: it has "
                        "%llu at %zu",
                        trace->path, (unsigned long long)first, (unsigned long long)(first + n),
                        tensor, first_capture, first_capture + n_captures,
                        (unsigned long long)captured.n, trace->n_captures);
    if (n == 0 || n_captures == 0)
        return GTR_OK;
    return trace->form->read_captured(trace, tensor, &captured, &part, out, stride, err);
}

size_t gtr_trace_n_elements(const struct gtr_trace *trace, size_t tensor)
{
    struct gtr_captured captured;

    return gtr_trace_captured(trace, tensor, &captured, NULL) == GTR_OK ? captured.n : 0;
}

enum gtr_code gtr_trace_read_elements(struct gtr_trace *trace, size_t tensor, size_t capture,
                                      void *out, struct gtr_err *err)
{
    struct gtr_captured captured;
    enum gtr_code rc = gtr_trace_captured(trace, tensor, &captured, err);

    if (rc == GTR_OK && captured.n == 0)
        rc = gtr_fail(err, GTR_EUSAGE, "%s: no elements of tensor %zu at capture %zu", trace->path,
                      tensor, capture);
    if (rc != GTR_OK)
        return rc;
    return gtr_trace_read_captured(trace, tensor, capture, 1, 0, captured.n, out,
                                   captured.n * gtr_dtype_size(trace->head.tensors[tensor].dtype),
                                   err);
}

enum gtr_code gtr_trace_check_capture(const struct gtr_trace *trace, size_t capture,
                                      struct gtr_err *err)
{
    return trace->form->check_capture(trace, capture, err);
}

void gtr_trace_close(struct gtr_trace *trace)
{
    if (trace == NULL)
        return;
    trace->form->close(trace);
    gtr_head_free(&trace->head);
    gtr_free(trace->steps);
    gtr_free(trace->capture_rows);
    gtr_free(trace->path);
    gtr_free(trace);
}
