/* cmd_spill.c - gradtrace spill: who makes the norm explode, and who pays for it.
 *
 * The limit is, in this order: what -p or --max-norm names, else what the run had.  --max-norm
 * auto takes the smallest that costs innocent groups at most --cost.
 */
#include "cli.h"

#include <string.h>

#include "spill_found.h"

enum { OPT_MAX_NORM = 0x200, OPT_BLAME, OPT_WARMUP, OPT_COST, OPT_TOP, OPT_STEPS };

static void take_limit(struct spill_options *o, const struct argp_state *state, const char *word)
{
    if (o->choose || o->max_norm > 0.0)
        argp_error(state, "--max-norm %s: one is enough; compare more with -p global:max_norm=C",
                   word);
    if (strcmp(word, "auto") == 0)
        o->choose = true;
    else if (!gtr_text_number(word, &o->max_norm) ||
             !(o->max_norm >= 1e-150 && o->max_norm <= 1e150))
        argp_error(state, "--max-norm %s: must be auto or a number from 1e-150 to 1e150", word);
}

static void check(const struct spill_options *o, const struct argp_state *state)
{
    static const char told[] = "figures are told on standard output too";
    bool steps = o->steps != NULL && strcmp(o->steps, "-") == 0;

    if (steps)
        forms_refuse_stdout(&o->forms, state, "--steps has standard output");
    if (figure_wanted(&o->figures))
        forms_refuse_stdout(&o->forms, state, told);
    if (steps && figure_wanted(&o->figures))
        argp_error(state, "--steps -: %s; name a file", told);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct spill_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->figures;
        state->child_inputs[2] = &o->forms;
        state->child_inputs[3] = &o->baseline;
        state->child_inputs[4] = &o->common;
        state->child_inputs[5] = &o->trace;
        return 0;
    case OPT_MAX_NORM:
        take_limit(o, state, word);
        return 0;
    case OPT_BLAME:
        o->method = (enum gtr_blame_method)cli_choice(state, "--blame", word, spill_methods,
                                                      GTR_ARRAY_LEN(spill_methods));
        return 0;
    case OPT_WARMUP:
        o->baseline.warmup = cli_integer(state, "--warmup", word, 1, 1000000);
        return 0;
    case OPT_COST:
        o->cost = cli_number(state, "--cost", word, 1e-6, 0.9);
        return 0;
    case OPT_TOP:
        o->n_top = (size_t)cli_integer(state, "--top", word, 0, 1000);
        return 0;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    case OPT_STEPS:
        o->steps = word;
        return 0;
    case 'o':
        o->output = word;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { NULL, 0, NULL, 0, "Which limit:", 1 },
    { "max-norm", OPT_MAX_NORM, "C|auto", 0,
      "The same as -p global:max_norm=C; auto: the recommended one.  Without it and without -p: "
      "the "
      "limit that the run itself had, if its meta tells",
      1 },
    { "cost", OPT_COST, "X", 0,
      "Recommend the smallest limit that takes at most this part of its gradient from an innocent "
      "group, on average over the steps.  Default: 0.01",
      1 },
    { NULL, 0, NULL, 0, "Who is to blame:", 2 },
    { "blame", OPT_BLAME, "METHOD", 0,
      "shapley (the default), aumann: in proportion to what each group has above its past, or "
      "leave-one-out: for comparison, blames joint culprits too little",
      2 },
    { "warmup", OPT_WARMUP, "N", 0,
      "Norms that it takes before a group can be blamed.  Default: 10", 2 },
    { "top", OPT_TOP, "N", 0, "Tell the story of the N worst steps.  Default: 5", 2 },
    { NULL, 0, NULL, 0, "Results:", 3 },
    { "steps", OPT_STEPS, "FILE|-", 0, "Write one row per step and culprit", 3 },
    { "output", 'o', "RESULT.h5", 0, "Write everything, with all steps, as HDF5", 3 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 4 },
                                              { &figure_argp, 0, NULL, 3 },
                                              { &forms_argp, 0, NULL, 3 },
                                              { &cli_baseline_argp, 0, NULL, 2 },
                                              { &cli_common_argp, 0, NULL, 5 },
                                              { &cli_trace_argp, 0, NULL, 0 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE --max-norm C|auto\nTRACE -p global:max_norm=C [-p POLICY ...]",
    .doc = "Who makes the norm of the whole gradient explode, and who pays when it is clipped.",
    .children = children,
};

static void parse_options(struct spill_options *o, int argc, char **argv)
{
    spill_options_init(o);
    argp_parse(&argp, argc, argv, 0, NULL, o);
}

static enum gtr_code open_outputs(struct spill_options *o, struct output *steps,
                                  struct gtr_err *err)
{
    enum gtr_code rc = output_check(o->output, o->common.force, err);

    if (rc == GTR_OK)
        rc = forms_open(&o->forms, o->common.force, err);
    if (rc == GTR_OK)
        rc = output_open(steps, o->steps, o->common.force, err);
    o->forms.told = o->forms.told && steps->f != stdout;
    return rc;
}

static enum gtr_code write_result(const struct spill_found *found, struct gtr_err *err)
{
    const struct spill_options *o = found->options;
    const struct gtr_spill_about about = { .trace = o->trace,
                                           .group_by = found->study->groups->rule,
                                           .replay = found->study->replay,
                                           .baseline = found->baseline,
                                           .method = spill_methods[o->method],
                                           .cost = o->cost,
                                           .chosen = &found->chosen,
                                           .points = found->points,
                                           .n_points = SPILL_POINTS };
    struct gtr_result *result = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_spill_file_open(o->output, o->common.force, &about, &result, err);
    for (i = 0; rc == GTR_OK && i < found->n_policies; i++)
        rc = gtr_spill_file_add(result, found->policies[i].text, found->policies[i].spill, err);
    if (rc == GTR_OK)
        return gtr_result_close(result, err);
    gtr_result_abandon(result);
    return rc;
}

static enum gtr_code tell(const struct spill_found *found, struct forms *forms,
                          struct output *steps, struct gtr_err *err)
{
    const struct spill_options *o = found->options;
    enum gtr_code rc = forms_write_tsv(forms, spill_group_rows, found, err);

    if (rc == GTR_OK && steps->f != NULL)
        rc = spill_steps(steps->f, found, err);
    if (rc == GTR_OK && forms->json.f != NULL)
        rc = spill_json(forms->json.f, found, err);
    if (rc == GTR_OK && o->output != NULL)
        rc = write_result(found, err);
    if (rc == GTR_OK && forms->told)
        spill_report(stdout, found);
    if (rc == GTR_OK)
        rc = output_close(steps, err);
    if (rc == GTR_OK)
        rc = forms_close(forms, err);
    if (rc == GTR_OK && figure_wanted(&o->figures))
        rc = spill_draw(found, err);
    return rc;
}

int cmd_spill(int argc, char **argv)
{
    struct spill_options o;
    struct spill_found found = { 0 };
    struct output steps = { 0 };
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    parse_options(&o, argc, argv);
    rc = study_open(&study, o.trace, &o.common, &o.replay, &err);
    if (rc == GTR_OK)
        rc = open_outputs(&o, &steps, &err);
    if (rc == GTR_OK)
        rc = spill_found_make(&found, &study, &o, &err);
    if (rc == GTR_OK)
        rc = tell(&found, &o.forms, &steps, &err);
    forms_abandon(&o.forms);
    output_abandon(&steps);
    spill_found_free(&found);
    study_close(&study);
    gtr_free(o.replay.policies.text);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&o.common, &err);
}
