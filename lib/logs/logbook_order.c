/* logbook_order.c - rows as they came, put in order: by step, then by line.
 *
 * Rows of one step are joined; steps without norms are left out; what is missing or cannot be
 * represented is counted.
 */
#include "logbook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

enum {
    SPARSE_FROM = 1000000, /* norms; below that a table full of holes costs nothing */
    SPARSE_SHARE = 100     /* less than one in so many is a mistake about columns */
};

static int by_step(const void *a, const void *b)
{
    const struct gtr_log_line *left = a, *right = b;

    if (left->step != right->step)
        return left->step < right->step ? -1 : 1;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->first < right->first ? -1 : left->first > right->first;
}

static void sort_rows(struct gtr_log *log)
{
    size_t i;

    for (i = 1; i < log->n_rows; i++)
        if (by_step(&log->rows[i - 1], &log->rows[i]) > 0)
            break;
    if (i < log->n_rows)
        qsort(log->rows, log->n_rows, sizeof *log->rows, by_step);
}

uint32_t gtr_log_place_of(const struct gtr_log *log, uint32_t owner)
{
    return owner < log->names.n_names ? log->about[owner].place : GTR_LOG_NOT_SERIES;
}

/* Where each series was seen last. */
struct sight {
    size_t step; /* + 1 */
    double value;
    uint32_t line;
};

static enum gtr_code repeated(const struct gtr_log *log, const struct gtr_log_line *row,
                              uint32_t place, uint32_t line, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT,
                    "%s:%lu: step %lld has %.80s already, on line %lu; if the run was resumed, "
                    "keep the first or the last with --repeats",
                    log->name, (unsigned long)row->line, (long long)row->step, log->series[place],
                    (unsigned long)line);
}

/* Ranks that share a console all print the same. */
static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Takes one row into the step; *n_norms counts the series that the step has. */
static enum gtr_code join_row(struct gtr_log *log, const struct gtr_log_line *row,
                              struct gtr_step *step, struct sight *sights, size_t *n_norms,
                              struct gtr_err *err)
{
    size_t c;

    for (c = row->first; c < row->first + row->n; c++) {
        uint32_t owner = log->owners[c], place = gtr_log_place_of(log, owner);

        if (owner == GTR_LOG_LOSS && !isnan(log->values[c]))
            step->loss = log->values[c];
        if (owner == GTR_LOG_LR && !isnan(log->values[c]))
            step->lr = log->values[c];
        if (place == GTR_LOG_NOT_SERIES)
            continue;
        if (sights[place].step != log->summary.n_steps + 1) {
            sights[place].step = log->summary.n_steps + 1;
            ++*n_norms;
        } else if (same(sights[place].value, log->values[c])) {
            log->summary.n_same++;
        } else if (log->repeats == GTR_REPEATS_ERROR) {
            return repeated(log, row, place, sights[place].line, err);
        } else {
            log->summary.n_repeats++;
        }
        sights[place].line = row->line;
        sights[place].value = log->values[c];
    }
    return GTR_OK;
}

/* Joins the rows of each step; steps and rows without norms are dropped.  *n_norms is how many
 * (step, series) there are. */
static enum gtr_code join_rows(struct gtr_log *log, struct sight *sights, size_t *n_norms,
                               struct gtr_err *err)
{
    size_t capacity = 0, first_capacity = 0, kept = 0, r = 0;
    enum gtr_code rc = GTR_OK;

    while (rc == GTR_OK && r < log->n_rows) {
        size_t t = log->summary.n_steps, from = r, n_before = *n_norms;

        rc = gtr_grow(&log->steps, &capacity, t + 1, sizeof *log->steps, err);
        if (rc == GTR_OK)
            rc = gtr_grow(&log->first_row, &first_capacity, t + 2, sizeof *log->first_row, err);
        if (rc != GTR_OK)
            return rc;
        log->steps[t] = (struct gtr_step){
            .index = log->rows[r].step, .loss = NAN, .lr = NAN, .time = NAN, .applied_scale = NAN
        };
        for (; rc == GTR_OK && r < log->n_rows && log->rows[r].step == log->steps[t].index; r++)
            rc = join_row(log, &log->rows[r], &log->steps[t], sights, n_norms, err);
        if (*n_norms == n_before) {
            log->summary.n_idle_rows += r - from;
            continue;
        }
        log->first_row[t] = kept;
        memmove(log->rows + kept, log->rows + from, (r - from) * sizeof *log->rows);
        kept += r - from;
        log->first_row[t + 1] = kept;
        log->summary.n_steps++;
    }
    return rc;
}

static enum gtr_code order_steps(struct gtr_log *log, struct gtr_err *err)
{
    struct gtr_log_summary *summary = &log->summary;
    struct sight *sights = NULL;
    enum gtr_code rc;
    size_t n_norms = 0;

    sort_rows(log);
    rc = gtr_alloc_for(&sights, summary->n_series, sizeof *sights, "series", err);
    if (rc == GTR_OK)
        rc = join_rows(log, sights, &n_norms, err);
    gtr_free(sights);
    if (rc != GTR_OK)
        return rc;
    if (summary->n_steps * summary->n_series - n_norms > SPARSE_FROM &&
        n_norms < summary->n_steps * summary->n_series / SPARSE_SHARE)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: %zu series over %zu steps, and less than 1 in %d norms is there; is "
                        "the right column taken for the series' names?",
                        log->name, summary->n_series, summary->n_steps, SPARSE_SHARE);
    return GTR_OK;
}

static void count_value(struct gtr_log_summary *summary, double value)
{
    if (!isfinite(value))
        summary->n_nonfinite++;
    else if (summary->squares)
        return;
    else if (!isfinite(value * value))
        summary->n_large++;
    else if (sqrt(value * value) != value)
        summary->n_small++;
}

/* One step's values as the log has them, where present is not 0.  Of those given twice the first or
 * the last counts. */
void gtr_log_gather(const struct gtr_log *log, size_t t, double *values, uint64_t *present)
{
    size_t r, c;

    memset(present, 0, log->summary.n_series * sizeof *present);
    for (r = log->first_row[t]; r < log->first_row[t + 1]; r++) {
        const struct gtr_log_line *row = &log->rows[r];

        for (c = row->first; c < row->first + row->n; c++) {
            uint32_t place = gtr_log_place_of(log, log->owners[c]);

            if (place == GTR_LOG_NOT_SERIES ||
                (present[place] != 0 && log->repeats != GTR_REPEATS_LAST))
                continue;
            present[place] = 1;
            values[place] = log->values[c];
        }
    }
}

static enum gtr_code count_values(struct gtr_log *log, struct gtr_err *err)
{
    uint64_t *present = NULL;
    double *values = NULL;
    enum gtr_code rc;
    size_t t, i;

    rc = gtr_alloc_for(&values, log->summary.n_series, sizeof *values, "series", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&present, log->summary.n_series, sizeof *present, "series", err);
    for (t = 0; rc == GTR_OK && t < log->summary.n_steps; t++) {
        gtr_log_gather(log, t, values, present);
        for (i = 0; i < log->summary.n_series; i++)
            if (present[i])
                count_value(&log->summary, values[i]);
            else
                log->summary.n_missing++;
    }
    gtr_free(values);
    gtr_free(present);
    return rc;
}

void gtr_log_cells(const struct gtr_log *log, size_t t, double *cells)
{
    size_t r, c;

    for (c = 0; c < log->summary.n_series; c++)
        cells[c] = -1.0;
    for (r = log->first_row[t]; r < log->first_row[t + 1]; r++) {
        const struct gtr_log_line *row = &log->rows[r];

        for (c = row->first; c < row->first + row->n; c++) {
            uint32_t place = gtr_log_place_of(log, log->owners[c]);

            if (place != GTR_LOG_NOT_SERIES &&
                (cells[place] < 0.0 || log->repeats == GTR_REPEATS_LAST))
                cells[place] = (double)c;
        }
    }
}

void gtr_log_row(const struct gtr_log *log, size_t t, double *sumsq, uint64_t *nonfinite)
{
    size_t i;

    gtr_log_gather(log, t, sumsq, nonfinite);
    for (i = 0; i < log->summary.n_series; i++) {
        double value = nonfinite[i] != 0 ? sumsq[i] : 0.0;
        double square = log->summary.squares ? value + 0.0 : value * value; /* -0 becomes 0 */

        nonfinite[i] = isfinite(square) ? 0u : 1u;
        sumsq[i] = isfinite(square) ? square : 0.0;
    }
}

enum gtr_code gtr_log_order(struct gtr_log *log, struct gtr_err *err)
{
    enum gtr_code rc = order_steps(log, err);

    if (rc == GTR_OK)
        rc = gtr_log_drop_by_number(log, err);
    if (rc == GTR_OK)
        rc = count_values(log, err);
    log->summary.stride = gtr_steps_stride(log->steps, log->summary.n_steps);
    return rc;
}
