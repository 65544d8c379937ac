/* sweep_found.h - what `gradtrace sweep` was asked for, and what its rows come to: goals, front,
 * advice, which knob matters.  Made once; told, written and drawn from here. */
#ifndef SWEEP_FOUND_H
#define SWEEP_FOUND_H

#include "figure_options.h"
#include "output.h"
#include "study.h"

/* A range leaves out one draw of SWEEP_DRAWS_OUT on each side. */
enum { SWEEP_GOALS_MAX = 3, SWEEP_WINDOWS_MAX = 100, SWEEP_DRAWS_OUT = 100 };

struct sweep_options {
    struct cli_common common;
    struct cli_replay replay; /* -p, --group-by, ... */
    struct gtr_device device; /* --device */
    const char *trace;
    struct gtr_axis_text *axes; /* --set, each with the -p before it */
    size_t n_axes, axes_capacity;
    struct cli_words constraints; /* --where */
    struct cli_words limits;      /* --limit */
    struct cli_words goals;       /* --goal; else those that figures show */
    bool goals_asked;
    struct cli_words parts;   /* --join */
    struct cli_words against; /* --against: other traces */
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

/* sweep_options.c: parses or exits with a usage error. */
void sweep_options_parse(struct sweep_options *options, int argc, char **argv);
void sweep_options_free(struct sweep_options *options);

enum { SWEEP_NAME_SIZE = 160 };

struct sweep_results {
    const struct study *study;
    const struct gtr_plan *plan;
    const struct gtr_baseline *baseline;
    size_t first, n;    /* rows are settings first .. first + n - 1 */
    const double *rows; /* [n][GTR_OBJECTIVE_COUNT] */
};

struct sweep_found {
    struct gtr_goal goals[SWEEP_GOALS_MAX];
    size_t n_goals;
    double *goal_values[SWEEP_GOALS_MAX]; /* [n] each */
    bool *keep;                           /* [n] rows that keep all limits */
    size_t n_policies;
    size_t *policy_row; /* [n_policies + 1] the first row of each policy, and n */
    size_t n_knobs;
    double *knobs;             /* [n][n_knobs]; NaN where a setting does not have the knob */
    struct gtr_limit *limits;  /* [options->limits.n] */
    struct gtr_advice *advice; /* its knee: what is recommended */
    struct gtr_bootstrap *bootstrap;
    struct gtr_span *range; /* [n_knobs] what is recommended among the settings of its policy */
    char *text;             /* the recommended setting to type after -p, in few digits, and */
    struct gtr_decisions *decisions; /* what it does */
    double objectives[GTR_OBJECTIVE_COUNT];
    struct gtr_trust trust;
    /* Of the first goal, over the knob's own policy; NaN where it cannot be told. */
    struct gtr_sensitivity *sensitivity; /* [n_knobs] */
};

/* sweep_advice.c: fills bootstrap to trust, for sweep_found_make. */
enum gtr_code sweep_advise(struct sweep_found *found, const struct sweep_options *options,
                           const struct sweep_results *results, struct gtr_err *err);

/* The share of the draws that recommend this policy. */
double sweep_agreement(const struct sweep_found *found, const struct sweep_results *results,
                       size_t policy);

/* As many digits as a recommended range bears: two; near 1 two of what is missing to it. */
void sweep_digits(double x, char text[SWEEP_NAME_SIZE]);

/* Are goals and limits what a sweep has?  Asked before it runs. */
enum gtr_code sweep_found_check(const struct sweep_options *options, struct gtr_err *err);

/* Free with sweep_found_free, also after failure. */
enum gtr_code sweep_found_make(struct sweep_found *found, const struct sweep_options *options,
                               const struct sweep_results *results, struct gtr_err *err);
void sweep_found_free(struct sweep_found *found);

/* "beta"; or "aggc:beta", if another policy has a knob of that name too.  Returns `name`. */
const char *sweep_knob_name(const struct sweep_results *results, size_t knob,
                            char name[SWEEP_NAME_SIZE]);

/* sweep_table.c, a forms_table of struct sweep_results: setting policy KNOBS... OBJECTIVES... text;
 * text is what to type after -p.  Settings that the plan does not allow are left out. */
void sweep_rows(struct rows *rows, const void *results);

/* sweep_report.c: the recommendation with its reasons, which knob matters, the line to paste. */
enum gtr_code sweep_report(FILE *f, const struct sweep_options *options,
                           const struct sweep_results *results, const struct sweep_found *found,
                           struct gtr_err *err);

/* sweep_split.c: runs the settings on options->n_windows windows and on the traces of --against, so
 * that nobody tunes to noise, and prints how well each one's ranking by the first goal agrees with
 * that of the whole trace, and where the recommended setting stands in it.  Nothing if neither was
 * asked for. */
enum gtr_code sweep_split(FILE *f, const struct sweep_options *options,
                          const struct sweep_results *results, const struct sweep_found *found,
                          struct gtr_err *err);

/* sweep_figure.c: draws what was found. */
enum gtr_code sweep_draw(const struct sweep_options *options, const struct sweep_results *results,
                         const struct sweep_found *found, struct gtr_err *err);

#endif
