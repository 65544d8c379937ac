/* trace_write.c - a trace file, version 1, row by row.
 *
 * The file has a temporary name until it is closed, so a trace that has its name is whole.
 */
#define _GNU_SOURCE
#include "trace.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "h5.h"
#include "trace_write_private.h"

enum {
    CHUNK_BYTES = 1 << 18,   /* of a norm matrix */
    SEGMENT_CHUNK_ROWS = 32, /* segments may be short */
    CHUNK_ROWS_MAX = 1024,
    PLAN_MIN = 64 /* fewer planned steps than this say nothing about a good chunk */
};

static const struct {
    const char *name;
    enum gtr_h5_type type;
} step_columns[STEP_COUNT] = {
    [STEP_INDEX] = { "/step/index", GTR_H5_I64 },
    [STEP_LOSS] = { "/step/loss", GTR_H5_F64 },
    [STEP_LR] = { "/step/lr", GTR_H5_F64 },
    [STEP_TIME] = { "/step/time", GTR_H5_F64 },
    [STEP_SCALE] = { "/step/applied_scale", GTR_H5_F64 },
    [STEP_SKIPPED] = { "/step/skipped", GTR_H5_U8 },
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
        rc = gtr_h5_sheet_new(writer->h5, step_columns[i].name, step_columns[i].type, &shape,
                              &writer->step[i], err);
    return rc;
}

static enum gtr_code make_norm_sheets(struct gtr_file_writer *writer, int64_t planned,
                                      struct gtr_err *err)
{
    /* Norms are noise to deflate, counts nearly always zero. */
    static const struct {
        const char *name;
        enum gtr_h5_type type;
        bool counts;
    } norms[GTR_NORM_COUNT] = {
        [GTR_SUMSQ] = { "/norm/sumsq", GTR_H5_F64, false },
        [GTR_MAXABS] = { "/norm/maxabs", GTR_H5_F32, false },
        [GTR_NONFINITE] = { "/norm/nonfinite", GTR_H5_U64, true },
        [GTR_PARAM_SUMSQ] = { "/norm/param_sumsq", GTR_H5_F64, false },
    };
    size_t rows = rows_of_chunk(writer, writer->writer.n_tensors * sizeof(double), planned), i;
    enum gtr_code rc;

    rc = gtr_h5_make_group(writer->h5, "/norm", err);
    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++) {
        const struct gtr_h5_shape shape = { .cols = writer->writer.n_tensors,
                                            .chunk_rows = rows,
                                            .deflate = norms[i].counts,
                                            .sparse = norms[i].counts };

        if (i == GTR_PARAM_SUMSQ && !writer->writer.param_norms)
            continue;
        rc = gtr_h5_sheet_new(writer->h5, norms[i].name, norms[i].type, &shape, &writer->norm[i],
                              err);
    }
    return rc;
}

/* Everything but the file's name, which is chosen already. */
static enum gtr_code make_all(struct gtr_file_writer *writer, const struct gtr_head *head,
                              const struct gtr_writer_options *options, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_h5_create(gtr_outfile_name(&writer->file), writer->file.path, &writer->h5, err);

    if (rc == GTR_OK)
        rc = gtr_writer_write_head(writer->h5, head, err);
    if (rc == GTR_OK)
        rc = make_step_sheets(writer, head->total_steps, err);
    if (rc == GTR_OK)
        rc = make_norm_sheets(writer, head->total_steps, err);
    if (rc == GTR_OK && options->elements)
        rc = gtr_writer_make_elements(writer, head, options, err);
    if (rc == GTR_OK && (options->checksums || writer->is_segment))
        rc = gtr_writer_make_checksums(
            writer, head, options, rows_of_chunk(writer, sizeof(double), head->total_steps), err);
    return rc;
}

/* --- steps ------------------------------------------------------------------------------------ */

static struct gtr_file_writer *file_of(struct gtr_writer *writer)
{
    return (struct gtr_file_writer *)writer;
}

static enum gtr_code append_step(struct gtr_file_writer *writer, const struct gtr_step *step,
                                 struct gtr_err *err)
{
    const uint8_t skipped = step->skipped;
    const void *values[STEP_COUNT] = {
        [STEP_INDEX] = &step->index, [STEP_LOSS] = &step->loss,           [STEP_LR] = &step->lr,
        [STEP_TIME] = &step->time,   [STEP_SCALE] = &step->applied_scale, [STEP_SKIPPED] = &skipped
    };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        rc = gtr_h5_sheet_append(writer->step[i], values[i], err);
    return rc;
}

static enum gtr_code append(struct gtr_writer *base, const struct gtr_row *row, struct gtr_err *err)
{
    struct gtr_file_writer *writer = file_of(base);
    const void *values[GTR_NORM_COUNT] = { [GTR_SUMSQ] = row->sumsq,
                                           [GTR_MAXABS] = row->maxabs,
                                           [GTR_NONFINITE] = row->nonfinite,
                                           [GTR_PARAM_SUMSQ] = row->param_sumsq };
    enum gtr_code rc = append_step(writer, row->step, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++)
        if (writer->norm[i] != NULL)
            rc = gtr_h5_sheet_append(writer->norm[i], values[i], err);
    if (rc == GTR_OK)
        rc = gtr_writer_sum_row(writer, row, err);
    if (rc == GTR_OK && base->n_pending > 0) {
        const int64_t at = (int64_t)base->n_steps;

        rc = gtr_h5_sheet_append(writer->capture_rows, &at, err);
    }
    writer->broken = writer->broken || rc != GTR_OK;
    writer->n_captures += rc == GTR_OK && base->n_pending > 0;
    return rc;
}

static enum gtr_code amend(struct gtr_writer *base, double applied_scale, bool skipped,
                           struct gtr_err *err)
{
    struct gtr_file_writer *writer = file_of(base);
    const uint8_t flag = skipped;

    (void)err;
    memcpy(gtr_h5_sheet_last(writer->step[STEP_SCALE]), &applied_scale, sizeof applied_scale);
    memcpy(gtr_h5_sheet_last(writer->step[STEP_SKIPPED]), &flag, sizeof flag);
    gtr_writer_sum_amended(writer, applied_scale, skipped);
    return GTR_OK;
}

static enum gtr_code add_elements(struct gtr_writer *base, size_t tensor, const void *elements,
                                  struct gtr_err *err)
{
    struct gtr_file_writer *writer = file_of(base);
    enum gtr_code rc = GTR_OK;

    if (writer->elements[tensor] != NULL)
        rc = gtr_h5_sheet_append(writer->elements[tensor], elements, err);
    if (rc == GTR_OK)
        gtr_writer_sum_elements(writer, tensor, elements);
    else
        writer->broken = true;
    return rc;
}

static enum gtr_code stopped(struct gtr_writer *base, const char *why, struct gtr_err *err)
{
    return gtr_head_set(&file_of(base)->stopped, why, err);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Closes all sheets and the file; the first failure is told. */
static enum gtr_code close_all(struct gtr_file_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK, one;
    size_t i;

    for (i = 0; i < STEP_COUNT; i++) {
        one = gtr_h5_sheet_close(writer->step[i], err);
        rc = rc == GTR_OK ? one : rc;
    }
    for (i = 0; i < GTR_NORM_COUNT; i++) {
        one = gtr_h5_sheet_close(writer->norm[i], err);
        rc = rc == GTR_OK ? one : rc;
    }
    one = gtr_h5_sheet_close(writer->capture_rows, err);
    rc = rc == GTR_OK ? one : rc;
    for (i = 0; writer->elements != NULL && i < writer->writer.n_tensors; i++) {
        one = gtr_h5_sheet_close(writer->elements[i], err);
        rc = rc == GTR_OK ? one : rc;
    }
    one = gtr_writer_close_checksums(writer, err);
    rc = rc == GTR_OK ? one : rc;
    one = gtr_h5_close(writer->h5, err);
    gtr_free(writer->elements);
    return rc == GTR_OK ? one : rc;
}

/* Back to the last whole step: what was written of the one after it would make the sheets differ
 * in length. */
static enum gtr_code cut_all(struct gtr_file_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        rc = gtr_h5_sheet_cut(writer->step[i], writer->writer.n_steps, err);
    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++)
        rc = gtr_h5_sheet_cut(writer->norm[i], writer->writer.n_steps, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_cut(writer->capture_rows, writer->n_captures, err);
    for (i = 0; rc == GTR_OK && writer->elements != NULL && i < writer->writer.n_tensors; i++)
        rc = gtr_h5_sheet_cut(writer->elements[i], writer->n_captures, err);
    return rc == GTR_OK ? gtr_writer_cut_checksums(writer, err) : rc;
}

static void writer_free(struct gtr_file_writer *writer)
{
    gtr_free(writer->stopped);
    gtr_free(writer);
}

static enum gtr_code close_file(struct gtr_writer *base, struct gtr_err *err)
{
    struct gtr_file_writer *writer = file_of(base);
    enum gtr_code rc = GTR_OK, closed;

    if (writer->broken || base->n_pending > 0)
        rc = cut_all(writer, err);
    if (rc == GTR_OK && writer->stopped != NULL)
        rc = gtr_h5_set_text(writer->h5, "/", "stopped", writer->stopped, err);
    if (rc == GTR_OK && writer->dropped_captures != NULL && *writer->dropped_captures > 0)
        rc = gtr_h5_set_integer(writer->h5, "/", "dropped_captures",
                                (int64_t)*writer->dropped_captures, err);
    closed = close_all(writer, err);
    rc = rc == GTR_OK ? closed : rc;
    if (rc == GTR_OK)
        rc = gtr_outfile_commit(&writer->file, err);
    else
        gtr_outfile_abandon(&writer->file);
    writer_free(writer);
    return rc;
}

static void abandon(struct gtr_writer *base)
{
    struct gtr_file_writer *writer = file_of(base);

    close_all(writer, NULL);
    gtr_outfile_abandon(&writer->file);
    writer_free(writer);
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum gtr_code writer_new(const struct gtr_head *head,
                                const struct gtr_writer_options *options,
                                struct gtr_file_writer **writer, struct gtr_err *err)
{
    static const struct gtr_writer_form form = { .append = append,
                                                 .amend = amend,
                                                 .elements = add_elements,
                                                 .stopped = stopped,
                                                 .close = close_file,
                                                 .abandon = abandon };
    enum gtr_code rc = gtr_alloc_for(writer, 1, sizeof **writer, "writers", err);

    if (rc != GTR_OK)
        return rc;
    gtr_writer_init(&(*writer)->writer, &form, head, options);
    (*writer)->dropped_captures = options->dropped_captures;
    return GTR_OK;
}

enum gtr_code gtr_file_writer_open(const char *path, const struct gtr_head *head,
                                   const struct gtr_writer_options *options,
                                   struct gtr_writer **out, struct gtr_err *err)
{
    struct gtr_file_writer *writer;
    enum gtr_code rc = writer_new(head, options, &writer, err);

    if (rc != GTR_OK)
        return rc;
    rc = gtr_outfile_begin(&writer->file, path, options->force, err);
    if (rc == GTR_OK)
        rc = make_all(writer, head, options, err);
    if (rc != GTR_OK) {
        abandon(&writer->writer);
        return rc;
    }
    *out = &writer->writer;
    return GTR_OK;
}

enum gtr_code gtr_segment_writer_open(const char *path, const struct gtr_head *head,
                                      const struct gtr_writer_options *options, uint64_t first_row,
                                      struct gtr_writer **out, struct gtr_err *err)
{
    size_t size = strlen(path) + sizeof ".tmp";
    struct gtr_file_writer *writer;
    enum gtr_code rc = writer_new(head, options, &writer, err);

    if (rc != GTR_OK)
        return rc;
    writer->is_segment = true;
    writer->file = (struct gtr_outfile){ .path = gtr_strdup(path), .force = true };
    if (writer->file.path == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory", path);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&writer->file.temporary, size, 1, "bytes", err);
    if (rc == GTR_OK) {
        snprintf(writer->file.temporary, size, "%s.tmp", path);
        rc = make_all(writer, head, options, err);
    }
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(writer->h5, "/", "first_row", (int64_t)first_row, err);
    if (rc != GTR_OK) {
        abandon(&writer->writer);
        return rc;
    }
    *out = &writer->writer;
    return GTR_OK;
}

size_t gtr_segment_writer_kept_bytes(const struct gtr_writer *writer, size_t tensor)
{
    return ((const struct gtr_file_writer *)writer)->kept_bytes[tensor];
}
