/* sumsq_avx2.c - the kernels for x86-64 processors since 2013: four doubles at a time. */
#ifdef __x86_64__

#include <immintrin.h>
#include <stdint.h>

#include "sumsq.h"
#include "sumsq_kernels.h"

#define TARGET      __attribute__((target("avx2,f16c")))
#define WIDE        __m256d
#define WIDTH       4
#define ZERO        _mm256_setzero_pd()
#define MAX(a, b)   _mm256_max_pd(a, b)
#define STORE(p, v) _mm256_storeu_pd(p, v)

#define SQUARE(v, square)   (square)
#define ABSOLUTE(v, square) _mm256_andnot_pd(_mm256_set1_pd(-0.0), v)

#define KERNEL    reduce_f32
#define SIZE      4
#define LOAD(p)   _mm256_cvtps_pd(_mm_loadu_ps((const float *)(p)))
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

#define KERNEL    reduce_f16
#define SIZE      2
#define LOAD(p)   _mm256_cvtps_pd(_mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)(p))))
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

/* bf16 is the upper half of an f32; the interleave puts zeros below it. */
#define KERNEL reduce_bf16
#define SIZE   2
#define LOAD(p)                       \
    _mm256_cvtps_pd(_mm_castsi128_ps( \
        _mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i *)(p)))))
#define MAGNITUDE SQUARE
#include "sumsq_body.h"

#define KERNEL    reduce_f64
#define SIZE      8
#define LOAD(p)   _mm256_loadu_pd((const double *)(p))
#define MAGNITUDE ABSOLUTE
#include "sumsq_body.h"

const struct gtr_sumsq_kernels gtr_sumsq_avx2 = { { [GTR_F32] = reduce_f32,
                                                    [GTR_F16] = reduce_f16,
                                                    [GTR_BF16] = reduce_bf16,
                                                    [GTR_F64] = reduce_f64 } };

#endif
