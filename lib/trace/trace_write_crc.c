/* trace_write_crc.c - a checksum beside each row and each capture. */
#include <string.h>

#include "alloc.h"
#include "trace_write_private.h"

enum { CAPTURE_ROWS = 64 };

static enum gtr_code make_elements_crc(struct gtr_file_writer *writer, const struct gtr_head *head,
                                       const struct gtr_sample *sampling, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .cols = head->n_tensors, .chunk_rows = CAPTURE_ROWS };
    enum gtr_code rc = gtr_alloc_for(&writer->pending_crc, head->n_tensors,
                                     sizeof *writer->pending_crc, "tensors", err);
    size_t i;

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&writer->kept_bytes, head->n_tensors, sizeof *writer->kept_bytes,
                           "tensors", err);
    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        const struct gtr_tensor *tensor = &head->tensors[i];
        uint64_t numel = tensor->numel;

        if (sampling->fraction != 0.0 && numel > 0)
            numel = gtr_sample_numel(sampling, tensor->name, numel);
        writer->kept_bytes[i] = (size_t)numel * gtr_dtype_size(tensor->dtype);
    }
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_new(writer->h5, "/grad/crc", GTR_H5_U32, &shape, &writer->elements_crc,
                              err);
    return rc;
}

enum gtr_code gtr_writer_make_checksums(struct gtr_file_writer *writer, const struct gtr_head *head,
                                        const struct gtr_writer_options *options, size_t chunk_rows,
                                        struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .chunk_rows = chunk_rows };
    enum gtr_code rc =
        gtr_h5_sheet_new(writer->h5, "/step/crc", GTR_H5_U32, &shape, &writer->crc, err);

    if (rc == GTR_OK && options->elements)
        rc = make_elements_crc(writer, head, &options->sampling, err);
    return rc;
}

void gtr_writer_sum_elements(struct gtr_file_writer *writer, size_t tensor, const void *elements)
{
    if (writer->pending_crc != NULL)
        writer->pending_crc[tensor] = gtr_crc_bytes(0, elements, writer->kept_bytes[tensor]);
}

enum gtr_code gtr_writer_sum_row(struct gtr_file_writer *writer, const struct gtr_row *row,
                                 struct gtr_err *err)
{
    enum gtr_code rc;
    uint32_t crc;

    if (writer->crc == NULL)
        return GTR_OK;
    writer->last = *row->step;
    writer->values_crc = gtr_crc_values(row, writer->writer.n_tensors);
    crc = gtr_crc_row(row->step, writer->values_crc, writer->writer.n_tensors,
                      writer->writer.param_norms);
    rc = gtr_h5_sheet_append(writer->crc, &crc, err);
    if (rc == GTR_OK && writer->writer.n_pending > 0)
        rc = gtr_h5_sheet_append(writer->elements_crc, writer->pending_crc, err);
    return rc;
}

void gtr_writer_sum_amended(struct gtr_file_writer *writer, double applied_scale, bool skipped)
{
    uint32_t crc;

    if (writer->crc == NULL)
        return;
    writer->last.applied_scale = applied_scale;
    writer->last.skipped = skipped;
    crc = gtr_crc_row(&writer->last, writer->values_crc, writer->writer.n_tensors,
                      writer->writer.param_norms);
    memcpy(gtr_h5_sheet_last(writer->crc), &crc, sizeof crc);
}

enum gtr_code gtr_writer_cut_checksums(struct gtr_file_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = gtr_h5_sheet_cut(writer->crc, writer->writer.n_steps, err);

    return rc == GTR_OK ? gtr_h5_sheet_cut(writer->elements_crc, writer->n_captures, err) : rc;
}

enum gtr_code gtr_writer_close_checksums(struct gtr_file_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = gtr_h5_sheet_close(writer->crc, err), one;

    one = gtr_h5_sheet_close(writer->elements_crc, err);
    gtr_free(writer->pending_crc);
    gtr_free(writer->kept_bytes);
    return rc == GTR_OK ? one : rc;
}
