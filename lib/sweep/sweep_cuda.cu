/* sweep_cuda.cu - memory, queues and waves for the kernels of a sweep.
 *
 * The settings of a slot go through the GPU in waves: as many as fill it once or a few times.  A
 * wave's kernels follow each other in the slot's queue; the other slot's queue fills the gaps.
 */
#include <cuda_runtime.h>

#include "sweep_cuda.h"

#include "alloc.h"
#include "sweep_cuda_kernels.h"

/* Per multiprocessor.  Lanes of a wave: with directions, what is resident at 96 registers a
 * thread, as what they put away should stay in the cache; without, eight times that, to lose less
 * at the end of a wave.  Scales of a chunk: 24 MiB on 132 multiprocessors, half of their cache. */
enum { LANES_ALL = 640, LANES_SCALES = 5120, CHUNK_BYTES = 192 << 10 };

struct slot {
    cudaStream_t stream;
    union gtr_params *host_params; /* pinned, as is out: copies then overlap kernels */
    double *host_out;
    double *host_given; /* NULL, as the next three, without look-backs */
    uint32_t *host_key;
    double *given;
    uint32_t *key;
    union gtr_params *params;
    double *out;
    uint64_t *state, *tally;
    double *scale;
    struct gtr_whole *whole;
};

struct gtr_sweep_gpu {
    int before; /* the thread's device until now */
    struct gtr_sweep_row *row;
    struct gtr_sweep_cell *cell;
    double *numel;
    size_t n_rows, n_groups, left_out;
    double log_kappa;
    size_t wave_all, wave_scales; /* settings */
    size_t chunk;                 /* scales */
    struct slot slot[GTR_SWEEP_SLOTS];
};

/* Settings of a wave of so many lanes: whole blocks, if there are that many. */
static size_t wave_size(size_t lanes, size_t n_groups, size_t n_settings)
{
    size_t n = lanes / n_groups;

    n = n >= LANE_BLOCK ? n / LANE_BLOCK * LANE_BLOCK : n > 0 ? n : 1;
    return n < n_settings ? n : n_settings;
}

static enum gtr_code open_slot(struct slot *slot, const struct gtr_sweep_gpu *gpu,
                               size_t n_settings, size_t n_params, size_t n_keys,
                               struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t given = n_keys * (gpu->n_rows + 1) * GTR_GIVEN * sizeof(double);
    size_t out = n_settings * GTR_OBJECTIVE_COUNT * sizeof(double);
    size_t all = gpu->wave_all * gpu->n_groups, most = gpu->wave_scales * gpu->n_groups;

    CUDA_TRY(cudaStreamCreateWithFlags(&slot->stream, cudaStreamNonBlocking));
    CUDA_TRY(cudaMallocHost(&slot->host_params, n_params * sizeof *slot->params));
    CUDA_TRY(cudaMallocHost(&slot->host_out, out));
    CUDA_TRY(cudaMalloc(&slot->params, n_params * sizeof *slot->params));
    CUDA_TRY(cudaMalloc(&slot->out, out));
    CUDA_TRY(cudaMalloc(&slot->state, all * sizeof(union gtr_state)));
    CUDA_TRY(cudaMalloc(&slot->tally, most * sizeof(struct gtr_tally)));
    CUDA_TRY(cudaMalloc(&slot->scale, gpu->chunk * sizeof(double)));
    CUDA_TRY(cudaMalloc(&slot->whole, gpu->wave_all * sizeof *slot->whole));
    if (given > 0) {
        CUDA_TRY(cudaMallocHost(&slot->host_given, given));
        CUDA_TRY(cudaMallocHost(&slot->host_key, n_settings * sizeof(uint32_t)));
        CUDA_TRY(cudaMalloc(&slot->given, given));
        CUDA_TRY(cudaMalloc(&slot->key, n_settings * sizeof(uint32_t)));
    }
out:
    return rc;
}

static enum gtr_code copy_rows(struct gtr_sweep_gpu *gpu, const struct gtr_sweep_rows *rows,
                               struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t row = rows->n_rows * sizeof *rows->row;
    size_t cell = rows->n_rows * rows->n_groups * sizeof *rows->cell;

    CUDA_TRY(cudaMalloc(&gpu->row, row));
    CUDA_TRY(cudaMalloc(&gpu->cell, cell));
    CUDA_TRY(cudaMemcpy(gpu->row, rows->row, row, cudaMemcpyHostToDevice));
    CUDA_TRY(cudaMemcpy(gpu->cell, rows->cell, cell, cudaMemcpyHostToDevice));
    CUDA_TRY(cudaMalloc(&gpu->numel, rows->n_groups * sizeof(double)));
    CUDA_TRY(cudaMemcpy(gpu->numel, rows->numel, rows->n_groups * sizeof(double),
                        cudaMemcpyHostToDevice));
out:
    return rc;
}

/* The parts of an open GPU. */
static enum gtr_code fill(struct gtr_sweep_gpu *gpu, int number, const struct gtr_sweep_rows *rows,
                          size_t n_settings, size_t n_params, size_t n_keys, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    struct cudaDeviceProp about;
    size_t n, s;

    CUDA_TRY(cudaGetDevice(&gpu->before));
    CUDA_TRY(cudaSetDevice(number));
    CUDA_TRY(cudaGetDeviceProperties(&about, number));
    n = (size_t)about.multiProcessorCount;
    gpu->n_rows = rows->n_rows;
    gpu->n_groups = rows->n_groups;
    gpu->left_out = rows->left_out;
    gpu->log_kappa = rows->log_kappa;
    gpu->wave_all = wave_size(n * LANES_ALL, rows->n_groups, n_settings);
    gpu->wave_scales = wave_size(n * LANES_SCALES, rows->n_groups, n_settings);
    gpu->chunk = n * CHUNK_BYTES / sizeof(double);
    if (gpu->chunk < gpu->wave_all * gpu->n_groups)
        gpu->chunk = gpu->wave_all * gpu->n_groups; /* one row, at the least */
    rc = copy_rows(gpu, rows, err);
    for (s = 0; rc == GTR_OK && s < GTR_SWEEP_SLOTS; s++)
        rc = open_slot(&gpu->slot[s], gpu, n_settings, n_params, n_keys, err);
out:
    return rc;
}

extern "C" enum gtr_code gtr_sweep_gpu_open(int number, const struct gtr_sweep_rows *rows,
                                            size_t n_settings, size_t n_params, size_t n_keys,
                                            struct gtr_sweep_gpu **out, struct gtr_err *err)
{
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(out, 1, sizeof **out, "GPUs", err);
    if (rc != GTR_OK)
        return rc;
    (*out)->before = -1;
    return fill(*out, number, rows, n_settings, n_params, n_keys, err);
}

extern "C" void gtr_sweep_gpu_close(struct gtr_sweep_gpu *gpu)
{
    size_t s;

    if (gpu == NULL)
        return;
    for (s = 0; s < GTR_SWEEP_SLOTS; s++) {
        struct slot *slot = &gpu->slot[s];

        if (slot->stream != NULL) {
            cudaStreamSynchronize(slot->stream);
            cudaStreamDestroy(slot->stream);
        }
        cudaFreeHost(slot->host_params);
        cudaFreeHost(slot->host_out);
        cudaFreeHost(slot->host_given);
        cudaFreeHost(slot->host_key);
        cudaFree(slot->given);
        cudaFree(slot->key);
        cudaFree(slot->params);
        cudaFree(slot->out);
        cudaFree(slot->state);
        cudaFree(slot->tally);
        cudaFree(slot->scale);
        cudaFree(slot->whole);
    }
    cudaFree(gpu->row);
    cudaFree(gpu->cell);
    cudaFree(gpu->numel);
    if (gpu->before >= 0)
        cudaSetDevice(gpu->before);
    cudaGetLastError(); /* what failed was told when it failed */
    gtr_free(gpu);
}

extern "C" union gtr_params *gtr_sweep_gpu_params(struct gtr_sweep_gpu *gpu, size_t slot)
{
    return gpu->slot[slot].host_params;
}

extern "C" double *gtr_sweep_gpu_given(struct gtr_sweep_gpu *gpu, size_t slot)
{
    return gpu->slot[slot].host_given;
}

extern "C" uint32_t *gtr_sweep_gpu_key(struct gtr_sweep_gpu *gpu, size_t slot)
{
    return gpu->slot[slot].host_key;
}

extern "C" const double *gtr_sweep_gpu_out(const struct gtr_sweep_gpu *gpu, size_t slot)
{
    return gpu->slot[slot].host_out;
}

static unsigned blocks_of(size_t n, size_t block)
{
    return (unsigned)((n + block - 1) / block);
}

#define LAUNCH_LANES(stem)                                                    \
    do {                                                                      \
        if (w.scale != NULL)                                                  \
            GTR_LAUNCH(gtr_sweep_all_##stem, grid, LANE_BLOCK, stream, w);    \
        else                                                                  \
            GTR_LAUNCH(gtr_sweep_scales_##stem, grid, LANE_BLOCK, stream, w); \
    } while (0)

static void launch_lanes(const struct gtr_sweep_load *load, cudaStream_t stream,
                         const struct wave &w)
{
    unsigned grid = blocks_of(w.n, LANE_BLOCK) * (unsigned)w.n_groups;

    switch (load->usual ? load->policy : GTR_POLICY_COUNT) {
#define X(ID, stem)                 \
    case ID:                        \
        LAUNCH_LANES(usual_##stem); \
        return;
        GTR_POLICIES_USUAL(X)
#undef X
    default:
        break;
    }
    switch (load->policy) {
#define X(ID, stem, unit)   \
    case ID:                \
        LAUNCH_LANES(stem); \
        break;
        GTR_POLICIES(X)
#undef X
    case GTR_POLICY_COUNT:
        break;
    }
}

/* One wave over all rows.  A trace of which no step counts still has lanes to begin. */
static void run_wave(struct wave w, const struct slot *slot, const struct gtr_sweep_load *load,
                     size_t n_rows, size_t chunk)
{
    size_t rows = load->scales_only ? n_rows : chunk / (w.n * w.n_groups);

    w.scale = load->scales_only ? NULL : slot->scale;
    w.first = 0;
    do {
        w.end = n_rows - w.first < rows ? n_rows : w.first + rows;
        launch_lanes(load, slot->stream, w);
        if (!load->scales_only)
            GTR_LAUNCH(gtr_sweep_direction, blocks_of(w.n, DIRECTION_ACROSS),
                       DIRECTION_ACROSS * DIRECTION_DOWN, slot->stream, w);
        w.first = w.end;
    } while (w.first < n_rows);
    GTR_LAUNCH(gtr_sweep_finish, blocks_of(w.n, FINISH_BLOCK), FINISH_BLOCK, slot->stream, w);
}

extern "C" enum gtr_code gtr_sweep_gpu_start(struct gtr_sweep_gpu *gpu, size_t which,
                                             const struct gtr_sweep_load *load, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    struct slot *slot = &gpu->slot[which];
    size_t most = load->scales_only ? gpu->wave_scales : gpu->wave_all, at;
    struct wave w;

    CUDA_TRY(cudaMemcpyAsync(slot->params, slot->host_params,
                             load->n * load->n_params * sizeof *slot->params,
                             cudaMemcpyHostToDevice, slot->stream));
    if (load->n_keys > 0) {
        CUDA_TRY(cudaMemcpyAsync(slot->given, slot->host_given,
                                 load->n_keys * gpu->n_rows * GTR_GIVEN * sizeof(double),
                                 cudaMemcpyHostToDevice, slot->stream));
        CUDA_TRY(cudaMemcpyAsync(slot->key, slot->host_key, load->n * sizeof(uint32_t),
                                 cudaMemcpyHostToDevice, slot->stream));
    }
    w.given = load->n_keys > 0 ? slot->given : NULL;
    w.numel = gpu->numel;
    w.n_rows = gpu->n_rows;
    w.row = gpu->row;
    w.cell = gpu->cell;
    w.state = slot->state;
    w.tally = slot->tally;
    w.whole = slot->whole;
    w.n_params = load->n_params;
    w.n_groups = gpu->n_groups;
    w.left_out = gpu->left_out;
    w.untouched = load->whole_gradient ? gpu->n_groups : gpu->left_out;
    w.log_kappa = gpu->log_kappa;
    w.is_global = load->policy == GTR_GLOBAL;
    for (at = 0; at < load->n; at += w.n) {
        w.n = load->n - at < most ? load->n - at : most;
        w.params = slot->params + at * load->n_params;
        w.out = slot->out + at * GTR_OBJECTIVE_COUNT;
        w.key = w.given != NULL ? slot->key + at : NULL;
        run_wave(w, slot, load, gpu->n_rows, gpu->chunk);
        CUDA_TRY(cudaGetLastError());
    }
    CUDA_TRY(cudaMemcpyAsync(slot->host_out, slot->out,
                             load->n * GTR_OBJECTIVE_COUNT * sizeof(double), cudaMemcpyDeviceToHost,
                             slot->stream));
out:
    return rc;
}

extern "C" enum gtr_code gtr_sweep_gpu_wait(struct gtr_sweep_gpu *gpu, size_t which,
                                            struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    CUDA_TRY(cudaStreamSynchronize(gpu->slot[which].stream));
out:
    return rc;
}
