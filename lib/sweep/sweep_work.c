/* sweep_work.c - what CPUs and GPUs do alike when settings are done. */
#include "sweep_work.h"

#include <math.h>

void gtr_sweep_leave_empty(const struct gtr_sweep_work *work, size_t setting)
{
    size_t k;

    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        work->out[setting * GTR_OBJECTIVE_COUNT + k] = (double)NAN;
}

void gtr_sweep_report(struct gtr_sweep_work *work, size_t n)
{
    pthread_mutex_lock(&work->lock);
    work->n_done += n;
    if (work->options->progress != NULL && !atomic_load(&work->stopped) &&
        work->options->progress(work->options->context, work->n_done, work->count) != 0)
        atomic_store(&work->stopped, 1);
    pthread_mutex_unlock(&work->lock);
}
