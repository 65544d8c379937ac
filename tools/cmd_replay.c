/* cmd_replay.c - gradtrace replay: tables of what policies would have done. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "scaling_table.h"
#include "steps.h"
#include "study.h"

enum { OPT_STEPS = 0x200, OPT_STATS, OPT_OBJECTIVES };

struct arguments {
    struct cli_common common;
    struct cli_replay replay;
    const char *trace;
    const char *steps;      /* --steps */
    const char *stats;      /* --stats */
    const char *objectives; /* --objectives */
    const char *result;     /* -o */
};

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->replay;
        state->child_inputs[1] = &arguments->replay.options.device;
        state->child_inputs[2] = &arguments->common;
        return 0;
    case OPT_STEPS:
        arguments->steps = word;
        return 0;
    case OPT_STATS:
        arguments->stats = word;
        return 0;
    case OPT_OBJECTIVES:
        arguments->objectives = word;
        return 0;
    case 'o':
        arguments->result = word;
        return 0;
    case ARGP_KEY_ARG:
        cli_take_path(state, &arguments->trace, word, "trace");
        return 0;
    case ARGP_KEY_END:
        if (arguments->trace == NULL)
            argp_error(state, "name a trace");
        if (arguments->replay.n_policies == 0)
            argp_error(state, "name a policy with -p; `gradtrace info --policies` lists them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "steps", OPT_STEPS, "FILE|-", 0,
      "Write every decision as tab-separated text: step policy group norm lower upper scale "
      "norm_out; - for standard output, instead of the tables",
      0 },
    { "stats", OPT_STATS, "FILE|-", 0, "Write the statistics as tab-separated text", 0 },
    { "objectives", OPT_OBJECTIVES, "FILE|-", 0,
      "Write the objectives of `gradtrace sweep` for each policy as tab-separated text", 0 },
    { "output", 'o', "RESULT.h5", 0, "Write decisions and statistics as HDF5", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 1 },
                                              { &cli_device_argp, 0, NULL, 2 },
                                              { &cli_common_argp, 0, NULL, 2 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE -p POLICY [-p POLICY ...]",
    .doc = "What clipping policies would have done with a recorded run.",
    .children = children,
};

/* Where the decisions go. */
struct outputs {
    struct output steps, stats, objectives;
    struct gtr_baseline *baseline; /* if objectives are asked for */
    struct gtr_result *result;
    bool tables; /* stdout is free for people */
};

static enum gtr_code make_baseline(const struct study *study, struct gtr_baseline **baseline,
                                   struct gtr_err *err)
{
    struct gtr_baseline_options standard;

    gtr_objectives_baseline_init(&standard);
    return gtr_baseline_new(study->series, gtr_replay_skip(study->replay), &standard, baseline,
                            err);
}

static void objectives_header(FILE *f)
{
    size_t i;

    fputs("policy", f);
    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++)
        fprintf(f, "\t%s", gtr_objective_name((enum gtr_objective)i));
    fputc('\n', f);
}

/* The same numbers as a sweep has for this setting, to the bit. */
static enum gtr_code objectives_row(FILE *f, const char *label, const struct study *study,
                                    const struct gtr_baseline *baseline,
                                    const struct gtr_decisions *decisions, struct gtr_err *err)
{
    double values[GTR_OBJECTIVE_COUNT];
    char text[GTR_NUMBER_SIZE];
    enum gtr_code rc;
    size_t i;

    rc = gtr_sweep_one(study->replay, baseline, decisions->policy, decisions->params, 0, values,
                       err);
    if (rc != GTR_OK)
        return rc;
    fputs(label, f);
    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++) {
        gtr_text_print(values[i], text);
        fprintf(f, "\t%s", text);
    }
    fputc('\n', f);
    return GTR_OK;
}

static enum gtr_code outputs_open(struct outputs *outputs, const struct arguments *arguments,
                                  const struct study *study, struct gtr_err *err)
{
    bool force = arguments->common.force;
    enum gtr_code rc;

    rc = output_open(&outputs->steps, arguments->steps, force, err);
    if (rc == GTR_OK)
        rc = output_open(&outputs->stats, arguments->stats, force, err);
    if (rc == GTR_OK)
        rc = output_open(&outputs->objectives, arguments->objectives, force, err);
    if (rc == GTR_OK && outputs->objectives.f != NULL)
        rc = make_baseline(study, &outputs->baseline, err);
    if (rc == GTR_OK && arguments->result != NULL)
        rc = gtr_replay_file_open(arguments->result, force, arguments->trace, study->groups->rule,
                                  study->replay, &outputs->result, err);
    if (rc != GTR_OK)
        return rc;
    outputs->tables =
        outputs->steps.f != stdout && outputs->stats.f != stdout && outputs->objectives.f != stdout;
    if (outputs->steps.f != NULL)
        steps_write_header(outputs->steps.f);
    if (outputs->stats.f != NULL)
        scaling_tsv_header(outputs->stats.f);
    if (outputs->objectives.f != NULL)
        objectives_header(outputs->objectives.f);
    return GTR_OK;
}

static enum gtr_code outputs_close(struct outputs *outputs, struct gtr_err *err)
{
    enum gtr_code rc = output_close(&outputs->steps, err);

    if (rc == GTR_OK)
        rc = output_close(&outputs->stats, err);
    if (rc == GTR_OK)
        rc = output_close(&outputs->objectives, err);
    if (rc == GTR_OK) {
        rc = gtr_result_close(outputs->result, err);
        outputs->result = NULL;
    }
    if (rc == GTR_OK && fflush(stdout) != 0)
        rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
    return rc;
}

static void outputs_abandon(struct outputs *outputs)
{
    output_abandon(&outputs->steps);
    output_abandon(&outputs->stats);
    output_abandon(&outputs->objectives);
    gtr_baseline_free(outputs->baseline);
    gtr_result_abandon(outputs->result);
}

/* Runs one setting and sends it everywhere.  The caller frees *report. */
static enum gtr_code replay_one(const struct study *study, size_t i,
                                const struct gtr_norm_summary *norms, struct outputs *outputs,
                                struct gtr_scaling_report **report, struct gtr_err *err)
{
    const struct gtr_series *series = study->series;
    const char *label = study->labels[i];
    enum gtr_code rc;
    struct gtr_decisions *decisions = NULL;
    char *setting = NULL;

    rc = gtr_replay_run(study->replay, study->settings[i], &decisions, err);
    if (rc == GTR_OK)
        rc = gtr_scaling_new(study->replay, decisions, norms, report, err);
    if (rc != GTR_OK)
        goto out;
    setting = gtr_setting_print_bound(study->settings[i], (const char *const *)series->names,
                                      series->n_groups, decisions->params);
    if (setting == NULL) {
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for the setting's text");
        goto out;
    }
    if (outputs->tables)
        scaling_table_print(stdout, label, setting, series, *report);
    if (outputs->steps.f != NULL)
        steps_write(outputs->steps.f, label, series, decisions);
    if (outputs->stats.f != NULL)
        scaling_tsv_rows(outputs->stats.f, label, series, *report);
    if (outputs->objectives.f != NULL)
        rc = objectives_row(outputs->objectives.f, label, study, outputs->baseline, decisions, err);
    if (rc == GTR_OK && outputs->result != NULL)
        rc = gtr_replay_file_add(outputs->result, label, setting, decisions, *report, err);
out:
    gtr_decisions_free(decisions);
    gtr_free(setting);
    return rc;
}

static void put_title(const struct study *study)
{
    size_t n = study->series->n_nonfinite;

    printf("%s: %zu steps, %zu tensors in %zu groups (%s)", gtr_trace_path(study->trace),
           study->series->n_steps, study->groups->n_tensors, study->groups->n_groups,
           study->groups->rule);
    if (n > 0)
        printf(", %zu %s not finite", n, n == 1 ? "step" : "steps");
    printf("\n\n");
}

static enum gtr_code replay_all(const struct study *study, struct outputs *outputs,
                                struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_norm_summary *norms = NULL;
    struct gtr_scaling_report **reports = NULL;
    size_t i;

    rc = gtr_norm_summaries_new(study->replay, &norms, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&reports, study->n_settings, sizeof *reports, "reports", err);
    if (rc != GTR_OK)
        goto out;
    if (outputs->tables)
        put_title(study);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++)
        rc = replay_one(study, i, norms, outputs, &reports[i], err);
    if (rc == GTR_OK && outputs->tables && study->n_settings > 1)
        scaling_table_compare(stdout, study->labels, reports, study->n_settings);
out:
    for (i = 0; reports != NULL && i < study->n_settings; i++)
        gtr_scaling_free(reports[i]);
    gtr_free(reports);
    gtr_free(norms);
    return rc;
}

int cmd_replay(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    struct study study = { 0 };
    struct outputs outputs = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.replay.options.keep_interval = arguments.steps != NULL || arguments.result != NULL;
    rc = study_open(&study, arguments.trace, &arguments.common, &arguments.replay, &err);
    if (rc == GTR_OK)
        rc = outputs_open(&outputs, &arguments, &study, &err);
    if (rc == GTR_OK)
        rc = replay_all(&study, &outputs, &err);
    if (rc == GTR_OK)
        rc = outputs_close(&outputs, &err);
    if (rc == GTR_OK)
        fprintf(outputs.tables ? stdout : stderr, "%s\n", study_open_loop);
    outputs_abandon(&outputs);
    study_close(&study);
    cli_replay_free(&arguments.replay);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&arguments.common, &err);
}
