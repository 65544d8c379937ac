/* update_cuda_gather.cu - from the sums of blocks to those of pieces, and their moments.
 *
 * One CUDA block is one piece and row; neighbouring threads read neighbouring sums.  A policy that
 * is u_none so far has u = u_none: its sums are those of u_none, and its change is zero, or NaN
 * where u_none is not finite.
 */
#include <cuda_runtime.h>

#include "cuda.h"
#include "update_cuda.h"

enum { THREADS = 128, LEAVES = 8 };

/* One of the sums, in block k of a piece at [k x width]. */
struct column {
    const double *sums;
    size_t width;
    uint32_t n_blocks;
    bool from_itself; /* u_none - u_none */
};

/* Of a policy `which` of gtr_update_sums, 0, 1 or 2; of policy number n_policies, the plain sum. */
static __device__ struct column find_column(const struct gtr_update_device *d, size_t policy,
                                            uint32_t which)
{
    const struct gtr_update_piece *piece = &d->pieces[blockIdx.x];
    uint32_t place = GTR_UPDATE_NO_PLACE;
    struct column c;

    if (policy < d->n_policies)
        place = d->place[piece->group * d->n_policies + policy];
    c.width = d->width;
    c.n_blocks = (piece->n + 1023) / 1024;
    c.from_itself = place == GTR_UPDATE_NO_PLACE && which == 1;
    c.sums = d->sums + (blockIdx.y * d->n_blocks + piece->position / 1024) * d->width;
    if (place != GTR_UPDATE_NO_PLACE)
        c.sums += 1 + 3 * place + which;
    return c;
}

/* Block k, or +0 past the end. */
static __device__ __forceinline__ double block_sum(const struct column *c, uint32_t k)
{
    double sum = k < c->n_blocks ? c->sums[k * c->width] : 0.0;

    return c->from_itself ? sum - sum : sum;
}

/* A perfect binary tree over GTR_PIECE_BLOCKS leaves: eight at once, because reads that wait for
 * each other take long, and then what has become of eight and eight. */
static __device__ double tree(const struct column *c)
{
    double four = 0.0, two = 0.0, one = 0.0;

    GTR_ROLLED
    for (uint32_t k = 0; k < GTR_PIECE_BLOCKS; k += LEAVES) {
        double s[LEAVES], sum;

        GTR_UNROLL
        for (uint32_t i = 0; i < LEAVES; i++)
            s[i] = block_sum(c, k + i);
        sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
        if (!(k & LEAVES))
            one = sum;
        else if (!(k & 2 * LEAVES))
            two = one + sum;
        else if (!(k & 4 * LEAVES))
            four = two + (one + sum);
        else
            four = four + (two + (one + sum));
    }
    return four;
}

/* A thread for each sum. */
static __global__ void gtr_update_gather_sums(const struct gtr_update_device d)
{
    size_t at = blockIdx.y * d.n_pieces + blockIdx.x, n = 3 * d.n_policies;

    for (size_t i = threadIdx.x; i <= n; i += THREADS) {
        uint32_t which = (uint32_t)(i % 3);
        struct column c = find_column(&d, i / 3, which);
        double sum = tree(&c);

        if (i == n)
            d.answer.plain[at] = sum;
        else if (which == 0)
            d.answer.sums[at * d.n_policies + i / 3].update = sum;
        else if (which == 1)
            d.answer.sums[at * d.n_policies + i / 3].change = sum;
        else
            d.answer.sums[at * d.n_policies + i / 3].along = sum;
    }
}

/* A thread for each policy, and one for u_none. */
static __global__ void gtr_update_gather_moments(const struct gtr_update_device d)
{
    size_t at = blockIdx.y * d.n_pieces + blockIdx.x;

    for (size_t policy = threadIdx.x; policy <= d.n_policies; policy += THREADS) {
        struct column plain = find_column(&d, d.n_policies, 0);
        struct column update = find_column(&d, policy, 0), change = find_column(&d, policy, 1);
        struct column along = find_column(&d, policy, 2);
        struct gtr_update_moments moments = { 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 };
        double squares = 0.0;

        for (uint32_t k = 0; k < plain.n_blocks; k++) {
            double z = block_sum(&plain, k);
            struct gtr_update_sums sums = { block_sum(&update, k), block_sum(&change, k),
                                            block_sum(&along, k) };

            gtr_update_moments_add(&moments, &sums, z);
            squares += z * z;
        }
        if (policy < d.n_policies)
            d.answer.moments[at * d.n_policies + policy] = moments;
        else
            d.answer.plain_squares[at] = squares;
    }
}

void gtr_update_gather(const struct gtr_update_device *d, void *stream)
{
    dim3 grid((unsigned)d->n_pieces, (unsigned)d->n_rows);

    GTR_LAUNCH(gtr_update_gather_sums, grid, THREADS, (cudaStream_t)stream, *d);
    if (d->answer.moments != NULL)
        GTR_LAUNCH(gtr_update_gather_moments, grid, THREADS, (cudaStream_t)stream, *d);
}
