/* deflate_block.c - blocks of deflate. */
#include "deflate_block.h"

enum {
    CODE_BITS = 12,       /* the longest code: four of them fit the bits held */
    LENGTH_CODE_BITS = 7, /* deflate's own limit */
    STORED_BITS = 3 + 7 + 32
};

enum { END_OF_BLOCK = 256, FIRST_LENGTH = 257, LENGTH_MIN = 3, LENGTH_MAX = 258 };

/* How code lengths are sent: 0 to 15 as such, then runs of the last and of zeros. */
enum { REPEAT_LAST = 16, REPEAT_ZERO = 17, REPEAT_ZERO_LONG = 18 };

/* The order in which lengths of the code for lengths are sent: the likeliest not to be 0 first. */
static const uint8_t length_order[GTR_N_LENGTHS] = { 16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                     11, 4,  12, 3, 13, 2, 14, 1, 15 };
static const uint8_t repeat_bits[GTR_N_LENGTHS] = {
    [REPEAT_LAST] = 2, [REPEAT_ZERO] = 3, [REPEAT_ZERO_LONG] = 7
};

/* --- counting --------------------------------------------------------------------------------- */

/* A symbol and the bits after it. */
struct symbol {
    unsigned symbol, extra, n_extra;
};

static inline unsigned top_bit(unsigned value)
{
    return 31 - (unsigned)__builtin_clz(value);
}

/* From 11 on lengths share a symbol: four symbols for each number of extra bits. */
static inline struct symbol length_symbol(unsigned length)
{
    unsigned above = length - LENGTH_MIN, n;

    if (above == LENGTH_MAX - LENGTH_MIN)
        return (struct symbol){ GTR_N_SYMBOLS - 1, 0, 0 };
    if (above < 8)
        return (struct symbol){ FIRST_LENGTH + above, 0, 0 };
    n = top_bit(above) - 2;
    return (struct symbol){ FIRST_LENGTH + 4 * n + (above >> n), above & ((1u << n) - 1), n };
}

/* From 5 on distances do: two symbols for each. */
static inline struct symbol distance_symbol(unsigned distance)
{
    unsigned above = distance - 1, n;

    if (above < 4)
        return (struct symbol){ above, 0, 0 };
    n = top_bit(above) - 1;
    return (struct symbol){ 2 * n + (above >> n), above & ((1u << n) - 1), n };
}

/* A match that is too long for deflate is several, none of them shorter than LENGTH_MIN: the first
 * of them. */
static inline unsigned first_length(unsigned length)
{
    if (length <= LENGTH_MAX)
        return length;
    return length < LENGTH_MAX + LENGTH_MIN ? length - LENGTH_MIN : LENGTH_MAX;
}

static void count_match(struct gtr_block *block, struct gtr_match match)
{
    struct symbol distance = distance_symbol(match.distance);
    unsigned left = match.length, now;

    for (; left > 0; left -= now) {
        struct symbol length = length_symbol(now = first_length(left));

        block->counts[length.symbol]++;
        block->distance_counts[distance.symbol]++;
        block->extra_bits += length.n_extra + distance.n_extra;
    }
}

/* Four tables, because a count that has just been raised is slow to raise again. */
void gtr_block_count(struct gtr_block *block, const unsigned char *bytes,
                     const struct gtr_match *matches, size_t n)
{
    uint32_t counts[4][256] = { 0 };
    size_t m, i;

    memset(block, 0, sizeof *block);
    for (m = 0; m < n; m++) {
        const unsigned char *end = bytes + matches[m].literals;

        for (; end - bytes >= 4; bytes += 4) {
            counts[0][bytes[0]]++;
            counts[1][bytes[1]]++;
            counts[2][bytes[2]]++;
            counts[3][bytes[3]]++;
        }
        counts[0][bytes[0]] += end - bytes > 0;
        counts[1][bytes[1]] += end - bytes > 1;
        counts[2][bytes[2]] += end - bytes > 2;
        bytes = end;
        if (matches[m].length > 0)
            count_match(block, matches[m]);
        bytes += matches[m].length;
    }
    for (i = 0; i < 256; i++)
        block->counts[i] = counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
}

/* --- a block's code --------------------------------------------------------------------------- */

static void send(struct gtr_block *block, unsigned symbol, size_t repeat)
{
    block->sent[block->n_sent] = (uint8_t)symbol;
    block->repeats[block->n_sent++] = (uint8_t)repeat;
}

/* Sends the length at `at` and what follows of its kind; returns how many lengths that were. */
static size_t send_run(struct gtr_block *block, size_t at)
{
    unsigned length = block->lengths[at];
    size_t run = 1;

    while (at + run < sizeof block->lengths && block->lengths[at + run] == length && run < 138)
        run++;
    if (length == 0 && run >= 11) {
        send(block, REPEAT_ZERO_LONG, run - 11);
        return run;
    }
    if (length == 0 && run >= 3) {
        send(block, REPEAT_ZERO, run - 3);
        return run;
    }
    send(block, length, 0);
    if (length == 0 || run < 1 + 3)
        return 1;
    run = run < 1 + 6 ? run - 1 : 6;
    send(block, REPEAT_LAST, run - 3);
    return 1 + run;
}

/* The code for the code lengths; returns the bits that sending them takes. */
static uint64_t plan_lengths(struct gtr_block *block)
{
    uint32_t counts[GTR_N_LENGTHS] = { 0 };
    size_t n = GTR_N_LENGTHS, i;
    uint64_t bits;

    block->n_sent = 0;
    for (i = 0; i < sizeof block->lengths;)
        i += send_run(block, i);
    for (i = 0; i < block->n_sent; i++)
        counts[block->sent[i]]++;
    gtr_huffman_lengths(counts, GTR_N_LENGTHS, LENGTH_CODE_BITS, block->length_lengths);
    gtr_huffman_codes(block->length_lengths, GTR_N_LENGTHS, block->length_codes);
    while (n > 4 && block->length_lengths[length_order[n - 1]] == 0)
        n--;
    block->n_length_lengths = n;
    bits = 3 * n;
    for (i = 0; i < GTR_N_LENGTHS; i++)
        bits += (uint64_t)counts[i] * (block->length_lengths[i] + repeat_bits[i]);
    return bits;
}

uint64_t gtr_block_plan(struct gtr_block *block)
{
    uint8_t *distance_lengths = block->lengths + GTR_N_SYMBOLS;
    uint64_t bits = 3 + 5 + 5 + 4 + block->extra_bits;
    size_t i;

    block->counts[END_OF_BLOCK] = 1;
    gtr_huffman_lengths(block->counts, GTR_N_SYMBOLS, CODE_BITS, block->lengths);
    gtr_huffman_codes(block->lengths, GTR_N_SYMBOLS, block->codes);
    gtr_huffman_lengths(block->distance_counts, GTR_N_DISTANCES, CODE_BITS, distance_lengths);
    gtr_huffman_codes(distance_lengths, GTR_N_DISTANCES, block->distance_codes);
    bits += plan_lengths(block);
    for (i = 0; i < GTR_N_SYMBOLS; i++)
        bits += (uint64_t)block->counts[i] * block->lengths[i];
    for (i = 0; i < GTR_N_DISTANCES; i++)
        bits += (uint64_t)block->distance_counts[i] * distance_lengths[i];
    return bits;
}

uint64_t gtr_block_stored(size_t n)
{
    return STORED_BITS + 8 * (uint64_t)n;
}

/* --- bits ------------------------------------------------------------------------------------- */

/* 57 bits can be held between two calls of flush. */
static inline void hold(struct gtr_sink *sink, uint32_t bits, unsigned n)
{
    sink->held |= (uint64_t)bits << sink->n;
    sink->n += n;
}

static inline void hold_code(struct gtr_sink *sink, uint32_t code)
{
    hold(sink, code & 0xffff, code >> 16);
}

static inline void flush(struct gtr_sink *sink)
{
    gtr_store_64(sink->out, sink->held);
    sink->out += sink->n >> 3;
    sink->held >>= sink->n & ~7u;
    sink->n &= 7;
}

void gtr_sink_put(struct gtr_sink *sink, uint32_t bits, unsigned n)
{
    hold(sink, bits, n);
    flush(sink);
}

void gtr_sink_align(struct gtr_sink *sink)
{
    gtr_sink_put(sink, 0, -sink->n & 7);
}

/* --- blocks ----------------------------------------------------------------------------------- */

void gtr_block_put_stored(struct gtr_sink *sink, const unsigned char *bytes, size_t n, bool last)
{
    gtr_sink_put(sink, last, 3);
    gtr_sink_align(sink);
    gtr_sink_put(sink, (uint32_t)n | ~(uint32_t)n << 16, 32);
    memcpy(sink->out, bytes, n);
    sink->out += n;
}

static void put_head(struct gtr_sink *sink, const struct gtr_block *block, bool last)
{
    size_t i;

    hold(sink, last, 1);
    hold(sink, 2, 2);
    hold(sink, GTR_N_SYMBOLS - 257, 5);
    hold(sink, GTR_N_DISTANCES - 1, 5);
    gtr_sink_put(sink, (uint32_t)block->n_length_lengths - 4, 4);
    for (i = 0; i < block->n_length_lengths; i++)
        gtr_sink_put(sink, block->length_lengths[length_order[i]], 3);
    for (i = 0; i < block->n_sent; i++) {
        hold_code(sink, block->length_codes[block->sent[i]]);
        gtr_sink_put(sink, block->repeats[i], repeat_bits[block->sent[i]]);
    }
}

static inline void put_literals(struct gtr_sink *sink, const uint32_t *codes,
                                const unsigned char *bytes, size_t n)
{
    const unsigned char *end = bytes + n;
    ptrdiff_t left;

    for (; end - bytes >= 4; bytes += 4) {
        hold_code(sink, codes[bytes[0]]);
        hold_code(sink, codes[bytes[1]]);
        hold_code(sink, codes[bytes[2]]);
        hold_code(sink, codes[bytes[3]]);
        flush(sink);
    }
    left = end - bytes;
    hold_code(sink, codes[bytes[0]] & -(uint32_t)(left > 0));
    hold_code(sink, codes[bytes[1]] & -(uint32_t)(left > 1));
    hold_code(sink, codes[bytes[2]] & -(uint32_t)(left > 2));
    flush(sink);
}

/* A match takes at most 12 + 5 + 12 + 13 bits. */
static inline void put_match(struct gtr_sink *sink, const struct gtr_block *block,
                             struct gtr_match match)
{
    struct symbol distance = distance_symbol(match.distance);
    unsigned left = match.length, now;

    for (; left > 0; left -= now) {
        struct symbol length = length_symbol(now = first_length(left));

        hold_code(sink, block->codes[length.symbol]);
        hold(sink, length.extra, length.n_extra);
        hold_code(sink, block->distance_codes[distance.symbol]);
        hold(sink, distance.extra, distance.n_extra);
        flush(sink);
    }
}

void gtr_block_put(struct gtr_sink *sink, const struct gtr_block *block, const unsigned char *bytes,
                   const struct gtr_match *matches, size_t n, bool last)
{
    struct gtr_sink s;
    size_t m;

    put_head(sink, block, last);
    s = *sink; /* so that the compiler keeps it in registers */
    for (m = 0; m < n; m++) {
        put_literals(&s, block->codes, bytes, matches[m].literals);
        if (matches[m].length > 0)
            put_match(&s, block, matches[m]);
        bytes += matches[m].literals + matches[m].length;
    }
    hold_code(&s, block->codes[END_OF_BLOCK]);
    flush(&s);
    *sink = s;
}
