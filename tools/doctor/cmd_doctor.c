/* cmd_doctor.c - gradtrace doctor: what is wrong with a run, or with a clipping setting.
 *
 * Without -p the limit that the run itself had is looked at as a policy, if the trace tells it and
 * holds norms from before it was applied; what is found of that limit is dropped where a check
 * shows that these are not the norms it met.  With --strict a severe finding is exit status 1.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_found.h"

enum { OPT_STRICT = 0x200, OPT_ONLY, OPT_LIST };

/* CODE[,CODE...] */
static void take_only(struct doctor_options *o, const struct argp_state *state, const char *list)
{
    size_t n = gtr_checks_count(), i;
    const char **names = calloc(n, sizeof *names), *rest = list;

    if (names == NULL)
        argp_failure(state, EXIT_FAILED, ENOMEM, "--only");
    for (i = 0; i < n && names != NULL; i++) {
        names[i] = gtr_check_at(i)->code;
        o->wanted[i] = false;
    }
    while (rest != NULL)
        o->wanted[cli_next_choice(state, "--only", list, &rest, names, n)] = true;
    free(names);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct doctor_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->forms;
        state->child_inputs[2] = &o->common;
        return 0;
    case OPT_STRICT:
        o->strict = true;
        return 0;
    case OPT_LIST:
        o->list = true;
        return 0;
    case OPT_ONLY:
        take_only(o, state, word);
        return 0;
    case ARGP_KEY_ARG:
        cli_take_path(state, &o->trace, word, "trace");
        return 0;
    case ARGP_KEY_END:
        if (o->trace == NULL && !o->list)
            argp_error(state, "name a trace");
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
    { 0 },
};

static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 2 },
                                              { &forms_argp, 0, NULL, 1 },
                                              { &cli_common_argp, 0, NULL, 3 },
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

/* Exits with a usage error; fails for want of memory. */
static enum gtr_code parse_options(struct doctor_options *o, int argc, char **argv,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    memset(o, 0, sizeof *o);
    rc = gtr_alloc_for(&o->wanted, gtr_checks_count(), sizeof(bool), "checks", err);
    for (i = 0; rc == GTR_OK && i < gtr_checks_count(); i++)
        o->wanted[i] = true;
    if (rc == GTR_OK)
        argp_parse(&argp, argc, argv, 0, NULL, o);
    return rc;
}

static enum gtr_code tell(const struct doctor_found *found, struct forms *forms,
                          struct gtr_err *err)
{
    enum gtr_code rc = forms_write_tsv(forms, doctor_finding_rows, found, err);

    if (rc == GTR_OK && forms->json.f != NULL)
        rc = doctor_json(forms->json.f, found, err);
    if (rc == GTR_OK && forms->told)
        doctor_report(stdout, found);
    return rc == GTR_OK ? forms_close(forms, err) : rc;
}

static enum gtr_code run(struct doctor_options *o, bool *severe, struct gtr_err *err)
{
    struct doctor_found found;
    enum gtr_code rc = doctor_found_make(&found, o, err);

    if (rc == GTR_OK)
        rc = tell(&found, &o->forms, err);
    *severe = doctor_count(&found, GTR_SEVERE) > 0;
    doctor_found_free(&found);
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
    struct doctor_options o;
    struct gtr_err err = { 0 };
    bool severe = false;
    enum gtr_code rc = parse_options(&o, argc, argv, &err);

    if (rc == GTR_OK)
        rc = o.list ? put_list(&err) : run(&o, &severe, &err);
    forms_abandon(&o.forms);
    gtr_free(o.wanted);
    gtr_free(o.replay.policies.text);
    if (rc != GTR_OK)
        return cli_fail(&o.common, &err);
    return severe && o.strict ? EXIT_FAILED : EXIT_DONE;
}
