/* cmd_update.c - gradtrace update: what really reaches the optimizer.
 *
 * Ranks share the simulation; the first writes and tells.
 */
#include "cli.h"

#include "ranks.h"
#include "update_found.h"

enum { OPT_OPTIMIZER = 0x200, OPT_WARM_UP };

static void take_optimizer(const struct argp_state *state, struct update_options *o,
                           const char *word)
{
    struct gtr_err err = { 0 };

    if (gtr_optimizer_parse(word, &o->optimizer, &err) != GTR_OK)
        argp_error(state, "--optimizer %s", err.text);
    o->has_optimizer = true;
}

static void finish(const struct argp_state *state, struct update_options *o)
{
    if (o->replay.policies.n == 0)
        argp_error(state, "name a policy with -p; `gradtrace info --policies` lists them");
    if (figure_wanted(&o->figures))
        forms_refuse_stdout(&o->forms, state, "figures are told on standard output too");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct update_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->device;
        state->child_inputs[2] = &o->forms;
        state->child_inputs[3] = &o->figures;
        state->child_inputs[4] = &o->common;
        state->child_inputs[5] = &o->trace;
        return 0;
    case OPT_OPTIMIZER:
        take_optimizer(state, o, word);
        return 0;
    case OPT_WARM_UP:
        o->warm_up = cli_integer(state, "--warm-up", word, 0, INT64_MAX);
        return 0;
    case 'o':
        o->result = word;
        return 0;
    case ARGP_KEY_END:
        finish(state, o);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "optimizer", OPT_OPTIMIZER, "NAME[:...]", 0,
      "adamw, sgd, lion, rmsprop or nadam, and what differs from its defaults: "
      "adamw:beta1=0.9,beta2=0.999,eps=1e-8 or sgd:momentum=0.9,nesterov=0,dampening=0.  Default: "
      "as the run was trained, if the trace says; else adamw",
      1 },
    { "warm-up", OPT_WARM_UP, "N", 0,
      "Leave the first N simulated steps out of the tables.  Default: 0 if elements were captured "
      "from the start of the run; else as many as the optimizer remembers, 1 / (1 - beta2), or of "
      "sgd 1 / (1 - momentum), but no more than a tenth of them",
      1 },
    { "output", 'o', "RESULT.h5", 0, "Write every step as HDF5", 2 },
    { 0 },
};

static void parse_options(struct update_options *o, int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 10 },
                                                  { &cli_device_argp, 0, NULL, 80 },
                                                  { &forms_argp, 0, NULL, 3 },
                                                  { &figure_argp, 0, NULL, 4 },
                                                  { &cli_common_argp, 0, NULL, 90 },
                                                  { &cli_trace_argp, 0, NULL, 0 },
                                                  { 0 } };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "TRACE -p POLICY [-p POLICY ...]",
        .doc = "What reaches the optimizer: the update it would have made with each policy, beside "
               "the one without clipping.  Needs a trace with elements; without them, an estimate "
               "from norms is told.",
        .children = children,
    };

    o->warm_up = -1;
    argp_parse(&argp, argc, argv, 0, NULL, o);
}

static enum gtr_code add_policy(const struct update_found *found, size_t i,
                                const struct gtr_update_about *about, struct gtr_result *result,
                                struct gtr_err *err)
{
    const struct study *study = found->study;
    const struct gtr_series *series = study->series;
    char *setting = gtr_setting_print_bound(study->settings[i], (const char *const *)series->names,
                                            series->n_groups, found->decisions[i]->params);
    enum gtr_code rc;

    if (setting == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for the setting's text");
    rc = gtr_update_file_add(result, about, study->labels[i], setting, found->decisions[i],
                             found->rho[i], err);
    gtr_free(setting);
    return rc;
}

static enum gtr_code write_result(const struct update_found *found, struct gtr_err *err)
{
    const struct update_options *o = found->options;
    const struct gtr_update_about about = { .trace = o->trace,
                                            .group_by = found->study->groups->rule,
                                            .replay = found->study->replay,
                                            .optimizer = &found->optimizer,
                                            .update = found->update };
    struct gtr_result *result = NULL;
    enum gtr_code rc;
    size_t i;

    if (o->result == NULL)
        return GTR_OK;
    rc = gtr_update_file_open(o->result, o->common.force, &about, &result, err);
    for (i = 0; rc == GTR_OK && i < found->study->n_settings; i++)
        rc = add_policy(found, i, &about, result, err);
    if (rc == GTR_OK)
        return gtr_result_close(result, err);
    gtr_result_abandon(result);
    return rc;
}

/* Tables and figures. */
static enum gtr_code tell_people(const struct update_found *found, struct gtr_err *err)
{
    const struct update_options *o = found->options;
    struct update_summary *summaries = NULL;
    enum gtr_code rc = update_summaries_new(found, &summaries, err);

    if (rc == GTR_OK && o->forms.told)
        update_report(stdout, found, summaries);
    if (rc == GTR_OK && figure_wanted(&o->figures))
        rc = update_figures_draw(found, summaries, err);
    gtr_free(summaries);
    return rc;
}

static enum gtr_code tell(const struct update_found *found, struct forms *forms,
                          struct gtr_err *err)
{
    enum gtr_code rc = forms_open(forms, found->options->common.force, err);

    if (rc == GTR_OK)
        rc = forms_write(forms, update_rows, found, err);
    if (rc == GTR_OK)
        rc = write_result(found, err);
    if (rc == GTR_OK)
        rc = tell_people(found, err);
    if (rc == GTR_OK)
        rc = forms_close(forms, err);
    if (rc == GTR_OK)
        fprintf(forms->told ? stdout : stderr, "%s\n", study_open_loop);
    return rc;
}

/* Each rank but the first only computes. */
static void take_rank(struct update_options *o)
{
    if (ranks_rank() > 0) {
        o->forms = (struct forms){ 0 };
        o->figures = (struct figure_options){ 0 };
        o->result = NULL;
    }
    study_take_rank(&o->common, &o->device);
}

int cmd_update(int argc, char **argv)
{
    struct update_options o = { 0 };
    struct update_found found = { 0 };
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    parse_options(&o, argc, argv);
    take_rank(&o);
    rc = study_open(&study, o.trace, &o.common, &o.replay, &err);
    if (rc == GTR_OK)
        rc = forms_check(&o.forms, o.common.force, &err);
    if (rc == GTR_OK) /* a simulation may take an hour: told before it */
        rc = output_check(o.result, o.common.force, &err);
    rc = ranks_agree(rc, &err);
    if (rc == GTR_OK)
        rc = update_found_make(&found, &o, &study, &err);
    if (rc == GTR_OK && ranks_rank() == 0)
        rc = tell(&found, &o.forms, &err);
    update_found_free(&found);
    study_close(&study);
    forms_abandon(&o.forms);
    gtr_free(o.replay.policies.text);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&o.common, &err);
}
