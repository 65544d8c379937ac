/* cmd_replay.c - gradtrace replay: what policies would have done with a recorded run.
 *
 * One setting after the other is replayed and sent everywhere that was asked for: its table to
 * standard output, its decisions to --steps and -o.  The statistics of all of them are kept, small,
 * for the comparison at the end and for --tsv and --json.
 */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "scaling_table.h"
#include "study.h"

enum { OPT_STEPS = 0x200, OPT_STATS, OPT_OBJECTIVES, OPT_AGAINST };
/* Letters of a group's name in a table. */
enum { NAME_LEAST = 8, NAME_MOST = 24 };

struct arguments {
    struct cli_common common;
    struct cli_replay replay;
    struct forms forms;
    const char *trace;
    const char *against;    /* --against: another recording */
    const char *steps;      /* --steps */
    const char *objectives; /* --objectives */
    const char *result;     /* -o */
};

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->forms;
        state->child_inputs[1] = &arguments->replay;
        state->child_inputs[2] = &arguments->replay.options.device;
        state->child_inputs[3] = &arguments->common;
        return 0;
    case OPT_STEPS:
        arguments->steps = word;
        return 0;
    case OPT_STATS:
        arguments->forms.tsv_path = word;
        return 0;
    case OPT_OBJECTIVES:
        arguments->objectives = word;
        return 0;
    case OPT_AGAINST:
        cli_take_path(state, &arguments->against, word, "trace after --against");
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
        if (arguments->replay.policies.n == 0)
            argp_error(state, "name a policy with -p; `gradtrace info --policies` lists them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "steps", OPT_STEPS, "FILE|-", 0,
      "Write every decision as tab-separated text: step policy group norm lower upper scale "
      "norm_out skipped; - for standard output, instead of the tables",
      0 },
    { "stats", OPT_STATS, "FILE|-", OPTION_HIDDEN, "The older name of --tsv", 0 },
    { "objectives", OPT_OBJECTIVES, "FILE|-", 0,
      "Write the objectives of `gradtrace sweep` for each policy as tab-separated text", 0 },
    { "against", OPT_AGAINST, "OTHER", 0,
      "Replay over another recording of the training as well, made under another policy, and print "
      "how far apart the two predictions are: a training may be as far from either",
      0 },
    { "output", 'o', "RESULT.h5", 0, "Write decisions and statistics as HDF5", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &forms_argp, 0, NULL, 0 },
                                              { &cli_replay_argp, 0, "How to replay:", 1 },
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

/* Where the decisions go, and what is kept of them. */
struct outputs {
    struct forms *forms;
    struct output steps, objectives;
    struct rows step_rows, objective_rows;
    struct gtr_baseline *baseline; /* if objectives are asked for */
    struct gtr_result *result;
    struct gtr_scaling_report **reports; /* [n_settings] */
    struct tell_names groups;
    bool tables; /* stdout is free for people */
};

struct kept {
    const struct study *study;
    struct gtr_scaling_report *const *reports;
};

static enum gtr_code make_baseline(const struct study *study, struct gtr_baseline **baseline,
                                   struct gtr_err *err)
{
    struct gtr_baseline_options standard;

    gtr_objectives_baseline_init(&standard);
    return gtr_baseline_new(study->series, gtr_replay_skip(study->replay), &standard, baseline,
                            err);
}

static void objectives_header(struct rows *rows, FILE *f)
{
    size_t i;

    rows_open(rows, f, false);
    rows_column(rows, "policy");
    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++)
        rows_column(rows, gtr_objective_name((enum gtr_objective)i));
}

/* The same numbers as a sweep has for this setting, to the bit. */
static enum gtr_code objectives_row(struct rows *rows, const char *label, const struct study *study,
                                    const struct gtr_baseline *baseline,
                                    const struct gtr_decisions *decisions, struct gtr_err *err)
{
    double values[GTR_OBJECTIVE_COUNT];
    enum gtr_code rc;
    size_t i;

    rc = gtr_sweep_one(study->replay, baseline, decisions->policy, decisions->params, 0, values,
                       err);
    if (rc != GTR_OK)
        return rc;
    rows_text(rows, label);
    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++)
        rows_number(rows, values[i]);
    return GTR_OK;
}

/* One setting's decisions, step by step, groups in their order. */
static void write_steps(struct rows *rows, const char *label, const struct gtr_series *series,
                        const struct gtr_decisions *decisions)
{
    size_t t, j;

    for (t = 0; t < series->n_steps && !ferror(rows->f); t++) {
        for (j = 0; j < series->n_groups; j++) {
            size_t at = j * series->n_steps + t;
            double norm = gtr_series_norm(series, j, t);
            bool skipped = (decisions->flags[at] & GTR_FLAG_SKIPPED) != 0;

            rows_integer(rows, series->index[t]);
            rows_text(rows, label);
            rows_text(rows, series->names[j]);
            rows_number(rows, norm);
            rows_number(rows, decisions->lower[at]);
            rows_number(rows, decisions->upper[at]);
            rows_number(rows, skipped ? 0.0 : decisions->scale[at]);
            rows_number(rows, skipped ? 0.0 : norm * decisions->scale[at]);
            rows_integer(rows, skipped);
        }
    }
}

static enum gtr_code outputs_open(struct outputs *outputs, const struct arguments *arguments,
                                  const struct study *study, struct gtr_err *err)
{
    const struct gtr_series *series = study->series;
    bool force = arguments->common.force;
    enum gtr_code rc;

    rc = output_open(&outputs->steps, arguments->steps, force, err);
    if (rc == GTR_OK)
        rc = forms_open(outputs->forms, force, err);
    if (rc == GTR_OK)
        rc = output_open(&outputs->objectives, arguments->objectives, force, err);
    if (rc == GTR_OK && outputs->objectives.f != NULL)
        rc = make_baseline(study, &outputs->baseline, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&outputs->reports, study->n_settings, sizeof *outputs->reports,
                           "reports", err);
    if (rc == GTR_OK && arguments->result != NULL)
        rc = gtr_replay_file_open(arguments->result, force, arguments->trace, study->groups->rule,
                                  study->replay, &outputs->result, err);
    if (rc != GTR_OK)
        return rc;
    outputs->tables =
        outputs->steps.f != stdout && outputs->forms->told && outputs->objectives.f != stdout;
    if (outputs->tables)
        tell_names_make(&outputs->groups, (const char *const *)series->names, series->n_groups,
                        NAME_LEAST, NAME_MOST);
    if (outputs->steps.f != NULL) {
        rows_open(&outputs->step_rows, outputs->steps.f, false);
        rows_columns(&outputs->step_rows,
                     "step policy group norm lower upper scale norm_out skipped");
    }
    if (outputs->objectives.f != NULL)
        objectives_header(&outputs->objective_rows, outputs->objectives.f);
    return GTR_OK;
}

static enum gtr_code close_table(struct rows *rows, struct output *output, struct gtr_err *err)
{
    enum gtr_code rc = output->f != NULL ? rows_close(rows, err) : GTR_OK;

    return rc == GTR_OK ? output_close(output, err) : rc;
}

static enum gtr_code outputs_close(struct outputs *outputs, struct gtr_err *err)
{
    enum gtr_code rc = close_table(&outputs->step_rows, &outputs->steps, err);

    if (rc == GTR_OK)
        rc = close_table(&outputs->objective_rows, &outputs->objectives, err);
    if (rc == GTR_OK) {
        rc = gtr_result_close(outputs->result, err);
        outputs->result = NULL;
    }
    return rc == GTR_OK ? forms_close(outputs->forms, err) : rc;
}

static void outputs_abandon(struct outputs *outputs, size_t n_settings)
{
    size_t i;

    output_abandon(&outputs->steps);
    output_abandon(&outputs->objectives);
    forms_abandon(outputs->forms);
    gtr_baseline_free(outputs->baseline);
    gtr_result_abandon(outputs->result);
    tell_names_free(&outputs->groups);
    for (i = 0; outputs->reports != NULL && i < n_settings; i++)
        gtr_scaling_free(outputs->reports[i]);
    gtr_free(outputs->reports);
}

/* Runs one setting and sends it everywhere. */
static enum gtr_code replay_one(const struct study *study, size_t i,
                                const struct gtr_norm_summary *norms, struct outputs *outputs,
                                struct gtr_err *err)
{
    const struct gtr_series *series = study->series;
    struct gtr_scaling_report **report = &outputs->reports[i];
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
        scaling_table_print(stdout, label, setting, &outputs->groups, *report);
    if (outputs->steps.f != NULL)
        write_steps(&outputs->step_rows, label, series, decisions);
    if (outputs->objectives.f != NULL)
        rc = objectives_row(&outputs->objective_rows, label, study, outputs->baseline, decisions,
                            err);
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

    tell_text(stdout, gtr_trace_path(study->trace));
    printf(": %zu steps, %zu tensors in %zu groups (%s)", study->series->n_steps,
           study->groups->n_tensors, study->groups->n_groups, study->groups->rule);
    if (n > 0)
        printf(", %zu step%s not finite", n, tell_s(n));
    printf("\n\n");
}

static void write_table(struct rows *rows, const void *found)
{
    const struct kept *kept = found;
    const struct study *study = kept->study;

    scaling_table_rows(rows, study->labels, study->series, kept->reports, study->n_settings);
}

static enum gtr_code replay_all(const struct study *study, struct outputs *outputs,
                                struct gtr_err *err)
{
    const struct kept kept = { study, outputs->reports };
    struct gtr_norm_summary *norms = NULL;
    enum gtr_code rc = gtr_norm_summaries_new(study->replay, &norms, err);
    size_t i;

    if (rc == GTR_OK && outputs->tables)
        put_title(study);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++)
        rc = replay_one(study, i, norms, outputs, err);
    if (rc == GTR_OK && outputs->tables && study->n_settings > 1)
        scaling_table_compare(stdout, study->labels, outputs->reports, study->n_settings);
    if (rc == GTR_OK)
        rc = forms_write(outputs->forms, write_table, &kept, err);
    gtr_free(norms);
    return rc;
}

/* --- another recording ------------------------------------------------------------------------ */

/* The pooled statistics of a setting over another recording. */
static enum gtr_code other_report(const struct study *other, size_t i,
                                  const struct gtr_norm_summary *norms,
                                  struct gtr_scaling_report **report, struct gtr_err *err)
{
    struct gtr_decisions *decisions = NULL;
    enum gtr_code rc = gtr_replay_run(other->replay, other->settings[i], &decisions, err);

    if (rc == GTR_OK)
        rc = gtr_scaling_new(other->replay, decisions, norms, report, err);
    gtr_decisions_free(decisions);
    return rc;
}

static double rate_of(const struct gtr_scaling *s)
{
    return (double)s->n_clipped / (double)s->n_decisions;
}

static void put_gap(const struct tell_names *names, size_t i, const struct gtr_scaling *here,
                    const struct gtr_scaling *there)
{
    char a[TELL_SIZE], b[TELL_SIZE];

    fputs("  ", stdout);
    tell_name(stdout, names, i);
    printf(" %9s %9s %+8.1f %12.4f %9.4f %+9.4f\n", tell_share(rate_of(here), a),
           tell_share(rate_of(there), b), 100.0 * (rate_of(there) - rate_of(here)), here->mean,
           there->mean, there->mean - here->mean);
}

/* Two recordings of one training under two policies: where their predictions part, so will the
 * training's. */
static enum gtr_code put_against(const struct arguments *arguments, const struct study *study,
                                 const struct outputs *outputs, struct gtr_err *err)
{
    struct gtr_norm_summary *norms = NULL;
    struct study other = { 0 };
    struct tell_names names;
    enum gtr_code rc;
    size_t i;

    rc = study_open(&other, arguments->against, &arguments->common, &arguments->replay, err);
    if (rc == GTR_OK)
        rc = gtr_norm_summaries_new(other.replay, &norms, err);
    if (rc != GTR_OK) {
        study_close(&other);
        return rc;
    }
    tell_names_make(&names, (const char *const *)study->labels, study->n_settings, NAME_LEAST,
                    NAME_MOST);
    fputs("the same policies over ", stdout);
    tell_text(stdout, arguments->against);
    printf("\n  %-*s %28s %32s\n  %-*s %9s %9s %8s %12s %9s %9s\n", (int)names.width, "",
           "share of decisions clipped", "mean scale", (int)names.width, "policy", "here", "there",
           "points", "here", "there", "gap");
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++) {
        struct gtr_scaling_report *report = NULL;

        rc = other_report(&other, i, norms, &report, err);
        if (rc == GTR_OK)
            put_gap(&names, i, &outputs->reports[i]->pooled, &report->pooled);
        gtr_scaling_free(report);
    }
    puts("  A training may be as far from either.\n");
    tell_names_free(&names);
    gtr_free(norms);
    study_close(&other);
    return rc;
}

int cmd_replay(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    struct study study = { 0 };
    struct outputs outputs = { .forms = &arguments.forms };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.replay.options.keep_interval = arguments.steps != NULL || arguments.result != NULL;
    rc = study_open(&study, arguments.trace, &arguments.common, &arguments.replay, &err);
    if (rc == GTR_OK)
        rc = outputs_open(&outputs, &arguments, &study, &err);
    if (rc == GTR_OK)
        rc = replay_all(&study, &outputs, &err);
    if (rc == GTR_OK && outputs.tables && arguments.against != NULL)
        rc = put_against(&arguments, &study, &outputs, &err);
    if (rc == GTR_OK)
        rc = outputs_close(&outputs, &err);
    if (rc == GTR_OK && outputs.tables)
        puts(study_expected);
    if (rc == GTR_OK)
        fprintf(outputs.tables ? stdout : stderr, "%s\n", study_open_loop);
    outputs_abandon(&outputs, study.n_settings);
    study_close(&study);
    gtr_free(arguments.replay.policies.text);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&arguments.common, &err);
}
