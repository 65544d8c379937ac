/* scenario.h - what may happen in a synthetic run: parameters, and named sets of them.
 *
 * The natural logarithm of group j's norm at step t is
 *
 *     ln n_j(t) = ln(level w_j) + ln(drift) t / (T - 1) + x_j(t) + what moved the level
 *     x_j(t)    = e_j(t) + tail s_j(t - 1)
 *     s_j(t)    = memory s_j(t - 1) + e_j(t)
 *     e_j(t)    ~ sqrt(common) c(t) + sqrt(1 - common) z_j(t) + what was planted as a shock
 *
 * with w_j fixed random weights (their squares sum to 1), and c and z_j independent shocks: a
 * normal deviate, to which at a share `surge` of the steps an exponential one of mean
 * `surge_height` is added, less its mean and scaled so that x_j has the standard deviation
 * `spread`.  So norms are skewed to the right; large ones have partners in other groups, and leave
 * a tail.  A tensor's norm is a part of its group's, with a noise of its own of deviation `own`.
 * By default autocorrelation, skew, kurtosis and correlations are like those of the recorded runs
 * in traces/ (tests/unit/test_simulate_noise.c).
 *
 * Spikes of one group (in which others have a part, `partners` of its logarithm) and strays of any
 * are planted as shocks, and leave a tail as the noise's do.  Bursts of all groups and a change of
 * all move the level: factors as they stand.
 *
 * And what may be wrong with a recording: norms taken after the run's own clipping, with its loss
 * scale still in them, or of one shard; steps that are not finite or repeat the one before; tensors
 * and groups without a gradient.
 */
#ifndef GTR_SCENARIO_H
#define GTR_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

GTR_PUBLIC_BEGIN

/* All are doubles; gtr_scenario_params tells names, defaults, ranges and meaning. */
struct gtr_scenario_params {
    double level, uneven, spread, common, own, surge, surge_height, tail, memory, drift;
    double spikes, spike_factor, partners;
    double stray, stray_factor, stray_tail;
    double change, change_at;
    double bursts, burst_factor, burst_steps;
    double idle, idle_spell;
    double dominant;
    double max_norm, clipped, left_in, ranks;
    double nonfinite, stale, dead, died, died_at;
};

struct gtr_scenario_param {
    const char *name;
    size_t offset; /* in struct gtr_scenario_params */
    double standard, min, max;
    bool whole; /* whole numbers only */
    const char *help;
};
const struct gtr_scenario_param *gtr_scenario_params(size_t *n_params);

struct gtr_scenario {
    const char *name;
    const char *help;
    const char *layout;   /* unless another is asked for */
    const char *settings; /* "KEY=VALUE,..." on top of the defaults */
};
const struct gtr_scenario *gtr_scenarios(size_t *n_scenarios);

/* An unknown name is an error that tells the nearest. */
enum gtr_code gtr_scenario_find(const char *name, const struct gtr_scenario **scenario,
                                struct gtr_err *err);

/* "KEY=VALUE", or several with commas between them.  On failure some may have been set. */
enum gtr_code gtr_scenario_set(struct gtr_scenario_params *params, const char *text,
                               struct gtr_err *err);

GTR_PUBLIC_END

/* The defaults, and what the scenario sets. */
enum gtr_code gtr_scenario_start(const struct gtr_scenario *scenario,
                                 struct gtr_scenario_params *params, struct gtr_err *err);

double gtr_scenario_get(const struct gtr_scenario_params *params,
                        const struct gtr_scenario_param *param);

#endif
