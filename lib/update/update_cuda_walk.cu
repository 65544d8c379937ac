/* update_cuda_walk.cu - elements walk through the rows of a slice, with their states in registers.
 *
 * One CUDA block is one canonical block of 1024 elements and has a thread for each of its lanes:
 *
 *     thread l:  elements l, l + 128, ..., l + 896    x   u_none and up to four leads
 *
 * so lane l's sums are a thread's own, and each gradient is read once for all of them.  States come
 * from memory before the first row and go back after the last.
 *
 * The lanes then fold in halves, 64, 32, ..., 1.  Which lanes meet is fixed, who adds them is not:
 * a folder takes the 16 lanes j, j + 8, ..., j + 120 of one quantity and does the first four levels
 * by itself, a finisher the last three.  All quantities are folded at once, and the finishers' work
 * on one row waits for the barrier of the next, so that a row costs one barrier.
 */
#include <cuda_runtime.h>

#include "cuda.h"
#include "half.h"
#include "update_cuda.h"

enum {
    LANES = 128,
    EACH = 8, /* elements of a lane */
    BLOCK = LANES * EACH,
    BUNDLE = GTR_UPDATE_BUNDLE,
    QUANTITIES = 3 * BUNDLE + 1,
    FOLDERS = 8,                 /* of a quantity */
    LANES_ROW = LANES + FOLDERS, /* a quantity's folders shall not meet its neighbour's banks */
    PARTS_ROW = FOLDERS + 1
};

static_assert(QUANTITIES * FOLDERS <= LANES, "each folder is a thread");

/* What is shared by the threads of a block. */
struct board {
    double lanes[2][QUANTITIES][LANES_ROW];
    double parts[2][QUANTITIES][PARTS_ROW];
    /* Each thread's own: u_none as double.  Registers are short, and a conversion takes as long as
     * the start of a square root. */
    double plain[EACH][LANES];
};

/* One thread's part of one policy. */
struct walker {
    struct gtr_moments state[EACH];
};

#define TWO_STATES (gtr_optimizer_states((enum gtr_optimizer_id)OPTIMIZER) == 2)

/* Zero is left where an optimizer remembers one number, so that nothing has to hold the other. */
template <int OPTIMIZER>
static __device__ __forceinline__ void load_walker(struct walker *w, const float *slot,
                                                   size_t n_elements)
{
    GTR_UNROLL
    for (int e = 0; e < EACH; e++) {
        w->state[e].first = slot[e * LANES];
        w->state[e].second = TWO_STATES ? slot[n_elements + e * LANES] : 0.0f;
    }
}

template <int OPTIMIZER>
static __device__ __forceinline__ void store_walker(const struct walker *w, float *slot,
                                                    size_t n_elements)
{
    GTR_UNROLL
    for (int e = 0; e < EACH; e++) {
        slot[e * LANES] = w->state[e].first;
        if (TWO_STATES)
            slot[n_elements + e * LANES] = w->state[e].second;
    }
}

static __device__ __forceinline__ float gradient(enum gtr_dtype dtype, const void *block,
                                                 uint32_t i)
{
    switch (dtype) {
    case GTR_F32:
        return ((const float *)block)[i];
    case GTR_F16:
        return gtr_from_f16(((const uint16_t *)block)[i]);
    case GTR_BF16:
        return gtr_from_bf16(((const uint16_t *)block)[i]);
    case GTR_F64:
        return (float)((const double *)block)[i];
    case GTR_DTYPE_COUNT:
        break;
    }
    return 0.0f;
}

/* The thread's gradients of one row; of the block, n elements exist.  The dtype is a constant here,
 * so that the eight reads are under way together. */
template <int DTYPE>
static __device__ __forceinline__ void load_gradients_of(float *x, const void *block, uint32_t n)
{
    GTR_UNROLL
    for (int e = 0; e < EACH; e++) {
        uint32_t i = threadIdx.x + (uint32_t)e * LANES;

        x[e] = i < n ? gradient((enum gtr_dtype)DTYPE, block, i) : 0.0f;
    }
}

static __device__ __forceinline__ void load_gradients(float *x, enum gtr_dtype dtype,
                                                      const void *block, uint32_t n)
{
    if (dtype == GTR_F32)
        load_gradients_of<GTR_F32>(x, block, n);
    else if (dtype == GTR_F16)
        load_gradients_of<GTR_F16>(x, block, n);
    else if (dtype == GTR_BF16)
        load_gradients_of<GTR_BF16>(x, block, n);
    else
        load_gradients_of<GTR_F64>(x, block, n);
}

static __device__ __forceinline__ uint32_t size_of(enum gtr_dtype dtype)
{
    return dtype == GTR_F64 ? 8 : dtype == GTR_F32 ? 4 : 2;
}

template <int OPTIMIZER>
static __device__ __forceinline__ float move(const struct gtr_optimizer_step *o, float g,
                                             struct gtr_moments *state)
{
    return gtr_optimizer_move((enum gtr_optimizer_id)OPTIMIZER, o, g, state);
}

/* u_none of the thread's elements; returns the lane's sum of squares. */
template <int OPTIMIZER>
static __device__ __forceinline__ double walk_none(struct walker *w, struct board *board,
                                                   const struct gtr_optimizer_step *o,
                                                   const float *x, float *plain, uint32_t n)
{
    double sum = 0.0;

    GTR_UNROLL
    for (int e = 0; e < EACH; e++) {
        float u = move<OPTIMIZER>(o, x[e], &w->state[e]);

        plain[e] = threadIdx.x + (uint32_t)e * LANES < n ? u : 0.0f;
        board->plain[e][threadIdx.x] = (double)plain[e];
        sum += (double)plain[e] * (double)plain[e];
    }
    return sum;
}

/* Really from there: else the compiler finds registers for it, and spills others. */
static __device__ __forceinline__ double read_back(const volatile double *p)
{
    return *p;
}

template <int OPTIMIZER>
static __device__ __forceinline__ struct gtr_update_sums walk_lead(
    struct walker *w, const struct board *board, const struct gtr_optimizer_step *o, float scale,
    const float *x, const float *plain, uint32_t n)
{
    struct gtr_update_sums sum = { 0.0, 0.0, 0.0 };

    GTR_UNROLL
    for (int e = 0; e < EACH; e++) {
        float u = move<OPTIMIZER>(o, scale * x[e], &w->state[e]), d;

        u = threadIdx.x + (uint32_t)e * LANES < n ? u : 0.0f;
        d = u - plain[e];
        sum.update += (double)u * (double)u;
        sum.change += (double)d * (double)d;
        sum.along += (double)u * read_back(&board->plain[e][threadIdx.x]);
    }
    return sum;
}

/* Eight numbers in halves: 4, 2, 1. */
static __device__ __forceinline__ double fold_8(const double *s)
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* The first four levels of a quantity: its lanes j, j + 8, ... in halves. */
static __device__ __forceinline__ double fold_16(const double *lane)
{
    double s[8];

    GTR_UNROLL
    for (int i = 0; i < 8; i++)
        s[i] = lane[i * FOLDERS] + lane[(i + 8) * FOLDERS];
    return fold_8(s);
}

/* Each bundle has u_none; the first one tells it. */
static __device__ __forceinline__ void finish_row(const struct board *board, uint32_t side,
                                                  uint32_t quantities, bool tells_none,
                                                  double *sums)
{
    if (sums != NULL && threadIdx.x < quantities && (threadIdx.x > 0 || tells_none))
        sums[threadIdx.x] = fold_8(board->parts[side][threadIdx.x]);
}

/* The lanes of a row are on the board: finishes the row before, whose sums are waited for at
 * `waits`, and folds. */
static __device__ __forceinline__ void fold_row(struct board *board, uint32_t side,
                                                uint32_t quantities, bool tells_none, double *waits)
{
    uint32_t quantity = threadIdx.x / FOLDERS, folder = threadIdx.x % FOLDERS;

    finish_row(board, side ^ 1, quantities, tells_none, waits);
    if (quantity < quantities)
        board->parts[side][quantity][folder] = fold_16(&board->lanes[side][quantity][folder]);
}

template <int OPTIMIZER>
static __global__ void __launch_bounds__(LANES, 4)
    gtr_update_walk_rows(const struct gtr_update_device d, uint32_t bundle)
{
    __shared__ struct board board;
    const struct gtr_update_piece piece = d.pieces[d.piece_of[blockIdx.x]];
    const struct gtr_update_lead *leads = d.leads + piece.group * d.n_policies + bundle * BUNDLE;
    const size_t n_elements = d.n_blocks * BLOCK, slot = 2 * n_elements;
    uint32_t n_leads = d.n_leads[piece.group], side = 0;
    uint32_t before = (uint32_t)(blockIdx.x - piece.position / BLOCK) * BLOCK;
    uint32_t n = piece.n - before;
    const unsigned char *elements = d.rows + piece.offset + before * size_of(piece.dtype);
    float *states = d.states + (size_t)blockIdx.x * BLOCK + threadIdx.x;
    double *waits = NULL;
    struct walker none, walkers[BUNDLE];

    if (bundle > 0 && bundle * BUNDLE >= n_leads)
        return;
    n_leads -= bundle * BUNDLE;
    if (n_leads > BUNDLE)
        n_leads = BUNDLE;
    load_walker<OPTIMIZER>(&none, states + d.n_policies * slot, n_elements);
    GTR_UNROLL
    for (int k = 0; k < BUNDLE; k++)
        if (k < (int)n_leads)
            load_walker<OPTIMIZER>(&walkers[k], states + leads[k].source * slot, n_elements);
    for (uint32_t r = 0; r < (uint32_t)d.n_rows; r++) {
        const size_t row = d.first + r;
        const struct gtr_optimizer_step step = d.steps[row];
        const float *scale = d.scale + (row * d.n_groups + piece.group) * d.n_policies;
        float x[EACH], plain[EACH];

        if (d.skip[row])
            continue;
        load_gradients(x, piece.dtype, elements + r * d.row_bytes, n);
        board.lanes[side][0][threadIdx.x] = walk_none<OPTIMIZER>(&none, &board, &step, x, plain, n);
        GTR_UNROLL
        for (int k = 0; k < BUNDLE; k++) {
            if (k < (int)n_leads) {
                struct gtr_update_sums s = walk_lead<OPTIMIZER>(
                    &walkers[k], &board, &step, scale[leads[k].policy], x, plain, n);

                board.lanes[side][3 * k + 1][threadIdx.x] = s.update;
                board.lanes[side][3 * k + 2][threadIdx.x] = s.change;
                board.lanes[side][3 * k + 3][threadIdx.x] = s.along;
            }
        }
        __syncthreads();
        fold_row(&board, side, 3 * n_leads + 1, bundle == 0, waits);
        waits = d.sums + (r * d.n_blocks + blockIdx.x) * d.width + bundle * 3 * BUNDLE;
        side ^= 1;
    }
    __syncthreads();
    finish_row(&board, side ^ 1, 3 * n_leads + 1, bundle == 0, waits);
    if (bundle == 0)
        store_walker<OPTIMIZER>(&none, states + d.n_policies * slot, n_elements);
    GTR_UNROLL
    for (int k = 0; k < BUNDLE; k++)
        if (k < (int)n_leads)
            store_walker<OPTIMIZER>(&walkers[k], states + leads[k].policy * slot, n_elements);
}

void gtr_update_walk(const struct gtr_update_device *d, enum gtr_optimizer_id optimizer,
                     uint32_t bundle, void *stream)
{
    unsigned grid = (unsigned)d->n_blocks;

#define WALK(id)                                                                             \
    case id:                                                                                 \
        GTR_LAUNCH(gtr_update_walk_rows<id>, grid, LANES, (cudaStream_t)stream, *d, bundle); \
        break;
    switch (optimizer) {
        WALK(GTR_ADAMW)
        WALK(GTR_SGD)
        WALK(GTR_LION)
        WALK(GTR_RMSPROP)
        WALK(GTR_NADAM)
    default:
        break;
    }
#undef WALK
}
