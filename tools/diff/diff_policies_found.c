/* diff_policies_found.c - counts where two policies differ.
 *
 * Both are replayed over the same norms.  A decision is apart if the two scales are not the same
 * number, and how far apart is the larger scale over the smaller, whichever policy it is of.
 */
#include "diff_found.h"

#include <math.h>
#include <string.h>

/* A scale of 0 counts as 1e-300, as in objectives.h. */
static double log_of(double scale)
{
    return scale == 1.0 ? 0.0 : log(scale > 1e-300 ? scale : 1e-300);
}

/* One decision of both; returns ln s2 - ln s1. */
static double add(struct diff_pair *pair, const double scale[2], double log_ratio, double log_kappa,
                  size_t row)
{
    bool spike = log_ratio > log_kappa;
    double apart = log_of(scale[1]) - log_of(scale[0]);
    size_t i;

    pair->n++;
    pair->n_spikes += spike ? 1 : 0;
    for (i = 0; i < 2; i++) {
        pair->clipped[i] += scale[i] < 1.0 ? 1 : 0;
        pair->raised[i] += scale[i] > 1.0 ? 1 : 0;
        pair->log_sum[i] += log_of(scale[i]);
        pair->n_through[i] += spike && log_of(scale[i]) + log_ratio > log_kappa ? 1 : 0;
    }
    pair->n_apart += scale[0] != scale[1] ? 1 : 0;
    pair->apart_sum += fabs(apart);
    if (fabs(apart) > pair->farthest) {
        pair->farthest = fabs(apart);
        pair->farthest_row = row;
    }
    return apart;
}

static void keep_worst(struct diff_policies *found, const struct diff_place *place)
{
    size_t k;

    if (place->apart == 0.0 || (found->n_worst == DIFF_WORST &&
                                !(fabs(place->apart) > fabs(found->worst[DIFF_WORST - 1].apart))))
        return;
    found->n_worst += found->n_worst < DIFF_WORST ? 1 : 0;
    for (k = found->n_worst - 1; k > 0 && fabs(place->apart) > fabs(found->worst[k - 1].apart); k--)
        found->worst[k] = found->worst[k - 1];
    found->worst[k] = *place;
}

static void compare_step(struct diff_policies *found, size_t t)
{
    size_t n_steps = found->study.series->n_steps, j;
    struct diff_place place = { 0, t, 0.0 };
    bool apart = false;

    for (j = 0; j < found->study.series->n_groups; j++) {
        size_t at = j * n_steps + t;
        const double scale[2] = { found->decisions[0]->scale[at], found->decisions[1]->scale[at] };
        double ratio = found->baseline->log_ratio[at], by;

        by = add(&found->group[j], scale, ratio, found->baseline->log_kappa, t);
        add(&found->group[found->study.series->n_groups], scale, ratio, found->baseline->log_kappa,
            t);
        apart = apart || scale[0] != scale[1];
        if (fabs(by) > fabs(place.apart)) {
            place.group = j;
            place.apart = by;
        }
    }
    found->n_steps++;
    found->n_steps_apart += apart ? 1 : 0;
    keep_worst(found, &place);
}

static void compare_all(struct diff_policies *found)
{
    const struct gtr_series *series = found->study.series;
    const uint8_t *skip = gtr_replay_skip(found->study.replay);
    size_t t, j;

    for (t = 0; t < series->n_steps; t++) {
        bool known = !skip[t] && series->index[t] >= found->window.first &&
                     series->index[t] <= found->window.last;

        /* NaN: a norm that is not finite was let through. */
        for (j = 0; known && j < series->n_groups; j++)
            known = !isnan(found->decisions[0]->scale[j * series->n_steps + t]) &&
                    !isnan(found->decisions[1]->scale[j * series->n_steps + t]);
        if (known)
            compare_step(found, t);
    }
}

static enum gtr_code replay_both(struct diff_policies *found, struct gtr_err *err)
{
    struct gtr_norm_summary *norms = NULL;
    enum gtr_code rc = gtr_norm_summaries_new(found->study.replay, &norms, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < 2; i++) {
        rc = gtr_replay_run(found->study.replay, found->study.settings[i], &found->decisions[i],
                            err);
        if (rc == GTR_OK)
            rc = gtr_scaling_new(found->study.replay, found->decisions[i], norms,
                                 &found->reports[i], err);
    }
    gtr_free(norms);
    return rc;
}

enum gtr_code diff_policies_make(struct diff_policies *found, const struct diff_options *options,
                                 struct gtr_err *err)
{
    const struct gtr_series *series;
    enum gtr_code rc;

    memset(found, 0, sizeof *found);
    found->options = options;
    rc = study_open(&found->study, options->trace[0], &options->common, &options->replay, err);
    if (rc != GTR_OK)
        return rc;
    series = found->study.series;
    found->window =
        options->n_windows > 0
            ? options->window[0]
            : (struct diff_window){ series->index[0], series->index[series->n_steps - 1] };
    rc = gtr_baseline_new(series, gtr_replay_skip(found->study.replay), &options->baseline,
                          &found->baseline, err);
    if (rc == GTR_OK)
        rc = replay_both(found, err);
    if (rc == GTR_OK)
        rc =
            gtr_alloc_for(&found->group, series->n_groups + 1, sizeof *found->group, "groups", err);
    if (rc == GTR_OK)
        rc =
            gtr_alloc_for(&found->names, series->n_groups + 1, sizeof *found->names, "groups", err);
    if (rc != GTR_OK)
        return rc;
    memcpy(found->names, series->names, series->n_groups * sizeof *found->names);
    found->names[series->n_groups] = "(all)";
    compare_all(found);
    if (found->n_steps == 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: no step from %lld to %lld that counts; the trace has "
                        "%lld to %lld",
                        options->trace[0], (long long)found->window.first,
                        (long long)found->window.last, (long long)series->index[0],
                        (long long)series->index[series->n_steps - 1]);
    return GTR_OK;
}

void diff_policies_free(struct diff_policies *found)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        gtr_decisions_free(found->decisions[i]);
        gtr_scaling_free(found->reports[i]);
    }
    gtr_baseline_free(found->baseline);
    gtr_free(found->group);
    gtr_free(found->names);
    study_close(&found->study);
}
