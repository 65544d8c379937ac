/* test_sumsq.c - the canonical sum: by hand, against its definition, the same bits everywhere. */
#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

#include "check.h"
#include "sumsq.h"
#include "sumsq_kernels.h"

/* --- an independent implementation, straight from the text of sumsq.h ------------------------- */

struct slow {
    double sumsq, maxabs;
    uint64_t nonfinite;
};

/* m * 2^e, by doubling and halving: exact as long as the result is a double. */
static double scaled(double m, int e)
{
    for (; e > 0; e--)
        m *= 2.0;
    for (; e < 0; e++)
        m /= 2.0;
    return m;
}

/* The number that `bits` stand for by the definition of a binary format. */
static double decode(uint64_t bits, int exponent_bits, int fraction_bits, bool *finite)
{
    uint64_t fraction = bits & ((UINT64_C(1) << fraction_bits) - 1);
    int top = (1 << exponent_bits) - 1, bias = top / 2;
    int exponent = (int)(bits >> fraction_bits & (uint64_t)top);

    *finite = exponent != top;
    if (exponent == 0) /* subnormal */
        return scaled((double)fraction, 1 - bias - fraction_bits);
    return scaled((double)(fraction | UINT64_C(1) << fraction_bits),
                  exponent - bias - fraction_bits);
}

static double element(enum gtr_dtype dtype, const unsigned char *p, uint64_t i, bool *finite)
{
    uint16_t u;
    float f;
    double d;

    switch (dtype) {
    case GTR_F16:
        memcpy(&u, p + 2 * i, 2);
        return decode(u, 5, 10, finite);
    case GTR_BF16:
        memcpy(&u, p + 2 * i, 2);
        return decode(u, 8, 7, finite);
    case GTR_F64:
        memcpy(&d, p + 8 * i, 8);
        break;
    default:
        memcpy(&f, p + 4 * i, 4);
        d = (double)f;
    }
    *finite = d - d == 0.0;
    return d;
}

/* Sum of the tree over blocks [first, first + n), n a power of two. */
static double subtree(const double *block, uint64_t n_blocks, uint64_t first, uint64_t n)
{
    if (first >= n_blocks)
        return 0.0;
    if (n == 1)
        return block[first];
    return subtree(block, n_blocks, first, n / 2) + subtree(block, n_blocks, first + n / 2, n / 2);
}

static double block_sum(const double *values)
{
    double lane[128];
    int l, k, h;

    for (l = 0; l < 128; l++) {
        lane[l] = 0.0;
        for (k = 0; k < 8; k++) {
            volatile double square = values[l + 128 * k] * values[l + 128 * k];

            lane[l] = lane[l] + square;
        }
    }
    for (h = 64; h >= 1; h /= 2)
        for (l = 0; l < h; l++)
            lane[l] = lane[l] + lane[l + h];
    return lane[0];
}

static struct slow reduce_slowly(enum gtr_dtype dtype, const void *elements, uint64_t numel)
{
    uint64_t n_blocks = (numel + 1023) / 1024, padded = 1, k, i;
    double *block = calloc(n_blocks + 1, sizeof *block);
    struct slow out = { 0 };

    for (k = 0; block != NULL && k < n_blocks; k++) {
        double values[1024] = { 0 };

        for (i = 0; i < 1024 && 1024 * k + i < numel; i++) {
            bool finite;
            double v = element(dtype, elements, 1024 * k + i, &finite);

            out.nonfinite += !finite;
            values[i] = finite ? v : 0.0;
            if (fabs(values[i]) > out.maxabs)
                out.maxabs = fabs(values[i]);
        }
        block[k] = block_sum(values);
    }
    while (padded < n_blocks)
        padded *= 2;
    out.sumsq = subtree(block, n_blocks, 0, padded);
    free(block);
    return out;
}

/* --- material --------------------------------------------------------------------------------- */

static uint64_t random_state = 12345;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Any exponent a dtype has, subnormals and the largest included; bad ones with chance 1/`rare`,
 * none if that is 0. */
static void fill(enum gtr_dtype dtype, void *elements, size_t n, unsigned rare)
{
    static const int top_bit[GTR_DTYPE_COUNT] = { 23, 10, 7, 52 }; /* lowest of the exponent */
    static const uint64_t exponent[GTR_DTYPE_COUNT] = { 0xff, 0x1f, 0xff, 0x7ff };
    size_t size = gtr_dtype_size(dtype), i;

    for (i = 0; i < n; i++) {
        uint64_t bits = random_bits();

        if ((bits >> top_bit[dtype] & exponent[dtype]) == exponent[dtype])
            bits ^= UINT64_C(1) << top_bit[dtype];
        if (rare > 0 && random_bits() % rare == 0)
            bits |= exponent[dtype] << top_bit[dtype];
        memcpy((char *)elements + i * size, &bits, size); /* little-endian: the low bytes */
    }
}

static void check_reduction(enum gtr_dtype dtype, const void *elements, uint64_t numel,
                            size_t n_threads)
{
    struct slow wanted = reduce_slowly(dtype, elements, numel);
    struct gtr_reduction got = { -1.0, -1.0f, 99 };

    gtr_reduce(dtype, elements, numel, n_threads, &got);
    CHECK_BITS(got.sumsq, wanted.sumsq);
    CHECK_BITS((double)got.maxabs, (double)(float)wanted.maxabs);
    CHECK(got.nonfinite == wanted.nonfinite);
}

/* Runs `test` once with each instruction set that this machine has. */
static void with_each_isa(void (*test)(void))
{
    int isa;

    for (isa = 0; isa < GTR_ISA_COUNT; isa++) {
        if (!gtr_isa_here((enum gtr_isa)isa))
            continue;
        gtr_isa_force((enum gtr_isa)isa);
        random_state = 12345;
        test();
    }
    gtr_isa_force(GTR_ISA_COUNT);
}

/* --- by hand ---------------------------------------------------------------------------------- */

static void hand(void)
{
    static const float three[] = { 3.0f, -4.0f, 0.5f };
    struct gtr_reduction sum;

    gtr_reduce(GTR_F32, three, 3, 1, &sum);
    CHECK_BITS(sum.sumsq, 25.25);
    CHECK_BITS((double)sum.maxabs, 4.0);
    CHECK(sum.nonfinite == 0);
    gtr_reduce(GTR_F32, three, 0, 1, &sum);
    CHECK_BITS(sum.sumsq, 0.0);
    CHECK_BITS((double)sum.maxabs, 0.0);
    gtr_reduce(GTR_F32, NULL, 0, 1, &sum);
    CHECK_BITS(sum.sumsq, 0.0);
}

static void small_numbers_worked_by_hand(void)
{
    with_each_isa(hand);
}

/* With u = 2^-52, the distance from 1 to the next double: 1 + u/2 is 1, but u/2 + u/2 is u, and
 * 1 + u is not 1.  So who meets whom first shows in the result. */
static void order(void)
{
    static double x[4096];
    const double tiny = 0x1p-27; /* its square is u/4 */
    struct gtr_reduction sum;

    /* one lane: 1 + u/4 is 1, seven times */
    memset(x, 0, sizeof x);
    x[0] = 1.0;
    x[128] = x[256] = x[384] = x[512] = x[640] = x[768] = x[896] = tiny;
    gtr_reduce(GTR_F64, x, 1024, 1, &sum);
    CHECK_BITS(sum.sumsq, 1.0);
    /* the same lane with the 1 last: 7u/4 + 1 is 1 + 2u */
    x[0] = tiny;
    x[896] = 1.0;
    gtr_reduce(GTR_F64, x, 1024, 1, &sum);
    CHECK_BITS(sum.sumsq, 1.0 + 0x1p-51);
    /* lane 64 meets lane 0 first, then lane 32 does: 1 + u/2, twice; were they to meet, u */
    memset(x, 0, sizeof x);
    x[0] = 1.0;
    x[64] = x[64 + 128] = x[32] = x[32 + 128] = tiny;
    gtr_reduce(GTR_F64, x, 1024, 1, &sum);
    CHECK_BITS(sum.sumsq, 1.0);
    /* lanes 32 and 96 meet before lane 0 meets them: u/4 + u/2, and 1 + 3u/4 is 1 + u */
    x[64] = x[64 + 128] = x[32 + 128] = 0.0;
    x[96] = x[96 + 128] = tiny;
    gtr_reduce(GTR_F64, x, 1024, 1, &sum);
    CHECK_BITS(sum.sumsq, 1.0 + 0x1p-52);
    /* blocks: (1 + u/4) + (u/4 + u/2); a chain would stay at 1 */
    memset(x, 0, sizeof x);
    x[0] = 1.0;
    x[1024] = x[2048] = x[3072] = x[3073] = tiny;
    gtr_reduce(GTR_F64, x, 4096, 1, &sum);
    CHECK_BITS(sum.sumsq, 1.0 + 0x1p-52);
}

static void the_order_of_adding_is_the_defined_one(void)
{
    with_each_isa(order);
}

/* --- against the slow implementation ---------------------------------------------------------- */

static void sizes(void)
{
    static const size_t numel[] = { 0,    1,    2,    3,    7,    8,    63,   127,  128,  129,
                                    255,  256,  895,  896,  897,  1023, 1024, 1025, 1151, 2047,
                                    2048, 2049, 3072, 4095, 4096, 4097, 5120, 8191, 8193, 33333 };
    static double room[33333];
    size_t i;
    int dtype;

    for (dtype = 0; dtype < GTR_DTYPE_COUNT; dtype++) {
        for (i = 0; i < sizeof numel / sizeof *numel; i++) {
            fill((enum gtr_dtype)dtype, room, numel[i], 0);
            check_reduction((enum gtr_dtype)dtype, room, numel[i], 1);
        }
    }
}

static void every_size_and_type_agrees_with_the_definition(void)
{
    with_each_isa(sizes);
}

static void bad_elements(void)
{
    static double room[5000];
    static const unsigned rare[] = { 1, 2, 100, 3000 };
    size_t i;
    int dtype;

    for (dtype = 0; dtype < GTR_DTYPE_COUNT; dtype++) {
        for (i = 0; i < sizeof rare / sizeof *rare; i++) {
            fill((enum gtr_dtype)dtype, room, 5000, rare[i]);
            check_reduction((enum gtr_dtype)dtype, room, 5000, 1);
        }
    }
}

static void nan_and_infinite_elements_count_as_zero_wherever_they_are(void)
{
    with_each_isa(bad_elements);
}

/* One bad element at each place of two blocks and a tail, among ones. */
static void one_bad_element(void)
{
    static const uint32_t bad[] = { 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff };
    static float x[2100];
    struct gtr_reduction sum;
    size_t i, k;

    for (i = 0; i < 2100; i++)
        x[i] = 1.0f;
    for (i = 0; i < 2100; i++) {
        for (k = 0; k < sizeof bad / sizeof *bad; k++) {
            memcpy(&x[i], &bad[k], sizeof bad[k]);
            gtr_reduce(GTR_F32, x, 2100, 1, &sum);
            CHECK(sum.sumsq == 2099.0 && sum.maxabs == 1.0f && sum.nonfinite == 1);
        }
        x[i] = 1.0f;
    }
}

static void one_bad_element_is_found_at_every_place(void)
{
    with_each_isa(one_bad_element);
}

static void patterns(void)
{
    uint32_t bits;
    int k;
    static const enum gtr_dtype dtypes[2] = { GTR_F16, GTR_BF16 };

    for (k = 0; k < 2; k++) {
        for (bits = 0; bits < 65536; bits++) {
            uint16_t h[4] = { (uint16_t)bits }; /* room for the widest type */
            struct gtr_reduction sum;
            bool finite;
            double v = element(dtypes[k], (const unsigned char *)h, 0, &finite);

            gtr_reduce(dtypes[k], h, 1, 1, &sum);
            if (sum.sumsq != (finite ? v * v : 0.0) || (double)sum.maxabs != (finite ? v : 0.0) ||
                sum.nonfinite != !finite) {
                CHECK_BITS(sum.sumsq, finite ? v * v : 0.0);
                CHECK_BITS((double)sum.maxabs, finite ? v : 0.0);
                CHECK(sum.nonfinite == !finite);
                printf("bits %04x\n", (unsigned)bits);
            }
        }
    }
}

static void every_f16_and_bf16_pattern_has_its_value(void)
{
    with_each_isa(patterns);
}

static void extremes(void)
{
    static const double f64[] = { 5e-324, 2.2e-308, 1e-200, 1e154, -DBL_MAX };
    static const float f32[] = { 1e-45f, FLT_MIN, FLT_MAX };
    struct gtr_reduction sum;
    size_t i;

    for (i = 0; i < sizeof f32 / sizeof *f32; i++) {
        gtr_reduce(GTR_F32, &f32[i], 1, 1, &sum);
        CHECK_BITS(sum.sumsq, (double)f32[i] * (double)f32[i]);
        CHECK_BITS((double)sum.maxabs, (double)f32[i]);
    }
    for (i = 0; i < sizeof f64 / sizeof *f64; i++) {
        gtr_reduce(GTR_F64, &f64[i], 1, 1, &sum);
        CHECK_BITS(sum.sumsq, f64[i] * f64[i]);
        CHECK_BITS((double)sum.maxabs, (double)(float)fabs(f64[i]));
        CHECK(sum.nonfinite == 0);
    }
    CHECK(isinf(sum.sumsq) && isinf(sum.maxabs)); /* DBL_MAX: no NaN, and not counted */
}

static void the_smallest_and_largest_numbers_are_exact(void)
{
    with_each_isa(extremes);
}

static void unaligned(void)
{
    static double aligned[2100];
    static char room[sizeof aligned + 64];
    size_t shift;
    int dtype;

    for (dtype = 0; dtype < GTR_DTYPE_COUNT; dtype++) {
        fill((enum gtr_dtype)dtype, aligned, 2100, 500);
        for (shift = 0; shift < 64; shift++) {
            memcpy(room + shift, aligned, sizeof aligned);
            check_reduction((enum gtr_dtype)dtype, room + shift, 2100, 1);
        }
    }
}

static void elements_may_lie_at_any_address(void)
{
    with_each_isa(unaligned);
}

/* --- threads and the processor's state -------------------------------------------------------- */

static void threads(void)
{
    /* Sizes around what is shared out: 2^18 elements a share, threads from 2^19 elements each. */
    static const uint64_t numel[] = { 1 << 20, (1 << 20) + 1, (3 << 19) - 1, 2100001, 1 << 22 };
    float *x = malloc((1 << 22) * sizeof *x);
    size_t i, n;

    CHECK(x != NULL);
    if (x == NULL)
        return;
    fill(GTR_F32, x, 1 << 22, 1000000);
    for (i = 0; i < sizeof numel / sizeof *numel; i++)
        for (n = 0; n <= 4; n++)
            check_reduction(GTR_F32, x, numel[i], n);
    free(x);
}

static void any_number_of_threads_gives_the_same_bits(void)
{
    with_each_isa(threads);
}

#ifdef __x86_64__
static void flushing(void)
{
    static float x[3000];
    static double y[3000];
    unsigned was = _mm_getcsr();
    struct gtr_reduction wanted, got;
    size_t i;

    fill(GTR_F32, x, 3000, 1000);
    for (i = 0; i < 3000; i++) {
        x[i] = i % 2 == 0 ? 1e-41f : 0x1.000002p-126f;
        y[i] = i % 3 == 0 ? 1e-310 : 1e-161;
    }
    gtr_reduce(GTR_F32, x, 3000, 1, &wanted);
    _mm_setcsr(was | 0x8040 | 0x6000); /* flush to zero, read subnormals as zero, round to zero */
    gtr_reduce(GTR_F32, x, 3000, 1, &got);
    CHECK((_mm_getcsr() & 0xffc0) == ((was | 0x8040 | 0x6000) & 0xffc0)); /* and put back */
    _mm_setcsr(was);
    CHECK_BITS(got.sumsq, wanted.sumsq);
    CHECK_BITS((double)got.maxabs, (double)wanted.maxabs);

    gtr_reduce(GTR_F64, y, 3000, 1, &wanted);
    _mm_setcsr(was | 0x8040 | 0x2000);
    gtr_reduce(GTR_F64, y, 3000, 1, &got);
    _mm_setcsr(was);
    CHECK_BITS(got.sumsq, wanted.sumsq);
}

/* torch.set_flush_denormal(True), or any library linked with -ffast-math, does this. */
static void a_processor_set_to_flush_subnormals_changes_nothing(void)
{
    with_each_isa(flushing);
}
#endif

int main(void)
{
    RUN(small_numbers_worked_by_hand);
    RUN(the_order_of_adding_is_the_defined_one);
    RUN(every_size_and_type_agrees_with_the_definition);
    RUN(nan_and_infinite_elements_count_as_zero_wherever_they_are);
    RUN(one_bad_element_is_found_at_every_place);
    RUN(every_f16_and_bf16_pattern_has_its_value);
    RUN(the_smallest_and_largest_numbers_are_exact);
    RUN(elements_may_lie_at_any_address);
    RUN(any_number_of_threads_gives_the_same_bits);
#ifdef __x86_64__
    RUN(a_processor_set_to_flush_subnormals_changes_nothing);
#endif
    return check_report();
}
