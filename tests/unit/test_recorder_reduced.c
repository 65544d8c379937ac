/* test_recorder_reduced.c - gradients that the caller has reduced and sampled make the trace that
 * their elements make. */
#define _XOPEN_SOURCE 700
#include "alloc.h"
#include "random.h"
#include "recording.h"

enum { TENSORS = 3, STEPS = 7, MOST = 9000, BLOCK = GTR_SAMPLE_BLOCK };

static const struct {
    const char *name, *shape;
    uint64_t numel;
    enum gtr_dtype dtype;
} about[TENSORS] = {
    { "layers.0.up.weight", "9x1000", 9000, GTR_F32 },
    { "layers.0.up.bias", "3000", 3000, GTR_BF16 },
    { "nothing", "0", 0, GTR_F32 },
};

static unsigned char grads[TENSORS][MOST * 4];

static void make_grads(struct gtr_random *random)
{
    size_t i, k;

    for (i = 0; i < TENSORS; i++)
        for (k = 0; k < about[i].numel; k++)
            if (about[i].dtype == GTR_F32)
                ((float *)(void *)grads[i])[k] = (float)gtr_random_normal(random);
            else
                ((uint16_t *)(void *)grads[i])[k] = (uint16_t)gtr_random_below(random, 1 << 16);
}

/* What a trace keeps of tensor i, one block behind the other. */
static const void *kept_of(const struct gtr_record_options *o, size_t i, unsigned char *out)
{
    const struct gtr_sample sampling = { BLOCK, o->fraction, o->seed };
    size_t size = gtr_dtype_size(about[i].dtype), n = 0, k, at = 0;
    uint64_t *blocks = NULL;

    if (o->elements == GTR_ELEMENTS_FULL)
        return grads[i];
    gtr_sample_blocks(&sampling, about[i].name, about[i].numel, &blocks, &n, NULL);
    for (k = 0; k < n; k++) {
        size_t from = (size_t)blocks[k] * BLOCK;
        size_t m = about[i].numel - from < BLOCK ? (size_t)about[i].numel - from : BLOCK;

        memcpy(out + at, grads[i] + from * size, m * size);
        at += m * size;
    }
    gtr_free(blocks);
    return out;
}

static void give_reduced(struct gtr_recorder *r, const struct gtr_record_options *o, int64_t step,
                         struct gtr_err *err)
{
    static unsigned char sampled[TENSORS][MOST * 4];
    struct gtr_reduction sums[TENSORS];
    const void *kept[TENSORS];
    size_t tensors[TENSORS], i;

    for (i = 0; i < TENSORS; i++) {
        tensors[i] = TENSORS - 1 - i; /* in any order */
        gtr_reduce(about[tensors[i]].dtype, grads[tensors[i]], about[tensors[i]].numel, 1,
                   &sums[i]);
        kept[i] = kept_of(o, tensors[i], sampled[i]);
    }
    gtr_recorder_reduced(r, TENSORS, tensors, sums, gtr_recorder_captures(r, step) ? kept : NULL,
                         err);
}

static struct gtr_trace *record(const struct gtr_record_options *o, bool reduced)
{
    struct gtr_recorder *r = NULL;
    struct gtr_err err = { 0 };
    struct gtr_random random;
    int64_t step;
    size_t i;

    gtr_random_init(&random, 11, 0);
    gtr_recorder_open(path, o, &r, &err);
    for (i = 0; i < TENSORS; i++)
        gtr_recorder_tensor(r, about[i].name, about[i].shape, about[i].numel, about[i].dtype, &err);
    for (step = 0; step < STEPS; step++) {
        make_grads(&random);
        gtr_recorder_begin(r, step, 0.5, 0.5, &err);
        if (reduced)
            give_reduced(r, o, step, &err);
        for (i = 0; i < TENSORS && !reduced; i++)
            gtr_recorder_grad(r, i, grads[i], &err);
        gtr_recorder_end(r, &err);
    }
    gtr_recorder_close(r, &err);
    CHECK_TEXT(err.text, "");
    return read_back();
}

static bool same_matrix(const struct gtr_trace *a, const struct gtr_trace *b, enum gtr_norm norm)
{
    double x[STEPS * TENSORS] = { 0 }, y[STEPS * TENSORS] = { 0 }; /* room for any of the types */

    return gtr_trace_read_rows(a, norm, 0, STEPS, x, NULL) == GTR_OK &&
           gtr_trace_read_rows(b, norm, 0, STEPS, y, NULL) == GTR_OK && memcmp(x, y, sizeof x) == 0;
}

static bool same_norms(const struct gtr_trace *a, const struct gtr_trace *b)
{
    double first[TENSORS] = { 0 };

    gtr_trace_read_rows(a, GTR_SUMSQ, 0, 1, first, NULL);
    return gtr_trace_n_steps(a) == STEPS && gtr_trace_n_steps(b) == STEPS && first[0] != 0.0 &&
           same_matrix(a, b, GTR_SUMSQ) && same_matrix(a, b, GTR_MAXABS) &&
           same_matrix(a, b, GTR_NONFINITE);
}

static bool same_elements(struct gtr_trace *a, struct gtr_trace *b, size_t captures)
{
    static unsigned char x[MOST * 4], y[MOST * 4];
    bool same = gtr_trace_n_captures(a) == captures && gtr_trace_n_captures(b) == captures;
    size_t i, c;

    for (c = 0; same && c < captures; c++)
        for (i = 0; same && i < TENSORS - 1; i++) {
            gtr_trace_read_elements(a, i, c, x, NULL);
            gtr_trace_read_elements(b, i, c, y, NULL);
            same = gtr_trace_n_elements(a, i) == gtr_trace_n_elements(b, i) &&
                   memcmp(x, y,
                          (size_t)gtr_trace_n_elements(a, i) * gtr_dtype_size(about[i].dtype)) == 0;
        }
    return same;
}

static void reduced_gradients_make_the_same_trace(void)
{
    int64_t elements, small;

    for (elements = GTR_ELEMENTS_NONE; elements <= GTR_ELEMENTS_BLOCKS; elements++)
        for (small = 0; small <= 1; small++) { /* a queue that holds no capture at all */
            struct gtr_record_options o;
            struct gtr_trace *whole, *reduced;

            gtr_record_options_init(&o);
            o.elements = elements;
            o.every = 2;
            o.fraction = 0.25;
            o.queue_bytes = small ? 100 : 0;
            whole = record(&o, false);
            unlink(path);
            reduced = record(&o, true);
            CHECK(same_norms(whole, reduced));
            CHECK(same_elements(whole, reduced, elements == GTR_ELEMENTS_NONE ? 0 : 4));
            gtr_trace_close(whole);
            gtr_trace_close(reduced);
            remove_trace();
        }
}

static void a_step_that_keeps_elements_is_not_content_with_norms(void)
{
    const struct gtr_reduction sum = { 1.0, 1.0f, 0 };
    const size_t second = 1, none = 2;
    const void *nothing = NULL;
    struct gtr_record_options o;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&o);
    o.elements = GTR_ELEMENTS_FULL;
    r = open_pair(&o);
    gtr_recorder_begin(r, 0, 0.0, 0.0, &err);
    CHECK(gtr_recorder_reduced(r, 1, &second, &sum, NULL, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "tensor 1 (scale): step 0 keeps elements; give them, not their norm");
    err = (struct gtr_err){ 0 };
    CHECK(gtr_recorder_reduced(r, 1, &second, &sum, &nothing, &err) == GTR_EUSAGE);
    CHECK(gtr_recorder_reduced(r, 1, &none, &sum, NULL, &err) == GTR_EUSAGE);
    gtr_recorder_abandon(r);
    remove_trace();
}

int main(void)
{
    recording_init();
    RUN(reduced_gradients_make_the_same_trace);
    RUN(a_step_that_keeps_elements_is_not_content_with_norms);
    return check_report();
}
