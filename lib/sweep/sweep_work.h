/* sweep_work.h - a sweep that is under way; for sweep.c, on CPUs, and sweep_device.c, on GPUs. */
#ifndef GTR_SWEEP_WORK_H
#define GTR_SWEEP_WORK_H

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "sweep.h"
#include "sweep_rows.h"

struct gtr_sweep_work {
    const struct gtr_plan *plan;
    const struct gtr_sweep_options *options;
    struct gtr_sweep_rows *rows;
    double *out; /* [count][GTR_OBJECTIVE_COUNT] */
    size_t first, count;
    atomic_int stopped;   /* by the caller, or by a failure */
    atomic_int no_memory; /* a failure, for look-backs */
    pthread_mutex_t lock; /* around what follows, and the caller's progress */
    size_t n_done;
};

/* The row of a setting that the plan does not allow; settings count from the sweep's first. */
static inline void gtr_sweep_leave_empty(const struct gtr_sweep_work *work, size_t setting)
{
    size_t k;

    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        work->out[setting * GTR_OBJECTIVE_COUNT + k] = (double)NAN;
}

/* Says that n more settings are done; one at a time. */
static inline void gtr_sweep_report(struct gtr_sweep_work *work, size_t n)
{
    pthread_mutex_lock(&work->lock);
    work->n_done += n;
    if (work->options->progress != NULL && !atomic_load(&work->stopped) &&
        work->options->progress(work->options->context, work->n_done, work->count) != 0)
        atomic_store(&work->stopped, 1);
    pthread_mutex_unlock(&work->lock);
}

/* The whole sweep on the GPUs chosen.  *n_done as in gtr_sweep_run. */
enum gtr_code gtr_sweep_on_gpus(struct gtr_sweep_work *work, const struct gtr_device *chosen,
                                size_t *n_done, struct gtr_err *err);

#endif
