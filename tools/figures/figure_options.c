/* figure_options.c - which pictures a command draws beside its report, and where. */
#include "figure_options.h"

#include "plot_options.h"

enum { OPT_FIGURES = 0x380, OPT_FORMAT, OPT_TERM };

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct figure_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->look;
        return 0;
    case OPT_FIGURES:
        o->folder = word;
        return 0;
    case OPT_FORMAT:
        plot_take_format(state, o->formats, sizeof o->formats, word);
        return 0;
    case OPT_TERM:
        o->term = true;
        return 0;
    case ARGP_KEY_END:
        plot_look_of(state, o->folder, &o->look, o->formats, sizeof o->formats);
        if (o->term && o->folder != NULL)
            argp_error(state, "--term: draws in the terminal; it does not go with --figures");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "figures", OPT_FIGURES, "FOLDER", 0, "Draw what was found; the manual shows the figures", 0 },
    { "format", OPT_FORMAT, "png|svg|pdf|tex", 0,
      "Kind of picture; give it again for another.  Default: png; on paper pdf and svg", 0 },
    { "term", OPT_TERM, NULL, 0, "Draw them in the terminal", 0 },
    { 0 },
};
static const struct argp_child children[] = { { &plot_style_argp, 0, NULL, 0 }, { 0 } };
const struct argp figure_argp = { .options = options, .parser = parse, .children = children };

bool figure_wanted(const struct figure_options *o)
{
    return o->folder != NULL || o->term;
}

struct figure_look figure_look_of(const struct figure_options *o)
{
    struct figure_look look = o->look;

    look.formats = o->formats;
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
