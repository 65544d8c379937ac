/* sumsq_cuda.h - gtr_reduce for all gradients of a step at once, where they lie: on a GPU.
 *
 *     struct gtr_cuda_norms *norms;
 *
 *     gtr_cuda_norms_new(-1, n_tensors, dtypes, numels, &norms, &err);          once
 *     for each step, after backward has been put on `stream`:
 *         gtr_cuda_norms_start(norms, gradients, stream, &err);                 returns at once
 *         (other work)
 *         gtr_cuda_norms_wait(norms, reductions, &err);
 *         gtr_recorder_reduced(r, n_tensors, numbers, reductions, NULL, &err);
 *     gtr_cuda_norms_free(norms);
 *
 * Thousands of tensors cost two launches (one more for each further dtype) and one small copy each
 * way; nothing waits for the GPU but _wait.  Results are those of gtr_reduce, bit for bit: the
 * order in sumsq.h is that of the threads here.
 *
 * One plan is used by one thread at a time.  In a library built without CUDA, and where no GPU
 * answers, _new fails with GTR_EDEVICE.
 */
#ifndef GTR_SUMSQ_CUDA_H
#define GTR_SUMSQ_CUDA_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sumsq.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

struct gtr_cuda_norms;

/* Plans the reduction of n_tensors gradients with numels[i] elements of dtypes[i] each, and takes
 * device memory for it: about 28 bytes per 8192 elements and 72 a tensor.  `device` is CUDA's
 * number, or -1 for the calling thread's current one.  Free with gtr_cuda_norms_free. */
enum gtr_code gtr_cuda_norms_new(int device, size_t n_tensors, const enum gtr_dtype *dtypes,
                                 const uint64_t *numels, struct gtr_cuda_norms **norms,
                                 struct gtr_err *err);

/* Puts the reduction on `stream` (a cudaStream_t; NULL: the default stream) and returns.
 * elements[i] points to device memory, contiguous and aligned to one element; NULL: no gradient,
 * which reduces to zeros.  The array itself is read before this returns; the gradients must stay as
 * they are until work put on the stream later could change them.  One start, then one wait. */
enum gtr_code gtr_cuda_norms_start(struct gtr_cuda_norms *norms, const void *const *elements,
                                   void *stream, struct gtr_err *err);

/* Waits for what was started and fills out[0 .. n_tensors - 1].  On failure `out` is not written,
 * and the next step may be started. */
enum gtr_code gtr_cuda_norms_wait(struct gtr_cuda_norms *norms, struct gtr_reduction *out,
                                  struct gtr_err *err);

/* Waits for what is still running. */
void gtr_cuda_norms_free(struct gtr_cuda_norms *norms);

GTR_PUBLIC_END

#endif
