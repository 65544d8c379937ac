/* compare_sample.c - picking the steps that count, and the memory of a series.
 *
 * The memory is taken from signs around the median, which is what the noise of a median depends
 * on, and which spikes cannot bend.  Sums of signs are whole numbers and have no rounding.
 */
#include "compare_sample.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "exact.h"
#include "order.h"

/* Logarithms of norms that differ by less do so by rounding: two runs that are one but for a factor
 * leave a residue of that size, with any memory. */
#define ROUNDING 1e-9

enum gtr_code gtr_compare_sample_new(const struct gtr_compare_side *side, size_t n_policies,
                                     struct gtr_compare_sample *sample, struct gtr_err *err)
{
    size_t n = gtr_replay_series(side->replay)->n_steps;
    enum gtr_code rc;

    memset(sample, 0, sizeof *sample);
    sample->capacity = n;
    rc = gtr_alloc_for(&sample->step, n, sizeof *sample->step, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sample->norm, n, sizeof *sample->norm, "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sample->average, n, sizeof *sample->average, "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sample->spike, n, sizeof *sample->spike, "spikes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sample->clipped, n * n_policies, 1, "decisions", err);
    return rc;
}

void gtr_compare_sample_free(struct gtr_compare_sample *sample)
{
    gtr_free(sample->step);
    gtr_free(sample->norm);
    gtr_free(sample->average);
    gtr_free(sample->spike);
    gtr_free(sample->clipped);
}

/* Is the group scaled down at row t?  The whole gradient is if any group is. */
static bool is_clipped(const struct gtr_decisions *d, size_t group, size_t t)
{
    size_t j = group < d->n_groups ? group : 0, end = group < d->n_groups ? group + 1 : d->n_groups;

    for (; j < end; j++)
        if (d->scale[j * d->n_steps + t] < 1.0)
            return true;
    return false;
}

/* The average behind a spike begins where the run does, not where the window does. */
void gtr_compare_sample_fill(const struct gtr_compare_side *side, size_t group,
                             const struct gtr_compare_options *options,
                             struct gtr_compare_sample *sample)
{
    const struct gtr_series *series = gtr_replay_series(side->replay);
    const uint8_t *skip = gtr_replay_skip(side->replay);
    const double *sumsq =
        group < series->n_groups ? series->sumsq + group * series->n_steps : series->total_sumsq;
    size_t t, i;

    sample->n = 0;
    gtr_baseline_average(sumsq, skip, series->nonfinite, series->n_steps, &options->baseline,
                         sample->average);
    for (t = 0; t < series->n_steps; t++) {
        double norm = sqrt(sumsq[t]);

        if (skip[t] || series->nonfinite[t])
            continue;
        if (series->index[t] < side->first || series->index[t] > side->last)
            continue;
        sample->step[sample->n] = series->index[t];
        sample->norm[sample->n] = norm;
        sample->spike[sample->n] = norm > options->baseline.kappa * sample->average[t];
        for (i = 0; i < options->n_policies; i++)
            sample->clipped[i * sample->capacity + sample->n] =
                is_clipped(side->decisions[i], group, t);
        sample->n++;
    }
}

void gtr_compare_sort(const double *norms, size_t n, double *sorted, double *scratch,
                      size_t *n_sorted)
{
    size_t i, m = 0;

    for (i = 0; i < n; i++)
        if (norms[i] >= DBL_MIN)
            sorted[m++] = norms[i];
    gtr_order_sort(sorted, scratch, m);
    *n_sorted = m;
}

static double median_of(const double *x, size_t n, double *scratch)
{
    memcpy(scratch, x, n * sizeof *x);
    gtr_order_sort(scratch, scratch + n, n);
    return gtr_order_quantile(scratch, n, 0.5);
}

/* Tukey's resistant line: through the medians of the first and the last third.  A few spikes would
 * bend one of least squares, and then everything that is level would seem to have a memory. */
static void remove_trend(double *x, size_t n, double *scratch)
{
    size_t third = n / 3, i;
    double rise = median_of(x + (n - third), third, scratch) - median_of(x, third, scratch);
    double slope = rise / (double)(n - third);

    for (i = 0; i < n; i++)
        x[i] -= slope * (double)i;
}

double gtr_compare_tau(double *x, size_t n, double *scratch)
{
    double median, tau = 1.0, zero = 0.0;
    signed char *sign = (signed char *)(void *)scratch;
    size_t i, k;

    if (n < 4)
        return 1.0;
    remove_trend(x, n, scratch);
    median = median_of(x, n, scratch);
    for (i = 0; i < n; i++)
        sign[i] = (signed char)((x[i] > median + ROUNDING) - (x[i] < median - ROUNDING));
    for (i = 0; i < n; i++)
        zero += (double)(sign[i] * sign[i]);
    if (zero == 0.0)
        return 1.0;
    for (k = 1; k < n / 2 && (double)k < 5.0 * tau; k++) {
        int64_t sum = 0;

        for (i = 0; i + k < n; i++)
            sum += sign[i] * sign[i + k];
        tau += 2.0 * (double)sum / zero * ((double)n / (double)(n - k));
        tau = tau > 1.0 ? tau : 1.0;
    }
    /* Taking off a mean and a slope lowers each autocorrelation by about 2 tau / n: a short piece
     * of a slow series looks quicker than it is. */
    return tau * (1.0 + 4.0 * (double)(k - 1) / (double)n);
}

static double tau_of_one(const struct gtr_compare_sample *sample, double *scratch)
{
    size_t n = 0, i;

    for (i = 0; i < sample->n; i++)
        if (sample->norm[i] >= DBL_MIN)
            scratch[n++] = gtr_ln(sample->norm[i]);
    return gtr_compare_tau(scratch, n, scratch + n);
}

double gtr_compare_tau_of(const struct gtr_compare_sample *a, const struct gtr_compare_sample *b,
                          bool same_steps, double *scratch)
{
    size_t less = a->n < b->n ? a->n : b->n, n = 0, i = 0, k = 0;
    double tau_a, tau_b;

    while (same_steps && i < a->n && k < b->n) {
        if (a->step[i] < b->step[k]) {
            i++;
        } else if (a->step[i] > b->step[k]) {
            k++;
        } else {
            if (a->norm[i] >= DBL_MIN && b->norm[k] >= DBL_MIN)
                scratch[n++] = gtr_ln(b->norm[k]) - gtr_ln(a->norm[i]);
            i++;
            k++;
        }
    }
    if (n > 0 && n >= less / 2)
        return gtr_compare_tau(scratch, n, scratch + n);
    tau_a = tau_of_one(a, scratch);
    tau_b = tau_of_one(b, scratch);
    return tau_a > tau_b ? tau_a : tau_b;
}

double gtr_compare_superiority(const double *x, size_t n_x, const double *y, size_t n_y)
{
    double wins = 0.0;
    size_t below = 0, equal = 0, i;

    for (i = 0; i < n_y; i++) {
        while (below < n_x && x[below] < y[i])
            below++;
        equal = equal > below ? equal : below;
        while (equal < n_x && x[equal] <= y[i])
            equal++;
        wins += (double)below + 0.5 * (double)(equal - below);
    }
    return n_x > 0 && n_y > 0 ? wins / ((double)n_x * (double)n_y) : (double)NAN;
}
