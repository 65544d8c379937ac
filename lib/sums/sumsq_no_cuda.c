/* sumsq_no_cuda.c - stands for sumsq_cuda.cu in a library built without CUDA. */
#include "cuda.h"
#include "sumsq_cuda.h"

#ifndef GTR_CUDA

enum gtr_code gtr_cuda_norms_new(int device, size_t n_tensors, const enum gtr_dtype *dtypes,
                                 const uint64_t *numels, struct gtr_cuda_norms **norms,
                                 struct gtr_err *err)
{
    (void)device, (void)n_tensors, (void)dtypes, (void)numels;
    *norms = NULL;
    return gtr_cuda_missing(err);
}

enum gtr_code gtr_cuda_norms_start(struct gtr_cuda_norms *norms, const void *const *elements,
                                   void *stream, struct gtr_err *err)
{
    (void)norms, (void)elements, (void)stream;
    return gtr_cuda_missing(err);
}

enum gtr_code gtr_cuda_norms_wait(struct gtr_cuda_norms *norms, struct gtr_reduction *out,
                                  struct gtr_err *err)
{
    (void)norms, (void)out;
    return gtr_cuda_missing(err);
}

void gtr_cuda_norms_free(struct gtr_cuda_norms *norms)
{
    (void)norms;
}

#endif
