/* recorder_private.h - a recorder as its own files see it.
 *
 *   recorder_state.c     may it go on
 *   recorder.c           open, declare, close
 *   recorder_step.c      one step of the training thread
 *   recorder_give.c      the gradients of that step
 *   recorder_elements.c  what is kept of each tensor, and where it lies in a capture
 *   recorder_policy.c    what a policy would make of them
 *   recorder_late.c      what becomes known while it records
 *   recorder_spikes.c    which steps of a flight recorder are written
 *   recorder_queue.c     what the training thread and the writer share: its size, the thread
 *   recorder_room.c      the training thread's side of it
 *   recorder_writer.c    the writer
 *   record_estimate.c    how much all this will be
 */
#ifndef GTR_RECORDER_PRIVATE_H
#define GTR_RECORDER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "clock.h"
#include "follower.h"
#include "recorder.h"
#include "writer.h"

/* --- may it go on?  What all of its files ask, on either thread ----------------------------------
 *
 * The thread that trains and the writer may both fail, and at once: the first failure is kept, and
 * told from then on. */

struct gtr_record_state {
    pid_t process; /* that opened the recorder */
    pthread_mutex_t lock;
    struct gtr_err failure; /* written once, under the lock, */
    atomic_bool failed;     /* before this is set */
    struct gtr_err stopped; /* by gtr_recorder_stop; of the thread that trains */
};

void gtr_record_state_init(struct gtr_record_state *state);
void gtr_record_state_end(struct gtr_record_state *state);

/* True in a process that fork() made: it has no writer, and locks may be held by nobody. */
bool gtr_record_is_forked(const struct gtr_record_state *state);

/* What ended the recording, a failed write or gtr_recorder_stop, told again; else GTR_OK. */
enum gtr_code gtr_record_failed(const struct gtr_record_state *state, struct gtr_err *err);

/* Ends writing with this failure, unless there was one.  Tells, and returns the code of, the one
 * that is kept. */
enum gtr_code gtr_record_fail(struct gtr_record_state *state, const struct gtr_err *failure,
                              struct gtr_err *err);

/* --- what a recorder is ----------------------------------------------------------------------- */

/* A step on its way to the writer. */
struct gtr_record_row {
    struct gtr_step step;
    bool wanted;            /* `every`, `first` and `last` choose its elements */
    bool dropped;           /* and there was no room for them */
    unsigned char *capture; /* slot with the elements, or NULL */
    double *sumsq;          /* [P], as the next two */
    float *maxabs;
    uint64_t *nonfinite;
};

/* Elements that the writer takes from the caller's memory, because no queue could hold them. */
struct gtr_record_direct {
    size_t tensor;
    const void *elements; /* NULL: nothing is asked for */
};

/* Rows are numbered from 0 by the training thread, which fills row `ended` % n_rows in place:
 *
 *     done <= taken <= decided <= ended          ended - done <= n_rows
 *          being    to be     wait for   under
 *          written  written   a spike    way
 *
 * The lock guards all counters, slots and requests; what a row holds belongs to the training
 * thread until it is decided and to the writer until it is done. */
struct gtr_record_queue {
    struct gtr_record_row *rows; /* a ring */
    size_t n_rows;
    void *sums;              /* of all rows */
    unsigned char *captures; /* n_slots of slot_bytes */
    bool *slot_used;
    size_t n_slots, slot_bytes;

    pthread_mutex_t lock;
    pthread_cond_t work; /* the writer may have something to do */
    pthread_cond_t room; /* the training thread may have got what it waits for */
    bool made;           /* lock and conditions exist */
    bool threaded;
    pthread_t thread;

    uint64_t ended, decided, taken, done;
    struct gtr_record_direct direct;
    bool final;   /* the last row that ended: the loop is past what could change it */
    bool amended; /* the last row taken has changed */
    double applied_scale;
    bool skipped;
    bool knows; /* something has become known: */
    struct gtr_late late;
    char spared[400]; /* why elements are written no more; "": they are */
    bool opened, closing, abandoned;
    struct gtr_record_progress progress;
    uint64_t dropped; /* captures so far in what is written; the writer's alone */

    bool waits; /* the training thread, for room */

    bool held;         /* tests: the writer takes no row */
    unsigned delay_ms; /* tests: and needs so long for each */
};

/* The flight recorder, all of it the training thread's. */
struct gtr_record_spikes {
    size_t around;  /* W; 0: off */
    uint64_t reach; /* rows that a window reaches back */
    double scale;
    struct gtr_recorder_policy *policy; /* NULL: only what the run applied counts */
    struct gtr_baseline_options average;
    struct gtr_follower past;
    uint64_t *waiting; /* ring of W + 1 rows whose elements wait */
    size_t first, n_waiting;
    size_t after; /* captures of the window that are still to come */
    bool judged;  /* the last row that ended */
};

struct gtr_recorder {
    struct gtr_record_state state;
    char *path;
    struct gtr_head head;
    struct gtr_record_options options;  /* its texts are in `head` */
    bool keeps;                         /* elements are captured at some steps */
    struct gtr_sample sampling;         /* of them; fraction 0: all are kept */
    struct gtr_recorder_blocks *blocks; /* [P] of a sample, from the first step on */
    size_t *offsets;                    /* [P] of a tensor's elements in a capture */
    size_t capture_bytes;
    bool direct;      /* a capture is larger than the queue */
    void *sample;     /* then: room for the largest tensor's */
    bool begun;       /* the first step */
    uint64_t n_steps; /* completed */
    bool in_step;
    int64_t last_index;         /* of the step under way, else as the next */
    int64_t last_completed;     /* if there is one */
    struct gtr_record_row *row; /* under way, else the last completed */
    bool *given;                /* [P] in the step under way */
    double started;             /* time of the first row */
    bool has_rest;              /* the step under way was told its rest */
    struct gtr_record_spikes spikes;
    struct gtr_record_queue queue;
    struct gtr_writer *writer; /* the writer's, from its start to its end; but for securing rows */
    struct gtr_record_kept kept; /* once the writer has ended */
    char warning[400];
};

/* --- options ---------------------------------------------------------------------------------- */

/* The first option with an impossible value, if any: its name, the value, what is allowed. */
enum gtr_code gtr_record_options_check(const struct gtr_record_options *options,
                                       struct gtr_err *err);

/* The word of the format that `grad_state` is, which is static; NULL and an error if it is none. */
const char *gtr_record_grad_state(const char *grad_state, struct gtr_err *err);

/* Copies into *head, which is initialised, what checked options say about the run, and the time
 * of day.  On failure the head is still to be freed. */
enum gtr_code gtr_record_options_fill(const struct gtr_record_options *options,
                                      struct gtr_head *head, struct gtr_err *err);

/* --- elements ------------------------------------------------------------------------------- */

/* Finds out which blocks of each tensor are kept, and lays out a capture. */
enum gtr_code gtr_recorder_elements_init(struct gtr_recorder *recorder, struct gtr_err *err);
void gtr_recorder_elements_free(struct gtr_recorder *recorder);

/* Bytes that are kept of a tensor at each capture. */
size_t gtr_recorder_kept_bytes(const struct gtr_recorder *recorder, size_t tensor);

/* Copies the kept blocks of a tensor's elements, one behind the other; NULL: zeros. */
void gtr_recorder_gather(const struct gtr_recorder *recorder, size_t tensor, const void *elements,
                         void *to);

/* Keeps elements of which their reduction makes no copy; NULL: zeros. */
enum gtr_code gtr_recorder_keep(struct gtr_recorder *recorder, size_t tensor, const void *elements,
                                struct gtr_err *err);

/* --- spikes --------------------------------------------------------------------------------- */

enum gtr_code gtr_recorder_spikes_init(struct gtr_recorder *recorder, struct gtr_err *err);

/* Looks at the last completed step, of which all is known by now, and decides about the steps that
 * wait. */
void gtr_recorder_judge(struct gtr_recorder *recorder);

/* At the end of the recording: what still waits is written without elements. */
void gtr_recorder_judge_all(struct gtr_recorder *recorder);

/* A policy that looks on; all of these take NULL.  Its text is as after -p. */
enum gtr_code gtr_recorder_policy_new(const char *text, struct gtr_recorder_policy **policy,
                                      struct gtr_err *err);
void gtr_recorder_policy_free(struct gtr_recorder_policy *policy);

/* Once the tensors are known. */
enum gtr_code gtr_recorder_policy_begin(struct gtr_recorder_policy *policy,
                                        const struct gtr_head *head, struct gtr_err *err);

/* The smallest scale of any group at this step, whose elements are finite; HUGE_VAL without a
 * policy. */
double gtr_recorder_policy_step(struct gtr_recorder_policy *policy, const struct gtr_head *head,
                                const struct gtr_step *step, const double *sumsq);

/* --- the queue ------------------------------------------------------------------------------ */

/* Sizes the queue and starts the writer; the file is open when it returns GTR_OK. */
enum gtr_code gtr_recorder_queue_open(struct gtr_recorder *recorder, struct gtr_err *err);
void gtr_recorder_queue_free(struct gtr_recorder *recorder);

/* The row for the step that begins, with a slot if its elements are wanted and there is one; waits
 * as `when_full` has it.  NULL after a failure. */
struct gtr_record_row *gtr_recorder_queue_begin(struct gtr_recorder *recorder, bool wanted);

/* Hands the row on.  A flight recorder's waits for gtr_recorder_queue_decide. */
void gtr_recorder_queue_end(struct gtr_recorder *recorder);

/* What the run did with the last row that ended. */
void gtr_recorder_queue_amend(struct gtr_recorder *recorder, double scale, bool skipped);

/* What is known of the run by now. */
void gtr_recorder_queue_know(struct gtr_recorder *recorder, const struct gtr_late *late);

/* Row number `row` is written without elements. */
void gtr_recorder_queue_discard(struct gtr_recorder *recorder, uint64_t row);

/* All rows before `end` are as they will be written. */
void gtr_recorder_queue_decide(struct gtr_recorder *recorder, uint64_t end);

/* Has the writer take elements from the caller's memory, and waits for it. */
void gtr_recorder_queue_direct(struct gtr_recorder *recorder, size_t tensor, const void *elements);

/* Waits until all that was decided is written, and ends the writer. */
void gtr_recorder_queue_close(struct gtr_recorder *recorder, bool abandon);

/* --- the writer ----------------------------------------------------------------------------- */

/* Does the next thing that there is to do, with the lock held on entry and on return.  False if
 * there is none. */
bool gtr_recorder_writer_advance(struct gtr_recorder *recorder);

/* Frees the row's slot, with the lock held. */
void gtr_recorder_writer_give_slot(struct gtr_recorder *recorder, struct gtr_record_row *row);

/* When there is nothing to do: elements that were written get old where they are. */
void gtr_recorder_writer_settle(struct gtr_recorder *recorder);

enum gtr_code gtr_recorder_writer_open(struct gtr_recorder *recorder, struct gtr_err *err);
void gtr_recorder_writer_close(struct gtr_recorder *recorder);

/* --- estimates ------------------------------------------------------------------------------ */

/* Adds to what gtr_recorder_warning tells. */
void gtr_recorder_warn(struct gtr_recorder *recorder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Warns if the disk cannot hold the run. */
void gtr_recorder_check_disk(struct gtr_recorder *recorder);

/* --- tests ---------------------------------------------------------------------------------- */

/* From the first step on: a writer that takes no row until it is let go or closed, or that needs
 * some time for each. */
void gtr_recorder_hold(struct gtr_recorder *recorder, bool held);
void gtr_recorder_delay(struct gtr_recorder *recorder, unsigned milliseconds);

#endif
