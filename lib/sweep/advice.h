/* advice.h - a recommendation with its reasons, as numbers.
 *
 * The setting to use is the knee of the front.  Its reasons are what it costs to go either way
 * along the front, how many other settings are nearly as good and how widely their knobs differ,
 * and whether the run has spikes at all.
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

enum gtr_need {
    GTR_NEED_UNKNOWN, /* no row leaves the gradient alone, so nothing to compare with */
    GTR_NEED_NONE,    /* it has no spikes (leak 0 without clipping): nothing needs clipping */
    GTR_NEED_SPIKES   /* it has */
};

struct gtr_advice {
    size_t n_goals, n_knobs;
    size_t *front; /* see gtr_front_new */
    size_t n_front;

    size_t knee;                /* GTR_NO_ROW if the front is empty: no kept row is finite */
    double goal[GTR_GOALS_MAX]; /* its goals */
    size_t before, after;       /* the nearest on the front that differ, in its order, or
                                   GTR_NO_ROW */
    struct gtr_span front_span[GTR_GOALS_MAX]; /* of the goals, over the front */

    /* Flatness: kept rows of which every goal is within GTR_FLAT of the knee's, as a share of the
     * front's span (or, where the whole front has one value, of all kept rows').  The knee is one
     * of them.  Wide knobs over small goals: a flat optimum, any of these settings will do. */
    size_t n_flat;
    struct gtr_span flat_goal[GTR_GOALS_MAX];
    struct gtr_span *flat_knob; /* [n_knobs]; rows where the knob is NaN are left out */
    struct gtr_span *knob;      /* [n_knobs]; over all rows that count, to hold flat_knob against */
    size_t n_counted;           /* kept rows with finite goals */

    enum gtr_need need;
    size_t untouched;        /* first row that never clips or raises, kept or not, or GTR_NO_ROW */
    bool untouched_on_front; /* no kept setting is better than leaving the gradient alone */
};

#define GTR_FLAT 0.05

/* knobs: [n][n_knobs], NaN where a setting does not have the knob; `keep` NULL keeps all.  Free
 * with gtr_advice_free. */
enum gtr_code gtr_advice_new(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                             size_t n, const bool *keep, const double *knobs, size_t n_knobs,
                             struct gtr_advice **advice, struct gtr_err *err);
void gtr_advice_free(struct gtr_advice *advice);

GTR_PUBLIC_END

#endif
