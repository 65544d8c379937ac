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

static enum gtr_code run_window(const struct sweep_options *options,
                                const struct sweep_results *results,
                                const struct gtr_series *window, double *rows, struct gtr_err *err)
{
    const struct gtr_replay *whole = results->study->replay;
    int64_t planned = gtr_replay_total_steps(whole);
    const struct gtr_replay_options replay_options = {
        .total_steps = planned > 0 ? planned : -1, /* the whole run's plan: a window has none */
        .nonfinite = options->replay.options.nonfinite,
        .n_threads = options->common.n_threads
    };
    const struct gtr_sweep_options sweep_options = { .n_threads = options->common.n_threads,
                                                     .scales_only = options->scales_only };
    struct gtr_baseline *baseline = NULL;
    struct gtr_replay *replay = NULL;
    enum gtr_code rc;
    size_t done;

    rc = gtr_replay_new(window, &replay_options, &replay, err);
    if (rc == GTR_OK)
        rc = gtr_baseline_new(window, gtr_replay_skip(replay), &options->baseline, &baseline, err);
    if (rc == GTR_OK)
        rc = gtr_sweep_run(replay, baseline, results->plan, results->first, results->n,
                           &sweep_options, rows, &done, err);
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

static enum gtr_code put_window(FILE *f, const struct gtr_series *window, const double *whole,
                                const double *part, size_t n, size_t best, struct gtr_err *err)
{
    struct gtr_stability stability;
    char range[48];
    enum gtr_code rc = gtr_stability_run(whole, part, n, &stability, err);

    if (rc != GTR_OK)
        return rc;
    snprintf(range, sizeof range, "%lld - %lld", (long long)window->index[0],
             (long long)window->index[window->n_steps - 1]);
    fprintf(f, "  %-20s %16.3f %18.0f%%   ", range, stability.rank_correlation,
            100.0 * stability.best_overlap);
    put_standing(f, part, n, best);
    fputc('\n', f);
    return GTR_OK;
}

static enum gtr_code put_windows(FILE *f, const struct sweep_options *options,
                                 const struct sweep_results *results, const struct gtr_goal *goal,
                                 const bool *keep, size_t best, double *rows, double *whole,
                                 double *part, struct gtr_err *err)
{
    const struct gtr_series *series = results->study->series;
    size_t k = options->n_windows, w;
    enum gtr_code rc = GTR_OK;

    for (w = 0; rc == GTR_OK && w < k; w++) {
        size_t first = series->n_steps * w / k, end = series->n_steps * (w + 1) / k;
        struct gtr_series *window = NULL;

        rc = gtr_series_window(series, first, end - first, &window, err);
        if (rc == GTR_OK)
            rc = run_window(options, results, window, rows, err);
        if (rc == GTR_OK) {
            goal_of_rows(goal, rows, keep, results->n, part);
            rc = put_window(f, window, whole, part, results->n, best, err);
        }
        gtr_series_free(window);
    }
    return rc;
}

enum gtr_code sweep_split(FILE *f, const struct sweep_options *options,
                          const struct sweep_results *results, const struct gtr_goal *goal,
                          const bool *keep, size_t best, struct gtr_err *err)
{
    double *rows = NULL, *whole = NULL, *part = NULL;
    enum gtr_code rc;

    if (options->n_windows > results->study->series->n_steps)
        return gtr_fail(err, GTR_EUSAGE, "--split %zu: the trace has only %zu steps",
                        options->n_windows, results->study->series->n_steps);
    rc = gtr_alloc_for(&rows, results->n * GTR_OBJECTIVE_COUNT, sizeof *rows, "objectives", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&whole, results->n, sizeof *whole, "goals", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&part, results->n, sizeof *part, "goals", err);
    if (rc == GTR_OK) {
        goal_of_rows(goal, results->rows, keep, results->n, whole);
        fprintf(f, "\nsteady? the ranking by %s on windows of the run, beside that of all of it\n",
                options->goals.text[0]);
        fprintf(f, "  %-20s %16s %19s   %s\n", "steps", "rank correlation", "best tenth in common",
                "rank of the recommended");
        rc = put_windows(f, options, results, goal, keep, best, rows, whole, part, err);
    }
    gtr_free(rows);
    gtr_free(whole);
    gtr_free(part);
    return rc;
}
