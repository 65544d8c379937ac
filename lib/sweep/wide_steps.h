/* wide_steps.h - steps of policies for vectors: operators.h with other meanings.
 *
 * A lane's parameters, state and observations lie beside those of other settings, so P, GET and PUT
 * find a field by its place in the struct of doubles that the policy's header declares.  Included
 * by wide_body.h.
 */

/* gtr_obs and gtr_action of one vector of settings. */
struct wide_obs {
    WIDE sumsq, norm, total, progress, loss, maxabs, total_maxabs, weight, numel, seen;
    WIDE given[GTR_GIVEN];
};

struct wide_action {
    WIDE lower, upper, scale;
    MASK capped, skip;
};

#define REAL               WIDE
#define NUM(x)             SPLAT(x)
#define PICK_MASK(m, a, b) EITHER(BOTH(m, a), NOT_SECOND(b, m))
#define HELPER             INLINE __attribute__((unused))
#define TEXT(name)         wide_##name
#define ACTION             struct wide_action
#define OBS                struct wide_obs
#define LEAVE              leave()

#define STEP(stem)                                                                \
    INLINE struct wide_action wide_##stem##_step(                                 \
        __attribute__((unused)) const WIDE *p, __attribute__((unused)) double *s, \
        __attribute__((unused)) const struct wide_obs *obs, __attribute__((unused)) bool usual)
#define AHEAD(stem) INLINE void wide_##stem##_ahead(const WIDE *p, struct wide_obs *obs)

#define PLACE(type, field) (offsetof(type, field) / sizeof(double))
#define PARAMS_(stem)      struct gtr_##stem##_params
#define STATE_(stem)       struct gtr_##stem##_state
#define PARAMS(stem)       PARAMS_(stem)
#define STATE(stem)        STATE_(stem)
#define P(field)           (p[PLACE(PARAMS(STEM), field)])
#define GET(field)         LOAD(s + PLACE(STATE(STEM), field) * GTR_SWEEP_LANES)
#define PUT(field, x)      STORE(s + PLACE(STATE(STEM), field) * GTR_SWEEP_LANES, x)

INLINE struct wide_action leave(void)
{
    const MASK none = ABOVE(SPLAT(0.0), SPLAT(0.0));

    return (struct wide_action){ SPLAT(0.0), SPLAT(HUGE_VAL), SPLAT(1.0), none, none };
}

#include "policy_headers.h"

/* --- by number, which is a constant ----------------------------------------------------------- */

INLINE struct wide_action step_of(enum gtr_policy_id policy, const WIDE *p, double *s,
                                  const struct wide_obs *obs, bool usual)
{
    switch (policy) {
#define X(ID, stem, unit) \
    case ID:              \
        return wide_##stem##_step(p, s, obs, usual);
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
    return leave();
}

INLINE void see_ahead(enum gtr_policy_id policy, const WIDE *p, struct wide_obs *obs)
{
    switch (policy) {
#define X(ID, stem)                  \
    case ID:                         \
        wide_##stem##_ahead(p, obs); \
        break;
        GTR_POLICIES_AHEAD(X)
#undef X
    default:
        break;
    }
}

INLINE size_t n_fields(enum gtr_policy_id policy)
{
    switch (policy) {
#define X(ID, stem, unit) \
    case ID:              \
        return sizeof(struct gtr_##stem##_params) / sizeof(double);
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
    return 0;
}

/* Where the state of a group lies. */
INLINE double *state_of(const struct gtr_wide *wide, enum gtr_policy_id policy, size_t group)
{
    switch (policy) {
#define X(ID, stem, unit)    \
    case ID:                 \
        return wide->state + \
               group * (sizeof(struct gtr_##stem##_state) / sizeof(double)) * GTR_SWEEP_LANES;
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
    return wide->state;
}

INLINE enum gtr_unit unit_of(enum gtr_policy_id policy)
{
    switch (policy) {
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

INLINE bool has_usual(enum gtr_policy_id policy)
{
    switch (policy) {
#define X(ID, stem) \
    case ID:        \
        return true;
        GTR_POLICIES_USUAL(X)
#undef X
    default:
        return false;
    }
}
