/* update_avx2.c - the kernels for x86-64 processors since 2013: eight floats at a time. */
#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>

#include "update_kernels.h"

#define TARGET                 __attribute__((target("avx2,f16c")))
#define FLOATS                 __m256
#define WIDTH                  8
#define ADD_PRODUCT(sum, a, b) ((sum) + (a) * (b))
#define WIDE                   __m256d

#define SPLAT(x)         _mm256_set1_ps(x)
#define LOAD(p)          _mm256_load_ps(p)
#define LOAD_ANY(p)      _mm256_loadu_ps(p)
#define STORE(p, v)      _mm256_store_ps(p, v)
#define ROOT(v)          _mm256_sqrt_ps(v)
#define KEEP(v, p)       _mm256_and_ps(v, _mm256_load_ps((const float *)(p)))
#define LOW(v)           _mm256_cvtps_pd(_mm256_castps256_ps128(v))
#define HIGH(v)          _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1))
#define LOAD_WIDE(p)     _mm256_loadu_pd(p)
#define STORE_WIDE(p, v) _mm256_storeu_pd(p, v)

#define FOLD_VECTOR(v) fold_vector(v)

#define LOAD_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
/* bf16 is the upper half of an f32. */
#define LOAD_BF16(p)     \
    _mm256_castsi256_ps( \
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p))), 16))
#define LOAD_F64(p)                                                            \
    _mm256_set_m128(_mm256_cvtpd_ps(_mm256_loadu_pd((const double *)(p) + 4)), \
                    _mm256_cvtpd_ps(_mm256_loadu_pd((const double *)(p))))

TARGET static inline double fold_vector(__m256d four)
{
    __m128d two = _mm256_castpd256_pd128(four) + _mm256_extractf128_pd(four, 1);

    return two[0] + two[1];
}

#include "update_body.h"

const struct gtr_update_kernels gtr_update_avx2 = KERNELS;

#endif
