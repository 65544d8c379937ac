/* cmd_simulate.c - gradtrace simulate: synthetic traces, and the tables they are made from.
 *
 * The same options make the same bytes; what was planted is in the trace's meta.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "output.h"

enum {
    OPT_SCENARIO = 0x200,
    OPT_LIST,
    OPT_LAYOUT,
    OPT_LAYERS,
    OPT_STEPS,
    OPT_SEED,
    OPT_SET,
    OPT_CULPRIT,
    OPT_ELEMENTS,
    OPT_ELEMENTS_LIMIT
};

struct arguments {
    struct cli_common common;
    bool list;
    const char *scenario;
    const char *layout; /* NULL: the scenario's own */
    const char *trace;  /* -o */
    const char *culprit;
    int64_t n_layers; /* 0: the layout's own */
    int64_t n_steps;
    int64_t seed;
    int64_t elements; /* enum gtr_elements */
    double fraction;
    double elements_limit; /* bytes */
    struct cli_words sets; /* texts after --set, in order */
};

/* full, or blocks:F. */
static void set_elements(struct arguments *arguments, const struct argp_state *state,
                         const char *word)
{
    struct gtr_err err = { 0 };

    arguments->elements = GTR_ELEMENTS_BLOCKS;
    if (strcmp(word, "full") == 0)
        arguments->elements = GTR_ELEMENTS_FULL;
    else if (strncmp(word, "blocks:", 7) != 0)
        argp_error(state, "--elements %.40s: must be full or blocks:F, such as blocks:1/64", word);
    else if (gtr_sample_parse(word + 7, &arguments->fraction, &err) != GTR_OK)
        argp_error(state, "--elements: %s", err.text);
}

static void set_limit(struct arguments *arguments, const struct argp_state *state, const char *word)
{
    double gigabytes;

    if (!gtr_text_number(word, &gigabytes) || !(gigabytes > 0.0))
        argp_error(state, "--elements-limit %.40s: must be a number of GB above 0", word);
    arguments->elements_limit = gigabytes * 1e9;
}

static void check_arguments(const struct arguments *arguments, const struct argp_state *state)
{
    if (arguments->list)
        return;
    if (arguments->scenario == NULL)
        argp_error(state, "name a --scenario; --list shows them");
    if (arguments->trace == NULL)
        argp_error(state, "name the trace to write with -o");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->common;
        return 0;
    case 'o':
        arguments->trace = word;
        return 0;
    case OPT_SCENARIO:
        arguments->scenario = word;
        return 0;
    case OPT_LIST:
        arguments->list = true;
        return 0;
    case OPT_LAYOUT:
        arguments->layout = word;
        return 0;
    case OPT_LAYERS:
        arguments->n_layers = cli_integer(state, "--layers", word, 1, GTR_SIMULATION_LAYERS_MAX);
        return 0;
    case OPT_STEPS:
        arguments->n_steps = cli_integer(state, "--steps", word, 1, GTR_SIMULATION_STEPS_MAX);
        return 0;
    case OPT_SEED:
        arguments->seed = cli_integer(state, "--seed", word, 0, INT64_MAX);
        return 0;
    case OPT_SET:
        cli_add_word(&arguments->sets, state, word);
        return 0;
    case OPT_CULPRIT:
        arguments->culprit = word;
        return 0;
    case OPT_ELEMENTS:
        set_elements(arguments, state, word);
        return 0;
    case OPT_ELEMENTS_LIMIT:
        set_limit(arguments, state, word);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: the trace is named with -o", word);
        return 0;
    case ARGP_KEY_END:
        check_arguments(arguments, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "scenario", OPT_SCENARIO, "NAME", 0, "What happens in the run; --list shows the scenarios",
      0 },
    { "output", 'o', "TRACE.h5", 0, "The trace to write", 0 },
    { "list", OPT_LIST, NULL, 0, "Print the scenarios and layouts, and write nothing", 0 },
    { "steps", OPT_STEPS, "N", 0, "Length of the run.  Default: 1500", 0 },
    { "seed", OPT_SEED, "S", 0, "Another seed, another run.  Default: 1", 0 },
    { "layout", OPT_LAYOUT, "NAME", 0, "Which model's tensors.  Default: what fits the scenario",
      0 },
    { "layers", OPT_LAYERS, "N", 0, "Number of its layers.  Default: as the layout has", 0 },
    { "culprit", OPT_CULPRIT, "GROUP", 0,
      "Which group gets the spikes, as down_proj.  Default: drawn", 0 },
    { "set", OPT_SET, "KEY=VALUE[,...]", 0,
      "Change parameters of the scenario; they are listed below", 0 },
    { "elements", OPT_ELEMENTS, "full|blocks:F", 0,
      "Make up the elements of every step as well, as f32, and keep all of them or the fraction F "
      "of their blocks of 1024; for small layouts, such as tiny",
      0 },
    { "elements-limit", OPT_ELEMENTS_LIMIT, "GB", 0,
      "Refuse --elements that take more than this of file or memory.  Default: 1", 0 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 2 }, { 0 } };

/* --- tables --------------------------------------------------------------------------------- */

static void put_params(FILE *f)
{
    const struct gtr_scenario_param *params;
    size_t n, i;

    params = gtr_scenario_params(&n);
    fprintf(f, "Parameters for --set:\n  %-12s %-7s %s\n", "name", "default", "from..to");
    for (i = 0; i < n; i++) {
        char standard[GTR_NUMBER_SIZE], min[GTR_NUMBER_SIZE], max[GTR_NUMBER_SIZE], range[80];

        gtr_text_print(params[i].standard, standard);
        gtr_text_print(params[i].min, min);
        gtr_text_print(params[i].max, max);
        snprintf(range, sizeof range, "%s..%s", min, max);
        fprintf(f, "  %-12s %-7s %-14s %s\n", params[i].name, standard, range, params[i].help);
    }
}

static enum gtr_code put_lists(struct gtr_err *err)
{
    const struct gtr_scenario *scenarios;
    const struct gtr_layout *layouts;
    struct output output;
    enum gtr_code rc;
    size_t n, i;
    FILE *f;

    rc = output_open(&output, "-", false, err);
    if (rc != GTR_OK)
        return rc;
    f = output.f;
    scenarios = gtr_scenarios(&n);
    fputs("scenarios\n", f);
    for (i = 0; i < n; i++)
        fprintf(f, "  %-11s %s%s%s%s\n", scenarios[i].name, scenarios[i].help,
                scenarios[i].settings[0] != '\0' ? " (" : "", scenarios[i].settings,
                scenarios[i].settings[0] != '\0' ? ")" : "");
    layouts = gtr_layouts(&n);
    fputs("\nlayouts\n", f);
    for (i = 0; i < n; i++)
        fprintf(f, "  %-11s %s\n", layouts[i].name, layouts[i].help);
    return output_close(&output, err);
}

static char *after_options(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        return NULL;
    put_params(f);
    fputs("\nThe trace's meta tells what was planted, and where: `gradtrace info TRACE.h5\n"
          "--meta`.  Equal arguments give equal bytes.\n\n"
          "With --elements every step has elements whose norms are those of the scenario: each is\n"
          "an autoregression of memory 0.3, times a log-normal size of its own that stays.\n\n"
          "Examples:\n"
          "  gradtrace simulate --scenario culprit -o culprit.h5\n"
          "  gradtrace simulate --scenario culprit --culprit o_proj -o o.h5\n"
          "  gradtrace simulate --scenario moe --layout moe-8x7b --set idle=0.5 -o moe.h5\n"
          "  gradtrace simulate --scenario culprit --layout tiny --elements full -o small.h5",
          f);
    fclose(f);
    return text;
}

/* argp asks for the text after the options. */
static char *filter_help(int key, const char *text, void *input)
{
    (void)input;
    return key == ARGP_KEY_HELP_POST_DOC ? after_options() : (char *)text;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "--scenario NAME -o TRACE.h5",
    .doc = "Make up a trace of gradient norms whose truth is known: which group spikes and when, "
           "where norms change, which experts are idle.\v",
    .children = children,
    .help_filter = filter_help,
};

/* --- the run -------------------------------------------------------------------------------- */

static enum gtr_code prepare(const struct arguments *arguments, struct gtr_simulation *simulation,
                             struct gtr_err *err)
{
    const struct gtr_scenario *scenario = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_scenario_find(arguments->scenario, &scenario, err);
    if (rc == GTR_OK)
        rc = gtr_simulation_start(simulation, scenario, err);
    if (rc == GTR_OK && arguments->layout != NULL)
        rc = gtr_layout_find(arguments->layout, &simulation->layout, err);
    for (i = 0; rc == GTR_OK && i < arguments->sets.n; i++)
        rc = gtr_scenario_set(&simulation->params, arguments->sets.text[i], err);
    if (rc != GTR_OK)
        return rc;
    simulation->culprit = arguments->culprit;
    simulation->n_steps = arguments->n_steps;
    simulation->n_layers = arguments->n_layers;
    simulation->seed = arguments->seed;
    simulation->elements = arguments->elements;
    simulation->fraction = arguments->fraction;
    simulation->elements_limit = arguments->elements_limit;
    return GTR_OK;
}

static enum gtr_code make_trace(const struct arguments *arguments, struct gtr_err *err)
{
    struct gtr_simulation simulation;
    enum gtr_code rc;

    rc = prepare(arguments, &simulation, err);
    if (rc == GTR_OK)
        rc = gtr_simulation_write(&simulation, arguments->trace, arguments->common.force, err);
    if (rc == GTR_OK)
        cli_note(&arguments->common,
                 "%s: %lld steps of %s, scenario %s, seed %lld; what was planted is in its meta",
                 arguments->trace, (long long)simulation.n_steps, simulation.layout->name,
                 simulation.scenario->name, (long long)simulation.seed);
    return rc;
}

int cmd_simulate(int argc, char **argv)
{
    struct arguments arguments = { .n_steps = GTR_SIMULATION_STEPS,
                                   .seed = 1,
                                   .elements_limit = GTR_SIMULATION_ELEMENTS_LIMIT };
    struct gtr_err err = { 0 };
    enum gtr_code rc;

    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    rc = arguments.list ? put_lists(&err) : make_trace(&arguments, &err);
    gtr_free(arguments.sets.text);
    return rc == GTR_OK ? EXIT_DONE : cli_fail(&arguments.common, &err);
}
