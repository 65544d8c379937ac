/* update_summary.c - quantiles, means and extremes over the steps: a change is judged by its
 * median, as one spike moves a mean. */
#include "update_found.h"

#include <math.h>

/* One quantity at the steps that count. */
struct column {
    double *values;
    size_t n;
};

enum { CHANGE, CHANGE_ERROR, HINTED, COSINE, RATIO, N_COLUMNS };

static void column_add(struct column *column, double value)
{
    if (!isnan(value))
        column->values[column->n++] = value;
}

/* By linear interpolation between the two nearest, as all quantiles here.  The column is sorted. */
static double quantile(const struct column *sorted, double q)
{
    double at = q * (double)(sorted->n > 0 ? sorted->n - 1 : 0);
    size_t i = (size_t)at;

    if (sorted->n == 0)
        return (double)NAN;
    /* Infinite neighbours have no difference. */
    if (i + 1 >= sorted->n || sorted->values[i] == sorted->values[i + 1])
        return sorted->values[i];
    return sorted->values[i] + (at - (double)i) * (sorted->values[i + 1] - sorted->values[i]);
}

static double mean(const struct column *column)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < column->n; i++)
        sum += column->values[i];
    return sum / (double)column->n;
}

static double root_mean_square(const struct column *column)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < column->n; i++)
        sum += column->values[i] * column->values[i];
    return sqrt(sum / (double)column->n);
}

/* Half of the change's 95 % interval, by Student's t.  An odd number of degrees of freedom counts
 * as one less, but for 1, where t is tan(0.475 pi). */
static double half_interval(const struct gtr_update_errors *error)
{
    double freedom = fmin(error->freedom, 1000.0);

    if (isnan(error->change) || error->change == 0.0)
        return error->change;
    return error->change *
           (freedom < 2.0 ? 12.706204736 : gtr_student_quantile(0.05, (int)freedom / 2 * 2));
}

/* Fills the columns, and what needs the order of steps. */
static void gather(const struct update_found *found, size_t policy, size_t group,
                   struct column columns[N_COLUMNS], struct update_summary *summary)
{
    const uint8_t *skip = gtr_replay_skip(found->study->replay);
    size_t r;

    for (r = found->n_warm_up; r < found->n_rows; r++) {
        struct update_place place;
        double change;

        if (skip[update_row(found, r)])
            continue;
        update_place_at(found, policy, group, r, &place);
        change = found->update != NULL ? place.values.change : place.hinted;
        summary->n++;
        summary->n_clipped += place.clipped ? 1 : 0;
        summary->n_raised += place.raised ? 1 : 0;
        /* Written so that the first number replaces the NaN. */
        if (!isnan(change) && !(change <= summary->change_max)) {
            summary->change_max = change;
            summary->max_step = place.step;
        }
        column_add(&columns[CHANGE], change);
        if (change > 0.0) /* no change has no error either */
            column_add(&columns[CHANGE_ERROR], half_interval(&place.values.error));
        column_add(&columns[HINTED], place.hinted);
        column_add(&columns[COSINE], place.values.cosine);
        column_add(&columns[RATIO],
                   place.values.change == 0.0 ? 1.0 : place.values.norm / place.values.plain);
    }
}

static void summarise(const struct update_found *found, size_t policy, size_t group, double *room,
                      struct update_summary *summary)
{
    struct column columns[N_COLUMNS];
    size_t i;

    *summary = (struct update_summary){ .change_max = (double)NAN };
    for (i = 0; i < N_COLUMNS; i++)
        columns[i] = (struct column){ room + i * found->n_rows, 0 };
    gather(found, policy, group, columns, summary);
    summary->n_changes = columns[CHANGE].n;
    summary->change_rms = root_mean_square(&columns[CHANGE]);
    summary->hinted_rms = root_mean_square(&columns[HINTED]);
    summary->cosine_mean = mean(&columns[COSINE]);
    for (i = 0; i < N_COLUMNS; i++)
        figure_sort(columns[i].values, columns[i].n);
    summary->change_p50 = quantile(&columns[CHANGE], 0.5);
    summary->change_p90 = quantile(&columns[CHANGE], 0.9);
    summary->change_half = quantile(&columns[CHANGE_ERROR], 0.5);
    summary->cosine_min = quantile(&columns[COSINE], 0.0);
    summary->ratio_p50 = quantile(&columns[RATIO], 0.5);
}

enum gtr_code update_summaries_new(const struct update_found *found,
                                   struct update_summary **summaries, struct gtr_err *err)
{
    size_t n_groups = found->n_groups + 1, p, g;
    double *room = NULL;
    enum gtr_code rc;

    rc = gtr_alloc_for(summaries, found->study->n_settings * n_groups, sizeof **summaries,
                       "summaries", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&room, N_COLUMNS * found->n_rows, sizeof *room, "steps", err);
    for (p = 0; rc == GTR_OK && p < found->study->n_settings; p++)
        for (g = 0; g < n_groups; g++)
            summarise(found, p, g, room, *summaries + p * n_groups + g);
    gtr_free(room);
    return rc;
}
