/* diff_found.c - opens both, finds the groups and steps that they share, and compares them.
 *
 * Groups are the same by their names, steps by their numbers.  What only one of the two has is told
 * of, and compared with nothing.
 */
#include "diff_found.h"

#include <string.h>

/* --- groups -------------------------------------------------------------------------------- */

static size_t find_name(const struct gtr_series *series, const char *name)
{
    size_t j = 0;

    while (j < series->n_groups && strcmp(series->names[j], name) != 0)
        j++;
    return j;
}

static enum gtr_code match_groups(struct diff_found *found, struct gtr_err *err)
{
    const struct gtr_series *series[2] = { found->side[0].study.series,
                                           found->side[1].study.series };
    size_t n_shared = 0, s, j;
    enum gtr_code rc =
        gtr_alloc_for(&found->names, series[0]->n_groups + 1, sizeof *found->names, "groups", err);

    for (s = 0; rc == GTR_OK && s < 2; s++) {
        rc = gtr_alloc_for(&found->side[s].group, series[0]->n_groups + 1, sizeof(size_t), "groups",
                           err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&found->side[s].alone, series[s]->n_groups, sizeof(size_t), "groups",
                               err);
    }
    for (s = 0; rc == GTR_OK && s < 2; s++)
        for (j = 0; j < series[s]->n_groups; j++) {
            size_t other = find_name(series[1 - s], series[s]->names[j]);

            if (other == series[1 - s]->n_groups) {
                found->side[s].alone[found->side[s].n_alone++] = j;
            } else if (s == 0) {
                found->names[n_shared] = series[0]->names[j];
                found->side[0].group[n_shared] = j;
                found->side[1].group[n_shared++] = other;
            }
        }
    if (rc != GTR_OK)
        return rc;
    found->names[n_shared] = "(all)";
    found->side[0].group[n_shared] = series[0]->n_groups;
    found->side[1].group[n_shared] = series[1]->n_groups;
    found->n_groups = n_shared + 1;
    if (n_shared == 0)
        return gtr_fail(
            err, GTR_EUSAGE,
            "%s: has no group that %s has too (%s, ... and %s, ...); another --group-by "
            "may fit both",
            gtr_trace_path(found->side[1].study.trace), gtr_trace_path(found->side[0].study.trace),
            series[0]->names[0], series[1]->names[0]);
    return GTR_OK;
}

/* --- steps --------------------------------------------------------------------------------- */

static enum gtr_code choose_windows(struct diff_found *found, struct gtr_err *err)
{
    const struct diff_options *o = found->options;
    size_t s;

    for (s = 0; s < 2; s++) {
        const struct gtr_series *series = found->side[s].study.series;
        struct diff_window *spans = &found->side[s].spans;

        spans->first = series->index[0];
        spans->last = series->index[series->n_steps - 1];
    }
    for (s = 0; s < 2; s++) {
        const struct diff_window *mine = &found->side[s].spans, *other = &found->side[1 - s].spans;
        struct diff_window *window = &found->side[s].window;

        if (o->n_windows > 0) {
            *window = o->window[s < o->n_windows ? s : 0];
        } else {
            window->first = mine->first > other->first ? mine->first : other->first;
            window->last = mine->last < other->last ? mine->last : other->last;
        }
        if (window->first > window->last)
            return gtr_fail(err, GTR_EUSAGE,
                            "%s: its steps are %lld to %lld, those of the other %lld to %lld; give "
                            "each its own with two --window FIRST:LAST",
                            gtr_trace_path(found->side[s].study.trace), (long long)mine->first,
                            (long long)mine->last, (long long)other->first, (long long)other->last);
        if (window->first > mine->last || window->last < mine->first)
            return gtr_fail(err, GTR_EUSAGE,
                            "--window %lld:%lld: %s has no such steps, only %lld to %lld",
                            (long long)window->first, (long long)window->last,
                            gtr_trace_path(found->side[s].study.trace), (long long)mine->first,
                            (long long)mine->last);
    }
    return GTR_OK;
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

enum gtr_code diff_found_make(struct diff_found *found, const struct diff_options *options,
                              struct gtr_err *err)
{
    struct gtr_compare_options compare = { .alpha = 0.05,
                                           .n_policies = options->replay.policies.n,
                                           .n_threads = options->common.n_threads };
    struct gtr_compare_side sides[2];
    enum gtr_code rc = GTR_OK;
    size_t s;

    memset(found, 0, sizeof *found);
    found->options = options;
    compare.baseline = options->baseline;
    for (s = 0; rc == GTR_OK && s < 2; s++)
        rc = study_open(&found->side[s].study, options->trace[options->trace[1] != NULL ? s : 0],
                        &options->common, &options->replay, err);
    if (rc == GTR_OK)
        rc = match_groups(found, err);
    if (rc == GTR_OK)
        rc = choose_windows(found, err);
    for (s = 0; rc == GTR_OK && s < 2; s++)
        rc = replay_all(&found->side[s], err);
    if (rc != GTR_OK)
        return rc;
    compare.n_groups = found->n_groups;
    sides[0] = side_of(&found->side[0]);
    sides[1] = side_of(&found->side[1]);
    return gtr_comparison_new(&sides[0], &sides[1], &compare, &found->comparison, err);
}

void diff_found_free(struct diff_found *found)
{
    size_t s, i;

    for (s = 0; s < 2; s++) {
        struct diff_side *side = &found->side[s];

        for (i = 0; side->decisions != NULL && i < side->study.n_settings; i++)
            gtr_decisions_free(side->decisions[i]);
        gtr_free(side->decisions);
        gtr_free(side->group);
        gtr_free(side->alone);
        study_close(&side->study);
    }
    gtr_free(found->names);
    gtr_comparison_free(found->comparison);
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
