/* plot_options.c - the command line of `gradtrace plot`. */
#define _GNU_SOURCE
#include "plot_options.h"

#include <stdio.h>
#include <string.h>

enum {
    OPT_FIGURE = 0x200,
    OPT_GROUP,
    OPT_STEP,
    OPT_BIN,
    OPT_TAIL,
    OPT_FORMAT,
    OPT_TERM,
    OPT_LOG,
    OPT_LINEAR,
    OPT_SIZE
};

/* Calls take(state, o, word) for each word of a list a,b,c. */
static void each_word(const struct argp_state *state, struct plot_options *o, const char *option,
                      const char *list,
                      void (*take)(const struct argp_state *, struct plot_options *, const char *))
{
    const char *p = list;

    for (;;) {
        size_t n = strcspn(p, ",");
        char word[32];

        if (n == 0 || n >= sizeof word)
            argp_error(state, "%s %s: is not a list of names, as in a,b,c", option, list);
        memcpy(word, p, n);
        word[n] = '\0';
        take(state, o, word);
        if (p[n] == '\0')
            return;
        p += n + 1;
    }
}

static void take_figure(const struct argp_state *state, struct plot_options *o, const char *word)
{
    const char *names[N_FIGURES + 1];
    size_t i, k;

    for (i = 0; i < N_FIGURES; i++)
        names[i] = figures[i].name;
    names[N_FIGURES] = "all";
    k = cli_choice(state, "--figure", word, names, N_FIGURES + 1);
    for (i = 0; i < N_FIGURES; i++)
        o->wanted[i] |= k == i || k == N_FIGURES;
    o->any_wanted = true;
}

static void take_format(const struct argp_state *state, struct plot_options *o, const char *word)
{
    plot_take_format(state, o->formats, sizeof o->formats, word);
}

void plot_take_format(const struct argp_state *state, char *formats, size_t size, const char *word)
{
    static const char *const names[] = { "png", "svg", "pdf", "tex" };
    const char *name = names[cli_choice(state, "--format", word, names, GTR_ARRAY_LEN(names))];
    size_t used = strlen(formats);

    if (strstr(formats, name) == NULL)
        snprintf(formats + used, size - used, "%s%s", used > 0 ? " " : "", name);
}

/* "5x3", "3.4x2.2"; "3.4": each figure's own height. */
static void take_size(const struct argp_state *state, struct plot_options *o, const char *word)
{
    enum { LARGEST = 40 };
    const char *rest = gtr_text_number_prefix(word, &o->look.width);
    bool height = rest != NULL && *rest == 'x';

    o->look.height = 0.0;
    if (rest == NULL || (*rest != '\0' && !height) ||
        (height && !gtr_text_number(rest + 1, &o->look.height)))
        argp_error(state, "--size %s: must be WIDTH or WIDTHxHEIGHT in inches, as in 5x3", word);
    if (!(o->look.width >= 1.0 && o->look.width <= LARGEST) ||
        (height && !(o->look.height >= 1.0 && o->look.height <= LARGEST)))
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
    size_t i;

    if (o->trace == NULL)
        argp_error(state, "name a trace");
    if (o->term && (o->folder != NULL || o->formats[0] != '\0' || o->look.width > 0.0 ||
                    o->look.style == STYLE_PAPER))
        argp_error(state, "--term: draws in the terminal; it goes with neither -o, --format, "
                          "--size nor --style paper");
    if (o->look.width > 0.0 && o->look.paper_columns > 0)
        argp_error(state, "--columns %u: --size tells the width already", o->look.paper_columns);
    plot_look_finish(&o->look, o->formats, sizeof o->formats);
    if (o->folder == NULL)
        o->folder = "figures";
    /* A terminal shows one picture at a time; whoever wants all of them says so. */
    for (i = 0; i < N_FIGURES && !o->any_wanted; i++)
        o->wanted[i] = i == 0 || !o->term;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct plot_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->look;
        state->child_inputs[2] = &o->common;
        return 0;
    case 'o':
        o->folder = word;
        return 0;
    case OPT_FIGURE:
        each_word(state, o, "--figure", word, take_figure);
        return 0;
    case OPT_FORMAT:
        each_word(state, o, "--format", word, take_format);
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
    case OPT_TERM:
        o->term = true;
        return 0;
    case OPT_LOG:
        o->look.axis = AXIS_LOG;
        return 0;
    case OPT_LINEAR:
        o->look.axis = AXIS_LINEAR;
        return 0;
    case OPT_SIZE:
        take_size(state, o, word);
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
    { "format", OPT_FORMAT, "png,svg,pdf,tex", 0,
      "Kinds of picture, one or several.  Default: png; for a paper pdf,svg", 2 },
    { "size", OPT_SIZE, "WIDTH[xHEIGHT]", 0,
      "Size of each picture, in inches; as wide as a column of text: 3.4", 2 },
    { "log", OPT_LOG, NULL, 0,
      "Logarithmic axis of norms.  Default: where they span more than a decade", 2 },
    { "linear", OPT_LINEAR, NULL, 0, "Linear axis of norms", 2 },
    { "term", OPT_TERM, NULL, 0, "Draw in the terminal, as text, and write no files", 2 },
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
        { &plot_style_argp, 0, NULL, 2 },
        { &cli_common_argp, 0, NULL, 90 },
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
