/* plot_options.h - what the user asked `gradtrace plot` for. */
#ifndef PLOT_OPTIONS_H
#define PLOT_OPTIONS_H

#include "cli.h"
#include "figure.h"

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
    const char *folder;
    char formats[32]; /* "png svg" */
    bool term;
    struct figure_look look;
};

/* Reads the command line; ends the program with a usage error. */
void plot_options_parse(struct plot_options *options, int argc, char **argv);

/* --style and --columns, of commands that draw; child plot_style_argp, whose input is a struct
 * figure_look that starts as all zeros.  Call plot_look_finish once its formats are known: "" means
 * that none were named, and is replaced by what the style is drawn as. */
extern const struct argp plot_style_argp;
void plot_look_finish(struct figure_look *look, char *formats, size_t size);

/* The same for a command that draws only into the folder of its --figures: without one (NULL), it
 * is an error to say how. */
void plot_look_of(const struct argp_state *state, const char *folder, struct figure_look *look,
                  char *formats, size_t size);

/* Adds one kind of picture, a word of --format, to "png svg"; or tells that there is none. */
void plot_take_format(const struct argp_state *state, char *formats, size_t size, const char *word);

#endif
