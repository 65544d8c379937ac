/* figure_options.c - which pictures a command draws, where, and how: for a screen, or for a paper.
 *
 * A paper's picture is as wide as its column, so that it goes in unscaled and its type is as large
 * as told: 3.35 inches for one column, 7 for both, as most two-column styles have it.
 */
#include "figure_options.h"

#include <string.h>

static const double paper_width[] = { 3.35, 7.0 }; /* inches */

enum { OPT_FIGURES = 0x380, OPT_FORMAT, OPT_TERM, OPT_STYLE, OPT_COLUMNS };

static void take_formats(struct figure_options *o, const struct argp_state *state, const char *list)
{
    static const char *const names[] = { "png", "svg", "pdf", "tex" };
    const char *rest = list;

    while (rest != NULL) {
        const char *name =
            names[cli_next_choice(state, "--format", list, &rest, names, GTR_ARRAY_LEN(names))];
        size_t used = strlen(o->formats);

        if (strstr(o->formats, name) == NULL)
            snprintf(o->formats + used, sizeof o->formats - used, "%s%s", used > 0 ? " " : "",
                     name);
    }
}

static error_t parse_look(int key, char *word, struct argp_state *state)
{
    static const char *const styles[] = { "screen", "paper" };
    struct figure_options *o = state->input;
    struct figure_look *look = &o->look;

    switch (key) {
    case OPT_FORMAT:
        take_formats(o, state, word);
        return 0;
    case OPT_TERM:
        o->term = true;
        return 0;
    case OPT_STYLE:
        look->style =
            (enum figure_style)cli_choice(state, "--style", word, styles, GTR_ARRAY_LEN(styles));
        return 0;
    case OPT_COLUMNS:
        look->paper_columns = (unsigned)cli_integer(state, "--columns", word, 1, 2);
        return 0;
    case ARGP_KEY_END:
        if (look->paper_columns > 0 && look->style != STYLE_PAPER)
            argp_error(state, "--columns %u: goes with --style paper", look->paper_columns);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option look_options[] = {
    { "format", OPT_FORMAT, "png|svg|pdf|tex", 0,
      "Kind of picture, or several: png,svg.  Default: png; for a paper pdf,svg", 0 },
    { "term", OPT_TERM, NULL, 0, "Draw in the terminal, as text, and write no files", 0 },
    { "style", OPT_STYLE, "screen|paper", 0,
      "paper: without titles, type of 8 points, as wide as a column.  Default: screen", 0 },
    { "columns", OPT_COLUMNS, "1|2", 0,
      "Of the paper that a picture spans: 3.35 or 7 inches.  Default: 1", 0 },
    { 0 },
};
const struct argp figure_look_argp = { .options = look_options, .parser = parse_look };

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct figure_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case OPT_FIGURES:
        o->folder = word;
        return 0;
    case ARGP_KEY_END:
        if (o->formats[0] != '\0' && o->folder == NULL)
            argp_error(state, "--format %s: name a folder with --figures", o->formats);
        if (o->look.style == STYLE_PAPER && o->folder == NULL)
            argp_error(state, "--style paper: name a folder with --figures");
        if (o->term && o->folder != NULL)
            argp_error(state, "--term: draws in the terminal; it does not go with --figures");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "figures", OPT_FIGURES, "FOLDER", 0, "Draw what was found; the manual shows the figures", 0 },
    { 0 },
};
static const struct argp_child children[] = { { &figure_look_argp, 0, NULL, 0 }, { 0 } };
const struct argp figure_argp = { .options = options, .parser = parse, .children = children };

bool figure_wanted(const struct figure_options *o)
{
    return o->folder != NULL || o->term;
}

struct figure_look figure_look_of(const struct figure_options *o)
{
    struct figure_look look = o->look;
    bool paper = look.style == STYLE_PAPER;

    look.formats = o->formats[0] != '\0' ? o->formats : paper ? "pdf svg" : "png";
    if (paper && !(look.width > 0.0))
        look.width = paper_width[look.paper_columns == 2 ? 1 : 0];
    if (o->term)
        figure_look_terminal(&look);
    return look;
}

enum gtr_code figure_make(const struct picture_list *list, const struct picture_source *source,
                          const struct figure_options *o, const struct cli_common *common,
                          struct gtr_err *err)
{
    const struct figure_look look = figure_look_of(o);

    return o->term ? picture_show(list, source, &look, err)
                   : picture_make(list, source, &look, o->folder, common, err);
}
