/* sweep_options.h - the command line of gradtrace sweep. */
#ifndef SWEEP_OPTIONS_H
#define SWEEP_OPTIONS_H

#include "figure_options.h"
#include "forms.h"

enum { SWEEP_GOALS_MAX = 3, SWEEP_WINDOWS_MAX = 100 };

struct sweep_options {
    struct cli_common common;
    struct cli_replay replay; /* -p, --group-by, ... */
    struct gtr_device device; /* --device */
    const char *trace;
    struct gtr_axis_text *axes; /* --set, each with the -p before it */
    size_t n_axes, axes_capacity;
    struct cli_words constraints; /* --where */
    struct cli_words limits;      /* --limit */
    struct cli_words goals;       /* --goal */
    struct cli_words parts;       /* --join */
    struct cli_words against;     /* --against: other traces */
    enum gtr_sampling sampling;
    size_t n_samples;
    uint64_t seed;
    size_t shard, n_shards; /* 0 of 1 without --shard */
    struct gtr_baseline_options baseline;
    bool scales_only;
    size_t n_windows;   /* --split; 0: not asked for */
    const char *output; /* -o */
    struct forms forms;
    struct figure_options figures;
};

/* Parses or exits with a usage error. */
void sweep_options_parse(struct sweep_options *options, int argc, char **argv);
void sweep_options_free(struct sweep_options *options);

#endif
