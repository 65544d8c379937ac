/* spill_found.h - what `gradtrace spill` was asked for, and everything that it found, made once;
 * told, written and drawn from here. */
#ifndef SPILL_FOUND_H
#define SPILL_FOUND_H

#include <stdio.h>

#include "figure_options.h"
#include "output.h"
#include "study.h"
#include "tell.h"

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
#define SPILL_COST GTR_CALM_COST

/* What holds without any option. */
void spill_options_init(struct spill_options *options);

enum { SPILL_POINTS = 121, SPILL_KAPPAS = 6 };

/* One policy. */
struct spill_policy {
    const char *label, *text;  /* short; as typed */
    bool global;               /* one limit for the whole gradient */
    double max_norm;           /* of it; else NaN */
    double clip_rate;          /* share of steps at which it scales anything down */
    struct gtr_spill *spill;   /* of policies that are not global: no step clipped, all zeros */
    struct gtr_spill_point at; /* its costs; for those that are not global all NaN or 0 */
};

/* What another kappa would have said; blame in proportion to the excess, which is quick. */
struct spill_kappa {
    double kappa, excess_share;
    size_t culprit; /* the group with most blame */
    double share;   /* its part of the blame; 0 if there is none */
};

struct spill_found {
    const struct study *study;
    const struct spill_options *options;
    struct gtr_baseline *baseline;
    struct spill_policy *policies;
    size_t n_policies;
    size_t main; /* the first global one, of which all is told; n_policies if there is none */
    struct gtr_spill_point points[SPILL_POINTS];
    struct gtr_spill_point chosen;  /* the recommended limit */
    double chosen_low, chosen_high; /* and the range of it that the recording bears */
    struct gtr_spill_point own;     /* the run's own, as its meta tells; max_norm 0 if unknown */
    size_t *ranked;                 /* [G] most blame first, then most received */
    size_t *worst;                  /* rows of the steps with most excess, at most options->n_top */
    size_t n_worst;
    struct spill_kappa kappas[SPILL_KAPPAS];
    size_t n_kappas;
    char auto_text[64], own_text[64];
};

/* Borrows study and options.  Free with spill_found_free, also after failure. */
enum gtr_code spill_found_make(struct spill_found *found, const struct study *study,
                               const struct spill_options *options, struct gtr_err *err);
void spill_found_free(struct spill_found *found);

/* The part of all blame that a group has; 0 if there is none. */
double spill_share(const struct gtr_spill *spill, size_t group);

/* What a group gave up to others on average: 1 - exp(-received / steps). */
double spill_loss(const struct gtr_spill *spill, size_t group);

/* The group of which most of what is clipped is its own, whatever its past, and without which the
 * others would lose at most half; n_groups if there is none. */
size_t spill_owner(const struct gtr_spill *spill);

/* Would noise alone put groups above their past at least half as often as they are? */
bool spill_is_noise(const struct gtr_spill *spill);

/* Where the curve of excess share is below `share` and something is clipped: up to `most` ranges of
 * the limit, rising; returns how many there are. */
struct spill_range {
    double low, high;
    bool from_start, to_end; /* of the curve */
};
size_t spill_ranges(const struct gtr_spill_point *points, size_t n, double share,
                    struct spill_range *ranges, size_t most);

/* For people (spill_report.c): the headline, the run, its groups, the matrix, the curve, the worst
 * steps, other kappas. */
void spill_report(FILE *f, const struct spill_found *found);

/* The stories of the worst steps (spill_story.c); `names` are those of the groups. */
void spill_story(FILE *f, const struct spill_found *found, const struct tell_names *names);

/* For programs (spill_rows.c).  One row per policy and group: what the group paid and is blamed
 * for, then a column "from CULPRIT" for each group: nats that the row's group paid for it at steps
 * where it was innocent. */
void spill_group_rows(struct rows *rows, const void *found);

/* One row per policy, step and culprit; ratio: of the norm to the group's running average. */
enum gtr_code spill_steps(FILE *f, const struct spill_found *found, struct gtr_err *err);

/* Everything but the single steps. */
enum gtr_code spill_json(FILE *f, const struct spill_found *found, struct gtr_err *err);

/* spill_figure.c: draws all figures that have something to show, as the options say. */
enum gtr_code spill_draw(const struct spill_found *found, struct gtr_err *err);

#endif
