/* policy_base.h - what every policy header stands on.
 *
 * A lane is one policy setting run over one group's norms, in step order.  These headers are
 * compiled by gcc or clang as C11 and by nvcc as C++17, and must give the same bits on all of
 * them.  The rules that make it so are in README.md beside this file.
 */
#ifndef GTR_POLICY_BASE_H
#define GTR_POLICY_BASE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "exact.h"
#include "public.h"

/* What a policy sees at one step. */
struct gtr_obs {
    double sumsq;    /* of this lane's group: sum of its tensors' sums of squares, tensor order */
    double norm;     /* sqrt(sumsq) */
    double total;    /* norm of the whole gradient at the same step */
    double progress; /* step / planned steps, in [0, 1]; 0 throughout if the plan is unknown */
};

/* What it answers. */
struct gtr_action {
    double lower;    /* the interval that the norm was held against; 0 if there is no lower end */
    double upper;    /* HUGE_VAL if there is no upper end */
    double scale;    /* factor for the group's gradient: 1 untouched, < 1 clipped, > 1 raised */
    uint32_t capped; /* 1 if a cap (max_down, max_up) chose the scale, not the interval */
};

/* The action of leaving everything as it is. */
GTR_HD struct gtr_action gtr_leave(void)
{
    struct gtr_action act;

    act.lower = 0.0;
    act.upper = HUGE_VAL;
    act.scale = 1.0;
    act.capped = 0;
    return act;
}

/* The factor that clips `norm` to `limit`, min(1, limit / (norm + eps)).  The test is on the
 * ratio, so that norm == limit gives limit / (limit + eps), as in torch.nn.utils.clip_grad_norm_
 * (eps 1e-6).  A NaN norm gives NaN, as there. */
GTR_HD double gtr_clip_ratio(double limit, double norm, double eps)
{
    double ratio = limit / (norm + eps);

    return ratio > 1.0 ? 1.0 : ratio;
}

#endif
