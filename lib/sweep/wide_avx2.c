/* wide_avx2.c - the sweep's kernels for processors with AVX2: four settings a vector. */
#ifdef __x86_64__

#include <immintrin.h>

#include "wide.h"

#define TARGET __attribute__((target("avx2")))
#define WIDE   __m256d
#define BITS   __v4du
#define WIDTH  4
#define MASK   __m256d

#define SPLAT(x)         _mm256_set1_pd(x)
#define EACH(x)          ((BITS)_mm256_set1_epi64x((long long)UINT64_C(x)))
#define LOAD(p)          _mm256_load_pd(p)
#define STORE(p, v)      _mm256_store_pd(p, v)
#define ABOVE(a, b)      _mm256_cmp_pd(a, b, _CMP_GT_OQ)
#define NOT_BELOW(a, b)  _mm256_cmp_pd(a, b, _CMP_GE_OQ)
#define EQUAL(a, b)      _mm256_cmp_pd(a, b, _CMP_EQ_OQ)
#define DIFFER(a, b)     _mm256_cmp_pd(a, b, _CMP_NEQ_OQ)
#define BOTH(a, b)       _mm256_and_pd(a, b)
#define EITHER(a, b)     _mm256_or_pd(a, b)
#define NOT_SECOND(a, b) _mm256_andnot_pd(b, a)
#define PICK(m, a, b)    _mm256_blendv_pd(b, a, m)
#define MAX(a, b)        _mm256_max_pd(a, b)
#define MIN(a, b)        _mm256_min_pd(a, b)
#define ROOT(v)          _mm256_sqrt_pd(v)
#define F32(v)           _mm256_cvtps_pd(_mm256_cvtpd_ps(v))
#define ANY(m)           (_mm256_movemask_pd(m) != 0)
#define ALWAYS           EQUAL(SPLAT(0.0), SPLAT(0.0))
/* A mask is -1 as an integer. */
#define COUNT(c, m) ((WIDE)((BITS)(c) - (BITS)(m)))
#define COUNTED(c)  (double)gtr_to_bits(c)

#include "wide_body.h"

const struct gtr_wide_kernel gtr_wide_avx2 = KERNEL;

#endif
