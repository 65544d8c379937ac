/* series.h - a trace as the policies see it: one series of norms per group.
 *
 * Group energies e_j are sums of tensors' sums of squares in tensor order; the whole gradient's E
 * is the sum over all tensors in tensor order, and then what no tensor of the trace holds (rest).
 * [G][T] arrays: a lane reads one row.
 */
#ifndef GTR_SERIES_H
#define GTR_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "groups.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

struct gtr_series {
    size_t n_groups;
    size_t n_steps;
    size_t left_out;          /* see gtr_groups; n_groups if none */
    char **names;             /* [G], owned */
    int64_t *index;           /* [T] the run's step numbers */
    double *sumsq;            /* [G][T]; over finite elements */
    double *total_sumsq;      /* [T]; over finite elements */
    double *total;            /* [T]; its root */
    uint8_t *nonfinite;       /* [T] 1 if any element or sum was NaN or infinite */
    uint8_t *group_nonfinite; /* [G][T] the same of one group; NULL if there are none at all */
    size_t n_nonfinite;       /* steps with nonfinite set */
    int64_t total_steps;      /* from the trace */
};

/* Reads the norms of a trace on n_threads threads (0: all); a trace without steps is an error.
 * Free with gtr_series_free. */
enum gtr_code gtr_series_read(const struct gtr_trace *trace, const struct gtr_groups *groups,
                              size_t n_threads, struct gtr_series **series, struct gtr_err *err);
void gtr_series_free(struct gtr_series *series);

/* A copy of rows first .. first + n_steps - 1, with the same groups and step numbers. */
enum gtr_code gtr_series_window(const struct gtr_series *series, size_t first, size_t n_steps,
                                struct gtr_series **window, struct gtr_err *err);

GTR_PUBLIC_END

#endif
