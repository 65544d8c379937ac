/* huffman.h - prefix codes of limited length, as deflate wants them. */
#ifndef GTR_HUFFMAN_H
#define GTR_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>

enum { GTR_HUFFMAN_SYMBOLS_MAX = 288, GTR_HUFFMAN_LENGTH_MAX = 15 };

/* Code lengths in bits, at most `limit`, that make the counted text short; 0 for symbols that do
 * not occur.  At least two symbols get one, so that the code is complete, which some decoders
 * insist on.  2 <= n <= GTR_HUFFMAN_SYMBOLS_MAX <= 2^limit or fewer symbols occur. */
void gtr_huffman_lengths(const uint32_t *counts, size_t n, unsigned limit, uint8_t *lengths);

/* The canonical code of these lengths, first bit lowest as deflate sends it: code | length << 16.
 */
void gtr_huffman_codes(const uint8_t *lengths, size_t n, uint32_t *codes);

#endif
