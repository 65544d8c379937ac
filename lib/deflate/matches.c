/* matches.c - a greedy search for repetitions that looks at one or two places only. */
#include "matches.h"

/* Of a run, before it is followed: three bytes repeat by chance, and cost as much as their bytes.
 */
enum { RUN_BYTES = 4 };

#define INLINE inline __attribute__((always_inline))

void gtr_matches_reset(struct gtr_matches *matches)
{
    memset(matches, 0, sizeof *matches);
}

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many bytes are the same at both places; b may lie inside of what a runs over. */
static inline size_t common_length(const unsigned char *a, const unsigned char *b, size_t most)
{
    size_t n = 0;

    for (; n + 8 <= most; n += 8) {
        uint64_t differ = gtr_load_64(a + n) ^ gtr_load_64(b + n);

        if (differ != 0)
            return n + ((size_t)__builtin_ctzll(differ) >> 3);
    }
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

/* How many bytes before both places are the same, as far as eight bytes show: most matches begin
 * where they are found, and a loop that ends anywhere takes longer to leave. */
static inline size_t common_before(const unsigned char *a, const unsigned char *b)
{
    uint64_t differ = gtr_load_64(a - 8) ^ gtr_load_64(b - 8);

    return differ == 0 ? 8 : (size_t)__builtin_clzll(differ) >> 3;
}

/* Where the `width` bytes at `at` were last seen, else `at`.  All but the low bits of a place are
 * lost, so what is read may be too far away, or not the text's, or another hash's.  The bytes are
 * compared first, because they hardly ever agree, and the rest can go either way. */
static INLINE size_t seen_before(struct gtr_matches *matches, const unsigned char *text, size_t at,
                                 size_t width, unsigned bits)
{
    const unsigned shift = (unsigned)(64 - 8 * width);
    uint64_t bytes = gtr_load_64(text + at) << shift;
    uint16_t *last = &matches->last[bytes * UINT64_C(0x9e3779b185ebca87) >> (64 - bits)];
    size_t distance = (uint16_t)(at - *last);

    *last = (uint16_t)at;
    if (gtr_load_64(text + at - distance) << shift != bytes)
        return at;
    return distance <= GTR_DISTANCE_MAX && distance <= at ? at - distance : at;
}

/* Compiled once for each search.  width 0: only runs.  Eight bytes are read at a time, so the last
 * seven of a piece begin no match. */
static INLINE size_t find(struct gtr_matches *matches, bool runs, size_t width, unsigned bits,
                          size_t step, const unsigned char *text, size_t start, size_t n,
                          struct gtr_match *found)
{
    size_t end = start + n, at = start > 0 ? start : step, done = start, n_found = 0;

    while (at + 8 <= end) {
        size_t from = at, before, length;

        if (runs &&
            (gtr_load_64(text + at) ^ gtr_load_64(text + at - 1)) << (64 - 8 * RUN_BYTES) == 0)
            from = at - 1;
        else if (width > 0)
            from = seen_before(matches, text, at, width, bits);
        if (from == at) {
            at += step;
            continue;
        }
        length = RUN_BYTES + common_length(text + from + RUN_BYTES, text + at + RUN_BYTES,
                                           end - at - RUN_BYTES);
        before = smaller(common_before(text + at, text + from), smaller(at - done, from));
        found[n_found++] = (struct gtr_match){ .literals = (uint16_t)(at - before - done),
                                               .length = (uint16_t)(length + before),
                                               .distance = (uint16_t)(at - from) };
        at += length;
        done = at;
        at += (start - at) % step;
    }
    if (done < end)
        found[n_found++] = (struct gtr_match){ .literals = (uint16_t)(end - done) };
    return n_found;
}

size_t gtr_find_matches(struct gtr_matches *matches, enum gtr_search search,
                        const unsigned char *text, size_t at, size_t n, struct gtr_match *found)
{
    switch (search) {
    case GTR_FIND_RUNS:
        return find(matches, true, 0, 0, 4, text, at, n, found);
    case GTR_FIND_FOURS:
        return find(matches, true, 4, 14, 4, text, at, n, found);
    case GTR_FIND_SIXES:
        return find(matches, false, 6, 15, 1, text, at, n, found);
    case GTR_FIND_EIGHTS:
        return find(matches, false, 8, 15, 2, text, at, n, found);
    case GTR_FIND_NOTHING:
        break;
    }
    found[0] = (struct gtr_match){ .literals = (uint16_t)n };
    return 1;
}
