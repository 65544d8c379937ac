/* attenuation.h - what a limit on the whole gradient takes from an energy, in nats. */
#ifndef GTR_ATTENUATION_H
#define GTR_ATTENUATION_H

#include <math.h>

#include "exact.h"
#include "policy.h"

/* gtr_ln with a floor that keeps it inside its domain; -infinity for 0. */
GTR_HD double gtr_log_energy(double energy)
{
    return energy > 0.0 ? gtr_ln(energy > 1e-300 ? energy : 1e-300) : -HUGE_VAL;
}

/* A(x) = max(0, ln(x / C^2) / 2), nats that clipping to C takes from energy x. */
GTR_HD double gtr_attenuation(double log_energy, double log_limit)
{
    double a = 0.5 * (log_energy - 2.0 * log_limit);

    return a > 0.0 ? a : 0.0;
}

/* ln C of a limit for the whole gradient; within a floor, as the scales are. */
GTR_HD double gtr_log_limit(const struct gtr_global_params *p)
{
    return gtr_ln(p->max_norm > 1e-300 ? p->max_norm : 1e-300);
}

#endif
