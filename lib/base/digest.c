/* digest.c - FNV-1a (Fowler, Noll, Vo). */
#include "digest.h"

#include <math.h>
#include <string.h>

uint64_t gtr_digest_doubles(uint64_t digest, const double *values, size_t n)
{
    static const uint64_t one_nan = UINT64_C(0x7ff8000000000000);
    static const uint64_t prime = UINT64_C(1099511628211);
    size_t i;
    int byte;

    for (i = 0; i < n; i++) {
        uint64_t bits = one_nan;

        if (!isnan(values[i]))
            memcpy(&bits, &values[i], sizeof bits);
        for (byte = 0; byte < 8; byte++) {
            digest ^= bits >> (8 * byte) & 0xff;
            digest *= prime;
        }
    }
    return digest;
}
