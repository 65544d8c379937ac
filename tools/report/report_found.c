/* report_found.c - run every study that the page tells of.
 *
 * A study that cannot be made, as a spill-over without a finite step, leaves a gap in the page and
 * a sentence about it, not a failed command.  Only what all stands on - trace, groups, norms,
 * policies - is an error.
 */
#include <math.h>
#include <string.h>

#include "ranks.h"
#include "report.h"

/* --- which policies -------------------------------------------------------------------------- */

static bool was_clipped(const struct study *study)
{
    return strcmp(gtr_trace_head(study->trace)->grad_state, "post-clip") == 0;
}

/* The limit that the run had.  To norms that it has clipped already it means nothing. */
static double own_limit(const struct study *study)
{
    return was_clipped(study) ? 0.0 : study_own_limit(gtr_trace_head(study->trace)->meta);
}

/* As `gradtrace spill --max-norm auto` chooses; 1 if there is nothing to choose by. */
static double fitting_limit(const struct study *study, bool *guessed)
{
    struct gtr_baseline_options past;
    struct gtr_baseline *baseline = NULL;
    struct gtr_spill_point chosen = { 0 };
    struct gtr_err ignored = { 0 };
    enum gtr_code rc;

    gtr_baseline_options_init(&past);
    rc =
        gtr_baseline_new(study->series, gtr_replay_skip(study->replay), &past, &baseline, &ignored);
    if (rc == GTR_OK)
        rc = gtr_spill_limit(study->replay, baseline, SPILL_COST, &chosen, &ignored);
    gtr_baseline_free(baseline);
    *guessed = rc != GTR_OK || !isfinite(chosen.max_norm) || !(chosen.max_norm > 0.0);
    return *guessed ? 1.0 : chosen.max_norm;
}

/* Without -p: a limit on the whole gradient, a rule for each group, and nothing at all. */
static enum gtr_code choose_policies(struct report_options *o, struct gtr_err *err)
{
    const char *const choice[] = { o->limit, "aggc-paper", "none" };
    struct cli_replay *replay = &o->replay;
    char limit[GTR_NUMBER_SIZE];
    struct study study = { 0 };
    enum gtr_code rc;
    size_t i;

    if (replay->policies.n > 0)
        return GTR_OK;
    rc = study_open(&study, o->trace, &o->common, replay, err);
    if (rc == GTR_OK) {
        double own = own_limit(&study);

        gtr_text_print(own > 0.0 ? own : fitting_limit(&study, &o->guessed), limit);
        snprintf(o->limit, sizeof o->limit, "global:max_norm=%s", limit);
    }
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(choice); i++)
        rc = cli_words_add(&replay->policies, choice[i], err);
    o->chosen = true;
    study_close(&study);
    return rc;
}

/* --- the studies ----------------------------------------------------------------------------- */

static enum gtr_code replay_all(struct report_found *found, struct gtr_err *err)
{
    const struct study *study = &found->study;
    size_t n = study->n_settings, i, t;
    enum gtr_code rc;

    found->no_decisions = true;
    for (t = 0; t < study->series->n_steps; t++)
        if (!gtr_replay_skip(study->replay)[t])
            found->no_decisions = false;
    rc = info_found_make(&found->info, study, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&found->decisions, n, sizeof *found->decisions, "policies", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&found->scaling, n, sizeof *found->scaling, "policies", err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        rc = gtr_replay_run(study->replay, study->settings[i], &found->decisions[i], err);
        if (rc == GTR_OK)
            rc = gtr_scaling_new(study->replay, found->decisions[i], found->info.norms,
                                 &found->scaling[i], err);
    }
    return rc;
}

/* The first of the user's policies that is one limit for all. */
static double given_limit(const struct report_found *found)
{
    size_t i;

    for (i = 0; i < found->study.n_settings && !found->options->chosen; i++) {
        double limit = found->decisions[i]->params[0].global.max_norm;

        if (found->decisions[i]->policy == GTR_GLOBAL && isfinite(limit) && limit >= 1e-150)
            return limit;
    }
    return 0.0;
}

static void run_spill(struct report_found *found)
{
    struct spill_options *o = &found->spill_options;
    double given = given_limit(found);
    struct gtr_err err = { 0 };

    spill_options_init(o);
    o->common = found->options->common;
    o->trace = found->options->trace;
    o->max_norm = found->own > 0.0 ? found->own : given;
    o->choose = o->max_norm == 0.0;
    found->spill_is_own = found->own > 0.0;
    found->spill_is_given = !found->spill_is_own && !o->choose;
    found->spill_study = found->study;
    found->spill_study.n_settings = 0;
    if (found->no_decisions)
        snprintf(found->spill_why, sizeof found->spill_why, "every step is left out");
    else if (spill_found_make(&found->spill, &found->spill_study, o, &err) == GTR_OK)
        found->has_spill = true;
    else
        snprintf(found->spill_why, sizeof found->spill_why, "%s", err.text);
}

static void run_update(struct report_found *found)
{
    struct update_options *o = &found->update_options;
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    o->common = found->options->common;
    o->common.quiet = true;
    o->replay = found->options->replay;
    o->trace = found->options->trace;
    o->warm_up = -1;
    if (found->no_decisions || ranks_size() > 1) {
        snprintf(found->update_why, sizeof found->update_why, "%s",
                 found->no_decisions ? "every step is left out"
                                     : "a report under mpirun leaves it out");
        return;
    }
    rc = update_found_make(&found->update, o, &found->study, &err);
    if (rc == GTR_OK)
        rc = update_summaries_new(&found->update, &found->updates, &err);
    if (rc != GTR_OK)
        snprintf(found->update_why, sizeof found->update_why, "%s", err.text);
}

static enum gtr_code run_doctor(struct report_found *found, struct gtr_err *err)
{
    const struct study *study = &found->study;
    const struct gtr_patient patient = {
        .trace = study->trace,
        .groups = study->groups,
        .replay = study->replay,
        .max_norm = study_own_limit(gtr_trace_head(study->trace)->meta),
        .no_max_norm = study_no_limit(gtr_trace_head(study->trace)->meta),
        .beta2 = study_beta2(study),
        .n_policies = study->n_settings,
        .settings = (const struct gtr_setting *const *)study->settings,
    };

    return gtr_doctor_run(&patient, &found->findings, &found->n_findings, err);
}

enum gtr_code report_found_make(struct report_found *found, struct report_options *options,
                                struct gtr_err *err)
{
    enum gtr_code rc;

    memset(found, 0, sizeof *found);
    found->options = options;
    options->replay.options.keep_interval = true;
    rc = choose_policies(options, err);
    if (rc == GTR_OK)
        rc = study_open(&found->study, options->trace, &options->common, &options->replay, err);
    if (rc == GTR_OK) {
        found->own = own_limit(&found->study);
        found->clipped = was_clipped(&found->study);
        rc = replay_all(found, err);
    }
    if (rc != GTR_OK)
        return rc;
    run_spill(found);
    run_update(found);
    return run_doctor(found, err);
}

void report_found_free(struct report_found *found)
{
    size_t i;

    gtr_free(found->findings);
    gtr_free(found->updates);
    if (found->update.study != NULL)
        update_found_free(&found->update);
    spill_found_free(&found->spill);
    for (i = 0; i < found->study.n_settings; i++) {
        if (found->scaling != NULL)
            gtr_scaling_free(found->scaling[i]);
        if (found->decisions != NULL)
            gtr_decisions_free(found->decisions[i]);
    }
    gtr_free(found->scaling);
    gtr_free(found->decisions);
    info_found_free(&found->info);
    study_close(&found->study);
}
