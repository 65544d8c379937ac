/* sweep_rows.h - a series laid out for sweeps: the steps that count, all groups of one together.
 *
 * Everything that does not depend on a setting is made here once, logarithms of the recorded norms
 * included.  Scalar and vector kernels read the same rows.
 */
#ifndef GTR_SWEEP_ROWS_H
#define GTR_SWEEP_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "baseline.h"
#include "err.h"
#include "replay.h"

/* One group at one step. */
struct gtr_sweep_cell {
    double sumsq;  /* infinite or NaN where the group's gradient was */
    double norm;   /* its root */
    double energy; /* over finite elements, for directions */
    double maxabs; /* and weight, as policies see them; NaN if the series has none */
    double weight;
    double log_ratio; /* ln(norm / baseline); NaN if there is none */
    uint32_t based;   /* has a baseline */
    uint32_t spike;   /* and is above kappa times it */
};

/* One step. */
struct gtr_sweep_row {
    double progress;
    double total;              /* norm of the whole gradient, infinite or NaN as it is propagated */
    double loss, total_maxabs; /* as policies see them */
    double n_based;            /* groups tallied that have a baseline */
    double energy;             /* E; NaN where the step has no direction */
    double log_energy;         /* ln E and ln B, -infinity for 0 and where there is no direction */
    double log_fair;
    double bystanders; /* the part of its groups that are not above their past */
};

struct gtr_sweep_rows {
    size_t n_rows, n_groups;
    size_t left_out; /* n_groups if none */
    double log_kappa;
    double *numel;               /* [G] elements; NaN if not known */
    double based, spikes;        /* decisions with a baseline, and spikes, of groups tallied */
    struct gtr_sweep_row *row;   /* [R] */
    struct gtr_sweep_cell *cell; /* [R][G] */
};

/* Free with gtr_sweep_rows_free. */
enum gtr_code gtr_sweep_rows_new(const struct gtr_replay *replay,
                                 const struct gtr_baseline *baseline, struct gtr_sweep_rows **rows,
                                 struct gtr_err *err);
void gtr_sweep_rows_free(struct gtr_sweep_rows *rows);

#endif
