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

#define LOAD_F32(p) _mm256_cvtps_pd(_mm_loadu_ps((const float *)(p)))
#define LOAD_F16(p) _mm256_cvtps_pd(_mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)(p))))
/* bf16 is the upper half of an f32; the interleave puts zeros below it. */
#define LOAD_BF16(p)                  \
    _mm256_cvtps_pd(_mm_castsi128_ps( \
        _mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i *)(p)))))
#define LOAD_F64(p)         _mm256_loadu_pd((const double *)(p))
#define ABSOLUTE(v, square) _mm256_andnot_pd(_mm256_set1_pd(-0.0), v)
#define KERNELS             gtr_sumsq_avx2
#include "sumsq_types.h"

#endif
