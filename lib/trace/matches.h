/* matches.h - repetitions in bytes, for deflate_block.h. */
#ifndef GTR_MATCHES_H
#define GTR_MATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "deflate_block.h"

enum { GTR_MATCH_HASH_BITS = 13 };

/* What a search remembers from one piece to the next of the same text. */
struct gtr_matches {
    uint32_t last[1 << GTR_MATCH_HASH_BITS]; /* where a hash was seen last, plus 1; 0: never */
};

/* A new text begins. */
void gtr_matches_reset(struct gtr_matches *matches);

/* Both return the number of tokens, at most n. */

/* Only runs: matches at distance 1, within the piece. */
size_t gtr_find_runs(const unsigned char *piece, size_t n, gtr_token *tokens);

/* Text at..at + n - 1, against itself and what was searched before of the same text. */
size_t gtr_find_matches(struct gtr_matches *matches, const unsigned char *text, size_t at, size_t n,
                        gtr_token *tokens);

#endif
