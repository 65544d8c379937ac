/* trace_write.c - a trace file, version 1, row by row.
 *
 * The file has a temporary name until it is closed, so a trace that has its name is whole.
 */
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "trace_write_private.h"

static struct gtr_file_writer *file_of(struct gtr_writer *writer)
{
    return (struct gtr_file_writer *)writer;
}

/* --- a checksum beside each row and each capture, if they are kept ---------------------------- */

static void sum_elements(struct gtr_file_writer *writer, size_t tensor, const void *elements)
{
    if (writer->pending_crc != NULL)
        writer->pending_crc[tensor] = gtr_crc_bytes(0, elements, writer->kept_bytes[tensor]);
}

static enum gtr_code sum_row(struct gtr_file_writer *writer, const struct gtr_row *row,
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

static void sum_amended(struct gtr_file_writer *writer, double applied_scale, bool skipped)
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

/* --- steps ------------------------------------------------------------------------------------ */

static enum gtr_code append_step(struct gtr_file_writer *writer, const struct gtr_step *step,
                                 struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (step->rest != 0.0 && writer->step[STEP_REST] == NULL)
        rc = gtr_file_writer_make_rest(writer, err);
    for (i = 0; rc == GTR_OK && i < STEP_COUNT; i++)
        if (writer->step[i] != NULL)
            rc = gtr_h5_sheet_append(writer->step[i], (const char *)step + gtr_step_columns[i].at,
                                     err);
    return rc;
}

static enum gtr_code append(struct gtr_writer *base, const struct gtr_row *row, struct gtr_err *err)
{
    struct gtr_file_writer *writer = file_of(base);
    const void *values[GTR_NORM_COUNT] = { [GTR_SUMSQ] = row->sumsq,
                                           [GTR_MAXABS] = row->maxabs,
                                           [GTR_NONFINITE] = row->nonfinite,
                                           [GTR_PARAM_SUMSQ] = row->param_sumsq,
                                           [GTR_NAN] =
                                               base->nan != NULL ? base->nan : writer->no_nan };
    enum gtr_code rc = append_step(writer, row->step, err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_NORM_COUNT; i++)
        if (writer->norm[i] != NULL)
            rc = gtr_h5_sheet_append(writer->norm[i], values[i], err);
    if (rc == GTR_OK)
        rc = sum_row(writer, row, err);
    if (rc == GTR_OK && base->n_pending > 0) {
        const int64_t at = (int64_t)base->n_steps;

        rc = gtr_h5_sheet_append(writer->capture_rows, &at, err);
    }
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
    sum_amended(writer, applied_scale, skipped);
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
        sum_elements(writer, tensor, elements);
    return rc;
}

static enum gtr_code stopped(struct gtr_writer *base, const char *why, struct gtr_err *err)
{
    return gtr_head_set(&file_of(base)->stopped, why, err);
}

static enum gtr_code know(struct gtr_writer *base, const struct gtr_late *late, struct gtr_err *err)
{
    (void)err;
    file_of(base)->late = *late;
    return GTR_OK;
}

/* --- the end ---------------------------------------------------------------------------------- */

static size_t count_sheets(const struct gtr_file_writer *writer)
{
    return STEP_COUNT + GTR_NORM_COUNT + 3 +
           (writer->elements != NULL ? writer->writer.n_tensors : 0);
}

/* All sheets in the order in which they are closed; NULL: not there.  *rows gets how many of its
 * rows are of whole steps. */
static struct gtr_h5_sheet *sheet_at(const struct gtr_file_writer *writer, size_t i, size_t *rows)
{
    size_t n = count_sheets(writer), first = STEP_COUNT + GTR_NORM_COUNT;

    *rows = i < first || i == n - 2 ? writer->writer.n_steps : writer->n_captures;
    if (i < first)
        return i < STEP_COUNT ? writer->step[i] : writer->norm[i - STEP_COUNT];
    if (i == first)
        return writer->capture_rows;
    if (i < n - 2)
        return writer->elements[i - first - 1];
    return i == n - 2 ? writer->crc : writer->elements_crc;
}

/* Closes all sheets and the file; the first failure is told. */
static enum gtr_code close_all(struct gtr_file_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK, one;
    size_t i, rows;

    for (i = 0; i < count_sheets(writer); i++) {
        one = gtr_h5_sheet_close(sheet_at(writer, i, &rows), err);
        rc = rc == GTR_OK ? one : rc;
    }
    one = gtr_h5_close(writer->h5, err);
    gtr_free(writer->elements);
    gtr_free(writer->pending_crc);
    gtr_free(writer->no_nan);
    gtr_free(writer->kept_bytes);
    return rc == GTR_OK ? one : rc;
}

/* Back to the last whole step: what was written of the one after it would make the sheets differ
 * in length. */
static enum gtr_code cut_all(struct gtr_file_writer *writer, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i, rows;

    for (i = 0; rc == GTR_OK && i < count_sheets(writer); i++) {
        struct gtr_h5_sheet *sheet = sheet_at(writer, i, &rows);

        rc = gtr_h5_sheet_cut(sheet, rows, err);
    }
    return rc;
}

/* Instead of what was written when the file was new. */
static enum gtr_code write_late(struct gtr_file_writer *writer, struct gtr_err *err)
{
    const struct gtr_late *late = &writer->late;
    enum gtr_code rc;

    if (late->grad_state == NULL)
        return GTR_OK;
    rc = gtr_h5_set_text(writer->h5, "/", "grad_state", late->grad_state, err);
    if (rc == GTR_OK)
        rc = gtr_h5_set_integer(writer->h5, "/", "total_steps", late->total_steps, err);
    if (rc == GTR_OK && late->total_steps_from != NULL)
        rc = gtr_h5_set_text(writer->h5, "/", "total_steps_from", late->total_steps_from, err);
    return rc;
}

enum gtr_code gtr_file_writer_go_on(struct gtr_writer *base, const char *spared,
                                    struct gtr_err *err)
{
    struct gtr_file_writer *writer = file_of(base);
    enum gtr_code rc;

    if (spared != NULL)
        gtr_h5_go_on(writer->h5);
    else
        gtr_h5_finish(writer->h5);
    base->failure = (struct gtr_err){ 0 };
    rc = cut_all(writer, err);
    base->n_pending = 0;
    if (rc == GTR_OK && spared != NULL && base->has_elements) {
        base->has_elements = false;
        rc = gtr_head_set(&writer->spared, spared, err);
    }
    return rc;
}

static void writer_free(struct gtr_file_writer *writer)
{
    gtr_free(writer->spared);
    gtr_free(writer->stopped);
    gtr_free(writer);
}

static enum gtr_code close_file(struct gtr_writer *base, struct gtr_err *err)
{
    struct gtr_file_writer *writer = file_of(base);
    const size_t n_steps = base->n_steps;
    enum gtr_code rc = GTR_OK, closed;

    gtr_h5_finish(writer->h5);
    /* Sheets may hold parts of a step. */
    if (base->failure.code != GTR_OK || base->n_pending > 0)
        rc = cut_all(writer, err);
    if (rc == GTR_OK)
        rc = write_late(writer, err);
    if (rc == GTR_OK && writer->spared != NULL)
        rc = gtr_h5_set_text(writer->h5, "/", "elements_stopped", writer->spared, err);
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
    if (writer->n_kept != NULL)
        *writer->n_kept = rc == GTR_OK ? n_steps : 0;
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

/* A segment is under no name until it is whole, and the folder is its writer's alone. */
static enum gtr_code name_segment(struct gtr_outfile *file, const char *path, struct gtr_err *err)
{
    enum gtr_code rc = gtr_format(&file->path, path, err, "%s", path);

    file->force = true;
    return rc == GTR_OK ? gtr_format(&file->temporary, path, err, "%s.tmp", path) : rc;
}

enum gtr_code gtr_file_writer_open(const char *path, const struct gtr_head *head,
                                   const struct gtr_writer_options *options, int64_t first_row,
                                   struct gtr_writer **out, struct gtr_err *err)
{
    static const struct gtr_writer_form form = { .append = append,
                                                 .amend = amend,
                                                 .elements = add_elements,
                                                 .stopped = stopped,
                                                 .know = know,
                                                 .close = close_file,
                                                 .abandon = abandon };
    struct gtr_file_writer *writer;
    enum gtr_code rc = gtr_alloc_for(&writer, 1, sizeof *writer, "writers", err);

    if (rc != GTR_OK)
        return rc;
    gtr_writer_init(&writer->writer, &form, head, options);
    writer->dropped_captures = options->dropped_captures;
    writer->n_kept = options->n_kept;
    writer->is_segment = first_row >= 0;
    rc = first_row != GTR_FILE_ALONE ? name_segment(&writer->file, path, err)
                                     : gtr_outfile_begin(&writer->file, path, options->force, err);
    if (rc == GTR_OK)
        rc = gtr_file_writer_make(writer, head, options, err);
    if (rc == GTR_OK && writer->is_segment)
        rc = gtr_h5_set_integer(writer->h5, "/", "first_row", first_row, err);
    if (rc != GTR_OK) {
        abandon(&writer->writer);
        return rc;
    }
    *out = &writer->writer;
    return GTR_OK;
}

size_t gtr_segment_writer_kept_bytes(const struct gtr_writer *writer, size_t tensor)
{
    const size_t *bytes = ((const struct gtr_file_writer *)writer)->kept_bytes;

    return bytes != NULL ? bytes[tensor] : 0;
}
