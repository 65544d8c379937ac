/* cmd_export.c - gradtrace export: a trace's norms as text.
 *
 * The form follows the name of the output unless --format says otherwise.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "output.h"

enum { OPT_FORMAT = 0x200, OPT_LAYOUT, OPT_GROUP_BY, OPT_WHAT };

struct arguments {
    struct cli_common common;
    const char *trace;
    const char *output;   /* -o */
    const char *group_by; /* NULL: tensors */
    bool layout_given, format_given;
    struct gtr_export_options options;
};

/* The format that a file's name asks for, if none was given. */
static enum gtr_export_format format_of(const char *path)
{
    static const struct {
        const char *extension;
        enum gtr_export_format format;
    } formats[] = { { ".tsv", GTR_EXPORT_TSV },
                    { ".jsonl", GTR_EXPORT_JSONL },
                    { ".ndjson", GTR_EXPORT_JSONL },
                    { ".json", GTR_EXPORT_JSONL } };
    const char *dot = strrchr(path, '.');
    size_t i;

    if (strstr(path, "tfevents") != NULL)
        return GTR_EXPORT_TFEVENTS;
    for (i = 0; dot != NULL && i < GTR_ARRAY_LEN(formats); i++)
        if (strcmp(dot, formats[i].extension) == 0)
            return formats[i].format;
    return GTR_EXPORT_CSV;
}

static void check_arguments(struct arguments *arguments, const struct argp_state *state)
{
    if (!arguments->format_given)
        arguments->options.format = format_of(arguments->output);
    if (arguments->layout_given && arguments->options.format >= GTR_EXPORT_JSONL)
        argp_error(state, "--layout: %s have one layout, an %s per step",
                   arguments->options.format == GTR_EXPORT_JSONL ? "JSON lines" : "event files",
                   arguments->options.format == GTR_EXPORT_JSONL ? "object" : "event");
}

static void take_what(struct arguments *arguments, const struct argp_state *state, const char *word)
{
    const char *whats[GTR_EXPORT_WHAT_COUNT];
    size_t i;

    for (i = 0; i < GTR_EXPORT_WHAT_COUNT; i++)
        whats[i] = gtr_export_what_name((enum gtr_export_what)i);
    arguments->options.what =
        (enum gtr_export_what)cli_choice(state, "--what", word, whats, GTR_EXPORT_WHAT_COUNT);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    static const char *const formats[] = { "csv", "tsv", "jsonl", "tfevents" };
    static const char *const layouts[] = { "long", "wide" };
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->common;
        state->child_inputs[1] = &arguments->trace;
        return 0;
    case 'o':
        arguments->output = word;
        return 0;
    case OPT_GROUP_BY:
        arguments->group_by = word;
        return 0;
    case OPT_FORMAT:
        arguments->options.format =
            (enum gtr_export_format)cli_choice(state, "--format", word, formats, 4);
        arguments->format_given = true;
        return 0;
    case OPT_LAYOUT:
        arguments->options.layout =
            (enum gtr_export_layout)cli_choice(state, "--layout", word, layouts, 2);
        arguments->layout_given = true;
        return 0;
    case OPT_WHAT:
        take_what(arguments, state, word);
        return 0;
    case ARGP_KEY_END:
        check_arguments(arguments, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "FILE|-", 0, "Where to write; - (the default) is standard output", 0 },
    { "format", OPT_FORMAT, "csv|tsv|jsonl|tfevents", 0,
      "Default: as FILE's name ends, else csv.  tfevents, for TensorBoard: call FILE "
      "events.out.tfevents.NAME",
      0 },
    { "layout", OPT_LAYOUT, "long|wide", 0,
      "A row for each step and tensor (the default), or a row for each step with a column for "
      "each tensor",
      0 },
    { "what", OPT_WHAT, "norm|sumsq|maxabs|nonfinite", 0,
      "The norm (the default), its exact sum of squares, the largest magnitude, or the count of "
      "elements that are NaN or infinite",
      0 },
    { "group-by", OPT_GROUP_BY, "RULE", 0,
      "Of groups of tensors instead of each tensor: module, layer, layer.module, all, lora-ab, "
      "aggc, or file:PATH",
      0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 2 },
                                              { &cli_trace_argp, 0, NULL, 0 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE",
    .doc = "Write a trace's norms as text that spreadsheets, pandas and gradtrace import read.",
    .children = children,
};

static enum gtr_code export_all(const struct arguments *arguments, struct gtr_trace *trace,
                                struct gtr_err *err)
{
    struct gtr_groups *groups = NULL;
    struct output output = { 0 };
    enum gtr_code rc = GTR_OK;

    if (arguments->group_by != NULL)
        rc = gtr_groups_new(arguments->group_by, gtr_trace_head(trace), &groups, err);
    if (rc == GTR_OK)
        rc = output_open(&output, arguments->output, arguments->common.force, err);
    if (rc == GTR_OK)
        rc = gtr_export_write(trace, groups, &arguments->options, output.f, err);
    if (rc == GTR_OK)
        rc = output_close(&output, err);
    output_abandon(&output);
    gtr_groups_free(groups);
    return rc;
}

int cmd_export(int argc, char **argv)
{
    struct arguments arguments = { .output = "-" };
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    rc = gtr_trace_open(arguments.trace, &trace, &err);
    if (rc == GTR_OK)
        rc = export_all(&arguments, trace, &err);
    gtr_trace_close(trace);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&arguments.common, &err);
}
