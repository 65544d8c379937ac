/* trace_write_open.c - what a trace file is made of when it is opened: the head, and empty sheets.
 *
 * A row of /grad/<i> is one capture of a tensor.  A large tensor's row is several chunks, which are
 * deflated on several threads; a small one waits until several captures fill a chunk.
 */
#include <stdio.h>

#include "alloc.h"
#include "trace_write_private.h"

enum {
    CHUNK_BYTES = 1 << 18,   /* of a norm matrix */
    SEGMENT_CHUNK_ROWS = 32, /* segments may be short */
    CHUNK_ROWS_MAX = 1024,
    PLAN_MIN = 64, /* fewer planned steps than this say nothing about a good chunk */
    ELEMENT_CHUNK_BYTES = 1 << 20,
    CAPTURES_BYTES =
        1 << 16, /* small tensors: as many captures to a chunk, or codes cost too much */
    CAPTURES_MAX = 64,
    CAPTURE_ROWS = 1024,   /* of /grad/step */
    CAPTURE_CRC_ROWS = 64, /* of /grad/crc */
    BLOCK = 1024           /* elements: of a sum of squares and of a sample */
};

/* Rows to a chunk.  A chunk is stored whole, so if the plan is known it is cut into equal ones:
 * the last is then full as well. */
static size_t rows_of_chunk(const struct gtr_file_writer *writer, size_t row_bytes, int64_t planned)
{
    size_t most = CHUNK_BYTES / row_bytes, n_chunks;

    most = most < 1 ? 1 : most > CHUNK_ROWS_MAX ? CHUNK_ROWS_MAX : most;
    if (writer->is_segment)
        return most < SEGMENT_CHUNK_ROWS ? most : SEGMENT_CHUNK_ROWS;
    if (planned < PLAN_MIN)
        return most;
    n_chunks = ((size_t)planned + most - 1) / most;
    return ((size_t)planned + n_chunks - 1) / n_chunks;
}

static enum gtr_code make_step_sheets(struct gtr_file_writer *writer, int64_t planned,
                                      struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .chunk_rows =
                                            rows_of_chunk(writer, sizeof(double), planned) };
    enum gtr_code rc;
    size_t i;

    rc = gtr_h5_make_group(writer->h5, "/step", err);
    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        if (i != STEP_REST)
            rc = gtr_h5_sheet_new(writer->h5, gtr_step_columns[i].name, gtr_step_columns[i].type,
                                  &shape, &writer->step[i], err);
    return rc;
}

enum gtr_code gtr_file_writer_make_rest(struct gtr_file_writer *writer, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .chunk_rows = rows_of_chunk(writer, sizeof(double), 0),
                                        .sparse = true };
    const double none = 0.0;
    enum gtr_code rc =
        gtr_h5_sheet_new(writer->h5, gtr_step_columns[STEP_REST].name,
                         gtr_step_columns[STEP_REST].type, &shape, &writer->step[STEP_REST], err);
    size_t t;

    for (t = 0; rc == GTR_OK && t < writer->writer.n_steps; t++)
        rc = gtr_h5_sheet_append(writer->step[STEP_REST], &none, err);
    return rc;
}

static enum gtr_code make_norm_sheets(struct gtr_file_writer *writer, int64_t planned,
                                      struct gtr_err *err)
{
    size_t rows = rows_of_chunk(writer, writer->writer.n_tensors * sizeof(double), planned), i;
    enum gtr_code rc;

    rc = gtr_h5_make_group(writer->h5, "/norm", err);
    if (rc == GTR_OK && writer->writer.nan_counts)
        rc = gtr_alloc_for(&writer->no_nan, writer->writer.n_tensors, sizeof *writer->no_nan,
                           "tensors", err);
    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++) {
        /* Norms are noise to deflate, counts nearly always zero. */
        const struct gtr_h5_shape shape = { .cols = writer->writer.n_tensors,
                                            .chunk_rows = rows,
                                            .deflate = i == GTR_NONFINITE || i == GTR_NAN,
                                            .sparse = i == GTR_NONFINITE || i == GTR_NAN };

        if ((i == GTR_PARAM_SUMSQ && !writer->writer.param_norms) ||
            (i == GTR_NAN && !writer->writer.nan_counts))
            continue;
        rc = gtr_h5_sheet_new(writer->h5, gtr_norm_datasets[i].name, gtr_norm_datasets[i].type,
                              &shape, &writer->norm[i], err);
    }
    return rc;
}

/* --- elements --------------------------------------------------------------------------------- */

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

static enum gtr_code make_elements(struct gtr_file_writer *writer, const struct gtr_head *head,
                                   const struct gtr_writer_options *options, struct gtr_err *err)
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

/* --- checksums -------------------------------------------------------------------------------- */

static enum gtr_code make_elements_crc(struct gtr_file_writer *writer, const struct gtr_head *head,
                                       const struct gtr_sample *sampling, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .cols = head->n_tensors, .chunk_rows = CAPTURE_CRC_ROWS };
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

static enum gtr_code make_checksums(struct gtr_file_writer *writer, const struct gtr_head *head,
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

/* --- the head --------------------------------------------------------------------------------- */

static enum gtr_code write_attributes(struct gtr_h5 *h5, const struct gtr_head *head,
                                      struct gtr_err *err)
{
    const struct {
        const char *name;
        int64_t value;
    } integers[] = { { "format_version", GTR_FORMAT_VERSION },
                     { "rank", head->rank },
                     { "world_size", head->world_size },
                     { "total_steps", head->total_steps } };
    enum gtr_code rc = gtr_h5_set_text(h5, "/", "format", "gradtrace", err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_HEAD_TEXTS; i++) {
        const char *text = *gtr_head_text(head, i);

        if (text != NULL)
            rc = gtr_h5_set_text(h5, "/", gtr_head_text_names[i], text, err);
    }
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(integers); i++)
        rc = gtr_h5_set_integer(h5, "/", integers[i].name, integers[i].value, err);
    return rc;
}

static const char *text_of(const struct gtr_tensor *tensor, size_t what)
{
    const char *const texts[TEXT_COUNT] = { [TEXT_NAME] = tensor->name,
                                            [TEXT_SHAPE] = tensor->shape,
                                            [TEXT_DTYPE] = gtr_dtype_name(tensor->dtype),
                                            [TEXT_GROUP] = tensor->param_group != NULL
                                                               ? tensor->param_group
                                                               : "" };

    return texts[what];
}

static enum gtr_code write_texts(struct gtr_h5 *h5, const struct gtr_head *head, size_t what,
                                 struct gtr_err *err)
{
    enum gtr_code rc;
    const char **texts;
    size_t i;

    rc = gtr_alloc_for(&texts, head->n_tensors, sizeof *texts, "names", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < head->n_tensors; i++)
        texts[i] = text_of(&head->tensors[i], what);
    rc = gtr_h5_write_strings(h5, gtr_tensor_texts[what], texts, head->n_tensors, err);
    gtr_free(texts);
    return rc;
}

static bool has_param_groups(const struct gtr_head *head)
{
    size_t i;

    for (i = 0; i < head->n_tensors; i++)
        if (head->tensors[i].param_group != NULL)
            return true;
    return false;
}

static enum gtr_code write_tensors(struct gtr_h5 *h5, const struct gtr_head *head,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n = head->n_tensors, i;
    uint64_t *numel = NULL;

    rc = gtr_alloc_for(&numel, n, sizeof *numel, "sizes", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n; i++)
        numel[i] = head->tensors[i].numel;
    rc = gtr_h5_make_group(h5, "/param", err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_vector(h5, "/param/numel", GTR_H5_U64, numel, n, err);
    for (i = 0; rc == GTR_OK && i < TEXT_COUNT; i++)
        if (i != TEXT_GROUP || has_param_groups(head))
            rc = write_texts(h5, head, i, err);
    gtr_free(numel);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Everything but the file's name, which is chosen already. */
enum gtr_code gtr_file_writer_make(struct gtr_file_writer *writer, const struct gtr_head *head,
                                   const struct gtr_writer_options *options, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_h5_create(gtr_outfile_name(&writer->file), writer->file.path, &writer->h5, err);

    if (rc == GTR_OK)
        rc = write_attributes(writer->h5, head, err);
    if (rc == GTR_OK)
        rc = write_tensors(writer->h5, head, err);
    if (rc == GTR_OK)
        rc = make_step_sheets(writer, head->total_steps, err);
    if (rc == GTR_OK)
        rc = make_norm_sheets(writer, head->total_steps, err);
    if (rc == GTR_OK && options->elements)
        rc = make_elements(writer, head, options, err);
    if (rc == GTR_OK && (options->checksums || writer->is_segment))
        rc = make_checksums(writer, head, options,
                            rows_of_chunk(writer, sizeof(double), head->total_steps), err);
    return rc;
}
