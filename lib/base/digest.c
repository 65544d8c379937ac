/* digest.c - FNV-1a. */
#include "digest.h"

#include <math.h>

uint64_t gtr_digest_bytes(uint64_t digest, const void *bytes, size_t n)
{
    const unsigned char *p = bytes, *end = p + n;

    for (; p < end; p++)
        digest = (digest ^ *p) * UINT64_C(1099511628211);
    return digest;
}

uint64_t gtr_digest_doubles(uint64_t digest, const double *values, size_t n)
{
    static const uint64_t one_nan = UINT64_C(0x7ff8000000000000);
    size_t i;

    for (i = 0; i < n; i++)
        digest = gtr_digest_bytes(digest, isnan(values[i]) ? (const void *)&one_nan : &values[i],
                                  sizeof one_nan);
    return digest;
}
