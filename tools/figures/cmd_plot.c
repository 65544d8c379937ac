/* cmd_plot.c - gradtrace plot: study, replays, pictures.
 *
 * Policies are replayed once and shared by all figures.  A figure that has nothing to show of this
 * trace is left out, and it is said why.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "figure_options.h"
#include "picture.h"
#include "study.h"

enum { OPT_FIGURE = 0x200, OPT_GROUP, OPT_STEP, OPT_BIN, OPT_TAIL, OPT_LOG, OPT_LINEAR, OPT_SIZE };

struct plot_options {
    struct cli_common common;
    struct cli_replay replay;
    const char *trace;
    bool wanted[N_FIGURES]; /* figures, as in their table */
    bool any_wanted;        /* by name */
    const char *group;
    int64_t step; /* of `spike` */
    bool has_step;
    enum figure_bin bin; /* of `layers` */
    double tail;         /* of `tails`: a share */
    struct figure_options drawn;
};

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

static void parse_options(struct plot_options *options, int argc, char **argv)
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

/* --- the run --------------------------------------------------------------------------------- */

static bool compares(const struct plot_options *o)
{
    size_t i;

    for (i = 0; i < N_FIGURES; i++)
        if (o->wanted[i] && figures[i].replays)
            return true;
    return false;
}

static enum gtr_code default_policies(struct plot_options *o, struct gtr_err *err)
{
    static const char *const defaults[] = { "global:max_norm=1", "aggc" };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (o->replay.policies.n > 0)
        return GTR_OK;
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(defaults); i++)
        rc = cli_words_add(&o->replay.policies, defaults[i], err);
    if (rc == GTR_OK && compares(o))
        cli_note(&o->common, "no -p was given: showing -p %s -p %s", defaults[0], defaults[1]);
    return rc;
}

static enum gtr_code list_pictures(const struct plot_options *o, const struct figure_view *view,
                                   struct picture_list *list, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    const char *why;
    size_t i;

    for (i = 0; rc == GTR_OK && i < N_FIGURES; i++) {
        if (!o->wanted[i])
            continue;
        rc = plot_pictures_add(list, &figures[i], view, &why, err);
        if (rc == GTR_OK && why != NULL)
            cli_note(&o->common, "%s: nothing to show: %s", figures[i].name, why);
    }
    return rc;
}

/* What the user typed, if there is room for it over a panel. */
static const char *title_of(const struct study *study, size_t policy)
{
    const char *text = gtr_setting_text(study->settings[policy]);

    return strlen(text) <= FIGURE_TITLE ? text : study->labels[policy];
}

static bool wants(const struct plot_options *o, const char *name)
{
    size_t i;

    for (i = 0; i < N_FIGURES; i++)
        if (strcmp(figures[i].name, name) == 0)
            return o->wanted[i];
    return false;
}

/* --group names a group for `interval` and a module kind for `layers`.  Where both are drawn and it
 * is only a group, `layers` shows all modules. */
static enum gtr_code fill_view(struct figure_view *view, const struct plot_options *o,
                               const struct study *study, struct gtr_err *err)
{
    const char *module = o->group;
    struct gtr_err first = { 0 };
    enum gtr_code rc = GTR_OK;

    if (wants(o, "layers")) {
        rc = figure_view_layers(view, study->trace, module, o->common.n_threads, &first);
        if (rc == GTR_EUSAGE && wants(o, "interval")) {
            module = NULL;
            rc = figure_view_layers(view, study->trace, NULL, o->common.n_threads, &first);
        }
        if (rc != GTR_OK)
            return gtr_fail(err, rc, "%s", first.text);
    }
    rc = figure_view_fill(view, wants(o, "interval") || !wants(o, "layers") ? o->group : NULL, err);
    if (rc == GTR_OK && o->group != NULL && module == NULL)
        cli_note(&o->common, "layers: %s is no module kind; showing all tensors", o->group);
    if (rc == GTR_OK && wants(o, "spike"))
        rc = figure_view_spike(view, o->has_step ? &o->step : NULL, err);
    return rc;
}

/* Runs every policy and draws. */
static enum gtr_code plot(struct plot_options *o, const struct study *study,
                          struct gtr_decisions **decisions, const char **titles,
                          struct gtr_err *err)
{
    struct figure_view view = {
        .series = study->series,
        .steps = gtr_trace_steps(study->trace),
        .skip = gtr_replay_skip(study->replay),
        .trace = figure_trace_name(o->trace),
        .n_policies = study->n_settings,
        .labels = (const char *const *)study->labels,
        .titles = titles,
        .decisions = decisions,
        .bin = o->bin,
        .tail = o->tail,
    };
    const struct picture_source source = plot_source(&view);
    struct picture_list list = { 0 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (view.series->n_steps == 0)
        return gtr_fail(err, GTR_EFORMAT, "%s: has no steps; there is nothing to draw", o->trace);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++) {
        titles[i] = title_of(study, i);
        rc = gtr_replay_run(study->replay, study->settings[i], &decisions[i], err);
    }
    if (rc == GTR_OK)
        rc = fill_view(&view, o, study, err);
    if (rc == GTR_OK)
        rc = list_pictures(o, &view, &list, err);
    if (rc == GTR_OK)
        rc = figure_make(&list, &source, &o->drawn, &o->common, err);
    if (rc == GTR_OK && compares(o) && figure_has_decisions(&view))
        cli_note(&o->common, "%s", study_open_loop);
    picture_list_free(&list);
    figure_view_free(&view);
    return rc;
}

int cmd_plot(int argc, char **argv)
{
    struct plot_options o = { .replay = { .options = { .keep_interval = 1 } } };
    struct gtr_decisions **decisions = NULL;
    const char **titles = NULL;
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    int status = EXIT_DONE;
    size_t i;

    parse_options(&o, argc, argv);
    rc = default_policies(&o, &err);
    if (rc == GTR_OK)
        rc = study_open(&study, o.trace, &o.common, &o.replay, &err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&decisions, study.n_settings, sizeof *decisions, "policies", &err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&titles, study.n_settings, sizeof *titles, "policies", &err);
    if (rc == GTR_OK)
        rc = plot(&o, &study, decisions, titles, &err);
    if (rc != GTR_OK)
        status = cli_fail(&o.common, &err);
    for (i = 0; decisions != NULL && i < study.n_settings; i++)
        gtr_decisions_free(decisions[i]);
    gtr_free(decisions);
    gtr_free(titles);
    study_close(&study);
    gtr_free(o.replay.policies.text);
    return status;
}
