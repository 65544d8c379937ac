/* lanes_cuda.cu - one thread, one lane, by the function that CPUs run.
 *
 * Inputs and outputs lie group by group, as on the CPU.  Neighbours then write far from each other,
 * step by step; but a replay has no more lanes than groups, its writes meet again in the cache, and
 * nothing has to be turned round afterwards.  Sweeps, which have lanes by the million, have kernels
 * of their own.
 */
#include <cuda_runtime.h>

#include "lanes_cuda.h"

enum { BLOCK = 64 };

/* Lanes first .. end - 1 of one policy. */
struct lanes {
    const union gtr_params *params;
    struct gtr_lane_input in;
    struct gtr_lane_output out;
    const double *numel; /* [n_lanes], or NULL */
    size_t first, end;
};

static __device__ __forceinline__ void run(enum gtr_policy_id policy, const struct lanes &l)
{
    const size_t lane = l.first + (size_t)blockIdx.x * BLOCK + threadIdx.x;
    const size_t at = lane * l.in.n_steps;
    struct gtr_lane_input in = l.in;
    struct gtr_lane_output out;

    if (lane >= l.end)
        return;
    in.sumsq = l.in.sumsq + at;
    in.maxabs = l.in.maxabs != NULL ? l.in.maxabs + at : NULL;
    in.weight = l.in.weight != NULL ? l.in.weight + at : NULL;
    in.numel = l.numel != NULL ? l.numel[lane] : (double)NAN;
    out.lower = l.out.lower != NULL ? l.out.lower + at : NULL;
    out.upper = l.out.upper != NULL ? l.out.upper + at : NULL;
    out.scale = l.out.scale != NULL ? l.out.scale + at : NULL;
    out.flags = l.out.flags != NULL ? l.out.flags + at : NULL;
    gtr_lane_run(policy, &l.params[lane], &in, &out);
}

#define X(ID, stem, unit)                                                                      \
    static __global__ void __launch_bounds__(BLOCK) gtr_lanes_##stem(const struct lanes lanes) \
    {                                                                                          \
        run(ID, lanes);                                                                        \
    }
GTR_POLICIES(X)
#undef X

static void launch(enum gtr_policy_id policy, const struct lanes &lanes, cudaStream_t stream)
{
    const unsigned grid = (unsigned)((lanes.end - lanes.first + BLOCK - 1) / BLOCK);

    switch (policy) {
#define X(ID, stem, unit)                                         \
    case ID:                                                      \
        GTR_LAUNCH(gtr_lanes_##stem, grid, BLOCK, stream, lanes); \
        break;
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
}

/* What lies on the GPU. */
struct memory {
    cudaStream_t stream;
    union gtr_params *params;
    double *sumsq, *total, *progress, *numel;
    double *loss, *maxabs, *total_maxabs, *weight, *given; /* NULL where there is none */
    uint8_t *skip;
    double *lower, *upper, *scale;
    uint8_t *flags;
};

/* Copies n doubles to a new place, if there are any. */
static enum gtr_code copy_some(struct memory *m, double **to, const double *from, size_t n,
                               struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (from == NULL)
        return GTR_OK;
    CUDA_TRY(cudaMalloc(to, n * sizeof(double)));
    CUDA_TRY(cudaMemcpyAsync(*to, from, n * sizeof(double), cudaMemcpyHostToDevice, m->stream));
out:
    return rc;
}

/* What only some policies ask for. */
static enum gtr_code copy_more(struct memory *m, const struct gtr_lane_input *in,
                               const double *numel, size_t n_lanes, struct gtr_err *err)
{
    const size_t t = in->n_steps;
    enum gtr_code rc = copy_some(m, &m->numel, numel, n_lanes, err);

    if (rc == GTR_OK)
        rc = copy_some(m, &m->loss, in->loss, t, err);
    if (rc == GTR_OK)
        rc = copy_some(m, &m->maxabs, in->maxabs, n_lanes * t, err);
    if (rc == GTR_OK)
        rc = copy_some(m, &m->total_maxabs, in->total_maxabs, t, err);
    if (rc == GTR_OK)
        rc = copy_some(m, &m->weight, in->weight, n_lanes * t, err);
    if (rc == GTR_OK)
        rc = copy_some(m, &m->given, in->given, t * GTR_GIVEN, err);
    return rc;
}

static enum gtr_code copy_in(struct memory *m, const union gtr_params *params, size_t n_lanes,
                             const struct gtr_lane_input *in, const struct gtr_lane_output *out,
                             struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    const size_t n = n_lanes * in->n_steps, step = in->n_steps * sizeof(double);
    const enum cudaMemcpyKind kind = cudaMemcpyHostToDevice;

    CUDA_TRY(cudaStreamCreateWithFlags(&m->stream, cudaStreamNonBlocking));
    CUDA_TRY(cudaMalloc(&m->params, n_lanes * sizeof *params));
    CUDA_TRY(cudaMalloc(&m->sumsq, n * sizeof(double)));
    CUDA_TRY(cudaMalloc(&m->total, step));
    CUDA_TRY(cudaMalloc(&m->progress, step));
    CUDA_TRY(cudaMalloc(&m->skip, in->n_steps));
    if (out->lower != NULL)
        CUDA_TRY(cudaMalloc(&m->lower, n * sizeof(double)));
    if (out->upper != NULL)
        CUDA_TRY(cudaMalloc(&m->upper, n * sizeof(double)));
    if (out->scale != NULL)
        CUDA_TRY(cudaMalloc(&m->scale, n * sizeof(double)));
    if (out->flags != NULL)
        CUDA_TRY(cudaMalloc(&m->flags, n));
    CUDA_TRY(cudaMemcpyAsync(m->params, params, n_lanes * sizeof *params, kind, m->stream));
    CUDA_TRY(cudaMemcpyAsync(m->sumsq, in->sumsq, n * sizeof(double), kind, m->stream));
    CUDA_TRY(cudaMemcpyAsync(m->total, in->total, step, kind, m->stream));
    CUDA_TRY(cudaMemcpyAsync(m->progress, in->progress, step, kind, m->stream));
    CUDA_TRY(cudaMemcpyAsync(m->skip, in->skip, in->n_steps, kind, m->stream));
out:
    return rc;
}

static enum gtr_code copy_out(const struct memory *m, size_t n, const struct gtr_lane_output *out,
                              struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    const enum cudaMemcpyKind kind = cudaMemcpyDeviceToHost;

    if (out->lower != NULL)
        CUDA_TRY(cudaMemcpyAsync(out->lower, m->lower, n * sizeof(double), kind, m->stream));
    if (out->upper != NULL)
        CUDA_TRY(cudaMemcpyAsync(out->upper, m->upper, n * sizeof(double), kind, m->stream));
    if (out->scale != NULL)
        CUDA_TRY(cudaMemcpyAsync(out->scale, m->scale, n * sizeof(double), kind, m->stream));
    if (out->flags != NULL)
        CUDA_TRY(cudaMemcpyAsync(out->flags, m->flags, n, kind, m->stream));
    CUDA_TRY(cudaStreamSynchronize(m->stream));
out:
    return rc;
}

static void release(struct memory *m)
{
    if (m->stream != NULL) {
        cudaStreamSynchronize(m->stream);
        cudaStreamDestroy(m->stream);
    }
    cudaFree(m->params);
    cudaFree(m->sumsq);
    cudaFree(m->total);
    cudaFree(m->progress);
    cudaFree(m->numel);
    cudaFree(m->loss);
    cudaFree(m->maxabs);
    cudaFree(m->total_maxabs);
    cudaFree(m->weight);
    cudaFree(m->given);
    cudaFree(m->skip);
    cudaFree(m->lower);
    cudaFree(m->upper);
    cudaFree(m->scale);
    cudaFree(m->flags);
}

extern "C" enum gtr_code gtr_lanes_cuda(int number, const enum gtr_policy_id *policy,
                                        const union gtr_params *params, const double *numel,
                                        size_t n_lanes, const struct gtr_lane_input *in,
                                        const struct gtr_lane_output *out, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    struct memory m = {};
    struct lanes lanes;
    int before = -1;

    if (n_lanes == 0 || in->n_steps == 0)
        return GTR_OK;
    CUDA_TRY(cudaGetDevice(&before));
    CUDA_TRY(cudaSetDevice(number));
    rc = copy_in(&m, params, n_lanes, in, out, err);
    if (rc == GTR_OK)
        rc = copy_more(&m, in, numel, n_lanes, err);
    if (rc != GTR_OK)
        goto out;
    lanes.numel = m.numel;
    lanes.params = m.params;
    lanes.in = { m.sumsq,        m.total,  m.progress, m.skip, m.loss,     m.maxabs,
                 m.total_maxabs, m.weight, m.given,    0.0,    in->n_steps };
    lanes.out = { m.lower, m.upper, m.scale, m.flags };
    /* Neighbours of one policy together. */
    for (lanes.first = 0; lanes.first < n_lanes; lanes.first = lanes.end) {
        lanes.end = lanes.first + 1;
        while (lanes.end < n_lanes && policy[lanes.end] == policy[lanes.first])
            lanes.end++;
        launch(policy[lanes.first], lanes, m.stream);
        CUDA_TRY(cudaGetLastError());
    }
    rc = copy_out(&m, n_lanes * in->n_steps, out, err);
out:
    release(&m);
    if (before >= 0)
        cudaSetDevice(before);
    return rc;
}
