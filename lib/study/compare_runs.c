/* compare_runs.c - several runs a side: each run is one observation, and its seed is in it.
 *
 * All of a run's steps in the window give one number, so that nothing is asked about the memory of
 * its norms.  Two runs a side are enough to tell a large difference, with two degrees of freedom.
 */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "compare.h"
#include "compare_sample.h"
#include "exact.h"
#include "order.h"
#include "student.h"

struct runs {
    const struct gtr_compare_side *side[2];
    const struct gtr_compare_options *options;
    struct gtr_comparison *comparison;
    struct gtr_compare_sample sample; /* room for the longest run */
    double *space;                    /* 3 of its steps */
    double *number;                   /* [measures + quantiles][runs of A, then of B] */
};

enum { QUANTILES = 3 };

/* Numbers of all runs for one group: measures, then logarithms of quantiles. */
static void take_numbers(struct runs *r, size_t item)
{
    static const double quantile[QUANTILES] = { 0.5, 0.9, 0.99 };
    const struct gtr_comparison *c = r->comparison;
    size_t n_runs = c->n_runs[0] + c->n_runs[1], s, i, k, at = 0;
    struct gtr_compared *group = &c->group[item];

    group->n_a = group->n_b = 0;
    for (s = 0; s < 2; s++)
        for (i = 0; i < c->n_runs[s]; i++, at++) {
            const struct gtr_compare_side *run = &r->side[s][i];
            size_t n;

            gtr_compare_sample_fill(run, run->group[item], r->options, &r->sample);
            *(s == 0 ? &group->n_a : &group->n_b) += r->sample.n;
            for (k = 0; k < c->n_measures; k++)
                r->number[k * n_runs + at] =
                    gtr_compare_number(&r->sample, 0, r->sample.n, k, r->space);
            gtr_compare_sort(r->sample.norm, r->sample.n, r->space, r->space + r->sample.n, &n);
            for (k = 0; k < QUANTILES; k++)
                r->number[(c->n_measures + k) * n_runs + at] =
                    n > 0 ? gtr_ln(gtr_order_quantile(r->space, n, quantile[k])) : (double)NAN;
        }
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double squares_of(const double *x, size_t n, double mean)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

static void judge(const struct runs *r, const double *numbers, size_t measure,
                  struct gtr_contrast *out)
{
    size_t n_a = r->comparison->n_runs[0], n_b = r->comparison->n_runs[1];
    double a = mean_of(numbers, n_a), b = mean_of(numbers + n_a, n_b), square, reach;
    int freedom = (int)((n_a + n_b - 2) / 2 * 2); /* even: see compare_sample.h */
    bool ratio = measure == GTR_MEASURE_LEVEL || measure == GTR_MEASURE_SPREAD;

    out->a = ratio ? gtr_compare_factor(a) : a;
    out->b = ratio ? gtr_compare_factor(b) : b;
    out->change = out->low = out->high = out->p = out->holm = (double)NAN;
    if (isnan(a) || isnan(b))
        return;
    square = (squares_of(numbers, n_a, a) + squares_of(numbers + n_a, n_b, b)) /
             (double)(n_a + n_b - 2) * (1.0 / (double)n_a + 1.0 / (double)n_b);
    reach = gtr_student_quantile(r->options->alpha, freedom) * sqrt(square);
    out->p = b == a ? 1.0 : gtr_student_tail((b - a) / sqrt(square), freedom);
    out->change = ratio ? gtr_compare_factor(b - a) : b - a;
    out->low = ratio ? gtr_compare_factor(b - a - reach) : b - a - reach;
    out->high = ratio ? gtr_compare_factor(b - a + reach) : b - a + reach;
}

/* Of pairs of runs, one of each side, those in which B's level is higher. */
static double superiority_of(const double *levels, size_t n_a, size_t n_b)
{
    double wins = 0.0;
    size_t i, k;

    for (i = 0; i < n_a; i++)
        for (k = n_a; k < n_a + n_b; k++)
            wins += isnan(levels[k]) || isnan(levels[i]) ? (double)NAN
                    : levels[k] > levels[i]              ? 1.0
                    : levels[k] == levels[i]             ? 0.5
                                                         : 0.0;
    return wins / ((double)n_a * (double)n_b);
}

static void compare_group(struct runs *r, size_t item)
{
    struct gtr_comparison *c = r->comparison;
    size_t n_a = c->n_runs[0], n_runs = n_a + c->n_runs[1], k;
    struct gtr_compared *group = &c->group[item];

    take_numbers(r, item);
    for (k = 0; k < c->n_measures; k++)
        judge(r, r->number + k * n_runs, k, &group->measure[k]);
    for (k = 0; k < QUANTILES; k++) {
        const double *logs = r->number + (c->n_measures + k) * n_runs;

        group->a[k] = gtr_compare_factor(mean_of(logs, n_a));
        group->b[k] = gtr_compare_factor(mean_of(logs + n_a, c->n_runs[1]));
    }
    group->superiority = superiority_of(r->number, n_a, c->n_runs[1]);
}

/* The run with most steps. */
static const struct gtr_compare_side *longest(const struct runs *r)
{
    const struct gtr_compare_side *most = &r->side[0][0];
    size_t s, i;

    for (s = 0; s < 2; s++)
        for (i = 0; i < r->comparison->n_runs[s]; i++)
            if (gtr_replay_series(r->side[s][i].replay)->n_steps >
                gtr_replay_series(most->replay)->n_steps)
                most = &r->side[s][i];
    return most;
}

static enum gtr_code make_space(struct runs *r, struct gtr_err *err)
{
    size_t n_numbers = r->comparison->n_measures + QUANTILES;
    enum gtr_code rc = gtr_compare_sample_new(longest(r), r->options->n_policies, &r->sample, err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&r->space, 3 * r->sample.capacity, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&r->number,
                           n_numbers * (r->comparison->n_runs[0] + r->comparison->n_runs[1]),
                           sizeof(double), "runs", err);
    return rc;
}

enum gtr_code gtr_comparison_of_runs(const struct gtr_compare_side *a, size_t n_a,
                                     const struct gtr_compare_side *b, size_t n_b,
                                     const struct gtr_compare_options *options,
                                     struct gtr_comparison **out, struct gtr_err *err)
{
    struct runs r = { .side = { a, b }, .options = options };
    enum gtr_code rc;
    size_t j;

    *out = NULL;
    if (n_a < 2 || n_b < 2)
        return gtr_fail(err, GTR_EUSAGE, "a comparison of runs: needs two a side, not %zu and %zu",
                        n_a, n_b);
    rc = gtr_compare_open(options, &r.comparison, err);
    if (rc == GTR_OK) {
        r.comparison->n_runs[0] = n_a;
        r.comparison->n_runs[1] = n_b;
        r.comparison->same_steps = a[0].first == b[0].first && a[0].last == b[0].last;
        rc = make_space(&r, err);
    }
    for (j = 0; rc == GTR_OK && j < options->n_groups; j++)
        compare_group(&r, j);
    if (rc == GTR_OK)
        rc = gtr_compare_correct(r.comparison, err);
    gtr_compare_sample_free(&r.sample);
    gtr_free(r.space);
    gtr_free(r.number);
    if (rc == GTR_OK)
        *out = r.comparison;
    else
        gtr_comparison_free(r.comparison);
    return rc;
}
