/* exact.h - arithmetic that gives the same bits everywhere, and functions made of nothing else.
 *
 * + - * / and sqrt are rounded exactly by IEEE 754; exp and log are not, and differ between C
 * libraries and GPUs.  gtr_ln and gtr_exp are made of the exact ones in a fixed order, so they are
 * the same on every compiler, vector width and backend.
 */
#ifndef GTR_EXACT_H
#define GTR_EXACT_H

#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "exact rounding is needed: build without -ffast-math"
#endif

#ifdef __CUDACC__
#define GTR_HD __host__ __device__ static inline
#else
#define GTR_HD static inline
#endif

/* ln 2 in two parts: the first has 21 zero bits at its end, so that k times it is exact. */
#define GTR_LN2_HIGH 0x1.62e42fee00000p-1
#define GTR_LN2_LOW  0x1.a39ef35793c76p-33

GTR_HD double gtr_from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

GTR_HD uint64_t gtr_to_bits(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* p of gtr_ln: four polynomials in f^4 side by side, highest powers first. */
#define GTR_LN_P                                                                                  \
    -0x1.7d54d4748719ap-5, 0x1.687a6e7c95177p-5, -0x1.5acd867b5934fp-4, 0x1.4b0a26c5f2aefp-4,     \
        -0x1.24294aec07d34p-4, 0x1.10ac75dc602b1p-4, -0x1.050d658373864p-4, 0x1.eb905e8575054p-5, \
        -0x1.99997156fdfe2p-4, 0x1.745cf0b0e03bdp-4, -0x1.555a8e7a10502p-4, 0x1.3b18b294bebf9p-4, \
        -0x1.555555548f16fp-3, 0x1.24924923d44c6p-3, -0x1.00000058c63a3p-3, 0x1.c71c727143318p-4, \
        -0x1.fffffffffffffp-2, 0x1.5555555555555p-2, -0x1.000000000055bp-2, 0x1.999999999a3ddp-3

#ifdef __CUDACC__
/* To a GPU, a number in constant memory is an operand, and a literal two more instructions. */
[[maybe_unused]] static __constant__ double gtr_ln_p[20] = { GTR_LN_P };
#endif

/* Natural logarithm of a normal positive number, within 2 units of the last place; ln 1 is 0.  No
 * division: it is used inside lanes.
 *
 * x = 2^k m with m in [2/3, 4/3), f = m - 1 exactly; ln(1 + f) = f + f^2 p(f).  p interpolates at
 * 20 Chebyshev nodes (error 7e-17), and is summed as four polynomials in f^4, which do not wait for
 * each other.  Zero, subnormal, negative and non-finite numbers are the caller's to keep out. */
GTR_HD double gtr_ln(double x)
{
#ifdef __CUDA_ARCH__
    const double *p = gtr_ln_p;
#else
    static const double p[20] = { GTR_LN_P };
#endif
    uint64_t bits = gtr_to_bits(x), above = bits - UINT64_C(0x3fe5555555555555); /* 2/3 */
    double k = (double)((int64_t)above >> 52);
    double f = gtr_from_bits(bits - (above & UINT64_C(0xfff0000000000000))) - 1.0;
    double f2 = f * f, f4 = f2 * f2, q0, q1, q2, q3;

    q0 = p[0] * f4 + p[4];
    q0 = q0 * f4 + p[8];
    q0 = q0 * f4 + p[12];
    q0 = q0 * f4 + p[16];
    q1 = p[1] * f4 + p[5];
    q1 = q1 * f4 + p[9];
    q1 = q1 * f4 + p[13];
    q1 = q1 * f4 + p[17];
    q2 = p[2] * f4 + p[6];
    q2 = q2 * f4 + p[10];
    q2 = q2 * f4 + p[14];
    q2 = q2 * f4 + p[18];
    q3 = p[3] * f4 + p[7];
    q3 = q3 * f4 + p[11];
    q3 = q3 * f4 + p[15];
    q3 = q3 * f4 + p[19];
    f2 = f2 * ((q0 + f * q1) + f2 * (q2 + f * q3));
    return k * GTR_LN2_HIGH + (f + (f2 + k * GTR_LN2_LOW));
}

/* e^x for |x| <= 700, within 2 units of the last place; e^0 is 1.
 *
 * x = k ln 2 + r with |r| <= ln(2) / 2; e^r = 1 + r + r^2 q(r), q at 12 Chebyshev nodes. */
GTR_HD double gtr_exp(double x)
{
    static const double to_integer = 0x1.8p52; /* adding it rounds to a whole number */
    double k = (x * 0x1.71547652b82fep+0 + to_integer) - to_integer;
    double r = (x - k * GTR_LN2_HIGH) - k * GTR_LN2_LOW;
    double q = 0x1.61bfa3a67e590p-33;

    q = q * r + 0x1.1f7f21622928fp-29;
    q = q * r + 0x1.ae642c86649d1p-26;
    q = q * r + 0x1.27e4d41cb06bfp-22;
    q = q * r + 0x1.71de3a5aa713cp-19;
    q = q * r + 0x1.a01a01a9e8574p-16;
    q = q * r + 0x1.a01a01a0196aep-13;
    q = q * r + 0x1.6c16c16c15a6bp-10;
    q = q * r + 0x1.1111111111111p-7;
    q = q * r + 0x1.5555555555557p-5;
    q = q * r + 0x1.5555555555555p-3;
    q = q * r + 0x1.0000000000000p-1;
    return (1.0 + (r + r * r * q)) * gtr_from_bits((uint64_t)((int64_t)k + 1023) << 52);
}

#endif
