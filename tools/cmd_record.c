/* cmd_record.c - gradtrace record: run a PyTorch script as it is, and record its gradients.
 *
 * What can be refused is refused before the command starts: the options are given to the library's
 * recorder once here, which tries the path and leaves nothing behind.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "record_run.h"

enum { OPT_ELEMENTS = 0x200, OPT_EVERY, OPT_TOTAL_STEPS, OPT_GROUP_BY, OPT_STRICT };

/* "1/64" or "0.02". */
static bool parse_fraction(const char *text, double *fraction)
{
    char above[64];
    const char *slash = strchr(text, '/');
    double below = 1.0;

    if (slash == NULL)
        return gtr_text_number(text, fraction);
    if ((size_t)(slash - text) >= sizeof above)
        return false;
    memcpy(above, text, (size_t)(slash - text));
    above[slash - text] = '\0';
    if (!gtr_text_number(above, fraction) || !gtr_text_number(slash + 1, &below) || !(below > 0.0))
        return false;
    *fraction /= below;
    return true;
}

/* One word of --elements; false if it is none. */
static bool parse_elements_word(struct gtr_record_options *options, const char *word,
                                const struct argp_state *state)
{
    static const char blocks[] = "blocks:", spikes[] = "around-spikes:";

    if (strcmp(word, "none") == 0) {
        options->elements = GTR_ELEMENTS_NONE;
    } else if (strcmp(word, "full") == 0) {
        options->elements = GTR_ELEMENTS_FULL;
    } else if (strncmp(word, blocks, sizeof blocks - 1) == 0) {
        options->elements = GTR_ELEMENTS_BLOCKS;
        return parse_fraction(word + sizeof blocks - 1, &options->fraction) &&
               options->fraction > 0.0 && options->fraction <= 1.0;
    } else if (strncmp(word, spikes, sizeof spikes - 1) == 0) {
        if (options->elements == GTR_ELEMENTS_NONE)
            options->elements = GTR_ELEMENTS_FULL;
        options->around_spikes =
            cli_integer(state, "--elements around-spikes:", word + sizeof spikes - 1, 1, 1000000);
    } else {
        return false;
    }
    return true;
}

static void parse_elements(struct record_request *request, const char *text,
                           const struct argp_state *state)
{
    char *copy = gtr_strdup(text), *rest = copy, *word;

    request->elements = text;
    while (copy != NULL && (word = strsep(&rest, ",")) != NULL)
        if (!parse_elements_word(&request->options, word, state))
            argp_error(state,
                       "--elements %s: must be none, full, blocks:FRACTION with a "
                       "fraction above 0 and at most 1 such as blocks:1/64, or around-spikes:STEPS",
                       word);
    gtr_free(copy);
}

static void check(const struct record_request *request, const struct argp_state *state)
{
    const char *dot = request->output != NULL ? strrchr(request->output, '.') : NULL;

    if (request->output == NULL)
        argp_error(state, "name the trace to write with -o, as in -o run.h5");
    if (dot == NULL || (strcmp(dot, ".h5") != 0 && strcmp(dot, ".gtr") != 0))
        argp_error(state, "-o %s: must end in .h5, a file, or .gtr, a folder of segments",
                   request->output);
    if (request->n_words == 0)
        argp_error(state, "name the command to run, as in -- python train.py");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct record_request *request = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->common;
        return 0;
    case 'o':
        request->output = word;
        return 0;
    case OPT_ELEMENTS:
        parse_elements(request, word, state);
        return 0;
    case OPT_EVERY:
        request->options.every = cli_integer(state, "--every", word, 1, INT64_MAX);
        return 0;
    case OPT_TOTAL_STEPS:
        request->options.total_steps = cli_integer(state, "--total-steps", word, 0, INT64_MAX);
        return 0;
    case OPT_GROUP_BY:
        request->options.group_by = word;
        return 0;
    case OPT_STRICT:
        request->strict = true;
        return 0;
    case ARGP_KEY_ARG: /* the rest is the command's */
        request->command = state->argv + state->next - 1;
        request->n_words = state->argc - state->next + 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        check(request, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "TRACE", 0,
      "The trace to write: NAME.h5, or NAME.gtr for one that survives if the run is killed.  Other "
      "ranks, and later trainings of the same command, get NAME.rank1.h5 and NAME.2.h5",
      0 },
    { "elements", OPT_ELEMENTS, "none|full|blocks:FRACTION|around-spikes:STEPS", 0,
      "Record elements, too: all, or of each tensor a fixed sample (blocks:1/64); only STEPS steps "
      "before and after a spike (around-spikes:8, or blocks:1/64,around-spikes:8).  Default: none",
      0 },
    { "every", OPT_EVERY, "K", 0, "Elements at every Kth step.  Default: 1", 0 },
    { "total-steps", OPT_TOTAL_STEPS, "N", 0,
      "Planned length of the run in optimizer steps, for schedules.  Default: 0, unknown", 0 },
    { "group-by", OPT_GROUP_BY, "RULE", 0,
      "How tensors are grouped when the trace is replayed.  Default: the tool's", 0 },
    { "strict", OPT_STRICT, NULL, 0,
      "Raise an error in the script when recording fails, instead of going on without it", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 2 }, { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "-- COMMAND [WORD...]",
    .doc =
        "Run a command that trains with PyTorch, unchanged, and record its gradients before they "
        "are clipped: one row for each optimizer step, with loss, learning rate and what "
        "clipping did.\v"
        "Exit status, signals and output are the command's own; what gradtrace has to tell comes "
        "on standard error at the end.\n"
        "\n"
        "Examples:\n"
        "  gradtrace record -o run.h5 -- python train.py --lr 1e-3\n"
        "  gradtrace record -o run.gtr --elements blocks:1/64 --every 10 -- \\\n"
        "      torchrun --nproc-per-node 2 train.py",
    .children = children,
};

/* What the recorder in the command would refuse, now. */
static enum gtr_code try_options(const struct record_request *request, struct gtr_err *err)
{
    struct gtr_recorder *recorder = NULL;
    enum gtr_code rc = gtr_recorder_open(request->output, &request->options, &recorder, err);

    gtr_recorder_abandon(recorder);
    return rc;
}

int cmd_record(int argc, char **argv)
{
    struct record_request request = { 0 };
    struct record_places places = { 0 };
    struct gtr_err err = { 0 };
    char *folder = NULL;
    bool started;
    enum gtr_code rc;
    int status;

    gtr_record_options_init(&request.options);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &request);
    request.options.force = request.common.force;
    request.options.n_threads = (int64_t)request.common.n_threads;
    rc = try_options(&request, &err);
    if (rc == GTR_OK)
        rc = record_places_find(&places, &err);
    if (rc == GTR_OK)
        rc = record_notes_begin(&request, &folder, &err);
    if (rc == GTR_OK) {
        status = record_child_run(&request, &places, folder, &started);
        if (started)
            record_notes_tell(&request, folder);
    } else {
        status = cli_fail(&request.common, &err);
    }
    record_notes_remove(folder);
    record_places_free(&places);
    return status;
}
