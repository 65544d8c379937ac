/* cmd_import.c - gradtrace import: a log becomes a trace.
 *
 * What was taken for step, loss, rate and norms, what was passed over and what was missing is
 * told, so that a wrong guess is seen.
 */
#include "cli.h"

#include <errno.h>
#include <float.h>
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
    OPT_REPEATS,
    OPT_PATTERN,
    OPT_EVERY,
    OPT_MAX_NORM
};

enum { SERIES_SHOWN = 8, LEFT_OUT_SHOWN = 4, FORMATS_MAX = 32 };

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

static void take_format(struct arguments *arguments, const struct argp_state *state,
                        const char *word)
{
    const char *formats[FORMATS_MAX] = { "auto" };
    size_t n = 1, chosen;

    while (n < FORMATS_MAX && (formats[n] = gtr_log_format_name(n - 1)) != NULL)
        n++;
    chosen = cli_choice(state, "--format", word, formats, n);
    arguments->options.format = chosen > 0 ? formats[chosen] : NULL;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
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
        take_format(arguments, state, word);
        return 0;
    case OPT_PATTERN:
        arguments->options.pattern = word;
        return 0;
    case OPT_EVERY:
        arguments->options.every = cli_integer(state, "--every", word, 1, INT64_MAX);
        return 0;
    case OPT_MAX_NORM:
        arguments->facts.max_norm = cli_number(state, "--max-norm", word, DBL_MIN, DBL_MAX);
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
    { "format", OPT_FORMAT, "NAME", 0,
      "Format of LOG: csv, tsv, jsonl, trainer_state, tfevents; of what was printed: trainer "
      "(Hugging Face), megatron (also NeMo, nanotron), torchtitan (also verl), llm.c, fairseq, "
      "mmengine, olmo, composer.  auto (the default) looks at what is in it",
      0 },
    { "pattern", OPT_PATTERN, "TEXT", 0,
      "How a line looks that no format knows: 'it {step} of {total}: loss {loss} {} gnorm {norm}'; "
      "{} is anything, {lr} the rate, {norm/NAME} the norm of a part",
      0 },
    { "every", OPT_EVERY, "N", 0, "Rows have no step: they are numbered N, 2N, ...", 0 },
    { "max-norm", OPT_MAX_NORM, "C", 0,
      "The run's own limit (max_grad_norm, clip-grad), so that the factor that it applied is known",
      0 },
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
    char names[512] = "", stride[64] = "";
    size_t used = 0, i;

    for (i = 0; i < summary->n_series && i < SERIES_SHOWN; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.50s", i > 0 ? ", " : "",
                                 gtr_log_series_name(log, i));
    if (summary->stride > 1)
        snprintf(stride, sizeof stride, ", one row in %lld steps", (long long)summary->stride);
    cli_note(&arguments->common, "%s: %zu %s%s, %lld to %lld%s; %zu series: %s%s", trace,
             summary->n_steps, summary->stride > 1 ? "row" : "step", tell_s(summary->n_steps),
             (long long)steps[0].index, (long long)steps[summary->n_steps - 1].index, stride,
             summary->n_series, names, summary->n_series > SERIES_SHOWN ? ", ..." : "");
}

/* What was taken for what, and what its writer means by it. */
static void tell_source(const struct arguments *arguments, const struct gtr_log *log)
{
    const struct gtr_log_summary *s = gtr_log_summary(log);
    const char *state = arguments->facts.grad_state != NULL ? arguments->facts.grad_state
                        : s->grad_state != NULL             ? s->grad_state
                                                            : "unknown";
    const struct {
        const char *what, *from;
    } taken[] = { { "step", s->step },
                  { "loss", s->loss },
                  { "lr", s->lr },
                  { "names", s->name },
                  { s->squares ? "squares" : "norms", s->norm } };
    char about[512] = "";
    size_t used = 0, i;

    for (i = 0; i < GTR_ARRAY_LEN(taken); i++)
        if (taken[i].from != NULL)
            used += (size_t)snprintf(about + used, sizeof about - used, "%s%s from %.60s",
                                     used > 0 ? ", " : ": ", taken[i].what, taken[i].from);
    cli_note(&arguments->common, "read as %s%s%s%s", s->format, s->writer != NULL ? " of " : "",
             s->writer != NULL ? s->writer : "", about);
    if (s->writer == NULL && s->grad_state == NULL)
        return;
    cli_note(&arguments->common, "norms are %s%s%s%s", state,
             strcmp(state, "unknown") == 0 ? ", from before or after clipping: --grad-state says "
                                             "which"
                                           : "",
             s->norm_of != NULL && s->stride > 1 ? ", " : "",
             s->norm_of != NULL && s->stride > 1 ? s->norm_of : "");
}

/* How steps were numbered where the log does not number them itself. */
static void tell_steps(const struct arguments *arguments, const struct gtr_log_summary *s)
{
    const struct cli_common *common = &arguments->common;

    if (s->counted && arguments->options.every == 0)
        cli_note(common, "rows have no step and are counted 1, 2, ...; if the run logged every N "
                         "steps, say --every N, or import trainer_state.json, which has the steps");
    if (s->n_restarts > 0)
        cli_note(common,
                 "steps begin anew with an epoch %zu time%s: they count on from the last row "
                 "before, so that each epoch may be up to %lld short",
                 s->n_restarts, tell_s(s->n_restarts), (long long)(s->stride - 1));
}

static void tell_left_out(const struct arguments *arguments, const struct gtr_log *log)
{
    const struct gtr_log_summary *s = gtr_log_summary(log);
    size_t i;

    for (i = 0; i < s->n_left_out && i < LEFT_OUT_SHOWN; i++)
        cli_note(&arguments->common, "%s is left out: %s; --keys takes what it names",
                 gtr_log_left_out(log, i)->name, gtr_log_left_out(log, i)->why);
    if (s->n_left_out > LEFT_OUT_SHOWN)
        cli_note(&arguments->common, "and %zu more", s->n_left_out - LEFT_OUT_SHOWN);
    if (s->only_column)
        cli_note(&arguments->common,
                 "%s is taken for a norm, as the only column of numbers; is it "
                 "one?",
                 gtr_log_series_name(log, 0));
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

    tell_left_out(arguments, log);
    for (i = 0; i < GTR_ARRAY_LEN(norms); i++)
        if (norms[i].n > 0)
            cli_note(common, "%zu %snorm%s %s", norms[i].n, norms[i].kind,
                     norms[i].n == 1 ? " is" : "s are", norms[i].fate);
    if (s->n_same > 0)
        cli_note(common, "%zu norm%s there again with the same value", s->n_same,
                 s->n_same == 1 ? " is" : "s are");
    if (s->n_idle_rows > 0)
        cli_note(common, "%zu row%s without a norm passed over", s->n_idle_rows,
                 tell_s(s->n_idle_rows));
    if (s->cut_short)
        cli_note(common, "the end is incomplete and left out");
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
        tell_source(&arguments, log);
        tell_steps(&arguments, gtr_log_summary(log));
        tell_changes(&arguments, log);
    }
    gtr_log_free(log);
    gtr_free(name);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&arguments.common, &err);
}
