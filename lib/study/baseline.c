/* baseline.c - the causal averages, one pass over each group. */
#include "baseline.h"

#include <math.h>
#include <stdbool.h>

#include "alloc.h"
#include "exact.h"
#include "order.h"

void gtr_baseline_options_init(struct gtr_baseline_options *options)
{
    options->decay = 0.98;
    options->kappa = 1.5;
    options->warmup = 10;
}

/* --- what is expected ------------------------------------------------------------------------- */

enum { EARLY_MOST = 32, AHEAD_MOST = 2 * EARLY_MOST };

/* One row of norms, and who of it counts. */
struct row {
    const double *sumsq;
    const uint8_t *skip, *nonfinite;
    size_t n_steps;
};

static bool is_norm(const struct row *row, size_t t)
{
    return !row->skip[t] && !row->nonfinite[t] && row->sumsq[t] > 0.0;
}

/* Median of the next 2 `early` norms; 0 if fewer than `early` follow. */
static double level_ahead(const struct row *row, size_t t, size_t early)
{
    double next[AHEAD_MOST];
    size_t n = 0, k;

    for (t++; t < row->n_steps && n < 2 * early; t++) {
        double norm = sqrt(row->sumsq[t]);

        if (!is_norm(row, t))
            continue;
        for (k = n++; k > 0 && norm < next[k - 1]; k--)
            next[k] = next[k - 1];
        next[k] = norm;
    }
    return n < early ? 0.0 : gtr_order_quantile(next, n, 0.5);
}

static double at_most(double x, double most)
{
    return x < most ? x : most;
}

void gtr_baseline_average(const double *sumsq, const uint8_t *skip, const uint8_t *nonfinite,
                          size_t n_steps, const struct gtr_baseline_options *options,
                          double *average)
{
    const struct row row = { sumsq, skip, nonfinite, n_steps };
    struct gtr_follower past = { 0 };
    size_t early = options->warmup < EARLY_MOST ? (size_t)options->warmup : EARLY_MOST, t;

    for (t = 0; t < n_steps; t++) {
        double norm = sqrt(sumsq[t]), before = gtr_follower_average(&past), ahead = 0.0;
        bool has_past = past.seen > 0 && past.seen >= options->warmup;

        average[t] = has_past ? before : (double)NAN;
        if (skip[t] || nonfinite[t])
            continue;
        if (!has_past && (size_t)past.seen < early && is_norm(&row, t)) {
            ahead = level_ahead(&row, t, early);
            if (ahead > 0.0 && past.seen > 0) {
                average[t] = before > ahead ? before : ahead;
                norm = at_most(norm, GTR_FOLLOWER_RISE * average[t]);
            }
        }
        gtr_follower_add(&past, options, norm);
        /* Norms that began high were innocent, but are no past for those that come now. */
        if (ahead > 0.0 && (size_t)past.seen == early)
            past.average = at_most(past.average, GTR_FOLLOWER_RISE * ahead * past.weight);
    }
}

/* One group: its log_ratio, and its part of B into energy[t]. */
static void follow_group(const struct gtr_series *series, const uint8_t *skip, size_t group,
                         struct gtr_baseline *b)
{
    const double *sumsq = series->sumsq + group * series->n_steps;
    double *log_ratio = b->log_ratio + group * series->n_steps;
    size_t t;

    gtr_baseline_average(sumsq, skip, series->nonfinite, series->n_steps, &b->options, log_ratio);
    for (t = 0; t < series->n_steps; t++) {
        double average = log_ratio[t], expected = b->options.kappa * average;

        log_ratio[t] = NAN;
        if (skip[t] || series->nonfinite[t])
            continue;
        if (isnan(average) || sumsq[t] == 0.0) { /* no baseline: innocent */
            b->energy[t] += sumsq[t];
            continue;
        }
        expected *= expected;
        b->energy[t] += sumsq[t] < expected ? sumsq[t] : expected;
        log_ratio[t] = gtr_ln(sqrt(sumsq[t])) - gtr_ln(average);
    }
}

enum gtr_code gtr_baseline_new(const struct gtr_series *series, const uint8_t *skip,
                               const struct gtr_baseline_options *options,
                               struct gtr_baseline **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_baseline *b;
    size_t j;

    *out = NULL;
    rc = gtr_alloc_for(&b, 1, sizeof *b, "baselines", err);
    if (rc != GTR_OK)
        return rc;
    b->options = *options;
    b->n_groups = series->n_groups;
    b->n_steps = series->n_steps;
    b->log_kappa = gtr_ln(options->kappa);
    rc = gtr_alloc_for(&b->log_ratio, b->n_groups * b->n_steps, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->energy, b->n_steps, sizeof(double), "norms", err);
    if (rc != GTR_OK) {
        gtr_baseline_free(b);
        return rc;
    }
    for (j = 0; j < series->n_groups; j++)
        follow_group(series, skip, j, b);
    *out = b;
    return GTR_OK;
}

void gtr_baseline_free(struct gtr_baseline *baseline)
{
    if (baseline == NULL)
        return;
    gtr_free(baseline->log_ratio);
    gtr_free(baseline->energy);
    gtr_free(baseline);
}

double gtr_baseline_fair(const struct gtr_baseline *b, size_t t, double energy)
{
    size_t j;

    for (j = 0; j < b->n_groups; j++)
        if (b->log_ratio[j * b->n_steps + t] > b->log_kappa)
            return b->energy[t] < energy ? b->energy[t] : energy;
    return energy;
}

double gtr_baseline_bystanders(const struct gtr_baseline *b, const struct gtr_series *series,
                               size_t t)
{
    size_t n_active = 0, n_above = 0, j;

    for (j = 0; j < b->n_groups; j++) {
        n_active += series->sumsq[j * b->n_steps + t] > 0.0 ? 1 : 0;
        n_above += b->log_ratio[j * b->n_steps + t] > b->log_kappa ? 1 : 0;
    }
    return n_active > 0 ? (double)(n_active - n_above) / (double)n_active : 0.0;
}

/* --- noise ------------------------------------------------------------------------------------ */

/* Sorts those that are there into scratch, and returns how many. */
static size_t sort_ratios(const double *log_ratio, size_t n, double *scratch)
{
    size_t count = 0, i;

    for (i = 0; i < n; i++)
        if (!isnan(log_ratio[i]))
            scratch[count++] = log_ratio[i];
    gtr_order_sort(scratch, scratch + n, count);
    return count;
}

double gtr_baseline_reach(const double *log_ratio, size_t n, double *scratch)
{
    size_t count = sort_ratios(log_ratio, n, scratch);

    return 2.0 * gtr_order_quantile(scratch, count, 0.5) - gtr_order_quantile(scratch, count, 0.01);
}

double gtr_baseline_chance(const double *log_ratio, size_t n, double log_kappa, double *scratch)
{
    size_t count = sort_ratios(log_ratio, n, scratch), below;
    double mirror;

    mirror = 2.0 * gtr_order_quantile(scratch, count, 0.5) - log_kappa;
    below = gtr_order_below(scratch, count, mirror);
    return count > 0 ? (double)below / (double)count : (double)NAN;
}

/* Median and deviation of one group's log ratios; n of them are copied to `values`. */
static size_t noise_of(const double *log_ratio, size_t n_steps, double *values, double *scratch,
                       double *median, double *deviation)
{
    size_t n = 0, i, t;

    for (t = 0; t < n_steps; t++)
        if (!isnan(log_ratio[t]))
            values[n++] = log_ratio[t];
    gtr_order_sort(values, scratch, n);
    *median = gtr_order_quantile(values, n, 0.5);
    for (i = 0; i < n; i++)
        values[i] = fabs(values[i] - *median);
    gtr_order_sort(values, scratch, n);
    *deviation = 1.4826 * gtr_order_quantile(values, n, 0.5);
    return n;
}

static void look_at_group(const struct gtr_baseline *b, size_t group, double sigmas, double *values,
                          struct gtr_outliers *out)
{
    const double *log_ratio = b->log_ratio + group * b->n_steps;
    double median, deviation;
    size_t t;

    out->n_based +=
        noise_of(log_ratio, b->n_steps, values, values + b->n_steps, &median, &deviation);
    for (t = 0; t < b->n_steps; t++) {
        double off = deviation > 0.0 ? (log_ratio[t] - median) / deviation : 0.0;

        out->n_spikes += log_ratio[t] > b->log_kappa ? 1 : 0;
        out->n_outliers += off > sigmas ? 1 : 0;
        if (off > out->sigmas) {
            out->sigmas = off;
            out->group = group;
            out->step = t;
            out->ratio = gtr_exp(log_ratio[t]);
        }
    }
}

enum gtr_code gtr_baseline_outliers(const struct gtr_baseline *baseline, double sigmas,
                                    struct gtr_outliers *out, struct gtr_err *err)
{
    enum gtr_code rc;
    double *values;
    size_t j;

    *out = (struct gtr_outliers){ 0 };
    rc = gtr_alloc_for(&values, 2 * baseline->n_steps, sizeof *values, "norms", err);
    if (rc != GTR_OK)
        return rc;
    for (j = 0; j < baseline->n_groups; j++)
        look_at_group(baseline, j, sigmas, values, out);
    gtr_free(values);
    return GTR_OK;
}
