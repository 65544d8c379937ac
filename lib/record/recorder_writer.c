/* recorder_writer.c - from the queue to the trace.
 *
 * Each turn does one thing: amend the row written last, write the next one, or take elements that
 * could not be queued.  The lock is not held while something is written.  After a failure, and when
 * the recording is abandoned, turns go on and write nothing, so that nobody waits for a disk that
 * has said no.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <time.h>

#include "recorder_private.h"
#include "threads.h"

enum { THREADS_UNASKED = 4 };

/* Training needs processors, too. */
static size_t writer_threads(const struct gtr_recorder *r)
{
    size_t half = gtr_threads_available() / 2;

    if (r->options.writer_threads > 0)
        return (size_t)r->options.writer_threads;
    return half < 1 ? 1 : half < THREADS_UNASKED ? half : THREADS_UNASKED;
}

enum gtr_code gtr_recorder_writer_open(struct gtr_recorder *r, struct gtr_err *err)
{
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .force = r->options.force != 0,
                                                .elements = r->keeps,
                                                .sampling = r->sampling,
                                                .compression =
                                                    (enum gtr_compression)r->options.compression,
                                                .n_threads = writer_threads(r),
                                                .checksums = r->options.checksums != 0,
                                                .segment_bytes = (uint64_t)r->options.segment_bytes,
                                                .segment_seconds = r->options.segment_seconds,
                                                .sync = r->options.sync != 0,
                                                .dropped_captures = &r->queue.dropped,
                                                .survives = true,
                                                .n_kept = &r->kept.steps };

    enum gtr_code rc = gtr_writer_open(r->path, &r->head, &options, &r->writer, err);

    if (rc == GTR_OK)
        r->writer->ahead = true;
    return rc;
}

void gtr_recorder_writer_close(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    struct gtr_err failure = { 0 };

    if (r->writer == NULL)
        return;
    if (q->abandoned || gtr_writer_is_empty(r->writer)) {
        gtr_writer_abandon(r->writer);
        r->writer = NULL;
        return;
    }
    /* After a failure, too: the steps before it are worth having. */
    if (gtr_record_failed(&r->state, &failure) != GTR_OK)
        gtr_writer_stopped(r->writer, failure.text, NULL);
    failure = (struct gtr_err){ 0 };
    if (gtr_writer_close(r->writer, &failure) != GTR_OK) {
        gtr_record_fail(&r->state, &failure, NULL);
        snprintf(r->kept.rest, sizeof r->kept.rest, "%s", failure.text);
    }
    r->writer = NULL;
}

static bool is_off(const struct gtr_recorder *r)
{
    return atomic_load(&r->state.failed) || r->queue.abandoned;
}

static enum gtr_code write_row(struct gtr_recorder *r, const struct gtr_record_row *row,
                               struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && row->capture != NULL && i < r->head.n_tensors; i++)
        rc = gtr_writer_elements(r->writer, i, row->capture + r->offsets[i], err);
    if (rc == GTR_OK)
        rc = gtr_writer_append(r->writer, &row->step, row->sumsq, row->maxabs, row->nonfinite, NULL,
                               err);
    return rc;
}

void gtr_recorder_writer_give_slot(struct gtr_recorder *r, struct gtr_record_row *row)
{
    struct gtr_record_queue *q = &r->queue;

    if (row->capture == NULL)
        return;
    q->slot_used[(size_t)(row->capture - q->captures) / q->slot_bytes] = false;
    q->progress.bytes_queued -= q->slot_bytes;
    row->capture = NULL;
}

static void sleep_for(unsigned milliseconds)
{
    const struct timespec pause = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };

    if (milliseconds > 0)
        nanosleep(&pause, NULL);
}

static void next_row(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    struct gtr_record_row *row = &q->rows[q->taken++ % q->n_rows];
    unsigned delay = q->delay_ms;
    bool off = is_off(r);
    struct gtr_err failure = { 0 };
    enum gtr_code rc = GTR_OK;

    pthread_mutex_unlock(&q->lock);
    q->dropped += row->dropped;
    if (!off) {
        sleep_for(delay);
        rc = write_row(r, row, &failure);
    }
    if (rc != GTR_OK)
        gtr_record_fail(&r->state, &failure, NULL);
    pthread_mutex_lock(&q->lock);
    if (!off && rc == GTR_OK) {
        bool spared = r->writer->spared.code != GTR_OK;

        q->progress.steps_written++;
        q->progress.captures_written += row->wanted && !row->dropped && !spared;
        q->progress.dropped += row->wanted && !row->dropped && spared;
        q->progress.bytes_written += gtr_row_bytes(r->head.n_tensors, false) +
                                     (row->capture != NULL && !spared ? r->capture_bytes : 0);
        if (spared && q->spared[0] == '\0')
            snprintf(q->spared, sizeof q->spared, "%s", r->writer->spared.text);
    }
    gtr_recorder_writer_give_slot(r, row);
    q->done++;
}

static void amend(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    struct gtr_err failure = { 0 };
    double scale = q->applied_scale;
    bool skipped = q->skipped, off = is_off(r);

    q->amended = false;
    pthread_mutex_unlock(&q->lock);
    if (!off && gtr_writer_amend(r->writer, scale, skipped, &failure) != GTR_OK)
        gtr_record_fail(&r->state, &failure, NULL);
    pthread_mutex_lock(&q->lock);
}

/* Also after a failure: it costs no room that a trace has not. */
static void know(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    const struct gtr_late late = q->late;

    q->knows = false;
    pthread_mutex_unlock(&q->lock);
    gtr_writer_know(r->writer, &late, NULL);
    pthread_mutex_lock(&q->lock);
}

static void take_direct(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    const struct gtr_record_direct asked = q->direct;
    bool off = is_off(r);
    struct gtr_err failure = { 0 };

    pthread_mutex_unlock(&q->lock);
    if (!off && gtr_writer_elements(r->writer, asked.tensor, asked.elements, &failure) != GTR_OK)
        gtr_record_fail(&r->state, &failure, NULL);
    pthread_mutex_lock(&q->lock);
    q->progress.bytes_written += off ? 0 : gtr_recorder_kept_bytes(r, asked.tensor);
    q->direct.elements = NULL;
}

void gtr_recorder_writer_settle(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    struct gtr_err failure = { 0 };

    /* The last row that was written is final if the loop is past it. */
    if (is_off(r) || !(q->final || q->taken < q->ended))
        return;
    pthread_mutex_unlock(&q->lock);
    if (gtr_writer_settle(r->writer, &failure) != GTR_OK)
        gtr_record_fail(&r->state, &failure, NULL);
    pthread_mutex_lock(&q->lock);
}

bool gtr_recorder_writer_advance(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;

    if (q->held && !q->closing)
        return false;
    if (q->knows && r->writer != NULL)
        know(r);
    else if (q->amended)
        amend(r);
    else if (q->taken < q->decided)
        next_row(r);
    else if (q->direct.elements != NULL)
        take_direct(r);
    else
        return false;
    pthread_cond_signal(&q->room);
    return true;
}
