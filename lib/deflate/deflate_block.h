/* deflate_block.h - single blocks of deflate (RFC 1951): stored, or with a Huffman code of their
 * own.
 *
 *     gtr_block_count    what the block will hold
 *     gtr_block_plan     the code that suits these counts, and what the block takes
 *     gtr_block_put      the block
 */
#ifndef GTR_DEFLATE_BLOCK_H
#define GTR_DEFLATE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Symbols of deflate: 256 bytes, end of block, lengths of matches; and their distances. */
enum { GTR_N_SYMBOLS = 286, GTR_N_DISTANCES = 30, GTR_DISTANCE_MAX = 1 << 15 };

/* What a block may hold here, so that 16 bits count it. */
enum { GTR_BLOCK_BYTES_MAX = 1 << 15 };

/* Symbols for code lengths. */
enum { GTR_N_LENGTHS = 19 };

/* So many bytes as they are, then so many that lie `distance` before.  A length is at least 3, and
 * as long as a block if need be: deflate's own matches end at 258, but that is seen to here.  Or it
 * is 0, at the end. */
struct gtr_match {
    uint16_t literals, length, distance;
};

/* Bits on their way out. */
struct gtr_sink {
    uint64_t held;
    unsigned n; /* at most 7 between calls */
    unsigned char *out;
};

struct gtr_block {
    uint32_t counts[GTR_N_SYMBOLS], distance_counts[GTR_N_DISTANCES];
    uint64_t extra_bits; /* after symbols, which counts do not show */
    uint32_t codes[GTR_N_SYMBOLS], distance_codes[GTR_N_DISTANCES];
    uint8_t lengths[GTR_N_SYMBOLS + GTR_N_DISTANCES]; /* of codes, in the order they are sent */
    uint8_t sent[GTR_N_SYMBOLS + GTR_N_DISTANCES];    /* the lengths as symbols for lengths */
    uint8_t repeats[GTR_N_SYMBOLS + GTR_N_DISTANCES]; /* and the extra bits of these */
    size_t n_sent;
    uint8_t length_lengths[GTR_N_LENGTHS];
    uint32_t length_codes[GTR_N_LENGTHS];
    size_t n_length_lengths;
};

/* `bytes` are what the matches cover, from their first literal on. */
void gtr_block_count(struct gtr_block *block, const unsigned char *bytes,
                     const struct gtr_match *matches, size_t n);

/* Returns the bits of the block. */
uint64_t gtr_block_plan(struct gtr_block *block);

/* Bits of a stored block, at most. */
uint64_t gtr_block_stored(size_t n);

/* `last` ends the stream.  Room is needed for the block and eight more bytes. */
void gtr_block_put(struct gtr_sink *sink, const struct gtr_block *block, const unsigned char *bytes,
                   const struct gtr_match *matches, size_t n, bool last);
/* At most 65,535 bytes. */
void gtr_block_put_stored(struct gtr_sink *sink, const unsigned char *bytes, size_t n, bool last);

/* Up to 32 bits, lowest first; and zeros up to the next whole byte. */
void gtr_sink_put(struct gtr_sink *sink, uint32_t bits, unsigned n);
void gtr_sink_align(struct gtr_sink *sink);

#endif
