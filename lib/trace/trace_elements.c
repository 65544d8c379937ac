/* trace_elements.c - the captured elements of a trace, tensor by tensor.
 *
 * A trace may have thousands of tensors, and most tools ask for no elements at all: a tensor's
 * dataset is opened and checked when it is first asked for, and then stays open.
 */
#include "trace_private.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "sample.h"

struct one_tensor {
    bool known;                 /* looked for and, if there, opened and checked */
    struct gtr_h5_table *table; /* NULL: no elements of this tensor */
    struct gtr_captured captured;
};

struct gtr_file_elements {
    pthread_mutex_t lock; /* over what `tensors` holds while it is being found out */
    size_t n_tensors;
    struct one_tensor tensors[];
};

enum gtr_code gtr_elements_new(size_t n_tensors, struct gtr_file_elements **out,
                               struct gtr_err *err)
{
    size_t size = sizeof **out + n_tensors * sizeof(struct one_tensor);
    enum gtr_code rc = gtr_alloc_for(out, 1, size, "elements", err);

    if (rc != GTR_OK)
        return rc;
    (*out)->n_tensors = n_tensors;
    pthread_mutex_init(&(*out)->lock, NULL);
    return GTR_OK;
}

void gtr_elements_free(struct gtr_file_elements *elements)
{
    size_t i;

    if (elements == NULL)
        return;
    for (i = 0; i < elements->n_tensors; i++)
        gtr_h5_table_close(elements->tensors[i].table);
    pthread_mutex_destroy(&elements->lock);
    gtr_free(elements);
}

enum gtr_h5_type gtr_elements_type(enum gtr_dtype dtype)
{
    static const enum gtr_h5_type types[GTR_DTYPE_COUNT] = { [GTR_F32] = GTR_H5_F32,
                                                             [GTR_F16] = GTR_H5_F16,
                                                             [GTR_BF16] = GTR_H5_U16,
                                                             [GTR_F64] = GTR_H5_F64 };

    return types[dtype];
}

/* --- what the attributes say ------------------------------------------------------------------ */

/* The attribute may be missing: /param/dtype says the same. */
static enum gtr_code check_dtype(const struct gtr_trace *trace, const char *name,
                                 const struct gtr_tensor *tensor, struct gtr_err *err)
{
    enum gtr_code rc;
    char *dtype = NULL;

    rc = gtr_h5_get_text(trace->h5, name, "dtype", &dtype, err);
    if (rc == GTR_OK && dtype != NULL && strcmp(dtype, gtr_dtype_name(tensor->dtype)) != 0)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: has dtype %.20s where /param/dtype has %s",
                      trace->path, name, dtype, gtr_dtype_name(tensor->dtype));
    gtr_free(dtype);
    return rc;
}

/* Reads block, fraction and seed, and checks that they can be. */
static enum gtr_code read_sampling(const struct gtr_trace *trace, const char *name, uint64_t numel,
                                   struct gtr_sample *sampling, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_err why;

    *sampling = (struct gtr_sample){ 0 };
    rc = gtr_h5_get_integer(trace->h5, name, "block", &sampling->block, err);
    if (rc == GTR_OK)
        rc = gtr_h5_get_real(trace->h5, name, "fraction", &sampling->fraction, err);
    if (rc == GTR_OK)
        rc = gtr_h5_get_integer(trace->h5, name, "seed", &sampling->seed, err);
    if (rc != GTR_OK)
        return rc;
    why = (struct gtr_err){ 0 };
    if (gtr_sample_check(sampling, numel, &why) != GTR_OK)
        return gtr_fail(err, GTR_EFORMAT, "%s: %s: %s", trace->path, name, why.text);
    return GTR_OK;
}

static enum gtr_code check_width(const struct gtr_trace *trace, const char *name, uint64_t width,
                                 uint64_t wanted, struct gtr_err *err)
{
    if (width == wanted)
        return GTR_OK;
    return gtr_fail(err, GTR_EFORMAT,
                    "%s: %s: has %llu elements a step where its sampling keeps %llu", trace->path,
                    name, (unsigned long long)width, (unsigned long long)wanted);
}

static enum gtr_code read_captured(const struct gtr_trace *trace, const char *name,
                                   const struct gtr_tensor *tensor,
                                   const struct gtr_h5_table *table, struct gtr_captured *captured,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    char *kind = NULL;
    uint64_t wanted = tensor->numel;

    *captured = (struct gtr_captured){ .n = gtr_h5_table_cols(table),
                                       .chunk_rows = gtr_h5_table_band_rows(table),
                                       .chunk_cols = gtr_h5_table_chunk_cols(table) };
    rc = gtr_h5_get_text(trace->h5, name, "sampling", &kind, err);
    if (rc == GTR_OK && kind != NULL && strcmp(kind, "blocks") == 0) {
        struct gtr_sample sampling;

        rc = read_sampling(trace, name, tensor->numel, &sampling, err);
        if (rc == GTR_OK)
            wanted = gtr_sample_numel(&sampling, tensor->name, tensor->numel);
        captured->sampled = true;
        captured->block = sampling.block;
        captured->fraction = sampling.fraction;
        captured->seed = sampling.seed;
    } else if (rc == GTR_OK && kind != NULL && strcmp(kind, "full") != 0) {
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: has sampling %.20s, which is not full or blocks",
                      trace->path, name, kind);
    }
    if (rc == GTR_OK)
        rc = check_width(trace, name, captured->n, wanted, err);
    gtr_free(kind);
    return rc;
}

/* --- opening and reading ---------------------------------------------------------------------- */

static enum gtr_code open_one(const struct gtr_trace *trace, size_t tensor, struct one_tensor *one,
                              struct gtr_err *err)
{
    const struct gtr_tensor *about = &trace->head.tensors[tensor];
    struct gtr_h5_table *table = NULL;
    enum gtr_code rc;
    char name[32];

    snprintf(name, sizeof name, "/grad/%zu", tensor);
    if (!gtr_h5_has(trace->h5, name)) {
        one->known = true;
        return GTR_OK;
    }
    rc = gtr_h5_table_open(trace->h5, name, gtr_elements_type(about->dtype), &table, err);
    if (rc == GTR_OK && gtr_h5_table_rows(table) != trace->n_captures)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: %s: has %zu values where /grad/step has %zu",
                      trace->path, name, gtr_h5_table_rows(table), trace->n_captures);
    if (rc == GTR_OK)
        rc = check_dtype(trace, name, about, err);
    if (rc == GTR_OK)
        rc = read_captured(trace, name, about, table, &one->captured, err);
    if (rc != GTR_OK) {
        gtr_h5_table_close(table);
        return rc;
    }
    one->table = table;
    one->known = true;
    return GTR_OK;
}

/* *one does not change any more once this has succeeded, so it is read without the lock. */
static enum gtr_code find_one(const struct gtr_trace *trace, size_t tensor,
                              const struct one_tensor **one, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    pthread_mutex_lock(&trace->elements->lock);
    if (!trace->elements->tensors[tensor].known)
        rc = open_one(trace, tensor, &trace->elements->tensors[tensor], err);
    pthread_mutex_unlock(&trace->elements->lock);
    *one = &trace->elements->tensors[tensor];
    return rc;
}

enum gtr_code gtr_file_captured(const struct gtr_trace *trace, size_t tensor,
                                struct gtr_captured *captured, struct gtr_err *err)
{
    const struct one_tensor *one;
    enum gtr_code rc = find_one(trace, tensor, &one, err);

    if (rc == GTR_OK && one->table != NULL)
        *captured = one->captured;
    return rc;
}

enum gtr_code gtr_file_read_captured(const struct gtr_trace *trace, size_t tensor,
                                     const struct gtr_captured *captured,
                                     const struct gtr_h5_part *part, void *out, size_t stride,
                                     struct gtr_err *err)
{
    const struct one_tensor *one;
    enum gtr_code rc = find_one(trace, tensor, &one, err);

    (void)captured; /* what the file itself says */
    return rc == GTR_OK ? gtr_h5_table_read_part(one->table, part, out, stride, err) : rc;
}
