/* trace_write_elements.c - captured elements: /grad and what is in it.
 *
 * A row of /grad/<i> is one capture of a tensor.  A large tensor's row is several chunks, which are
 * deflated on several threads; a small one waits until several captures fill a chunk.
 */
#include <stdio.h>

#include "alloc.h"
#include "trace_write_private.h"

enum {
    ELEMENT_CHUNK_BYTES = 1 << 20,
    CAPTURES_BYTES =
        1 << 16, /* small tensors: as many captures to a chunk, or codes cost too much */
    CAPTURES_MAX = 64,
    CAPTURE_ROWS = 1024,
    BLOCK = 1024 /* elements: of a sum of squares and of a sample */
};

static enum gtr_code write_sampling(struct gtr_file_writer *writer, const char *name,
                                    const struct gtr_sample *sampling, struct gtr_err *err)
{
    enum gtr_code rc;

    if (sampling->fraction == 0.0)
        return gtr_h5_set_text(writer->h5, name, "sampling", "full", err);
    rc = gtr_h5_set_text(writer->h5, name, "sampling", "blocks", err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(writer->h5, name, "block", sampling->block, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_real(writer->h5, name, "fraction", sampling->fraction, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(writer->h5, name, "seed", sampling->seed, err);
    return rc;
}

/* Equal chunks, as far as they can end where a block ends: the last one is stored whole. */
static size_t columns_of_chunk(size_t numel, size_t size)
{
    size_t most = ELEMENT_CHUNK_BYTES / size, n_chunks = (numel + most - 1) / most, cols;

    if (n_chunks < 2)
        return numel;
    cols = (numel + n_chunks - 1) / n_chunks;
    return (cols + BLOCK - 1) / BLOCK * BLOCK;
}

/* /grad/<i> and its attributes. */
static enum gtr_code make_element_sheet(struct gtr_file_writer *writer,
                                        const struct gtr_tensor *tensor,
                                        const struct gtr_writer_options *options, size_t i,
                                        struct gtr_err *err)
{
    const struct gtr_sample *sampling = &options->sampling;
    size_t size = gtr_dtype_size(tensor->dtype);
    size_t numel = sampling->fraction == 0.0
                       ? tensor->numel
                       : gtr_sample_numel(sampling, tensor->name, tensor->numel);
    size_t captures = numel < CAPTURES_BYTES / size ? CAPTURES_BYTES / size / numel : 1;
    const struct gtr_h5_shape shape = { .cols = numel,
                                        .chunk_rows =
                                            captures < CAPTURES_MAX ? captures : CAPTURES_MAX,
                                        .chunk_cols = columns_of_chunk(numel, size),
                                        .deflate = options->compression == GTR_COMPRESS_DEFLATE,
                                        .n_threads = options->n_threads };
    enum gtr_code rc;
    char name[32];

    snprintf(name, sizeof name, "/grad/%zu", i);
    rc = gtr_h5_sheet_new(writer->h5, name, gtr_elements_type(tensor->dtype), &shape,
                          &writer->elements[i], err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(writer->h5, name, "name", tensor->name, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_text(writer->h5, name, "dtype", gtr_dtype_name(tensor->dtype), err);
    if (rc == GTR_OK)
        rc = write_sampling(writer, name, sampling, err);
    return rc;
}

enum gtr_code gtr_writer_make_elements(struct gtr_file_writer *writer, const struct gtr_head *head,
                                       const struct gtr_writer_options *options,
                                       struct gtr_err *err)
{
    const struct gtr_h5_shape rows = { .chunk_rows = CAPTURE_ROWS };
    enum gtr_code rc;
    size_t i;

    rc =
        gtr_alloc_for(&writer->elements, head->n_tensors, sizeof *writer->elements, "tensors", err);
    if (rc == GTR_OK)
        rc = gtr_h5_make_group(writer->h5, "/grad", err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_new(writer->h5, "/grad/step", GTR_H5_I64, &rows, &writer->capture_rows,
                              err);
    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++)
        if (head->tensors[i].numel > 0)
            rc = make_element_sheet(writer, &head->tensors[i], options, i, err);
    return rc;
}
