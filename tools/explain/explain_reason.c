/* explain_reason.c - why a group got its scale.
 *
 * Reasons are read off the decision itself - interval, scale and flags - and not off the policy's
 * name, so that a policy that is added has them too.
 */
#include <math.h>

#include "explain_found.h"

bool explain_decides_for_all(const struct explain_found *found, size_t policy)
{
    return gtr_policy_spec(found->policies[policy].decisions->policy)->unit == GTR_WHOLE;
}

static const char *why_left(double n, double lower, double upper)
{
    if (!(upper < HUGE_VAL) && lower == 0.0)
        return "left as it is";
    if (n > upper)
        return "above its interval, and let through";
    if (n < lower)
        return "below its interval, which is not raised to";
    return lower > 0.0 ? "inside its interval" : "within its limit";
}

static const char *why_scaled(double n, double lower, double upper, double s, bool capped)
{
    if (s > 1.0)
        return capped      ? "below its interval; a cap let it be raised by no more than this"
               : n < lower ? "below its interval: raised to its lower end"
                           : "raised";
    if (capped)
        return "above its interval; a floor let it be scaled down by no more than this";
    if (n > upper)
        return lower > 0.0 ? "above its interval: scaled down to its upper end"
                           : "above its limit: scaled down to it";
    return n == upper ? "at its limit" : "scaled down";
}

/* Lower end above the upper: no norm could have been inside. */
static const char *why_empty(double s, bool capped)
{
    if (s < 1.0)
        return capped
                   ? "above the upper end of an empty interval; a floor let it be scaled by no less"
                   : "above the upper end of an empty interval: scaled down to it";
    if (s > 1.0)
        return capped
                   ? "below the lower end of an empty interval; a cap let it be raised by no more"
                   : "below the lower end of an empty interval: raised to it";
    return "its interval is empty, and it is let through";
}

const char *explain_reason(const struct explain_found *found, size_t policy, size_t group)
{
    const struct gtr_series *series = found->study.series;
    const struct gtr_decisions *d = found->policies[policy].decisions;
    size_t at = group * series->n_steps + found->row;
    bool whole = explain_decides_for_all(found, policy), capped;
    double n = whole ? series->total[found->row] : found->group[group].norm, s = d->scale[at];

    if (isnan(s))
        return found->skip ? "no decision: the step is left out"
                           : "its norm is not finite, nor is what comes out";
    if (group == series->left_out && !whole)
        return "left out of clipping by the grouping rule";
    if (whole && s == 1.0)
        return "the whole gradient is within the limit";
    if (whole && s < 1.0)
        return n > d->upper[at] ? "the whole gradient is above the limit: all pay the same factor"
                                : "the whole gradient is at the limit";
    if (n == 0.0)
        return "has no gradient";
    if (s == 1.0 && d->upper[at] == 0.0)
        return "no past yet, so there is no upper end: let through";
    capped = (d->flags[at] & GTR_FLAG_CAPPED) != 0;
    if ((d->flags[at] & GTR_FLAG_EMPTY) != 0)
        return why_empty(s, capped);
    return s == 1.0 ? why_left(n, d->lower[at], d->upper[at])
                    : why_scaled(n, d->lower[at], d->upper[at], s, capped);
}
