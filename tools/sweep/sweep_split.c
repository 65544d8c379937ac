/* sweep_split.c - windows, and how their rankings agree. */
#include "sweep_split.h"

#include <math.h>
#include <string.h>

/* The goal of each setting that counts; NaN for the others. */
static void goal_of_rows(const struct gtr_goal *goal, const double *rows, const bool *keep,
                         size_t n, double *values)
{
    size_t i;

    for (i = 0; i < n; i++)
        values[i] = keep[i] ? gtr_goal_value(goal, rows + i * GTR_OBJECTIVE_COUNT) : (double)NAN;
}

/* What a comparison needs besides the series. */
struct steadiness {
    FILE *f;
    const struct sweep_options *options;
    const struct sweep_results *results;
    const struct gtr_goal *goal;
    const bool *keep;
    size_t best;
    double *rows;         /* [n][GTR_OBJECTIVE_COUNT] */
    double *whole, *part; /* [n] goals of the whole trace, and of what it is held against */
};

static enum gtr_code run_on(const struct steadiness *s, const struct gtr_series *series,
                            int64_t total_steps, struct gtr_err *err)
{
    const struct gtr_replay_options replay_options = { .size = sizeof replay_options,
                                                       .total_steps = total_steps,
                                                       .nonfinite =
                                                           s->options->replay.options.nonfinite,
                                                       .n_threads = s->options->common.n_threads };
    const struct gtr_sweep_options sweep_options = { .n_threads = s->options->common.n_threads,
                                                     .scales_only = s->options->scales_only,
                                                     .device = s->options->device };
    struct gtr_baseline *baseline = NULL;
    struct gtr_replay *replay = NULL;
    enum gtr_code rc;
    size_t done;

    rc = gtr_replay_new(series, &replay_options, &replay, err);
    if (rc == GTR_OK)
        rc = gtr_baseline_new(series, gtr_replay_skip(replay), &s->options->baseline, &baseline,
                              err);
    if (rc == GTR_OK)
        rc = gtr_sweep_run(replay, baseline, s->results->plan, s->results->first, s->results->n,
                           &sweep_options, s->rows, &done, err);
    gtr_baseline_free(baseline);
    gtr_replay_free(replay);
    return rc;
}

/* How many settings are better than `best`, of how many that have a value. */
static void put_standing(FILE *f, const double *values, size_t n, size_t best)
{
    size_t better = 0, count = 0, i;

    for (i = 0; i < n; i++) {
        count += isnan(values[i]) ? 0 : 1;
        better += values[i] < values[best] ? 1 : 0;
    }
    fprintf(f, "%zu of %zu", better + 1, count);
}

/* Runs on `series` and prints its line. */
static enum gtr_code put_series(const struct steadiness *s, const char *name,
                                const struct gtr_series *series, int64_t total_steps,
                                struct gtr_err *err)
{
    struct gtr_stability stability;
    enum gtr_code rc = run_on(s, series, total_steps, err);

    if (rc != GTR_OK)
        return rc;
    goal_of_rows(s->goal, s->rows, s->keep, s->results->n, s->part);
    rc = gtr_stability_run(s->whole, s->part, s->results->n, &stability, err);
    if (rc != GTR_OK)
        return rc;
    if (isnan(stability.rank_correlation)) {
        fprintf(s->f, "  %-20s %16s   (the goal is the same for all settings there)\n", name, "-");
        return GTR_OK;
    }
    fprintf(s->f, "  %-20s %16.3f %18.0f%%   ", name, stability.rank_correlation,
            100.0 * stability.best_overlap);
    put_standing(s->f, s->part, s->results->n, s->best);
    fputc('\n', s->f);
    return GTR_OK;
}

static enum gtr_code put_windows(const struct steadiness *s, struct gtr_err *err)
{
    const struct gtr_series *series = s->results->study->series;
    int64_t planned = gtr_replay_total_steps(s->results->study->replay);
    size_t k = s->options->n_windows, w;
    enum gtr_code rc = GTR_OK;

    for (w = 0; rc == GTR_OK && w < k; w++) {
        size_t first = series->n_steps * w / k, end = series->n_steps * (w + 1) / k;
        struct gtr_series *window = NULL;
        char range[48];

        snprintf(range, sizeof range, "%lld - %lld", (long long)series->index[first],
                 (long long)series->index[end - 1]);
        rc = gtr_series_window(series, first, end - first, &window, err);
        /* A window keeps its place in the whole run's plan. */
        if (rc == GTR_OK)
            rc = put_series(s, range, window, planned > 0 ? planned : -1, err);
        gtr_series_free(window);
    }
    return rc;
}

static enum gtr_code check_same_groups(const struct gtr_series *ours,
                                       const struct gtr_series *theirs, const char *path,
                                       struct gtr_err *err)
{
    bool same = ours->n_groups == theirs->n_groups;
    size_t j;

    for (j = 0; same && j < ours->n_groups; j++)
        same = strcmp(ours->names[j], theirs->names[j]) == 0;
    if (same)
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE, "%s: has other groups than the trace that was swept", path);
}

static enum gtr_code put_trace(const struct steadiness *s, const char *path, struct gtr_err *err)
{
    const struct study *study = s->results->study;
    const char *slash = strrchr(path, '/');
    struct gtr_series *series = NULL;
    struct gtr_groups *groups = NULL;
    struct gtr_trace *trace = NULL;
    enum gtr_code rc;

    rc = gtr_trace_open(path, &trace, err);
    if (rc == GTR_OK)
        rc = gtr_groups_new(study->groups->rule, gtr_trace_head(trace), &groups, err);
    if (rc == GTR_OK)
        rc = gtr_series_read(trace, groups, s->options->common.n_threads, &series, err);
    if (rc == GTR_OK)
        rc = check_same_groups(study->series, series, path, err);
    if (rc == GTR_OK)
        rc = put_series(s, slash != NULL ? slash + 1 : path, series, 0, err);
    gtr_series_free(series);
    gtr_groups_free(groups);
    gtr_trace_close(trace);
    return rc;
}

static enum gtr_code put_all(const struct steadiness *s, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    goal_of_rows(s->goal, s->results->rows, s->keep, s->results->n, s->whole);
    fprintf(s->f, "\nsteady? the ranking by %s elsewhere, beside that on all of this run\n",
            s->options->goals.text[0]);
    fprintf(s->f, "  %-20s %16s %19s   %s\n", "steps or trace", "rank correlation",
            "best tenth in common", "rank of the recommended");
    rc = put_windows(s, err);
    for (i = 0; rc == GTR_OK && i < s->options->against.n; i++)
        rc = put_trace(s, s->options->against.text[i], err);
    return rc;
}

enum gtr_code sweep_split(FILE *f, const struct sweep_options *options,
                          const struct sweep_results *results, const struct gtr_goal *goal,
                          const bool *keep, size_t best, struct gtr_err *err)
{
    struct steadiness s = {
        .f = f, .options = options, .results = results, .goal = goal, .keep = keep, .best = best
    };
    enum gtr_code rc;

    if (options->n_windows == 0 && options->against.n == 0)
        return GTR_OK;
    if (options->n_windows > results->study->series->n_steps)
        return gtr_fail(err, GTR_EUSAGE, "--split %zu: the trace has only %zu steps",
                        options->n_windows, results->study->series->n_steps);
    rc =
        gtr_alloc_for(&s.rows, results->n * GTR_OBJECTIVE_COUNT, sizeof *s.rows, "objectives", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s.whole, results->n, sizeof *s.whole, "goals", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s.part, results->n, sizeof *s.part, "goals", err);
    if (rc == GTR_OK)
        rc = put_all(&s, err);
    gtr_free(s.rows);
    gtr_free(s.whole);
    gtr_free(s.part);
    return rc;
}
