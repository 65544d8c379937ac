/* test_captured.c - parts of the captured elements are the same parts of the whole. */
#define _GNU_SOURCE
#include <stdint.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "h5.h"
#include "random.h"
#include "scratch.h"
#include "threads.h"

enum { CAPTURES = 9, TENSORS = 4 };

/* One smaller than a row of a chunk's column, one of several chunks, one of many captures. */
static const uint64_t numels[TENSORS] = { 3, 300001, 5000, 70000 };

/* Element e of a tensor at a capture: noise, or it would all be one deflated byte. */
static uint32_t element_bits(size_t tensor, size_t capture, uint64_t e)
{
    uint64_t state = (uint64_t)tensor << 56 ^ (uint64_t)capture << 40 ^ e;

    return (uint32_t)gtr_splitmix_step(&state);
}

static uint64_t kept_of(size_t tensor, const struct gtr_sample *sampling, const char *name)
{
    return sampling->fraction == 0.0 ? numels[tensor]
                                     : gtr_sample_numel(sampling, name, numels[tensor]);
}

static void write_trace(const char *path, const struct gtr_sample *sampling)
{
    const struct gtr_writer_options options = {
        .size = sizeof options, .force = true, .elements = true, .sampling = *sampling
    };
    const double sums[TENSORS] = { 0 };
    const float most[TENSORS] = { 0 };
    const uint64_t none[TENSORS] = { 0 };
    struct gtr_writer *writer;
    struct gtr_head head;
    size_t i, c;

    gtr_head_init(&head, NULL);
    for (i = 0; i < TENSORS; i++) {
        char name[16], shape[32];

        snprintf(name, sizeof name, "t%zu", i);
        snprintf(shape, sizeof shape, "%llu", (unsigned long long)numels[i]);
        gtr_head_add_tensor(&head, name, shape, numels[i], i == 3 ? GTR_BF16 : GTR_F32, NULL);
    }
    CHECK(gtr_writer_open(path, &head, &options, &writer, NULL) == GTR_OK);
    for (c = 0; c < CAPTURES; c++) {
        const struct gtr_step step = { .index = (int64_t)c };

        for (i = 0; i < TENSORS; i++) {
            uint64_t n = kept_of(i, sampling, head.tensors[i].name), e;
            uint32_t *wide = gtr_alloc(n, sizeof *wide);
            uint16_t *narrow = gtr_alloc(n, sizeof *narrow);

            for (e = 0; e < n; e++) {
                wide[e] = element_bits(i, c, e);
                narrow[e] = (uint16_t)wide[e];
            }
            CHECK(gtr_writer_elements(writer, i, i == 3 ? (void *)narrow : (void *)wide, NULL) ==
                  GTR_OK);
            gtr_free(wide);
            gtr_free(narrow);
        }
        CHECK(gtr_writer_append(writer, &step, sums, most, none, NULL, NULL) == GTR_OK);
    }
    CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
    gtr_head_free(&head);
}

static const struct gtr_sample everything = { 0 };

static struct gtr_trace *open_trace(const char *path)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_trace_open(path, &trace, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    return trace;
}

struct rectangle {
    size_t tensor, first_capture, n_captures;
    uint64_t first, n;
    size_t gap; /* bytes between rows */
};

static struct rectangle draw(struct gtr_random *random)
{
    struct rectangle r = { .tensor = gtr_random_below(random, TENSORS) };
    uint64_t numel = numels[r.tensor];

    r.first_capture = gtr_random_below(random, CAPTURES);
    r.n_captures = 1 + gtr_random_below(random, CAPTURES - r.first_capture);
    r.first = gtr_random_below(random, numel);
    r.n = 1 + gtr_random_below(random, numel - r.first);
    r.gap = gtr_random_below(random, 3) * 3;
    return r;
}

/* Values of the rectangle that are not what was written, or bytes of the gaps that were. */
static size_t wrong_values(const struct gtr_trace *trace, const struct rectangle *r)
{
    size_t size = r->tensor == 3 ? 2 : 4, stride = r->n * size + r->gap, wrong = 0, c, g;
    unsigned char *out = malloc(r->n_captures * stride);
    uint64_t e;

    memset(out, 0xa5, r->n_captures * stride);
    if (gtr_trace_read_captured(trace, r->tensor, r->first_capture, r->n_captures, r->first, r->n,
                                out, stride, NULL) != GTR_OK)
        wrong = 1;
    for (c = 0; c < r->n_captures; c++) {
        for (e = 0; e < r->n; e++) {
            uint32_t bits = element_bits(r->tensor, r->first_capture + c, r->first + e), got = 0;

            memcpy(&got, out + c * stride + e * size, size);
            wrong += got != (size == 2 ? (uint16_t)bits : bits);
        }
        for (g = 0; g < r->gap; g++)
            wrong += out[c * stride + r->n * size + g] != 0xa5;
    }
    free(out);
    return wrong;
}

static void rectangles_are_parts_of_the_whole(void)
{
    struct gtr_trace *trace;
    struct gtr_random random;
    size_t k, wrong = 0;

    write_trace(scratch_path("whole.h5"), &everything);
    trace = open_trace(scratch_path("whole.h5"));
    gtr_random_init(&random, 11, 0);
    for (k = 0; k < 100; k++) {
        const struct rectangle r = draw(&random);

        wrong += wrong_values(trace, &r);
    }
    CHECK(wrong == 0);
    gtr_trace_close(trace);
}

struct crowd {
    const struct gtr_trace *trace;
    size_t wrong[64];
};

static void read_some(void *context, size_t item, size_t worker)
{
    struct crowd *crowd = context;
    struct gtr_random random;
    struct rectangle r;

    (void)worker;
    gtr_random_init(&random, 12, item);
    r = draw(&random);
    crowd->wrong[item] = wrong_values(crowd->trace, &r);
}

static void several_threads_read_at_once(void)
{
    struct crowd crowd = { 0 };
    struct gtr_trace *trace;
    size_t i;

    write_trace(scratch_path("crowd.h5"), &everything);
    trace = open_trace(scratch_path("crowd.h5"));
    crowd.trace = trace;
    gtr_threads_run(8, 64, read_some, &crowd);
    for (i = 0; i < 64; i++)
        CHECK(crowd.wrong[i] == 0);
    gtr_trace_close(trace);
}

static void a_trace_tells_how_it_was_sampled(void)
{
    const struct gtr_sample sampling = { 1024, 1.0 / 8.0, -7 };
    struct gtr_captured captured;
    struct gtr_trace *trace;
    uint32_t bits[2];

    write_trace(scratch_path("some.h5"), &sampling);
    trace = open_trace(scratch_path("some.h5"));
    CHECK(gtr_trace_captured(trace, 1, &captured, NULL) == GTR_OK);
    CHECK(captured.sampled && captured.block == 1024 && captured.seed == -7);
    CHECK_BITS(captured.fraction, 1.0 / 8.0);
    CHECK(captured.n == gtr_sample_numel(&sampling, "t1", numels[1]));
    CHECK(captured.n < numels[1] / 7 && captured.n > numels[1] / 9);
    CHECK(captured.chunk_rows > 0 && captured.chunk_cols > 0);
    CHECK(gtr_trace_n_elements(trace, 1) == captured.n);
    CHECK(gtr_trace_read_captured(trace, 1, 8, 1, captured.n - 2, 2, bits, 8, NULL) == GTR_OK);
    CHECK(bits[1] == element_bits(1, 8, captured.n - 1));
    gtr_trace_close(trace);

    write_trace(scratch_path("all.h5"), &everything);
    trace = open_trace(scratch_path("all.h5"));
    CHECK(gtr_trace_captured(trace, 2, &captured, NULL) == GTR_OK);
    CHECK(!captured.sampled && captured.n == 5000 && captured.block == 0);
    gtr_trace_close(trace);
}

static void what_lies_outside_is_refused(void)
{
    struct gtr_captured captured;
    struct gtr_trace *trace;
    struct gtr_err err = { 0 };
    char out[64];

    write_trace(scratch_path("edge.h5"), &everything);
    trace = open_trace(scratch_path("edge.h5"));
    CHECK(gtr_trace_read_captured(trace, 0, 0, CAPTURES, 0, 1, out, 4, NULL) == GTR_OK);
    CHECK(gtr_trace_read_captured(trace, 0, CAPTURES, 0, 3, 0, out, 4, NULL) == GTR_OK);
    CHECK(gtr_trace_read_captured(trace, 0, 1, CAPTURES, 0, 1, out, 4, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "edge.h5: no elements 0 to 1 of tensor 0 at captures 1 to 10");
    CHECK(gtr_trace_read_captured(trace, 0, SIZE_MAX, 2, 0, 1, out, 4, NULL) == GTR_EUSAGE);
    CHECK(gtr_trace_read_captured(trace, 0, 0, 1, 1, 3, out, 4, NULL) == GTR_EUSAGE);
    CHECK(gtr_trace_read_captured(trace, 0, 0, 1, UINT64_MAX, 2, out, 4, NULL) == GTR_EUSAGE);
    CHECK(gtr_trace_read_captured(trace, TENSORS, 0, 1, 0, 1, out, 4, NULL) == GTR_EUSAGE);
    CHECK(gtr_trace_captured(trace, TENSORS, &captured, NULL) == GTR_EUSAGE);
    gtr_trace_close(trace);
}

/* Deflated chunks begin with the two bytes that zlib writes at this level. */
static void a_damaged_chunk_is_told_with_its_dataset(void)
{
    const char *whole = scratch_path("good.h5"), *hurt = scratch_path("hurt.h5");
    size_t size = 0, i, n_hurt = 0;
    char *bytes;

    write_trace(whole, &everything);
    bytes = scratch_read(whole, &size);
    for (i = 0; i + 200 < size; i++)
        if ((unsigned char)bytes[i] == 0x78 && bytes[i + 1] == 0x01 && n_hurt++ < 4)
            memset(bytes + i + 100, 0x5a, 60);
    scratch_write(hurt, bytes, size);
    CHECK(n_hurt >= 4);
    {
        struct gtr_trace *trace = open_trace(hurt);
        size_t tensor, capture, n_told = 0;

        for (tensor = 0; tensor < TENSORS; tensor++)
            for (capture = 0; capture < CAPTURES; capture++) {
                struct gtr_err err = { 0 };
                uint32_t *out = calloc(numels[tensor], sizeof *out);

                if (gtr_trace_read_elements(trace, tensor, capture, out, &err) == GTR_EFORMAT) {
                    CHECK_HOLDS(err.text, "hurt.h5: /grad/");
                    CHECK_HOLDS(err.text, "are damaged");
                    n_told++;
                }
                free(out);
            }
        CHECK(n_told >= 1 && n_told < TENSORS * CAPTURES);
        gtr_trace_close(trace);
    }
    free(bytes);
}

/* --- attributes that lie ---------------------------------------------------------------------- */

struct crooked {
    const char *sampling, *dtype;
    int64_t block;
    double fraction;
    size_t width;
};

static enum gtr_code read_crooked(const struct crooked *c, struct gtr_err *err)
{
    const char *path = scratch_path("crooked.h5"), *name = "w", *shape = "5000", *dtype = "f32";
    const struct gtr_h5_shape sums = { .cols = 1, .chunk_rows = 1 };
    const struct gtr_h5_shape elements = { .cols = c->width, .chunk_rows = 1 };
    const uint64_t numel = 5000;
    const int64_t index = 0;
    const double sum = 1.0;
    float *row = calloc(c->width, sizeof *row);
    struct gtr_captured captured;
    struct gtr_trace *trace;
    struct gtr_h5_sheet *sheet;
    struct gtr_h5 *h5;
    enum gtr_code rc;

    gtr_h5_create(path, path, &h5, NULL);
    gtr_h5_set_text(h5, "/", "format", "gradtrace", NULL);
    gtr_h5_set_integer(h5, "/", "format_version", 1, NULL);
    gtr_h5_make_group(h5, "/param", NULL);
    gtr_h5_write_strings(h5, "/param/name", &name, 1, NULL);
    gtr_h5_write_strings(h5, "/param/shape", &shape, 1, NULL);
    gtr_h5_write_strings(h5, "/param/dtype", &dtype, 1, NULL);
    gtr_h5_write_vector(h5, "/param/numel", GTR_H5_U64, &numel, 1, NULL);
    gtr_h5_make_group(h5, "/step", NULL);
    gtr_h5_write_vector(h5, "/step/index", GTR_H5_I64, &index, 1, NULL);
    gtr_h5_make_group(h5, "/norm", NULL);
    gtr_h5_sheet_new(h5, "/norm/sumsq", GTR_H5_F64, &sums, &sheet, NULL);
    gtr_h5_sheet_append(sheet, &sum, NULL);
    gtr_h5_sheet_close(sheet, NULL);
    gtr_h5_make_group(h5, "/grad", NULL);
    gtr_h5_write_vector(h5, "/grad/step", GTR_H5_I64, &index, 1, NULL);
    gtr_h5_sheet_new(h5, "/grad/0", GTR_H5_F32, &elements, &sheet, NULL);
    row[0] = 1.0f;
    gtr_h5_sheet_append(sheet, row, NULL);
    gtr_h5_sheet_close(sheet, NULL);
    if (c->sampling != NULL)
        gtr_h5_set_text(h5, "/grad/0", "sampling", c->sampling, NULL);
    if (c->dtype != NULL)
        gtr_h5_set_text(h5, "/grad/0", "dtype", c->dtype, NULL);
    if (c->block != 0)
        gtr_h5_set_integer(h5, "/grad/0", "block", c->block, NULL);
    if (c->fraction != 0.0)
        gtr_h5_set_real(h5, "/grad/0", "fraction", c->fraction, NULL);
    gtr_h5_close(h5, NULL);
    free(row);
    rc = gtr_trace_open(path, &trace, err);
    if (rc == GTR_OK)
        rc = gtr_trace_captured(trace, 0, &captured, err);
    gtr_trace_close(trace);
    return rc;
}

static void attributes_must_fit_what_is_there(void)
{
    static const struct {
        struct crooked crooked;
        const char *part; /* "": nothing is wrong */
    } cases[] = {
        { { "full", "f32", 0, 0.0, 5000 }, "" },
        { { NULL, NULL, 0, 0.0, 5000 }, "" },
        { { "blocks", "f32", 1000, 0.4, 2000 }, "" },
        { { "full", "f32", 0, 0.0, 4999 },
          "has 4999 elements a step where its sampling keeps 5000" },
        { { "blocks", "f32", 1000, 0.4, 2001 }, "where its sampling keeps 2000" },
        { { "blocks", "f32", 1000, 0.0, 2000 }, "fraction: is 0; must be" },
        { { "blocks", "f32", 1000, 7.0, 5000 }, "fraction: is 7; must be" },
        { { "blocks", "f32", 0, 0.4, 2000 }, "block: is 0 elements" },
        { { "blocks", "f32", -1, 0.4, 2000 }, "block: is -1 elements" },
        { { "rows", "f32", 0, 0.0, 5000 }, "has sampling rows, which is not full or blocks" },
        { { "full", "bf16", 0, 0.0, 5000 }, "has dtype bf16 where /param/dtype has f32" },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(cases); i++) {
        struct gtr_err err = { 0 };
        bool fine = cases[i].part[0] == '\0';

        CHECK(read_crooked(&cases[i].crooked, &err) == (fine ? GTR_OK : GTR_EFORMAT));
        CHECK_HOLDS(err.text, cases[i].part);
        CHECK_HOLDS(err.text, fine ? "" : "crooked.h5: /grad/0: ");
    }
}

int main(void)
{
    RUN(rectangles_are_parts_of_the_whole);
    RUN(several_threads_read_at_once);
    RUN(a_trace_tells_how_it_was_sampled);
    RUN(what_lies_outside_is_refused);
    RUN(a_damaged_chunk_is_told_with_its_dataset);
    RUN(attributes_must_fit_what_is_there);
    return check_report();
}
