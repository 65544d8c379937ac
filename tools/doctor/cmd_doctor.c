/* cmd_doctor.c - gradtrace doctor: what is wrong with a run, or with a clipping setting. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_report.h"
#include "output.h"
#include "spill_found.h"

enum { OPT_STRICT = 0x200, OPT_ONLY, OPT_LIST, OPT_JSON, OPT_TSV };

struct arguments {
    struct cli_common common;
    struct cli_replay replay;
    const char *trace;
    bool strict, list;
    bool *wanted; /* [gtr_checks_count()] */
    const char *json, *tsv;
    char own[64]; /* the run's own limit as a policy; "" if -p was given or it is not known */
};

/* CODE[,CODE...] */
static void take_only(struct arguments *arguments, const struct argp_state *state, const char *word)
{
    size_t n = gtr_checks_count(), i;
    const char **names = calloc(n, sizeof *names);
    char *copy = strdup(word), *save = NULL, *code;

    if (names == NULL || copy == NULL)
        argp_failure(state, EXIT_FAILED, ENOMEM, "--only");
    for (i = 0; i < n && names != NULL; i++)
        names[i] = gtr_check_at(i)->code;
    for (i = 0; i < n; i++)
        arguments->wanted[i] = false;
    code = strtok_r(copy, ",", &save);
    if (code == NULL)
        argp_error(state, "--only: name checks; --list shows them");
    for (; code != NULL; code = strtok_r(NULL, ",", &save))
        arguments->wanted[cli_choice(state, "--only", code, names, n)] = true;
    free(names);
    free(copy);
}

static void check_arguments(const struct arguments *arguments, const struct argp_state *state)
{
    if (arguments->list)
        return;
    if (arguments->trace == NULL)
        argp_error(state, "name a trace");
    if (arguments->json != NULL && arguments->tsv != NULL && strcmp(arguments->json, "-") == 0 &&
        strcmp(arguments->tsv, "-") == 0)
        argp_error(state, "--json, --tsv: only one can be - at a time");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->replay;
        state->child_inputs[1] = &arguments->common;
        return 0;
    case OPT_STRICT:
        arguments->strict = true;
        return 0;
    case OPT_LIST:
        arguments->list = true;
        return 0;
    case OPT_ONLY:
        take_only(arguments, state, word);
        return 0;
    case OPT_JSON:
        arguments->json = word;
        return 0;
    case OPT_TSV:
        arguments->tsv = word;
        return 0;
    case ARGP_KEY_ARG:
        cli_take_path(state, &arguments->trace, word, "trace");
        return 0;
    case ARGP_KEY_END:
        check_arguments(arguments, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "strict", OPT_STRICT, NULL, 0, "Exit with 1 if any finding is severe", 0 },
    { "only", OPT_ONLY, "CODE[,CODE...]", 0, "Look for these alone", 0 },
    { "list", OPT_LIST, NULL, 0, "Print what is looked for, with all thresholds, and their reasons",
      0 },
    { "json", OPT_JSON, "FILE|-", 0, "Write the findings as JSON", 0 },
    { "tsv", OPT_TSV, "FILE|-", 0, "Write the findings as tab-separated text", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 1 },
                                              { &cli_common_argp, 0, NULL, 2 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE [-p POLICY ...]",
    .doc =
        "What is wrong with a recorded run, or with clipping settings for it: each finding with "
        "its numbers, its steps, and what to try.  Without -p the run is looked at, and what its "
        "own max_grad_norm did, if its meta tells that.",
    .children = children,
};

/* --- the run -------------------------------------------------------------------------------- */

/* Without -p: the policy that the run itself had.  After its own clipping there is nothing left to
 * see of it. */
static enum gtr_code add_own_policy(struct arguments *arguments, struct gtr_err *err)
{
    struct cli_replay *replay = &arguments->replay;
    struct gtr_trace *trace = NULL;
    enum gtr_code rc;
    double limit;

    if (replay->n_policies > 0)
        return GTR_OK;
    rc = gtr_trace_open(arguments->trace, &trace, err);
    if (rc != GTR_OK)
        return rc;
    limit = study_own_limit(gtr_trace_head(trace)->meta);
    if (limit > 0.0 && strcmp(gtr_trace_head(trace)->grad_state, "post-clip") != 0) {
        char text[GTR_NUMBER_SIZE];

        gtr_text_print(limit, text);
        snprintf(arguments->own, sizeof arguments->own, "global:max_norm=%s", text);
        rc = gtr_grow(&replay->policies, &replay->capacity, 1, sizeof *replay->policies, err);
        if (rc == GTR_OK)
            replay->policies[replay->n_policies++] = arguments->own;
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

static enum gtr_code examine(struct doctor_found *found, const struct arguments *arguments,
                             struct gtr_err *err)
{
    const struct study *study = found->study;
    const struct gtr_patient patient = {
        .trace = study->trace,
        .groups = study->groups,
        .replay = study->replay,
        .max_norm = study_own_limit(gtr_trace_head(study->trace)->meta),
        .beta2 = study_beta2(study),
        .wanted = arguments->wanted,
        .n_policies = study->n_settings,
        .settings = (const struct gtr_setting *const *)study->settings,
    };
    enum gtr_code rc;

    rc = gtr_doctor_run(&patient, &found->findings, &found->n_findings, err);
    if (rc == GTR_OK && found->own)
        drop_own(found);
    return rc;
}

static enum gtr_code tell(const struct doctor_found *found, struct output *json, struct output *tsv,
                          struct gtr_err *err)
{
    bool told = json->f != stdout && tsv->f != stdout;
    enum gtr_code rc = GTR_OK;

    if (json->f != NULL)
        rc = doctor_json(json->f, found, err);
    if (tsv->f != NULL)
        doctor_tsv(tsv->f, found);
    if (rc == GTR_OK)
        rc = output_close(json, err);
    if (rc == GTR_OK)
        rc = output_close(tsv, err);
    if (rc == GTR_OK && told)
        doctor_report(stdout, found);
    if (rc == GTR_OK && fflush(stdout) != 0)
        rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
    return rc;
}

static enum gtr_code run(struct arguments *arguments, bool *severe, struct gtr_err *err)
{
    struct doctor_found found = { .trace = arguments->trace, .wanted = arguments->wanted };
    struct output json = { 0 }, tsv = { 0 };
    struct study study = { 0 };
    enum gtr_code rc;

    found.study = &study;
    rc = add_own_policy(arguments, err);
    found.own = arguments->own[0] != '\0';
    arguments->replay.options.keep_interval = true;
    if (rc == GTR_OK)
        rc = study_open(&study, arguments->trace, &arguments->common, &arguments->replay, err);
    if (rc == GTR_OK)
        rc = output_open(&json, arguments->json, arguments->common.force, err);
    if (rc == GTR_OK)
        rc = output_open(&tsv, arguments->tsv, arguments->common.force, err);
    if (rc == GTR_OK)
        rc = examine(&found, arguments, err);
    if (rc == GTR_OK)
        rc = tell(&found, &json, &tsv, err);
    *severe = doctor_count(&found, GTR_SEVERE) > 0;
    output_abandon(&json);
    output_abandon(&tsv);
    gtr_free(found.findings);
    study_close(&study);
    return rc;
}

static enum gtr_code put_list(struct gtr_err *err)
{
    struct output output;
    enum gtr_code rc = output_open(&output, "-", false, err);

    if (rc == GTR_OK)
        doctor_list(output.f);
    return rc == GTR_OK ? output_close(&output, err) : rc;
}

int cmd_doctor(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    bool severe = false;
    size_t i;

    rc = gtr_alloc_for(&arguments.wanted, gtr_checks_count(), sizeof(bool), "checks", &err);
    for (i = 0; rc == GTR_OK && i < gtr_checks_count(); i++)
        arguments.wanted[i] = true;
    if (rc == GTR_OK)
        argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (rc == GTR_OK && arguments.list)
        rc = put_list(&err);
    else if (rc == GTR_OK)
        rc = run(&arguments, &severe, &err);
    gtr_free(arguments.wanted);
    cli_replay_free(&arguments.replay);
    if (rc != GTR_OK)
        return cli_fail(&arguments.common, &err);
    return severe && arguments.strict ? EXIT_FAILED : EXIT_DONE;
}
