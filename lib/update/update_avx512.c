/* update_avx512.c - the kernels for x86-64 processors with AVX-512: sixteen floats at a time. */
#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>

#include "update_kernels.h"

#define TARGET                 __attribute__((target("avx512f,avx2,f16c")))
#define FLOATS                 __m512
#define WIDTH                  16
#define ADD_PRODUCT(sum, a, b) _mm512_fmadd_pd(a, b, sum)
#define WIDE                   __m512d

#define SPLAT(x)         _mm512_set1_ps(x)
#define LOAD(p)          _mm512_load_ps(p)
#define LOAD_ANY(p)      _mm512_loadu_ps(p)
#define STORE(p, v)      _mm512_store_ps(p, v)
#define ROOT(v)          _mm512_sqrt_ps(v)
#define KEEP(v, p)       ((__m512)_mm512_and_si512((__m512i)(v), _mm512_load_si512(p)))
#define LOW(v)           _mm512_cvtps_pd(_mm512_castps512_ps256(v))
#define HIGH(v)          _mm512_cvtps_pd((__m256)_mm512_extractf64x4_pd((__m512d)(v), 1))
#define LOAD_WIDE(p)     _mm512_loadu_pd(p)
#define STORE_WIDE(p, v) _mm512_storeu_pd(p, v)

#define FOLD_VECTOR(v) fold_vector(v)

#define LOAD_F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
/* bf16 is the upper half of an f32. */
#define LOAD_BF16(p) \
    ((__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(p))), 16))
#define LOAD_F64(p)                                                           \
    ((__m512)_mm512_insertf64x4(                                              \
        (__m512d)_mm512_castps256_ps512(_mm512_cvtpd_ps(_mm512_loadu_pd(p))), \
        (__m256d)_mm512_cvtpd_ps(_mm512_loadu_pd((const char *)(p) + 64)), 1))

TARGET static inline double fold_vector(__m512d v)
{
    __m256d four = _mm512_castpd512_pd256(v) + _mm512_extractf64x4_pd(v, 1);
    __m128d two = _mm256_castpd256_pd128(four) + _mm256_extractf128_pd(four, 1);

    return two[0] + two[1];
}

#include "update_body.h"

const struct gtr_update_kernels gtr_update_avx512 = KERNELS;

#endif
