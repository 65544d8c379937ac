/* log_more.c - weights' norms, largest elements and numbers of elements, cell by cell.
 *
 * Each lies in an array of its own beside the log's values, so that logs without them, which are
 * nearly all, pay nothing.
 */
#include "log_more.h"

#include <math.h>
#include <string.h>

#include "alloc.h"

enum gtr_code gtr_log_add_more(struct gtr_log *log, enum gtr_role role, double value,
                               struct gtr_err *err)
{
    struct gtr_log_more *more = &log->more[role - GTR_ROLE_WEIGHT];
    enum gtr_code rc =
        gtr_grow(&more->values, &more->capacity, log->n_cells, sizeof *more->values, err);

    if (rc != GTR_OK)
        return rc;
    for (; more->n + 1 < log->n_cells; more->n++)
        more->values[more->n] = (double)NAN;
    more->values[log->n_cells - 1] = value;
    more->n = log->n_cells;
    return GTR_OK;
}

bool gtr_log_has_more(const struct gtr_log *log, enum gtr_role role)
{
    return log->more[role - GTR_ROLE_WEIGHT].n > 0;
}

void gtr_log_more(const struct gtr_log *log, size_t t, enum gtr_role role, double *values)
{
    const struct gtr_log_more *more = &log->more[role - GTR_ROLE_WEIGHT];
    size_t i;

    gtr_log_cells(log, t, values);
    for (i = 0; i < log->summary.n_series; i++) {
        size_t cell = (size_t)values[i];

        values[i] = values[i] >= 0.0 && cell < more->n ? more->values[cell] : (double)NAN;
    }
}

void gtr_log_nan(const struct gtr_log *log, size_t t, uint64_t *nan)
{
    size_t r, c;

    /* Of a norm given twice the first or the last counts, as there. */
    memset(nan, 0, log->summary.n_series * sizeof *nan);
    for (r = log->first_row[t]; r < log->first_row[t + 1]; r++)
        for (c = log->rows[r].first; c < log->rows[r].first + log->rows[r].n; c++) {
            uint32_t place = gtr_log_place_of(log, log->owners[c]);

            if (place != GTR_LOG_NOT_SERIES &&
                (nan[place] == 0 || log->repeats == GTR_REPEATS_LAST))
                nan[place] = isnan(log->values[c]) ? 2u : 1u;
        }
    for (c = 0; c < log->summary.n_series; c++)
        nan[c] = nan[c] == 2u ? 1u : 0u;
}

enum gtr_code gtr_log_numel(const struct gtr_log *log, uint64_t **numel, struct gtr_err *err)
{
    size_t n = log->summary.n_series, t, i;
    double *values = NULL;
    enum gtr_code rc = gtr_alloc_for(numel, n, sizeof **numel, "series", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&values, n, sizeof *values, "series", err);
    for (t = 0; rc == GTR_OK && gtr_log_has_more(log, GTR_ROLE_NUMEL) && t < log->summary.n_steps;
         t++) {
        gtr_log_more(log, t, GTR_ROLE_NUMEL, values);
        for (i = 0; i < n; i++)
            if ((*numel)[i] == 0 && values[i] >= 1.0 && values[i] <= 0x1p53)
                (*numel)[i] = (uint64_t)values[i];
    }
    for (i = 0; rc == GTR_OK && i < n; i++)
        (*numel)[i] += (*numel)[i] == 0;
    gtr_free(values);
    return rc;
}
