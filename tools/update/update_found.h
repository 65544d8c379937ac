/* update_found.h - what `gradtrace update` was asked for and finds: the updates of every policy,
 * and how far each is from the one without clipping.
 *
 * A place is one policy, group and simulated step.  Group n_groups is the whole update.  Without
 * elements in the trace every step is a place, and only what norms tell is known of it.
 */
#ifndef UPDATE_FOUND_H
#define UPDATE_FOUND_H

#include "figure_options.h"
#include "output.h"
#include "study.h"

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

struct update_found {
    const struct update_options *options;
    const struct study *study;
    struct gtr_optimizer optimizer;
    char optimizer_from[200];         /* "as the run was trained", ... */
    struct gtr_decisions **decisions; /* [n_settings] */
    double **rho;                     /* [n_settings], each [G][T] */
    struct gtr_update *update;        /* NULL: the trace has no elements */
    size_t n_groups;
    size_t n_rows;    /* simulated steps; of the trace, if there are no elements */
    size_t n_warm_up; /* of these, left out of statistics */
    bool from_start;  /* the optimizer starts where the run's own did */
    double *numel;    /* [G] elements */
};

/* What is known of a place.  NaN where the step was skipped; `change` and what follows also where
 * there are no elements. */
struct update_place {
    int64_t step;         /* the run's own number */
    double scale;         /* of the whole: NaN */
    bool clipped, raised; /* of the whole: some group was */
    double proxy;         /* rho of study/proxy.h; of the whole: NaN */
    double hinted; /* the change that norms alone suggest: |rho - 1|; of the whole: their root mean
                      square, groups weighed by the energy of their updates, as far as norms tell */
    struct gtr_update_values values;
};

/* Runs everything; free with update_found_free, also after failure. */
enum gtr_code update_found_make(struct update_found *found, const struct update_options *options,
                                const struct study *study, struct gtr_err *err);
void update_found_free(struct update_found *found);

/* Row of the trace of a simulated step. */
size_t update_row(const struct update_found *found, size_t r);

void update_place_at(const struct update_found *found, size_t policy, size_t group, size_t r,
                     struct update_place *place);

/* Steps that the optimizer remembers, roughly; 0: none. */
double update_memory(const struct update_found *found);

/* "AdamW", "SGD". */
const char *update_optimizer_name(const struct update_found *found);

/* The table for programs, a forms_table: a row per policy, step and group; NaN where the step was
 * skipped, or the trace has no elements. */
void update_rows(struct rows *rows, const void *found);

/* The steps of one policy and group summed up; told and drawn from here.  Over the simulated steps
 * that were not skipped, without the warm-up.  Where there are no elements the change is the one
 * that norms suggest, and what only elements tell is NaN. */
struct update_summary {
    size_t n, n_clipped, n_raised; /* steps; of the whole: in which some group was */
    size_t n_changes; /* steps of which the change is known: not after a NaN was let through */
    /* Of the change, ||u - u_none|| / ||u_none||. */
    double change_p50, change_p90, change_max, change_rms;
    int64_t max_step;   /* the run's number of the step where it is largest */
    double change_half; /* median half of the 95 % interval: a sample errs the same way at every
                         * step */
    double hinted_rms;  /* of the change that norms suggest */
    double cosine_mean, cosine_min;
    double ratio_p50; /* of ||u|| / ||u_none|| */
};

/* [n_settings][n_groups + 1], the whole last.  Free with gtr_free. */
enum gtr_code update_summaries_new(const struct update_found *found,
                                   struct update_summary **summaries, struct gtr_err *err);

/* The optimizer, what was simulated, a table for each policy, and one with all policies. */
void update_report(FILE *f, const struct update_found *found,
                   const struct update_summary *summaries);

/* Draws into the folder that was asked for and prints the names of the pictures, or in the
 * terminal:
 *
 *     update_change  how far each policy moves the whole update, step by step; and what norms
 *                    alone suggest
 *     update_groups  the same of each group: median, 90th percentile and most
 */
enum gtr_code update_figures_draw(const struct update_found *found,
                                  const struct update_summary *summaries, struct gtr_err *err);

#endif
