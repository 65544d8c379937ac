/* read_cuda.h - a kernel that reads memory and does nothing with it: what bench_sumsq_cuda.c holds
 * ours against. */
#ifndef READ_CUDA_H
#define READ_CUDA_H

#include <stddef.h>

#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads `size` bytes, a multiple of 16 at an address that is one, and waits until that is done. */
enum gtr_code gtr_bench_read(const void *bytes, size_t size, struct gtr_err *err);

#ifdef __cplusplus
}
#endif

#endif
