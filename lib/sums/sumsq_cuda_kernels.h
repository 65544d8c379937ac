/* sumsq_cuda_kernels.h - the canonical sum of sumsq.h by one warp per eight blocks.
 *
 * A gradient is read once and hardly computed on, so all that counts is to have enough loads under
 * way.  Each block of threads is one warp, and has one task: TASK_BLOCKS consecutive blocks of 1024
 * elements of one tensor, an aligned subtree of step 4.  Thread w reads elements w, w + 32, w + 64,
 * ... of a block: neighbours read neighbours, whatever the alignment, and the lanes that meet in
 * the folds 64 and 32 are the thread's own:
 *
 *     thread w        lanes w, w + 32, w + 64, w + 96
 *     fold by 64      (w) + (w + 64)     (w + 32) + (w + 96)
 *     fold by 32      their sum: values[block][w]
 *
 * What is left, 32 values a block, is put into shared memory, and one thread per block folds it by
 * 16, 8, 4, 2, 1.  Then one thread puts the eight blocks' sums together.
 *
 * A second kernel combines the tasks of each tensor: one block of threads a tensor, eight subtrees
 * at a time.  Its padding is the +0 of step 4.
 *
 * Signs are dropped as elements are read: squares and magnitudes have none, and the bits of
 * magnitudes are ordered as the magnitudes are, infinity and NaN above all.
 */
#ifndef GTR_SUMSQ_CUDA_KERNELS_H
#define GTR_SUMSQ_CUDA_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "sumsq.h"

/* As many blocks of threads as a processor holds at once; for 32 of them that is 64 registers a
 * thread.  Turing holds no more than 16. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define WARPS_A_PROCESSOR 16
#else
#define WARPS_A_PROCESSOR 32
#endif

enum {
    WARP = 32,
    TASK_BLOCKS = 8, /* 32 KiB of f32; 1 GiB then has 8 tasks for each place on an H100 */
    TASK_ELEMENTS = TASK_BLOCKS * GTR_SUMSQ_BLOCK,
    THREAD_ELEMENTS = GTR_SUMSQ_BLOCK / WARP, /* of one block */
    THREAD_LANES = GTR_SUMSQ_LANES / WARP,
    TREE_THREADS_MAX = 512,
    TREE_WIDTH = 8
};

/* Which part of which tensor; the tasks of a tensor are neighbours. */
struct task {
    uint32_t tensor;
    uint32_t number;
};

struct tensor {
    uint64_t numel;
    uint64_t first_task;
    uint64_t n_tasks;
};

/* What a subtree comes to. */
struct share {
    double sumsq;
    uint64_t top; /* largest magnitude, as its bits */
    uint64_t nonfinite;
};

/* --- element types -----------------------------------------------------------------------------
 *
 * `infinite` is the least magnitude that is not finite; `unit` is what one unit of value() squared
 * is worth; `at_once` are the loads that a thread has under way.
 */

/* What lies where a float has its sign, exponent and fraction once it is moved up by SHIFT bits. */
template <typename STORED, uint32_t MAGNITUDE, uint32_t INFINITE, int SHIFT> struct of_float {
    typedef STORED stored;
    typedef uint32_t bits;
    static constexpr bits magnitude = MAGNITUDE, infinite = INFINITE;
    static constexpr double unit = 1.0;
    static constexpr int at_once = 32;

    static __device__ double value(bits m)
    {
        return (double)__uint_as_float(m << SHIFT);
    }
};

typedef of_float<uint32_t, 0x7fffffff, 0x7f800000, 0> of_f32;
typedef of_float<uint16_t, 0x7fff, 0x7f80, 16> of_bf16; /* the upper half of an f32 */

/* Where f32 has its exponent, a half is its value times 2^-112, subnormals too: the sum comes out
 * times 2^-224, and is far from where doubles end. */
struct of_f16 : of_float<uint16_t, 0x7fff, 0x7c00, 13> {
    static constexpr double unit = 0x1p224;
};

struct of_f64 {
    typedef uint64_t stored;
    typedef uint64_t bits;
    static constexpr bits magnitude = 0x7fffffffffffffff, infinite = 0x7ff0000000000000;
    static constexpr double unit = 1.0;
    static constexpr int at_once = 16; /* 32 would not fit into the registers */

    static __device__ double value(bits m)
    {
        return __longlong_as_double((long long)m);
    }
};

/* --- kernels ---------------------------------------------------------------------------------- */

/* Adds the squares of this thread's next at_once elements of a block of which `left` are there. */
template <typename E>
static __device__ __forceinline__ void add_elements(const typename E::stored *p, int left,
                                                    double *lanes, typename E::bits *top,
                                                    unsigned *nonfinite)
{
    typename E::bits m[E::at_once], most = 0;
    int k;

    if (left >= WARP * E::at_once)
        for (k = 0; k < E::at_once; k++)
            m[k] = p[k * WARP + threadIdx.x];
    else
        for (k = 0; k < E::at_once; k++)
            m[k] = k * WARP + (int)threadIdx.x < left ? p[k * WARP + threadIdx.x] : 0;
    for (k = 0; k < E::at_once; k++) {
        m[k] &= E::magnitude;
        most = m[k] > most ? m[k] : most;
    }
    if (most >= E::infinite) { /* rare: look again, element by element */
        most = 0;
        for (k = 0; k < E::at_once; k++) {
            *nonfinite += m[k] >= E::infinite ? 1 : 0;
            m[k] = m[k] >= E::infinite ? 0 : m[k];
            most = m[k] > most ? m[k] : most;
        }
    }
    *top = most > *top ? most : *top;
    for (k = 0; k < E::at_once; k++) {
        double v = E::value(m[k]);

        lanes[k % THREAD_LANES] = lanes[k % THREAD_LANES] + v * v;
    }
}

/* values[0] + ... + values[2 * HALF - 1] in the order of step 3. */
template <int HALF> static __device__ __forceinline__ double fold(const double *values)
{
    double lane[HALF];
    int half, i;

    for (i = 0; i < HALF; i++)
        lane[i] = values[i] + values[i + HALF];
    for (half = HALF / 2; half > 0; half /= 2)
        for (i = 0; i < half; i++)
            lane[i] = lane[i] + lane[i + half];
    return lane[0];
}

/* The perfect tree over TREE_WIDTH neighbours; s is used up. */
static __device__ __forceinline__ double tree_of_8(double *s)
{
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

template <typename E>
static __global__ void __launch_bounds__(WARP, WARPS_A_PROCESSOR)
    gtr_sumsq_blocks(const struct task *__restrict__ tasks,
                     const struct tensor *__restrict__ tensors,
                     const void *const *__restrict__ elements, struct share *__restrict__ shares)
{
    /* One more a row, so that a column lies in 32 banks. */
    __shared__ double values[TASK_BLOCKS][WARP + 1];
    __shared__ double sums[TASK_BLOCKS];
    __shared__ typename E::bits tops[WARP];
    __shared__ unsigned bad[WARP];
    struct task task = tasks[blockIdx.x];
    uint64_t first = (uint64_t)task.number * TASK_ELEMENTS;
    uint64_t rest = tensors[task.tensor].numel - first;
    const typename E::stored *p = (const typename E::stored *)elements[task.tensor];
    int left = p == NULL ? 0 : rest < TASK_ELEMENTS ? (int)rest : TASK_ELEMENTS;
    int block, at, i;
    typename E::bits top = 0;
    unsigned nonfinite = 0;

    if (left > 0)
        p += first;
    for (block = 0; block < TASK_BLOCKS; block++) {
        double lanes[THREAD_LANES] = { 0.0, 0.0, 0.0, 0.0 };

        if (left > 0)
            for (at = 0; at < THREAD_ELEMENTS; at += E::at_once) {
                add_elements<E>(p, left, lanes, &top, &nonfinite);
                p += WARP * E::at_once;
                left -= WARP * E::at_once;
            }
        values[block][threadIdx.x] = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    }
    tops[threadIdx.x] = top;
    bad[threadIdx.x] = nonfinite;
    __syncthreads();
    if (threadIdx.x < TASK_BLOCKS)
        sums[threadIdx.x] = fold<WARP / 2>(values[threadIdx.x]) * E::unit;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (i = 1; i < WARP; i++) {
            top = tops[i] > top ? tops[i] : top;
            nonfinite += bad[i];
        }
        shares[blockIdx.x].sumsq = tree_of_8(sums);
        shares[blockIdx.x].top = top;
        shares[blockIdx.x].nonfinite = nonfinite;
    }
}

/* Leaves each tensor's reduction in its first share, and in out. */
static __global__ void gtr_sumsq_trees(const struct tensor *tensors, struct share *all_shares,
                                       struct share *out)
{
    struct tensor tensor = tensors[blockIdx.x];
    struct share *shares = all_shares + tensor.first_task;
    uint64_t n = tensor.n_tasks, stride, i;
    int k;

    for (stride = 1; stride < n; stride *= TREE_WIDTH) {
        for (i = threadIdx.x * stride * TREE_WIDTH; i < n; i += blockDim.x * stride * TREE_WIDTH) {
            double s[TREE_WIDTH];
            uint64_t top = 0, nonfinite = 0;

            for (k = 0; k < TREE_WIDTH; k++) {
                struct share share = { 0.0, 0, 0 };

                if (i + k * stride < n)
                    share = shares[i + k * stride];
                s[k] = share.sumsq;
                top = share.top > top ? share.top : top;
                nonfinite += share.nonfinite;
            }
            shares[i].sumsq = tree_of_8(s);
            shares[i].top = top;
            shares[i].nonfinite = nonfinite;
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        struct share none = { 0.0, 0, 0 };

        out[blockIdx.x] = n > 0 ? shares[0] : none;
    }
}

#endif
