/* doctor_options.h - what the user asked `gradtrace doctor` for. */
#ifndef DOCTOR_OPTIONS_H
#define DOCTOR_OPTIONS_H

#include "cli.h"
#include "forms.h"

struct doctor_options {
    struct cli_common common;
    struct cli_replay replay;
    struct forms forms;
    const char *trace;
    bool strict, list;
    bool *wanted; /* [gtr_checks_count()] */
};

/* Parses or exits with a usage error; fails for want of memory.  Free with doctor_options_free,
 * also after failure. */
enum gtr_code doctor_options_parse(struct doctor_options *options, int argc, char **argv,
                                   struct gtr_err *err);
void doctor_options_free(struct doctor_options *options);

#endif
