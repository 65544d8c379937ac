/* recorder_room.c - the training thread's side of the queue: getting room, handing on, waiting.
 *
 * Nothing here waits after a failure, and only two things wait at all: a step for which there is no
 * row or, unless captures are dropped, no slot; and elements that the writer takes from the
 * caller's memory.
 */
#include <string.h>
#include <time.h>

#include "recorder_private.h"

/* Lets the writer at it, with the lock held. */
static void wake(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;

    if (q->threaded)
        pthread_cond_signal(&q->work);
    else
        while (gtr_recorder_writer_advance(r))
            ;
}

/* Until the writer has done something, with the lock held. */
static void wait_for_room(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    double since = gtr_clock();

    pthread_cond_signal(&q->work);
    q->waits = true;
    pthread_cond_wait(&q->room, &q->lock);
    q->waits = false;
    q->progress.seconds_waited += gtr_clock() - since;
}

static unsigned char *take_slot(struct gtr_record_queue *q)
{
    size_t i;

    for (i = 0; i < q->n_slots; i++)
        if (!q->slot_used[i]) {
            q->slot_used[i] = true;
            q->progress.bytes_queued += q->slot_bytes;
            return q->captures + i * q->slot_bytes;
        }
    return NULL;
}

struct gtr_record_row *gtr_recorder_queue_begin(struct gtr_recorder *r, bool wanted)
{
    struct gtr_record_queue *q = &r->queue;
    bool drops = r->options.when_full == GTR_FULL_DROP;
    struct gtr_record_row *row;

    pthread_mutex_lock(&q->lock);
    while (q->ended - q->done >= q->n_rows && !atomic_load(&r->state.failed))
        wait_for_room(r);
    row = &q->rows[q->ended % q->n_rows];
    row->wanted = wanted;
    row->capture = wanted ? take_slot(q) : NULL;
    while (wanted && !r->direct && row->capture == NULL && !drops &&
           !atomic_load(&r->state.failed)) {
        wait_for_room(r);
        row->capture = take_slot(q);
    }
    row->dropped = wanted && !r->direct && row->capture == NULL;
    q->final = true;
    pthread_mutex_unlock(&q->lock);
    return atomic_load(&r->state.failed) ? NULL : row;
}

/* Rows without elements wait for company, or until the writer looks by itself: waking it costs the
 * training thread more than they do. */
static void decide(struct gtr_recorder *r, uint64_t end)
{
    struct gtr_record_queue *q = &r->queue;
    bool pressing = !q->threaded;

    for (; q->decided < end; q->decided++) {
        const struct gtr_record_row *row = &q->rows[q->decided % q->n_rows];

        q->progress.dropped += row->dropped;
        pressing = pressing || row->capture != NULL;
    }
    if (pressing || q->decided - q->taken > (q->n_rows - r->spikes.reach) / 4)
        wake(r);
}

void gtr_recorder_queue_end(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;

    pthread_mutex_lock(&q->lock);
    q->ended++;
    q->final = false;
    q->progress.steps++;
    if (r->spikes.around == 0)
        decide(r, q->ended);
    pthread_mutex_unlock(&q->lock);
}

void gtr_recorder_queue_decide(struct gtr_recorder *r, uint64_t end)
{
    pthread_mutex_lock(&r->queue.lock);
    decide(r, end);
    pthread_mutex_unlock(&r->queue.lock);
}

void gtr_recorder_queue_discard(struct gtr_recorder *r, uint64_t number)
{
    struct gtr_record_queue *q = &r->queue;
    struct gtr_record_row *row = &q->rows[number % q->n_rows];

    pthread_mutex_lock(&q->lock);
    gtr_recorder_writer_give_slot(r, row);
    row->wanted = false;
    row->dropped = false;
    pthread_mutex_unlock(&q->lock);
}

void gtr_recorder_queue_amend(struct gtr_recorder *r, double scale, bool skipped)
{
    struct gtr_record_queue *q = &r->queue;

    pthread_mutex_lock(&q->lock);
    if (q->taken < q->ended) {
        r->row->step.applied_scale = scale;
        r->row->step.skipped = skipped;
    } else {
        q->amended = true;
        q->applied_scale = scale;
        q->skipped = skipped;
        if (!q->threaded)
            wake(r);
    }
    q->final = true;
    pthread_mutex_unlock(&q->lock);
}

void gtr_recorder_queue_know(struct gtr_recorder *r, const struct gtr_late *late)
{
    struct gtr_record_queue *q = &r->queue;

    pthread_mutex_lock(&q->lock);
    q->late = *late;
    q->knows = true;
    if (!q->threaded)
        wake(r);
    pthread_mutex_unlock(&q->lock);
}

void gtr_recorder_queue_direct(struct gtr_recorder *r, size_t tensor, const void *elements)
{
    struct gtr_record_queue *q = &r->queue;

    pthread_mutex_lock(&q->lock);
    q->direct = (struct gtr_record_direct){ tensor, elements };
    wake(r);
    while (q->direct.elements != NULL && !atomic_load(&r->state.failed))
        wait_for_room(r);
    q->direct.elements = NULL;
    pthread_mutex_unlock(&q->lock);
}

/* --- for callers and tests -------------------------------------------------------------------- */

void gtr_recorder_progress(struct gtr_recorder *r, struct gtr_record_progress *progress)
{
    struct gtr_record_queue *q = &r->queue;

    *progress = (struct gtr_record_progress){ 0 };
    if (!q->made || gtr_record_is_forked(&r->state))
        return;
    pthread_mutex_lock(&q->lock);
    *progress = q->progress;
    pthread_mutex_unlock(&q->lock);
}

const char *gtr_recorder_elements_stopped(struct gtr_recorder *r)
{
    struct gtr_record_queue *q = &r->queue;
    bool spared;

    if (!q->made || gtr_record_is_forked(&r->state))
        return "";
    pthread_mutex_lock(&q->lock); /* it is written once */
    spared = q->spared[0] != '\0';
    pthread_mutex_unlock(&q->lock);
    return spared ? q->spared : "";
}

void gtr_recorder_hold(struct gtr_recorder *r, bool held)
{
    pthread_mutex_lock(&r->queue.lock);
    r->queue.held = held;
    wake(r);
    pthread_mutex_unlock(&r->queue.lock);
}

void gtr_recorder_delay(struct gtr_recorder *r, unsigned milliseconds)
{
    pthread_mutex_lock(&r->queue.lock);
    r->queue.delay_ms = milliseconds;
    pthread_mutex_unlock(&r->queue.lock);
}
