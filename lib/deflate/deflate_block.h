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
#include <string.h>

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

/* --- prefix codes of limited length, as deflate wants them ------------------------------------ */

enum { GTR_HUFFMAN_SYMBOLS_MAX = 288, GTR_HUFFMAN_LENGTH_MAX = 15 };

/* Code lengths in bits, at most `limit`, that make the counted text short; 0 for symbols that do
 * not occur.  At least two symbols get one, so that the code is complete, which some decoders
 * insist on.  2 <= n <= GTR_HUFFMAN_SYMBOLS_MAX <= 2^limit or fewer symbols occur. */
void gtr_huffman_lengths(const uint32_t *counts, size_t n, unsigned limit, uint8_t *lengths);

/* The canonical code of these lengths, first bit lowest as deflate sends it: code | length << 16.
 */
void gtr_huffman_codes(const uint8_t *lengths, size_t n, uint32_t *codes);

/* --- numbers from bytes and back, lowest byte first, on any machine ------------------------------
 *
 * Written with shifts, not every compiler makes one instruction of them. */

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
