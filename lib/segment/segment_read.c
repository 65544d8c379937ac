/* segment_read.c - a folder of segments as one trace.
 *
 * Segments follow each other row by row, and the journal has the rows after the last one.  Few
 * files are open at a time, so that a run of days does not exceed what a process may open.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>

#include "alloc.h"
#include "segment_private.h"

/* Not const: which files are open changes while a trace is read. */
static struct gtr_folder *folder_of(const struct gtr_trace *trace)
{
    return (struct gtr_folder *)trace;
}

/* --- open files ------------------------------------------------------------------------------- */

/* The lock is held. */
static void close_oldest(struct gtr_folder *folder)
{
    struct gtr_segment *oldest = NULL;
    size_t i;

    for (i = 0; i < folder->n_segments; i++) {
        struct gtr_segment *segment = &folder->segments[i];

        if (segment->file != NULL && segment->users == 0 &&
            (oldest == NULL || segment->used < oldest->used))
            oldest = segment;
    }
    if (oldest == NULL)
        return;
    gtr_trace_close(oldest->file);
    oldest->file = NULL;
    folder->n_open--;
}

/* The segment's file stays open until it is given back. */
static enum gtr_code borrow(struct gtr_folder *folder, struct gtr_segment *segment,
                            struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    pthread_mutex_lock(&folder->lock);
    if (segment->file == NULL) {
        if (folder->n_open >= folder->most_open)
            close_oldest(folder);
        rc = gtr_trace_open_file(segment->path, true, &segment->file, err);
        if (rc == GTR_OK && (segment->file->n_steps != segment->n_rows ||
                             segment->file->n_captures != segment->n_captures)) {
            rc = gtr_fail(err, GTR_EFORMAT, "%s: has changed while it was read", segment->path);
            gtr_trace_close(segment->file);
            segment->file = NULL;
        }
        folder->n_open += rc == GTR_OK;
    }
    segment->users += rc == GTR_OK;
    segment->used = ++folder->clock;
    pthread_mutex_unlock(&folder->lock);
    return rc;
}

static void give_back(struct gtr_folder *folder, struct gtr_segment *segment)
{
    pthread_mutex_lock(&folder->lock);
    segment->users--;
    pthread_mutex_unlock(&folder->lock);
}

/* --- rows ------------------------------------------------------------------------------------- */

static enum gtr_code read_rows(const struct gtr_trace *trace, enum gtr_norm norm, size_t first,
                               size_t n_rows, void *out, struct gtr_err *err)
{
    struct gtr_folder *folder = folder_of(trace);
    size_t row_bytes = trace->head.n_tensors * gtr_h5_type_size(gtr_norm_datasets[norm].type);
    size_t end = first + n_rows, i, t;
    unsigned char *to = out;
    enum gtr_code rc = GTR_OK;

    for (i = 0; rc == GTR_OK && i < folder->n_segments && first < end; i++) {
        struct gtr_segment *segment = &folder->segments[i];
        size_t segment_end = segment->first_row + segment->n_rows, n;

        if (first >= segment_end)
            continue;
        n = (end < segment_end ? end : segment_end) - first;
        rc = borrow(folder, segment, err);
        if (rc != GTR_OK)
            return rc;
        rc = gtr_trace_read_rows(segment->file, norm, first - segment->first_row, n, to, err);
        give_back(folder, segment);
        to += n * row_bytes;
        first += n;
    }
    for (t = first; rc == GTR_OK && t < end; t++, to += row_bytes)
        gtr_journal_values(folder->journal, folder->journal_from + (t - folder->n_rows), norm, to);
    return rc;
}

/* --- elements --------------------------------------------------------------------------------- */

static bool same_sampling(const struct gtr_captured *a, const struct gtr_captured *b)
{
    return a->n == b->n && a->sampled == b->sampled && a->block == b->block &&
           a->fraction == b->fraction && a->seed == b->seed;
}

static enum gtr_code captured(const struct gtr_trace *trace, size_t tensor,
                              struct gtr_captured *found, struct gtr_err *err)
{
    struct gtr_folder *folder = folder_of(trace);
    enum gtr_code rc;
    size_t i;

    for (i = 0; i < folder->n_segments; i++) {
        struct gtr_segment *segment = &folder->segments[i];

        if (segment->n_captures == 0)
            continue;
        rc = borrow(folder, segment, err);
        if (rc != GTR_OK)
            return rc;
        rc = gtr_trace_captured(segment->file, tensor, found, err);
        give_back(folder, segment);
        return rc;
    }
    return GTR_OK;
}

/* From one segment, which must hold of this tensor what the others do. */
static enum gtr_code read_from(const struct gtr_trace *file, size_t tensor,
                               const struct gtr_captured *wanted, const struct gtr_h5_part *part,
                               void *out, size_t stride, struct gtr_err *err)
{
    struct gtr_captured found;
    enum gtr_code rc = gtr_trace_captured(file, tensor, &found, err);

    if (rc == GTR_OK && !same_sampling(wanted, &found))
        rc = gtr_fail(err, GTR_EFORMAT,
                      "%s: /grad/%zu: holds other elements than the segments before it", file->path,
                      tensor);
    return rc == GTR_OK ? gtr_trace_read_captured(file, tensor, part->first_row, part->n_rows,
                                                  part->first_col, part->n_cols, out, stride, err)
                        : rc;
}

static enum gtr_code read_captured(const struct gtr_trace *trace, size_t tensor,
                                   const struct gtr_captured *wanted,
                                   const struct gtr_h5_part *asked, void *out, size_t stride,
                                   struct gtr_err *err)
{
    struct gtr_folder *folder = folder_of(trace);
    size_t first = asked->first_row, end = first + asked->n_rows, i;
    unsigned char *to = out;
    enum gtr_code rc = GTR_OK;

    for (i = 0; rc == GTR_OK && i < folder->n_segments && first < end; i++) {
        struct gtr_segment *segment = &folder->segments[i];
        size_t segment_end = segment->first_capture + segment->n_captures;
        struct gtr_h5_part part = *asked;

        if (first >= segment_end)
            continue;
        part.first_row = first - segment->first_capture;
        part.n_rows = (end < segment_end ? end : segment_end) - first;
        rc = borrow(folder, segment, err);
        if (rc != GTR_OK)
            return rc;
        rc = read_from(segment->file, tensor, wanted, &part, to, stride, err);
        give_back(folder, segment);
        to += part.n_rows * stride;
        first += part.n_rows;
    }
    return rc;
}

static enum gtr_code check_capture(const struct gtr_trace *trace, size_t capture,
                                   struct gtr_err *err)
{
    struct gtr_folder *folder = folder_of(trace);
    struct gtr_segment *segment = folder->segments;
    enum gtr_code rc;

    while (capture >= segment->first_capture + segment->n_captures)
        segment++;
    rc = borrow(folder, segment, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_trace_check_capture(segment->file, capture - segment->first_capture, err);
    give_back(folder, segment);
    return rc;
}

/* --- the form --------------------------------------------------------------------------------- */

static void close_folder(struct gtr_trace *trace)
{
    struct gtr_folder *folder = folder_of(trace);
    size_t i;

    for (i = 0; i < folder->n_segments; i++) {
        gtr_trace_close(folder->segments[i].file);
        gtr_free(folder->segments[i].path);
    }
    pthread_mutex_destroy(&folder->lock);
    gtr_journal_free(folder->journal);
    gtr_free(folder->segments);
}

const struct gtr_trace_form gtr_folder_form = {
    .read_rows = read_rows,
    .captured = captured,
    .read_captured = read_captured,
    .check_capture = check_capture,
    .close = close_folder,
};

bool gtr_trace_is_folder(const struct gtr_trace *trace, struct gtr_trace_folder *about)
{
    struct gtr_folder *folder = folder_of(trace);

    if (trace->form != &gtr_folder_form)
        return false;
    *about = (struct gtr_trace_folder){ .rank = folder->rank,
                                        .n_segments = folder->n_segments,
                                        .n_journal_rows = trace->n_steps - folder->n_rows,
                                        .n_left = folder->n_left };
    return true;
}
