/* series.h - a trace as the policies see it: one series of norms per group.
 *
 * Group energies e_j are sums of tensors' sums of squares in tensor order; the whole gradient's E
 * is the sum over all tensors in tensor order, and then what no tensor of the trace holds (rest).
 * [G][T] arrays: a lane reads one row.
 */
#ifndef GTR_SERIES_H
#define GTR_SERIES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "groups.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

/* What is wrong with a norm: NaN also where a trace does not say which. */
enum gtr_oddity { GTR_IS_FINITE = 0, GTR_IS_NAN = 1, GTR_IS_INFINITE = 2 };

/* Matrices that are read only when asked for. */
enum { GTR_SERIES_MAXABS = 1, GTR_SERIES_WEIGHTS = 2 };

struct gtr_series {
    size_t n_groups;
    size_t n_steps;
    size_t left_out;     /* see gtr_groups; n_groups if none */
    char **names;        /* [G], owned */
    int64_t *index;      /* [T] the run's step numbers */
    double *sumsq;       /* [G][T]; over finite elements */
    double *total_sumsq; /* [T]; over finite elements */
    double *total;       /* [T]; its root */
    uint8_t *nonfinite;  /* [T] enum gtr_oddity: whether any element or sum was NaN or infinite */
    uint8_t *group_nonfinite; /* [G][T] the same of one group; NULL if there are none at all */
    size_t n_nonfinite;       /* steps with nonfinite set */
    int64_t total_steps;      /* from the trace */
    double *loss;             /* [T]; NULL if no step has one */
    double *numel;            /* [G] elements; NULL if that is not known */
    double *maxabs;           /* [G + 1][T] largest magnitudes of finite elements, at last of all of
                                 them; NaN where unknown; NULL if not asked for or not there */
    double *weight;           /* [G][T] norms of the weights; NULL as above */
};

/* Reads the norms of a trace on n_threads threads (0: all); a trace without steps is an error.
 * Free with gtr_series_free. */
enum gtr_code gtr_series_read(const struct gtr_trace *trace, const struct gtr_groups *groups,
                              size_t n_threads, struct gtr_series **series, struct gtr_err *err);

/* The same, with the matrices that `what` names (GTR_SERIES_...), if the trace has them. */
enum gtr_code gtr_series_read_with(const struct gtr_trace *trace, const struct gtr_groups *groups,
                                   unsigned what, size_t n_threads, struct gtr_series **series,
                                   struct gtr_err *err);
void gtr_series_free(struct gtr_series *series);

/* A copy of rows first .. first + n_steps - 1, with the same groups and step numbers. */
enum gtr_code gtr_series_window(const struct gtr_series *series, size_t first, size_t n_steps,
                                struct gtr_series **window, struct gtr_err *err);

/* x, or what the oddity makes of it. */
static inline double gtr_odd(double x, uint8_t oddity)
{
    return oddity == GTR_IS_FINITE ? x : oddity == GTR_IS_NAN ? (double)NAN : HUGE_VAL;
}

/* The norm of a group at a step as it was, infinite or NaN where it was. */
static inline double gtr_series_norm(const struct gtr_series *series, size_t group, size_t t)
{
    size_t at = group * series->n_steps + t;
    double norm = sqrt(series->sumsq[at]);

    return series->group_nonfinite == NULL ? norm : gtr_odd(norm, series->group_nonfinite[at]);
}

GTR_PUBLIC_END

#endif
