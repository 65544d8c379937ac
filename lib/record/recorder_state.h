/* recorder_state.h - may a recorder go on?  What all of its files ask, on either thread.
 *
 * The thread that trains and the writer may both fail, and at once: the first failure is kept, and
 * told from then on.
 */
#ifndef GTR_RECORDER_STATE_H
#define GTR_RECORDER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

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

#endif
