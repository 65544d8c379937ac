/* update_portable.c - the kernels for any machine, in the words of update_engine.h. */
#include <stdbool.h>
#include <string.h>

#include "half.h"
#include "update_kernels.h"

enum { LANES = GTR_UPDATE_LANES, BLOCK = GTR_UPDATE_BLOCK };

static double fold(double *lane)
{
    int half, i;

    for (half = LANES / 2; half > 0; half /= 2)
        for (i = 0; i < half; i++)
            lane[i] = lane[i] + lane[i + half];
    return lane[0];
}

static float move_element(enum gtr_optimizer_id id, const struct gtr_update_cell *c, int i)
{
    bool two = gtr_optimizer_states(id) == 2;
    struct gtr_moments s = { c->first[i], two ? c->second[i] : 0.0f };
    float u = gtr_optimizer_move(id, c->step, c->scale * c->x[i], &s);

    c->first[i] = s.first;
    if (two)
        c->second[i] = s.second;
    return c->inside == NULL || c->inside[i] ? u : 0.0f;
}

static inline void plain(enum gtr_optimizer_id id, const struct gtr_update_cell *c)
{
    double lane[LANES] = { 0.0 };
    int i;

    for (i = 0; i < BLOCK; i++) {
        float u = move_element(id, c, i);

        c->none[i] = u;
        c->none_wide[i] = (double)u;
        lane[i % LANES] += (double)u * (double)u;
    }
    c->sums[0] = fold(lane);
}

static inline void policy(enum gtr_optimizer_id id, const struct gtr_update_cell *c)
{
    double update[LANES] = { 0.0 }, change[LANES] = { 0.0 }, along[LANES] = { 0.0 };
    int i;

    for (i = 0; i < BLOCK; i++) {
        float u = move_element(id, c, i), d = u - c->none[i];

        update[i % LANES] += (double)u * (double)u;
        change[i % LANES] += (double)d * (double)d;
        along[i % LANES] += (double)u * c->none_wide[i];
    }
    c->sums[0] = fold(update);
    c->sums[1] = fold(change);
    c->sums[2] = fold(along);
}

#define DEFINE_MOVES(name, id)                                 \
    static void name##_plain(const struct gtr_update_cell *c)  \
    {                                                          \
        plain(id, c);                                          \
    }                                                          \
                                                               \
    static void name##_policy(const struct gtr_update_cell *c) \
    {                                                          \
        policy(id, c);                                         \
    }
DEFINE_MOVES(adamw, GTR_ADAMW)
DEFINE_MOVES(sgd, GTR_SGD)
DEFINE_MOVES(lion, GTR_LION)
DEFINE_MOVES(rmsprop, GTR_RMSPROP)
DEFINE_MOVES(nadam, GTR_NADAM)

#define DEFINE_LOAD(name, type, convert)          \
    static void name(const void *block, float *x) \
    {                                             \
        type stored[BLOCK];                       \
        int i;                                    \
                                                  \
        memcpy(stored, block, sizeof stored);     \
        for (i = 0; i < BLOCK; i++)               \
            x[i] = convert(stored[i]);            \
    }
DEFINE_LOAD(load_f16, uint16_t, gtr_from_f16)
DEFINE_LOAD(load_bf16, uint16_t, gtr_from_bf16)
DEFINE_LOAD(load_f64, double, (float))

const struct gtr_update_kernels gtr_update_portable = {
    .move = { [GTR_ADAMW] = { adamw_plain, adamw_policy },
              [GTR_SGD] = { sgd_plain, sgd_policy },
              [GTR_LION] = { lion_plain, lion_policy },
              [GTR_RMSPROP] = { rmsprop_plain, rmsprop_policy },
              [GTR_NADAM] = { nadam_plain, nadam_policy } },
    .load = { [GTR_F16] = load_f16, [GTR_BF16] = load_bf16, [GTR_F64] = load_f64 },
};
