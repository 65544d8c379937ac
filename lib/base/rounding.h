/* rounding.h - arithmetic as a program starts with it: to nearest, nothing flushed, no traps.
 *
 * Training programs may run with subnormals flushed to zero (torch.set_flush_denormal, or a
 * library linked with -ffast-math) or with traps; neither may change a result.  Threads inherit
 * the state of the one that starts them.  What computes in between is a function of its own: a
 * compiler may move arithmetic across these two, but not across a call.
 */
#ifndef GTR_ROUNDING_H
#define GTR_ROUNDING_H

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

static inline unsigned gtr_rounding_begin(void)
{
#ifdef __x86_64__
    unsigned was = _mm_getcsr();

    _mm_setcsr(0x1f80);
    return was;
#else
    return 0;
#endif
}

static inline void gtr_rounding_end(unsigned was)
{
#ifdef __x86_64__
    _mm_setcsr(was);
#else
    (void)was;
#endif
}

#endif
