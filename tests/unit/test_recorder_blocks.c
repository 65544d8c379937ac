/* test_recorder_blocks.c - a sample holds the same bits as the same places of a full recording. */
#define _XOPEN_SOURCE 700
#include "alloc.h"
#include "random.h"
#include "recording.h"
#include "sample.h"

enum { TENSORS = 3, STEPS = 7 };

static const struct {
    const char *name, *shape;
    uint64_t numel;
    enum gtr_dtype dtype;
} tensors[TENSORS] = { { "wide.weight", "100x117", 11700, GTR_F32 },
                       { "narrow.weight", "9000", 9000, GTR_BF16 },
                       { "bias", "5", 5, GTR_F64 } };

/* Records the same gradients whatever is kept of them. */
static struct gtr_trace *record(const struct gtr_record_options *options)
{
    struct gtr_err err = { 0 };
    struct gtr_recorder *r = NULL;
    struct gtr_random random;
    int64_t step;
    size_t i, k;

    gtr_recorder_open(path, options, &r, &err);
    for (i = 0; i < TENSORS; i++)
        gtr_recorder_tensor(r, tensors[i].name, tensors[i].shape, tensors[i].numel,
                            tensors[i].dtype, &err);
    gtr_random_init(&random, 3, 0);
    for (step = 0; step < STEPS; step++) {
        gtr_recorder_begin(r, step, 0.0, 0.0, &err);
        for (i = 0; i < TENSORS; i++) {
            size_t bytes = tensors[i].numel * gtr_dtype_size(tensors[i].dtype);
            unsigned char *grad = malloc(bytes);

            for (k = 0; k < bytes; k++)
                grad[k] = (unsigned char)gtr_random_bits(&random);
            if (i != 1 || step != 3) /* one has no gradient once */
                gtr_recorder_grad(r, i, grad, &err);
            free(grad);
        }
        gtr_recorder_end(r, &err);
    }
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    return read_back();
}

/* Compares a tensor at one capture; both hold the same steps. */
static void check_tensor(struct gtr_trace *full, struct gtr_trace *some, size_t i, size_t capture,
                         const struct gtr_sample *sample)
{
    size_t size = gtr_dtype_size(tensors[i].dtype), n_blocks, b, at = 0;
    size_t n = gtr_trace_n_elements(some, i);
    unsigned char *all = malloc(tensors[i].numel * size), *kept = malloc(n * size);
    uint64_t *blocks;

    CHECK(gtr_trace_read_elements(full, i, capture, all, NULL) == GTR_OK);
    CHECK(gtr_trace_read_elements(some, i, capture, kept, NULL) == GTR_OK);
    CHECK(gtr_sample_blocks(sample, tensors[i].name, tensors[i].numel, &blocks, &n_blocks, NULL) ==
          GTR_OK);
    for (b = 0; b < n_blocks; b++) {
        uint64_t first = blocks[b] * GTR_SAMPLE_BLOCK, end = first + GTR_SAMPLE_BLOCK;

        end = end < tensors[i].numel ? end : tensors[i].numel;
        CHECK(memcmp(kept + at * size, all + first * size, (end - first) * size) == 0);
        at += end - first;
    }
    CHECK(at == n);
    gtr_free(blocks);
    free(all);
    free(kept);
}

static void compare(double fraction, int64_t seed)
{
    const struct gtr_sample sample = { GTR_SAMPLE_BLOCK, fraction, seed };
    struct gtr_record_options options;
    struct gtr_trace *full, *some;
    size_t i, c;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.every = 2;
    options.first = 1;
    options.force = 1;
    full = record(&options);
    unlink(path); /* it stays open */
    options.elements = GTR_ELEMENTS_BLOCKS;
    options.fraction = fraction;
    options.seed = seed;
    some = record(&options);
    CHECK(gtr_trace_n_captures(full) == 3 && gtr_trace_n_captures(some) == 3); /* 1 3 5 */
    for (i = 0; i < TENSORS; i++) {
        struct gtr_captured captured;

        CHECK(gtr_trace_captured(some, i, &captured, NULL) == GTR_OK);
        CHECK(captured.sampled && captured.block == GTR_SAMPLE_BLOCK && captured.seed == seed);
        CHECK_BITS(captured.fraction, fraction);
        for (c = 0; c < gtr_trace_n_captures(some); c++)
            check_tensor(full, some, i, c, &sample);
    }
    gtr_trace_close(full);
    gtr_trace_close(some);
    remove_trace();
}

static void a_sample_holds_the_right_places_of_the_whole(void)
{
    compare(0.25, 0);
    compare(0.02, 5);
    compare(1.0, 5);
    compare(0.6, INT64_MIN);
}

static void options_that_cannot_be_are_refused(void)
{
    static const double fractions[] = { 0.0, -0.5, 1.5, (double)NAN, (double)INFINITY };
    struct gtr_record_options options;
    struct gtr_recorder *r;
    size_t i;

    for (i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        struct gtr_err err = { 0 };

        gtr_record_options_init(&options);
        options.elements = GTR_ELEMENTS_BLOCKS;
        options.fraction = fractions[i];
        CHECK(gtr_recorder_open(path, &options, &r, &err) == GTR_EUSAGE);
        CHECK_HOLDS(err.text, "must be above 0 and at most 1");
        CHECK(r == NULL && count_files() == 0);
    }
}

static void norms_are_refused_where_a_sample_is_kept(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 }, refused = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_BLOCKS;
    options.last = 0;
    r = open_pair(&options);
    gtr_recorder_begin(r, 0, 0.0, 0.0, &err);
    CHECK(gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, &refused) == GTR_EUSAGE);
    CHECK_HOLDS(refused.text, "step 0 keeps elements");
    gtr_recorder_end(r, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    remove_trace();
}

int main(void)
{
    recording_init();
    RUN(a_sample_holds_the_right_places_of_the_whole);
    RUN(options_that_cannot_be_are_refused);
    RUN(norms_are_refused_where_a_sample_is_kept);
    return check_report();
}
