/* plot_options.c - the command line of `gradtrace plot`. */
#define _GNU_SOURCE
#include "plot_options.h"

#include <stdio.h>

enum { OPT_FIGURE = 0x200, OPT_GROUP, OPT_STEP, OPT_BIN, OPT_TAIL, OPT_LOG, OPT_LINEAR, OPT_SIZE };

static void take_figures(const struct argp_state *state, struct plot_options *o, const char *list)
{
    const char *names[N_FIGURES + 1], *rest = list;
    size_t i, k;

    for (i = 0; i < N_FIGURES; i++)
        names[i] = figures[i].name;
    names[N_FIGURES] = "all";
    while (rest != NULL) {
        k = cli_next_choice(state, "--figure", list, &rest, names, N_FIGURES + 1);
        for (i = 0; i < N_FIGURES; i++)
            o->wanted[i] |= k == i || k == N_FIGURES;
    }
    o->any_wanted = true;
}

/* "5x3", "3.4x2.2"; "3.4": each figure's own height. */
static void take_size(const struct argp_state *state, struct plot_options *o, const char *word)
{
    enum { LARGEST = 40 };
    const char *rest = gtr_text_number_prefix(word, &o->drawn.look.width);
    bool height = rest != NULL && *rest == 'x';

    o->drawn.look.height = 0.0;
    if (rest == NULL || (*rest != '\0' && !height) ||
        (height && !gtr_text_number(rest + 1, &o->drawn.look.height)))
        argp_error(state, "--size %s: must be WIDTH or WIDTHxHEIGHT in inches, as in 5x3", word);
    if (!(o->drawn.look.width >= 1.0 && o->drawn.look.width <= LARGEST) ||
        (height && !(o->drawn.look.height >= 1.0 && o->drawn.look.height <= LARGEST)))
        argp_error(state, "--size %s: must be from 1 to %d inches each way", word, LARGEST);
}

static void take_bin(const struct argp_state *state, struct plot_options *o, const char *word)
{
    static const char *const names[] = { "max", "median" };

    o->bin = (enum figure_bin)cli_choice(state, "--bin", word, names, GTR_ARRAY_LEN(names));
}

/* Percent. */
static void take_tail(const struct argp_state *state, struct plot_options *o, const char *word)
{
    double percent;

    if (!gtr_text_number(word, &percent) || !(percent >= 0.1 && percent <= 50.0))
        argp_error(state, "--tail %s: must be a number of percent from 0.1 to 50", word);
    o->tail = percent / 100.0;
}

static void finish(const struct argp_state *state, struct plot_options *o)
{
    struct figure_options *drawn = &o->drawn;
    size_t i;

    if (drawn->term && (drawn->folder != NULL || drawn->formats[0] != '\0' ||
                        drawn->look.width > 0.0 || drawn->look.style == STYLE_PAPER))
        argp_error(state, "--term: draws in the terminal; it goes with neither -o, --format, "
                          "--size nor --style paper");
    if (drawn->look.width > 0.0 && drawn->look.paper_columns > 0)
        argp_error(state, "--columns %u: --size tells the width already",
                   drawn->look.paper_columns);
    if (drawn->folder == NULL)
        drawn->folder = "figures";
    /* A terminal shows one picture at a time; whoever wants all of them says so. */
    for (i = 0; i < N_FIGURES && !o->any_wanted; i++)
        o->wanted[i] = i == 0 || !drawn->term;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct plot_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->drawn;
        state->child_inputs[2] = &o->common;
        state->child_inputs[3] = &o->trace;
        return 0;
    case 'o':
        o->drawn.folder = word;
        return 0;
    case OPT_FIGURE:
        take_figures(state, o, word);
        return 0;
    case OPT_GROUP:
        o->group = word;
        return 0;
    case OPT_STEP:
        o->step = cli_integer(state, "--step", word, 0, INT64_MAX);
        o->has_step = true;
        return 0;
    case OPT_BIN:
        take_bin(state, o, word);
        return 0;
    case OPT_TAIL:
        take_tail(state, o, word);
        return 0;
    case OPT_LOG:
        o->drawn.look.axis = AXIS_LOG;
        return 0;
    case OPT_LINEAR:
        o->drawn.look.axis = AXIS_LINEAR;
        return 0;
    case OPT_SIZE:
        take_size(state, o, word);
        return 0;
    case ARGP_KEY_END:
        finish(state, o);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option plot_options[] = {
    { "figure", OPT_FIGURE, "NAME[,NAME...]", 0,
      "Figures to draw, or all.  Default: all; with --term, norms", 1 },
    { "group", OPT_GROUP, "NAME", 0,
      "The group that `interval` shows, and the module kind whose tensors `layers` shows.  "
      "Default: "
      "the group most often clipped, or else the one with most energy; all tensors",
      1 },
    { "step", OPT_STEP, "T", 0,
      "The step that `spike` shows.  Default: the one farthest above a group's past", 1 },
    { "bin", OPT_BIN, "max|median", 0,
      "What `layers` shows of the steps that share a column.  Default: max", 1 },
    { "tail", OPT_TAIL, "PERCENT", 0,
      "The largest norms, in percent of the steps, whose slope `tails` tells.  Default: 5", 1 },
    { "output", 'o', "FOLDER", 0, "Where the files go.  Default: figures", 2 },
    { "size", OPT_SIZE, "WIDTH[xHEIGHT]", 0,
      "Size of each picture, in inches; as wide as a column of text: 3.4", 2 },
    { "log", OPT_LOG, NULL, 0,
      "Logarithmic axis of norms.  Default: where they span more than a decade", 2 },
    { "linear", OPT_LINEAR, NULL, 0, "Linear axis of norms", 2 },
    { 0 },
};

/* The figures are listed from their table. */
static char *filter_help(int key, const char *text, void *input)
{
    char *list = NULL;
    size_t size = 0, i;
    FILE *f;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC || (f = open_memstream(&list, &size)) == NULL)
        return (char *)text;
    fputs("Figures:\n", f);
    for (i = 0; i < N_FIGURES; i++)
        fprintf(f, "  %-9s %s\n", figures[i].name, figures[i].summary);
    fputs("\nBeside each picture NAME.png lie its numbers, NAME.tsv, and its script, NAME.gp; "
          "`gnuplot NAME.gp` in that folder draws it again.",
          f);
    fclose(f);
    return list;
}

void plot_options_parse(struct plot_options *options, int argc, char **argv)
{
    static const struct argp_child children[] = {
        { &cli_replay_argp, 0, "Policies:", 10 },
        { &figure_look_argp, 0, NULL, 2 },
        { &cli_common_argp, 0, NULL, 90 },
        { &cli_trace_argp, 0, NULL, 0 },
        { 0 },
    };
    static const struct argp argp = {
        .options = plot_options,
        .parser = parse,
        .args_doc = "TRACE",
        .doc = "Draw figures of a recorded run, and of what clipping policies would have done "
               "with it.\v",
        .children = children,
        .help_filter = filter_help,
    };

    options->tail = 0.05;
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
