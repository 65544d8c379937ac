/* sumsq_cuda.cu - all gradients of a step through the kernels: who does what, where, on which
 * stream.
 *
 * The work is cut into tasks once; a step then sends the gradients' addresses, launches, and
 * fetches the results.  What is called host_ lies in pinned memory, because only that is copied
 * while the host goes on.
 */
#include <cuda_runtime.h>
#include <stdint.h>
#include <string.h>

#include "alloc.h"
#include "cuda.h"
#include "sumsq_cuda.h"
#include "sumsq_cuda_kernels.h"

/* Memory of the device, but for what is called host. */
struct gtr_cuda_norms {
    int device;
    size_t n_tensors;
    unsigned tree_threads;                    /* as the largest tensor can use them */
    enum gtr_dtype *dtypes;                   /* host */
    uint64_t first_task[GTR_DTYPE_COUNT + 1]; /* tasks are in order of dtype, then of tensor */
    struct task *tasks;
    struct tensor *tensors;
    struct share *shares; /* of each task */
    struct share *results, *host_results;
    const void **elements, **host_elements;
    cudaEvent_t done;
    bool has_event, started;
};

/* Makes `device` the current one until leave_device. */
static enum gtr_code enter_device(int device, int *was, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    *was = -1;
    CUDA_TRY(cudaGetDevice(was));
    if (*was != device)
        CUDA_TRY(cudaSetDevice(device));
out:
    return rc;
}

static void leave_device(int device, int was)
{
    if (was >= 0 && was != device)
        cudaSetDevice(was);
}

/* Deals out tasks: fills tensors (host) and norms->first_task. */
static enum gtr_code plan(struct gtr_cuda_norms *norms, const uint64_t *numels,
                          struct tensor *tensors, struct gtr_err *err)
{
    uint64_t n = 0, largest = 0;
    size_t i;
    int d;

    for (d = 0; d < GTR_DTYPE_COUNT; d++) {
        norms->first_task[d] = n;
        for (i = 0; i < norms->n_tensors; i++) {
            if (norms->dtypes[i] != d)
                continue;
            tensors[i].numel = numels[i];
            tensors[i].first_task = n;
            tensors[i].n_tasks = numels[i] / TASK_ELEMENTS + (numels[i] % TASK_ELEMENTS > 0);
            n += tensors[i].n_tasks;
            largest = tensors[i].n_tasks > largest ? tensors[i].n_tasks : largest;
            if (n > INT32_MAX || numels[i] > (uint64_t)INT32_MAX * TASK_ELEMENTS)
                return gtr_fail(err, GTR_EUSAGE, "%zu tensors: more elements than a GPU has bytes",
                                norms->n_tensors);
        }
    }
    norms->first_task[d] = n;
    norms->tree_threads = WARP;
    while (norms->tree_threads < TREE_THREADS_MAX &&
           (uint64_t)norms->tree_threads * TREE_WIDTH < largest)
        norms->tree_threads *= 2;
    return GTR_OK;
}

static void fill_tasks(const struct gtr_cuda_norms *norms, const struct tensor *tensors,
                       struct task *tasks)
{
    size_t i;
    uint64_t k;

    for (i = 0; i < norms->n_tensors; i++) {
        for (k = 0; k < tensors[i].n_tasks; k++) {
            tasks[tensors[i].first_task + k].tensor = (uint32_t)i;
            tasks[tensors[i].first_task + k].number = (uint32_t)k;
        }
    }
}

/* Takes what the runs need from the current device. */
static enum gtr_code take_memory(struct gtr_cuda_norms *norms, const struct tensor *tensors,
                                 const struct task *tasks, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t n = norms->n_tensors, n_tasks = norms->first_task[GTR_DTYPE_COUNT];

    CUDA_TRY(cudaMalloc(&norms->tasks, n_tasks * sizeof *tasks));
    CUDA_TRY(cudaMalloc(&norms->tensors, n * sizeof *tensors));
    CUDA_TRY(cudaMalloc(&norms->shares, n_tasks * sizeof *norms->shares));
    CUDA_TRY(cudaMalloc(&norms->results, n * sizeof *norms->results));
    CUDA_TRY(cudaMalloc(&norms->elements, n * sizeof *norms->elements));
    CUDA_TRY(cudaMallocHost(&norms->host_results, n * sizeof *norms->results));
    CUDA_TRY(cudaMallocHost(&norms->host_elements, n * sizeof *norms->elements));
    CUDA_TRY(cudaEventCreateWithFlags(&norms->done, cudaEventDisableTiming));
    norms->has_event = true;
    CUDA_TRY(cudaMemcpy(norms->tasks, tasks, n_tasks * sizeof *tasks, cudaMemcpyHostToDevice));
    CUDA_TRY(cudaMemcpy(norms->tensors, tensors, n * sizeof *tensors, cudaMemcpyHostToDevice));
out:
    return rc;
}

enum gtr_code gtr_cuda_norms_new(int device, size_t n_tensors, const enum gtr_dtype *dtypes,
                                 const uint64_t *numels, struct gtr_cuda_norms **out_norms,
                                 struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    struct gtr_cuda_norms *norms = NULL;
    struct tensor *tensors = NULL;
    struct task *tasks = NULL;
    size_t count = gtr_cuda_count(err);
    int was = -1;

    *out_norms = NULL;
    if (count == 0)
        return GTR_EDEVICE;
    if (device >= 0 && (size_t)device >= count)
        return gtr_fail(err, GTR_EDEVICE, "cuda:%d: no such GPU; %zu answer", device, count);
    if ((rc = gtr_alloc_for(&norms, 1, sizeof *norms, "plan", err)) != GTR_OK ||
        (rc = gtr_alloc_for(&norms->dtypes, n_tensors, sizeof *dtypes, "tensors", err)) != GTR_OK ||
        (rc = gtr_alloc_for(&tensors, n_tensors, sizeof *tensors, "tensors", err)) != GTR_OK)
        goto out;
    if (n_tensors > 0)
        memcpy(norms->dtypes, dtypes, n_tensors * sizeof *dtypes);
    norms->n_tensors = n_tensors;
    rc = plan(norms, numels, tensors, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&tasks, norms->first_task[GTR_DTYPE_COUNT], sizeof *tasks, "tasks", err);
    if (rc != GTR_OK)
        goto out;
    fill_tasks(norms, tensors, tasks);
    if (device < 0)
        CUDA_TRY(cudaGetDevice(&device));
    norms->device = device;
    rc = enter_device(device, &was, err);
    if (rc == GTR_OK)
        rc = take_memory(norms, tensors, tasks, err);
    leave_device(device, was);
    if (rc != GTR_OK)
        goto out;
    *out_norms = norms;
    norms = NULL;
out:
    gtr_free(tasks);
    gtr_free(tensors);
    gtr_cuda_norms_free(norms);
    return rc;
}

/* One launch for each dtype that is there, and one for the trees. */
static enum gtr_code launch(struct gtr_cuda_norms *norms, cudaStream_t stream, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    int d;

    for (d = 0; d < GTR_DTYPE_COUNT; d++) {
        const struct task *tasks = norms->tasks + norms->first_task[d];
        struct share *shares = norms->shares + norms->first_task[d];
        unsigned n = (unsigned)(norms->first_task[d + 1] - norms->first_task[d]);

        if (n == 0)
            continue;
#define LAUNCH(element)                                                                            \
    GTR_LAUNCH(gtr_sumsq_blocks<element>, n, WARP, stream, tasks, norms->tensors, norms->elements, \
               shares)
        if (d == GTR_F32)
            LAUNCH(of_f32);
        else if (d == GTR_F16)
            LAUNCH(of_f16);
        else if (d == GTR_BF16)
            LAUNCH(of_bf16);
        else
            LAUNCH(of_f64);
#undef LAUNCH
        CUDA_TRY(cudaGetLastError());
    }
    GTR_LAUNCH(gtr_sumsq_trees, (unsigned)norms->n_tensors, norms->tree_threads, stream,
               norms->tensors, norms->shares, norms->results);
    CUDA_TRY(cudaGetLastError());
out:
    return rc;
}

enum gtr_code gtr_cuda_norms_start(struct gtr_cuda_norms *norms, const void *const *elements,
                                   void *stream_pointer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    cudaStream_t stream = (cudaStream_t)stream_pointer;
    size_t n = norms->n_tensors;
    int was = -1;

    if (norms->started)
        return gtr_fail(err, GTR_EUSAGE, "gtr_cuda_norms_start: the last start was not waited for");
    if (n == 0) {
        norms->started = true;
        return GTR_OK;
    }
    memcpy(norms->host_elements, elements, n * sizeof *elements);
    rc = enter_device(norms->device, &was, err);
    if (rc != GTR_OK)
        goto out;
    CUDA_TRY(cudaMemcpyAsync(norms->elements, norms->host_elements, n * sizeof *elements,
                             cudaMemcpyHostToDevice, stream));
    rc = launch(norms, stream, err);
    if (rc != GTR_OK)
        goto out;
    CUDA_TRY(cudaMemcpyAsync(norms->host_results, norms->results, n * sizeof *norms->results,
                             cudaMemcpyDeviceToHost, stream));
    CUDA_TRY(cudaEventRecord(norms->done, stream));
    norms->started = true;
out:
    leave_device(norms->device, was);
    return rc;
}

/* The f16 case is exact: a half times 2^-112 is a float, and so is the half. */
static float as_float(enum gtr_dtype dtype, uint64_t bits)
{
    uint32_t narrow = (uint32_t)bits << (dtype == GTR_F16 ? 13 : dtype == GTR_BF16 ? 16 : 0);
    double wide;
    float value;

    if (dtype == GTR_F64) {
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    }
    memcpy(&value, &narrow, sizeof value);
    return dtype == GTR_F16 ? value * 0x1p112f : value;
}

enum gtr_code gtr_cuda_norms_wait(struct gtr_cuda_norms *norms, struct gtr_reduction *out,
                                  struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (!norms->started)
        return gtr_fail(err, GTR_EUSAGE, "gtr_cuda_norms_wait: nothing was started");
    norms->started = false;
    if (norms->n_tensors > 0)
        CUDA_TRY(cudaEventSynchronize(norms->done));
    for (i = 0; i < norms->n_tensors; i++) {
        out[i].sumsq = norms->host_results[i].sumsq;
        out[i].maxabs = as_float(norms->dtypes[i], norms->host_results[i].top);
        out[i].nonfinite = norms->host_results[i].nonfinite;
    }
out:
    return rc;
}

void gtr_cuda_norms_free(struct gtr_cuda_norms *norms)
{
    int was;

    if (norms == NULL)
        return;
    if (enter_device(norms->device, &was, NULL) == GTR_OK) {
        if (norms->started && norms->n_tensors > 0)
            cudaEventSynchronize(norms->done);
        if (norms->has_event)
            cudaEventDestroy(norms->done);
        cudaFree(norms->tasks);
        cudaFree(norms->tensors);
        cudaFree(norms->shares);
        cudaFree(norms->results);
        cudaFree(norms->elements);
        cudaFreeHost(norms->host_results);
        cudaFreeHost(norms->host_elements);
        leave_device(norms->device, was);
    }
    gtr_free(norms->dtypes);
    gtr_free(norms);
}
