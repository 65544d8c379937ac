/* diff_found.c - opens all, finds the groups and steps that they share, and compares them.
 *
 * Groups are the same by their names, steps by their numbers.  What not all of them have is told
 * of, and compared with nothing.
 */
#include "diff_found.h"

#include <string.h>

static size_t count_runs(const struct diff_found *found)
{
    return found->n_of[0] + found->n_of[1];
}

/* --- groups -------------------------------------------------------------------------------- */

static size_t find_name(const struct gtr_series *series, const char *name)
{
    size_t j = 0;

    while (j < series->n_groups && strcmp(series->names[j], name) != 0)
        j++;
    return j;
}

/* Where every run has the group of this name, into at[]; false if one has not. */
static bool find_in_all(const struct diff_found *found, const char *name, size_t *at)
{
    size_t s;

    for (s = 0; s < count_runs(found); s++) {
        const struct gtr_series *series = found->side[s].study.series;
        size_t j = find_name(series, name);

        if (j == series->n_groups)
            return false;
        at[s] = j;
    }
    return true;
}

static enum gtr_code make_room(struct diff_found *found, struct gtr_err *err)
{
    size_t n_most = found->side[0].study.series->n_groups + 1, s;
    enum gtr_code rc = gtr_alloc_for(&found->names, n_most, sizeof *found->names, "groups", err);

    for (s = 0; rc == GTR_OK && s < count_runs(found); s++) {
        struct diff_side *side = &found->side[s];

        rc = gtr_alloc_for(&side->group, n_most, sizeof(size_t), "groups", err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&side->alone, side->study.series->n_groups, sizeof(size_t), "groups",
                               err);
    }
    return rc;
}

/* Shared by all, in the order of the first run; then what is not. */
static void share_out(struct diff_found *found, size_t *at)
{
    size_t n_runs = count_runs(found), s, j, k;

    found->n_groups = 0;
    for (j = 0; j < found->side[0].study.series->n_groups; j++) {
        const char *name = found->side[0].study.series->names[j];

        if (!find_in_all(found, name, at))
            continue;
        found->names[found->n_groups] = name;
        for (k = 0; k < n_runs; k++)
            found->side[k].group[found->n_groups] = at[k];
        found->n_groups++;
    }
    for (s = 0; s < n_runs; s++)
        for (j = 0; j < found->side[s].study.series->n_groups; j++)
            if (!find_in_all(found, found->side[s].study.series->names[j], at))
                found->side[s].alone[found->side[s].n_alone++] = j;
}

static enum gtr_code match_groups(struct diff_found *found, struct gtr_err *err)
{
    size_t n_runs = count_runs(found), s, *at;
    const struct diff_side *first = &found->side[0], *last = &found->side[n_runs - 1];
    enum gtr_code rc = make_room(found, err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&at, n_runs, sizeof *at, "runs", err);
    if (rc != GTR_OK)
        return rc;
    share_out(found, at);
    gtr_free(at);
    if (found->n_groups == 0)
        return gtr_fail(
            err, GTR_EUSAGE,
            "%s: has no group that %s has too (%s, ... and %s, ...); another --group-by "
            "may fit both",
            gtr_trace_path(last->study.trace), gtr_trace_path(first->study.trace),
            first->study.series->names[0], last->study.series->names[0]);
    found->names[found->n_groups] = "(all)";
    for (s = 0; s < n_runs; s++)
        found->side[s].group[found->n_groups] = found->side[s].study.series->n_groups;
    found->n_groups++;
    return GTR_OK;
}

/* --- steps --------------------------------------------------------------------------------- */

/* The steps that all runs span. */
static struct diff_window shared_steps(const struct diff_found *found)
{
    struct diff_window shared = found->side[0].spans;
    size_t s;

    for (s = 1; s < count_runs(found); s++) {
        const struct diff_window *spans = &found->side[s].spans;

        shared.first = spans->first > shared.first ? spans->first : shared.first;
        shared.last = spans->last < shared.last ? spans->last : shared.last;
    }
    return shared;
}

static enum gtr_code check_window(const struct diff_found *found, size_t s, struct gtr_err *err)
{
    const struct diff_side *side = &found->side[s], *other = &found->side[s > 0 ? 0 : 1];
    const struct diff_window *window = &side->window;

    if (window->first > window->last)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: its steps are %lld to %lld, those of the other %lld to %lld; give "
                        "each its own with two --window FIRST:LAST",
                        gtr_trace_path(side->study.trace), (long long)side->spans.first,
                        (long long)side->spans.last, (long long)other->spans.first,
                        (long long)other->spans.last);
    if (window->first > side->spans.last || window->last < side->spans.first)
        return gtr_fail(
            err, GTR_EUSAGE, "--window %lld:%lld: %s has no such steps, only %lld to %lld",
            (long long)window->first, (long long)window->last, gtr_trace_path(side->study.trace),
            (long long)side->spans.first, (long long)side->spans.last);
    return GTR_OK;
}

static enum gtr_code choose_windows(struct diff_found *found, struct gtr_err *err)
{
    const struct diff_options *o = found->options;
    enum gtr_code rc = GTR_OK;
    size_t s;

    for (s = 0; s < count_runs(found); s++) {
        const struct gtr_series *series = found->side[s].study.series;

        found->side[s].spans.first = series->index[0];
        found->side[s].spans.last = series->index[series->n_steps - 1];
    }
    for (s = 0; rc == GTR_OK && s < count_runs(found); s++) {
        size_t of_b = s >= found->n_of[0] ? 1 : 0;

        found->side[s].window =
            o->n_windows == 0 ? shared_steps(found) : o->window[of_b < o->n_windows ? of_b : 0];
        rc = check_window(found, s, err);
    }
    return rc;
}

/* --- all of it ----------------------------------------------------------------------------- */

static enum gtr_code replay_all(struct diff_side *side, struct gtr_err *err)
{
    const struct study *study = &side->study;
    enum gtr_code rc = gtr_alloc_for(&side->decisions, study->n_settings, sizeof *side->decisions,
                                     "policies", err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < study->n_settings; i++)
        rc = gtr_replay_run(study->replay, study->settings[i], &side->decisions[i], err);
    return rc;
}

static struct gtr_compare_side side_of(const struct diff_side *side)
{
    return (struct gtr_compare_side){
        .replay = side->study.replay,
        .decisions = (const struct gtr_decisions *const *)side->decisions,
        .group = side->group,
        .first = side->window.first,
        .last = side->window.last,
    };
}

static enum gtr_code compare_runs(struct diff_found *found, struct gtr_err *err)
{
    struct gtr_compare_options compare = { .alpha = 0.05,
                                           .n_groups = found->n_groups,
                                           .n_policies = found->options->replay.policies.n,
                                           .baseline = found->options->baseline,
                                           .n_threads = found->options->common.n_threads };
    struct gtr_compare_side *sides;
    enum gtr_code rc = gtr_alloc_for(&sides, count_runs(found), sizeof *sides, "runs", err);
    size_t s;

    if (rc != GTR_OK)
        return rc;
    for (s = 0; s < count_runs(found); s++)
        sides[s] = side_of(&found->side[s]);
    if (count_runs(found) > 2)
        rc = gtr_comparison_of_runs(sides, found->n_of[0], sides + found->n_of[0], found->n_of[1],
                                    &compare, &found->comparison, err);
    else
        rc = gtr_comparison_new(&sides[0], &sides[1], &compare, &found->comparison, err);
    gtr_free(sides);
    return rc;
}

enum gtr_code diff_found_make(struct diff_found *found, const struct diff_options *options,
                              struct gtr_err *err)
{
    size_t n_runs = options->n_traces < 2 ? 2 : options->n_traces, s;
    enum gtr_code rc;

    memset(found, 0, sizeof *found);
    found->options = options;
    rc = gtr_alloc_for(&found->side, n_runs, sizeof *found->side, "runs", err);
    if (rc == GTR_OK) {
        found->n_of[1] = options->n_b > 0 ? (size_t)options->n_b : 1;
        found->n_of[0] = n_runs - found->n_of[1];
    }
    for (s = 0; rc == GTR_OK && s < n_runs; s++)
        rc = study_open(&found->side[s].study, options->trace[s < options->n_traces ? s : 0],
                        &options->common, &options->replay, err);
    if (rc == GTR_OK)
        rc = match_groups(found, err);
    if (rc == GTR_OK)
        rc = choose_windows(found, err);
    for (s = 0; rc == GTR_OK && s < n_runs; s++)
        rc = replay_all(&found->side[s], err);
    return rc == GTR_OK ? compare_runs(found, err) : rc;
}

void diff_found_free(struct diff_found *found)
{
    size_t s, i;

    for (s = 0; s < count_runs(found); s++) {
        struct diff_side *side = &found->side[s];

        for (i = 0; side->decisions != NULL && i < side->study.n_settings; i++)
            gtr_decisions_free(side->decisions[i]);
        gtr_free(side->decisions);
        gtr_free(side->group);
        gtr_free(side->alone);
        study_close(&side->study);
    }
    gtr_free(found->side);
    gtr_free(found->names);
    gtr_comparison_free(found->comparison);
}

const char *diff_side_name(const struct diff_found *found, size_t run, char text[32])
{
    size_t of_b = run >= found->n_of[0] ? 1 : 0;

    if (count_runs(found) == 2)
        snprintf(text, 32, "%c", "AB"[of_b]);
    else
        snprintf(text, 32, "%c%zu", "AB"[of_b], run + 1 - (of_b ? found->n_of[0] : 0));
    return text;
}

const char *diff_measure_name(const struct diff_found *found, size_t measure, char text[128])
{
    static const char *const names[] = { "level", "spread", "spikes" };

    if (measure < GTR_ARRAY_LEN(names))
        return names[measure];
    snprintf(text, 128, "clip rate of %s",
             found->side[0].study.labels[measure - GTR_MEASURE_CLIPPED]);
    return text;
}
