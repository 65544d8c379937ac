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
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#define __global__
#define __device__
#define __host__
#define __constant__    static
#define __shared__      static thread_local
#define __forceinline__ inline
#define __launch_bounds__(...)

struct dim3 {
    unsigned x, y, z;

    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
};

struct uint4 {
    unsigned x, y, z, w;
};

/* --- a grid ----------------------------------------------------------------------------------- */

static thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_on_cpu
{

enum { FIBER_BYTES = 128 << 10, THREADS_MAX = 1024 };

/* A thread of a block.  It is started once and then runs one body after another: a stack is entered
 * through ucontext, but left and taken up again by longjmp, which asks nothing of the system. */
struct fiber {
    jmp_buf point;
    char *stack;
    void *fake_stack; /* AddressSanitizer's */
    bool done;
};

/* One host thread's block. */
struct machine {
    fiber fibers[THREADS_MAX];
    jmp_buf home;
    void *home_fake_stack;
    const void *home_stack;
    size_t home_bytes;
    unsigned running;
    void (*call_body)(void *);
    void *body;
};

static thread_local machine *here;

/* The sanitizer must know on which stack it is: these stand before and after each change. */
static inline void leaving(void **fake_stack, const void *stack, size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(fake_stack, stack, bytes);
#else
    (void)fake_stack, (void)stack, (void)bytes;
#endif
}

static inline void arrived(void *fake_stack, const void **from, size_t *bytes)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(fake_stack, from, bytes);
#else
    (void)fake_stack, (void)from, (void)bytes;
#endif
}

/* From a fiber to whoever runs the block, and back when it is this fiber's turn again. */
static inline void go_home(fiber *f)
{
    machine *m = here;

    leaving(&f->fake_stack, m->home_stack, m->home_bytes);
    if (_setjmp(f->point) == 0)
        _longjmp(m->home, 1);
    arrived(f->fake_stack, &m->home_stack, &m->home_bytes);
}

static inline void run_fiber()
{
    fiber *f = &here->fibers[here->running];

    arrived(NULL, &here->home_stack, &here->home_bytes);
    for (;;) {
        here->call_body(here->body);
        f->done = true;
        go_home(f);
    }
}

static inline void start(fiber *f)
{
    ucontext_t context;

    f->stack = (char *)malloc(FIBER_BYTES);
    getcontext(&context);
    context.uc_stack.ss_sp = f->stack;
    context.uc_stack.ss_size = FIBER_BYTES;
    context.uc_link = NULL;
    makecontext(&context, run_fiber, 0);
    leaving(&here->home_fake_stack, f->stack, FIBER_BYTES);
    if (_setjmp(here->home) == 0)
        setcontext(&context);
    arrived(here->home_fake_stack, NULL, NULL);
}

static inline void resume(fiber *f)
{
    leaving(&here->home_fake_stack, f->stack, FIBER_BYTES);
    if (_setjmp(here->home) == 0)
        _longjmp(f->point, 1);
    arrived(here->home_fake_stack, NULL, NULL);
}

static inline bool in_reverse()
{
    const char *order = getenv("EMULATE_ORDER");

    return order != NULL && strcmp(order, "reverse") == 0;
}

/* All fibers in turn, from barrier to barrier, until all are done. */
static inline void run_block(bool reverse)
{
    unsigned n = blockDim.x, left = n;

    for (unsigned i = 0; i < n; i++)
        here->fibers[i].done = false;
    while (left > 0)
        for (unsigned k = 0; k < n; k++) {
            unsigned i = reverse ? n - 1 - k : k;
            fiber *f = &here->fibers[i];

            if (f->done)
                continue;
            here->running = i;
            threadIdx = dim3(i);
            if (f->stack == NULL)
                start(f);
            else
                resume(f);
            left -= f->done ? 1 : 0;
        }
}

static inline void free_machine(void *p)
{
    machine *m = (machine *)p;

    for (unsigned i = 0; i < THREADS_MAX; i++)
        free(m->fibers[i].stack);
    free(m);
}

static pthread_key_t machines;
static pthread_once_t machines_once = PTHREAD_ONCE_INIT;

static inline void make_key()
{
    pthread_key_create(&machines, free_machine);
}

static inline void find_machine()
{
    pthread_once(&machines_once, make_key);
    if (here == NULL) {
        here = (machine *)calloc(1, sizeof *here);
        pthread_setspecific(machines, here);
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
    find_machine();
    here->call_body = call<F>;
    here->body = &kernel;
    gridDim = grid;
    blockDim = block;
    for (unsigned k = 0; k < n; k++) {
        unsigned b = reverse ? n - 1 - k : k;

        blockIdx = dim3(b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y);
        run_block(reverse);
    }
}

} // namespace cuda_on_cpu

static inline void __syncthreads()
{
    unsigned me = cuda_on_cpu::here->running;

    cuda_on_cpu::go_home(&cuda_on_cpu::here->fibers[me]);
    threadIdx = dim3(me);
}

#define GTR_LAUNCH(kernel, grid, block, stream, ...) \
    ((void)(stream), cuda_on_cpu::launch((grid), (block), [&] { kernel(__VA_ARGS__); }))

static inline float __uint_as_float(unsigned bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}
static inline double __longlong_as_double(long long bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* --- the runtime ------------------------------------------------------------------------------ */

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
