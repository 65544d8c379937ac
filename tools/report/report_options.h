/* report_options.h - the command line of gradtrace report. */
#ifndef REPORT_OPTIONS_H
#define REPORT_OPTIONS_H

#include "cli.h"

struct report_options {
    struct cli_common common;
    struct cli_replay replay; /* -p, --group-by, ... */
    const char *trace;
    const char *output; /* FILE or "-" */
    const char *tsv;    /* a folder for the tables; NULL: none */
    const char *title;  /* NULL: the trace's name */
    bool chosen;        /* no -p: the policies are of our choice */
    bool guessed;       /* the limit below is just a common one */
    char limit[64];     /* of them the first, a limit on the global norm */
};

#endif
