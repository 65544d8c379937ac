/* explain_found.c - replays the policies over the whole run and, where this step's elements were
 * captured, the optimizer: what a policy does here depends on all that came before. */
#include "explain_found.h"

#include <math.h>
#include <string.h>

enum { NAME_MOST = 20 };

/* --- one policy ---------------------------------------------------------------------------- */

/* The limit of a policy that has one for all; 0 if it is another, or has one group apart. */
static double limit_of(const struct gtr_decisions *decisions)
{
    size_t j;

    if (decisions->policy != GTR_GLOBAL)
        return 0.0;
    for (j = 1; j < decisions->n_groups; j++)
        if (decisions->params[j].global.max_norm != decisions->params[0].global.max_norm)
            return 0.0;
    return decisions->params[0].global.max_norm;
}

static enum gtr_code run_spill(struct explain_found *found, struct explain_policy *policy,
                               struct gtr_err *err)
{
    const struct gtr_baseline past = { .options = found->options->baseline };
    struct gtr_spill_options options = { .method = GTR_BLAME_SHAPLEY,
                                         .n_threads = found->options->common.n_threads };

    options.max_norm = limit_of(policy->decisions);
    if (!(options.max_norm > 0.0))
        return GTR_OK;
    return gtr_spill_new(found->study.replay, &past, &options, &policy->spill, err);
}

static enum gtr_code run_policies(struct explain_found *found, struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(&found->policies, found->study.n_settings,
                                     sizeof *found->policies, "policies", err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < found->study.n_settings; i++) {
        struct explain_policy *policy = &found->policies[i];

        rc = gtr_replay_run(found->study.replay, found->study.settings[i], &policy->decisions, err);
        if (rc == GTR_OK)
            rc = run_spill(found, policy, err);
        if (rc == GTR_OK)
            rc = study_proxy(&found->study, policy->decisions, &found->optimizer, NULL, 0,
                             &policy->rho, err);
    }
    return rc;
}

/* cos = sum s e / sqrt(E sum s^2 e), as in scaling.h. */
static void look_at_direction(const struct explain_found *found, struct explain_policy *policy)
{
    const struct gtr_series *series = found->study.series;
    double along = 0.0, squares = 0.0, first = policy->decisions->scale[found->row];
    int equal = 1;
    size_t j;

    for (j = 0; j < series->n_groups; j++) {
        size_t at = j * series->n_steps + found->row;
        double s = policy->decisions->scale[at];

        equal = equal && s == first;
        along += s * series->sumsq[at];
        squares += s * s * series->sumsq[at];
    }
    policy->norm_out = sqrt(squares);
    policy->cosine = gtr_cosine(along, squares, series->total_sumsq[found->row], equal);
}

/* --- elements ------------------------------------------------------------------------------ */

static enum gtr_code take_updates(struct explain_found *found, size_t capture, struct gtr_err *err)
{
    size_t n = found->study.series->n_groups + 1, i, j;
    enum gtr_code rc = GTR_OK;

    for (i = 0; rc == GTR_OK && i < found->study.n_settings; i++) {
        rc =
            gtr_alloc_for(&found->policies[i].at, n, sizeof *found->policies[i].at, "updates", err);
        for (j = 0; rc == GTR_OK && j < n; j++)
            gtr_update_values_at(found->update, i, j, capture, &found->policies[i].at[j]);
    }
    return rc;
}

/* Only where this very step was captured; the optimizer is run from the first capture on. */
static enum gtr_code simulate(struct explain_found *found, struct gtr_err *err)
{
    struct gtr_update_options options = { .optimizer = found->optimizer,
                                          .n_threads = found->options->common.n_threads };
    size_t n = gtr_trace_n_captures(found->study.trace), capture = 0, i;
    const int64_t *rows = gtr_trace_capture_rows(found->study.trace);
    const struct gtr_decisions **decisions = NULL;
    enum gtr_code rc;

    while (capture < n && rows[capture] != (int64_t)found->row)
        capture++;
    if (capture == n || found->study.n_settings == 0)
        return GTR_OK;
    rc = gtr_alloc_for(&decisions, found->study.n_settings, sizeof *decisions, "policies", err);
    for (i = 0; rc == GTR_OK && i < found->study.n_settings; i++)
        decisions[i] = found->policies[i].decisions;
    options.device.kind = GTR_DEVICE_CPU;
    if (rc == GTR_OK)
        rc = gtr_update_run(found->study.trace, found->study.groups, found->study.replay, decisions,
                            found->study.n_settings, &options, &found->update, err);
    if (rc == GTR_OK)
        rc = take_updates(found, capture, err);
    gtr_free(decisions);
    return rc;
}

/* --- all of it ----------------------------------------------------------------------------- */

enum gtr_code explain_found_make(struct explain_found *found, const struct explain_options *options,
                                 struct gtr_err *err)
{
    struct cli_replay replay = options->replay;
    enum gtr_code rc;
    size_t i;

    memset(found, 0, sizeof *found);
    found->options = options;
    replay.options.keep_interval = 1;
    rc = study_open(&found->study, options->trace, &options->common, &replay, err);
    if (rc != GTR_OK)
        return rc;
    tell_names_make(&found->names, (const char *const *)found->study.series->names,
                    found->study.series->n_groups, 6, NAME_MOST);
    study_optimizer_from(&found->study, &found->optimizer, found->optimizer_from,
                         sizeof found->optimizer_from);
    rc = run_policies(found, err);
    if (rc == GTR_OK)
        rc = explain_choose(found, err);
    if (rc == GTR_OK)
        rc = explain_describe(found, err);
    if (rc != GTR_OK)
        return rc;
    found->skip = gtr_replay_skip(found->study.replay)[found->row] != 0;
    for (i = 0; i < found->study.n_settings; i++)
        look_at_direction(found, &found->policies[i]);
    return found->skip ? GTR_OK : simulate(found, err);
}

void explain_found_free(struct explain_found *found)
{
    size_t i;

    for (i = 0; found->policies != NULL && i < found->study.n_settings; i++) {
        gtr_decisions_free(found->policies[i].decisions);
        gtr_spill_free(found->policies[i].spill);
        gtr_free(found->policies[i].rho);
        gtr_free(found->policies[i].at);
    }
    gtr_free(found->policies);
    tell_names_free(&found->names);
    gtr_free(found->group);
    gtr_free(found->ranked);
    gtr_update_free(found->update);
    study_close(&found->study);
}
