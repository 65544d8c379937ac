/* cmd_verify.c - gradtrace verify: is all of a trace there, and as it was written?
 *
 * Each part is told with what is wrong of it.  Anything wrong is exit status 1; a folder that is
 * being recorded is not wrong.
 */
#include "cli.h"

#include "output.h"
#include "tell.h"

struct arguments {
    struct cli_common common;
    struct cli_words paths;
};

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->common;
        return 0;
    case ARGP_KEY_ARG:
        cli_add_word(&arguments->paths, state, word);
        return 0;
    case ARGP_KEY_END:
        if (arguments->paths.n == 0)
            argp_error(state, "name a trace");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 2 }, { 0 } };

static const struct argp argp = {
    .parser = parse,
    .args_doc = "TRACE...",
    .doc = "Read all rows and elements of traces and compare them with their checksums.  Prints a "
           "line for each file; the exit status is 1 if any is damaged or incomplete.\v"
           "Of a folder, every segment is read, and that they follow each other without gaps is "
           "checked; a journal is what a recorder that still runs, or was killed, has not put into "
           "segments yet.",
    .children = children,
};

static void say(void *context, const char *path, bool fault, const char *text)
{
    (void)context;
    tell_text(stdout, path);
    fputs(fault ? ": DAMAGED: " : ": ok: ", stdout);
    tell_text(stdout, text);
    putchar('\n');
}

int cmd_verify(int argc, char **argv)
{
    const struct gtr_remarks remarks = { say, NULL };
    struct arguments arguments = { 0 };
    struct gtr_err err = { 0 };
    int status = EXIT_DONE;
    size_t i;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    for (i = 0; i < arguments.paths.n; i++) {
        size_t n_faults;

        if (gtr_trace_verify(arguments.paths.text[i], &remarks, &n_faults, &err) != GTR_OK)
            status = cli_fail(&arguments.common, &err);
        else if (n_faults > 0)
            status = EXIT_FAILED;
    }
    gtr_free(arguments.paths.text);
    if (output_flush(&err) != GTR_OK)
        return cli_fail(&arguments.common, &err);
    return status;
}
