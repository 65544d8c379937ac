/* update_values.h - what the sums of update/update.h say: norms, change, direction.
 *
 *     norm    ||u|| = sqrt(sum u^2), and `plain` of the update without clipping
 *     change  ||u - u_none|| / ||u_none||
 *     cosine  u . u_none / (||u|| ||u_none||)
 *
 * Of one group, or of the whole update: then the sums are those of all groups, added in group
 * order, with the group that its rule leaves out of clipping.
 */
#ifndef GTR_UPDATE_VALUES_H
#define GTR_UPDATE_VALUES_H

#include <stddef.h>

#include "public.h"
#include "update.h"

GTR_PUBLIC_BEGIN

struct gtr_update_values {
    double norm, plain;
    double change;                  /* 0 if the two are equal; infinite if only u_none is 0 */
    double cosine;                  /* 1 if the two are equal; NaN if one of them is 0 */
    struct gtr_update_errors error; /* zeros if all elements were captured */
};

/* `group` n_groups: the whole update.  All NaN where the step was skipped. */
void gtr_update_values_at(const struct gtr_update *update, size_t policy, size_t group, size_t row,
                          struct gtr_update_values *values);

GTR_PUBLIC_END

#endif
