/* policy_base.h - what every policy header stands on.
 *
 * A lane is one policy setting run over one group's norms, in step order.  These headers are
 * compiled by gcc or clang as C11 and by nvcc as C++17, once more for each vector width of a sweep,
 * and must give the same bits everywhere.  The rules that make it so are in README.md beside this
 * file, the operators in which a step is written in operators.h.
 */
#ifndef GTR_POLICY_BASE_H
#define GTR_POLICY_BASE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "exact.h"
#include "public.h"

enum { GTR_GIVEN = 4 };

/* What a policy sees at one step.  What a trace does not have is NaN (a policy that needs it is
 * refused by name, see `needs` in catalogue.h). */
struct gtr_obs {
    double sumsq;        /* of this lane's group: sum of its tensors' sums of squares, tensor order;
                            infinite or NaN where the gradient was */
    double norm;         /* sqrt(sumsq) */
    double total;        /* norm of the whole gradient at the same step */
    double progress;     /* step / planned steps, in [0, 1]; 0 throughout if the plan is unknown */
    double loss;         /* of the step */
    double maxabs;       /* largest magnitude of the group's elements */
    double total_maxabs; /* and of all elements */
    double weight;       /* L2 norm of the group's weights before the step */
    double numel;        /* elements of the group */
    double seen;         /* steps that the lane saw before this one */
    double given[GTR_GIVEN]; /* made for this step by the policy's look-back, or by what it says of
                                all groups at once (`_ahead`) */
};

/* What it answers. */
struct gtr_action {
    double lower;    /* the interval that the norm was held against; 0 if there is no lower end */
    double upper;    /* HUGE_VAL if there is no upper end */
    double scale;    /* factor for the group's gradient: 1 untouched, < 1 clipped, > 1 raised */
    uint32_t capped; /* 1 if a cap (max_down, max_up) chose the scale, not the interval */
    uint32_t skip;   /* 1 if the whole step is left out: no optimizer moves.  A gradient of 0 is not
                        that: with it, AdamW still moves.  Only policies for the whole gradient */
};

/* The action of leaving everything as it is. */
GTR_HD struct gtr_action gtr_leave(void)
{
    struct gtr_action act;

    act.lower = 0.0;
    act.upper = HUGE_VAL;
    act.scale = 1.0;
    act.capped = 0;
    act.skip = 0;
    return act;
}

#endif
