/* stability.h - are the settings that are best on one trace (or window of it) best on another? */
#ifndef GTR_STABILITY_H
#define GTR_STABILITY_H

#include <stddef.h>

#include "err.h"
#include "public.h"

GTR_PUBLIC_BEGIN

struct gtr_stability {
    size_t n;                /* settings that have both values */
    double rank_correlation; /* Spearman's, ties with their mean rank; NaN if a side is constant */
    double best_overlap;     /* share of a's best tenth that is in b's: 1 if the same are best */
};

/* values_a, values_b: a goal of the same n settings.  A setting with NaN on either side is left
 * out.  A tenth is rounded up; ties at its edge go to the lower number. */
enum gtr_code gtr_stability_run(const double *values_a, const double *values_b, size_t n,
                                struct gtr_stability *out, struct gtr_err *err);

GTR_PUBLIC_END

#endif
