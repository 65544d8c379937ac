/* series.c - from [T][P] sums of squares to [G][T] energies, band by band.
 *
 * Threads take whole bands of steps; a step's sums are made by one thread in tensor order, so they
 * do not depend on how many threads there are.
 */
#include "series.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "threads.h"

struct reading {
    const struct gtr_trace *trace;
    const struct gtr_groups *groups;
    struct gtr_series *series;
    enum gtr_norm norm;
    char **band;          /* [workers] one band each */
    double **sums;        /* [workers][G] */
    struct gtr_err *errs; /* [workers] */
};

static void add_energies(const struct reading *reading, const double *rows, size_t first,
                         size_t n_rows, double *sums)
{
    const struct gtr_groups *groups = reading->groups;
    struct gtr_series *series = reading->series;
    const struct gtr_step *steps = gtr_trace_steps(reading->trace);
    size_t n_tensors = groups->n_tensors, t, i, j;

    for (t = first; t < first + n_rows; t++, rows += n_tensors) {
        double total = 0.0;

        memset(sums, 0, groups->n_groups * sizeof *sums);
        for (i = 0; i < n_tensors; i++) {
            sums[groups->of_tensor[i]] += rows[i];
            total += rows[i];
        }
        for (j = 0; j < groups->n_groups; j++)
            series->sumsq[j * series->n_steps + t] = sums[j];
        total += steps[t].rest;
        series->total_sumsq[t] = total;
        series->total[t] = sqrt(total);
    }
}

/* An infinite element makes a norm infinite; one that is NaN, and one of which the trace does not
 * say what it was, NaN. */
static void mark(uint8_t *oddity, int is_nan)
{
    if (is_nan)
        *oddity = GTR_IS_NAN;
    else if (*oddity == GTR_IS_FINITE)
        *oddity = GTR_IS_INFINITE;
}

/* Of counts: GTR_NONFINITE marks what is not finite, GTR_NAN which of it was NaN. */
static void mark_nonfinite(const struct reading *reading, const uint64_t *rows, size_t first,
                           size_t n_rows)
{
    const struct gtr_groups *groups = reading->groups;
    struct gtr_series *series = reading->series;
    int is_nan = reading->norm == GTR_NAN || !gtr_trace_has(reading->trace, GTR_NAN);
    size_t n_tensors = groups->n_tensors, t, i;

    for (t = first; t < first + n_rows; t++, rows += n_tensors)
        for (i = 0; i < n_tensors; i++)
            if (rows[i] != 0) {
                mark(&series->nonfinite[t], is_nan);
                mark(&series->group_nonfinite[groups->of_tensor[i] * series->n_steps + t], is_nan);
            }
}

/* NaN if it is not known of a tensor. */
static double larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static void take_largest(const struct reading *reading, const float *rows, size_t first,
                         size_t n_rows)
{
    const struct gtr_groups *groups = reading->groups;
    struct gtr_series *series = reading->series;
    size_t n_tensors = groups->n_tensors, n_steps = series->n_steps, t, i;
    double *whole = series->maxabs + groups->n_groups * n_steps;

    for (t = first; t < first + n_rows; t++, rows += n_tensors)
        for (i = 0; i < n_tensors; i++) {
            double *group = &series->maxabs[groups->of_tensor[i] * n_steps + t];

            *group = larger(*group, (double)rows[i]);
            whole[t] = larger(whole[t], (double)rows[i]);
        }
}

static void add_weights(const struct reading *reading, const double *rows, size_t first,
                        size_t n_rows)
{
    const struct gtr_groups *groups = reading->groups;
    struct gtr_series *series = reading->series;
    size_t n_tensors = groups->n_tensors, t, i, j;

    for (t = first; t < first + n_rows; t++, rows += n_tensors) {
        for (i = 0; i < n_tensors; i++)
            series->weight[groups->of_tensor[i] * series->n_steps + t] += rows[i];
        for (j = 0; j < groups->n_groups; j++)
            series->weight[j * series->n_steps + t] = sqrt(series->weight[j * series->n_steps + t]);
    }
}

static void read_band(void *context, size_t band, size_t worker)
{
    const struct reading *reading = context;
    struct gtr_err *err = &reading->errs[worker];
    size_t rows = gtr_trace_band_rows(reading->trace, reading->norm);
    size_t first = band * rows, n_steps = reading->series->n_steps;
    void *values = reading->band[worker];

    if (rows > n_steps - first)
        rows = n_steps - first;
    if (err->code != GTR_OK ||
        gtr_trace_read_band(reading->trace, reading->norm, band, values, err) != GTR_OK)
        return;
    if (reading->norm == GTR_SUMSQ)
        add_energies(reading, values, first, rows, reading->sums[worker]);
    else if (reading->norm == GTR_MAXABS)
        take_largest(reading, values, first, rows);
    else if (reading->norm == GTR_PARAM_SUMSQ)
        add_weights(reading, values, first, rows);
    else
        mark_nonfinite(reading, values, first, rows);
}

/* All bands of one matrix, on all threads. */
static enum gtr_code read_matrix(struct reading *reading, enum gtr_norm norm, size_t n_threads,
                                 struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n_bands = gtr_trace_n_bands(reading->trace, norm);
    size_t n_workers = gtr_threads_count(n_threads, n_bands), w;
    size_t band_rows = gtr_trace_band_rows(reading->trace, norm);

    reading->norm = norm;
    if (band_rows > reading->series->n_steps)
        band_rows = reading->series->n_steps;
    rc = gtr_alloc_for(&reading->band, n_workers, sizeof *reading->band, "bands", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&reading->sums, n_workers, sizeof *reading->sums, "sums", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&reading->errs, n_workers, sizeof *reading->errs, "workers", err);
    for (w = 0; rc == GTR_OK && w < n_workers; w++) {
        rc = gtr_alloc_for(&reading->band[w], band_rows * reading->groups->n_tensors,
                           sizeof(double), "norms", err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&reading->sums[w], reading->groups->n_groups, sizeof(double), "sums",
                               err);
    }
    if (rc == GTR_OK)
        gtr_threads_run(n_workers, n_bands, read_band, reading);
    for (w = 0; w < n_workers; w++) {
        if (rc == GTR_OK)
            rc = gtr_err_again(&reading->errs[w], err);
        gtr_free(reading->band != NULL ? reading->band[w] : NULL);
        gtr_free(reading->sums != NULL ? reading->sums[w] : NULL);
    }
    gtr_free(reading->band);
    gtr_free(reading->sums);
    gtr_free(reading->errs);
    reading->band = NULL;
    reading->sums = NULL;
    reading->errs = NULL;
    return rc;
}

static enum gtr_code need_group_flags(struct gtr_series *series, struct gtr_err *err)
{
    if (series->group_nonfinite != NULL)
        return GTR_OK;
    return gtr_alloc_for(&series->group_nonfinite, series->n_groups * series->n_steps, 1, "flags",
                         err);
}

/* Squares of finite fp64 elements can overflow: such a sum is no norm either. */
static enum gtr_code mark_overflow(struct gtr_series *series, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t t, j;

    for (t = 0; rc == GTR_OK && t < series->n_steps; t++) {
        if (isfinite(series->total_sumsq[t]))
            continue;
        rc = need_group_flags(series, err);
        mark(&series->nonfinite[t], isnan(series->total_sumsq[t]));
        for (j = 0; rc == GTR_OK && j < series->n_groups; j++) {
            double sumsq = series->sumsq[j * series->n_steps + t];

            if (!isfinite(sumsq))
                mark(&series->group_nonfinite[j * series->n_steps + t], isnan(sumsq));
        }
    }
    return rc;
}

/* Room for the norms of these groups. */
static enum gtr_code series_new(char *const *names, size_t n_groups, size_t n_steps,
                                struct gtr_series **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_series *series;
    size_t j;

    rc = gtr_alloc_for(&series, 1, sizeof *series, "series", err);
    if (rc != GTR_OK)
        return rc;
    *out = series;
    series->n_groups = n_groups;
    series->n_steps = n_steps;
    rc = gtr_alloc_for(&series->names, n_groups, sizeof *series->names, "group names", err);
    for (j = 0; rc == GTR_OK && j < n_groups; j++)
        rc = gtr_head_set(&series->names[j], names[j], err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&series->index, n_steps, sizeof *series->index, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&series->sumsq, n_groups * n_steps, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&series->total_sumsq, n_steps, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&series->total, n_steps, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&series->nonfinite, n_steps, 1, "flags", err);
    return rc;
}

/* What the head and the steps say. */
static enum gtr_code read_facts(const struct gtr_trace *trace, const struct gtr_groups *groups,
                                struct gtr_series *series, struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    const struct gtr_step *steps = gtr_trace_steps(trace);
    enum gtr_code rc;
    bool any = false;
    size_t t, i;

    series->left_out = groups->left_out;
    series->total_steps = head->total_steps;
    rc = gtr_alloc_for(&series->numel, groups->n_groups, sizeof(double), "groups", err);
    for (t = 0; t < series->n_steps; t++) {
        series->index[t] = steps[t].index;
        any = any || !isnan(steps[t].loss);
    }
    if (rc == GTR_OK && any)
        rc = gtr_alloc_for(&series->loss, series->n_steps, sizeof(double), "losses", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < head->n_tensors; i++)
        series->numel[groups->of_tensor[i]] += (double)head->tensors[i].numel;
    for (t = 0; any && t < series->n_steps; t++)
        series->loss[t] = steps[t].loss;
    return GTR_OK;
}

/* The matrices that policies seldom ask for. */
static enum gtr_code read_more(struct reading *reading, unsigned what, size_t n_threads,
                               struct gtr_err *err)
{
    struct gtr_series *series = reading->series;
    size_t n_steps = series->n_steps, n_groups = series->n_groups;
    enum gtr_code rc = GTR_OK;

    if ((what & GTR_SERIES_MAXABS) && gtr_trace_has(reading->trace, GTR_MAXABS)) {
        rc = gtr_alloc_for(&series->maxabs, (n_groups + 1) * n_steps, sizeof(double), "norms", err);
        if (rc == GTR_OK)
            rc = read_matrix(reading, GTR_MAXABS, n_threads, err);
    }
    if (rc == GTR_OK && (what & GTR_SERIES_WEIGHTS) &&
        gtr_trace_has(reading->trace, GTR_PARAM_SUMSQ)) {
        rc = gtr_alloc_for(&series->weight, n_groups * n_steps, sizeof(double), "norms", err);
        if (rc == GTR_OK)
            rc = read_matrix(reading, GTR_PARAM_SUMSQ, n_threads, err);
    }
    return rc;
}

enum gtr_code gtr_series_read_with(const struct gtr_trace *trace, const struct gtr_groups *groups,
                                   unsigned what, size_t n_threads, struct gtr_series **out,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_series *series = NULL;
    struct reading reading = { .trace = trace, .groups = groups };
    size_t t;

    *out = NULL;
    if (gtr_trace_n_steps(trace) == 0)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: holds no step: if it is being recorded, none is complete yet",
                        gtr_trace_path(trace));
    rc = series_new(groups->names, groups->n_groups, gtr_trace_n_steps(trace), &series, err);
    if (rc == GTR_OK)
        rc = read_facts(trace, groups, series, err);
    if (rc != GTR_OK)
        goto out;
    reading.series = series;
    rc = read_matrix(&reading, GTR_SUMSQ, n_threads, err);
    if (rc == GTR_OK && gtr_trace_has(trace, GTR_NONFINITE)) {
        rc = need_group_flags(series, err);
        if (rc == GTR_OK)
            rc = read_matrix(&reading, GTR_NONFINITE, n_threads, err);
        if (rc == GTR_OK && gtr_trace_has(trace, GTR_NAN))
            rc = read_matrix(&reading, GTR_NAN, n_threads, err);
    }
    if (rc == GTR_OK)
        rc = mark_overflow(series, err);
    if (rc == GTR_OK)
        rc = read_more(&reading, what, n_threads, err);
    if (rc != GTR_OK)
        goto out;
    for (t = 0; t < series->n_steps; t++)
        series->n_nonfinite += series->nonfinite[t] != GTR_IS_FINITE;
    *out = series;
    series = NULL;
out:
    gtr_series_free(series);
    return rc;
}

enum gtr_code gtr_series_read(const struct gtr_trace *trace, const struct gtr_groups *groups,
                              size_t n_threads, struct gtr_series **series, struct gtr_err *err)
{
    return gtr_series_read_with(trace, groups, 0, n_threads, series, err);
}

void gtr_series_free(struct gtr_series *series)
{
    size_t j;

    if (series == NULL)
        return;
    for (j = 0; series->names != NULL && j < series->n_groups; j++)
        gtr_free(series->names[j]);
    gtr_free(series->names);
    gtr_free(series->index);
    gtr_free(series->sumsq);
    gtr_free(series->total_sumsq);
    gtr_free(series->total);
    gtr_free(series->nonfinite);
    gtr_free(series->group_nonfinite);
    gtr_free(series->loss);
    gtr_free(series->numel);
    gtr_free(series->maxabs);
    gtr_free(series->weight);
    gtr_free(series);
}

/* Copies n_steps columns of each row of a [G][T] array. */
static void copy_columns(void *to, const void *from, size_t n_groups, size_t width, size_t first,
                         size_t n_steps, size_t size)
{
    size_t j;

    for (j = 0; j < n_groups; j++)
        memcpy((char *)to + j * n_steps * size, (const char *)from + (j * width + first) * size,
               n_steps * size);
}

/* The same for what only some series have. */
static enum gtr_code copy_doubles(double **to, const double *from, size_t n_rows, size_t width,
                                  size_t first, size_t n_steps, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (from == NULL)
        return GTR_OK;
    rc = gtr_alloc_for(to, n_rows * n_steps, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        copy_columns(*to, from, n_rows, width, first, n_steps, sizeof(double));
    return rc;
}

enum gtr_code gtr_series_window(const struct gtr_series *series, size_t first, size_t n_steps,
                                struct gtr_series **window, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_series *w = NULL;
    size_t width = series->n_steps, t;

    *window = NULL;
    if (n_steps == 0 || first > width || n_steps > width - first)
        return gtr_fail(err, GTR_EUSAGE, "rows %zu to %zu of %zu", first, first + n_steps, width);
    rc = series_new(series->names, series->n_groups, n_steps, &w, err);
    if (rc == GTR_OK && series->group_nonfinite != NULL)
        rc = need_group_flags(w, err);
    if (rc == GTR_OK)
        rc = copy_doubles(&w->loss, series->loss, 1, width, first, n_steps, err);
    if (rc == GTR_OK)
        rc = copy_doubles(&w->numel, series->numel, 1, w->n_groups, 0, w->n_groups, err);
    if (rc == GTR_OK)
        rc = copy_doubles(&w->maxabs, series->maxabs, w->n_groups + 1, width, first, n_steps, err);
    if (rc == GTR_OK)
        rc = copy_doubles(&w->weight, series->weight, w->n_groups, width, first, n_steps, err);
    if (rc != GTR_OK) {
        gtr_series_free(w);
        return rc;
    }
    w->left_out = series->left_out;
    w->total_steps = series->total_steps;
    memcpy(w->index, series->index + first, n_steps * sizeof *w->index);
    memcpy(w->total_sumsq, series->total_sumsq + first, n_steps * sizeof *w->total_sumsq);
    memcpy(w->total, series->total + first, n_steps * sizeof *w->total);
    memcpy(w->nonfinite, series->nonfinite + first, n_steps);
    copy_columns(w->sumsq, series->sumsq, w->n_groups, width, first, n_steps, sizeof(double));
    if (w->group_nonfinite != NULL)
        copy_columns(w->group_nonfinite, series->group_nonfinite, w->n_groups, width, first,
                     n_steps, 1);
    for (t = 0; t < n_steps; t++)
        w->n_nonfinite += w->nonfinite[t] != GTR_IS_FINITE;
    *window = w;
    return GTR_OK;
}
