/* cmd_import.c - gradtrace import: a log becomes a trace.
 *
 * What was taken for step, loss, rate and norms, what was passed over and what was missing is
 * told, so that a wrong guess is seen.
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell.h"

enum {
    OPT_COLUMNS = 0x200,
    OPT_KEYS,
    OPT_FORMAT,
    OPT_TOTAL_STEPS,
    OPT_GROUP_BY,
    OPT_GRAD_STATE,
    OPT_REPEATS
};

enum { SERIES_SHOWN = 8 };

struct arguments {
    struct cli_common common;
    const char *log;
    const char *trace; /* -o */
    struct gtr_log_options options;
    struct gtr_log_facts facts;
};

static void check_arguments(const struct arguments *arguments, const struct argp_state *state)
{
    if (arguments->log == NULL)
        argp_error(state, "name a log, or - for standard input");
    if (strcmp(arguments->log, "-") == 0 && arguments->trace == NULL)
        argp_error(state, "-: standard input has no name to make the trace's from; use -o");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    static const char *const formats[] = { "auto", "csv", "tsv", "jsonl" };
    static const char *const states[] = { "unknown", "pre-clip", "post-clip" };
    static const char *const repeats[] = { "error", "first", "last" };
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->common;
        return 0;
    case 'o':
        arguments->trace = word;
        return 0;
    case OPT_COLUMNS:
        arguments->options.columns = word;
        return 0;
    case OPT_KEYS:
        arguments->options.keys = word;
        return 0;
    case OPT_GROUP_BY:
        arguments->facts.group_by = word;
        return 0;
    case OPT_TOTAL_STEPS:
        arguments->facts.total_steps = cli_integer(state, "--total-steps", word, 0, INT64_MAX);
        return 0;
    case OPT_FORMAT:
        arguments->options.format =
            (enum gtr_log_format)cli_choice(state, "--format", word, formats, 4);
        return 0;
    case OPT_GRAD_STATE:
        arguments->facts.grad_state = states[cli_choice(state, "--grad-state", word, states, 3)];
        return 0;
    case OPT_REPEATS:
        arguments->options.repeats =
            (enum gtr_log_repeats)cli_choice(state, "--repeats", word, repeats, 3);
        return 0;
    case ARGP_KEY_ARG:
        cli_take_path(state, &arguments->log, word, "log");
        return 0;
    case ARGP_KEY_END:
        check_arguments(arguments, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "TRACE.h5", 0, "The trace to write.  Default: LOG, ending in .h5", 0 },
    { "columns", OPT_COLUMNS, "KEY=COLUMN,...", 0,
      "Which column (or key of JSON) is what: step, loss, lr; with a row for each series name and "
      "norm, or sumsq for sums of squares; with a column for each, series=GLOB.  Default: by "
      "their usual names",
      0 },
    { "keys", OPT_KEYS, "GLOB[|GLOB...]", 0,
      "Which columns, keys or names are series.  Default: what experiment trackers usually write, "
      "as grad_norm/*",
      0 },
    { "format", OPT_FORMAT, "auto|csv|tsv|jsonl", 0,
      "Format of LOG; auto (the default) looks at its first line", 0 },
    { "repeats", OPT_REPEATS, "error|first|last", 0,
      "Which norm counts where LOG has two for one step, as resumed runs write them; error is the "
      "default",
      0 },
    { "total-steps", OPT_TOTAL_STEPS, "N", 0,
      "Planned length of the run, for schedules.  Default: 0, unknown", 0 },
    { "group-by", OPT_GROUP_BY, "RULE", 0,
      "How the series are grouped when the trace is replayed.  Default: tensor, each by itself, "
      "unless their names are those of parameters",
      0 },
    { "grad-state", OPT_GRAD_STATE, "unknown|pre-clip|post-clip", 0,
      "Whether LOG has norms from before or after clipping.  Default: unknown", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 2 }, { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "LOG|-",
    .doc = "Make a trace from a log of gradient norms: a table (CSV, TSV) with a row per step and "
           "series or with a column for each series, or JSON lines.\v"
           "Examples:\n"
           "  gradtrace import aggc.csv --total-steps 1200\n"
           "  gradtrace import log.tsv --columns step=it,name=tensor,norm=l2\n"
           "  gradtrace import wandb.jsonl --keys 'gradients/*' -o run.h5",
    .children = children,
};

/* LOG with its extension replaced; the caller frees it. */
static char *trace_name(const char *log)
{
    const char *slash = strrchr(log, '/');
    const char *base = slash != NULL ? slash + 1 : log;
    const char *dot = strrchr(base, '.');
    size_t n = dot != NULL && dot > base ? (size_t)(dot - log) : strlen(log);
    char *name = gtr_alloc(n + sizeof ".h5", 1);

    if (name != NULL) {
        memcpy(name, log, n);
        memcpy(name + n, ".h5", sizeof ".h5");
    }
    return name;
}

static enum gtr_code read_log(const struct arguments *arguments, struct gtr_log **log,
                              struct gtr_err *err)
{
    enum gtr_code rc;
    FILE *f;

    if (strcmp(arguments->log, "-") == 0)
        return gtr_log_read(stdin, "standard input", &arguments->options, log, err);
    f = fopen(arguments->log, "r");
    if (f == NULL)
        return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", arguments->log, strerror(errno));
    rc = gtr_log_read(f, arguments->log, &arguments->options, log, err);
    fclose(f);
    return rc;
}

static void tell_size(const struct arguments *arguments, const struct gtr_log *log,
                      const char *trace)
{
    const struct gtr_log_summary *summary = gtr_log_summary(log);
    const struct gtr_step *steps = gtr_log_steps(log);
    char names[512] = "";
    size_t used = 0, i;

    for (i = 0; i < summary->n_series && i < SERIES_SHOWN; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.50s", i > 0 ? ", " : "",
                                 gtr_log_series_name(log, i));
    cli_note(&arguments->common, "%s: %zu step%s, %lld to %lld; %zu series: %s%s", trace,
             summary->n_steps, tell_s(summary->n_steps), (long long)steps[0].index,
             (long long)steps[summary->n_steps - 1].index, summary->n_series, names,
             summary->n_series > SERIES_SHOWN ? ", ..." : "");
}

/* What was done to the log that its owner may not expect. */
static void tell_changes(const struct arguments *arguments, const struct gtr_log *log)
{
    const struct gtr_log_summary *s = gtr_log_summary(log);
    const struct cli_common *common = &arguments->common;
    const struct {
        size_t n;
        const char *kind, *fate;
    } norms[] = {
        { s->n_missing, "", "missing and taken as 0" },
        { s->n_nonfinite, "", "NaN or infinite" },
        { s->n_large, "", "too large to be squared, and kept as infinite" },
        { s->n_small, "", "too small to be squared exactly: digits are lost" },
        { s->n_repeats, "repeated ", "left out" },
    };
    size_t i;

    if (s->n_totals > 0)
        cli_note(common,
                 "%s is left out, as a total of the others; to keep it, name all with "
                 "--keys",
                 s->total);
    for (i = 0; i < GTR_ARRAY_LEN(norms); i++)
        if (norms[i].n > 0)
            cli_note(common, "%zu %snorm%s %s", norms[i].n, norms[i].kind,
                     norms[i].n == 1 ? " is" : "s are", norms[i].fate);
    if (s->cut_short)
        cli_note(common, "the last line is incomplete and left out");
    if (s->parameters && arguments->facts.group_by == NULL)
        cli_note(common, "the series are parameters: replays group them by module; --group-by "
                         "says otherwise");
}

int cmd_import(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    struct gtr_err err = { 0 };
    struct gtr_log *log = NULL;
    char *name = NULL;
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.facts.force = arguments.common.force;
    name = arguments.trace == NULL ? trace_name(arguments.log) : gtr_strdup(arguments.trace);
    rc = name != NULL ? read_log(&arguments, &log, &err)
                      : gtr_fail(&err, GTR_ENOMEM, "no memory for a name");
    if (rc == GTR_OK)
        rc = gtr_log_write(log, name, &arguments.facts, &err);
    if (rc == GTR_OK) {
        tell_size(&arguments, log, name);
        tell_changes(&arguments, log);
    }
    gtr_log_free(log);
    gtr_free(name);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&arguments.common, &err);
}
