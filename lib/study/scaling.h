/* scaling.h - how much a policy scaled, whom, and what that did to the norms.
 *
 * Per group, over the steps that were not skipped; and pooled: rates and the distribution of
 * scales over all decisions (group x step), runs and first steps over steps in which any group
 * was clipped, norms of the whole gradient.  The group "-", left out of clipping by its rule, is
 * not pooled.
 */
#ifndef GTR_SCALING_H
#define GTR_SCALING_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "replay.h"
#include "trust.h"

GTR_PUBLIC_BEGIN

/* A distribution of norms. */
struct gtr_norm_summary {
    double p50, p99;
    double tail; /* p99 / p50; NaN if p50 is 0 */
    double cv;   /* coefficient of variation: standard deviation / mean */
};

struct gtr_scaling {
    uint64_t n_decisions;                 /* steps not skipped (pooled: group x step) */
    uint64_t n_clipped;                   /* scale < 1 */
    uint64_t n_raised;                    /* scale > 1 */
    uint64_t n_capped;                    /* a cap decided, not the interval */
    uint64_t n_empty;                     /* lower > upper */
    uint64_t n_left_out;                  /* in steps that the policy left out: no scale */
    double mean, min, p01, p50, p99, max; /* of the scale */
    uint64_t longest_run;                 /* of clipped steps, in rows */
    int64_t first_clipped;                /* the run's step number; -1 if never */
    uint64_t cold_start; /* rows until the scale is first 1 or the interval is not empty */
    struct gtr_norm_summary before, after;
    struct gtr_trust trust; /* of clip_rate and mean, should a run be trained so */
};

struct gtr_scaling_report {
    size_t n_groups;
    struct gtr_scaling *group; /* [G] */
    struct gtr_scaling pooled;
    /* cos(g, clipped g) per step, from norms alone:
     * sum_j s_j e_j / sqrt(E * sum_j s_j^2 e_j), 1 when all scales are equal. */
    double cos_mean, cos_min;
    uint64_t n_steps; /* not skipped */
    uint64_t n_skipped;
    uint64_t n_clipped_steps; /* any group clipped */
};

/* The norms as recorded, which are the same for every policy: [G + 1] summaries, the last of the
 * whole gradient.  Free with gtr_free. */
enum gtr_code gtr_norm_summaries_new(const struct gtr_replay *replay,
                                     struct gtr_norm_summary **summaries, struct gtr_err *err);

/* `before` comes from gtr_norm_summaries_new.  Free with gtr_scaling_free. */
enum gtr_code gtr_scaling_new(const struct gtr_replay *replay,
                              const struct gtr_decisions *decisions,
                              const struct gtr_norm_summary *before,
                              struct gtr_scaling_report **report, struct gtr_err *err);
void gtr_scaling_free(struct gtr_scaling_report *report);

/* The statistics as named columns, for files: rates are shares of n_decisions. */
size_t gtr_scaling_n_columns(void);
const char *gtr_scaling_column_name(size_t column);
double gtr_scaling_column(const struct gtr_scaling *scaling, size_t column);

GTR_PUBLIC_END

#endif
