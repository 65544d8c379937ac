/* simulate.h - synthetic traces of which the truth is known, for testing what looks for it.
 *
 * A trace is made from a scenario, a layout and a seed.  Equal arguments give equal bytes with
 * every compiler.  What was planted, and where, stands in the trace's meta under "simulated"
 * (traces/FORMAT.md), and the producer says that nothing was recorded.
 *
 * The same seed draws the same run in every scenario of a layout: `culprit` is `healthy` with
 * spikes, so that what a spike changed can be seen.
 */
#ifndef GTR_SIMULATE_H
#define GTR_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "layout.h"
#include "recorder.h"
#include "scenario.h"

GTR_PUBLIC_BEGIN

enum { GTR_SIMULATION_STEPS = 1500, GTR_SIMULATION_STEPS_MAX = 1000000 };
enum { GTR_SIMULATION_LAYERS_MAX = 1000 };

#define GTR_SIMULATION_ELEMENTS_LIMIT 1e9 /* bytes */

struct gtr_simulation {
    const struct gtr_scenario *scenario;
    const struct gtr_layout *layout;
    struct gtr_scenario_params params;
    const char *culprit; /* the group that spikes are planted in; NULL: drawn */
    int64_t n_steps;
    int64_t n_layers;      /* 0: the layout's own */
    int64_t seed;          /* >= 0; also of a sample of the elements */
    int64_t elements;      /* enum gtr_elements: made up for every step, as f32 */
    double fraction;       /* of a sample */
    double elements_limit; /* bytes that elements may take in the file, and in memory */
};

/* The scenario's layout and parameters, GTR_SIMULATION_STEPS steps, seed 1, no elements. */
enum gtr_code gtr_simulation_start(struct gtr_simulation *simulation,
                                   const struct gtr_scenario *scenario, struct gtr_err *err);

/* Makes the trace.  What does not fit together (an idle share without experts, more spikes than
 * steps) is an error, and nothing is written. */
enum gtr_code gtr_simulation_write(const struct gtr_simulation *simulation, const char *path,
                                   bool force, struct gtr_err *err);

GTR_PUBLIC_END

#endif
