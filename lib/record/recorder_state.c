/* recorder_state.c - the first failure of two threads, and which process this is. */
#define _POSIX_C_SOURCE 200809L
#include <unistd.h>

#include "recorder_private.h"

void gtr_record_state_init(struct gtr_record_state *state)
{
    state->process = getpid();
    pthread_mutex_init(&state->lock, NULL);
}

void gtr_record_state_end(struct gtr_record_state *state)
{
    if (!gtr_record_is_forked(state))
        pthread_mutex_destroy(&state->lock);
}

bool gtr_record_is_forked(const struct gtr_record_state *state)
{
    return getpid() != state->process;
}

enum gtr_code gtr_record_failed(const struct gtr_record_state *state, struct gtr_err *err)
{
    return gtr_err_again(atomic_load(&state->failed) ? &state->failure : &state->stopped, err);
}

enum gtr_code gtr_record_fail(struct gtr_record_state *state, const struct gtr_err *failure,
                              struct gtr_err *err)
{
    pthread_mutex_lock(&state->lock);
    if (!atomic_load(&state->failed)) {
        state->failure = *failure;
        atomic_store(&state->failed, true);
    }
    pthread_mutex_unlock(&state->lock);
    return gtr_record_failed(state, err);
}
