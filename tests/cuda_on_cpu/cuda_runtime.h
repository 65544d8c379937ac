/* cuda_runtime.h - as much of the CUDA runtime as this project uses, on the CPU.
 *
 * `make CUDA=emulate` compiles the .cu files with g++ against this header instead of nvcc's, so
 * that the kernels themselves, and the code that feeds them, run and are tested where there is no
 * GPU: under sanitizers, under a debugger, in CI.  It is slow and only correct.
 *
 * The threads of a block are fibers on one stack each; __syncthreads() goes on with the next one,
 * and blocks follow each other.  What __shared__ declares is one static object per host thread, so
 * several hosts may launch at once.  Two devices are pretended, to test how work is shared out.
 * A kernel that forgets a barrier must not pass by luck: EMULATE_ORDER=reverse runs the threads of
 * each block, and the blocks of a grid, from the last to the first.
 */
#ifndef CUDA_ON_CPU_H
#define CUDA_ON_CPU_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static thread_local
#define __forceinline__ inline
#define __launch_bounds__(...)

struct dim3 {
    unsigned x, y, z;

    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

/* --- a grid ------------------------------------------------------------------------------------
 */

static thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_on_cpu {

enum { FIBER_BYTES = 128 << 10, THREADS_MAX = 1024 };

struct fiber {
    ucontext_t context;
    char *stack;
    bool done;
};

static thread_local fiber fibers[THREADS_MAX];
static thread_local ucontext_t scheduler;
static thread_local unsigned running;
static thread_local void (*call_body)(void *);
static thread_local void *body;

static inline void run_fiber()
{
    call_body(body);
    fibers[running].done = true;
    swapcontext(&fibers[running].context, &scheduler);
}

static inline bool in_reverse()
{
    const char *order = getenv("EMULATE_ORDER");

    return order != NULL && strcmp(order, "reverse") == 0;
}

static inline void start_fibers(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fiber *f = &fibers[i];

        if (f->stack == NULL)
            f->stack = (char *)malloc(FIBER_BYTES);
        f->done = false;
        getcontext(&f->context);
        f->context.uc_stack.ss_sp = f->stack;
        f->context.uc_stack.ss_size = FIBER_BYTES;
        f->context.uc_link = NULL;
        makecontext(&f->context, run_fiber, 0);
    }
}

/* All fibers in turn, from barrier to barrier, until all are done. */
static inline void run_block(bool reverse)
{
    unsigned n = blockDim.x, left = n;

    start_fibers(n);
    while (left > 0)
        for (unsigned k = 0; k < n; k++) {
            unsigned i = reverse ? n - 1 - k : k;

            if (fibers[i].done)
                continue;
            running = i;
            threadIdx = dim3(i);
            swapcontext(&scheduler, &fibers[i].context);
            left -= fibers[i].done ? 1 : 0;
        }
}

template <typename F> static void call(void *f)
{
    (*(F *)f)();
}

template <typename F> static void launch(dim3 grid, dim3 block, F kernel)
{
    bool reverse = in_reverse();
    unsigned n = grid.x * grid.y * grid.z;

    if (block.x > THREADS_MAX || block.y != 1 || block.z != 1) {
        fprintf(stderr, "cuda_on_cpu: blocks have one dimension and at most 1024 threads\n");
        abort();
    }
    call_body = call<F>;
    body = &kernel;
    gridDim = grid;
    blockDim = block;
    for (unsigned k = 0; k < n; k++) {
        unsigned b = reverse ? n - 1 - k : k;

        blockIdx = dim3(b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y);
        run_block(reverse);
    }
}

}

static inline void __syncthreads()
{
    unsigned me = cuda_on_cpu::running;

    swapcontext(&cuda_on_cpu::fibers[me].context, &cuda_on_cpu::scheduler);
    threadIdx = dim3(me);
}

#define GTR_LAUNCH(kernel, grid, block, stream, ...) \
    ((void)(stream), cuda_on_cpu::launch((grid), (block), [&] { kernel(__VA_ARGS__); }))

/* --- the runtime -------------------------------------------------------------------------------
 */

typedef int cudaError_t;
typedef struct cuda_on_cpu_stream *cudaStream_t;
typedef double *cudaEvent_t;

enum { cudaSuccess = 0, cudaErrorInvalidDevice = 101, cudaErrorMemoryAllocation = 2 };
enum cudaMemcpyKind {
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault
};
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };

struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem;
    int multiProcessorCount, major, minor;
};

static thread_local int cuda_on_cpu_device;

static inline const char *cudaGetErrorString(cudaError_t e)
{
    return e == cudaSuccess ? "no error" : e == 2 ? "out of memory" : "invalid device ordinal";
}
static inline cudaError_t cudaGetLastError()
{
    return cudaSuccess;
}
static inline cudaError_t cudaGetDeviceCount(int *n)
{
    *n = 2;
    return cudaSuccess;
}
static inline cudaError_t cudaSetDevice(int i)
{
    if (i < 0 || i > 1)
        return cudaErrorInvalidDevice;
    cuda_on_cpu_device = i;
    return cudaSuccess;
}
static inline cudaError_t cudaGetDevice(int *i)
{
    *i = cuda_on_cpu_device;
    return cudaSuccess;
}
static inline cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int i)
{
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "emulated device %d", i);
    p->totalGlobalMem = (size_t)1 << 30;
    p->multiProcessorCount = 2;
    return cudaSuccess;
}
static inline cudaError_t cudaMemGetInfo(size_t *left, size_t *total)
{
    *left = *total = (size_t)1 << 30;
    return cudaSuccess;
}

/* Fresh memory holds nothing anyone could take for zeros. */
template <typename T> static cudaError_t cudaMalloc(T **p, size_t n)
{
    *p = (T *)malloc(n > 0 ? n : 1);
    if (*p == NULL)
        return cudaErrorMemoryAllocation;
    memset((void *)*p, 0xa5, n);
    return cudaSuccess;
}
template <typename T> static cudaError_t cudaMallocHost(T **p, size_t n)
{
    return cudaMalloc(p, n);
}
static inline cudaError_t cudaFree(void *p)
{
    free(p);
    return cudaSuccess;
}
static inline cudaError_t cudaFreeHost(void *p)
{
    return cudaFree(p);
}
static inline cudaError_t cudaMemcpy(void *to, const void *from, size_t n, cudaMemcpyKind)
{
    if (n > 0)
        memcpy(to, from, n);
    return cudaSuccess;
}
static inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t n, cudaMemcpyKind kind,
                                          cudaStream_t = NULL)
{
    return cudaMemcpy(to, from, n, kind);
}
static inline cudaError_t cudaMemset(void *p, int value, size_t n)
{
    memset(p, value, n);
    return cudaSuccess;
}
static inline cudaError_t cudaMemsetAsync(void *p, int value, size_t n, cudaStream_t = NULL)
{
    return cudaMemset(p, value, n);
}
static inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    *stream = NULL;
    return cudaSuccess;
}
static inline cudaError_t cudaStreamDestroy(cudaStream_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaStreamSynchronize(cudaStream_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaDeviceSynchronize()
{
    return cudaSuccess;
}
static inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    *event = NULL;
    return cudaSuccess;
}
static inline cudaError_t cudaEventDestroy(cudaEvent_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t = NULL)
{
    return cudaSuccess;
}
static inline cudaError_t cudaEventSynchronize(cudaEvent_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned = 0)
{
    return cudaSuccess;
}

#endif
