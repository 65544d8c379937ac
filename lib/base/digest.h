/* digest.h - 64 bits that two builds must agree on.
 *
 * FNV-1a (Fowler, Noll, Vo).
 */
#ifndef GTR_DIGEST_H
#define GTR_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define GTR_DIGEST_START UINT64_C(14695981039346656037)

/* Continues `digest` over n bytes.  Start with GTR_DIGEST_START. */
uint64_t gtr_digest_bytes(uint64_t digest, const void *bytes, size_t n);

/* Over the bits of n doubles, least significant byte first.  All NaNs count as one: x86 and GPUs
 * make different ones from the same 0/0. */
uint64_t gtr_digest_doubles(uint64_t digest, const double *values, size_t n);

#endif
