/* doctor_found.c - looks at the run and at policies: those of -p, or the one that its meta tells
 * of, so that a run can be looked at by whoever does not know how it was clipped. */
#include "doctor_found.h"

#include <string.h>

/* Without -p: the policy that the run itself had.  After its own clipping there is nothing left to
 * see of it. */
static enum gtr_code add_own_policy(struct doctor_found *found, struct cli_replay *replay,
                                    struct gtr_err *err)
{
    struct gtr_trace *trace = NULL;
    enum gtr_code rc;
    double limit;

    if (replay->policies.n > 0)
        return GTR_OK;
    rc = gtr_trace_open(found->trace, &trace, err);
    if (rc != GTR_OK)
        return rc;
    limit = study_own_limit(gtr_trace_head(trace)->meta);
    if (limit > 0.0 && strcmp(gtr_trace_head(trace)->grad_state, "post-clip") != 0) {
        char text[GTR_NUMBER_SIZE];

        gtr_text_print(limit, text);
        found->own = true;
        snprintf(found->own_text, sizeof found->own_text, "global:max_norm=%s", text);
        rc = cli_words_add(&replay->policies, found->own_text, err);
    }
    gtr_trace_close(trace);
    return rc;
}

/* A limit means nothing to norms that are not those it was applied to. */
static void drop_own(struct doctor_found *found)
{
    size_t i, kept = 0;

    for (i = 0; i < found->n_findings; i++) {
        const char *code = gtr_check_at(found->findings[i].check)->code;

        if (found->findings[i].severity == GTR_SEVERE &&
            (strcmp(code, "sums") == 0 || strcmp(code, "post-clip") == 0))
            found->own_dropped = true;
    }
    for (i = 0; i < found->n_findings && found->own_dropped; i++)
        if (found->findings[i].policy == GTR_OF_THE_RUN)
            found->findings[kept++] = found->findings[i];
    if (found->own_dropped)
        found->n_findings = kept;
}

static enum gtr_code examine(struct doctor_found *found, struct gtr_err *err)
{
    const struct study *study = &found->study;
    const struct gtr_patient patient = {
        .trace = study->trace,
        .groups = study->groups,
        .replay = study->replay,
        .max_norm = study_own_limit(gtr_trace_head(study->trace)->meta),
        .no_max_norm = study_no_limit(gtr_trace_head(study->trace)->meta),
        .beta2 = study_beta2(study),
        .wanted = found->wanted,
        .n_policies = study->n_settings,
        .settings = (const struct gtr_setting *const *)study->settings,
    };
    enum gtr_code rc;

    rc = gtr_doctor_run(&patient, &found->findings, &found->n_findings, err);
    if (rc == GTR_OK && found->own)
        drop_own(found);
    return rc;
}

enum gtr_code doctor_found_make(struct doctor_found *found, struct doctor_options *o,
                                struct gtr_err *err)
{
    enum gtr_code rc;

    memset(found, 0, sizeof *found);
    found->trace = o->trace;
    found->wanted = o->wanted;
    o->replay.options.keep_interval = true;
    rc = add_own_policy(found, &o->replay, err);
    if (rc == GTR_OK)
        rc = study_open(&found->study, o->trace, &o->common, &o->replay, err);
    if (rc == GTR_OK)
        rc = forms_open(&o->forms, o->common.force, err);
    return rc == GTR_OK ? examine(found, err) : rc;
}

void doctor_found_free(struct doctor_found *found)
{
    gtr_free(found->findings);
    study_close(&found->study);
}

size_t doctor_count(const struct doctor_found *found, enum gtr_severity severity)
{
    size_t n = 0, i;

    for (i = 0; i < found->n_findings; i++)
        n += found->findings[i].severity == severity ? 1 : 0;
    return n;
}
