/* sweep_options.c - the command line of `gradtrace sweep`: which settings, what is good, and where
 * it goes. */
#include "sweep_found.h"

#include <string.h>

enum {
    OPT_SET = 0x200,
    OPT_WHERE,
    OPT_LIMIT,
    OPT_GOAL,
    OPT_JOIN,
    OPT_RANDOM,
    OPT_SOBOL,
    OPT_LATIN,
    OPT_SALTELLI,
    OPT_SEED,
    OPT_SHARD,
    OPT_FAST,
    OPT_SPLIT,
    OPT_AGAINST
};

/* --set belongs to the policy named last, as people read the line. */
static void add_axis(struct sweep_options *o, const struct argp_state *state, const char *text)
{
    struct gtr_err err = { 0 };

    if (o->replay.policies.n == 0)
        argp_error(state, "--set %s: name the policy that it belongs to with -p before it", text);
    if (gtr_grow(&o->axes, &o->axes_capacity, o->n_axes + 1, sizeof *o->axes, &err) != GTR_OK)
        argp_failure(state, EXIT_FAILED, 0, "%s", err.text);
    o->axes[o->n_axes++] =
        (struct gtr_axis_text){ .policy = o->replay.policies.n - 1, .text = text };
}

/* The options are in the order of enum gtr_sampling. */
static void take_sample(struct sweep_options *o, const struct argp_state *state, int key,
                        const char *word)
{
    static const char *const names[] = { "--random", "--sobol", "--latin", "--saltelli" };
    const char *name = names[key - OPT_RANDOM];

    if (o->sampling != GTR_GRID)
        argp_error(state, "%s %s: one kind of sample at a time", name, word);
    o->sampling = (enum gtr_sampling)(GTR_RANDOM + key - OPT_RANDOM);
    o->n_samples = (size_t)cli_integer(state, name, word, 1, 1000000000);
}

/* "2/8" is the second of eight. */
static void take_shard(struct sweep_options *o, const struct argp_state *state, const char *word)
{
    const char *slash = strchr(word, '/');
    char left[24] = "";
    int64_t part = 0, parts = 0;

    if (slash != NULL && slash - word < (long)sizeof left)
        memcpy(left, word, (size_t)(slash - word));
    if (slash == NULL || !gtr_text_integer(left, &part) || !gtr_text_integer(slash + 1, &parts) ||
        parts < 1 || part < 1 || part > parts)
        argp_error(state, "--shard %s: must be PART/PARTS, from 1/N to N/N", word);
    o->shard = (size_t)part - 1;
    o->n_shards = (size_t)parts;
}

static void check(struct sweep_options *o, const struct argp_state *state)
{
    if (o->parts.n > 0 && o->output == NULL)
        argp_error(state, "--join: name the joined result with -o");
    if (o->replay.policies.n == 0)
        argp_error(state, "name a policy with -p; `gradtrace info --policies` lists them");
    if (figure_wanted(&o->figures))
        forms_refuse_stdout(&o->forms, state, "figures are told on standard output too");
    if (o->n_shards > 1 && o->output == NULL)
        argp_error(state, "--shard: name the result with -o, to join it with the others");
    if (o->goals.n > SWEEP_GOALS_MAX)
        argp_error(state, "--goal %s: at most %d goals", o->goals.text[SWEEP_GOALS_MAX],
                   SWEEP_GOALS_MAX);
    o->goals_asked = o->goals.n > 0;
    if (!o->goals_asked) {
        cli_add_word(&o->goals, state, "leak");
        cli_add_word(&o->goals, state, "attenuation");
    }
}

static error_t parse_sample(int key, char *word, struct argp_state *state)
{
    struct sweep_options *o = state->input;

    switch (key) {
    case OPT_RANDOM:
    case OPT_SOBOL:
    case OPT_LATIN:
    case OPT_SALTELLI:
        take_sample(o, state, key, word);
        return 0;
    case OPT_SEED:
        o->seed = (uint64_t)cli_integer(state, "--seed", word, 0, INT64_MAX);
        return 0;
    case OPT_SHARD:
        take_shard(o, state, word);
        return 0;
    case OPT_SPLIT:
        o->n_windows = (size_t)cli_integer(state, "--split", word, 2, SWEEP_WINDOWS_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct sweep_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->device;
        state->child_inputs[2] = &o->baseline;
        state->child_inputs[3] = &o->forms;
        state->child_inputs[4] = &o->figures;
        state->child_inputs[5] = &o->common;
        state->child_inputs[6] = &o->trace;
        return 0;
    case OPT_SET:
        add_axis(o, state, word);
        return 0;
    case OPT_WHERE:
        cli_add_word(&o->constraints, state, word);
        return 0;
    case OPT_LIMIT:
        cli_add_word(&o->limits, state, word);
        return 0;
    case OPT_GOAL:
        cli_add_word(&o->goals, state, word);
        return 0;
    case OPT_JOIN:
        cli_add_word(&o->parts, state, word);
        return 0;
    case OPT_AGAINST:
        cli_add_word(&o->against, state, word);
        return 0;
    case OPT_FAST:
        o->scales_only = true;
        return 0;
    case 'o':
        o->output = word;
        return 0;
    case ARGP_KEY_END:
        check(o, state);
        return 0;
    default:
        return parse_sample(key, word, state);
    }
}

static const struct argp_option options[] = {
    { NULL, 0, NULL, 0, "What to try:", 1 },
    { "set", OPT_SET, "KEY=VALUES", 0,
      "An axis of the policy named before it: a list V1,V2,...; A:B:N, with :log or :logit for "
      "even "
      "steps there; auto[:N] for limits on norms.  KEY@GLOB=VALUES for some groups",
      1 },
    { "where", OPT_WHERE, "KEY<KEY", 0, "Only settings that keep this, e.g. low<high", 1 },
    { "random", OPT_RANDOM, "N", 0, "N random points of each policy instead of the grid", 1 },
    { "sobol", OPT_SOBOL, "N", 0, "N points of a Sobol sequence", 1 },
    { "latin", OPT_LATIN, "N", 0, "N points of a Latin hypercube", 1 },
    { "saltelli", OPT_SALTELLI, "N", 0,
      "N (d + 2) points of each policy with d axes, chosen to tell which knob matters, with its "
      "interactions",
      1 },
    { "seed", OPT_SEED, "N", 0, "Of the sample and of the intervals.  Default: 0", 1 },
    { NULL, 0, NULL, 0, "What is good:", 2 },
    { "goal", OPT_GOAL, "OBJECTIVE", 0,
      "To be small: an objective or a weighted sum, as volatility+2*leak; up to three, and the "
      "knee "
      "of their front is recommended.  Without any: of the settings that cost calm groups at most "
      "1% of their gradient, the one that lets least of the spikes through",
      2 },
    { "limit", OPT_LIMIT, "OBJECTIVE<NUMBER", 0, "Recommend only settings that keep this", 2 },
    { "fast", OPT_FAST, NULL, 0, "Only clip rates and scales: faster, and no other objectives", 2 },
    { "split", OPT_SPLIT, "K", 0,
      "Run the sweep on K windows of the trace as well: are the same settings best in all of them?",
      2 },
    { "against", OPT_AGAINST, "TRACE", 0, "Run it on another trace with the same groups as well",
      2 },
    { NULL, 0, NULL, 0, "Results:", 3 },
    { "output", 'o', "SWEEP.h5", 0,
      "Write all settings and objectives as HDF5; a sweep that is stopped goes on where it was",
      3 },
    { "shard", OPT_SHARD, "PART/PARTS", 0, "Run one part of the settings", 3 },
    { "join", OPT_JOIN, "PART.h5", 0,
      "With the same options, instead of running: join these parts, one --join each", 3 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_replay_argp, 0, "How to replay:", 4 },
                                              { &cli_device_argp, 0, NULL, 5 },
                                              { &cli_baseline_argp, 0, NULL, 2 },
                                              { &forms_argp, 0, NULL, 3 },
                                              { &figure_argp, 0, NULL, 3 },
                                              { &cli_common_argp, 0, NULL, 5 },
                                              { &cli_trace_argp, 0, NULL, 0 },
                                              { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TRACE -p POLICY --set KEY=VALUES ... [-p POLICY --set ...]",
    .doc = "Try many settings on a recorded run, and recommend ranges.",
    .children = children,
};

void sweep_options_parse(struct sweep_options *o, int argc, char **argv)
{
    memset(o, 0, sizeof *o);
    o->n_shards = 1;
    o->replay.options.device.kind = GTR_DEVICE_CPU; /* of the few settings that are reported */
    gtr_objectives_baseline_init(&o->baseline);
    argp_parse(&argp, argc, argv, 0, NULL, o);
}

void sweep_options_free(struct sweep_options *o)
{
    gtr_free(o->axes);
    gtr_free(o->constraints.text);
    gtr_free(o->limits.text);
    gtr_free(o->goals.text);
    gtr_free(o->parts.text);
    gtr_free(o->against.text);
    gtr_free(o->replay.policies.text);
}
