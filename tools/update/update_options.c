/* update_options.c - the command line of `gradtrace update`. */
#include "update_options.h"

#include <string.h>

#include "plot_options.h"

enum { OPT_OPTIMIZER = 0x200, OPT_WARM_UP, OPT_TSV, OPT_FIGURES, OPT_FORMAT, OPT_TERM };

static void take_optimizer(const struct argp_state *state, struct update_options *o,
                           const char *word)
{
    struct gtr_err err = { 0 };

    if (gtr_optimizer_parse(word, &o->optimizer, &err) != GTR_OK)
        argp_error(state, "--optimizer %s", err.text);
    o->has_optimizer = true;
}

static void finish(const struct argp_state *state, struct update_options *o)
{
    if (o->trace == NULL)
        argp_error(state, "name a trace");
    if (o->replay.n_policies == 0)
        argp_error(state, "name a policy with -p; `gradtrace info --policies` lists them");
    plot_look_of(state, o->figures, &o->look, o->formats, sizeof o->formats);
    if (o->term && o->figures != NULL)
        argp_error(state, "--term: draws in the terminal; it does not go with --figures");
    if ((o->term || o->figures != NULL) && o->tsv != NULL && strcmp(o->tsv, "-") == 0)
        argp_error(state, "--tsv -: figures are told on standard output too; name a file");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct update_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->device;
        state->child_inputs[2] = &o->look;
        state->child_inputs[3] = &o->common;
        return 0;
    case OPT_OPTIMIZER:
        take_optimizer(state, o, word);
        return 0;
    case OPT_WARM_UP:
        o->warm_up = cli_integer(state, "--warm-up", word, 0, INT64_MAX);
        return 0;
    case OPT_TSV:
        o->tsv = word;
        return 0;
    case 'o':
        o->result = word;
        return 0;
    case OPT_FIGURES:
        o->figures = word;
        return 0;
    case OPT_FORMAT:
        plot_take_format(state, o->formats, sizeof o->formats, word);
        return 0;
    case OPT_TERM:
        o->term = true;
        return 0;
    case ARGP_KEY_ARG:
        cli_take_path(state, &o->trace, word, "trace");
        return 0;
    case ARGP_KEY_END:
        finish(state, o);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "optimizer", OPT_OPTIMIZER, "NAME[:...]", 0,
      "adamw or sgd and what differs from its defaults: adamw:beta1=0.9,beta2=0.999,eps=1e-8 or "
      "sgd:momentum=0.9,nesterov=0.  Default: as the run was trained, if the trace says; else "
      "adamw",
      1 },
    { "warm-up", OPT_WARM_UP, "N", 0,
      "Leave the first N simulated steps out of the tables.  Default: 0 if elements were captured "
      "from the start of the run; else as many as the optimizer remembers, 1 / (1 - beta2), or of "
      "sgd 1 / (1 - momentum), but no more than a tenth of them",
      1 },
    { "tsv", OPT_TSV, "FILE|-", 0,
      "Write every step as tab-separated text; - for standard output, instead of the tables", 2 },
    { "output", 'o', "RESULT.h5", 0, "Write the same as HDF5", 2 },
    { "figures", OPT_FIGURES, "FOLDER", 0, "Draw the change over the steps, and of each group", 2 },
    { "format", OPT_FORMAT, "png|svg|pdf|tex", 0,
      "Kind of picture; give it again for another.  Default: png", 2 },
    { "term", OPT_TERM, NULL, 0, "Draw them in the terminal", 2 },
    { 0 },
};

void update_options_parse(struct update_options *o, int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 10 },
                                                  { &cli_device_argp, 0, NULL, 80 },
                                                  { &plot_style_argp, 0, NULL, 2 },
                                                  { &cli_common_argp, 0, NULL, 90 },
                                                  { 0 } };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "TRACE -p POLICY [-p POLICY ...]",
        .doc = "What reaches the optimizer: the update it would have made with each policy, beside "
               "the one without clipping.  Needs a trace with elements; without them, an estimate "
               "from norms is told.",
        .children = children,
    };

    o->warm_up = -1;
    argp_parse(&argp, argc, argv, 0, NULL, o);
}
