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

enum {
    PIECE = 1 << 15,     /* short enough to follow a tensor's rows, long for a code of 60 bytes */
    PLANE_MIN = 1 << 9,  /* shorter planes are not worth blocks of their own */
    WINDOW = 32,         /* bytes that are looked at together */
    WINDOWS = 64,        /* of a piece, evenly spread */
    TRIAL_EVERY = 16,    /* pieces, if they go on looking alike */
    TRIAL_PART = 4,      /* of a piece tells what to search it for */
    TRIAL_SAVES = 1024,  /* that part at least: a longer search finds more in whole pieces */
    BLOCK_BYTES = 6,     /* what a stored block adds, at most */
    FRAME_BYTES = 2 + 4, /* the stream's header and its checksum */
    SLACK_BYTES = 8      /* bits are written eight bytes at a time */
};

/* What a piece looks like. */
enum look { NOISE, RUNS, UNEVEN };

/* A piece, or part of one, as a block. */
struct way {
    struct gtr_match found[PIECE / 4 + 1];
    size_t n_found;
    struct gtr_block block;
};

struct gtr_planes {
    unsigned char *room, *shuffled; /* the second in the first */
    enum look look;                 /* of the last piece that was tried */
    uint64_t alike;                 /* and of that piece, see look_at */
    enum gtr_search search;         /* that paid in the last piece that was tried */
    struct gtr_matches seen, trial;
    struct way way;
};

enum gtr_code gtr_planes_new(size_t bytes, struct gtr_planes **out, struct gtr_err *err)
{
    struct gtr_planes *planes = NULL;
    enum gtr_code rc = gtr_alloc_for(&planes, 1, sizeof *planes, "planes", err);

    if (rc == GTR_OK)
        rc =
            gtr_alloc_for(&planes->room, GTR_BEFORE_TEXT + bytes + GTR_AFTER_TEXT, 1, "bytes", err);
    if (rc == GTR_OK)
        planes->shuffled = planes->room + GTR_BEFORE_TEXT;
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
        gtr_free(planes->room);
    gtr_free(planes);
}

/* --- looking at a piece ----------------------------------------------------------------------- */

static bool is_constant(const unsigned char *bytes, size_t n)
{
    return memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* From some windows of a piece.  That two bytes drawn from them are equal has the chance 1/256 in
 * noise; above 5/4 of that some 4 % can be saved, and the exact cost is worth knowing.  *alike gets
 * that chance in 1024ths of noise's. */
static enum look look_at(const unsigned char *piece, size_t n, uint64_t *alike)
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
    for (i = 0; i < 256; i++)
        pairs += (uint64_t)counts[i] * counts[i];
    *alike = seen > 0 ? (pairs - seen) * 256 * 1024 / (seen * seen) : 0;
    if (constant * WINDOW * 16 > seen)
        return RUNS;
    return seen > 0 && *alike < 1024 * 5 / 4 ? NOISE : UNEVEN;
}

/* --- writing it ------------------------------------------------------------------------------- */

/* A stored block is read many times faster; that is worth a 64th. */
static uint64_t most_bits(size_t n)
{
    return gtr_block_stored(n) - n / 8;
}

/* Returns the bits that the piece takes in this way. */
static uint64_t try_search(struct gtr_planes *planes, struct gtr_matches *seen,
                           enum gtr_search search, const unsigned char *piece, size_t n)
{
    struct way *way = &planes->way;

    way->n_found = gtr_find_matches(seen, search, planes->shuffled,
                                    (size_t)(piece - planes->shuffled), n, way->found);
    gtr_block_count(&way->block, piece, way->found, way->n_found);
    return gtr_block_plan(&way->block);
}

/* The search for a piece, by a part of it.  What hardly shrinks by its code alone is much like
 * noise, and the more a byte costs, the shorter the matches that are worth it. */
static enum gtr_search best_search(struct gtr_planes *planes, enum look look,
                                   const unsigned char *part, size_t n)
{
    enum gtr_search simple = look == RUNS ? GTR_FIND_RUNS : GTR_FIND_NOTHING;
    enum gtr_search other = GTR_FIND_EIGHTS;
    uint64_t bits = try_search(planes, &planes->trial, simple, part, n);

    if (look == UNEVEN && bits > 7 * n)
        other = GTR_FIND_FOURS;
    else if (look == UNEVEN && bits > 5 * n)
        other = GTR_FIND_SIXES;
    gtr_matches_reset(&planes->trial);
    if (try_search(planes, &planes->trial, other, part, n) < bits - bits / TRIAL_SAVES)
        return other;
    return simple;
}

/* Whether a search in noise saves something: nothing is found by chance. */
static bool noise_repeats(struct gtr_planes *planes, const unsigned char *part, size_t n)
{
    struct gtr_match *found = planes->way.found;
    size_t saved = 0, n_found, i;

    gtr_matches_reset(&planes->trial);
    n_found = gtr_find_matches(&planes->trial, GTR_FIND_FOURS, planes->shuffled,
                               (size_t)(part - planes->shuffled), n, found);
    for (i = 0; i < n_found; i++)
        saved += found[i].length > 3 ? found[i].length - 3u : 0; /* a match takes some 3 bytes */
    return saved > n / TRIAL_SAVES;
}

/* By more than a third. */
static bool changed(uint64_t before, uint64_t now)
{
    return now * 4 < before * 3 || before * 4 < now * 3;
}

/* Settles what to search a piece for; `number` counts the pieces of a plane. */
static enum look look_and_choose(struct gtr_planes *planes, const unsigned char *piece, size_t n,
                                 size_t number)
{
    uint64_t alike;
    enum look look = look_at(piece, n, &alike);

    if (number % TRIAL_EVERY != 0 && look == planes->look &&
        (look != UNEVEN || !changed(planes->alike, alike)))
        return look;
    planes->look = look;
    planes->alike = alike;
    if (look != NOISE)
        planes->search = best_search(planes, look, piece, n / TRIAL_PART);
    else if (noise_repeats(planes, piece, n / 2))
        planes->search = GTR_FIND_FOURS;
    else
        planes->search = GTR_FIND_NOTHING;
    return look;
}

static void put_piece(struct gtr_planes *planes, struct gtr_sink *sink, const unsigned char *piece,
                      size_t n, size_t number, bool last)
{
    const struct way *way = &planes->way;

    if ((look_and_choose(planes, piece, n, number) == NOISE &&
         planes->search == GTR_FIND_NOTHING) ||
        try_search(planes, &planes->seen, planes->search, piece, n) > most_bits(n))
        gtr_block_put_stored(sink, piece, n, last);
    else
        gtr_block_put(sink, &way->block, piece, way->found, way->n_found, last);
}

/* --- the stream ------------------------------------------------------------------------------- */

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
    gtr_matches_reset(&planes->seen);
    planes->look = NOISE;
    planes->search = GTR_FIND_NOTHING;
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
