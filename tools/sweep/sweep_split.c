/* sweep_split.c - the same settings on windows and other traces, and how the rankings agree: what
 * is best in one stretch only was tuned to its noise. */
#include <math.h>
#include <string.h>

#include "sweep_found.h"
#include "tell.h"

enum { NAME_LEAST = 20, NAME_MOST = 40, RANGE_SIZE = 48 };

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
    const struct sweep_found *found;
    struct tell_names names; /* of the windows, then of the other traces */
    double *rows;            /* [n][GTR_OBJECTIVE_COUNT] */
    double *whole, *part;    /* [n] goals of the whole trace, and of what it is held against */
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

/* How many settings are better than the recommended, of how many that have a value; and how often
 * it clips there. */
static void put_standing(const struct steadiness *s, const double *values, const double *rows)
{
    size_t best = s->found->advice->knee, better = 0, count = 0, i;
    char place[RANGE_SIZE], rate[TELL_SIZE];

    for (i = 0; i < s->results->n; i++) {
        count += isnan(values[i]) ? 0 : 1;
        better += values[i] < values[best] ? 1 : 0;
    }
    snprintf(place, sizeof place, "%zu of %zu", better + 1, count);
    fprintf(s->f, "%-22s %s\n", place,
            tell_share(rows[best * GTR_OBJECTIVE_COUNT + GTR_CLIP_RATE], rate));
}

/* Runs on `series` and prints its line, called name i. */
static enum gtr_code put_series(const struct steadiness *s, size_t i,
                                const struct gtr_series *series, int64_t total_steps,
                                struct gtr_err *err)
{
    struct gtr_stability stability;
    char share[TELL_SIZE];
    enum gtr_code rc = run_on(s, series, total_steps, err);

    if (rc != GTR_OK)
        return rc;
    goal_of_rows(&s->found->goals[0], s->rows, s->found->keep, s->results->n, s->part);
    rc = gtr_stability_run(s->whole, s->part, s->results->n, &stability, err);
    if (rc != GTR_OK)
        return rc;
    fputs("  ", s->f);
    tell_name(s->f, &s->names, i);
    if (isnan(stability.rank_correlation)) {
        fprintf(s->f, " %16s   (%s is the same for all settings there)\n", "-",
                s->options->goals.text[0]);
        return GTR_OK;
    }
    fprintf(s->f, " %16.3f %19s   ", stability.rank_correlation,
            tell_share(stability.best_overlap, share));
    put_standing(s, s->part, s->rows);
    return GTR_OK;
}

/* Row of the first step of window w. */
static size_t window_start(const struct steadiness *s, size_t w)
{
    return s->results->study->series->n_steps * w / s->options->n_windows;
}

static enum gtr_code put_window(const struct steadiness *s, size_t w, struct gtr_err *err)
{
    int64_t planned = gtr_replay_total_steps(s->results->study->replay);
    size_t first = window_start(s, w), end = window_start(s, w + 1);
    struct gtr_series *window = NULL;
    enum gtr_code rc =
        gtr_series_window(s->results->study->series, first, end - first, &window, err);

    /* A window keeps its place in the whole run's plan. */
    if (rc == GTR_OK)
        rc = put_series(s, w, window, planned > 0 ? planned : -1, err);
    gtr_series_free(window);
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

static enum gtr_code put_trace(const struct steadiness *s, size_t i, struct gtr_err *err)
{
    const struct study *study = s->results->study;
    const char *path = s->options->against.text[i];
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
        rc = put_series(s, s->options->n_windows + i, series, 0, err);
    gtr_series_free(series);
    gtr_groups_free(groups);
    gtr_trace_close(trace);
    return rc;
}

static enum gtr_code put_all(struct steadiness *s, struct gtr_err *err)
{
    const struct gtr_series *series = s->results->study->series;
    size_t k = s->options->n_windows, n = k + s->options->against.n, i;
    char ranges[SWEEP_WINDOWS_MAX][RANGE_SIZE];
    const char **names = NULL;
    enum gtr_code rc = gtr_alloc_for(&names, n, sizeof *names, "names", err);

    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < k; i++)
        snprintf(ranges[i], RANGE_SIZE, "%lld - %lld", (long long)series->index[window_start(s, i)],
                 (long long)series->index[window_start(s, i + 1) - 1]);
    for (i = 0; i < n; i++)
        names[i] = i < k ? ranges[i] : s->options->against.text[i - k];
    tell_names_make(&s->names, names, n, NAME_LEAST, NAME_MOST);
    goal_of_rows(&s->found->goals[0], s->results->rows, s->found->keep, s->results->n, s->whole);
    fprintf(s->f, "\nsteady? the ranking by %s elsewhere, beside that on all of this run\n",
            s->options->goals.text[0]);
    fprintf(s->f, "  %-*s %16s %19s   %-22s %s\n", (int)s->names.width, "steps or trace",
            "rank correlation", "best tenth in common", "rank of recommended", "it clips");
    fprintf(s->f, "  %-*s %16s %19s   ", (int)s->names.width, "all of this run", "-", "-");
    put_standing(s, s->whole, s->results->rows);
    for (i = 0; rc == GTR_OK && i < n; i++)
        rc = i < k ? put_window(s, i, err) : put_trace(s, i - k, err);
    if (s->options->against.n > 0)
        fputs("  a training may be as far from either clip rate as they are apart\n", s->f);
    tell_names_free(&s->names);
    gtr_free(names);
    return rc;
}

enum gtr_code sweep_split(FILE *f, const struct sweep_options *options,
                          const struct sweep_results *results, const struct sweep_found *found,
                          struct gtr_err *err)
{
    struct steadiness s = { .f = f, .options = options, .results = results, .found = found };
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
