/* cuda.h - the little that C files know of CUDA, and what all .cu files share.
 *
 * A library built without nvcc has no .cu files: then no GPU answers, and nothing that needs one is
 * ever called.
 */
#ifndef GTR_CUDA_H
#define GTR_CUDA_H

#include <stddef.h>

#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef GTR_CUDA

/* GPUs that answer.  If none does, *err (unless NULL) says why. */
size_t gtr_cuda_count(struct gtr_err *err);
void gtr_cuda_name(size_t number, char *name, size_t size);

/* A copy of host memory on the current device, for tests and timings.  Free with gtr_cuda_drop. */
enum gtr_code gtr_cuda_put(const void *bytes, size_t size, void **copy, struct gtr_err *err);
void gtr_cuda_drop(void *copy);

#else

static inline enum gtr_code gtr_cuda_missing(struct gtr_err *err)
{
    return gtr_fail(err, GTR_EDEVICE,
                    "this gradtrace was built without CUDA; build it where nvcc is, with CUDA=1");
}

static inline size_t gtr_cuda_count(struct gtr_err *err)
{
    gtr_cuda_missing(err);
    return 0;
}

static inline void gtr_cuda_name(size_t number, char *name, size_t size)
{
    (void)number;
    if (size > 0)
        name[0] = '\0';
}

static inline enum gtr_code gtr_cuda_put(const void *bytes, size_t size, void **copy,
                                         struct gtr_err *err)
{
    (void)bytes, (void)size;
    *copy = NULL;
    return gtr_cuda_missing(err);
}

static inline void gtr_cuda_drop(void *copy)
{
    (void)copy;
}

#endif

#ifdef __cplusplus
}
#endif

/* For .cu files.  Launches have one spelling, so that tests/cuda_on_cpu can be another compiler's
 * idea of them. */
#ifdef __CUDACC__
#define GTR_LAUNCH(kernel, grid, block, stream, ...) \
    kernel<<<(grid), (block), 0, (stream)>>>(__VA_ARGS__)
#endif

/* Runs a CUDA call; if it fails, sets rc and *err, and goes to `out`.  The one macro with a jump in
 * it: without it half of the lines of a .cu file would be these. */
#define CUDA_TRY(call)                                                                            \
    do {                                                                                          \
        cudaError_t cuda_error_ = (call);                                                         \
                                                                                                  \
        if (cuda_error_ != cudaSuccess) {                                                         \
            rc = gtr_fail(err, GTR_EDEVICE, "%.80s: %s", #call, cudaGetErrorString(cuda_error_)); \
            cudaGetLastError();                                                                   \
            goto out;                                                                             \
        }                                                                                         \
    } while (0)

#endif
