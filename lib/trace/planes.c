/* planes.c - shuffle, look at each piece, and send it as the block of deflate that suits it.
 *
 * RFC 1950 and 1951 say what the bits mean.  Nothing here depends on which zlib there is.
 */
#include "planes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "alloc.h"
#include "deflate_block.h"
#include "matches.h"
#include "shuffle.h"
#include "zlib_stream.h"

enum {
    PIECE = 1 << 15,     /* short enough to follow a tensor's rows, long for a code of 60 bytes */
    PLANE_MIN = 1 << 9,  /* shorter planes are not worth blocks of their own */
    WINDOW = 32,         /* bytes that are looked at together */
    WINDOWS = 128,       /* of a piece, evenly spread */
    TRIAL_EVERY = 8,     /* pieces: a search costs as much as some ten codes */
    BLOCK_BYTES = 6,     /* what a stored block adds, at most */
    FRAME_BYTES = 2 + 4, /* the stream's header and its checksum */
    SLACK_BYTES = 8      /* bits are written eight bytes at a time */
};

struct gtr_planes {
    unsigned char *shuffled;
    bool matches_pay; /* in the last piece that was tried */
    struct gtr_block bytes, tokens;
    struct gtr_matches matches;
    gtr_token token[PIECE];
};

enum gtr_code gtr_planes_new(size_t bytes, struct gtr_planes **out, struct gtr_err *err)
{
    struct gtr_planes *planes = NULL;
    enum gtr_code rc = gtr_alloc_for(&planes, 1, sizeof *planes, "planes", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&planes->shuffled, bytes, 1, "bytes", err);
    if (rc != GTR_OK) {
        gtr_planes_free(planes);
        planes = NULL;
    }
    *out = planes;
    return rc;
}

void gtr_planes_free(struct gtr_planes *planes)
{
    if (planes != NULL)
        gtr_free(planes->shuffled);
    gtr_free(planes);
}

/* --- looking at a piece ----------------------------------------------------------------------- */

enum look { NOISE, RUNS, UNEVEN };

static bool is_constant(const unsigned char *bytes, size_t n)
{
    return memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* From some windows of a piece.  That two bytes drawn from them are equal has the chance 1/256 in
 * noise; above 5/4 of that some 4 % can be saved, and the exact cost is worth knowing. */
static enum look look_at(const unsigned char *piece, size_t n)
{
    uint32_t counts[256] = { 0 };
    size_t step = n / WINDOWS > WINDOW ? n / WINDOWS : WINDOW, at, i;
    uint64_t seen = 0, constant = 0, pairs = 0;

    for (at = 0; at + WINDOW <= n; at += step) {
        for (i = 0; i < WINDOW; i++)
            counts[piece[at + i]]++;
        seen += WINDOW;
        constant += is_constant(piece + at, WINDOW);
    }
    if (constant * WINDOW * 16 > seen)
        return RUNS;
    for (i = 0; i < 256; i++)
        pairs += (uint64_t)counts[i] * counts[i];
    return seen > 0 && (pairs - seen) * 256 * 4 < seen * seen * 5 ? NOISE : UNEVEN;
}

/* --- writing it --------------------------------------------------------------------------------
 */

/* A stored block is read many times faster; that is worth a 64th. */
static uint64_t most_bits(size_t n)
{
    return gtr_block_stored(n) - n / 8;
}

static void put_runs(struct gtr_planes *planes, struct gtr_sink *sink, const unsigned char *piece,
                     size_t n, bool last)
{
    size_t n_tokens = gtr_find_runs(piece, n, planes->token);

    gtr_block_count_tokens(&planes->tokens, planes->token, n_tokens);
    if (gtr_block_plan(&planes->tokens) > most_bits(n))
        gtr_block_put_stored(sink, piece, n, last);
    else
        gtr_block_put_tokens(sink, &planes->tokens, planes->token, n_tokens, last);
}

/* `trial`: whether matches pay is to be found out. */
static void put_uneven(struct gtr_planes *planes, struct gtr_sink *sink, const unsigned char *piece,
                       size_t n, bool trial, bool last)
{
    uint64_t bits, match_bits = UINT64_MAX;
    size_t n_tokens = 0;

    gtr_block_count_bytes(&planes->bytes, piece, n);
    bits = gtr_block_plan(&planes->bytes);
    if (trial || planes->matches_pay) {
        n_tokens = gtr_find_matches(&planes->matches, planes->shuffled,
                                    (size_t)(piece - planes->shuffled), n, planes->token);
        gtr_block_count_tokens(&planes->tokens, planes->token, n_tokens);
        match_bits = gtr_block_plan(&planes->tokens);
    }
    if (trial)
        planes->matches_pay = match_bits < bits - bits / 16;
    if (bits > most_bits(n) && match_bits > most_bits(n))
        gtr_block_put_stored(sink, piece, n, last);
    else if (match_bits < bits)
        gtr_block_put_tokens(sink, &planes->tokens, planes->token, n_tokens, last);
    else
        gtr_block_put_bytes(sink, &planes->bytes, piece, n, last);
}

/* Whether a search in noise saves a 64th.  A quarter of a piece tells: nothing is found by chance.
 */
static bool noise_repeats(struct gtr_planes *planes, const unsigned char *piece, size_t n)
{
    size_t tokens = gtr_find_matches(&planes->matches, planes->shuffled,
                                     (size_t)(piece - planes->shuffled), n / 4, planes->token);
    size_t matches = 0, i;

    for (i = 0; i < tokens; i++)
        matches += planes->token[i] > 255;
    /* A match takes some three bytes. */
    return n / 4 - tokens > 2 * matches + n / 4 / 64;
}

/* `number` counts the pieces of a plane. */
static void put_piece(struct gtr_planes *planes, struct gtr_sink *sink, const unsigned char *piece,
                      size_t n, size_t number, bool last)
{
    bool trial = number % TRIAL_EVERY == 0;

    switch (look_at(piece, n)) {
    case NOISE:
        if (trial)
            planes->matches_pay = noise_repeats(planes, piece, n);
        if (planes->matches_pay)
            put_uneven(planes, sink, piece, n, false, last);
        else
            gtr_block_put_stored(sink, piece, n, last);
        break;
    case RUNS:
        put_runs(planes, sink, piece, n, last);
        break;
    case UNEVEN:
        put_uneven(planes, sink, piece, n, trial, last);
        break;
    }
}

/* --- the stream --------------------------------------------------------------------------------
 */

/* Planes are not mixed in a piece unless they are short. */
static size_t plane_bytes(size_t bytes, size_t size)
{
    size_t plane = bytes / size >= PLANE_MIN ? bytes / size : bytes;

    return plane > 0 ? plane : 1;
}

size_t gtr_planes_bound(size_t bytes)
{
    /* A piece is whole unless it is a plane's last, and those are longer than PLANE_MIN. */
    return bytes + (bytes / PIECE + bytes / PLANE_MIN + 2) * BLOCK_BYTES + FRAME_BYTES +
           SLACK_BYTES;
}

size_t gtr_planes_deflate(struct gtr_planes *planes, const unsigned char *elements, size_t bytes,
                          size_t size, unsigned char *out)
{
    size_t plane = plane_bytes(bytes, size), at = 0, end, i;
    struct gtr_sink sink = { .out = out };
    uint32_t sum;

    gtr_shuffle(elements, planes->shuffled, bytes, size);
    gtr_matches_reset(&planes->matches);
    planes->matches_pay = false;
    /* "Deflate, a window of 32 KiB, made fast"; such a head is a multiple of 31. */
    gtr_sink_put(&sink, 0x78, 8);
    gtr_sink_put(&sink, 0x01, 8);
    do {
        end = at + plane - at % plane;
        end = end < bytes ? end : bytes;
        end = end < at + PIECE ? end : at + PIECE;
        put_piece(planes, &sink, planes->shuffled + at, end - at, at % plane / PIECE, end == bytes);
        at = end;
    } while (at < bytes);
    gtr_sink_align(&sink);
    sum = gtr_adler32(planes->shuffled, bytes);
    for (i = 0; i < 4; i++)
        gtr_sink_put(&sink, sum >> (24 - 8 * i) & 0xff, 8);
    return (size_t)(sink.out - out);
}
