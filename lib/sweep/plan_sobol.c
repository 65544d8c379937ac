/* plan_sobol.c - Sobol points: sequences that fill every dyadic box evenly.
 *
 * Each dimension has a primitive polynomial over GF(2),
 *
 *     x^s + a_1 x^(s-1) + ... + a_(s-1) x + 1,     the bits of `a` are a_1 ... a_(s-1),
 *
 * and s odd numbers m_1 ... m_s, m_k < 2^k, that say how it starts; the recurrence
 *
 *     m_k = 2 a_1 m_(k-1) ^ 4 a_2 m_(k-2) ^ ... ^ 2^s m_(k-s) ^ m_(k-s)
 *
 * gives the rest.  Bit k of the point's number, counted from 0, turns m_(k+1) / 2^(k+1) on or off.
 * The numbers are those of Joe and Kuo, "Constructing Sobol sequences with better two-dimensional
 * projections", SIAM J. Sci. Comput. 30 (2008): file new-joe-kuo-6, its first 32 dimensions.
 */
#include "plan_private.h"

struct start {
    unsigned degree;
    unsigned a;
    unsigned m[7];
};

/* Of dimensions 1, 2, ...; dimension 0 is the bits of the number, reversed. */
static const struct start starts[GTR_SOBOL_DIMENSIONS - 1] = {
    { 1, 0, { 1 } },
    { 2, 1, { 1, 3 } },
    { 3, 1, { 1, 3, 1 } },
    { 3, 2, { 1, 1, 1 } },
    { 4, 1, { 1, 1, 3, 3 } },
    { 4, 4, { 1, 3, 5, 13 } },
    { 5, 2, { 1, 1, 5, 5, 17 } },
    { 5, 4, { 1, 1, 5, 5, 5 } },
    { 5, 7, { 1, 1, 7, 11, 19 } },
    { 5, 11, { 1, 1, 5, 1, 1 } },
    { 5, 13, { 1, 1, 1, 3, 11 } },
    { 5, 14, { 1, 3, 5, 5, 31 } },
    { 6, 1, { 1, 3, 3, 9, 7, 49 } },
    { 6, 13, { 1, 1, 1, 15, 21, 21 } },
    { 6, 16, { 1, 3, 1, 13, 27, 49 } },
    { 6, 19, { 1, 1, 1, 15, 7, 5 } },
    { 6, 22, { 1, 3, 1, 15, 13, 25 } },
    { 6, 25, { 1, 1, 5, 5, 19, 61 } },
    { 7, 1, { 1, 3, 7, 11, 23, 15, 103 } },
    { 7, 4, { 1, 3, 7, 13, 13, 15, 69 } },
    { 7, 7, { 1, 1, 3, 13, 7, 35, 63 } },
    { 7, 8, { 1, 3, 5, 9, 1, 25, 53 } },
    { 7, 14, { 1, 3, 1, 13, 9, 35, 107 } },
    { 7, 19, { 1, 3, 1, 5, 27, 61, 31 } },
    { 7, 21, { 1, 1, 5, 11, 19, 41, 61 } },
    { 7, 28, { 1, 3, 5, 3, 3, 13, 69 } },
    { 7, 31, { 1, 1, 7, 13, 1, 19, 1 } },
    { 7, 32, { 1, 3, 7, 5, 13, 19, 59 } },
    { 7, 37, { 1, 1, 3, 9, 25, 29, 41 } },
    { 7, 41, { 1, 3, 5, 13, 23, 1, 55 } },
    { 7, 42, { 1, 3, 7, 3, 13, 59, 17 } },
};

void gtr_sobol_direction(size_t dimension, uint32_t direction[GTR_SOBOL_BITS])
{
    const struct start *start;
    unsigned k, j;

    if (dimension == 0) {
        for (k = 0; k < GTR_SOBOL_BITS; k++)
            direction[k] = UINT32_C(1) << (31 - k);
        return;
    }
    start = &starts[dimension - 1];
    for (k = 0; k < GTR_SOBOL_BITS; k++) {
        uint32_t sum;

        if (k < start->degree) {
            direction[k] = (uint32_t)start->m[k] << (31 - k);
            continue;
        }
        /* The recurrence, with the binary point put before the highest bit. */
        sum = direction[k - start->degree] ^ direction[k - start->degree] >> start->degree;
        for (j = 1; j < start->degree; j++)
            if ((start->a >> (start->degree - 1 - j) & 1) != 0)
                sum ^= direction[k - j];
        direction[k] = sum;
    }
}

uint32_t gtr_sobol_point(const uint32_t direction[GTR_SOBOL_BITS], uint64_t point)
{
    uint32_t sum = 0;
    unsigned k;

    for (k = 0; point != 0 && k < GTR_SOBOL_BITS; k++, point >>= 1)
        sum ^= direction[k] & (uint32_t) - (point & 1);
    return sum;
}
