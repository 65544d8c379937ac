/* test_planes.c - what gtr_planes_deflate writes is what shuffle and deflate would read back, bit
 * by bit, whatever is in it; by zlib, which is not what wrote it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "check.h"
#include "deflate_block.h"
#include "gradtrace_lab.h"
#include "matches.h"
#include "planes.h"
#include "random.h"

enum { BYTES_MAX = 300 * 1000, GUARD = 16 };

static unsigned char plain[BYTES_MAX], scratch[BYTES_MAX], back[BYTES_MAX];

/* HDF5's filter as its documentation has it. */
static void slow_shuffle(const unsigned char *elements, unsigned char *planes, size_t bytes,
                         size_t size)
{
    size_t n = bytes / size, i, j;

    memcpy(planes, elements, bytes);
    for (i = 0; i < n; i++)
        for (j = 0; j < size; j++)
            planes[j * n + i] = elements[i * size + j];
}

static void shuffles_are_hdf5s(void)
{
    static const size_t sizes[] = { 1, 2, 3, 4, 8, 16 };
    static unsigned char wanted[600], got[600 + GUARD];
    size_t s, n, i;

    for (i = 0; i < sizeof wanted; i++)
        plain[i] = (unsigned char)(i * 7 + i / 256);
    for (s = 0; s < GTR_ARRAY_LEN(sizes); s++)
        for (n = 0; n < sizeof wanted; n += 1 + n / 40) {
            memset(got, 0xa5, sizeof got);
            slow_shuffle(plain, wanted, n, sizes[s]);
            gtr_shuffle(plain, got, n, sizes[s]);
            CHECK(memcmp(got, wanted, n) == 0 && got[n] == 0xa5);
            memset(got, 0xa5, sizeof got);
            gtr_unshuffle(wanted, got, n, sizes[s]);
            CHECK(memcmp(got, plain, n) == 0 && got[n] == 0xa5);
        }
}

/* Length of the stream; checks all that can be checked about it. */
static size_t deflated(size_t bytes, size_t size)
{
    size_t most = gtr_planes_bound(bytes), n, i, got = BYTES_MAX;
    unsigned char *stream = malloc(most + GUARD), *other = malloc(most);
    struct gtr_inflater *inflater = gtr_inflater_new();
    struct gtr_planes *planes;
    uLongf length = sizeof back;

    memset(stream, 0xa5, most + GUARD);
    CHECK(gtr_planes_new(bytes, &planes, NULL) == GTR_OK);
    n = gtr_planes_deflate(planes, plain, bytes, size, stream);
    CHECK(n <= most);
    for (i = 0; i < GUARD; i++)
        CHECK(stream[most + i] == 0xa5);
    CHECK(uncompress(back, &length, stream, n) == Z_OK && length == bytes);
    slow_shuffle(plain, scratch, bytes, size);
    CHECK(memcmp(back, scratch, bytes) == 0);
    CHECK(gtr_inflate(inflater, stream, n, back, &got) && got == bytes);
    CHECK(memcmp(back, scratch, bytes) == 0);
    got = bytes; /* too little room, by one */
    CHECK(bytes < 2 || !gtr_inflate(inflater, stream, n, back, &(size_t){ bytes - 1 }));
    stream[n - 1] ^= 1; /* the checksum */
    CHECK(!gtr_inflate(inflater, stream, n, back, &got));
    CHECK(gtr_planes_deflate(planes, plain, bytes, size, other) == n);
    stream[n - 1] ^= 1;
    CHECK(memcmp(stream, other, n) == 0); /* equal bytes in, equal bytes out */
    gtr_inflater_free(inflater);
    gtr_planes_free(planes);
    free(stream);
    free(other);
    return n;
}

static void fill_noise(size_t bytes, uint64_t seed)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        plain[i] = (unsigned char)(gtr_splitmix_step(&seed) >> 56);
}

/* Normal deviates of a few sizes, as layers have them, in one of the dtypes. */
static void fill_gradients(size_t bytes, enum gtr_dtype dtype)
{
    size_t size = gtr_dtype_size(dtype), i;
    struct gtr_random random;

    gtr_random_init(&random, 5, 0);
    for (i = 0; i + size <= bytes; i += size) {
        double value = gtr_random_normal(&random) * ldexp(1e-3, -(int)(i >> 16));
        float narrow = (float)value;
        uint32_t bits;

        memcpy(&bits, &narrow, sizeof bits);
        if (dtype == GTR_F64)
            memcpy(plain + i, &value, size);
        else if (dtype == GTR_F32)
            memcpy(plain + i, &narrow, size);
        else if (dtype == GTR_BF16)
            memcpy(plain + i, (unsigned char *)&bits + 2, size);
        else /* enough of a half: sign, a rebiased exponent, ten bits */
            memcpy(plain + i,
                   &(uint16_t){ (uint16_t)((bits >> 16 & 0x8000) | ((bits >> 13) & 0x7fff)) },
                   size);
    }
}

static void all_lengths_come_back(void)
{
    static const size_t sizes[] = { 1, 2, 4, 8 };
    size_t s, bytes;

    for (s = 0; s < GTR_ARRAY_LEN(sizes); s++)
        for (bytes = 0; bytes < 9000; bytes += 1 + bytes / 7) {
            fill_noise(bytes, bytes);
            deflated(bytes, sizes[s]);
            fill_gradients(bytes, GTR_F32);
            deflated(bytes, sizes[s]);
            memset(plain, 0, bytes);
            deflated(bytes, sizes[s]);
        }
}

/* Pieces are 32,768 bytes: planes that end just before, at and after one. */
static void piece_borders_come_back(void)
{
    static const size_t planes[] = { 511, 512, 513, 32767, 32768, 32769, 65535, 65536, 65537 };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(planes); i++) {
        fill_gradients(planes[i] * 4, GTR_F32);
        deflated(planes[i] * 4, 4);
        fill_noise(planes[i] * 4, i);
        deflated(planes[i] * 4, 4);
    }
}

static void noise_grows_by_less_than_a_thousandth(void)
{
    fill_noise(BYTES_MAX, 1);
    CHECK(deflated(BYTES_MAX, 4) < BYTES_MAX + BYTES_MAX / 1000);
}

/* Sign and exponent of a normal deviate have some 3 bits of entropy: 13 of 16 bits of a bf16. */
static void gradients_shrink_to_their_entropy(void)
{
    fill_gradients(BYTES_MAX, GTR_F32);
    CHECK(deflated(BYTES_MAX, 4) < BYTES_MAX / 100 * 87);
    fill_gradients(BYTES_MAX, GTR_BF16);
    CHECK(deflated(BYTES_MAX, 2) < BYTES_MAX / 100 * 74);
    fill_gradients(BYTES_MAX, GTR_F16);
    CHECK(deflated(BYTES_MAX, 2) < BYTES_MAX / 100 * 94);
    fill_gradients(BYTES_MAX, GTR_F64);
    CHECK(deflated(BYTES_MAX, 8) < BYTES_MAX / 100 * 93);
}

static void constants_shrink_to_nothing(void)
{
    memset(plain, 0, BYTES_MAX);
    CHECK(deflated(BYTES_MAX, 4) < BYTES_MAX / 300);
    memset(plain, 0xff, BYTES_MAX); /* NaNs */
    CHECK(deflated(BYTES_MAX, 2) < BYTES_MAX / 300);
}

/* Rows of an embedding that were not looked up: 7 of 8. */
static void rows_of_zeros_cost_nothing(void)
{
    size_t i;

    fill_gradients(BYTES_MAX, GTR_F32);
    for (i = 0; i < BYTES_MAX; i += 256)
        if (i / 256 % 8 != 0)
            memset(plain + i, 0, BYTES_MAX - i < 256 ? BYTES_MAX - i : 256);
    CHECK(deflated(BYTES_MAX, 4) < BYTES_MAX / 7);
}

/* Rows that repeat in the upper bytes only: an output layer's gradient for words that did not
 * occur. The second row may be found in the first, and the rest in those before. */
static void repeated_rows_are_found(void)
{
    uint64_t seed = 3;
    size_t i;

    fill_gradients(BYTES_MAX, GTR_F32);
    for (i = 1024; i < BYTES_MAX; i++)
        plain[i] = i % 4 < 2 ? (unsigned char)(gtr_splitmix_step(&seed) >> 56) : plain[i - 1024];
    CHECK(deflated(BYTES_MAX, 4) < BYTES_MAX / 100 * 55);
}

/* Repetitions begin and end anywhere in a plane, at all distances up to more than deflate's. */
static void repetitions_come_back(void)
{
    struct gtr_random random;
    size_t k, i;

    for (k = 0; k < 30; k++) {
        size_t at = 40;

        gtr_random_init(&random, k, 0);
        fill_noise(BYTES_MAX, k);
        while (at < BYTES_MAX) {
            size_t back_by = 1 + gtr_random_below(&random, at < 40000 ? at : 40000);
            size_t n = 1 + gtr_random_below(&random, 600);

            for (i = 0; i < n && at < BYTES_MAX; i++, at++)
                plain[at] = plain[at - back_by];
            at += gtr_random_below(&random, 2 + 20 * k);
        }
        deflated(BYTES_MAX, k % 2 == 0 ? 1 : 2);
    }
}

/* A run of every length, each of them a match of its own or several. */
static void runs_of_all_lengths_come_back(void)
{
    size_t length, at = 0, i;

    for (length = 1; at + length < BYTES_MAX && length < 600; length++)
        for (i = 0; i < length; i++)
            plain[at++] = (unsigned char)length;
    deflated(at, 1);
}

/* One byte of the plane differs from all others: two symbols, and the rarest codes there are. */
static void skewed_counts_come_back(void)
{
    size_t i, k;

    for (k = 0; k < 40; k++) {
        uint64_t state = k;

        for (i = 0; i < 40000; i++) {
            uint64_t bits = gtr_splitmix_step(&state);

            /* Geometric: counts like powers of two want codes longer than are allowed. */
            plain[i] = (unsigned char)(bits == 0 ? 64 : (size_t)__builtin_ctzll(bits) * (k + 1));
        }
        plain[k] = (unsigned char)k;
        deflated(40000, 1);
    }
}

/* What the matches say, written out; how many bytes that was. */
static size_t unfold(const unsigned char *text, size_t at, const struct gtr_match *found, size_t n,
                     unsigned char *out)
{
    size_t m, i, done = at;

    memcpy(out, text, at);
    for (m = 0; m < n; m++) {
        for (i = 0; i < found[m].literals; i++, done++)
            out[done] = text[done];
        CHECK(found[m].length == 0 || found[m].length >= 3);
        CHECK(found[m].length == 0 || (found[m].distance >= 1 && found[m].distance <= done &&
                                       found[m].distance <= GTR_DISTANCE_MAX));
        for (i = 0; i < found[m].length; i++, done++)
            out[done] = out[done - found[m].distance];
    }
    return done - at;
}

/* Text after what may be read before it. */
static unsigned char around[GTR_BEFORE_TEXT + BYTES_MAX + GTR_AFTER_TEXT];
static unsigned char *const text = around + GTR_BEFORE_TEXT;

static size_t find(enum gtr_search search, size_t at, size_t n, struct gtr_match *found)
{
    static struct gtr_matches matches;

    gtr_matches_reset(&matches);
    return gtr_find_matches(&matches, search, text, at, n, found);
}

static bool is(struct gtr_match match, unsigned literals, unsigned length, unsigned distance)
{
    return match.literals == literals && match.length == length && match.distance == distance;
}

/* By hand: "abcdefgh" + 20 zeros + "abcdefgh" + "xy......".  The run is seen from 12 on, where four
 * zeros follow one at a multiple of four, and followed back to the second zero. */
static void matches_by_hand(void)
{
    struct gtr_match found[20];

    memset(around, 0, sizeof around);
    memcpy(text, "abcdefgh", 8);
    memcpy(text + 28, "abcdefghxy.,;:!?", 16);
    CHECK(find(GTR_FIND_NOTHING, 0, 44, found) == 1 && is(found[0], 44, 0, 0));
    CHECK(find(GTR_FIND_RUNS, 0, 44, found) == 2);
    CHECK(is(found[0], 9, 19, 1) && is(found[1], 16, 0, 0));
    CHECK(find(GTR_FIND_FOURS, 0, 44, found) == 3);
    CHECK(is(found[0], 9, 19, 1) && is(found[1], 0, 8, 28) && is(found[2], 8, 0, 0));
    /* Without an eye for runs, zeros are found where they were just seen: one before. */
    CHECK(find(GTR_FIND_SIXES, 0, 44, found) == 3);
    CHECK(is(found[0], 9, 19, 1) && is(found[1], 0, 8, 28) && is(found[2], 8, 0, 0));
    /* ... and by the search that looks at every other place, two before. */
    CHECK(find(GTR_FIND_EIGHTS, 0, 44, found) == 3);
    CHECK(is(found[0], 10, 18, 2) && is(found[1], 0, 8, 28) && is(found[2], 8, 0, 0));
    text[35] = 'H'; /* seven bytes are too few for eight */
    CHECK(find(GTR_FIND_SIXES, 0, 44, found) == 3 && is(found[1], 0, 7, 28));
    CHECK(find(GTR_FIND_EIGHTS, 0, 44, found) == 2 && is(found[1], 16, 0, 0));
}

/* What lies before the text is read, and never copied from: here it repeats as the text does. */
static void matches_stay_in_the_text(void)
{
    static unsigned char out[GTR_BLOCK_BYTES_MAX];
    static struct gtr_match found[GTR_BLOCK_BYTES_MAX / 4 + 1];
    enum gtr_search search;
    size_t n, i;

    for (i = 0; i < sizeof around; i++)
        around[i] = (unsigned char)(i % 1000 * 7 >> 2);
    for (search = GTR_FIND_NOTHING; search <= GTR_FIND_EIGHTS; search++)
        for (n = 0; n <= GTR_BLOCK_BYTES_MAX; n += 1 + n / 3) {
            size_t n_found = find(search, 0, n, found);

            CHECK(n_found <= gtr_matches_bound(n));
            CHECK(unfold(text, 0, found, n_found, out) == n && memcmp(out, text, n) == 0);
        }
    CHECK(find(GTR_FIND_EIGHTS, 0, GTR_BLOCK_BYTES_MAX, found) < 20);
}

/* 32,768 back is as far as deflate copies from; further repeats are literals. */
static void matches_reach_as_far_as_deflates(void)
{
    static struct gtr_matches matches;
    static struct gtr_match found[GTR_BLOCK_BYTES_MAX / 4 + 1];
    size_t gap, n;

    for (gap = GTR_DISTANCE_MAX - 1; gap <= GTR_DISTANCE_MAX + 1; gap++) {
        fill_noise(BYTES_MAX, 8);
        memcpy(text, plain, BYTES_MAX);
        memcpy(text + gap, text, 64);
        gtr_matches_reset(&matches);
        gtr_find_matches(&matches, GTR_FIND_SIXES, text, 0, GTR_BLOCK_BYTES_MAX - 8, found);
        n = gtr_find_matches(&matches, GTR_FIND_SIXES, text, GTR_BLOCK_BYTES_MAX - 8, 256, found);
        CHECK(n == (gap <= GTR_DISTANCE_MAX ? 2 : 1));
        CHECK(n == 1 || found[0].distance == gap);
    }
}

/* Matches of all lengths up to a block's, of which deflate takes 3 to 258 at a time. */
static void long_matches_are_several(void)
{
    static struct gtr_block block;
    static unsigned char stream[4096];
    size_t length, i;

    for (length = 3; length<GTR_BLOCK_BYTES_MAX; length += length> 1100 ? 998 : 1) {
        const struct gtr_match match[] = { { 2, (uint16_t)length, 2 } };
        struct gtr_sink sink = { .out = stream };
        z_stream z = { .next_in = stream, .next_out = back, .avail_out = sizeof back };

        for (i = 0; i < length + 2; i++)
            plain[i] = i % 2 == 0 ? 'a' : 'b';
        gtr_block_count(&block, plain, match, 1);
        i = gtr_block_plan(&block);
        gtr_block_put(&sink, &block, plain, match, 1, true);
        CHECK(i == (size_t)(sink.out - stream) * 8 + sink.n);
        gtr_sink_align(&sink);
        z.avail_in = (uInt)(sink.out - stream);
        CHECK(inflateInit2(&z, -15) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END);
        CHECK(z.total_out == length + 2 && memcmp(back, plain, length + 2) == 0);
        inflateEnd(&z);
    }
}

/* Every bit pattern of 16: zeros of both signs, denormals, infinities, NaNs.  As they come, then
 * as rows of which half are zeros. */
static void all_patterns_come_back(void)
{
    size_t i;

    for (i = 0; i < 65536; i++)
        memcpy(plain + 2 * i, &(uint16_t){ (uint16_t)(i * 40503) }, 2);
    deflated(131072, 2);
    deflated(131071, 2);
    deflated(131072, 4);
    for (i = 0; i < 131072; i += 512)
        memset(plain + i, 0, 256);
    CHECK(deflated(131072, 2) < 131072 / 100 * 60);
    CHECK(deflated(131072, 4) < 131072 / 100 * 60);
}

/* Pieces of one plane that look different each time, so that each is tried anew. */
static void mixed_planes_come_back(void)
{
    size_t i, piece;

    fill_noise(BYTES_MAX, 2);
    for (piece = 0; piece < BYTES_MAX >> 15; piece++)
        for (i = piece << 15; i < (piece + 1) << 15; i++)
            plain[i] = piece % 4 == 0   ? plain[i]
                       : piece % 4 == 1 ? 0
                       : piece % 4 == 2 ? plain[i] % 7
                                        : plain[i - 4096];
    CHECK(deflated(BYTES_MAX, 1) < BYTES_MAX / 100 * 55);
}

static void little_endian_by_hand(void)
{
    unsigned char bytes[8];

    CHECK(gtr_load_64((const unsigned char *)"\1\2\3\4\5\6\7\10") == UINT64_C(0x0807060504030201));
    gtr_store_64(bytes, UINT64_C(0x0807060504030201));
    CHECK(memcmp(bytes, "\1\2\3\4\5\6\7\10", 8) == 0);
}

/* Worked by hand: counts 1 1 2 4 make a tree of depths 3 3 2 1. */
static void code_lengths_by_hand(void)
{
    static const uint32_t counts[6] = { 4, 0, 1, 2, 0, 1 };
    static const uint8_t wanted[6] = { 1, 0, 3, 2, 0, 3 };
    /* RFC 1951: 0, 10, 110, 111, sent from their first bit on. */
    static const uint32_t bits[6] = { 0 | 1 << 16, 0, 3 | 3 << 16, 1 | 2 << 16, 0, 7 | 3 << 16 };
    uint8_t lengths[6];
    uint32_t codes[6];

    gtr_huffman_lengths(counts, 6, 15, lengths);
    CHECK(memcmp(lengths, wanted, sizeof wanted) == 0);
    gtr_huffman_codes(lengths, 6, codes);
    CHECK(memcmp(codes, bits, sizeof bits) == 0);
    /* At most 2 bits: four symbols, two bits each. */
    gtr_huffman_lengths(counts, 6, 2, lengths);
    CHECK(lengths[0] == 2 && lengths[2] == 2 && lengths[3] == 2 && lengths[5] == 2);
    /* One symbol alone still gets a partner, or the code would not be complete. */
    gtr_huffman_lengths((uint32_t[6]){ 0, 0, 0, 9, 0, 0 }, 6, 15, lengths);
    CHECK(lengths[3] == 1 && lengths[0] == 1 && lengths[1] == 0);
    gtr_huffman_lengths((uint32_t[6]){ 0, 9, 0, 0, 0, 0 }, 6, 15, lengths);
    CHECK(lengths[0] == 1 && lengths[1] == 1);
}

/* Fibonacci's numbers are the deepest tree; a limit must still leave a complete code. */
static void limited_codes_are_complete(void)
{
    uint32_t counts[24] = { 1, 1 }, sum, limit, i;
    uint8_t lengths[24];

    for (i = 2; i < 24; i++)
        counts[i] = counts[i - 1] + counts[i - 2];
    for (limit = 5; limit <= 15; limit++) {
        gtr_huffman_lengths(counts, 24, limit, lengths);
        for (sum = i = 0; i < 24; i++) {
            CHECK(lengths[i] > 0 && lengths[i] <= limit);
            CHECK(i == 0 || lengths[i] <= lengths[i - 1]);
            sum += UINT32_C(1) << (limit - lengths[i]);
        }
        CHECK(sum == UINT32_C(1) << limit);
    }
}

int main(void)
{
    RUN(shuffles_are_hdf5s);
    RUN(code_lengths_by_hand);
    RUN(limited_codes_are_complete);
    RUN(little_endian_by_hand);
    RUN(matches_by_hand);
    RUN(matches_stay_in_the_text);
    RUN(matches_reach_as_far_as_deflates);
    RUN(long_matches_are_several);
    RUN(all_lengths_come_back);
    RUN(all_patterns_come_back);
    RUN(mixed_planes_come_back);
    RUN(piece_borders_come_back);
    RUN(noise_grows_by_less_than_a_thousandth);
    RUN(gradients_shrink_to_their_entropy);
    RUN(constants_shrink_to_nothing);
    RUN(rows_of_zeros_cost_nothing);
    RUN(repeated_rows_are_found);
    RUN(repetitions_come_back);
    RUN(runs_of_all_lengths_come_back);
    RUN(skewed_counts_come_back);
    return check_report();
}
