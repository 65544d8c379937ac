/* reading.h - all that can be read of a trace that opened: numbers, or an error with a text. */
#ifndef READING_H
#define READING_H

#include <stdlib.h>

#include "digest.h"
#include "gradtrace_lab.h"

static inline void must(int condition)
{
    if (!condition)
        abort();
}

/* Bytes of one value of each matrix. */
static const size_t value_size[GTR_NORM_COUNT] = {
    [GTR_SUMSQ] = sizeof(double),       [GTR_MAXABS] = sizeof(float),
    [GTR_NONFINITE] = sizeof(uint64_t), [GTR_PARAM_SUMSQ] = sizeof(double),
    [GTR_NAN] = sizeof(uint64_t),
};

static inline void read_matrix(const struct gtr_trace *trace, enum gtr_norm norm)
{
    size_t n_bands = gtr_trace_n_bands(trace, norm), band;
    size_t band_values = gtr_trace_band_rows(trace, norm) * gtr_trace_head(trace)->n_tensors;
    void *rows = gtr_alloc(band_values, value_size[norm]);

    for (band = 0; rows != NULL && band < n_bands; band++) {
        struct gtr_err err = { 0 };

        if (gtr_trace_read_band(trace, norm, band, rows, &err) != GTR_OK)
            must(err.text[0] != '\0');
    }
    gtr_free(rows);
}

/* The last half of the elements at the last half of the captures, into room for one capture. */
static inline void read_corner(const struct gtr_trace *trace, size_t tensor, void *elements)
{
    size_t n_captures = gtr_trace_n_captures(trace), from = n_captures / 2;
    struct gtr_captured captured;
    struct gtr_err err = { 0 };

    if (gtr_trace_captured(trace, tensor, &captured, &err) != GTR_OK)
        must(err.text[0] != '\0');
    else if (elements != NULL && captured.n > 0 &&
             gtr_trace_read_captured(trace, tensor, from, n_captures - from, captured.n / 2,
                                     captured.n - captured.n / 2, elements, 0, &err) != GTR_OK)
        must(err.text[0] != '\0');
}

static inline void read_elements(struct gtr_trace *trace)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    size_t i, capture;

    for (i = 0; i < head->n_tensors; i++) {
        size_t n = gtr_trace_n_elements(trace, i);
        void *elements = gtr_alloc(n, gtr_dtype_size(head->tensors[i].dtype));

        for (capture = 0; elements != NULL && capture < gtr_trace_n_captures(trace); capture++) {
            struct gtr_err err = { 0 };

            if (n > 0 && gtr_trace_read_elements(trace, i, capture, elements, &err) != GTR_OK)
                must(err.text[0] != '\0');
        }
        read_corner(trace, i, elements);
        gtr_free(elements);
    }
}

static inline uint64_t read_series(const struct gtr_trace *trace, size_t n_threads)
{
    struct gtr_groups *groups = NULL;
    struct gtr_series *series = NULL;
    struct gtr_err err = { 0 };
    uint64_t digest = 0;

    if (gtr_groups_new(NULL, gtr_trace_head(trace), &groups, &err) != GTR_OK ||
        gtr_series_read(trace, groups, n_threads, &series, &err) != GTR_OK)
        must(err.text[0] != '\0');
    else
        digest =
            gtr_digest_doubles(GTR_DIGEST_START, series->sumsq, series->n_groups * series->n_steps);
    gtr_series_free(series);
    gtr_groups_free(groups);
    return digest;
}

/* The digest of the norms is the same with any number of threads. */
static inline void read_trace(struct gtr_trace *trace)
{
    int norm;

    for (norm = 0; norm < GTR_NORM_COUNT; norm++)
        if (gtr_trace_has(trace, (enum gtr_norm)norm))
            read_matrix(trace, (enum gtr_norm)norm);
    read_elements(trace);
    must(read_series(trace, 1) == read_series(trace, 2));
}

#endif
