/* compare.c - stretches, Student's t, and Holm's correction over all of them.
 *
 * Groups are independent until the correction, so they are shared out to threads; the correction
 * looks at all of them afterwards, in one order.
 */
#include "compare.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "compare_sample.h"
#include "exact.h"
#include "order.h"
#include "threads.h"
#include "student.h"

enum { STRETCHES_MIN = 5, STRETCHES_MAX = 17, STRETCH_STEPS = 8 };
#define STRETCH_TAUS 5.0

/* What one thread needs for a group. */
struct space {
    struct gtr_compare_sample a, b;
    double *values; /* sorted values of both, and scratch: 3 (n_a + n_b) */
};

struct comparing {
    const struct gtr_compare_side *a, *b;
    const struct gtr_compare_options *options;
    struct gtr_comparison *comparison;
    struct space *space; /* [workers] */
    size_t n_workers;
};

/* --- numbers of a stretch ------------------------------------------------------------------ */

/* A stretch: entries from .. to - 1 of a sample. */
struct stretch {
    const struct gtr_compare_sample *sample;
    size_t from, to;
};

static double share(const uint8_t *flags, size_t from, size_t to)
{
    size_t sum = 0, i;

    for (i = from; i < to; i++)
        sum += flags[i];
    return to > from ? (double)sum / (double)(to - from) : (double)NAN;
}

double gtr_compare_number(const struct gtr_compare_sample *sample, size_t from, size_t to,
                          size_t measure, double *space)
{
    size_t n = to - from, m;
    double low, high;

    if (measure >= GTR_MEASURE_CLIPPED)
        return share(sample->clipped + (measure - GTR_MEASURE_CLIPPED) * sample->capacity, from,
                     to);
    if (measure == GTR_MEASURE_SPIKES)
        return share(sample->spike, from, to);
    gtr_compare_sort(sample->norm + from, n, space, space + n, &m);
    if (m < STRETCH_STEPS / 2)
        return (double)NAN;
    if (measure == GTR_MEASURE_LEVEL)
        return gtr_ln(gtr_order_quantile(space, m, 0.5));
    low = gtr_order_quantile(space, m, 0.1);
    high = gtr_order_quantile(space, m, 0.9);
    return gtr_ln(high) - gtr_ln(low);
}

/* Stretch k of q: by step number, so that both runs are cut at the same steps. */
static struct stretch stretch_of(const struct gtr_compare_sample *sample, int64_t first,
                                 int64_t last, size_t k, size_t q)
{
    double length = ((double)last - (double)first + 1.0) / (double)q;
    struct stretch s = { sample, 0, 0 };
    size_t i;

    for (i = 0; i < sample->n; i++) {
        double at = (double)sample->step[i] - (double)first;

        s.from += at < (double)k * length ? 1 : 0;
        s.to += at < (double)(k + 1) * length || k + 1 == q ? 1 : 0;
    }
    return s;
}

/* --- one test ------------------------------------------------------------------------------ */

static double mean_of(const double *x, size_t n)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Of the mean, squared: variance / n. */
static double error_of(const double *x, size_t n, double mean)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / ((double)n - 1.0) / (double)n;
}

double gtr_compare_factor(double log_ratio)
{
    return gtr_exp(log_ratio > 600.0 ? 600.0 : log_ratio < -600.0 ? -600.0 : log_ratio);
}

/* a and b hold n numbers of stretches. */
static void judge(const double *a, const double *b, size_t n, bool same_steps, size_t measure,
                  double alpha, struct gtr_contrast *out)
{
    double d[STRETCHES_MAX], mean, square, reach;
    int freedom = (int)((n - 1) / 2 * 2); /* even: see compare_sample.h */
    size_t i;

    for (i = 0; i < n; i++)
        d[i] = b[i] - a[i];
    mean = mean_of(d, n);
    square = same_steps ? error_of(d, n, mean)
                        : error_of(a, n, mean_of(a, n)) + error_of(b, n, mean_of(b, n));
    reach = gtr_student_quantile(alpha, freedom) * sqrt(square);
    out->p = mean == 0.0 ? 1.0 : gtr_student_tail(mean / sqrt(square), freedom);
    out->change = mean;
    out->low = mean - reach;
    out->high = mean + reach;
    if (measure == GTR_MEASURE_LEVEL || measure == GTR_MEASURE_SPREAD) {
        out->change = gtr_compare_factor(mean);
        out->low = gtr_compare_factor(out->low);
        out->high = gtr_compare_factor(out->high);
    }
}

/* The largest odd number of stretches that the memory allows; 0 if that is too few. */
static size_t choose_stretches(size_t n_steps, double tau)
{
    double least = STRETCH_TAUS * tau > STRETCH_STEPS ? STRETCH_TAUS * tau : STRETCH_STEPS;
    double most = (double)n_steps / least;
    size_t q = most > STRETCHES_MAX ? STRETCHES_MAX : (size_t)most;

    q -= q % 2 == 0 && q > 0 ? 1 : 0;
    return q >= STRETCHES_MIN ? q : 0;
}

static void judge_measure(const struct comparing *c, struct space *space, size_t measure,
                          struct gtr_compared *group)
{
    double a[STRETCHES_MAX], b[STRETCHES_MAX];
    size_t q = group->n_stretches, n = 0, k;

    for (k = 0; k < q; k++) {
        struct stretch in_a = stretch_of(&space->a, c->a->first, c->a->last, k, q);
        struct stretch in_b = stretch_of(&space->b, c->b->first, c->b->last, k, q);

        a[n] = gtr_compare_number(in_a.sample, in_a.from, in_a.to, measure, space->values);
        b[n] = gtr_compare_number(in_b.sample, in_b.from, in_b.to, measure, space->values);
        n += !isnan(a[n]) && !isnan(b[n]) ? 1 : 0;
    }
    if (n >= STRETCHES_MIN)
        judge(a, b, n, c->comparison->same_steps, measure, c->options->alpha,
              &group->measure[measure]);
}

/* --- one group ----------------------------------------------------------------------------- */

/* Whole windows: quantiles, shares, and who is larger. */
static void describe(const struct comparing *c, struct space *space, struct gtr_compared *group)
{
    static const double quantile[3] = { 0.5, 0.9, 0.99 };
    struct gtr_contrast *m = group->measure;
    double *sorted_a = space->values, *sorted_b = sorted_a + space->a.n;
    double *scratch = sorted_b + space->b.n;
    size_t n_a, n_b, i;

    gtr_compare_sort(space->a.norm, space->a.n, sorted_a, scratch, &n_a);
    gtr_compare_sort(space->b.norm, space->b.n, sorted_b, scratch, &n_b);
    for (i = 0; i < 3; i++) {
        group->a[i] = gtr_order_quantile(sorted_a, n_a, quantile[i]);
        group->b[i] = gtr_order_quantile(sorted_b, n_b, quantile[i]);
    }
    m[GTR_MEASURE_LEVEL].a = group->a[0];
    m[GTR_MEASURE_LEVEL].b = group->b[0];
    m[GTR_MEASURE_SPREAD].a = group->a[1] / gtr_order_quantile(sorted_a, n_a, 0.1);
    m[GTR_MEASURE_SPREAD].b = group->b[1] / gtr_order_quantile(sorted_b, n_b, 0.1);
    m[GTR_MEASURE_SPIKES].a = share(space->a.spike, 0, space->a.n);
    m[GTR_MEASURE_SPIKES].b = share(space->b.spike, 0, space->b.n);
    for (i = 0; i < c->options->n_policies; i++) {
        size_t at = i * space->a.capacity;

        m[GTR_MEASURE_CLIPPED + i].a = share(space->a.clipped + at, 0, space->a.n);
        at = i * space->b.capacity;
        m[GTR_MEASURE_CLIPPED + i].b = share(space->b.clipped + at, 0, space->b.n);
    }
    group->superiority = gtr_compare_superiority(sorted_a, n_a, sorted_b, n_b);
}

static void fill(const struct comparing *c, struct space *space, size_t item)
{
    gtr_compare_sample_fill(c->a, c->a->group[item], c->options, &space->a);
    gtr_compare_sample_fill(c->b, c->b->group[item], c->options, &space->b);
}

static void describe_group(void *context, size_t item, size_t worker)
{
    const struct comparing *c = context;
    struct space *space = &c->space[worker];
    struct gtr_compared *group = &c->comparison->group[item];
    size_t i;

    fill(c, space, item);
    group->n_a = space->a.n;
    group->n_b = space->b.n;
    for (i = 0; i < c->comparison->n_measures; i++) {
        struct gtr_contrast *m = &group->measure[i];

        m->a = m->b = m->change = m->low = m->high = m->p = m->holm = (double)NAN;
    }
    describe(c, space, group);
    group->tau = gtr_compare_tau_of(&space->a, &space->b, c->comparison->same_steps, space->values);
}

/* Do differences of neighbouring stretches agree, so that the memory is longer than a stretch? */
static bool remembers(const struct comparing *c, struct space *space, size_t q)
{
    double d[STRETCHES_MAX], mean = 0.0, products = 0.0, squares = 0.0;
    size_t k;

    for (k = 0; k < q; k++) {
        struct stretch in_a = stretch_of(&space->a, c->a->first, c->a->last, k, q);
        struct stretch in_b = stretch_of(&space->b, c->b->first, c->b->last, k, q);

        d[k] =
            gtr_compare_number(in_b.sample, in_b.from, in_b.to, GTR_MEASURE_LEVEL, space->values) -
            gtr_compare_number(in_a.sample, in_a.from, in_a.to, GTR_MEASURE_LEVEL, space->values);
        mean += d[k] / (double)q;
    }
    for (k = 0; k < q; k++) {
        products += k + 1 < q ? (d[k] - mean) * (d[k + 1] - mean) : 0.0;
        squares += (d[k] - mean) * (d[k] - mean);
    }
    return products > 1.5 * squares / sqrt((double)q);
}

/* Half as many stretches, an odd number, while they remember each other; 0 if that is too few. */
static size_t settle(const struct comparing *c, struct space *space, size_t q)
{
    while (c->comparison->same_steps && q >= STRETCHES_MIN && remembers(c, space, q))
        q = q / 2 - (q / 2 % 2 == 0 ? 1 : 0);
    return q >= STRETCHES_MIN ? q : 0;
}

static void judge_group(void *context, size_t item, size_t worker)
{
    const struct comparing *c = context;
    struct space *space = &c->space[worker];
    struct gtr_compared *group = &c->comparison->group[item];
    size_t i;

    fill(c, space, item);
    group->n_stretches = settle(c, space, group->n_stretches);
    for (i = 0; i < c->comparison->n_measures; i++)
        judge_measure(c, space, i, group);
}

/* A group's own tau is uncertain, and where it comes out too small by chance the group would be
 * judged too boldly by the same chance; so none counts with less than the median of all. */
static enum gtr_code choose_all(const struct comparing *c, struct gtr_err *err)
{
    size_t n = c->comparison->n_groups, j;
    double *tau, middle;
    enum gtr_code rc = gtr_alloc_for(&tau, 2 * n, sizeof *tau, "groups", err);

    if (rc != GTR_OK)
        return rc;
    for (j = 0; j < n; j++)
        tau[j] = c->comparison->group[j].tau;
    gtr_order_sort(tau, tau + n, n);
    middle = gtr_order_quantile(tau, n, 0.5);
    for (j = 0; j < n; j++) {
        struct gtr_compared *group = &c->comparison->group[j];

        group->tau = group->tau > middle ? group->tau : middle;
        group->n_stretches =
            choose_stretches(group->n_a < group->n_b ? group->n_a : group->n_b, group->tau);
    }
    gtr_free(tau);
    return GTR_OK;
}

/* --- all of them --------------------------------------------------------------------------- */

/* Sorted by p, the i-th of m is multiplied by m - i, and none may be smaller than the one before.
 * Equal p are taken in the order of groups and measures, which changes nothing. */
enum gtr_code gtr_compare_correct(struct gtr_comparison *c, struct gtr_err *err)
{
    size_t n_all = c->n_groups * c->n_measures, left, j, i;
    struct gtr_contrast **tests;
    enum gtr_code rc = gtr_alloc_for(&tests, n_all, sizeof *tests, "tests", err);
    double before = 0.0;

    if (rc != GTR_OK)
        return rc;
    for (j = 0; j < c->n_groups; j++)
        for (i = 0; i < c->n_measures; i++)
            if (!isnan(c->group[j].measure[i].p))
                tests[c->n_tests++] = &c->group[j].measure[i];
    for (left = c->n_tests; left > 0; left--) {
        size_t least = 0;

        for (i = 1; i < left; i++)
            if (tests[i]->p < tests[least]->p)
                least = i;
        before = fmax(before, fmin(1.0, tests[least]->p * (double)left));
        tests[least]->holm = before;
        tests[least]->changed = before <= c->alpha;
        tests[least] = tests[left - 1];
    }
    for (j = 0; j < c->n_groups; j++) {
        bool any = false;

        for (i = 0; i < c->n_measures; i++)
            any = any || c->group[j].measure[i].changed;
        c->n_changed += any ? 1 : 0;
    }
    gtr_free(tests);
    return GTR_OK;
}

static enum gtr_code make_space(struct comparing *c, struct gtr_err *err)
{
    size_t n_policies = c->options->n_policies, w;
    enum gtr_code rc;

    c->n_workers = gtr_threads_count(c->options->n_threads, c->options->n_groups);
    rc = gtr_alloc_for(&c->space, c->n_workers, sizeof *c->space, "threads", err);
    for (w = 0; rc == GTR_OK && w < c->n_workers; w++) {
        rc = gtr_compare_sample_new(c->a, n_policies, &c->space[w].a, err);
        if (rc == GTR_OK)
            rc = gtr_compare_sample_new(c->b, n_policies, &c->space[w].b, err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&c->space[w].values,
                               3 * (c->space[w].a.capacity + c->space[w].b.capacity),
                               sizeof(double), "norms", err);
    }
    return rc;
}

static void free_space(struct comparing *c)
{
    size_t w;

    for (w = 0; c->space != NULL && w < c->n_workers; w++) {
        gtr_compare_sample_free(&c->space[w].a);
        gtr_compare_sample_free(&c->space[w].b);
        gtr_free(c->space[w].values);
    }
    gtr_free(c->space);
}

enum gtr_code gtr_compare_open(const struct gtr_compare_options *options,
                               struct gtr_comparison **out, struct gtr_err *err)
{
    struct gtr_comparison *comparison;
    enum gtr_code rc = gtr_alloc_for(&comparison, 1, sizeof *comparison, "comparisons", err);
    size_t j;

    *out = comparison;
    if (rc != GTR_OK)
        return rc;
    comparison->n_measures = GTR_MEASURE_CLIPPED + options->n_policies;
    comparison->alpha = options->alpha;
    comparison->n_runs[0] = comparison->n_runs[1] = 1;
    rc = gtr_alloc_for(&comparison->group, options->n_groups, sizeof *comparison->group, "groups",
                       err);
    comparison->n_groups = rc == GTR_OK ? options->n_groups : 0;
    for (j = 0; rc == GTR_OK && j < options->n_groups; j++)
        rc = gtr_alloc_for(&comparison->group[j].measure, comparison->n_measures,
                           sizeof(struct gtr_contrast), "measures", err);
    return rc;
}

enum gtr_code gtr_comparison_new(const struct gtr_compare_side *a, const struct gtr_compare_side *b,
                                 const struct gtr_compare_options *options,
                                 struct gtr_comparison **out, struct gtr_err *err)
{
    struct comparing c = { .a = a, .b = b, .options = options };
    struct gtr_comparison *comparison;
    enum gtr_code rc = gtr_compare_open(options, &comparison, err);

    *out = NULL;
    c.comparison = comparison;
    if (rc == GTR_OK) {
        comparison->same_steps = a->first == b->first && a->last == b->last;
        rc = make_space(&c, err);
    }
    if (rc == GTR_OK) {
        gtr_threads_run(options->n_threads, options->n_groups, describe_group, &c);
        rc = choose_all(&c, err);
    }
    if (rc == GTR_OK) {
        gtr_threads_run(options->n_threads, options->n_groups, judge_group, &c);
        rc = gtr_compare_correct(comparison, err);
    }
    free_space(&c);
    if (rc == GTR_OK)
        *out = comparison;
    else
        gtr_comparison_free(comparison);
    return rc;
}

void gtr_comparison_free(struct gtr_comparison *comparison)
{
    size_t j;

    for (j = 0; comparison != NULL && j < comparison->n_groups; j++)
        gtr_free(comparison->group[j].measure);
    if (comparison != NULL)
        gtr_free(comparison->group);
    gtr_free(comparison);
}
