/* sweep_rows.c - one pass over the series, step by step. */
#include "sweep_rows.h"

#include <math.h>

#include "alloc.h"
#include "objectives.h"
#include "policy.h"

static void fill_row(const struct gtr_replay *replay, const struct gtr_baseline *baseline, size_t t,
                     struct gtr_sweep_rows *rows)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    struct gtr_sweep_row *row = &rows->row[rows->n_rows];
    struct gtr_sweep_cell *cell = &rows->cell[rows->n_rows * rows->n_groups];
    size_t j;

    row->n_based = 0.0;
    for (j = 0; j < rows->n_groups; j++) {
        size_t at = j * series->n_steps + t;
        struct gtr_lane_input in;

        gtr_replay_input(replay, j, &in);
        cell[j].energy = series->sumsq[at];
        cell[j].sumsq = series->group_nonfinite != NULL
                            ? gtr_odd(series->sumsq[at], series->group_nonfinite[at])
                            : series->sumsq[at];
        cell[j].norm = sqrt(cell[j].sumsq);
        cell[j].maxabs = in.maxabs != NULL ? in.maxabs[t] : (double)NAN;
        cell[j].weight = in.weight != NULL ? in.weight[t] : (double)NAN;
        rows->numel[j] = in.numel;
        row->loss = in.loss != NULL ? in.loss[t] : (double)NAN;
        row->total_maxabs = in.total_maxabs != NULL ? in.total_maxabs[t] : (double)NAN;
        cell[j].log_ratio = baseline->log_ratio[at];
        cell[j].based = isnan(cell[j].log_ratio) ? 0u : 1u;
        cell[j].spike = cell[j].log_ratio > rows->log_kappa ? 1u : 0u;
        if (j != rows->left_out) {
            rows->based += cell[j].based;
            row->n_based += cell[j].based;
            rows->spikes += cell[j].spike;
        }
    }
    row->progress = gtr_replay_progress(replay)[t];
    row->total = gtr_replay_total(replay)[t];
    row->energy = (double)NAN;
    row->log_energy = row->log_fair = -HUGE_VAL;
    row->bystanders = gtr_baseline_bystanders(baseline, series, t);
    if (!series->nonfinite[t]) {
        row->energy = series->total_sumsq[t];
        row->log_energy = gtr_log_energy(row->energy);
        row->log_fair = gtr_log_energy(gtr_baseline_fair(baseline, t, row->energy));
    }
    rows->n_rows++;
}

enum gtr_code gtr_sweep_rows_new(const struct gtr_replay *replay,
                                 const struct gtr_baseline *baseline, struct gtr_sweep_rows **out,
                                 struct gtr_err *err)
{
    enum gtr_code rc;
    const struct gtr_series *series = gtr_replay_series(replay);
    const uint8_t *skip = gtr_replay_skip(replay);
    struct gtr_sweep_rows *rows;
    size_t t;

    *out = NULL;
    if (series->n_groups > 0 && series->n_steps > UINT32_MAX / series->n_groups)
        return gtr_fail(err, GTR_EUSAGE,
                        "%zu steps of %zu groups: more norms than a sweep can count (2^32)",
                        series->n_steps, series->n_groups);
    rc = gtr_alloc_for(&rows, 1, sizeof *rows, "sweeps", err);
    if (rc != GTR_OK)
        return rc;
    rows->n_groups = series->n_groups;
    rows->left_out = series->left_out;
    rows->log_kappa = baseline->log_kappa;
    rc = gtr_alloc_for(&rows->row, series->n_steps, sizeof *rows->row, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&rows->cell, series->n_steps * series->n_groups, sizeof *rows->cell,
                           "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&rows->numel, series->n_groups, sizeof(double), "groups", err);
    if (rc != GTR_OK) {
        gtr_sweep_rows_free(rows);
        return rc;
    }
    for (t = 0; t < series->n_steps; t++)
        if (!skip[t])
            fill_row(replay, baseline, t, rows);
    *out = rows;
    return GTR_OK;
}

void gtr_sweep_rows_free(struct gtr_sweep_rows *rows)
{
    if (rows == NULL)
        return;
    gtr_free(rows->row);
    gtr_free(rows->cell);
    gtr_free(rows->numel);
    gtr_free(rows);
}
