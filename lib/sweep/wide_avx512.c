/* wide_avx512.c - the sweep's kernels for processors with AVX-512: eight settings a vector. */
#ifdef __x86_64__

#include <immintrin.h>

#include "wide.h"

#define TARGET __attribute__((target("avx512f")))
#define WIDE   __m512d
#define BITS   __v8du
#define WIDTH  8
#define MASK   __mmask8

#define SPLAT(x)         _mm512_set1_pd(x)
#define EACH(x)          ((BITS)_mm512_set1_epi64((long long)UINT64_C(x)))
#define LOAD(p)          _mm512_load_pd(p)
#define STORE(p, v)      _mm512_store_pd(p, v)
#define ABOVE(a, b)      _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ)
#define NOT_BELOW(a, b)  _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ)
#define EQUAL(a, b)      _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ)
#define DIFFER(a, b)     _mm512_cmp_pd_mask(a, b, _CMP_NEQ_OQ)
#define BOTH(a, b)       ((MASK)((a) & (b)))
#define EITHER(a, b)     ((MASK)((a) | (b)))
#define NOT_SECOND(a, b) ((MASK)((a) & ((b) ^ 0xff)))
#define PICK(m, a, b)    _mm512_mask_blend_pd(m, b, a)
#define MAX(a, b)        _mm512_max_pd(a, b)
#define MIN(a, b)        _mm512_min_pd(a, b)
#define ROOT(v)          _mm512_sqrt_pd(v)
#define F32(v)           _mm512_cvtps_pd(_mm512_cvtpd_ps(v))
#define ANY(m)           any(m)
#define ALWAYS           ((MASK)0xff)
#define COUNT(c, m)      _mm512_mask_add_pd(c, m, c, SPLAT(1.0))
#define COUNTED(c)       (c)

static inline bool any(MASK mask)
{
    return mask != 0;
}

#include "wide_body.h"

const struct gtr_wide_kernel gtr_wide_avx512 = KERNEL;

#endif
