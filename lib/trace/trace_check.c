/* trace_check.c - rows and captures against their checksums. */
#include <string.h>

#include "alloc.h"
#include "trace_private.h"

enum { CHECK_BYTES = 1 << 20 };

static size_t rows_at_a_time(const struct gtr_trace *trace)
{
    size_t n = CHECK_BYTES / (trace->head.n_tensors * sizeof(double));

    n = n < trace->n_steps ? n : trace->n_steps;
    return n > 0 ? n : 1;
}

static bool row_fits(const struct gtr_trace *trace, size_t t, size_t at,
                     const struct gtr_rows *rows)
{
    const size_t n = trace->head.n_tensors, i = at * n;
    const bool params = trace->holds[GTR_PARAM_SUMSQ];
    const struct gtr_row row = { &trace->steps[t], rows->sumsq + i, rows->maxabs + i,
                                 rows->nonfinite + i, params ? rows->param_sumsq + i : NULL };

    return trace->crc[t] == gtr_crc_row(row.step, gtr_crc_values(&row, n), n, params);
}

static enum gtr_code row_differs(const struct gtr_trace *trace, size_t t, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT,
                    "%s: row %zu (step %lld) is damaged: its checksum differs; gradtrace recover "
                    "keeps the rest",
                    trace->path, t, (long long)trace->steps[t].index);
}

/* Row by row if they cannot be read together, so that one bad chunk costs no more than its rows. */
static enum gtr_code check_some(const struct gtr_trace *trace, size_t first, size_t n,
                                struct gtr_rows *rows, bool *bad, struct gtr_err *err)
{
    enum gtr_code rc = gtr_trace_read_all(trace, first, n, rows, bad == NULL ? err : NULL);
    size_t t;

    if (rc == GTR_ENOMEM || (rc != GTR_OK && bad == NULL))
        return rc;
    if (rc != GTR_OK && n > 1) {
        for (t = 0, rc = GTR_OK; rc == GTR_OK && t < n; t++)
            rc = check_some(trace, first + t, 1, rows, bad, err);
        return rc;
    }
    for (t = 0; t < n; t++) {
        bool fits = rc == GTR_OK && (trace->crc == NULL || row_fits(trace, first + t, t, rows));

        if (!fits && bad == NULL)
            return row_differs(trace, first + t, err);
        if (bad != NULL)
            bad[first + t] = !fits;
    }
    return GTR_OK;
}

enum gtr_code gtr_trace_check_rows(const struct gtr_trace *trace, bool *bad, struct gtr_err *err)
{
    const size_t most = rows_at_a_time(trace);
    struct gtr_rows rows = { 0 };
    enum gtr_code rc = gtr_rows_new(&rows, most, trace->head.n_tensors, err);
    size_t first, n;

    for (first = 0; rc == GTR_OK && first < trace->n_steps; first += n) {
        n = trace->n_steps - first;
        n = n < most ? n : most;
        rc = check_some(trace, first, n, &rows, bad, err);
    }
    gtr_rows_free(&rows);
    return rc;
}

/* --- elements --------------------------------------------------------------------------------- */

/* NULL if the file keeps no checksums of elements. */
static enum gtr_code read_sums(const struct gtr_trace *trace, size_t capture, uint32_t **sums,
                               struct gtr_err *err)
{
    struct gtr_h5_table *table = NULL;
    enum gtr_code rc;

    *sums = NULL;
    if (trace->crc == NULL || !gtr_h5_has(trace->h5, "/grad/crc"))
        return GTR_OK;
    rc = gtr_h5_table_open(trace->h5, "/grad/crc", GTR_H5_U32, &table, err);
    if (rc == GTR_OK && (gtr_h5_table_rows(table) != trace->n_captures ||
                         gtr_h5_table_cols(table) != trace->head.n_tensors))
        rc = gtr_fail(err, GTR_EFORMAT, "%s: /grad/crc: is not %zu x %zu", trace->path,
                      trace->n_captures, trace->head.n_tensors);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(sums, trace->head.n_tensors, sizeof **sums, "checksums", err);
    if (rc == GTR_OK)
        rc = gtr_h5_table_read_rows(table, capture, 1, *sums, err);
    gtr_h5_table_close(table);
    return rc;
}

/* Whole chunks, some CHECK_BYTES of them; a tensor may be larger than the memory. */
static size_t elements_at_a_time(const struct gtr_captured *captured, size_t size)
{
    size_t width = captured->chunk_cols > 0 ? captured->chunk_cols : 1;
    size_t n = CHECK_BYTES / size / width * width;

    n = n > width ? n : width;
    return n < captured->n ? n : captured->n;
}

/* The checksum of a tensor's elements at one capture. */
static enum gtr_code sum_elements(const struct gtr_trace *trace, size_t tensor, size_t capture,
                                  const struct gtr_captured *captured, uint32_t *sum,
                                  struct gtr_err *err)
{
    const size_t size = gtr_dtype_size(trace->head.tensors[tensor].dtype);
    const size_t most = elements_at_a_time(captured, size);
    void *elements = NULL;
    enum gtr_code rc = gtr_alloc_for(&elements, most, size, "elements", err);
    size_t first, n;

    *sum = 0;
    for (first = 0; rc == GTR_OK && first < captured->n; first += n) {
        n = captured->n - first < most ? captured->n - first : most;
        rc = gtr_trace_read_captured(trace, tensor, capture, 1, first, n, elements, n * size, err);
        if (rc == GTR_OK)
            *sum = gtr_crc_bytes(*sum, elements, n * size);
    }
    gtr_free(elements);
    return rc;
}

static enum gtr_code check_elements(const struct gtr_trace *trace, size_t tensor, size_t capture,
                                    const uint32_t *sums, struct gtr_err *err)
{
    struct gtr_captured captured;
    enum gtr_code rc = gtr_trace_captured(trace, tensor, &captured, err);
    uint32_t sum;

    if (rc != GTR_OK || captured.n == 0)
        return rc;
    rc = sum_elements(trace, tensor, capture, &captured, &sum, err);
    if (rc == GTR_OK && sums != NULL && sum != sums[tensor])
        rc = gtr_fail(err, GTR_EFORMAT,
                      "%s: /grad/%zu: capture %zu is damaged: its checksum differs", trace->path,
                      tensor, capture);
    return rc;
}

enum gtr_code gtr_file_check_capture(const struct gtr_trace *trace, size_t capture,
                                     struct gtr_err *err)
{
    uint32_t *sums = NULL;
    enum gtr_code rc;
    size_t i;

    rc = read_sums(trace, capture, &sums, err);
    for (i = 0; rc == GTR_OK && i < trace->head.n_tensors; i++)
        rc = check_elements(trace, i, capture, sums, err);
    gtr_free(sums);
    return rc;
}
