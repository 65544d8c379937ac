/* cmd_merge.c - gradtrace merge: segments and ranks into one trace.
 *
 * Several ranks are refused until --ranks says how their norms add up: shards and replicas look
 * alike.
 */
#include "cli.h"

#include "tell.h"

enum { OPT_RANKS = 0x200, OPT_TOLERANCE };

struct arguments {
    struct cli_common common;
    struct cli_words paths;
    const char *output;
    bool tolerance_given;
    struct gtr_merge_options options;
};

static void take_tolerance(struct arguments *arguments, const struct argp_state *state,
                           const char *word)
{
    double *tolerance = &arguments->options.tolerance;

    if (!gtr_text_number(word, tolerance) || !(*tolerance >= 0.0 && *tolerance < 1.0))
        argp_error(state, "--tolerance %s: must be a number from 0 up to 1", word);
    arguments->tolerance_given = true;
}

static void check_arguments(struct arguments *arguments, const struct argp_state *state)
{
    if (arguments->paths.n == 0)
        argp_error(state, "name a trace");
    if (arguments->output == NULL)
        argp_error(state, "name the new trace: -o NEW.h5");
    if (arguments->paths.n > 1 && arguments->options.join == GTR_JOIN_NONE)
        argp_error(state,
                   "%zu traces: say how they are joined: --ranks sum (each rank has a shard "
                   "of the gradients), same (each has all of them) or mean",
                   arguments->paths.n);
    if (arguments->tolerance_given && arguments->options.join != GTR_JOIN_SAME)
        argp_error(state, "--tolerance: goes with --ranks same");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    static const char *const joins[] = { "sum", "same", "mean" };
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->common;
        return 0;
    case 'o':
        arguments->output = word;
        return 0;
    case OPT_RANKS:
        arguments->options.join =
            (enum gtr_join)(GTR_JOIN_SUM + cli_choice(state, "--ranks", word, joins, 3));
        return 0;
    case OPT_TOLERANCE:
        take_tolerance(arguments, state, word);
        return 0;
    case ARGP_KEY_ARG:
        cli_add_word(&arguments->paths, state, word);
        return 0;
    case ARGP_KEY_END:
        check_arguments(arguments, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "NEW.h5", 0, "The new trace", 0 },
    { "ranks", OPT_RANKS, "sum|same|mean", 0,
      "How ranks are joined.  sum: each has a shard of the gradients (FSDP); sums of squares add "
      "up.  same: each has all of them (DDP, after its all-reduce); they must agree, and the first "
      "is taken.  mean: gradients from before an average over ranks; the mean of the sums of "
      "squares, which the norm of the averaged gradient cannot exceed",
      0 },
    { "tolerance", OPT_TOLERANCE, "X", 0,
      "How far sums of squares of --ranks same may differ, relatively.  Default: 1e-6", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 2 }, { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE...",
    .doc = "Pack a folder of segments into one file, or join the traces of several ranks.\v"
           "A folder counts as all of its ranks; FOLDER/rank3 is one of them.  Tensors are matched "
           "by name, whatever module., _fsdp_wrapped_module. or _orig_mod. stands before it, and "
           "steps by their numbers.",
    .children = children,
};

int cmd_merge(int argc, char **argv)
{
    struct arguments arguments = { .options = { .tolerance = 1e-6 } };
    const struct gtr_remarks remarks = { cli_remark, &arguments.common };
    struct gtr_merged merged;
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    arguments.options.force = arguments.common.force;
    rc = gtr_trace_merge(arguments.paths.text, arguments.paths.n, arguments.output,
                         &arguments.options, &remarks, &merged, &err);
    gtr_free(arguments.paths.text);
    if (rc != GTR_OK)
        return cli_fail(&arguments.common, &err);
    cli_note(&arguments.common, "%s: %zu rows, %zu with elements, of %zu rank%s", arguments.output,
             merged.n_rows, merged.n_captures, merged.n_ranks, tell_s(merged.n_ranks));
    return EXIT_DONE;
}
