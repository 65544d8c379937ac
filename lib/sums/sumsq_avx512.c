/* sumsq_avx512.c - the kernels for x86-64 processors with AVX-512: eight doubles at a time. */
#ifdef __x86_64__

#include <immintrin.h>
#include <stdint.h>

#include "sumsq.h"
#include "sumsq_kernels.h"

#define TARGET      __attribute__((target("avx512f,avx2,f16c")))
#define WIDE        __m512d
#define WIDTH       8
#define ZERO        _mm512_setzero_pd()
#define MAX(a, b)   _mm512_max_pd(a, b)
#define STORE(p, v) _mm512_storeu_pd(p, v)

#define SQUARE(v, square)   (square)
#define ABSOLUTE(v, square) _mm512_abs_pd(v)

#define KERNEL    reduce_f32
#define SIZE      4
#define LOAD(p)   _mm512_cvtps_pd(_mm256_loadu_ps((const float *)(p)))
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

#define KERNEL    reduce_f16
#define SIZE      2
#define LOAD(p)   _mm512_cvtps_pd(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p))))
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

/* bf16 is the upper half of an f32. */
#define KERNEL reduce_bf16
#define SIZE   2
#define LOAD(p)                          \
    _mm512_cvtps_pd(_mm256_castsi256_ps( \
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p))), 16)))
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

#define KERNEL    reduce_f64
#define SIZE      8
#define LOAD(p)   _mm512_loadu_pd((const double *)(p))
#define MAGNITUDE ABSOLUTE
#include "sumsq_body.h"

const struct gtr_sumsq_kernels gtr_sumsq_avx512 = { { [GTR_F32] = reduce_f32,
                                                      [GTR_F16] = reduce_f16,
                                                      [GTR_BF16] = reduce_bf16,
                                                      [GTR_F64] = reduce_f64 } };

#endif
