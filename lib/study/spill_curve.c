/* spill_curve.c - clip rate and spill-over as functions of the limit. */
#include <math.h>
#include <stdbool.h>

#include "alloc.h"
#include "calm.h"
#include "exact.h"
#include "objectives.h"
#include "order.h"
#include "random.h"
#include "spill.h"
#include "threads.h"

/* ln E and ln B of the steps that count. */
struct levels {
    double *energy, *fair;
    double *weight; /* the calm part of the groups; 0 before the norm has settled */
    size_t n;
    size_t n_steps;    /* that count, with and without a gradient */
    double weight_sum; /* over those, too */
    double most;       /* norm */
};

static void fill_levels(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                        const double *calm, struct levels *levels)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const uint8_t *skip = gtr_replay_skip(replay);
    size_t t;

    for (t = 0; t < series->n_steps; t++) {
        double energy = series->total_sumsq[t], weight = 0.0;
        size_t j;

        if (skip[t] || series->nonfinite[t])
            continue;
        levels->n_steps++;
        for (j = 0; j < series->n_groups; j++)
            weight += calm[j * series->n_steps + t];
        levels->weight_sum += weight;
        if (!(energy > 0.0))
            continue;
        levels->weight[levels->n] = weight;
        levels->most = sqrt(energy) > levels->most ? sqrt(energy) : levels->most;
        levels->energy[levels->n] = gtr_log_energy(energy);
        levels->fair[levels->n++] = gtr_log_energy(gtr_baseline_fair(baseline, t, energy));
    }
}

/* Steps without a gradient are never clipped, and count as steps. */
static void fill_point(const struct levels *levels, struct gtr_spill_point *point)
{
    double limit = gtr_ln(point->max_norm), n = (double)levels->n_steps, w = levels->weight_sum;
    double clipped = 0.0, all = 0.0, excess = 0.0, cost = 0.0, excess_cost = 0.0;
    size_t i;

    for (i = 0; i < levels->n; i++) {
        double a = gtr_attenuation(levels->energy[i], limit), x;

        if (!(a > 0.0))
            continue;
        x = a - gtr_attenuation(levels->fair[i], limit);
        clipped += 1.0;
        all += a;
        excess += x;
        cost += levels->weight[i] * (1.0 - gtr_exp(-a));
        excess_cost += x > 0.0 ? levels->weight[i] * (1.0 - gtr_exp(-x)) : 0.0;
    }
    point->clip_rate = clipped / n;
    point->excess_share = all > 0.0 ? excess / all : 0.0;
    point->cost = w > 0.0 ? cost / w : 0.0;
    point->excess_cost = w > 0.0 ? excess_cost / w : 0.0;
    point->attenuation = all / n;
}

static void levels_free(struct levels *levels)
{
    gtr_free(levels->energy);
    gtr_free(levels->fair);
    gtr_free(levels->weight);
}

static enum gtr_code levels_new(const struct gtr_replay *replay,
                                const struct gtr_baseline *baseline, struct levels *levels,
                                struct gtr_err *err)
{
    size_t n_steps = gtr_replay_series(replay)->n_steps;
    double *calm = NULL;
    enum gtr_code rc;

    *levels = (struct levels){ 0 };
    rc = gtr_calm_new(replay, baseline, &calm, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&levels->energy, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&levels->fair, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&levels->weight, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK) {
        fill_levels(replay, baseline, calm, levels);
        if (levels->n == 0)
            rc = gtr_fail(err, GTR_EFORMAT,
                          "gradients: all are 0 or not finite; there is nothing to clip");
    }
    gtr_free(calm);
    if (rc != GTR_OK)
        levels_free(levels);
    return rc;
}

struct curve {
    const struct levels *levels;
    struct gtr_spill_point *points;
};

static void fill_one(void *context, size_t item, size_t worker)
{
    const struct curve *curve = context;

    (void)worker;
    fill_point(curve->levels, &curve->points[item]);
}

enum gtr_code gtr_spill_curve(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                              struct gtr_spill_point *points, size_t n, struct gtr_err *err)
{
    struct levels levels;
    enum gtr_code rc = levels_new(replay, baseline, &levels, err);
    struct curve curve = { &levels, points };
    const double *rows[1];
    double least;
    size_t i;

    if (rc != GTR_OK)
        return rc;
    rows[0] = levels.energy;
    least = gtr_exp(0.5 * gtr_order_quantile_of_rows(rows, 1, levels.n, 0.005));
    for (i = 0; i < n; i++) {
        double at = n > 1 ? (double)i / (double)(n - 1) : 0.0;

        if (points[i].max_norm == 0.0)
            points[i].max_norm = least * gtr_exp(at * gtr_ln(1.01 * levels.most / least));
    }
    gtr_threads_run(gtr_replay_n_threads(replay), n, fill_one, &curve);
    levels_free(&levels);
    return GTR_OK;
}

/* The next number with three digits.  Powers of ten are multiplied, never divided by: 129 / 100 is
 * what 1.29 reads as, 129 * 0.01 need not be. */
static double three_digits_up(double x)
{
    double scale = 1.0;

    while (x * scale < 100.0 && scale < 1e22)
        scale *= 10.0;
    if (scale > 1.0)
        return ceil(x * scale) / scale;
    while (x / scale >= 1000.0 && scale < 1e22)
        scale *= 10.0;
    return ceil(x / scale) * scale;
}

/* By halving: the cost falls as the limit rises. */
enum gtr_code gtr_spill_limit(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                              double cost, struct gtr_spill_point *limit, struct gtr_err *err)
{
    struct levels levels;
    enum gtr_code rc = levels_new(replay, baseline, &levels, err);
    double low, high;
    int round;

    if (rc != GTR_OK)
        return rc;
    high = gtr_ln(levels.most); /* nothing is clipped */
    low = high - 1.0;
    *limit = (struct gtr_spill_point){ .cost = 0.0 };
    while (low > -345.0 && limit->cost <= cost) { /* 1e-150 */
        low -= 2.0;
        limit->max_norm = gtr_exp(low);
        fill_point(&levels, limit);
    }
    for (round = 0; round < 40; round++) {
        double middle = 0.5 * (low + high);

        limit->max_norm = gtr_exp(middle);
        fill_point(&levels, limit);
        if (limit->cost <= cost)
            high = middle;
        else
            low = middle;
    }
    limit->max_norm = three_digits_up(gtr_exp(high));
    fill_point(&levels, limit);
    levels_free(&levels);
    return GTR_OK;
}

/* --- how sure it is --------------------------------------------------------------------------- */

enum { STRETCHES = 10, DRAWS = 200, TRIED = 241 };

/* What each of TRIED limits, from an eighth to eight times `limit`, costs in each stretch. */
struct tries {
    double log_limit[TRIED], cost[STRETCHES][TRIED], weight[STRETCHES];
};

static void fill_tries(const struct levels *levels, double limit, struct tries *tries)
{
    size_t i, b, k;

    for (k = 0; k < TRIED; k++)
        tries->log_limit[k] = gtr_ln(limit) + gtr_ln(8.0) * (2.0 * (double)k / (TRIED - 1) - 1.0);
    for (b = 0; b < STRETCHES; b++)
        for (i = levels->n * b / STRETCHES; i < levels->n * (b + 1) / STRETCHES; i++) {
            tries->weight[b] += levels->weight[i];
            for (k = 0; k < TRIED; k++) {
                double a = gtr_attenuation(levels->energy[i], tries->log_limit[k]);

                if (!(a > 0.0)) /* nor by any larger limit */
                    break;
                tries->cost[b][k] += levels->weight[i] * (1.0 - gtr_exp(-a));
            }
        }
}

/* The smallest of the limits that costs a draw at most `cost`. */
static double limit_of_draw(const struct tries *tries, double cost, uint64_t draw)
{
    size_t picked[STRETCHES], b, k;
    struct gtr_random random;
    double weight = 0.0;

    gtr_random_init(&random, 0, draw);
    for (b = 0; b < STRETCHES; b++) {
        picked[b] = (size_t)gtr_random_below(&random, STRETCHES);
        weight += tries->weight[picked[b]];
    }
    for (k = 0; k < TRIED; k++) {
        double sum = 0.0;

        for (b = 0; b < STRETCHES; b++)
            sum += tries->cost[picked[b]][k];
        if (sum <= cost * weight)
            break;
    }
    return gtr_exp(tries->log_limit[k < TRIED ? k : TRIED - 1]);
}

enum gtr_code gtr_spill_limit_range(const struct gtr_replay *replay,
                                    const struct gtr_baseline *baseline, double cost, double limit,
                                    double *low, double *high, struct gtr_err *err)
{
    double found[DRAWS], scratch[DRAWS];
    struct tries *tries = NULL;
    struct levels levels;
    enum gtr_code rc = levels_new(replay, baseline, &levels, err);
    size_t d;

    if (rc != GTR_OK)
        return rc;
    rc = gtr_alloc_for(&tries, 1, sizeof *tries, "limits", err);
    if (rc == GTR_OK) {
        fill_tries(&levels, limit, tries);
        for (d = 0; d < DRAWS; d++)
            found[d] = limit_of_draw(tries, cost, d);
        gtr_order_sort(found, scratch, DRAWS);
        *low = found[DRAWS / 100] < limit ? found[DRAWS / 100] : limit;
        *high = found[DRAWS - 1 - DRAWS / 100];
        *high = *high > limit ? *high : limit;
    }
    gtr_free(tries);
    levels_free(&levels);
    return rc;
}
