/* update_options.h - what the user asked `gradtrace update` for. */
#ifndef UPDATE_OPTIONS_H
#define UPDATE_OPTIONS_H

#include "figure_options.h"
#include "forms.h"

struct update_options {
    struct cli_common common;
    struct cli_replay replay;
    struct gtr_device device;
    const char *trace;
    struct gtr_optimizer optimizer;
    bool has_optimizer; /* else: the trace's own, or the default */
    int64_t warm_up;    /* -1: chosen */
    struct forms forms;
    const char *result; /* -o */
    struct figure_options figures;
};

/* Reads the command line; ends the program with a usage error. */
void update_options_parse(struct update_options *options, int argc, char **argv);

#endif
