/* update_summary.h - the steps of one policy and group summed up; told and drawn from here.
 *
 * Over the simulated steps that were not skipped, without the warm-up.  Where there are no elements
 * the change is the one that norms suggest, and what only elements tell is NaN.
 */
#ifndef UPDATE_SUMMARY_H
#define UPDATE_SUMMARY_H

#include "update_found.h"

struct update_summary {
    size_t n, n_clipped, n_raised; /* steps; of the whole: in which some group was */
    size_t n_changes; /* steps of which the change is known: not after a NaN was let through */
    /* Of the change, ||u - u_none|| / ||u_none||. */
    double change_p50, change_p90, change_max, change_rms;
    int64_t max_step;  /* the run's number of the step where it is largest */
    double change_se;  /* median standard error: a sample errs the same way at every step */
    double hinted_rms; /* of the change that norms suggest */
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
