/* policy.h - any policy by its number, and a lane of it. */
#ifndef GTR_POLICY_H
#define GTR_POLICY_H

#include "policy_headers.h"
#include "policy_list.h"
#include "public.h"

GTR_PUBLIC_BEGIN

/* The parameters of one lane: read-only once made, shared by any number of lanes. */
union gtr_params {
#define X(ID, stem, unit) struct gtr_##stem##_params stem;
    GTR_POLICIES(X)
#undef X
};

GTR_PUBLIC_END

/* What one lane remembers.  Plain data: lives on a stack, in a register, needs no free. */
union gtr_state {
#define X(ID, stem, unit) struct gtr_##stem##_state stem;
    GTR_POLICIES(X)
#undef X
};

/* What a lane reads: arrays of n_steps, in step order.  Those that the trace does not have are
 * NULL, and NaN to the policy. */
struct gtr_lane_input {
    const double *sumsq;    /* of the lane's group; infinite or NaN where a step is not finite */
    const double *total;    /* norm of the whole gradient */
    const double *progress; /* step / planned steps */
    const uint8_t *skip;    /* 1: no policy sees this step and no state changes */
    const double *loss;
    const double *maxabs;       /* of the lane's group */
    const double *total_maxabs; /* of the whole gradient */
    const double *weight;       /* norm of the group's weights */
    const double *given;        /* [n_steps][GTR_GIVEN] of the policy's look-back */
    double numel;               /* of the group */
    size_t n_steps;
};

/* Where a lane writes: arrays of n_steps, each of them NULL if it is not wanted.  A step that was
 * skipped before the policy saw it has no decision: lower, upper and scale are NaN there.  One that
 * the policy leaves out has no scale either, NaN, and its flag. */
struct gtr_lane_output {
    double *lower;
    double *upper;
    double *scale;
    uint8_t *flags; /* GTR_FLAG_... */
};

/* --- the steps, in the meaning that defines them ---------------------------------------------- */

#include "operators.h"

#include "policy_headers.h"

#include "operators_end.h"

/* --- any policy by its number ----------------------------------------------------------------- */

/* The switch is generated from policy_list.h, and is a switch rather than a table of function
 * pointers so that the same lines run on a GPU, where a kernel passes a constant id and the
 * switch folds away. */
GTR_HD void gtr_policy_init(enum gtr_policy_id id, const union gtr_params *p, union gtr_state *s)
{
    switch (id) {
#define X(ID, stem, unit)                      \
    case ID:                                   \
        gtr_##stem##_init(&p->stem, &s->stem); \
        break;
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
}

/* One step of one lane.  `usual` is a constant, 0 unless gtr_policy_is_usual holds for the lane. */
GTR_HD struct gtr_action gtr_policy_step(enum gtr_policy_id id, const union gtr_params *p,
                                         union gtr_state *s, struct gtr_obs *obs, int usual)
{
    switch (id) {
#define X(ID, stem)                        \
    case ID:                               \
        gtr_##stem##_ahead(&p->stem, obs); \
        break;
        GTR_POLICIES_AHEAD(X)
#undef X
    default:
        break;
    }
    switch (id) {
#define X(ID, stem, unit) \
    case ID:              \
        return gtr_##stem##_step(&p->stem, &s->stem, obs, usual);
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
    return gtr_leave();
}

/* What one decision of the policy is about. */
GTR_HD enum gtr_unit gtr_policy_unit(enum gtr_policy_id id)
{
    switch (id) {
#define X(ID, stem, unit) \
    case ID:              \
        return unit;
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
    return GTR_GROUPED;
}

/* Are these parameters what nearly all settings of the policy have in common? */
GTR_HD int gtr_policy_is_usual(enum gtr_policy_id id, const union gtr_params *p)
{
    switch (id) {
#define X(ID, stem) \
    case ID:        \
        return gtr_##stem##_is_usual(&p->stem);
        GTR_POLICIES_USUAL(X)
#undef X
    default:
        break;
    }
    return 0;
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

/* What the lane sees of step t, the seen-th that it is shown. */
GTR_HD struct gtr_obs gtr_lane_obs(const struct gtr_lane_input *in, size_t t, double seen)
{
    struct gtr_obs obs;
    size_t k;

    obs.sumsq = in->sumsq[t];
    obs.norm = sqrt(in->sumsq[t]);
    obs.total = in->total[t];
    obs.progress = in->progress[t];
    obs.loss = in->loss != NULL ? in->loss[t] : (double)NAN;
    obs.maxabs = in->maxabs != NULL ? in->maxabs[t] : (double)NAN;
    obs.total_maxabs = in->total_maxabs != NULL ? in->total_maxabs[t] : (double)NAN;
    obs.weight = in->weight != NULL ? in->weight[t] : (double)NAN;
    obs.numel = in->numel;
    obs.seen = seen;
    for (k = 0; k < GTR_GIVEN; k++)
        obs.given[k] = in->given != NULL ? in->given[t * GTR_GIVEN + k] : 0.0;
    return obs;
}

/* Run one lane from its first step to its last. */
GTR_HD void gtr_lane_run(enum gtr_policy_id id, const union gtr_params *p,
                         const struct gtr_lane_input *in, const struct gtr_lane_output *out)
{
    union gtr_state state;
    double seen = 0.0;
    size_t t;

    gtr_policy_init(id, p, &state);
    for (t = 0; t < in->n_steps; t++) {
        struct gtr_action act = gtr_leave();

        if (in->skip[t]) {
            act.lower = act.upper = act.scale = (double)NAN;
        } else {
            struct gtr_obs obs = gtr_lane_obs(in, t, seen);

            act = gtr_policy_step(id, p, &state, &obs, 0);
            seen += 1.0;
        }
        if (out->lower != NULL)
            out->lower[t] = act.lower;
        if (out->upper != NULL)
            out->upper[t] = act.upper;
        if (out->scale != NULL)
            out->scale[t] = act.skip ? (double)NAN : act.scale;
        if (out->flags != NULL)
            out->flags[t] = (uint8_t)((act.capped ? GTR_FLAG_CAPPED : 0) |
                                      (act.lower > act.upper ? GTR_FLAG_EMPTY : 0) |
                                      (act.skip ? GTR_FLAG_SKIPPED : 0));
    }
}

#endif
