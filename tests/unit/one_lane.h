/* one_lane.h - a setting over a few norms, for tests of policies. */
#ifndef ONE_LANE_H
#define ONE_LANE_H

#include "check.h"
#include "gradtrace_lab.h"

enum { STEPS_MAX = 64 };

/* One lane's decisions. */
struct lane {
    double lower[STEPS_MAX], upper[STEPS_MAX], scale[STEPS_MAX];
    uint8_t flags[STEPS_MAX];
};

/* Parses a setting and runs it over n norms; total NULL: the same norms are the whole gradient's.
 * The run is planned for n_planned steps, 0: not planned. */
static void run(struct lane *lane, const char *text, const double *norms, const double *total,
                size_t n, size_t n_planned)
{
    static const char *const group[] = { "q_proj" };
    double sumsq[STEPS_MAX], progress[STEPS_MAX];
    const uint8_t skip[STEPS_MAX] = { 0 };
    const struct gtr_lane_input in = { .sumsq = sumsq,
                                       .total = total != NULL ? total : norms,
                                       .progress = progress,
                                       .skip = skip,
                                       .n_steps = n };
    const struct gtr_lane_output out = { lane->lower, lane->upper, lane->scale, lane->flags };
    struct gtr_setting *setting;
    union gtr_params params[1];
    struct gtr_err err = { 0 };
    size_t t;

    for (t = 0; t < n; t++) {
        sumsq[t] = norms[t] * norms[t];
        progress[t] = n_planned > 0 ? (double)t / (double)n_planned : 0.0;
    }
    gtr_setting_parse(text, &setting, &err);
    if (setting != NULL)
        gtr_setting_bind(setting, group, 1, params, &err);
    CHECK_TEXT(err.text, "");
    if (err.code == GTR_OK)
        gtr_lane_run(gtr_setting_policy(setting), params, &in, &out);
    gtr_setting_free(setting);
}

#endif
