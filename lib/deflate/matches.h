/* matches.h - repetitions in bytes, for deflate_block.h.
 *
 * Four searches.  Each finds a match by a few of its bytes, at places a step apart, and then
 * follows it both ways.  They differ in what they compare, for a match must save more than it
 * costs:
 *
 *     runs      one byte over and over, as of zeros: four of them at a multiple of four
 *     fours     these, and four bytes seen before, also at a multiple of four: for planes much like
 *               noise, whose bytes cost a byte each; rows that repeat in part lie an even number
 *               of places apart
 *     sixes     six bytes seen before, anywhere
 *     eights    eight bytes seen before, at a multiple of two: for bytes that cost few bits
 */
#ifndef GTR_MATCHES_H
#define GTR_MATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "deflate_block.h"

enum gtr_search {
    GTR_FIND_NOTHING,
    GTR_FIND_RUNS,
    GTR_FIND_FOURS,
    GTR_FIND_SIXES,
    GTR_FIND_EIGHTS
};

enum { GTR_MATCH_HASH_BITS = 15 };

/* So many bytes before the text are read, whatever they are, and so many after it. */
enum { GTR_BEFORE_TEXT = 1 << 16, GTR_AFTER_TEXT = 8 };

/* What a search remembers from one piece to the next of the same text. */
struct gtr_matches {
    uint16_t last[1 << GTR_MATCH_HASH_BITS]; /* where a hash was seen last, but for its high bits */
};

/* A new text begins. */
void gtr_matches_reset(struct gtr_matches *matches);

/* How many matches n bytes can hold, the one at the end included. */
static inline size_t gtr_matches_bound(size_t n)
{
    return n / 4 + 1;
}

/* Text at..at + n - 1, n <= GTR_BLOCK_BYTES_MAX, against itself and what was searched before of the
 * same text.  Returns the number of matches. */
size_t gtr_find_matches(struct gtr_matches *matches, enum gtr_search search,
                        const unsigned char *text, size_t at, size_t n, struct gtr_match *found);

#endif
