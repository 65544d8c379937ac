/* test_sumsq_cuda.c - gradients reduced on a GPU: the bits of gtr_reduce, for any set of tensors.
 *
 * `make CUDA=emulate` runs all of this without a GPU.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc.h"
#include "check.h"
#include "cuda.h"
#include "device.h"
#include "sumsq.h"
#include "sumsq_cuda.h"

enum { TENSORS_MAX = 4000 };

/* A set of gradients: one buffer, here and on the device, and where each lies in it. */
struct gradients {
    char *host;
    void *device;
    size_t used, n;
    enum gtr_dtype dtypes[TENSORS_MAX];
    uint64_t numels[TENSORS_MAX];
    size_t offset[TENSORS_MAX];
    bool absent[TENSORS_MAX];
};

static struct gradients set;
static uint64_t random_state;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void begin(size_t bytes)
{
    random_state = 12345;
    set.host = calloc(bytes, 1);
    set.used = set.n = 0;
    memset(set.absent, 0, sizeof set.absent);
    CHECK(set.host != NULL);
}

/* Room for a tensor, `shift` elements after the one before. */
static void *add(enum gtr_dtype dtype, uint64_t numel, size_t shift)
{
    size_t size = gtr_dtype_size(dtype);
    size_t at = (set.used + size - 1) / size * size + shift * size;

    set.dtypes[set.n] = dtype;
    set.numels[set.n] = numel;
    set.offset[set.n] = at;
    set.used = at + (size_t)numel * size;
    set.n++;
    return set.host + at;
}

static void add_values(enum gtr_dtype dtype, const void *values, uint64_t numel)
{
    memcpy(add(dtype, numel, 0), values, (size_t)numel * gtr_dtype_size(dtype));
}

/* Any exponent a dtype has, subnormals and the largest included; bad ones with chance 1/`rare`,
 * none if that is 0. */
static void fill(enum gtr_dtype dtype, void *elements, uint64_t n, unsigned rare)
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

static void run(struct gtr_cuda_norms *norms, struct gtr_reduction *out)
{
    static const void *elements[TENSORS_MAX];
    struct gtr_err err = { 0 };
    size_t i;

    for (i = 0; i < set.n; i++) {
        elements[i] = set.absent[i] ? NULL : (const char *)set.device + set.offset[i];
        out[i] = (struct gtr_reduction){ -1.0, -1.0f, 99 };
    }
    CHECK(gtr_cuda_norms_start(norms, elements, NULL, &err) == GTR_OK);
    memset(elements, 0xa5, sizeof elements); /* it was read */
    CHECK(gtr_cuda_norms_wait(norms, out, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
}

/* Reduces the set on the device; frees the set; the caller looks at `out`. */
static void reduce(struct gtr_reduction *out)
{
    struct gtr_cuda_norms *norms = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_cuda_put(set.host, set.used, &set.device, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_new(-1, set.n, set.dtypes, set.numels, &norms, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    if (norms != NULL)
        run(norms, out);
    gtr_cuda_norms_free(norms);
    gtr_cuda_drop(set.device);
}

/* As reduce, and each must be what gtr_reduce says. */
static void check_set(void)
{
    static struct gtr_reduction out[TENSORS_MAX];
    size_t i;

    reduce(out);
    for (i = 0; i < set.n; i++) {
        struct gtr_reduction wanted;
        int before = check_failures;

        gtr_reduce(set.dtypes[i], set.host + set.offset[i], set.absent[i] ? 0 : set.numels[i], 1,
                   &wanted);
        CHECK_BITS(out[i].sumsq, wanted.sumsq);
        CHECK_BITS((double)out[i].maxabs, (double)wanted.maxabs);
        CHECK(out[i].nonfinite == wanted.nonfinite);
        if (check_failures > before)
            printf("tensor %zu: %s, %zu elements at %zu\n", i, gtr_dtype_name(set.dtypes[i]),
                   (size_t)set.numels[i], set.offset[i]);
    }
    free(set.host);
}

/* --- by hand ---------------------------------------------------------------------------------- */

static void small_numbers_worked_by_hand(void)
{
    static const float three[] = { 3.0f, -4.0f, 0.5f };
    static const uint16_t halves[] = { 0xc200, 0x3800, 0x0001, 0x7c00 }; /* -3, 0.5, 2^-24, inf */
    static const uint16_t brains[] = { 0x4040, 0xc080, 0x7fc0, 0xff80 }; /* 3, -4, NaN, -inf */
    static const double twos[] = { 2.0, NAN, -1.0 };
    struct gtr_reduction out[5];

    begin(4096);
    add_values(GTR_F32, three, 3);
    add_values(GTR_F16, halves, 4);
    add_values(GTR_BF16, brains, 4);
    add_values(GTR_F64, twos, 3);
    add_values(GTR_F32, three, 0);
    reduce(out);
    free(set.host);
    CHECK_BITS(out[0].sumsq, 25.25);
    CHECK_BITS((double)out[0].maxabs, 4.0);
    CHECK(out[0].nonfinite == 0);
    CHECK_BITS(out[1].sumsq, 9.25 + 0x1p-48);
    CHECK_BITS((double)out[1].maxabs, 3.0);
    CHECK(out[1].nonfinite == 1);
    CHECK_BITS(out[2].sumsq, 25.0);
    CHECK_BITS((double)out[2].maxabs, 4.0);
    CHECK(out[2].nonfinite == 2);
    CHECK_BITS(out[3].sumsq, 5.0);
    CHECK_BITS((double)out[3].maxabs, 2.0);
    CHECK(out[3].nonfinite == 1);
    CHECK_BITS(out[4].sumsq, 0.0);
    CHECK_BITS((double)out[4].maxabs, 0.0);
    CHECK(out[4].nonfinite == 0);
}

/* With u = 2^-52: 1 + u/2 is 1, but u/2 + u/2 is u, and 1 + u is not 1.  So who meets whom first
 * shows in the result; 2^-27 squared is u/4. */
static void the_order_of_adding_is_the_defined_one(void)
{
    static const struct {
        int one, tiny[8], n_tiny;
        double sum;
    } cases[] = {
        { 0, { 128, 256, 384, 512, 640, 768, 896 }, 7, 1.0 },           /* one lane, seven times */
        { 896, { 0, 128, 256, 384, 512, 640, 768 }, 7, 1.0 + 0x1p-51 }, /* 7u/4 + 1 */
        { 0, { 64, 192, 32, 160 }, 4, 1.0 },      /* lane 64 meets lane 0, then lane 32 */
        { 0, { 32, 96, 224 }, 3, 1.0 + 0x1p-52 }, /* lanes 32 and 96 meet first */
        { 0, { 16, 144, 8, 136 }, 4, 1.0 },       /* thread 16 first, then thread 8 */
        { 0, { 8, 24, 152 }, 3, 1.0 + 0x1p-52 },  /* threads 8 and 24 meet first */
        { 0, { 1024, 2048, 3072, 3073 }, 4, 1.0 + 0x1p-52 }, /* (1 + u/4) + (u/4 + u/2) */
        /* the same between tasks of eight blocks */
        { 0, { 8192, 16384, 24576, 24577 }, 4, 1.0 + 0x1p-52 },
    };
    struct gtr_reduction out[GTR_ARRAY_LEN(cases)];
    size_t i;
    int k;

    begin(GTR_ARRAY_LEN(cases) * 32768 * 8);
    for (i = 0; i < GTR_ARRAY_LEN(cases); i++) {
        double *x = add(GTR_F64, 32768, 0);

        x[cases[i].one] = 1.0;
        for (k = 0; k < cases[i].n_tiny; k++)
            x[cases[i].tiny[k]] = 0x1p-27;
    }
    reduce(out);
    free(set.host);
    for (i = 0; i < GTR_ARRAY_LEN(cases); i++)
        CHECK_BITS(out[i].sumsq, cases[i].sum);
}

/* --- against gtr_reduce ----------------------------------------------------------------------- */

static void every_size_and_type_at_any_address_is_gtr_reduce(void)
{
    static const uint64_t numel[] = { 0,     1,     2,     7,     31,    32,    33,    127,
                                      128,   129,   511,   512,   513,   1023,  1024,  1025,
                                      2047,  2048,  2049,  4096,  7169,  8191,  8192,  8193,
                                      32767, 32768, 32769, 65535, 65536, 65537, 100003 };
    size_t i;
    int dtype;

    begin(8 << 20);
    for (dtype = 0; dtype < GTR_DTYPE_COUNT; dtype++)
        for (i = 0; i < GTR_ARRAY_LEN(numel); i++)
            fill((enum gtr_dtype)dtype, add((enum gtr_dtype)dtype, numel[i], i % 5), numel[i], 0);
    check_set();
}

/* Some thousand tasks of one tensor: a tree of four passes, and one where threads go round. */
static void large_tensors_have_the_tree_of_their_blocks(void)
{
    begin(100 << 20);
    fill(GTR_F32, add(GTR_F32, 8192 * 67 + 3, 1), 8192 * 67 + 3, 0);
    fill(GTR_F16, add(GTR_F16, 8192 * 520 + 5, 1), 8192 * 520 + 5, 0);
    fill(GTR_BF16, add(GTR_BF16, 8192 * 4099 + 1, 1), 8192 * 4099 + 1, 5000);
    check_set();
}

static void nan_and_infinite_elements_count_as_zero_wherever_they_are(void)
{
    static const unsigned rare[] = { 1, 2, 100, 3000, 20000 };
    size_t i;
    int dtype;

    begin(8 << 20);
    for (dtype = 0; dtype < GTR_DTYPE_COUNT; dtype++)
        for (i = 0; i < GTR_ARRAY_LEN(rare); i++)
            fill((enum gtr_dtype)dtype, add((enum gtr_dtype)dtype, 20001, 1), 20001, rare[i]);
    check_set();
}

/* As tensors of one element: every 37th pattern has each exponent many times. */
static void f16_and_bf16_patterns_have_their_values(void)
{
    uint32_t bits;

    begin(1 << 20);
    for (bits = 0; bits < 65536; bits += 37) {
        uint16_t element = (uint16_t)bits;

        add_values(GTR_F16, &element, 1);
        add_values(GTR_BF16, &element, 1);
    }
    check_set();
}

static void the_smallest_and_largest_numbers_are_exact(void)
{
    static const double f64[] = { 5e-324, 2.2e-308, 1e-200, 1e154, 1e300, -DBL_MAX };
    static const float f32[] = { 1e-45f, FLT_MIN, FLT_MAX };
    static const uint16_t f16[] = { 0x0001, 0x8001, 0x03ff, 0x0400, 0xfbff, 0x8000 };
    static const uint16_t bf16[] = { 0x0001, 0x8001, 0x007f, 0x0080, 0xff7f, 0x8000 };
    double *many;
    size_t i;

    begin(1 << 20);
    for (i = 0; i < GTR_ARRAY_LEN(f64); i++)
        add_values(GTR_F64, &f64[i], 1);
    for (i = 0; i < GTR_ARRAY_LEN(f32); i++)
        add_values(GTR_F32, &f32[i], 1);
    for (i = 0; i < GTR_ARRAY_LEN(f16); i++) {
        add_values(GTR_F16, &f16[i], 1);
        add_values(GTR_BF16, &bf16[i], 1);
    }
    /* an infinite sum of finite elements, which are not to be counted */
    many = add(GTR_F64, 40000, 0);
    for (i = 0; i < 40000; i++)
        many[i] = 1e153;
    check_set();
}

/* --- sets of tensors -------------------------------------------------------------------------- */

static void thousands_of_small_tensors_of_mixed_types_are_one_set(void)
{
    size_t i;

    begin(4 << 20);
    for (i = 0; i < 3000; i++) {
        enum gtr_dtype dtype = (enum gtr_dtype)(random_bits() % GTR_DTYPE_COUNT);
        uint64_t numel = random_bits() % 50;

        fill(dtype, add(dtype, numel, random_bits() % 3), numel, 40);
    }
    check_set();
}

static void a_tensor_without_gradient_reduces_to_zeros(void)
{
    size_t i;

    begin(4 << 20);
    for (i = 0; i < 30; i++)
        fill(GTR_F32, add(GTR_F32, 1000 * i, 0), 1000 * i, 0);
    for (i = 0; i < 30; i += 3)
        set.absent[i] = true;
    check_set();
}

static void a_set_may_be_empty(void)
{
    struct gtr_cuda_norms *norms = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_cuda_norms_new(-1, 0, NULL, NULL, &norms, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_start(norms, NULL, NULL, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_wait(norms, NULL, &err) == GTR_OK);
    gtr_cuda_norms_free(norms);
    gtr_cuda_norms_free(NULL);
}

/* Nothing of one step may reach the next: here the second has other gradients and fewer. */
static void one_plan_serves_step_after_step(void)
{
    static const float steps[2][3] = { { 3.0f, 4.0f, NAN }, { 1.0f, 0.0f, 2.0f } };
    const enum gtr_dtype dtypes[2] = { GTR_F32, GTR_F32 };
    const uint64_t numels[2] = { 3, 2 };
    const void *elements[2];
    struct gtr_reduction out[2];
    struct gtr_cuda_norms *norms = NULL;
    struct gtr_err err = { 0 };
    void *device = NULL;

    CHECK(gtr_cuda_put(steps, sizeof steps, &device, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_new(0, 2, dtypes, numels, &norms, &err) == GTR_OK);
    elements[0] = elements[1] = device;
    CHECK(gtr_cuda_norms_start(norms, elements, NULL, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_wait(norms, out, &err) == GTR_OK);
    CHECK(out[0].sumsq == 25.0 && out[0].nonfinite == 1 && out[1].sumsq == 25.0);
    elements[0] = (const float *)device + 3;
    elements[1] = NULL;
    CHECK(gtr_cuda_norms_start(norms, elements, NULL, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_wait(norms, out, &err) == GTR_OK);
    CHECK(out[0].sumsq == 5.0 && out[0].nonfinite == 0 && out[0].maxabs == 2.0f);
    CHECK(out[1].sumsq == 0.0 && out[1].nonfinite == 0 && out[1].maxabs == 0.0f);
    gtr_cuda_norms_free(norms);
    gtr_cuda_drop(device);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void starts_and_waits_alternate(void)
{
    const enum gtr_dtype dtype = GTR_F32;
    const uint64_t numel = 1;
    const void *none = NULL;
    struct gtr_reduction out = { -1.0, -1.0f, 99 };
    struct gtr_cuda_norms *norms = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_cuda_norms_new(-1, 1, &dtype, &numel, &norms, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_wait(norms, &out, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "nothing was started");
    CHECK(out.sumsq == -1.0);
    err = (struct gtr_err){ 0 };
    CHECK(gtr_cuda_norms_start(norms, &none, NULL, &err) == GTR_OK);
    CHECK(gtr_cuda_norms_start(norms, &none, NULL, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "was not waited for");
    gtr_cuda_norms_free(norms); /* with one running */
}

static void a_gpu_that_is_not_there_is_refused(void)
{
    const enum gtr_dtype dtype = GTR_F32;
    const uint64_t numel = 1;
    struct gtr_cuda_norms *norms = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_cuda_norms_new(1000, 1, &dtype, &numel, &norms, &err) == GTR_EDEVICE);
    CHECK_HOLDS(err.text, "cuda:1000: no such GPU");
    CHECK(norms == NULL);
}

static void more_elements_than_fit_are_refused(void)
{
    const enum gtr_dtype dtypes[2] = { GTR_F16, GTR_F16 };
    const uint64_t numels[2] = { 5, UINT64_MAX };
    struct gtr_cuda_norms *norms = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_cuda_norms_new(-1, 2, dtypes, numels, &norms, &err) == GTR_EUSAGE);
    CHECK(norms == NULL);
}

static void lack_of_memory_is_told(void)
{
    const enum gtr_dtype dtype = GTR_F32;
    const uint64_t numel = 5;
    struct gtr_cuda_norms *norms = NULL;
    size_t n;

    for (n = 1; n <= 4; n++) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(n);
        CHECK(gtr_cuda_norms_new(-1, 1, &dtype, &numel, &norms, &err) == GTR_ENOMEM);
        gtr_alloc_fail_after(0);
        CHECK(norms == NULL);
    }
}

static void without_a_gpu_the_reason_is_told(void)
{
    struct gtr_cuda_norms *norms = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_cuda_norms_new(-1, 0, NULL, NULL, &norms, &err) == GTR_EDEVICE);
    CHECK(norms == NULL && err.text[0] != '\0');
    gtr_cuda_norms_free(norms);
}

int main(void)
{
    if (gtr_device_count() == 0) {
        RUN(without_a_gpu_the_reason_is_told);
        puts("skipped: 15 tests need a GPU, or a build with CUDA=emulate");
        printf("%d passed, %d failed, 15 skipped\n", check_passed, check_failed);
        return check_failed > 0;
    }
    RUN(small_numbers_worked_by_hand);
    RUN(the_order_of_adding_is_the_defined_one);
    RUN(every_size_and_type_at_any_address_is_gtr_reduce);
    RUN(large_tensors_have_the_tree_of_their_blocks);
    RUN(nan_and_infinite_elements_count_as_zero_wherever_they_are);
    RUN(f16_and_bf16_patterns_have_their_values);
    RUN(the_smallest_and_largest_numbers_are_exact);
    RUN(thousands_of_small_tensors_of_mixed_types_are_one_set);
    RUN(a_tensor_without_gradient_reduces_to_zeros);
    RUN(a_set_may_be_empty);
    RUN(one_plan_serves_step_after_step);
    RUN(starts_and_waits_alternate);
    RUN(a_gpu_that_is_not_there_is_refused);
    RUN(more_elements_than_fit_are_refused);
    RUN(lack_of_memory_is_told);
    return check_report();
}
