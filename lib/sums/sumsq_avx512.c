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

#define LOAD_F32(p) _mm512_cvtps_pd(_mm256_loadu_ps((const float *)(p)))
#define LOAD_F16(p) _mm512_cvtps_pd(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p))))
/* bf16 is the upper half of an f32. */
#define LOAD_BF16(p)                     \
    _mm512_cvtps_pd(_mm256_castsi256_ps( \
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p))), 16)))
#define LOAD_F64(p)         _mm512_loadu_pd((const double *)(p))
#define ABSOLUTE(v, square) _mm512_abs_pd(v)
#define KERNELS             gtr_sumsq_avx512
#include "sumsq_types.h"

#endif
