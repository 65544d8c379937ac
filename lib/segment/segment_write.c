/* segment_write.c - record into a folder: segments, and the journal of the one that is open.
 *
 * At every moment a completed step is in a segment that has its name, or in the journal:
 *
 *     append    record to the journal, then row to the open segment
 *     rotate    close, sync and rename the segment; then a new journal, without the rows that the
 *               segment has, takes the old one's name.  Between the two a row is in both, and
 *               readers take the segment's.
 *
 * A step may be amended until the next one comes, so a segment is closed not when it is full but
 * when something else is to be written, or when the caller says that the step is settled.
 *
 * A recorder whose rows wait in a queue puts them into the journal from the thread that trains, as
 * soon as they are complete, and has them appended here later by another.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "outfile.h"
#include "segment_write_private.h"

enum { DEFAULT_SECONDS = 30 };
#define DEFAULT_BYTES (UINT64_C(256) << 20)

static struct segments *folder_of(struct gtr_writer *writer)
{
    return (struct segments *)writer;
}

/* --- segments --------------------------------------------------------------------------------- */

enum gtr_code gtr_segments_open(struct segments *segments, struct gtr_err *err)
{
    enum gtr_code rc;
    char *path;

    if (segments->open != NULL)
        return GTR_OK;
    rc = segments->file != NULL
             ? gtr_segment_rank_path(segments->place.folder, segments->head.rank, "h5", &path, err)
             : gtr_segment_path(segments->place.folder, segments->head.rank,
                                segments->writer.n_steps, &path, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_file_writer_open(path, &segments->head, &segments->options,
                              segments->file != NULL ? GTR_FILE_INSIDE
                                                     : (int64_t)segments->writer.n_steps,
                              &segments->open, err);
    gtr_free(path);
    segments->first_row = segments->writer.n_steps;
    segments->bytes = 0;
    segments->has_elements = false;
    segments->started = gtr_clock();
    return rc;
}

enum gtr_code gtr_segments_close(struct segments *segments, struct gtr_err *err)
{
    uint64_t end = segments->first_row + segments->open->n_steps;
    enum gtr_code rc;

    if (segments->late.grad_state != NULL)
        gtr_writer_know(segments->open, &segments->late, NULL);
    if (segments->stopped && segments->file != NULL)
        gtr_writer_stopped(segments->open, segments->head.stopped, NULL);
    rc = gtr_writer_close(segments->open, err);
    segments->open = NULL;
    if (rc != GTR_OK)
        return rc;
    segments->n_closed = end;
    segments->told = true;
    return GTR_OK;
}

/* Norms alone need no segments: they are in the journal, whose age does not matter. */
static bool is_due(const struct segments *segments)
{
    return segments->file == NULL && !segments->behind && segments->open != NULL &&
           segments->open->n_steps > 0 && segments->writer.n_pending == 0 &&
           (segments->bytes >= segments->options.segment_bytes ||
            (segments->has_elements &&
             gtr_clock() - segments->started >= segments->options.segment_seconds));
}

static enum gtr_code close_if_due(struct segments *segments, struct gtr_err *err)
{
    enum gtr_code rc;

    if (!is_due(segments))
        return GTR_OK;
    rc = gtr_segments_close(segments, err);
    if (rc == GTR_OK)
        rc = gtr_journal_restart(segments->journal, &segments->head, segments->n_closed, err);
    segments->synced = gtr_clock();
    return rc;
}

static enum gtr_code rotate_if_due(struct segments *segments, struct gtr_err *err)
{
    enum gtr_code rc = close_if_due(segments, err);

    return rc == GTR_OK ? gtr_segments_open(segments, err) : rc;
}

/* --- what becomes known ----------------------------------------------------------------------- */

static enum gtr_code know(struct gtr_writer *writer, const struct gtr_late *late,
                          struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    enum gtr_code rc = writer->ahead ? GTR_OK : gtr_journal_know(segments->journal, late, err);

    segments->late = *late;
    segments->told = false;
    if (rc == GTR_OK)
        rc = gtr_head_set(&segments->head.grad_state, late->grad_state, err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&segments->head.total_steps_from, late->total_steps_from, err);
    segments->head.total_steps = late->total_steps;
    return rc;
}

static enum gtr_code secure_know(struct gtr_writer *writer, const struct gtr_late *late,
                                 struct gtr_err *err)
{
    return gtr_journal_know(folder_of(writer)->journal, late, err);
}

static enum gtr_code settle(struct gtr_writer *writer, struct gtr_err *err)
{
    return close_if_due(folder_of(writer), err);
}

/* --- steps ------------------------------------------------------------------------------------ */

/* What a power failure takes is bounded by time, as what a kill takes of elements is. */
static enum gtr_code sync_if_due(struct segments *segments, struct gtr_err *err)
{
    double now = gtr_clock();

    if (segments->options.sync || now - segments->synced < segments->options.segment_seconds)
        return GTR_OK;
    segments->synced = now;
    return gtr_journal_sync(segments->journal, err);
}

static void count_dropped(struct segments *segments)
{
    const uint64_t *asked = segments->dropped_captures;

    segments->n_dropped = (asked != NULL ? *asked : 0) + segments->n_spared;
}

/* No room for elements, but perhaps for norms. */
static void spare(struct segments *segments, const struct gtr_err *failure)
{
    struct gtr_writer *writer = &segments->writer;

    if (writer->has_elements && writer->spared.code == GTR_OK) {
        writer->spared = *failure;
        segments->options.elements = false;
        gtr_journal_spare(segments->journal, failure->text, NULL);
    }
    segments->behind = segments->open == NULL ||
                       gtr_file_writer_go_on(segments->open, failure->text, NULL) != GTR_OK;
}

static enum gtr_code append_to_segment(struct segments *segments, const struct gtr_row *row,
                                       struct gtr_err *err)
{
    enum gtr_code rc = rotate_if_due(segments, err);

    return rc == GTR_OK ? gtr_writer_append(segments->open, row->step, row->sumsq, row->maxabs,
                                            row->nonfinite, row->param_sumsq, err)
                        : rc;
}

/* A row that is in the journal is safe: what cannot be written behind it is no failure, and is
 * tried once more, without elements. */
static enum gtr_code follow(struct segments *segments, const struct gtr_row *row,
                            struct gtr_err *err)
{
    struct gtr_err failure = { 0 };
    enum gtr_code rc;

    if (segments->behind)
        return GTR_OK;
    rc = append_to_segment(segments, row, &failure);
    if (rc != GTR_OK && !segments->writer.ahead)
        return gtr_err_again(&failure, err);
    if (rc != GTR_OK)
        spare(segments, &failure);
    if (rc != GTR_OK && !segments->behind)
        segments->behind = append_to_segment(segments, row, NULL) != GTR_OK;
    return GTR_OK;
}

static enum gtr_code append(struct gtr_writer *writer, const struct gtr_row *row,
                            struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    bool captured = writer->n_pending > 0;
    enum gtr_code rc = GTR_OK;

    if (!writer->ahead)
        rc = gtr_journal_append(segments->journal, row, err);
    if (rc == GTR_OK)
        rc = follow(segments, row, err);
    if (rc == GTR_OK)
        rc = sync_if_due(segments, err);
    segments->bytes += GTR_STEP_BYTES + gtr_row_bytes(writer->n_tensors, writer->param_norms);
    segments->n_spared += captured && writer->spared.code != GTR_OK;
    segments->has_elements = segments->has_elements || (captured && writer->spared.code == GTR_OK);
    count_dropped(segments);
    return rc;
}

static enum gtr_code amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                           struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    enum gtr_code rc = GTR_OK;

    if (writer->n_steps == segments->n_closed)
        return gtr_fail(err, GTR_EUSAGE,
                        "the last step can be amended until elements of the next are given");
    if (!writer->ahead)
        rc = gtr_journal_amend(segments->journal, applied_scale, skipped, err);
    if (rc == GTR_OK && segments->behind)
        return rc;
    return rc == GTR_OK ? gtr_writer_amend(segments->open, applied_scale, skipped, err) : rc;
}

static enum gtr_code add_elements(struct gtr_writer *writer, size_t tensor, const void *elements,
                                  struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    struct gtr_err failure = { 0 };
    enum gtr_code rc;

    if (writer->spared.code != GTR_OK || segments->behind)
        return GTR_OK;
    rc = rotate_if_due(segments, &failure);
    if (rc == GTR_OK)
        rc = gtr_writer_elements(segments->open, tensor, elements, &failure);
    if (rc == GTR_OK)
        segments->bytes += gtr_segment_writer_kept_bytes(segments->open, tensor);
    else if (!writer->ahead || rc == GTR_EUSAGE)
        return gtr_err_again(&failure, err);
    else
        spare(segments, &failure);
    return GTR_OK;
}

static enum gtr_code stopped(struct gtr_writer *writer, const char *why, struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    enum gtr_code rc = gtr_head_set(&segments->head.stopped, why, err);

    if (rc == GTR_OK)
        rc = gtr_journal_stop(segments->journal, why, err);
    segments->stopped = segments->head.stopped != NULL;
    return rc;
}

static enum gtr_code secure(struct gtr_writer *writer, const struct gtr_row *row,
                            struct gtr_err *err)
{
    return gtr_journal_append(folder_of(writer)->journal, row, err);
}

static enum gtr_code secure_amend(struct gtr_writer *writer, double applied_scale, bool skipped,
                                  struct gtr_err *err)
{
    return gtr_journal_amend(folder_of(writer)->journal, applied_scale, skipped, err);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void segments_free(struct segments *segments)
{
    gtr_journal_close(segments->journal);
    gtr_place_leave(&segments->place);
    gtr_head_free(&segments->head);
    gtr_free(segments->file);
    gtr_free(segments);
}

static enum gtr_code close_folder(struct gtr_writer *writer, struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    uint64_t n_kept = 0;
    enum gtr_code rc = gtr_segments_end(segments, &n_kept, err);

    if (rc == GTR_OK)
        rc = gtr_place_finish(&segments->place, err);
    else if (segments->place.name != NULL)
        gtr_place_clear(&segments->place, NULL);
    if (segments->options.n_kept != NULL)
        *segments->options.n_kept = n_kept;
    segments_free(segments);
    return rc;
}

static void abandon(struct gtr_writer *writer)
{
    struct segments *segments = folder_of(writer);

    gtr_writer_abandon(segments->open);
    gtr_place_clear(&segments->place, NULL);
    segments_free(segments);
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum gtr_code start_journal(struct segments *segments, struct gtr_err *err)
{
    char *path;
    enum gtr_code rc =
        gtr_segment_rank_path(segments->place.folder, segments->head.rank, "journal", &path, err);

    if (rc == GTR_OK)
        rc = gtr_journal_create(path, &segments->head, segments->options.param_norms, 0,
                                segments->options.sync, &segments->journal, err);
    gtr_free(path);
    segments->synced = gtr_clock();
    return rc;
}

enum gtr_code gtr_folder_writer_open(const char *folder, const struct gtr_head *head,
                                     const struct gtr_writer_options *options,
                                     struct gtr_writer **out, struct gtr_err *err)
{
    return gtr_single_writer_open(folder, NULL, head, options, out, err);
}

enum gtr_code gtr_single_writer_open(const char *folder, const char *path,
                                     const struct gtr_head *head,
                                     const struct gtr_writer_options *options,
                                     struct gtr_writer **out, struct gtr_err *err)
{
    static const struct gtr_writer_form form = { .append = append,
                                                 .amend = amend,
                                                 .elements = add_elements,
                                                 .stopped = stopped,
                                                 .know = know,
                                                 .close = close_folder,
                                                 .abandon = abandon,
                                                 .secure = secure,
                                                 .secure_amend = secure_amend,
                                                 .secure_know = secure_know,
                                                 .settle = settle };
    struct segments *segments;
    enum gtr_code rc;

    if (head->rank < 0 || !(options->segment_seconds >= 0.0))
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: rank %" PRId64 ", segment_seconds %g; must be 0 or more", folder,
                        head->rank, options->segment_seconds);
    rc = gtr_alloc_for(&segments, 1, sizeof *segments, "writers", err);
    if (rc != GTR_OK)
        return rc;
    gtr_writer_init(&segments->writer, &form, head, options);
    segments->options = *options;
    segments->dropped_captures = options->dropped_captures;
    segments->options.dropped_captures = &segments->n_dropped;
    segments->options.nan_counts = segments->writer.nan_counts = false;
    if (segments->options.segment_bytes == 0)
        segments->options.segment_bytes = DEFAULT_BYTES;
    if (segments->options.segment_seconds == 0.0)
        segments->options.segment_seconds = DEFAULT_SECONDS;
    rc = gtr_head_copy(head, &segments->head, err);
    if (rc == GTR_OK && path != NULL)
        rc = gtr_format(&segments->file, path, err, "%s", path);
    if (rc != GTR_OK) {
        gtr_head_free(&segments->head);
        gtr_free(segments);
        return rc;
    }
    rc = gtr_place_take(&segments->place, folder, head->rank, options->whole, options->force, err);
    if (rc == GTR_OK)
        rc = start_journal(segments, err);
    if (rc != GTR_OK) {
        segments_free(segments);
        return rc;
    }
    if (path != NULL)
        segments->place.made = true; /* it stands for the file, and goes with it */
    gtr_folder_sync(segments->place.folder);
    *out = &segments->writer;
    return GTR_OK;
}
