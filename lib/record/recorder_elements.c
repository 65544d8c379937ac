/* recorder_elements.c - what is kept of each tensor, and where it lies in a capture.
 *
 * The blocks of a sample are the same at every step, so they are looked up once.  A capture holds
 * the elements of all tensors, each from a cache line of its own on; of a sample, the blocks one
 * behind the other.
 */
#include <string.h>

#include "alloc.h"
#include "recorder_private.h"

enum { CACHE_LINE = 64 };

struct gtr_recorder_blocks {
    uint64_t *blocks; /* numbers, rising */
    size_t n_blocks;
    uint64_t numel; /* elements that they hold */
};

size_t gtr_recorder_kept_bytes(const struct gtr_recorder *r, size_t tensor)
{
    const struct gtr_tensor *about = &r->head.tensors[tensor];
    uint64_t numel = r->blocks != NULL ? r->blocks[tensor].numel : about->numel;

    return (size_t)numel * gtr_dtype_size(about->dtype);
}

static enum gtr_code find_blocks(struct gtr_recorder *r, struct gtr_err *err)
{
    size_t n = r->head.n_tensors, i;
    enum gtr_code rc = gtr_alloc_for(&r->blocks, n, sizeof *r->blocks, "tensors", err);

    for (i = 0; rc == GTR_OK && i < n; i++) {
        const struct gtr_tensor *about = &r->head.tensors[i];
        struct gtr_recorder_blocks *kept = &r->blocks[i];

        rc = gtr_sample_blocks(&r->sampling, about->name, about->numel, &kept->blocks,
                               &kept->n_blocks, err);
        kept->numel = gtr_sample_numel(&r->sampling, about->name, about->numel);
    }
    return rc;
}

enum gtr_code gtr_recorder_elements_init(struct gtr_recorder *r, struct gtr_err *err)
{
    size_t n = r->head.n_tensors, at = 0, i;
    enum gtr_code rc;

    if (!r->keeps)
        return GTR_OK;
    rc = gtr_alloc_for(&r->offsets, n, sizeof *r->offsets, "tensors", err);
    if (rc == GTR_OK && r->sampling.fraction != 0.0)
        rc = find_blocks(r, err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        size_t bytes = gtr_recorder_kept_bytes(r, i);

        r->offsets[i] = at;
        if (__builtin_add_overflow(at, bytes, &at) || at > PTRDIFF_MAX - CACHE_LINE)
            rc = gtr_fail(err, GTR_EUSAGE,
                          "%s: the elements of a step are more than memory can hold", r->path);
        else
            at = (at + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    }
    r->capture_bytes = at;
    return rc;
}

void gtr_recorder_elements_free(struct gtr_recorder *r)
{
    size_t i;

    for (i = 0; r->blocks != NULL && i < r->head.n_tensors; i++)
        gtr_free(r->blocks[i].blocks);
    gtr_free(r->blocks);
    gtr_free(r->offsets);
    gtr_free(r->sample);
}

void gtr_recorder_gather(const struct gtr_recorder *r, size_t tensor, const void *elements,
                         void *to)
{
    const struct gtr_tensor *about = &r->head.tensors[tensor];
    size_t size = gtr_dtype_size(about->dtype), block = (size_t)r->sampling.block * size, i;
    size_t end = (size_t)about->numel * size;
    unsigned char *next = to;

    if (elements == NULL) {
        memset(to, 0, gtr_recorder_kept_bytes(r, tensor));
        return;
    }
    /* Only the tensor's last block may be short. */
    for (i = 0; i < r->blocks[tensor].n_blocks; i++) {
        size_t from = (size_t)r->blocks[tensor].blocks[i] * block;
        size_t n = end - from < block ? end - from : block;

        memcpy(next, (const unsigned char *)elements + from, n);
        next += n;
    }
}
