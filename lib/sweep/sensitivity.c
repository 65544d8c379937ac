/* sensitivity.c - variance shares of knobs: exact on grids, by bins from samples.
 *
 * Values are taken as distances from their mean, so that squares of large means cannot swallow the
 * variance.  With y' = y - mean, SST = sum y'^2, and bins (levels) b of a knob with n_b rows and
 * mean m_b:
 *
 *     between = sum n_b m_b^2,   within = SST - between
 *     first   = between / SST                                        on a grid
 *     first   = (between - (B - 1) within / (n - B)) / SST           from a sample with B bins
 *
 * The bootstrap draws rows anew and keeps the bins.  A draw's estimate scatters around the sample's
 * uncorrected share, as the sample's own does around the truth; so it is these differences that are
 * ordered, and laid around the estimate.
 */
#include "sensitivity.h"

#include <math.h>
#include <stdbool.h>

#include "alloc.h"
#include "order.h"
#include "random.h"

enum {
    BINS_MAX = 64,   /* a smooth knob loses about 1/64^2 of its share within bins */
    RESAMPLES = 200, /* 5 beyond each end of a 95 % interval */
    RESAMPLED_MAX = 20000,
    ROWS_MIN = 4
};

/* The rows that count. */
struct sample {
    size_t n, n_knobs;
    size_t *row;    /* [n] */
    double *y;      /* [n], from their mean */
    double *sorted; /* [n] scratch */
    double *spare;  /* [n] scratch */
    uint8_t *bin;   /* [n_knobs][n] */
    size_t *n_bins; /* [n_knobs] */
    double *draws;  /* [n_knobs][RESAMPLES] */
    double sst;
    struct gtr_random random;
};

static void sample_free(struct sample *s)
{
    gtr_free(s->row);
    gtr_free(s->y);
    gtr_free(s->sorted);
    gtr_free(s->spare);
    gtr_free(s->bin);
    gtr_free(s->n_bins);
    gtr_free(s->draws);
}

static bool is_complete(const double *knobs, size_t n_knobs, double value)
{
    bool complete = isfinite(value);
    size_t k;

    for (k = 0; k < n_knobs && complete; k++)
        complete = !isnan(knobs[k]);
    return complete;
}

/* Rows without NaN, their values from the mean.  sst stays 0 if all values are one. */
static void take_rows(struct sample *s, const double *knobs, const double *values, size_t n)
{
    double sum = 0.0, low = INFINITY, high = -INFINITY, mean;
    size_t i;

    for (i = 0; i < n; i++) {
        if (!is_complete(knobs + i * s->n_knobs, s->n_knobs, values[i]))
            continue;
        s->row[s->n] = i;
        s->y[s->n++] = values[i];
        sum += values[i];
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    mean = sum / (double)s->n;
    if (!(low < high))
        return;
    for (i = 0; i < s->n; i++) {
        s->y[i] -= mean;
        s->sst += s->y[i] * s->y[i];
    }
}

static double share(double x)
{
    return x < 0.0 ? 0.0 : x > 1.0 ? 1.0 : x;
}

static void set_unknown(struct gtr_sensitivity *out)
{
    out->first = out->first_low = out->first_high = NAN;
    out->total = out->total_low = out->total_high = NAN;
}

/* --- grids ------------------------------------------------------------------------------------ */

/* Sum over cells of the squared distances from the cell's mean.  sum, count: [n_cells] scratch,
 * zeroed. */
static double within_cells(const struct sample *s, const size_t *cell, double *sum, double *count,
                           size_t n_cells)
{
    double squares = 0.0;
    size_t i;

    for (i = 0; i < s->n; i++) {
        sum[cell[i]] += s->y[i];
        count[cell[i]] += 1.0;
    }
    for (i = 0; i < n_cells; i++)
        sum[i] = count[i] > 0.0 ? sum[i] / count[i] : 0.0;
    for (i = 0; i < s->n; i++)
        squares += (s->y[i] - sum[cell[i]]) * (s->y[i] - sum[cell[i]]);
    return squares;
}

/* One knob, of `size` levels; its neighbours on the grid are `stride` rows apart. */
static enum gtr_code decompose(const struct sample *s, size_t n_rows, size_t size, size_t stride,
                               struct gtr_sensitivity *out, struct gtr_err *err)
{
    size_t n_rest = n_rows / size, *cell = NULL, i;
    double *sums = NULL;
    enum gtr_code rc;

    rc = gtr_alloc_for(&cell, s->n, sizeof *cell, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sums, 2 * (size + n_rest), sizeof *sums, "settings", err);
    if (rc != GTR_OK)
        goto out;
    for (i = 0; i < s->n; i++)
        cell[i] = s->row[i] / stride % size;
    out->first = share(1.0 - within_cells(s, cell, sums, sums + size, size) / s->sst);
    for (i = 0; i < s->n; i++)
        cell[i] = s->row[i] / (stride * size) * stride + s->row[i] % stride;
    sums += 2 * size;
    out->total = share(within_cells(s, cell, sums, sums + n_rest, n_rest) / s->sst);
    sums -= 2 * size;
    out->first_low = out->first_high = out->first;
    out->total_low = out->total_high = out->total;
out:
    gtr_free(cell);
    gtr_free(sums);
    return rc;
}

static enum gtr_code run_grid(const struct sample *s, size_t n_rows, const size_t *sizes,
                              struct gtr_sensitivity *out, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t stride = 1, k;

    for (k = s->n_knobs; k > 0 && rc == GTR_OK; k--) {
        rc = decompose(s, n_rows, sizes[k - 1], stride, &out[k - 1], err);
        stride *= sizes[k - 1];
    }
    return rc;
}

static enum gtr_code check_grid(const size_t *sizes, size_t n_knobs, size_t n, struct gtr_err *err)
{
    size_t product = 1, k;

    for (k = 0; k < n_knobs; k++) {
        if (sizes[k] == 0 || product > n / sizes[k])
            break;
        product *= sizes[k];
    }
    if (k == n_knobs && product == n)
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE,
                    "sensitivity: %zu rows are not the full grid; pass its sizes "
                    "or none",
                    n);
}

/* --- samples ---------------------------------------------------------------------------------- */

/* Upper ends of the bins of sorted values, upward; the last is the largest value.  Equal values are
 * never parted.  Returns how many bins there are. */
static size_t cut(const double *sorted, size_t n, size_t most, double upper[BINS_MAX])
{
    size_t distinct = 1, n_bins = 0, i;

    for (i = 1; i < n && distinct <= most; i++)
        distinct += sorted[i] != sorted[i - 1];
    if (distinct <= most) {
        for (i = 0; i < n; i++)
            if (i + 1 == n || sorted[i] != sorted[i + 1])
                upper[n_bins++] = sorted[i];
        return n_bins;
    }
    for (i = 1; i <= most; i++) {
        double end = sorted[i * n / most - 1];

        if (n_bins == 0 || end != upper[n_bins - 1])
            upper[n_bins++] = end;
    }
    return n_bins;
}

static void put_in_bins(struct sample *s, const double *knobs, size_t k)
{
    size_t root = (size_t)sqrt((double)s->n), most = root < BINS_MAX ? root : BINS_MAX, i;
    uint8_t *bin = s->bin + k * s->n;
    double upper[BINS_MAX];

    for (i = 0; i < s->n; i++)
        s->sorted[i] = knobs[s->row[i] * s->n_knobs + k];
    gtr_order_sort(s->sorted, s->spare, s->n);
    s->n_bins[k] = cut(s->sorted, s->n, most, upper);
    for (i = 0; i < s->n; i++) {
        double x = knobs[s->row[i] * s->n_knobs + k];

        bin[i] = (uint8_t)gtr_order_below(upper, s->n_bins[k], x);
    }
}

/* Shares of a knob over rows pick[0 .. n), or the first n if it is NULL: as they are, and freed
 * of what chance alone gives. */
static void shares_of(const struct sample *s, size_t k, const uint32_t *pick, size_t n,
                      double *plain, double *freed)
{
    double sum[BINS_MAX] = { 0 }, count[BINS_MAX] = { 0 }, all = 0.0, squares = 0.0;
    double between = 0.0, sst, used = 0.0;
    const uint8_t *bin = s->bin + k * s->n;
    size_t i, b;

    for (i = 0; i < n; i++) {
        size_t r = pick != NULL ? pick[i] : i;

        sum[bin[r]] += s->y[r];
        count[bin[r]] += 1.0;
        squares += s->y[r] * s->y[r];
    }
    for (b = 0; b < s->n_bins[k]; b++) {
        all += sum[b];
        between += count[b] > 0.0 ? sum[b] * sum[b] / count[b] : 0.0;
        used += count[b] > 0.0 ? 1.0 : 0.0;
    }
    between -= all * all / (double)n;
    sst = squares - all * all / (double)n;
    *plain = between / sst;
    *freed = (between - (used - 1.0) * (sst - between) / ((double)n - used)) / sst;
}

/* `base`: the rows that stand for the sample, n of them without repetition; pick: [n] scratch. */
static void resample(struct sample *s, const uint32_t *base, uint32_t *pick, size_t n)
{
    double plain, freed;
    size_t draw, k, i;

    for (draw = 0; draw < RESAMPLES; draw++) {
        for (i = 0; i < n; i++)
            pick[i] = base[gtr_random_below(&s->random, n)];
        for (k = 0; k < s->n_knobs; k++) {
            shares_of(s, k, pick, n, &plain, &freed);
            s->draws[k * RESAMPLES + draw] = freed;
        }
    }
}

/* The middle 95 % of draws, as differences from `centre`, around the estimate. */
static void set_interval(struct sample *s, size_t k, double centre, double narrow,
                         struct gtr_sensitivity *out)
{
    double *draws = s->draws + k * RESAMPLES, spare[RESAMPLES];
    size_t n = 0, i;

    for (i = 0; i < RESAMPLES; i++)
        if (!isnan(draws[i])) /* a small sample can be drawn without any variance */
            draws[n++] = draws[i];
    gtr_order_sort(draws, spare, n);
    out->first_low = share(out->first + narrow * (gtr_order_quantile(draws, n, 0.025) - centre));
    out->first_high = share(out->first + narrow * (gtr_order_quantile(draws, n, 0.975) - centre));
}

static enum gtr_code run_sample(struct sample *s, const double *knobs, struct gtr_sensitivity *out,
                                struct gtr_err *err)
{
    size_t n = s->n < RESAMPLED_MAX ? s->n : RESAMPLED_MAX, k, i;
    uint32_t *base = NULL, *pick = NULL;
    double plain, freed;
    enum gtr_code rc;

    rc = gtr_alloc_for(&base, s->n, sizeof *base, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&pick, n, sizeof *pick, "settings", err);
    if (rc != GTR_OK)
        goto out;
    for (k = 0; k < s->n_knobs; k++)
        put_in_bins(s, knobs, k);
    /* The first n of a shuffle of all. */
    for (i = 0; i < s->n; i++)
        base[i] = (uint32_t)i;
    for (i = 0; i < n && n < s->n; i++) {
        size_t other = i + gtr_random_below(&s->random, s->n - i);
        uint32_t held = base[i];

        base[i] = base[other];
        base[other] = held;
    }
    resample(s, base, pick, n);
    for (k = 0; k < s->n_knobs; k++) {
        shares_of(s, k, NULL, s->n, &plain, &freed);
        out[k].first = share(freed);
        shares_of(s, k, base, n, &plain, &freed);
        set_interval(s, k, plain, sqrt((double)n / (double)s->n), &out[k]);
    }
out:
    gtr_free(base);
    gtr_free(pick);
    return rc;
}

static enum gtr_code sample_new(struct sample *s, size_t n, struct gtr_err *err)
{
    enum gtr_code rc;

    rc = gtr_alloc_for(&s->row, n, sizeof *s->row, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->y, n, sizeof *s->y, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->sorted, n, sizeof *s->sorted, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->spare, n, sizeof *s->spare, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->bin, s->n_knobs, n, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->n_bins, s->n_knobs, sizeof *s->n_bins, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->draws, s->n_knobs, RESAMPLES * sizeof *s->draws, "knobs", err);
    return rc;
}

enum gtr_code gtr_sensitivity_run(const double *knobs, const double *values, size_t n,
                                  size_t n_knobs, const size_t *grid_sizes, uint64_t seed,
                                  struct gtr_sensitivity *out, struct gtr_err *err)
{
    struct sample s = { .n_knobs = n_knobs };
    enum gtr_code rc = GTR_OK;
    size_t k;

    for (k = 0; k < n_knobs; k++)
        set_unknown(&out[k]);
    if (n > UINT32_MAX)
        return gtr_fail(err, GTR_EUSAGE, "sensitivity: %zu settings; it takes at most %u", n,
                        UINT32_MAX);
    if (grid_sizes != NULL)
        rc = check_grid(grid_sizes, n_knobs, n, err);
    if (rc == GTR_OK)
        rc = sample_new(&s, n, err);
    if (rc != GTR_OK)
        goto out;
    gtr_random_init(&s.random, seed, 0);
    take_rows(&s, knobs, values, n);
    if (s.sst > 0.0 && s.n >= ROWS_MIN)
        rc = grid_sizes != NULL ? run_grid(&s, n, grid_sizes, out, err)
                                : run_sample(&s, knobs, out, err);
out:
    sample_free(&s);
    return rc;
}
