/* sweep_cuda_kernels.h - the three kernels of a sweep; for sweep_cuda.cu only.
 *
 *   lanes      one thread a lane, all threads of a block in one group, so that what is recorded is
 *              the same for all of them.  Rows are staged in shared memory and read from there by
 *              all threads at once.  State and tally stay in registers.
 *   direction  the groups of a setting meet here: the scales that lanes left, group by group.
 *   finish     tallies in group order, then the objectives.
 *
 * Formulas are those of policy.h, objectives.h and sweep_lane.h.  Without directions
 * (scales_only) lanes runs through all rows at once.  With them rows go in chunks small enough for
 * their scales to stay in the second-level cache between the two kernels; lanes put their state
 * away at the end of a chunk.  What is put away is stored word by word, each word of all lanes side
 * by side, as neighbours write neighbours.
 */
#ifndef GTR_SWEEP_CUDA_KERNELS_H
#define GTR_SWEEP_CUDA_KERNELS_H

#include "sweep_lane.h"

enum {
    LANE_BLOCK = 128,      /* threads; also rows that are staged at once */
    DIRECTION_ACROSS = 32, /* settings of a block: one warp reads one row */
    DIRECTION_DOWN = 8,    /* rows of it; their cosines are then added in order */
    FINISH_BLOCK = 128,
    STATE_WORDS = sizeof(union gtr_state) / sizeof(uint64_t),
    TALLY_WORDS = sizeof(struct gtr_tally) / sizeof(uint64_t)
};

/* A wave: settings that are on the GPU together, over rows first .. end - 1. */
struct wave {
    const struct gtr_sweep_row *row;
    const struct gtr_sweep_cell *cell;
    const double *numel;            /* [n_groups] */
    const union gtr_params *params; /* [n][n_params] */
    const double *given; /* [keys][n_rows][GTR_GIVEN] of look-backs, NULL if there are none */
    const uint32_t *key; /* [n] */
    size_t n_rows;
    uint64_t *state;         /* [STATE_WORDS][lanes]; a lane is group * n + setting */
    uint64_t *tally;         /* [TALLY_WORDS][lanes] */
    double *scale;           /* [rows of a chunk][lanes]; NULL: scales only */
    struct gtr_whole *whole; /* [n] */
    double *out;             /* [n][GTR_OBJECTIVE_COUNT] */
    size_t n, n_params, n_groups, first, end;
    size_t left_out;  /* not tallied */
    size_t untouched; /* group without a policy: left_out, or n_groups */
    double log_kappa;
    int is_global; /* policy with spill */
};

/* What most lanes read of a row; 16-byte loads.  The rest, which few policies ask for, is the same
 * for all threads of a block and is read where it lies. */
struct alignas(16) staged {
    double sumsq, norm, total, progress, log_ratio, unused;
};

static __device__ __forceinline__ size_t lanes_of(const struct wave &w)
{
    return w.n * w.n_groups;
}

/* Words of a struct to and from their places. */
template <typename T>
static __device__ __forceinline__ void put_away(const T &from, uint64_t *to, size_t stride)
{
    uint64_t words[sizeof(T) / sizeof(uint64_t)];

    memcpy(words, &from, sizeof from);
    for (size_t k = 0; k < sizeof(T) / sizeof(uint64_t); k++)
        to[k * stride] = words[k];
}

template <typename T>
static __device__ __forceinline__ void take_back(T *to, const uint64_t *from, size_t stride)
{
    uint64_t words[sizeof(T) / sizeof(uint64_t)];

    for (size_t k = 0; k < sizeof(T) / sizeof(uint64_t); k++)
        words[k] = from[k * stride];
    memcpy(to, words, sizeof *to);
}

/* Rows at .. at + count - 1 of the group, one a thread. */
static __device__ __forceinline__ void stage(struct staged *tile, const struct wave &w, size_t at,
                                             unsigned count, size_t group)
{
    unsigned r = threadIdx.x;

    if (r < count) {
        const struct gtr_sweep_cell *cell = &w.cell[(at + r) * w.n_groups + group];

        tile[r].sumsq = cell->sumsq;
        tile[r].norm = cell->norm;
        tile[r].total = w.row[at + r].total;
        tile[r].progress = w.row[at + r].progress;
        tile[r].log_ratio = cell->log_ratio;
    }
}

/* Row r as the lane sees it.  What its policy does not look at is not loaded. */
static __device__ __forceinline__ struct gtr_obs see(const struct staged *staged,
                                                     const struct wave &w, size_t group,
                                                     size_t chosen, size_t r)
{
    const struct gtr_sweep_row *row = &w.row[r];
    const struct gtr_sweep_cell *cell = &w.cell[r * w.n_groups + group];
    struct gtr_obs obs;

    obs.sumsq = staged->sumsq;
    obs.norm = staged->norm;
    obs.total = staged->total;
    obs.progress = staged->progress;
    obs.loss = row->loss;
    obs.maxabs = cell->maxabs;
    obs.total_maxabs = row->total_maxabs;
    obs.weight = cell->weight;
    obs.numel = w.numel[group];
    obs.seen = (double)r;
    for (int k = 0; k < GTR_GIVEN; k++)
        obs.given[k] =
            w.given != NULL ? w.given[(w.key[chosen] * w.n_rows + r) * GTR_GIVEN + (size_t)k] : 0.0;
    return obs;
}

/* A policy that sees nothing of a group lets it be. */
static __device__ void leave_alone(const struct wave &w, size_t lane)
{
    size_t r;

    for (r = w.first; w.scale != NULL && r < w.end; r++)
        w.scale[(r - w.first) * lanes_of(w) + lane] = 1.0;
}

/* One lane through its rows.  policy, full and usual are constants, and fold away; usual: of
 * settings of which gtr_policy_is_usual is known, so that what no lane asks for is not asked at
 * every step. */
static __device__ __forceinline__ void run_lane(const struct wave &w, enum gtr_policy_id policy,
                                                bool full, bool usual)
{
    __shared__ struct staged tile[LANE_BLOCK];
    const size_t blocks = (w.n + LANE_BLOCK - 1) / LANE_BLOCK;
    const size_t group = blockIdx.x / blocks,
                 setting = blockIdx.x % blocks * LANE_BLOCK + threadIdx.x;
    const bool on = setting < w.n; /* the others help to stage, and run the last setting idly */
    const size_t chosen = on ? setting : w.n - 1, lane = group * w.n + chosen;
    const size_t n_lanes = lanes_of(w);
    union gtr_params params;
    union gtr_state state;
    struct gtr_tally tally;
    const struct staged *row;
    double *scale = w.scale + lane; /* not looked at unless full */
    size_t at;

    if (group == w.untouched) { /* all of a block or none */
        if (on)
            leave_alone(w, lane);
        return;
    }
    params = w.params[chosen * w.n_params + (w.n_params > 1 ? group : 0)];
    if (w.first == 0) {
        gtr_policy_init(policy, &params, &state);
        gtr_tally_init(&tally);
    } else {
        take_back(&state, w.state + lane, n_lanes);
        take_back(&tally, w.tally + lane, n_lanes);
    }
    for (at = w.first; at < w.end; at += LANE_BLOCK) {
        unsigned count = w.end - at < LANE_BLOCK ? (unsigned)(w.end - at) : (unsigned)LANE_BLOCK;

        __syncthreads();
        stage(tile, w, at, count, group);
        __syncthreads();
        for (row = tile; count > 0; count--, row++, scale += n_lanes) {
            struct gtr_obs obs = see(row, w, group, chosen, at + (size_t)(row - tile));
            const struct gtr_action act = gtr_policy_step(policy, &params, &state, &obs, usual);

            gtr_tally_add_scale(&tally, &act);
            if (full) {
                gtr_tally_add_log(&tally, &act, row->log_ratio, w.log_kappa);
                if (on)
                    *scale = gtr_sweep_scale(&act);
            }
        }
    }
    if (on) {
        if (full)
            put_away(state, w.state + lane, n_lanes);
        put_away(tally, w.tally + lane, n_lanes);
    }
}

/* Two kernels.  Five blocks to a multiprocessor leave a thread 96 registers, four 128. */
#define KERNELS(ID, stem, usual, blocks)                         \
    static __global__ void __launch_bounds__(LANE_BLOCK, blocks) \
        gtr_sweep_scales_##stem(const struct wave w)             \
    {                                                            \
        run_lane(w, ID, false, usual);                           \
    }                                                            \
    static __global__ void __launch_bounds__(LANE_BLOCK, blocks) \
        gtr_sweep_all_##stem(const struct wave w)                \
    {                                                            \
        run_lane(w, ID, true, usual);                            \
    }
#define X(ID, stem, unit) KERNELS(ID, stem, false, 4)
GTR_POLICIES(X)
#undef X
#define X(ID, stem) KERNELS(ID, usual_##stem, true, 5)
GTR_POLICIES_USUAL(X)
#undef X

/* Cosine of one row of one setting. */
static __device__ __forceinline__ double cosine_at(const struct wave &w, size_t setting, size_t r)
{
    const double *scale = w.scale + (r - w.first) * lanes_of(w) + setting;
    const struct gtr_sweep_cell *cell = &w.cell[r * w.n_groups];
    struct gtr_direction direction;
    size_t j;

    gtr_direction_init(&direction);
    for (j = 0; j < w.n_groups; j++)
        gtr_direction_add(&direction, j, scale[j * w.n], cell[j].energy);
    return gtr_direction_cosine(&direction, w.row[r].energy);
}

/* Cosines of DIRECTION_DOWN rows at a time, which do not wait for each other; then their sum. */
static __global__ void __launch_bounds__(DIRECTION_ACROSS *DIRECTION_DOWN)
    gtr_sweep_direction(const struct wave w)
{
    __shared__ double cosine[DIRECTION_DOWN][DIRECTION_ACROSS];
    const size_t x = threadIdx.x % DIRECTION_ACROSS, y = threadIdx.x / DIRECTION_ACROSS;
    const size_t setting = (size_t)blockIdx.x * DIRECTION_ACROSS + x;
    const bool on = setting < w.n, adds = on && y == 0;
    struct gtr_whole whole;
    double log_limit = 0.0;
    size_t at, r;

    gtr_whole_init(&whole);
    if (adds && w.first > 0)
        whole = w.whole[setting];
    if (adds && w.is_global)
        log_limit = gtr_log_limit(&w.params[setting * w.n_params].global);
    for (at = w.first; at < w.end; at += DIRECTION_DOWN) {
        if (on && at + y < w.end)
            cosine[y][x] = cosine_at(w, setting, at + y);
        __syncthreads();
        for (r = at; adds && r < at + DIRECTION_DOWN && r < w.end; r++) {
            gtr_whole_add_cosine(&whole, cosine[r - at][x]);
            if (w.is_global)
                gtr_whole_add_spill(&whole, &w.row[r], log_limit);
        }
        __syncthreads();
    }
    if (adds)
        w.whole[setting] = whole;
}

static __global__ void __launch_bounds__(FINISH_BLOCK) gtr_sweep_finish(const struct wave w)
{
    const size_t setting = (size_t)blockIdx.x * FINISH_BLOCK + threadIdx.x;
    struct gtr_tally pooled, tally;
    struct gtr_whole whole;
    double objectives[GTR_OBJECTIVE_COUNT];
    size_t j;
    int k;

    if (setting >= w.n)
        return;
    gtr_tally_init(&pooled);
    for (j = 0; j < w.n_groups; j++) {
        if (j == w.left_out)
            continue;
        take_back(&tally, w.tally + j * w.n + setting, lanes_of(w));
        gtr_tally_merge(&pooled, &tally);
    }
    gtr_whole_init(&whole);
    if (w.scale != NULL)
        whole = w.whole[setting];
    gtr_objectives(&pooled, &whole, w.scale == NULL, objectives);
    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        w.out[setting * GTR_OBJECTIVE_COUNT + (size_t)k] = objectives[k];
}

#endif
