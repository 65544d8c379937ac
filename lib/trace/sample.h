/* sample.h - which blocks of a tensor are kept when elements are sampled.
 *
 * Optimizers like Adam work element by element, so a fixed subset of the elements replays exactly,
 * and estimates the totals of its group without bias.  The subset is made of aligned blocks, the
 * same at every step, and is a pure function of what the trace says: the tensor's name and numel,
 * the block size, the fraction and the seed.
 *
 * A tensor of n blocks (the last may be short) keeps k = floor(fraction * n + 0.5) of them in
 * double precision, at least 1 and at most n: those whose hashes are smallest.  Their elements are
 * stored block after block in rising order.  With all numbers of 64 bits, unsigned and wrapping,
 *
 *     mix(z):  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9
 *              z = (z ^ z >> 27) * 0x94d049bb133111eb
 *              z ^ z >> 31
 *     fnv(name):  h = 0xcbf29ce484222325; for each byte: h = (h ^ byte) * 0x100000001b3
 *     key     = mix(mix(seed + G) + fnv(name) + G)            G = 0x9e3779b97f4a7c15
 *     hash(b) = mix(key + (b + 1) * G)                        b = 0 .. n - 1
 *
 * which is number b of splitmix64 started at `key`.  mix is one-to-one and G is odd, so no two
 * blocks have the same hash.  Which blocks are kept thus depends on no order of drawing, and a
 * smaller fraction keeps some of the blocks that a larger one does.
 */
#ifndef GTR_SAMPLE_H
#define GTR_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "public.h"

GTR_PUBLIC_BEGIN

enum { GTR_SAMPLE_BLOCK = 1024 }; /* what this library's recorder uses */

struct gtr_sample {
    int64_t block;   /* elements; GTR_SAMPLE_BLOCK unless another program wrote the trace */
    double fraction; /* in (0, 1] */
    int64_t seed;
};

/* "1/64" or "0.02" as a fraction in (0, 1]. */
enum gtr_code gtr_sample_parse(const char *text, double *fraction, struct gtr_err *err);

/* The blocks kept, rising: a new array of *n_kept block numbers.  Free with gtr_free. */
enum gtr_code gtr_sample_blocks(const struct gtr_sample *sampling, const char *name, uint64_t numel,
                                uint64_t **blocks, size_t *n_kept, struct gtr_err *err);

GTR_PUBLIC_END

/* Fails unless the block has elements, the fraction is in (0, 1], and a tensor of `numel` has at
 * most 2^28 blocks: all of them are looked at, and a damaged file may claim any number. */
enum gtr_code gtr_sample_check(const struct gtr_sample *sampling, uint64_t numel,
                               struct gtr_err *err);

/* How many blocks are kept; 0 for a tensor without elements. */
uint64_t gtr_sample_n_blocks(const struct gtr_sample *sampling, uint64_t numel);

/* Elements that they hold together.  The sampling is one that gtr_sample_check passes. */
uint64_t gtr_sample_numel(const struct gtr_sample *sampling, const char *name, uint64_t numel);

#endif
