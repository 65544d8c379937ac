/* saltelli.c - Sobol indices from rows that were chosen for them. */
#include "sensitivity.h"

#include <math.h>

#include "alloc.h"
#include "order.h"
#include "random.h"

enum { RESAMPLES = 200 };

struct design {
    const double *a, *b; /* [n_base] each */
    const double *mixed; /* [n_knobs][n_base] */
    size_t n_base, n_knobs;
    size_t *row; /* [n] rows without NaN */
    size_t n;
};

static bool is_whole(const struct design *d, size_t i)
{
    size_t k;

    if (isnan(d->a[i]) || isnan(d->b[i]))
        return false;
    for (k = 0; k < d->n_knobs; k++)
        if (isnan(d->mixed[k * d->n_base + i]))
            return false;
    return true;
}

/* Mean and variance of A and B over the picked rows. */
static void spread(const struct design *d, const size_t *pick, double *mean, double *variance)
{
    double sum = 0.0, squares = 0.0;
    size_t i;

    for (i = 0; i < d->n; i++)
        sum += d->a[pick[i]] + d->b[pick[i]];
    *mean = sum / (2.0 * (double)d->n);
    for (i = 0; i < d->n; i++) {
        double a = d->a[pick[i]] - *mean, b = d->b[pick[i]] - *mean;

        squares += a * a + b * b;
    }
    *variance = squares / (2.0 * (double)d->n);
}

static void indices(const struct design *d, const size_t *pick, double *first, double *total)
{
    double mean, variance;
    size_t i, k;

    spread(d, pick, &mean, &variance);
    for (k = 0; k < d->n_knobs; k++) {
        const double *mixed = d->mixed + k * d->n_base;
        double covariance = 0.0, squares = 0.0;

        for (i = 0; i < d->n; i++) {
            double change = mixed[pick[i]] - d->a[pick[i]];

            covariance += (d->b[pick[i]] - mean) * change;
            squares += change * change;
        }
        first[k] = covariance / ((double)d->n * variance);
        total[k] = squares / (2.0 * (double)d->n * variance);
    }
}

/* The 2.5 % and 97.5 % points of column k of [RESAMPLES][n_knobs]. */
static void interval(const double *draws, size_t n_knobs, size_t k, double *low, double *high)
{
    double values[RESAMPLES], scratch[RESAMPLES];
    size_t i;

    for (i = 0; i < RESAMPLES; i++)
        values[i] = draws[i * n_knobs + k];
    gtr_order_sort(values, scratch, RESAMPLES);
    *low = gtr_order_quantile(values, RESAMPLES, 0.025);
    *high = gtr_order_quantile(values, RESAMPLES, 0.975);
}

/* first and total: [RESAMPLES + 1][n_knobs], the estimate itself last. */
static void run(const struct design *d, uint64_t seed, size_t *pick, double *first, double *total,
                struct gtr_sensitivity *out)
{
    struct gtr_random random;
    size_t draw, i, k;

    gtr_random_init(&random, seed, 0);
    for (draw = 0; draw < RESAMPLES; draw++) {
        for (i = 0; i < d->n; i++)
            pick[i] = d->row[gtr_random_below(&random, d->n)];
        indices(d, pick, first + draw * d->n_knobs, total + draw * d->n_knobs);
    }
    indices(d, d->row, first + RESAMPLES * d->n_knobs, total + RESAMPLES * d->n_knobs);
    for (k = 0; k < d->n_knobs; k++) {
        out[k].first = first[RESAMPLES * d->n_knobs + k];
        out[k].total = total[RESAMPLES * d->n_knobs + k];
        interval(first, d->n_knobs, k, &out[k].first_low, &out[k].first_high);
        interval(total, d->n_knobs, k, &out[k].total_low, &out[k].total_high);
    }
}

static bool is_constant(const struct design *d)
{
    double mean, variance;

    spread(d, d->row, &mean, &variance);
    return !(variance > 0.0);
}

enum gtr_code gtr_sensitivity_design(const double *values, size_t n_base, size_t n_knobs,
                                     uint64_t seed, struct gtr_sensitivity *out,
                                     struct gtr_err *err)
{
    struct design d = { values, values + n_base, values + 2 * n_base, n_base, n_knobs, NULL, 0 };
    const double unknown = (double)NAN;
    size_t *pick = NULL, i, k;
    double *first = NULL, *total = NULL;
    enum gtr_code rc;

    for (k = 0; k < n_knobs; k++)
        out[k] = (struct gtr_sensitivity){ unknown, unknown, unknown, unknown, unknown, unknown };
    rc = gtr_alloc_for(&d.row, n_base, sizeof *d.row, "rows", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&pick, n_base, sizeof *pick, "rows", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&first, (RESAMPLES + 1) * n_knobs, sizeof *first, "indices", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&total, (RESAMPLES + 1) * n_knobs, sizeof *total, "indices", err);
    for (i = 0; rc == GTR_OK && i < n_base; i++)
        if (is_whole(&d, i))
            d.row[d.n++] = i;
    if (rc == GTR_OK && d.n >= 4 && !is_constant(&d))
        run(&d, seed, pick, first, total, out);
    gtr_free(d.row);
    gtr_free(pick);
    gtr_free(first);
    gtr_free(total);
    return rc;
}
