/* spill_options.h - the command line of gradtrace spill. */
#ifndef SPILL_OPTIONS_H
#define SPILL_OPTIONS_H

#include "cli.h"
#include "figure_options.h"
#include "forms.h"

struct spill_options {
    struct cli_common common;
    struct cli_replay replay; /* -p, --group-by, ... */
    const char *trace;
    double max_norm; /* --max-norm; 0: not given */
    bool choose;     /* --max-norm auto */
    enum gtr_blame_method method;
    struct gtr_baseline_options baseline; /* --kappa, --decay, --warmup */
    double cost;                          /* --cost: of the recommended limit */
    size_t n_top;                         /* --top: steps that are told */
    struct forms forms;                   /* --tsv, --json */
    const char *steps;                    /* FILE or "-" */
    const char *output;                   /* -o */
    struct figure_options figures;
};

/* The words of --blame, in the order of enum gtr_blame_method. */
extern const char *const spill_methods[3];

/* Of the gradient that an innocent group may lose on average to the recommended limit. */
#define SPILL_COST 0.01

/* What holds without any option. */
void spill_options_init(struct spill_options *options);

/* Parses or exits with a usage error.  Free with cli_replay_free(&options->replay). */
void spill_options_parse(struct spill_options *options, int argc, char **argv);

#endif
