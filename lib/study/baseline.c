/* baseline.c - the causal averages, one pass over each group. */
#include "baseline.h"

#include <math.h>

#include "alloc.h"
#include "exact.h"
#include "order.h"

void gtr_baseline_options_init(struct gtr_baseline_options *options)
{
    options->decay = 0.98;
    options->kappa = 1.5;
    options->warmup = 10;
}

/* One group: its log_ratio, and its part of B into energy[t]. */
static void follow_group(const struct gtr_series *series, const uint8_t *skip, size_t group,
                         struct gtr_baseline *b)
{
    const double *sumsq = series->sumsq + group * series->n_steps;
    double *log_ratio = b->log_ratio + group * series->n_steps;
    struct gtr_follower past = { 0 };
    size_t t;

    for (t = 0; t < series->n_steps; t++) {
        double n = sqrt(sumsq[t]), expected = gtr_follower_expected(&past, &b->options);

        log_ratio[t] = NAN;
        if (skip[t] || series->nonfinite[t])
            continue;
        if (expected < 0.0) {
            b->energy[t] += sumsq[t]; /* no baseline: innocent */
        } else {
            b->energy[t] += sumsq[t] < expected ? sumsq[t] : expected;
            if (n > 0.0)
                log_ratio[t] = gtr_ln(n) - gtr_ln(past.average / past.weight);
        }
        gtr_follower_add(&past, &b->options, n);
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
