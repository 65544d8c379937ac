/* scaling.c - the statistics of scaling.h.
 *
 * Each group's are made by one thread from its own row; what needs all groups of a step is made
 * per block of steps.  Sums then run in step order, so the thread count changes no bit.
 */
#include "scaling.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "objectives.h"
#include "order.h"
#include "threads.h"

enum { STEP_BLOCK = 4096 };

struct study {
    const struct gtr_replay *replay;
    const struct gtr_series *series;
    const struct gtr_decisions *decisions;
    const struct gtr_norm_summary *before;
    struct gtr_norm_summary *summaries; /* when the norms themselves are summed up */
    struct gtr_scaling_report *report;
    double *scratch;   /* [workers][2 T] values, and what sorting needs */
    double *cosine;    /* [T]; NaN where there is no direction */
    double *norm_out;  /* [T]; NaN at skipped steps */
    uint8_t *clipped;  /* [T] */
    double *scale_sum; /* [G] */
};

static enum gtr_code scratch_new(struct study *study, size_t n_workers, struct gtr_err *err)
{
    return gtr_alloc_for(&study->scratch, n_workers, 2 * study->series->n_steps * sizeof(double),
                         "workers", err);
}

static double *scratch_of(const struct study *study, size_t worker)
{
    return study->scratch + worker * 2 * study->series->n_steps;
}

/* Two passes: the mean first, then the spread around it. */
static double variation(const double *values, size_t n)
{
    double sum = 0.0, squares = 0.0, mean;
    size_t i;

    for (i = 0; i < n; i++)
        sum += values[i];
    mean = sum / (double)n;
    for (i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (double)n) / mean;
}

/* Sorts values, n of them in a worker's scratch. */
static struct gtr_norm_summary summarise(const struct study *study, double *values, size_t n)
{
    struct gtr_norm_summary summary;

    summary.cv = variation(values, n);
    gtr_order_sort(values, values + study->series->n_steps, n);
    summary.p50 = gtr_order_quantile(values, n, 0.5);
    summary.p99 = gtr_order_quantile(values, n, 0.99);
    summary.tail = summary.p99 / summary.p50;
    return summary;
}

/* --- norms as recorded ------------------------------------------------------------------------ */

static void summarise_group(void *context, size_t group, size_t worker)
{
    struct study *study = context;
    double *values = scratch_of(study, worker);
    size_t n = gtr_replay_norms(study->replay, group, values);

    study->summaries[group] = summarise(study, values, n);
}

enum gtr_code gtr_norm_summaries_new(const struct gtr_replay *replay,
                                     struct gtr_norm_summary **summaries, struct gtr_err *err)
{
    enum gtr_code rc;
    struct study study = { .replay = replay, .series = gtr_replay_series(replay) };
    size_t n = study.series->n_groups + 1;
    size_t n_workers = gtr_threads_count(gtr_replay_n_threads(replay), n);

    *summaries = NULL;
    rc = gtr_alloc_for(&study.summaries, n, sizeof *study.summaries, "groups", err);
    if (rc == GTR_OK)
        rc = scratch_new(&study, n_workers, err);
    if (rc == GTR_OK)
        gtr_threads_run(n_workers, n, summarise_group, &study);
    gtr_free(study.scratch);
    if (rc != GTR_OK) {
        gtr_free(study.summaries);
        return rc;
    }
    *summaries = study.summaries;
    return GTR_OK;
}

/* --- one group -------------------------------------------------------------------------------- */

/* Counts, runs and first times, from a row of scales. */
static void count_steps(const struct study *study, size_t group, struct gtr_scaling *out,
                        double *scale_sum)
{
    const double *scale = study->decisions->scale + group * study->series->n_steps;
    const uint8_t *flags = study->decisions->flags + group * study->series->n_steps;
    const uint8_t *skip = gtr_replay_skip(study->replay);
    uint64_t run = 0;
    int warm = 0;
    size_t t;

    out->first_clipped = -1;
    *scale_sum = 0.0;
    for (t = 0; t < study->series->n_steps; t++) {
        if (skip[t])
            continue;
        out->n_decisions++;
        if (flags[t] & GTR_FLAG_SKIPPED) {
            out->n_left_out++;
            run = 0;
            continue;
        }
        out->n_clipped += scale[t] < 1.0;
        out->n_raised += scale[t] > 1.0;
        out->n_capped += (flags[t] & GTR_FLAG_CAPPED) != 0;
        out->n_empty += (flags[t] & GTR_FLAG_EMPTY) != 0;
        *scale_sum += scale[t];
        run = scale[t] < 1.0 ? run + 1 : 0;
        if (run > out->longest_run)
            out->longest_run = run;
        if (run > 0 && out->first_clipped < 0)
            out->first_clipped = study->series->index[t];
        warm = warm || scale[t] == 1.0 || (flags[t] & GTR_FLAG_EMPTY) == 0;
        out->cold_start += !warm;
    }
    out->mean = *scale_sum / (double)(out->n_decisions - out->n_left_out);
}

static void spread_of_scales(const struct study *study, size_t group, double *values,
                             struct gtr_scaling *out)
{
    const double *scale = study->decisions->scale + group * study->series->n_steps;
    size_t n = 0, t;

    for (t = 0; t < study->series->n_steps; t++)
        if (!isnan(scale[t]))
            values[n++] = scale[t];
    gtr_order_sort(values, values + study->series->n_steps, n);
    out->min = gtr_order_quantile(values, n, 0.0);
    out->p01 = gtr_order_quantile(values, n, 0.01);
    out->p50 = gtr_order_quantile(values, n, 0.5);
    out->p99 = gtr_order_quantile(values, n, 0.99);
    out->max = gtr_order_quantile(values, n, 1.0);
}

static struct gtr_norm_summary norms_after(const struct study *study, size_t group, double *values)
{
    const double *scale = study->decisions->scale + group * study->series->n_steps;
    const double *sumsq = study->series->sumsq + group * study->series->n_steps;
    size_t n = 0, t;

    for (t = 0; t < study->series->n_steps; t++)
        if (!study->series->nonfinite[t] && !isnan(scale[t]))
            values[n++] = sqrt(sumsq[t]) * scale[t];
    return summarise(study, values, n);
}

static void study_group(void *context, size_t group, size_t worker)
{
    struct study *study = context;
    struct gtr_scaling *out = &study->report->group[group];

    count_steps(study, group, out, &study->scale_sum[group]);
    spread_of_scales(study, group, scratch_of(study, worker), out);
    gtr_trust_fill(study->replay, study->decisions, group, group + 1, &out->trust);
    out->before = study->before[group];
    out->after = out->n_clipped + out->n_raised + out->n_left_out == 0
                     ? out->before
                     : norms_after(study, group, scratch_of(study, worker));
}

/* --- all groups of a step --------------------------------------------------------------------- */

static void study_step(struct study *study, size_t t)
{
    const struct gtr_series *series = study->series;
    double sum_se = 0.0, sum_sse = 0.0, first = study->decisions->scale[t];
    int equal = 1;
    size_t j;

    for (j = 0; j < series->n_groups; j++) {
        double s = study->decisions->scale[j * series->n_steps + t];
        double e = series->sumsq[j * series->n_steps + t];

        sum_se += s * e;
        sum_sse += s * s * e;
        equal = equal && s == first;
        if (s < 1.0 && j != series->left_out)
            study->clipped[t] = 1;
    }
    study->norm_out[t] = sqrt(sum_sse);
    study->cosine[t] = gtr_cosine(sum_se, sum_sse, series->total_sumsq[t], equal);
}

static void study_block(void *context, size_t block, size_t worker)
{
    struct study *study = context;
    size_t t = block * STEP_BLOCK, end = t + STEP_BLOCK;

    (void)worker;
    if (end > study->series->n_steps)
        end = study->series->n_steps;
    for (; t < end; t++) {
        study->cosine[t] = study->norm_out[t] = NAN;
        if (!study->series->nonfinite[t])
            study_step(study, t);
    }
}

static void sum_directions(const struct study *study)
{
    struct gtr_scaling_report *report = study->report;
    double sum = 0.0, least = INFINITY;
    size_t n = 0, t;

    for (t = 0; t < study->series->n_steps; t++) {
        if (isnan(study->cosine[t]))
            continue;
        sum += study->cosine[t];
        least = study->cosine[t] < least ? study->cosine[t] : least;
        n++;
    }
    report->cos_mean = sum / (double)n;
    report->cos_min = n > 0 ? least : (double)NAN;
}

/* --- pooled ----------------------------------------------------------------------------------- */

/* Runs of steps in which any group was clipped. */
static void pool_steps(const struct study *study, struct gtr_scaling *pooled)
{
    const uint8_t *skip = gtr_replay_skip(study->replay);
    uint64_t run = 0;
    size_t t;

    pooled->first_clipped = -1;
    for (t = 0; t < study->series->n_steps; t++) {
        if (skip[t]) {
            study->report->n_skipped++;
            continue;
        }
        study->report->n_steps++;
        study->report->n_clipped_steps += study->clipped[t];
        run = study->clipped[t] ? run + 1 : 0;
        if (run > pooled->longest_run)
            pooled->longest_run = run;
        if (run > 0 && pooled->first_clipped < 0)
            pooled->first_clipped = study->series->index[t];
    }
}

/* Quantiles over all decisions, one thread each. */
struct pool {
    const double **rows; /* scales of the groups that count */
    size_t n_rows, n_steps;
    double q[3], value[3];
};

static void find_quantile(void *context, size_t i, size_t worker)
{
    struct pool *pool = context;

    (void)worker;
    pool->value[i] =
        gtr_order_quantile_of_rows(pool->rows, pool->n_rows, pool->n_steps, pool->q[i]);
}

static enum gtr_code pool_scales(const struct study *study, struct gtr_scaling *pooled,
                                 struct gtr_err *err)
{
    const struct gtr_series *series = study->series;
    struct pool pool = { .n_steps = series->n_steps, .q = { 0.01, 0.5, 0.99 } };
    enum gtr_code rc;
    double sum = 0.0;
    size_t j;

    rc = gtr_alloc_for(&pool.rows, series->n_groups, sizeof *pool.rows, "groups", err);
    if (rc != GTR_OK)
        return rc;
    pooled->min = pooled->max = NAN;
    for (j = 0; j < series->n_groups; j++) {
        const struct gtr_scaling *group = &study->report->group[j];

        if (j == series->left_out)
            continue;
        pool.rows[pool.n_rows++] = study->decisions->scale + j * series->n_steps;
        pooled->n_decisions += group->n_decisions;
        pooled->n_clipped += group->n_clipped;
        pooled->n_raised += group->n_raised;
        pooled->n_capped += group->n_capped;
        pooled->n_empty += group->n_empty;
        pooled->n_left_out += group->n_left_out;
        if (group->cold_start > pooled->cold_start)
            pooled->cold_start = group->cold_start;
        /* Written so that the first number replaces the NaN. */
        pooled->min = pooled->min <= group->min ? pooled->min : group->min;
        pooled->max = pooled->max >= group->max ? pooled->max : group->max;
        sum += study->scale_sum[j];
    }
    pooled->mean = sum / (double)(pooled->n_decisions - pooled->n_left_out);
    gtr_threads_run(gtr_replay_n_threads(study->replay), 3, find_quantile, &pool);
    pooled->p01 = pool.value[0];
    pooled->p50 = pool.value[1];
    pooled->p99 = pool.value[2];
    gtr_free(pool.rows);
    return GTR_OK;
}

static void pool_norms(const struct study *study, struct gtr_scaling *pooled)
{
    double *values = scratch_of(study, 0);
    size_t n = 0, t;

    for (t = 0; t < study->series->n_steps; t++)
        if (!isnan(study->norm_out[t]))
            values[n++] = study->norm_out[t];
    pooled->before = study->before[study->series->n_groups];
    pooled->after = summarise(study, values, n);
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum gtr_code report_new(struct study *study, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n_groups = study->series->n_groups, n_steps = study->series->n_steps;

    rc = gtr_alloc_for(&study->report, 1, sizeof *study->report, "reports", err);
    if (rc != GTR_OK)
        return rc;
    study->report->n_groups = n_groups;
    rc =
        gtr_alloc_for(&study->report->group, n_groups, sizeof *study->report->group, "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&study->cosine, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&study->norm_out, n_steps, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&study->clipped, n_steps, 1, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&study->scale_sum, n_groups, sizeof(double), "groups", err);
    return rc;
}

enum gtr_code gtr_scaling_new(const struct gtr_replay *replay,
                              const struct gtr_decisions *decisions,
                              const struct gtr_norm_summary *before,
                              struct gtr_scaling_report **out, struct gtr_err *err)
{
    enum gtr_code rc;
    struct study study = { .replay = replay,
                           .series = gtr_replay_series(replay),
                           .decisions = decisions,
                           .before = before };
    size_t n_blocks = (study.series->n_steps + STEP_BLOCK - 1) / STEP_BLOCK;
    size_t n_threads = gtr_replay_n_threads(replay);
    size_t n_workers = gtr_threads_count(n_threads, study.series->n_groups);

    *out = NULL;
    rc = report_new(&study, err);
    if (rc == GTR_OK)
        rc = scratch_new(&study, n_workers, err);
    if (rc == GTR_OK) {
        gtr_threads_run(n_workers, study.series->n_groups, study_group, &study);
        gtr_threads_run(n_threads, n_blocks, study_block, &study);
        sum_directions(&study);
        pool_steps(&study, &study.report->pooled);
        pool_norms(&study, &study.report->pooled);
        gtr_trust_fill(replay, decisions, 0, study.series->n_groups, &study.report->pooled.trust);
        rc = pool_scales(&study, &study.report->pooled, err);
    }
    gtr_free(study.scratch);
    gtr_free(study.cosine);
    gtr_free(study.norm_out);
    gtr_free(study.clipped);
    gtr_free(study.scale_sum);
    if (rc != GTR_OK) {
        gtr_scaling_free(study.report);
        return rc;
    }
    *out = study.report;
    return GTR_OK;
}

void gtr_scaling_free(struct gtr_scaling_report *report)
{
    if (report == NULL)
        return;
    gtr_free(report->group);
    gtr_free(report);
}

/* --- the statistics in the order in which files hold them ------------------------------------- */

static double share(uint64_t part, const struct gtr_scaling *s)
{
    return (double)part / (double)s->n_decisions;
}

/* Name, and its value in terms of `s`: the list is the only place that knows both. */
#define COLUMNS(X)                               \
    X(decisions, (double)s->n_decisions)         \
    X(clip_rate, share(s->n_clipped, s))         \
    X(raise_rate, share(s->n_raised, s))         \
    X(saturation, share(s->n_capped, s))         \
    X(empty_rate, share(s->n_empty, s))          \
    X(scale_mean, s->mean)                       \
    X(scale_min, s->min)                         \
    X(scale_p01, s->p01)                         \
    X(scale_p50, s->p50)                         \
    X(scale_p99, s->p99)                         \
    X(scale_max, s->max)                         \
    X(longest_run, (double)s->longest_run)       \
    X(first_clipped, (double)s->first_clipped)   \
    X(cold_start, (double)s->cold_start)         \
    X(norm_p50, s->before.p50)                   \
    X(norm_p99, s->before.p99)                   \
    X(norm_tail, s->before.tail)                 \
    X(norm_cv, s->before.cv)                     \
    X(norm_out_p50, s->after.p50)                \
    X(norm_out_p99, s->after.p99)                \
    X(norm_out_tail, s->after.tail)              \
    X(norm_out_cv, s->after.cv)                  \
    X(clip_rate_low, s->trust.clip_rate.low)     \
    X(clip_rate_high, s->trust.clip_rate.high)   \
    X(scale_mean_low, s->trust.scale_mean.low)   \
    X(scale_mean_high, s->trust.scale_mean.high) \
    X(skip_rate, share(s->n_left_out, s))

static const char *const names[] = {
#define X(name, value) #name,
    COLUMNS(X)
#undef X
};

size_t gtr_scaling_n_columns(void)
{
    return GTR_ARRAY_LEN(names);
}

const char *gtr_scaling_column_name(size_t column)
{
    return names[column];
}

double gtr_scaling_column(const struct gtr_scaling *s, size_t column)
{
    const double values[] = {
#define X(name, value) value,
        COLUMNS(X)
#undef X
    };

    return values[column];
}
