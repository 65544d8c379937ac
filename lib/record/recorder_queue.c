/* recorder_queue.c - rows and captures between the training thread and the writer.
 *
 * Captures are all of one size, so their memory is slots.  The lowest free one is taken first: a
 * writer that keeps up touches few of them, and untouched memory costs nothing.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "recorder_private.h"

enum {
    ROWS_BYTES = 4 << 20, /* for norms that wait; */
    ROWS_LEAST = 16,      /* but so many steps, */
    ROWS_MOST = 1024,     /* and at most so many */
    SLOTS_MOST = 256,
    PATIENCE = 1 /* seconds that rows without elements may wait for the writer */
};

/* --- how much memory -------------------------------------------------------------------------- */

/* A flight recorder holds W captures and one under way; the room beyond that is for what waits to
 * be written. */
static enum gtr_code plan_window(struct gtr_recorder *r, size_t fit, struct gtr_err *err)
{
    size_t around = (size_t)r->options.around_spikes;

    if (fit < 2)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: around_spikes %zu: %zu bytes a capture, of which two "
                        "at least must fit in queue_bytes %lld",
                        r->path, around, r->capture_bytes, (long long)r->options.queue_bytes);
    if (around > fit - 1) {
        gtr_recorder_warn(r,
                          "around_spikes %zu: captures of %zu bytes; queue_bytes %lld holds a "
                          "window of %zu, which is used",
                          around, r->capture_bytes, (long long)r->options.queue_bytes, fit - 1);
        around = fit - 1;
    }
    r->spikes.around = around;
    r->queue.n_slots = fit < 2 * around + 2 ? fit : 2 * around + 2;
    return GTR_OK;
}

static enum gtr_code plan_slots(struct gtr_recorder *r, struct gtr_err *err)
{
    size_t bytes = r->capture_bytes, fit;

    if (!r->keeps)
        return GTR_OK;
    fit = bytes > 0 ? (size_t)((uint64_t)r->options.queue_bytes / bytes) : 0;
    r->queue.slot_bytes = bytes;
    if (r->options.around_spikes > 0)
        return plan_window(r, fit, err);
    r->queue.n_slots = fit < SLOTS_MOST ? fit : SLOTS_MOST;
    r->direct = fit == 0;
    if (!r->direct || bytes == 0)
        return GTR_OK;
    if (r->options.when_full == GTR_FULL_DROP)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: a capture has %zu bytes, queue_bytes is %lld: each "
                        "would be dropped; raise queue_bytes",
                        r->path, bytes, (long long)r->options.queue_bytes);
    gtr_recorder_warn(r,
                      "a capture has %zu bytes, queue_bytes is %lld: training waits while one is "
                      "written",
                      bytes, (long long)r->options.queue_bytes);
    return GTR_OK;
}

static enum gtr_code plan_rows(struct gtr_recorder *r, struct gtr_err *err)
{
    struct gtr_record_queue *q = &r->queue;
    size_t row = gtr_row_bytes(r->head.n_tensors, false);
    size_t least = (size_t)r->spikes.reach + ROWS_LEAST;

    q->n_rows = ROWS_BYTES / row;
    q->n_rows = q->n_rows < ROWS_MOST ? q->n_rows : ROWS_MOST;
    q->n_rows = q->n_rows > least ? q->n_rows : least;
    if (r->spikes.reach > 0 && q->n_rows > (uint64_t)r->options.queue_bytes / row &&
        q->n_rows > ROWS_MOST)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: around_spikes %zu: norms of %zu steps wait with them, "
                        "which is more than queue_bytes %lld; lower it or every",
                        r->path, r->spikes.around, q->n_rows, (long long)r->options.queue_bytes);
    q->progress.memory_bytes = q->n_rows * row + q->n_slots * q->slot_bytes;
    return GTR_OK;
}

static enum gtr_code make_rows(struct gtr_recorder *r, struct gtr_err *err)
{
    struct gtr_record_queue *q = &r->queue;
    size_t n = r->head.n_tensors, i;
    enum gtr_code rc = gtr_alloc_for(&q->rows, q->n_rows, sizeof *q->rows, "rows", err);
    double *sumsq;

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&q->sums, q->n_rows * n, gtr_row_bytes(1, false), "norms", err);
    sumsq = q->sums;
    for (i = 0; rc == GTR_OK && i < q->n_rows; i++) {
        uint64_t *nonfinite = (uint64_t *)(sumsq + q->n_rows * n);

        q->rows[i].sumsq = sumsq + i * n;
        q->rows[i].nonfinite = nonfinite + i * n;
        q->rows[i].maxabs = (float *)(nonfinite + q->n_rows * n) + i * n;
    }
    return rc;
}

static enum gtr_code make_slots(struct gtr_recorder *r, struct gtr_err *err)
{
    struct gtr_record_queue *q = &r->queue;
    size_t most = 0, i;
    enum gtr_code rc;

    if (r->direct) {
        for (i = 0; i < r->head.n_tensors; i++)
            if (gtr_recorder_kept_bytes(r, i) > most)
                most = gtr_recorder_kept_bytes(r, i);
        return gtr_alloc_for(&r->sample, most, 1, "bytes", err);
    }
    rc = gtr_alloc_for(&q->captures, q->n_slots, q->slot_bytes, "captures", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&q->slot_used, q->n_slots, sizeof *q->slot_used, "slots", err);
    return rc;
}

/* --- the writer's thread ---------------------------------------------------------------------- */

/* False if nothing has come. */
static bool wait_for_work(struct gtr_record_queue *q)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE;
    return pthread_cond_timedwait(&q->work, &q->lock, &until) == 0;
}

static void *run_writer(void *argument)
{
    struct gtr_recorder *r = argument;
    struct gtr_record_queue *q = &r->queue;
    struct gtr_err failure = { 0 };
    enum gtr_code rc = gtr_recorder_writer_open(r, &failure);

    if (rc != GTR_OK)
        gtr_record_fail(&r->state, &failure, NULL);
    pthread_mutex_lock(&q->lock);
    q->opened = true;
    pthread_cond_broadcast(&q->room);
    while (rc == GTR_OK)
        if (!gtr_recorder_writer_advance(r)) {
            if (q->closing)
                break;
            if (!wait_for_work(q))
                gtr_recorder_writer_settle(r);
        }
    pthread_mutex_unlock(&q->lock);
    gtr_recorder_writer_close(r);
    return NULL;
}

/* Signals are the program's: none of its handlers may run on this thread. */
static void start_thread(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    sigset_t all, was;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    q->threaded = pthread_create(&q->thread, NULL, run_writer, r) == 0;
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (q->threaded) {
        const struct sched_param nothing = { 0 };

        pthread_setname_np(q->thread, "gradtrace");
        /* Woken, it does not take the processor from the thread that trains. */
        pthread_setschedparam(q->thread, SCHED_BATCH, &nothing);
    }
}

static void make_conditions(struct gtr_record_queue *q)
{
    pthread_condattr_t steady;

    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&q->work, &steady);
    pthread_condattr_destroy(&steady);
    pthread_cond_init(&q->room, NULL);
    q->made = true;
}

enum gtr_code gtr_recorder_queue_open(struct gtr_recorder *r, struct gtr_err *err)
{
    struct gtr_record_queue *q = &r->queue;
    enum gtr_code rc = plan_slots(r, err);

    if (rc == GTR_OK)
        rc = gtr_recorder_spikes_init(r, err);
    if (rc == GTR_OK)
        rc = plan_rows(r, err);
    if (rc == GTR_OK)
        rc = make_rows(r, err);
    if (rc == GTR_OK)
        rc = make_slots(r, err);
    if (rc != GTR_OK)
        return rc;
    make_conditions(q);
    if (r->options.synchronous == 0)
        start_thread(r);
    if (!q->threaded) /* also where the system has no thread to give */
        return gtr_recorder_writer_open(r, err);
    pthread_mutex_lock(&q->lock);
    while (!q->opened)
        pthread_cond_wait(&q->room, &q->lock);
    pthread_mutex_unlock(&q->lock);
    return gtr_record_failed(&r->state, err);
}

void gtr_recorder_queue_free(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;

    if (q->made && !gtr_record_is_forked(&r->state)) {
        pthread_cond_destroy(&q->room);
        pthread_cond_destroy(&q->work);
        pthread_mutex_destroy(&q->lock);
    }
    gtr_free(q->slot_used);
    gtr_free(q->captures);
    gtr_free(q->sums);
    gtr_free(q->rows);
}

void gtr_recorder_queue_close(struct gtr_recorder *r, bool abandon)
{
    struct gtr_record_queue *q = &r->queue;

    if (!q->made)
        return;
    if (!abandon)
        gtr_recorder_judge_all(r);
    pthread_mutex_lock(&q->lock);
    q->closing = true;
    q->abandoned = abandon;
    pthread_cond_signal(&q->work);
    while (!q->threaded && gtr_recorder_writer_advance(r))
        ;
    pthread_mutex_unlock(&q->lock);
    if (q->threaded)
        pthread_join(q->thread, NULL);
    else
        gtr_recorder_writer_close(r);
}
