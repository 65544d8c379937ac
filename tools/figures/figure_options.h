/* figure_options.h - the options of a command that draws what it found, beside telling it:
 * --figures, --format, --term, --style and --columns, by the child figure_argp. */
#ifndef FIGURE_OPTIONS_H
#define FIGURE_OPTIONS_H

#include "picture.h"

/* Starts as all zeros. */
struct figure_options {
    const char *folder; /* NULL: no files */
    bool term;          /* in the terminal instead */
    char formats[32];   /* "png svg" */
    struct figure_look look;
};
extern const struct argp figure_argp;

/* The same without --figures, of a command that has a folder of its own. */
extern const struct argp figure_look_argp;

/* Were any asked for? */
bool figure_wanted(const struct figure_options *options);

/* How they look: that of the terminal, of a paper, ... */
struct figure_look figure_look_of(const struct figure_options *options);

/* Makes the pictures in the folder and prints their names, or draws them in the terminal. */
enum gtr_code figure_make(const struct picture_list *list, const struct picture_source *source,
                          const struct figure_options *options, const struct cli_common *common,
                          struct gtr_err *err);

#endif
