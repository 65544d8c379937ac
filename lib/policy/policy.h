/* policy.h - any policy by its number, and a lane of it. */
#ifndef GTR_POLICY_H
#define GTR_POLICY_H

#include "policy_aggc.h"
#include "policy_global.h"
#include "policy_group.h"
#include "policy_list.h"
#include "policy_none.h"
#include "public.h"

GTR_PUBLIC_BEGIN

/* The parameters of one lane: read-only once made, shared by any number of lanes. */
union gtr_params {
#define X(ID, stem) struct gtr_##stem##_params stem;
    GTR_POLICIES(X)
#undef X
};

GTR_PUBLIC_END

/* What one lane remembers.  Plain data: lives on a stack, in a register, needs no free. */
union gtr_state {
#define X(ID, stem) struct gtr_##stem##_state stem;
    GTR_POLICIES(X)
#undef X
};

/* What a lane reads: arrays of n_steps, in step order. */
struct gtr_lane_input {
    const double *sumsq;    /* of the lane's group; NaN where a step is not finite */
    const double *total;    /* norm of the whole gradient */
    const double *progress; /* step / planned steps */
    const uint8_t *skip;    /* 1: no policy sees this step and no state changes */
    size_t n_steps;
};

/* Where a lane writes: arrays of n_steps, each of them NULL if it is not wanted.  A skipped step
 * has no decision: lower, upper and scale are NaN there. */
struct gtr_lane_output {
    double *lower;
    double *upper;
    double *scale;
    uint8_t *flags; /* GTR_FLAG_... */
};

/* The switch is generated from policy_list.h, and is a switch rather than a table of function
 * pointers so that the same lines run on a GPU, where a kernel passes a constant id and the
 * switch folds away. */
GTR_HD void gtr_policy_init(enum gtr_policy_id id, const union gtr_params *p, union gtr_state *s)
{
    switch (id) {
#define X(ID, stem)                            \
    case ID:                                   \
        gtr_##stem##_init(&p->stem, &s->stem); \
        break;
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
}

GTR_HD struct gtr_action gtr_policy_step(enum gtr_policy_id id, const union gtr_params *p,
                                         union gtr_state *s, const struct gtr_obs *obs)
{
    switch (id) {
#define X(ID, stem) \
    case ID:        \
        return gtr_##stem##_step(&p->stem, &s->stem, obs);
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
    return gtr_leave();
}

/* How far a run of so many planned steps has come at one of them; 0 throughout if the plan is not
 * known (total_steps <= 0), so that schedules stay at their start. */
GTR_HD double gtr_progress_at(int64_t step, int64_t total_steps)
{
    double progress = (double)step / (double)(total_steps > 1 ? total_steps : 1);

    if (total_steps <= 0)
        return 0.0;
    return progress < 0.0 ? 0.0 : progress > 1.0 ? 1.0 : progress;
}

/* Run one lane from its first step to its last. */
GTR_HD void gtr_lane_run(enum gtr_policy_id id, const union gtr_params *p,
                         const struct gtr_lane_input *in, const struct gtr_lane_output *out)
{
    union gtr_state state;
    size_t t;

    gtr_policy_init(id, p, &state);
    for (t = 0; t < in->n_steps; t++) {
        struct gtr_action act;

        if (in->skip[t]) {
            act.lower = act.upper = act.scale = (double)NAN;
            act.capped = 0;
        } else {
            struct gtr_obs obs;

            obs.sumsq = in->sumsq[t];
            obs.norm = sqrt(in->sumsq[t]);
            obs.total = in->total[t];
            obs.progress = in->progress[t];
            act = gtr_policy_step(id, p, &state, &obs);
        }
        if (out->lower != NULL)
            out->lower[t] = act.lower;
        if (out->upper != NULL)
            out->upper[t] = act.upper;
        if (out->scale != NULL)
            out->scale[t] = act.scale;
        if (out->flags != NULL)
            out->flags[t] = (uint8_t)((act.capped ? GTR_FLAG_CAPPED : 0) |
                                      (act.lower > act.upper ? GTR_FLAG_EMPTY : 0));
    }
}

#endif
