/* sumsq_portable.c - the kernels for any machine, in the vector types of gcc and clang.
 *
 * Two doubles are what every 64-bit machine has a register for.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "half.h"
#include "sumsq.h"
#include "sumsq_kernels.h"

#define PAIR      __attribute__((vector_size(16))) double
#define PAIR_BITS __attribute__((vector_size(16))) int64_t

static inline PAIR load_f32(const char *p)
{
    float x[2];

    memcpy(x, p, sizeof x);
    return (PAIR){ (double)x[0], (double)x[1] };
}

static inline PAIR load_f16(const char *p)
{
    uint16_t h[2];

    memcpy(h, p, sizeof h);
    return (PAIR){ (double)gtr_from_f16(h[0]), (double)gtr_from_f16(h[1]) };
}

static inline PAIR load_bf16(const char *p)
{
    uint16_t h[2];

    memcpy(h, p, sizeof h);
    return (PAIR){ (double)gtr_from_bf16(h[0]), (double)gtr_from_bf16(h[1]) };
}

static inline PAIR load_f64(const char *p)
{
    PAIR x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline PAIR larger(PAIR a, PAIR b)
{
    PAIR_BITS greater = a > b;

    return (PAIR)(((PAIR_BITS)a & greater) | ((PAIR_BITS)b & ~greater));
}

static inline PAIR absolute(PAIR v)
{
    return (PAIR){ fabs(v[0]), fabs(v[1]) };
}

#define TARGET
#define WIDE        PAIR
#define WIDTH       2
#define ZERO        ((PAIR){ 0.0, 0.0 })
#define MAX(a, b)   larger(a, b)
#define STORE(p, v) memcpy(p, &(v), sizeof(PAIR))

#define LOAD_F32(p)         load_f32(p)
#define LOAD_F16(p)         load_f16(p)
#define LOAD_BF16(p)        load_bf16(p)
#define LOAD_F64(p)         load_f64(p)
#define ABSOLUTE(v, square) absolute(v)
#define KERNELS             gtr_sumsq_portable
#include "sumsq_types.h"
