/* cmd_explain.c - gradtrace explain: one step in plain words.
 *
 * --step worst is where a limit on the whole gradient takes most from groups that did nothing or,
 * where no such policy is named, the step with the largest norm.
 */
#include <string.h>

#include "explain_found.h"

enum { OPT_STEP = 0x200, OPT_TOP };

static void take_step(struct explain_options *o, const struct argp_state *state, const char *word)
{
    o->chosen = true;
    o->worst = strcmp(word, "worst") == 0;
    if (!o->worst && !gtr_text_integer(word, &o->step))
        argp_error(state, "--step %s: must be the number of a step, or worst", word);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct explain_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->baseline;
        state->child_inputs[2] = &o->forms;
        state->child_inputs[3] = &o->common;
        state->child_inputs[4] = &o->trace;
        return 0;
    case OPT_STEP:
        take_step(o, state, word);
        return 0;
    case OPT_TOP:
        o->n_top = (size_t)cli_integer(state, "--top", word, 0, 1000000);
        return 0;
    case ARGP_KEY_END:
        if (!o->chosen)
            argp_error(state, "name a step with --step T, or --step worst");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "step", OPT_STEP, "T|worst", 0,
      "The step, by the run's own number; worst: where a limit on the whole gradient takes most "
      "from those who did nothing, or, without one, the largest norm",
      1 },
    { "top", OPT_TOP, "N", 0, "Show the N groups with most energy; 0: all.  Default: 20", 1 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 3 },
                                              { &cli_baseline_argp, 0, NULL, 1 },
                                              { &forms_argp, 0, NULL, 2 },
                                              { &cli_common_argp, 0, NULL, 4 },
                                              { &cli_trace_argp, 0, NULL, 0 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE --step T|worst [-p POLICY ...]",
    .doc = "One step in plain words: how unusual it was and who made it so, what each policy did "
           "to whom and why, and what came of it.",
    .children = children,
};

static enum gtr_code tell(const struct explain_found *found, struct forms *forms,
                          struct gtr_err *err)
{
    enum gtr_code rc = forms_write_tsv(forms, explain_rows, found, err);

    if (rc == GTR_OK && forms->json.f != NULL)
        rc = explain_json(forms->json.f, found, err);
    if (rc == GTR_OK && forms->told)
        explain_report(stdout, found);
    if (rc == GTR_OK)
        rc = forms_close(forms, err);
    if (rc == GTR_OK && found->study.n_settings > 0)
        fprintf(forms->told ? stdout : stderr, "%s\n", study_open_loop);
    return rc;
}

int cmd_explain(int argc, char **argv)
{
    struct explain_options asked = { .n_top = 20 };
    struct explain_found found = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    gtr_baseline_options_init(&asked.baseline);
    argp_parse(&argp, argc, argv, 0, NULL, &asked);
    rc = forms_open(&asked.forms, asked.common.force, &err);
    if (rc == GTR_OK)
        rc = explain_found_make(&found, &asked, &err);
    if (rc == GTR_OK)
        rc = tell(&found, &asked.forms, &err);
    explain_found_free(&found);
    forms_abandon(&asked.forms);
    gtr_free(asked.replay.policies.text);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&asked.common, &err);
}
