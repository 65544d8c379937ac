/* half.h - 16-bit floating point as float, exactly.
 *
 * Both kinds are read as the bits they are stored in.
 */
#ifndef GTR_HALF_H
#define GTR_HALF_H

#include <stdint.h>
#include <string.h>

#include "exact.h"

GTR_HD float gtr_from_bits32(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* bf16 is the upper half of a float. */
GTR_HD float gtr_from_bf16(uint16_t h)
{
    return gtr_from_bits32((uint32_t)h << 16);
}

/* IEEE binary16.  Moved to where a float has its exponent, a half is its value times 2^-112,
 * subnormals too; only the exponent of infinities and NaNs has to be made float's own. */
GTR_HD float gtr_from_f16(uint16_t h)
{
    uint32_t bits = (uint32_t)(h & 0x7fff) << 13, sign = (uint32_t)(h & 0x8000) << 16;

    if (bits >= 0x0f800000)
        return gtr_from_bits32(sign | bits | 0x7f800000);
    return gtr_from_bits32(sign | bits) * 0x1p112f;
}

#endif
