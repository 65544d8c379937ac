/* update_options.c - the command line of `gradtrace update`: what cannot be meant is told before
 * any work. */
#include "update_options.h"

enum { OPT_OPTIMIZER = 0x200, OPT_WARM_UP };

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
    if (o->replay.n_policies == 0)
        argp_error(state, "name a policy with -p; `gradtrace info --policies` lists them");
    if (figure_wanted(&o->figures))
        forms_refuse_stdout(&o->forms, state, "figures are told on standard output too");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct update_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->device;
        state->child_inputs[2] = &o->forms;
        state->child_inputs[3] = &o->figures;
        state->child_inputs[4] = &o->common;
        state->child_inputs[5] = &o->trace;
        return 0;
    case OPT_OPTIMIZER:
        take_optimizer(state, o, word);
        return 0;
    case OPT_WARM_UP:
        o->warm_up = cli_integer(state, "--warm-up", word, 0, INT64_MAX);
        return 0;
    case 'o':
        o->result = word;
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
    { "output", 'o', "RESULT.h5", 0, "Write every step as HDF5", 2 },
    { 0 },
};

void update_options_parse(struct update_options *o, int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 10 },
                                                  { &cli_device_argp, 0, NULL, 80 },
                                                  { &forms_argp, 0, NULL, 3 },
                                                  { &figure_argp, 0, NULL, 4 },
                                                  { &cli_common_argp, 0, NULL, 90 },
                                                  { &cli_trace_argp, 0, NULL, 0 },
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
