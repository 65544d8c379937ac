/* test_sample.c - which blocks a sample keeps.  The lists come from the program that
 * tests/python/test_sample.py holds against recorded files. */
#include <stdint.h>

#include "alloc.h"
#include "check.h"
#include "sample.h"

static size_t blocks_of(const char *name, uint64_t numel, double fraction, int64_t seed,
                        uint64_t **blocks)
{
    const struct gtr_sample sample = { GTR_SAMPLE_BLOCK, fraction, seed };
    struct gtr_err err = { 0 };
    size_t n = 0;

    CHECK(gtr_sample_blocks(&sample, name, numel, blocks, &n, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    return n;
}

static void lists_are_those_of_another_program(void)
{
    static const struct {
        const char *name;
        uint64_t numel;
        double fraction;
        int64_t seed;
        size_t n;
        uint64_t blocks[6];
    } cases[] = {
        { "model.layers.0.mlp.down_proj.weight", 20480, 0.25, 0, 5, { 3, 5, 14, 17, 19 } },
        { "model.layers.0.mlp.down_proj.weight", 20480, 0.25, 1, 5, { 3, 5, 8, 14, 17 } },
        { "model.layers.0.mlp.down_proj.weight", 20480, 0.25, -1, 5, { 3, 4, 11, 12, 18 } },
        { "lm_head.weight", 19463, 0.125, 0, 3, { 2, 6, 16 } },
        { "gr\xc3\xb6\xc3\x9f"
          "e",
          102401,
          0.06,
          3,
          6,
          { 6, 24, 32, 60, 76, 89 } },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(cases); i++) {
        uint64_t *blocks;
        size_t n =
            blocks_of(cases[i].name, cases[i].numel, cases[i].fraction, cases[i].seed, &blocks);

        CHECK(n == cases[i].n);
        CHECK(n == cases[i].n && memcmp(blocks, cases[i].blocks, n * sizeof *blocks) == 0);
        gtr_free(blocks);
    }
}

static void a_million_blocks_are_a_matter_of_milliseconds(void)
{
    uint64_t *blocks, sum = 0;
    size_t n = blocks_of("wte", UINT64_C(1000000) * 1024, 1.0 / 64.0, 5, &blocks), i;

    CHECK(n == 15625);
    CHECK(blocks[0] == 31 && blocks[1] == 64 && blocks[2] == 91 && blocks[n - 1] == 999924);
    for (i = 0; i < n; i++)
        sum += blocks[i];
    CHECK(sum == UINT64_C(7850252914));
    gtr_free(blocks);
}

static void the_number_of_blocks_is_rounded_half_up_and_never_none(void)
{
    static const struct {
        uint64_t numel;
        double fraction;
        uint64_t kept;
    } cases[] = {
        { 10240, 0.25, 3 }, { 10240, 0.24, 2 },  { 10240, 0.05, 1 }, { 10240, 1e-300, 1 },
        { 10240, 1.0, 10 }, { 10240, 0.95, 10 }, { 10240, 0.94, 9 }, { 1, 0.5, 1 },
        { 1025, 0.5, 1 },   { 1025, 0.75, 2 },   { 0, 0.5, 0 },      { 0, 1.0, 0 },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(cases); i++) {
        const struct gtr_sample sample = { GTR_SAMPLE_BLOCK, cases[i].fraction, 0 };
        uint64_t *blocks;
        size_t n = blocks_of("w", cases[i].numel, cases[i].fraction, 0, &blocks);

        CHECK(n == cases[i].kept);
        CHECK(gtr_sample_n_blocks(&sample, cases[i].numel) == cases[i].kept);
        gtr_free(blocks);
    }
}

/* A sample that keeps the last block holds fewer elements, if that is short. */
static void elements_are_counted_with_a_short_last_block(void)
{
    size_t n_with = 0, n_without = 0;
    int64_t seed;

    for (seed = 0; seed < 60; seed++) {
        const struct gtr_sample sample = { 8, 0.3, seed };
        const uint64_t numel = 8 * 9 + 3; /* ten blocks */
        uint64_t *blocks, sum = 0;
        size_t n, i;

        CHECK(gtr_sample_blocks(&sample, "w", numel, &blocks, &n, NULL) == GTR_OK);
        CHECK(n == 3);
        for (i = 0; i < n; i++) {
            CHECK(i == 0 || blocks[i] > blocks[i - 1]);
            sum += blocks[i] == 9 ? 3 : 8;
        }
        CHECK(gtr_sample_numel(&sample, "w", numel) == sum);
        n_with += sum == 19;
        n_without += sum == 24;
        gtr_free(blocks);
    }
    CHECK(n_with > 0 && n_without > 0 && n_with + n_without == 60);
}

/* 8000 samples of 5 of 20: each block about 2000 times (standard deviation 39), and samples of
 * neighbouring seeds have 1.25 blocks in common (0.011 for the mean). */
static void every_block_is_equally_likely(void)
{
    enum { SEEDS = 8000 };
    size_t counts[20] = { 0 }, common = 0, i, j, n;
    uint64_t *before = NULL, *blocks;
    int64_t seed;

    for (seed = 0; seed < SEEDS; seed++) {
        n = blocks_of("w", 20 * 1024, 0.25, seed, &blocks);
        for (i = 0; i < n; i++)
            counts[blocks[i]]++;
        for (i = 0; before != NULL && i < n; i++)
            for (j = 0; j < n; j++)
                common += blocks[i] == before[j];
        gtr_free(before);
        before = blocks;
    }
    gtr_free(before);
    for (i = 0; i < 20; i++)
        CHECK_NEAR((double)counts[i], SEEDS / 4.0, 170.0);
    CHECK_NEAR((double)common / (SEEDS - 1), 1.25, 0.05);
}

static void a_smaller_fraction_keeps_some_of_the_same_blocks(void)
{
    uint64_t *few, *many;
    size_t n_few = blocks_of("w", 5000 * 1024, 0.01, 9, &few), i, j = 0;
    size_t n_many = blocks_of("w", 5000 * 1024, 0.2, 9, &many);

    CHECK(n_few == 50 && n_many == 1000);
    for (i = 0; i < n_few; i++) {
        while (j < n_many && many[j] < few[i])
            j++;
        CHECK(j < n_many && many[j] == few[i]);
    }
    gtr_free(few);
    gtr_free(many);
}

static void what_cannot_be_a_sample_is_told(void)
{
    static const struct {
        struct gtr_sample sample;
        const char *part;
    } cases[] = {
        { { 0, 0.5, 0 }, "block: is 0 elements" },
        { { -8, 0.5, 0 }, "block: is -8 elements" },
        { { 8, 0.0, 0 }, "fraction: is 0" },
        { { 8, 1.5, 0 }, "fraction: is 1.5" },
        { { 8, -0.5, 0 }, "fraction: is -0.5" },
        { { 8, (double)NAN, 0 }, "must be above 0 and at most 1" },
        { { 1, 0.5, 0 }, "too many blocks" },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(cases); i++) {
        struct gtr_err err = { 0 };
        uint64_t *blocks;
        size_t n;

        CHECK(gtr_sample_blocks(&cases[i].sample, "w", UINT64_MAX, &blocks, &n, &err) ==
              GTR_EUSAGE);
        CHECK_HOLDS(err.text, cases[i].part);
        CHECK(blocks == NULL && n == 0);
    }
}

static void fractions_are_read(void)
{
    static const char *const bad[] = { "",      "0", "0/4", "1/0",   "2",  "3/2", "-1/2",
                                       "1/64x", "x", "nan", "1/2/3", "/2", "1/" };
    double fraction;
    size_t i;

    CHECK(gtr_sample_parse("1/64", &fraction, NULL) == GTR_OK);
    CHECK_BITS(fraction, 1.0 / 64.0);
    CHECK(gtr_sample_parse("0.02", &fraction, NULL) == GTR_OK);
    CHECK_BITS(fraction, 0.02);
    CHECK(gtr_sample_parse("1", &fraction, NULL) == GTR_OK);
    CHECK_BITS(fraction, 1.0);
    for (i = 0; i < GTR_ARRAY_LEN(bad); i++) {
        struct gtr_err err = { 0 };

        CHECK(gtr_sample_parse(bad[i], &fraction, &err) == GTR_EUSAGE);
        CHECK_HOLDS(err.text, "such as 1/64 or 0.02");
    }
}

int main(void)
{
    RUN(lists_are_those_of_another_program);
    RUN(a_million_blocks_are_a_matter_of_milliseconds);
    RUN(the_number_of_blocks_is_rounded_half_up_and_never_none);
    RUN(elements_are_counted_with_a_short_last_block);
    RUN(every_block_is_equally_likely);
    RUN(a_smaller_fraction_keeps_some_of_the_same_blocks);
    RUN(what_cannot_be_a_sample_is_told);
    RUN(fractions_are_read);
    return check_report();
}
