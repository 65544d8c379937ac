/* calm.c - when a run has settled, how far each group's noise reaches, and who is calm. */
#include "calm.h"

#include <math.h>

#include "alloc.h"
#include "order.h"
#include "spill.h"

enum { SETTLE_LOOKS = 64 };

/* The median norm from row `first` on. */
static double level_from(const struct gtr_replay *replay, size_t first, double *values)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const uint8_t *skip = gtr_replay_skip(replay);
    size_t n = 0, t;

    for (t = first; t < series->n_steps; t++)
        if (!skip[t] && !series->nonfinite[t] && series->total[t] > 0.0)
            values[n++] = series->total[t];
    gtr_order_sort(values, values + series->n_steps, n);
    return gtr_order_quantile(values, n, 0.5);
}

enum gtr_code gtr_spill_settled(const struct gtr_replay *replay, size_t *row, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const uint8_t *skip = gtr_replay_skip(replay);
    size_t n = series->n_steps, look, t = 0;
    enum gtr_code rc;
    double *values;

    *row = 0;
    rc = gtr_alloc_for(&values, 2 * n, sizeof *values, "steps", err);
    if (rc != GTR_OK)
        return rc;
    /* The median of what follows changes little over a 64th of the run. */
    for (look = 0; look < SETTLE_LOOKS / 2; look++) {
        size_t end = n * (look + 1) / SETTLE_LOOKS;
        double high = GTR_SPILL_SETTLED * level_from(replay, t, values);

        for (; t < end; t++)
            if (!skip[t] && !series->nonfinite[t] && series->total[t] <= high)
                goto out;
    }
out:
    *row = t;
    gtr_free(values);
    return GTR_OK;
}

/* One group: 1 where it is calm, else 0.  `scratch` [2 T]. */
static void mark_group(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                       size_t group, size_t settled, double *scratch, double *calm)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const uint8_t *skip = gtr_replay_skip(replay);
    const double *log_ratio = baseline->log_ratio + group * baseline->n_steps;
    const double *sumsq = series->sumsq + group * series->n_steps;
    double reach = gtr_baseline_reach(log_ratio, baseline->n_steps, scratch);
    double ceiling = reach > baseline->log_kappa ? reach : baseline->log_kappa;
    size_t t;

    for (t = settled; t < series->n_steps; t++)
        if (!skip[t] && !series->nonfinite[t] && sumsq[t] > 0.0 && !(log_ratio[t] > ceiling))
            calm[t] = 1.0;
}

enum gtr_code gtr_calm_new(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                           double **weight, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    size_t n = series->n_steps, settled, t, j;
    double *scratch = NULL;
    enum gtr_code rc;

    *weight = NULL;
    rc = gtr_spill_settled(replay, &settled, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(weight, series->n_groups * n, sizeof **weight, "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&scratch, 2 * n, sizeof *scratch, "steps", err);
    for (j = 0; rc == GTR_OK && j < series->n_groups; j++)
        mark_group(replay, baseline, j, settled, scratch, *weight + j * n);
    gtr_free(scratch);
    for (t = 0; rc == GTR_OK && t < n; t++) {
        double active = 0.0;

        for (j = 0; j < series->n_groups; j++)
            active += series->sumsq[j * n + t] > 0.0 ? 1.0 : 0.0;
        for (j = 0; j < series->n_groups; j++)
            (*weight)[j * n + t] /= active > 0.0 ? active : 1.0;
    }
    if (rc != GTR_OK) {
        gtr_free(*weight);
        *weight = NULL;
    }
    return rc;
}
