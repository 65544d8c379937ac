/* trace_write.c - a trace file, version 1, row by row.
 *
 * The file has a temporary name until it is closed, so a trace that has its name is whole.
 */
#define _GNU_SOURCE
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "h5.h"
#include "options.h"
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
static size_t rows_of_chunk(const struct gtr_writer *writer, size_t row_bytes, int64_t planned)
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

static enum gtr_code make_step_sheets(struct gtr_writer *writer, int64_t planned,
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

static enum gtr_code make_norm_sheets(struct gtr_writer *writer, int64_t planned,
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
    size_t rows = rows_of_chunk(writer, writer->n_tensors * sizeof(double), planned), i;
    enum gtr_code rc;

    rc = gtr_h5_make_group(writer->h5, "/norm", err);
    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++) {
        const struct gtr_h5_shape shape = { .cols = writer->n_tensors,
                                            .chunk_rows = rows,
                                            .deflate = norms[i].counts,
                                            .sparse = norms[i].counts };

        if (i == GTR_PARAM_SUMSQ && !writer->param_norms)
            continue;
        rc = gtr_h5_sheet_new(writer->h5, norms[i].name, norms[i].type, &shape, &writer->norm[i],
                              err);
    }
    return rc;
}

static enum gtr_code check_head(const char *path, const struct gtr_head *head,
                                const struct gtr_sample *sampling, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && sampling->fraction != 0.0 && i < head->n_tensors; i++)
        rc = gtr_sample_check(sampling, head->tensors[i].numel, err);
    if (rc != GTR_OK)
        return rc;
    if (head->n_tensors == 0)
        return gtr_fail(err, GTR_EUSAGE, "%s: a trace needs at least one tensor", path);
    if (strlen(head->meta) > GTR_META_MAX)
        return gtr_fail(err, GTR_EUSAGE, "%s: meta has %zu bytes, at most %d fit", path,
                        strlen(head->meta), GTR_META_MAX);
    return GTR_OK;
}

enum gtr_code gtr_writer_check_owner(const struct gtr_writer *writer, struct gtr_err *err)
{
    if (writer->owner == getpid())
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE,
                    "this trace is recorded by process %lld, and a process forked from it cannot "
                    "write to it",
                    (long long)writer->owner);
}

/* Everything but the file's name, which is chosen already. */
static enum gtr_code make_all(struct gtr_writer *writer, const struct gtr_head *head,
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

static enum gtr_code writer_new(const struct gtr_head *head,
                                const struct gtr_writer_options *options,
                                struct gtr_writer **writer, struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(writer, 1, sizeof **writer, "writers", err);

    if (rc != GTR_OK)
        return rc;
    (*writer)->owner = getpid();
    (*writer)->n_tensors = head->n_tensors;
    (*writer)->param_norms = options->param_norms;
    (*writer)->dropped_captures = options->dropped_captures;
    return GTR_OK;
}

void(gtr_writer_options_init)(struct gtr_writer_options *options, size_t size)
{
    gtr_options_init(options, size, &(struct gtr_writer_options){ .size = sizeof *options });
}

enum gtr_code gtr_writer_open(const char *path, const struct gtr_head *head,
                              const struct gtr_writer_options *asked, struct gtr_writer **out,
                              struct gtr_err *err)
{
    struct gtr_writer_options options;
    struct gtr_writer *writer = NULL;
    enum gtr_code rc;

    *out = NULL;
    gtr_writer_options_init(&options);
    rc = gtr_options_take(&options, asked, "gtr_writer_options", err);
    if (rc == GTR_OK)
        rc = check_head(path, head, &options.sampling, err);
    if (rc == GTR_OK)
        rc = writer_new(head, &options, &writer, err);
    if (rc == GTR_OK && gtr_segment_is_folder_name(path)) {
        rc = gtr_segments_open(path, head, &options, &writer->segments, err);
    } else if (rc == GTR_OK) {
        rc = gtr_outfile_begin(&writer->file, path, options.force, err);
        if (rc == GTR_OK)
            rc = make_all(writer, head, &options, err);
    }
    if (rc != GTR_OK) {
        gtr_writer_abandon(writer);
        return rc;
    }
    *out = writer;
    return GTR_OK;
}

enum gtr_code gtr_writer_open_segment(const char *path, const struct gtr_head *head,
                                      const struct gtr_writer_options *options, uint64_t first_row,
                                      struct gtr_writer **out, struct gtr_err *err)
{
    size_t size = strlen(path) + sizeof ".tmp";
    struct gtr_writer *writer = NULL;
    enum gtr_code rc;

    *out = NULL;
    rc = writer_new(head, options, &writer, err);
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
        gtr_writer_abandon(writer);
        return rc;
    }
    *out = writer;
    return GTR_OK;
}

static enum gtr_code append_step(struct gtr_writer *writer, const struct gtr_step *step,
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

enum gtr_code gtr_writer_append(struct gtr_writer *writer, const struct gtr_step *step,
                                const double *sumsq, const float *maxabs, const uint64_t *nonfinite,
                                const double *param_sumsq, struct gtr_err *err)
{
    const struct gtr_row row = { step, sumsq, maxabs, nonfinite,
                                 writer->param_norms ? param_sumsq : NULL };
    enum gtr_code rc = gtr_writer_check_owner(writer, err);

    if (rc != GTR_OK)
        return rc;
    if (writer->segments != NULL)
        return gtr_segments_append(writer->segments, &row, err);
    if (writer->n_steps > 0 && step->index <= writer->last_index)
        return gtr_fail(err, GTR_EUSAGE, "step %lld: does not come after step %lld",
                        (long long)step->index, (long long)writer->last_index);
    if (writer->n_pending > 0 && writer->n_pending < writer->n_tensors)
        return gtr_fail(err, GTR_EUSAGE, "step %lld: elements of %zu tensors, not of all %zu",
                        (long long)step->index, writer->n_pending, writer->n_tensors);
    rc = append_step(writer, step, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_append(writer->norm[GTR_SUMSQ], sumsq, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_append(writer->norm[GTR_MAXABS], maxabs, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_append(writer->norm[GTR_NONFINITE], nonfinite, err);
    if (rc == GTR_OK && writer->param_norms)
        rc = gtr_h5_sheet_append(writer->norm[GTR_PARAM_SUMSQ], param_sumsq, err);
    if (rc == GTR_OK)
        rc = gtr_writer_sum_row(writer, &row, err);
    if (rc == GTR_OK && writer->n_pending > 0) {
        const int64_t at = (int64_t)writer->n_steps;

        rc = gtr_h5_sheet_append(writer->capture_rows, &at, err);
    }
    if (rc != GTR_OK) {
        writer->broken = true;
        return rc;
    }
    writer->n_captures += writer->n_pending > 0;
    writer->n_pending = 0;
    writer->n_steps++;
    writer->last_index = step->index;
    return GTR_OK;
}

enum gtr_code gtr_writer_amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                               struct gtr_err *err)
{
    const uint8_t flag = skipped;
    enum gtr_code rc = gtr_writer_check_owner(writer, err);

    if (rc != GTR_OK)
        return rc;
    if (writer->segments != NULL)
        return gtr_segments_amend(writer->segments, applied_scale, skipped, err);
    if (writer->n_steps == 0)
        return gtr_fail(err, GTR_EUSAGE, "no step to amend");
    memcpy(gtr_h5_sheet_last(writer->step[STEP_SCALE]), &applied_scale, sizeof applied_scale);
    memcpy(gtr_h5_sheet_last(writer->step[STEP_SKIPPED]), &flag, sizeof flag);
    gtr_writer_sum_amended(writer, applied_scale, skipped);
    return GTR_OK;
}

struct gtr_journal_writer *gtr_writer_journal(struct gtr_writer *writer)
{
    return writer->segments != NULL ? gtr_segments_journal(writer->segments) : NULL;
}

enum gtr_code gtr_writer_settle(struct gtr_writer *writer, struct gtr_err *err)
{
    return writer->segments != NULL ? gtr_segments_settle(writer->segments, err) : GTR_OK;
}

/* Closes all sheets and the file; the first failure is told. */
static enum gtr_code close_all(struct gtr_writer *writer, struct gtr_err *err)
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
    for (i = 0; writer->elements != NULL && i < writer->n_tensors; i++) {
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
static enum gtr_code cut_all(struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        rc = gtr_h5_sheet_cut(writer->step[i], writer->n_steps, err);
    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++)
        rc = gtr_h5_sheet_cut(writer->norm[i], writer->n_steps, err);
    if (rc == GTR_OK)
        rc = gtr_h5_sheet_cut(writer->capture_rows, writer->n_captures, err);
    for (i = 0; rc == GTR_OK && writer->elements != NULL && i < writer->n_tensors; i++)
        rc = gtr_h5_sheet_cut(writer->elements[i], writer->n_captures, err);
    return rc == GTR_OK ? gtr_writer_cut_checksums(writer, err) : rc;
}

enum gtr_code gtr_writer_try(const char *path, int64_t rank, bool force, struct gtr_err *err)
{
    struct gtr_outfile file;
    enum gtr_code rc;

    if (gtr_segment_is_folder_name(path))
        return gtr_segments_try(path, rank, force, err);
    rc = gtr_outfile_begin(&file, path, force, err);
    if (rc == GTR_OK)
        gtr_outfile_abandon(&file);
    return rc;
}

enum gtr_code gtr_writer_stopped(struct gtr_writer *writer, const char *why, struct gtr_err *err)
{
    enum gtr_code rc = gtr_writer_check_owner(writer, err);

    if (rc != GTR_OK)
        return rc;
    return writer->segments != NULL ? gtr_segments_stopped(writer->segments, why, err)
                                    : gtr_head_set(&writer->stopped, why, err);
}

enum gtr_code gtr_writer_close(struct gtr_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = gtr_writer_check_owner(writer, err), closed;

    /* Of a forked child, nothing is freed: HDF5 would take it for the end of the file. */
    if (rc != GTR_OK)
        return rc;
    if (writer->segments != NULL) {
        rc = gtr_segments_close(writer->segments, err);
        gtr_free(writer);
        return rc;
    }
    if (writer->broken || writer->n_pending > 0)
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
    gtr_free(writer->stopped);
    gtr_free(writer);
    return rc;
}

void gtr_writer_abandon(struct gtr_writer *writer)
{
    if (writer == NULL || gtr_writer_check_owner(writer, NULL) != GTR_OK)
        return;
    if (writer->segments != NULL)
        gtr_segments_abandon(writer->segments);
    close_all(writer, NULL);
    gtr_outfile_abandon(&writer->file);
    gtr_free(writer->stopped);
    gtr_free(writer);
}
