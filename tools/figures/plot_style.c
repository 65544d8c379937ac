/* plot_style.c - the options of every command that draws: for a screen, or for a paper.
 *
 * A paper's picture is as wide as its column, so that it goes in unscaled and its type is as large
 * as told: 3.35 inches for one column, 7 for both, as most two-column styles have it.
 */
#include "plot_options.h"

#include <string.h>

static const double paper_width[] = { 3.35, 7.0 }; /* inches */

enum { OPT_STYLE = 0x300, OPT_COLUMNS };

static error_t parse(int key, char *word, struct argp_state *state)
{
    static const char *const styles[] = { "screen", "paper" };
    struct figure_look *look = state->input;

    switch (key) {
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

static const struct argp_option options[] = {
    { "style", OPT_STYLE, "screen|paper", 0,
      "paper: without titles, type of 8 points, as wide as a column; pdf and svg unless --format "
      "says otherwise.  Default: screen",
      0 },
    { "columns", OPT_COLUMNS, "1|2", 0,
      "Of the paper that a picture spans: 3.35 or 7 inches.  Default: 1", 0 },
    { 0 },
};

const struct argp plot_style_argp = { .options = options, .parser = parse };

void plot_look_finish(struct figure_look *look, char *formats, size_t size)
{
    bool paper = look->style == STYLE_PAPER;

    if (formats[0] == '\0' && size > sizeof "pdf svg")
        strcpy(formats, paper ? "pdf svg" : "png");
    if (paper && !(look->width > 0.0))
        look->width = paper_width[look->paper_columns == 2 ? 1 : 0];
    look->formats = formats;
}

void plot_look_of(const struct argp_state *state, const char *folder, struct figure_look *look,
                  char *formats, size_t size)
{
    if (formats[0] != '\0' && folder == NULL)
        argp_error(state, "--format %s: name a folder with --figures", formats);
    if (look->style == STYLE_PAPER && folder == NULL)
        argp_error(state, "--style paper: name a folder with --figures");
    plot_look_finish(look, formats, size);
}
