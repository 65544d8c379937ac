/* little_endian.h - numbers from bytes and back, lowest byte first, on any machine.
 *
 * Written with shifts, not every compiler makes one instruction of them.
 */
#ifndef GTR_LITTLE_ENDIAN_H
#define GTR_LITTLE_ENDIAN_H

#include <stdint.h>
#include <string.h>

static inline uint64_t gtr_swap_64(uint64_t value)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(value) : value;
}

static inline uint64_t gtr_load_64(const unsigned char *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return gtr_swap_64(value);
}

static inline void gtr_store_64(unsigned char *bytes, uint64_t value)
{
    value = gtr_swap_64(value);
    memcpy(bytes, &value, sizeof value);
}

#endif
