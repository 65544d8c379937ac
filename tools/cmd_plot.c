/* cmd_plot.c - `gradtrace plot`: options, study, pictures. */
#define _GNU_SOURCE
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "figure.h"
#include "picture.h"
#include "study.h"

enum { OPT_FIGURE = 0x200, OPT_GROUP, OPT_FORMAT, OPT_TERM, OPT_LOG, OPT_LINEAR, OPT_SIZE };

struct options {
    struct cli_common common;
    struct cli_replay replay;
    const char *trace;
    bool wanted[N_FIGURES];
    bool any_wanted;
    const char *group;
    const char *folder;
    char formats[32];
    bool term;
    struct figure_look look;
};

/* Calls take(state, o, word) for each word of a list a,b,c. */
static void each_word(const struct argp_state *state, struct options *o, const char *option,
                      const char *list,
                      void (*take)(const struct argp_state *, struct options *, const char *))
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

static void take_figure(const struct argp_state *state, struct options *o, const char *word)
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

static void take_format(const struct argp_state *state, struct options *o, const char *word)
{
    static const char *const names[] = { "png", "svg", "pdf", "tex" };
    const char *name = names[cli_choice(state, "--format", word, names, GTR_ARRAY_LEN(names))];
    size_t used = strlen(o->formats);

    if (strstr(o->formats, name) == NULL)
        snprintf(o->formats + used, sizeof o->formats - used, "%s%s", used > 0 ? " " : "", name);
}

/* "5x3", "3.4x2.2" */
static void take_size(const struct argp_state *state, struct options *o, const char *word)
{
    enum { LARGEST = 40 };
    const char *rest = gtr_text_number_prefix(word, &o->look.width);

    if (rest == NULL || *rest != 'x' || !isdigit((unsigned char)rest[1]) ||
        !gtr_text_number(rest + 1, &o->look.height))
        argp_error(state, "--size %s: must be WIDTHxHEIGHT in inches, as in 5x3", word);
    if (!(o->look.width >= 1.0 && o->look.width <= LARGEST && o->look.height >= 1.0 &&
          o->look.height <= LARGEST))
        argp_error(state, "--size %s: both must be from 1 to %d inches", word, LARGEST);
}

static void finish(const struct argp_state *state, struct options *o)
{
    size_t i;

    if (o->trace == NULL)
        argp_error(state, "name a trace");
    if (o->term && (o->folder != NULL || o->formats[0] != '\0' || o->look.width > 0.0))
        argp_error(state, "--term: draws in the terminal; it goes with neither -o, --format nor --size");
    if (o->formats[0] == '\0')
        strcpy(o->formats, "png");
    if (o->folder == NULL)
        o->folder = "figures";
    /* A terminal shows one picture at a time; whoever wants all of them says so. */
    for (i = 0; i < N_FIGURES && !o->any_wanted; i++)
        o->wanted[i] = i == 0 || !o->term;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->replay;
        state->child_inputs[1] = &o->common;
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
        if (o->trace != NULL)
            argp_error(state, "%s: one trace at a time", word);
        o->trace = word;
        return 0;
    case ARGP_KEY_END:
        finish(state, o);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option plot_options[] = {
    { "figure", OPT_FIGURE, "NAME[,NAME...]", 0, "Figures to draw, or all (the default; with --term: norms)", 1 },
    { "group", OPT_GROUP, "NAME", 0, "The group that `interval` shows.  Default: the one most often clipped, or else the one with most energy", 1 },
    { NULL, 'o', "FOLDER", 0, "Where the files go (default: figures)", 2 },
    { "format", OPT_FORMAT, "png,svg,pdf,tex", 0, "Kinds of picture, one or several (default: png)", 2 },
    { "size", OPT_SIZE, "WxH", 0, "Size of each picture, in inches", 2 },
    { "log", OPT_LOG, NULL, 0, "Logarithmic axis of norms.  Default: where they span more than a decade", 2 },
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
    fputs("\nBeside each picture NAME.png lie its numbers, NAME.tsv, and NAME.gp: edit it and run\n"
          "`gnuplot NAME.gp` to draw the picture again.", f);
    fclose(f);
    return list;
}

/* Room in the window for text, minus the line of the next prompt. */
static void measure_terminal(struct figure_look *look)
{
    struct winsize window;

    look->columns = 80;
    look->rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 40 &&
        window.ws_row >= 12) {
        look->columns = window.ws_col;
        look->rows = window.ws_row - 1u;
    }
    look->colour = isatty(STDOUT_FILENO) == 1;
    look->formats = "term";
}

static bool compares(const struct options *o)
{
    size_t i;

    for (i = 0; i < N_FIGURES; i++)
        if (o->wanted[i] && figures[i].replays)
            return true;
    return false;
}

static enum gtr_code default_policies(struct options *o, struct gtr_err *err)
{
    static const char *const defaults[] = { "global:max_norm=1", "aggc" };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (o->replay.n_policies > 0)
        return GTR_OK;
    rc = gtr_grow(&o->replay.policies, &o->replay.capacity, GTR_ARRAY_LEN(defaults),
                  sizeof *o->replay.policies, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(defaults); i++)
        o->replay.policies[o->replay.n_policies++] = defaults[i];
    if (rc == GTR_OK && compares(o))
        cli_note(&o->common, "no -p was given: showing -p %s -p %s", defaults[0], defaults[1]);
    return rc;
}

static enum gtr_code list_pictures(const struct options *o, const struct figure_view *view,
                                   struct picture_list *list, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i, before;

    for (i = 0; rc == GTR_OK && i < N_FIGURES; i++) {
        if (!o->wanted[i])
            continue;
        before = list->n;
        rc = picture_list_add(list, &figures[i], view, err);
        if (rc == GTR_OK && list->n == before)
            cli_note(&o->common, "%s: nothing to show for these policies", figures[i].name);
    }
    return rc;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* Runs every policy and draws. */
static enum gtr_code plot(struct options *o, const struct study *study,
                          struct gtr_decisions **decisions, struct gtr_err *err)
{
    struct figure_view view = {
        .series = study->series,
        .steps = gtr_trace_steps(study->trace),
        .skip = gtr_replay_skip(study->replay),
        .trace = base_name(o->trace),
        .n_policies = study->n_settings,
        .labels = (const char *const *)study->labels,
        .decisions = decisions,
    };
    struct picture_list list = { 0 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < study->n_settings; i++)
        rc = gtr_replay_run(study->replay, study->settings[i], &decisions[i], err);
    if (rc == GTR_OK)
        rc = figure_view_fill(&view, o->group, err);
    if (rc == GTR_OK)
        rc = list_pictures(o, &view, &list, err);
    if (rc == GTR_OK && o->term)
        rc = picture_show(&list, &view, &o->look, err);
    else if (rc == GTR_OK)
        rc = picture_make(&list, &view, &o->look, o->folder, &o->common, err);
    if (rc == GTR_OK && compares(o))
        cli_note(&o->common, "%s", study_open_loop);
    picture_list_free(&list);
    figure_view_free(&view);
    return rc;
}

int cmd_plot(int argc, char **argv)
{
    static const struct argp_child children[] = {
        { &cli_replay_argp, 0, "Policies:", 10 },
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
    struct options o = { .replay = { .options = { .keep_interval = 1 } } };
    struct gtr_decisions **decisions = NULL;
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    int status = EXIT_DONE;
    size_t i;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    o.look.formats = o.formats;
    if (o.term)
        measure_terminal(&o.look);
    rc = default_policies(&o, &err);
    if (rc == GTR_OK)
        rc = study_open(&study, o.trace, &o.common, &o.replay, &err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&decisions, study.n_settings, sizeof *decisions, "policies", &err);
    if (rc == GTR_OK)
        rc = plot(&o, &study, decisions, &err);
    if (rc != GTR_OK)
        status = cli_fail(&o.common, &err);
    for (i = 0; decisions != NULL && i < study.n_settings; i++)
        gtr_decisions_free(decisions[i]);
    gtr_free(decisions);
    study_close(&study);
    cli_replay_free(&o.replay);
    return status;
}
