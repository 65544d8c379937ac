/* test_planes.c - what gtr_planes_deflate writes is what shuffle and deflate would read back, bit
 * by bit, whatever is in it; by zlib, which is not what wrote it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "check.h"
#include "deflate_block.h"
#include "gradtrace.h"
#include "huffman.h"
#include "planes.h"
#include "random.h"
#include "shuffle.h"
#include "zlib_stream.h"

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
    RUN(all_lengths_come_back);
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
