/* diff_options.h - what the user asked `gradtrace diff` for. */
#ifndef DIFF_OPTIONS_H
#define DIFF_OPTIONS_H

#include "cli.h"
#include "forms.h"

struct diff_window {
    int64_t first, last; /* step numbers, both included */
};

struct diff_options {
    struct cli_common common;
    struct cli_replay replay;
    const char *trace[2]; /* the second NULL: one trace */
    struct diff_window window[2];
    size_t n_windows;
    struct gtr_baseline_options baseline; /* that spikes are above */
    struct forms forms;
};

/* Two policies on one trace, or two traces (or windows of one)? */
bool diff_of_policies(const struct diff_options *options);

/* Reads the command line; ends the program with a usage error. */
void diff_options_parse(struct diff_options *options, int argc, char **argv);

#endif
