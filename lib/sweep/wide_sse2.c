/* wide_sse2.c - the sweep's kernels for any x86-64 processor: two settings a vector. */
#ifdef __x86_64__

#include <emmintrin.h>

#include "wide.h"

#define TARGET
#define WIDE  __m128d
#define BITS  __v2du
#define WIDTH 2
#define MASK  __m128d

#define SPLAT(x)         _mm_set1_pd(x)
#define EACH(x)          ((BITS)_mm_set1_epi64x((long long)UINT64_C(x)))
#define LOAD(p)          _mm_load_pd(p)
#define STORE(p, v)      _mm_store_pd(p, v)
#define ABOVE(a, b)      _mm_cmplt_pd(b, a)
#define NOT_BELOW(a, b)  _mm_cmple_pd(b, a)
#define EQUAL(a, b)      _mm_cmpeq_pd(a, b)
#define DIFFER(a, b)     _mm_or_pd(_mm_cmplt_pd(a, b), _mm_cmplt_pd(b, a))
#define BOTH(a, b)       _mm_and_pd(a, b)
#define EITHER(a, b)     _mm_or_pd(a, b)
#define NOT_SECOND(a, b) _mm_andnot_pd(b, a)
#define PICK(m, a, b)    pick(m, a, b)
#define MAX(a, b)        _mm_max_pd(a, b)
#define MIN(a, b)        _mm_min_pd(a, b)
#define ROOT(v)          _mm_sqrt_pd(v)
#define F32(v)           _mm_cvtps_pd(_mm_cvtpd_ps(v))
#define ANY(m)           (_mm_movemask_pd(m) != 0)
#define ALWAYS           EQUAL(SPLAT(0.0), SPLAT(0.0))
/* A mask is -1 as an integer. */
#define COUNT(c, m) ((WIDE)((BITS)(c) - (BITS)(m)))

static inline __m128d pick(__m128d mask, __m128d a, __m128d b)
{
    return _mm_or_pd(_mm_and_pd(mask, a), _mm_andnot_pd(mask, b));
}
#define COUNTED(c) (double)gtr_to_bits(c)

#include "wide_body.h"

const struct gtr_wide_kernel gtr_wide_sse2 = KERNEL;

#endif
