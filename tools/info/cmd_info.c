/* cmd_info.c - gradtrace info: what a trace holds; which policies, rules and GPUs there are.
 *
 * One view at a time: options that name one exclude each other, and those about policies, rules
 * and GPUs take no trace.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "info_found.h"
#include "tell.h"

enum {
    OPT_GROUPS = 0x200,
    OPT_GROUP_BY,
    OPT_STEPS,
    OPT_META,
    OPT_POLICIES,
    OPT_GROUP_RULES,
    OPT_DEVICES
};

enum view { OVERVIEW, GROUPS, STEPS, META, POLICIES, GROUP_RULES, DEVICES };

struct arguments {
    struct cli_common common;
    const char *trace;
    const char *group_by;
    enum view view;
    const char *view_option; /* the option that chose it; NULL for the overview */
    struct forms forms;
};

static void choose(struct arguments *arguments, struct argp_state *state, enum view view,
                   const char *option)
{
    if (arguments->view_option != NULL && arguments->view != view)
        argp_error(state, "%s: one view at a time; %s was named already", option,
                   arguments->view_option);
    arguments->view = view;
    arguments->view_option = option;
}

static void check_arguments(struct arguments *arguments, struct argp_state *state)
{
    const struct forms *forms = &arguments->forms;
    const bool needs_trace = arguments->view < POLICIES;

    /* Alone, --group-by says clearly enough which view is meant. */
    if (arguments->group_by != NULL && arguments->view_option == NULL)
        arguments->view = GROUPS;
    if (arguments->group_by != NULL && arguments->view != GROUPS)
        argp_error(state, "--group-by: changes nothing with %s; it goes with --groups",
                   arguments->view_option);
    if (arguments->view > STEPS && (forms->tsv_path != NULL || forms->json_path != NULL))
        argp_error(state, "--tsv, --json: change nothing with %s", arguments->view_option);
    if (needs_trace && arguments->trace == NULL)
        argp_error(state, "name a trace, or ask for --policies, --group-rules or --devices");
    if (!needs_trace && arguments->trace != NULL)
        argp_error(state, "%s: %s takes no trace", arguments->trace, arguments->view_option);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->forms;
        state->child_inputs[1] = &arguments->common;
        return 0;
    case OPT_GROUPS:
        choose(arguments, state, GROUPS, "--groups");
        return 0;
    case OPT_STEPS:
        choose(arguments, state, STEPS, "--steps");
        return 0;
    case OPT_META:
        choose(arguments, state, META, "--meta");
        return 0;
    case OPT_POLICIES:
        choose(arguments, state, POLICIES, "--policies");
        return 0;
    case OPT_GROUP_RULES:
        choose(arguments, state, GROUP_RULES, "--group-rules");
        return 0;
    case OPT_DEVICES:
        choose(arguments, state, DEVICES, "--devices");
        return 0;
    case OPT_GROUP_BY:
        arguments->group_by = word;
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
    { NULL, 0, NULL, 0, "Of a trace, instead of the overview:", 1 },
    { "groups", OPT_GROUPS, NULL, 0, "Which tensors are clipped together, and their norms", 1 },
    { "group-by", OPT_GROUP_BY, "RULE", 0,
      "How tensors are grouped; --group-rules lists the rules.  Default: the trace's own rule, or "
      "module",
      1 },
    { "steps", OPT_STEPS, NULL, 0, "All steps, as tab-separated text", 1 },
    { "meta", OPT_META, NULL, 0, "The JSON object that was recorded with the run", 1 },
    { NULL, 0, NULL, 0, "Without a trace:", 2 },
    { "policies", OPT_POLICIES, NULL, 0,
      "All policies and presets, their parameters, defaults and ranges", 2 },
    { "group-rules", OPT_GROUP_RULES, NULL, 0, "All rules for --group-by", 2 },
    { "devices", OPT_DEVICES, NULL, 0, "The GPUs that answer, as --device names them", 2 },
    { 0 },
};

static const struct argp_child children[] = { { &forms_argp, 0, "Overview, groups and steps:", 3 },
                                              { &cli_common_argp, 0, "Always:", 4 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE\n--policies\n--group-rules\n--devices",
    .doc = "What a trace holds; which policies, presets, rules for groups and GPUs there are.",
    .children = children,
};

static enum gtr_code show_found(struct forms *forms, const struct study *study, bool groups,
                                struct gtr_err *err)
{
    struct info_found found;
    enum gtr_code rc = info_found_make(&found, study, err);

    if (rc == GTR_OK)
        rc = info_see_captures(&found, err);
    if (rc == GTR_OK)
        rc = forms_write(forms, groups ? info_group_rows : info_fact_rows, &found, err);
    if (rc == GTR_OK && forms->told)
        (groups ? info_groups : info_report)(stdout, &found);
    info_found_free(&found);
    return rc;
}

static enum gtr_code show_trace(struct arguments *arguments, struct gtr_err *err)
{
    struct cli_replay replay = { .group_by = arguments->group_by };
    struct forms *forms = &arguments->forms;
    struct study study;
    enum gtr_code rc;

    /* Only one view needs the trace's own groups, and a trace with an odd rule has an overview. */
    if (arguments->view != GROUPS)
        replay.group_by = "all";
    /* Steps are a table for programs anyway. */
    if (arguments->view == STEPS && forms->json_path == NULL && forms->tsv_path == NULL)
        forms->tsv_path = "-";
    rc = study_open(&study, arguments->trace, &arguments->common, &replay, err);
    if (rc == GTR_OK)
        rc = forms_open(forms, arguments->common.force, err);
    if (rc == GTR_OK && arguments->view == STEPS)
        rc = forms_write(forms, info_step_rows, &study, err);
    else if (rc == GTR_OK && arguments->view == META)
        rc = info_meta(stdout, &study, err);
    else if (rc == GTR_OK)
        rc = show_found(forms, &study, arguments->view == GROUPS, err);
    if (rc == GTR_OK)
        rc = forms_close(forms, err);
    forms_abandon(forms);
    study_close(&study);
    return rc;
}

/* None is a failure, whose text says why. */
static enum gtr_code show_devices(struct gtr_err *err)
{
    const struct gtr_device any = { GTR_DEVICE_CUDA, -1 };
    struct gtr_device chosen;
    enum gtr_code rc = gtr_device_choose(&any, 0.0, &chosen, err);
    char name[256];
    size_t i;

    for (i = 0; rc == GTR_OK && i < gtr_device_count(); i++) {
        gtr_device_name(i, name, sizeof name);
        printf("cuda:%zu\t", i);
        tell_text(stdout, name);
        putchar('\n');
    }
    return rc;
}

int cmd_info(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc = GTR_OK;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.view == POLICIES)
        info_policies(stdout);
    else if (arguments.view == GROUP_RULES)
        info_group_rules(stdout);
    else if (arguments.view == DEVICES)
        rc = show_devices(&err);
    else
        rc = show_trace(&arguments, &err);
    if (rc == GTR_OK)
        rc = output_flush(&err);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&arguments.common, &err);
}
