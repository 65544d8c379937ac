/* matches.c - runs, and a greedy search for repetitions that looks at one place only. */
#include "matches.h"

#include <string.h>

enum { SEARCH_MIN = 4, DISTANCE_MAX = 32767 };

void gtr_matches_reset(struct gtr_matches *matches)
{
    memset(matches, 0, sizeof *matches);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many bytes are the same at both places; b may lie inside of what a runs over. */
static size_t common_length(const unsigned char *a, const unsigned char *b, size_t most)
{
    uint64_t x, y;
    size_t n = 0;

    for (; n + sizeof x <= most; n += sizeof x) {
        memcpy(&x, a + n, sizeof x);
        memcpy(&y, b + n, sizeof y);
        if (x != y)
            break;
    }
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

size_t gtr_find_runs(const unsigned char *piece, size_t n, gtr_token *tokens)
{
    size_t n_tokens = 0, at = 0, run;

    while (at < n) {
        run =
            at == 0 ? 0 : common_length(piece + at - 1, piece + at, smaller(n - at, GTR_MATCH_MAX));
        if (run >= GTR_MATCH_MIN) {
            tokens[n_tokens++] = (gtr_token)(run << 16 | 1);
            at += run;
        } else {
            tokens[n_tokens++] = piece[at++];
        }
    }
    return n_tokens;
}

/* The same number on any machine. */
static inline uint32_t four_bytes(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Takes the place where the next four bytes were last seen, if it is near enough; three bytes
 * repeat by chance.  Only places where a search began are remembered; those of a search that was
 * tried first may lie ahead. */
size_t gtr_find_matches(struct gtr_matches *matches, const unsigned char *text, size_t at, size_t n,
                        gtr_token *tokens)
{
    size_t end = at + n, n_tokens = 0;

    while (at + SEARCH_MIN <= end) {
        uint32_t four = four_bytes(text + at);
        uint32_t *last = &matches->last[four * UINT32_C(2654435761) >> (32 - GTR_MATCH_HASH_BITS)];
        size_t before = *last;

        *last = (uint32_t)at + 1;
        if (before > 0 && before <= at && at + 1 - before <= DISTANCE_MAX &&
            four_bytes(text + before - 1) == four) {
            size_t length =
                common_length(text + before - 1, text + at, smaller(end - at, GTR_MATCH_MAX));

            tokens[n_tokens++] = (gtr_token)(length << 16 | (at + 1 - before));
            at += length;
        } else {
            tokens[n_tokens++] = text[at++];
        }
    }
    while (at < end)
        tokens[n_tokens++] = text[at++];
    return n_tokens;
}
