/* advice.h - the knee of the front of a sweep's goals, and what it costs to go either way from it
 * along the front.  How far that depends on the stretches seen: bootstrap.h.
 */
#ifndef GTR_ADVICE_H
#define GTR_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "goals.h"
#include "err.h"
#include "public.h"

GTR_PUBLIC_BEGIN

struct gtr_span {
    double low, high; /* NaN, both, over nothing */
};

struct gtr_advice {
    size_t *front; /* see gtr_front_new */
    size_t n_front;
    size_t knee;          /* GTR_NO_ROW if the front is empty: no kept row is finite */
    size_t before, after; /* the nearest on the front that differ, in its order, or GTR_NO_ROW */
    size_t n_counted;     /* kept rows with finite goals */
};

/* `keep` NULL keeps all.  Free with gtr_advice_free. */
enum gtr_code gtr_advice_new(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                             size_t n, const bool *keep, struct gtr_advice **advice,
                             struct gtr_err *err);
void gtr_advice_free(struct gtr_advice *advice);

GTR_PUBLIC_END

#endif
