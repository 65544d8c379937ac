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
#include "journal.h"
#include "outfile.h"
#include "segment_private.h"
#include "writer.h"

enum { DEFAULT_SECONDS = 30 };
#define DEFAULT_BYTES (UINT64_C(256) << 20)

struct segments {
    struct gtr_writer writer; /* the whole */
    struct gtr_place place;
    struct gtr_head head;
    struct gtr_writer_options options;
    struct gtr_journal_writer *journal;
    bool stopped;            /* which says so */
    struct gtr_late late;    /* what has become known; grad_state NULL: nothing, */
    bool told;               /* or the segment that was closed last says it */
    struct gtr_writer *open; /* the segment being written; NULL until something is written */
    uint64_t first_row;      /* of the open segment */
    uint64_t n_closed;       /* rows in closed segments */
    uint64_t bytes;          /* of the open segment, before deflate */
    double started, synced;  /* clock: of the open segment, of the journal's last sync */
    bool has_elements;       /* the open segment, of completed steps */
};

static struct segments *folder_of(struct gtr_writer *writer)
{
    return (struct segments *)writer;
}

/* --- segments --------------------------------------------------------------------------------- */

static enum gtr_code open_segment(struct segments *segments, struct gtr_err *err)
{
    enum gtr_code rc;
    char *path;

    if (segments->open != NULL)
        return GTR_OK;
    rc = gtr_segment_path(segments->place.folder, segments->head.rank, segments->writer.n_steps,
                          &path, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_file_writer_open(path, &segments->head, &segments->options,
                              (int64_t)segments->writer.n_steps, &segments->open, err);
    gtr_free(path);
    segments->first_row = segments->writer.n_steps;
    segments->bytes = 0;
    segments->has_elements = false;
    segments->started = gtr_clock();
    return rc;
}

/* The open segment gets its name.  If it does not, its rows are in the journal still. */
static enum gtr_code close_segment(struct segments *segments, struct gtr_err *err)
{
    uint64_t end = segments->first_row + segments->open->n_steps;
    enum gtr_code rc;

    if (segments->late.grad_state != NULL)
        gtr_writer_know(segments->open, &segments->late, NULL);
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
    return segments->open != NULL && segments->open->n_steps > 0 &&
           segments->writer.n_pending == 0 &&
           (segments->bytes >= segments->options.segment_bytes ||
            (segments->has_elements &&
             gtr_clock() - segments->started >= segments->options.segment_seconds));
}

static enum gtr_code close_if_due(struct segments *segments, struct gtr_err *err)
{
    enum gtr_code rc;

    if (!is_due(segments))
        return GTR_OK;
    rc = close_segment(segments, err);
    if (rc == GTR_OK)
        rc = gtr_journal_restart(segments->journal, &segments->head, segments->n_closed, err);
    segments->synced = gtr_clock();
    return rc;
}

static enum gtr_code rotate_if_due(struct segments *segments, struct gtr_err *err)
{
    enum gtr_code rc = close_if_due(segments, err);

    return rc == GTR_OK ? open_segment(segments, err) : rc;
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

static enum gtr_code append(struct gtr_writer *writer, const struct gtr_row *row,
                            struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    enum gtr_code rc = rotate_if_due(segments, err);

    if (rc == GTR_OK && !writer->ahead)
        rc = gtr_journal_append(segments->journal, row, err);
    if (rc == GTR_OK)
        rc = gtr_writer_append(segments->open, row->step, row->sumsq, row->maxabs, row->nonfinite,
                               row->param_sumsq, err);
    if (rc == GTR_OK)
        rc = sync_if_due(segments, err);
    segments->bytes += GTR_STEP_BYTES + gtr_row_bytes(writer->n_tensors, writer->param_norms);
    segments->has_elements = segments->has_elements || writer->n_pending > 0;
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
    return rc == GTR_OK ? gtr_writer_amend(segments->open, applied_scale, skipped, err) : rc;
}

static enum gtr_code add_elements(struct gtr_writer *writer, size_t tensor, const void *elements,
                                  struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    enum gtr_code rc = rotate_if_due(segments, err);

    if (rc == GTR_OK)
        rc = gtr_writer_elements(segments->open, tensor, elements, err);
    if (rc == GTR_OK)
        segments->bytes += gtr_segment_writer_kept_bytes(segments->open, tensor);
    return rc;
}

static enum gtr_code stopped(struct gtr_writer *writer, const char *why, struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    enum gtr_code rc = gtr_journal_stop(segments->journal, why, err);

    segments->stopped = rc == GTR_OK;
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
    gtr_free(segments);
}

static enum gtr_code journal_path(const struct segments *segments, char **path, struct gtr_err *err)
{
    return gtr_segment_rank_path(segments->place.folder, segments->head.rank, "journal", path, err);
}

static void remove_journal(struct segments *segments)
{
    char *path;

    if (journal_path(segments, &path, NULL) == GTR_OK && unlink(path) == 0)
        gtr_folder_sync(path);
    gtr_free(path);
}

/* The journal stays if it has what no segment has: rows, where a write has failed, or what became
 * known after the last one was closed. */
static enum gtr_code end_segments(struct segments *segments, struct gtr_err *err)
{
    const uint64_t n_known = gtr_journal_next(segments->journal);
    enum gtr_code rc = GTR_OK;
    bool told;

    /* A trace without steps is a segment without rows, as a file would be. */
    if (n_known == 0 && segments->writer.failure.code == GTR_OK)
        rc = open_segment(segments, err);
    if (rc == GTR_OK && segments->open != NULL)
        rc = close_segment(segments, err);
    told = segments->told || segments->late.grad_state == NULL;
    if (rc == GTR_OK && segments->n_closed == n_known && told && !segments->stopped)
        remove_journal(segments);
    return rc;
}

static enum gtr_code close_folder(struct gtr_writer *writer, struct gtr_err *err)
{
    struct segments *segments = folder_of(writer);
    enum gtr_code rc = end_segments(segments, err);

    if (rc == GTR_OK)
        rc = gtr_place_finish(&segments->place, err);
    else if (segments->place.name != NULL)
        gtr_place_clear(&segments->place);
    segments_free(segments);
    return rc;
}

static void abandon(struct gtr_writer *writer)
{
    struct segments *segments = folder_of(writer);

    gtr_writer_abandon(segments->open);
    gtr_place_clear(&segments->place);
    segments_free(segments);
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum gtr_code start_journal(struct segments *segments, struct gtr_err *err)
{
    char *path;
    enum gtr_code rc = journal_path(segments, &path, err);

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
    if (segments->options.segment_bytes == 0)
        segments->options.segment_bytes = DEFAULT_BYTES;
    if (segments->options.segment_seconds == 0.0)
        segments->options.segment_seconds = DEFAULT_SECONDS;
    rc = gtr_head_copy(head, &segments->head, err);
    if (rc != GTR_OK) {
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
    gtr_folder_sync(segments->place.folder);
    *out = &segments->writer;
    return GTR_OK;
}
