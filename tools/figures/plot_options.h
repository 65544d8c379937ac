/* plot_options.h - what the user asked `gradtrace plot` for. */
#ifndef PLOT_OPTIONS_H
#define PLOT_OPTIONS_H

#include "cli.h"
#include "figure_options.h"

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

/* Reads the command line; ends the program with a usage error. */
void plot_options_parse(struct plot_options *options, int argc, char **argv);

#endif
