/* recorder_elements.c - what a recorder keeps of the elements that it is given.
 *
 * The blocks of a sample are the same at every step, so they are looked up once; at a step they are
 * copied one behind the other, and the writer takes that row.
 */
#include <string.h>

#include "alloc.h"
#include "recorder_private.h"

struct gtr_recorder_blocks {
    uint64_t *blocks; /* numbers, rising */
    size_t n_blocks;
    uint64_t numel; /* elements that they hold */
};

/* Bytes that are kept of a tensor at each step. */
static size_t kept_bytes(const struct gtr_recorder *r, size_t tensor)
{
    const struct gtr_tensor *about = &r->head.tensors[tensor];
    uint64_t numel = r->blocks != NULL ? r->blocks[tensor].numel : about->numel;

    return (size_t)numel * gtr_dtype_size(about->dtype);
}

enum gtr_code gtr_recorder_elements_init(struct gtr_recorder *r, struct gtr_err *err)
{
    size_t n = r->head.n_tensors, most = 0, i;
    enum gtr_code rc;

    if (r->sampling.fraction == 0.0 || r->sample != NULL)
        return GTR_OK;
    gtr_recorder_elements_free(r);
    rc = gtr_alloc_for(&r->blocks, n, sizeof *r->blocks, "tensors", err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        const struct gtr_tensor *about = &r->head.tensors[i];
        struct gtr_recorder_blocks *kept = &r->blocks[i];

        rc = gtr_sample_blocks(&r->sampling, about->name, about->numel, &kept->blocks,
                               &kept->n_blocks, err);
        if (rc != GTR_OK)
            break;
        kept->numel = gtr_sample_numel(&r->sampling, about->name, about->numel);
        if (kept_bytes(r, i) > most)
            most = kept_bytes(r, i);
    }
    return rc == GTR_OK ? gtr_alloc_for(&r->sample, most, 1, "bytes", err) : rc;
}

void gtr_recorder_elements_free(struct gtr_recorder *r)
{
    size_t i;

    for (i = 0; r->blocks != NULL && i < r->head.n_tensors; i++)
        gtr_free(r->blocks[i].blocks);
    gtr_free(r->blocks);
    gtr_free(r->sample);
    r->blocks = NULL;
    r->sample = NULL;
}

/* The kept blocks one behind the other; only the tensor's last block may be short. */
static void gather(const struct gtr_recorder *r, size_t tensor, const unsigned char *elements)
{
    const struct gtr_tensor *about = &r->head.tensors[tensor];
    const struct gtr_recorder_blocks *kept = &r->blocks[tensor];
    size_t size = gtr_dtype_size(about->dtype), block = (size_t)r->sampling.block * size, i;
    size_t end = (size_t)about->numel * size;
    unsigned char *to = r->sample;

    for (i = 0; i < kept->n_blocks; i++) {
        size_t from = (size_t)kept->blocks[i] * block, n = end - from < block ? end - from : block;

        memcpy(to, elements + from, n);
        to += n;
    }
}

static enum gtr_code write_zeros(struct gtr_recorder *r, size_t tensor, struct gtr_err *err)
{
    void *zeros = NULL;
    enum gtr_code rc = gtr_alloc_for(&zeros, kept_bytes(r, tensor), 1, "bytes", err);

    if (rc == GTR_OK)
        rc = gtr_writer_elements(r->writer, tensor, zeros, err);
    gtr_free(zeros);
    return rc;
}

enum gtr_code gtr_recorder_keep(struct gtr_recorder *r, size_t tensor, const void *elements,
                                struct gtr_err *err)
{
    struct gtr_err failure = { 0 };
    enum gtr_code rc;

    if (elements == NULL) {
        rc = write_zeros(r, tensor, &failure);
    } else if (r->blocks == NULL) {
        rc = gtr_writer_elements(r->writer, tensor, elements, &failure);
    } else {
        gather(r, tensor, elements);
        rc = gtr_writer_elements(r->writer, tensor, r->sample, &failure);
    }
    return rc == GTR_OK ? rc : gtr_recorder_fail(r, &failure, err);
}
