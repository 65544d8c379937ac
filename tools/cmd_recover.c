/* cmd_recover.c - gradtrace recover: copy what is right of a damaged trace.
 *
 * The old trace is only read.  Where nothing could be kept the exit status is 1.
 */
#include "cli.h"

struct arguments {
    struct cli_common common;
    const char *trace;
    const char *output;
};

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->common;
        state->child_inputs[1] = &arguments->trace;
        return 0;
    case 'o':
        arguments->output = word;
        return 0;
    case ARGP_KEY_END:
        if (arguments->output == NULL)
            argp_error(state, "name the new trace: -o NEW.h5, or -o NEW.gtr for a folder");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "NEW.h5|NEW.gtr", 0, "The new trace: a file, or a folder of segments", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 2 },
                                              { &cli_trace_argp, 0, NULL, 0 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE",
    .doc =
        "Copy every row of a damaged trace that is as it was written, and the elements that "
        "are, to a new one.  The old trace is not touched.\v"
        "What is lost is said on standard error.  A recorder that was killed leaves a trace that "
        "needs no recovery: all commands read it.",
    .children = children,
};

int cmd_recover(int argc, char **argv)
{
    struct arguments arguments = { 0 };
    const struct gtr_remarks remarks = { cli_remark, &arguments.common };
    struct gtr_recovered found;
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    rc = gtr_trace_recover(arguments.trace, arguments.output, arguments.common.force, &remarks,
                           &found, &err);
    if (rc != GTR_OK)
        return cli_fail(&arguments.common, &err);
    cli_note(&arguments.common, "%s: rows kept %zu, lost %zu; with elements kept %zu, lost %zu",
             arguments.output, found.n_rows, found.n_lost_rows, found.n_captures,
             found.n_lost_captures);
    /* A trace without a row is nothing that was saved. */
    return found.n_rows == 0 && found.n_lost_rows > 0 ? EXIT_FAILED : EXIT_DONE;
}
