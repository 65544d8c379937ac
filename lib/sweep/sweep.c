/* sweep.c - the settings of a plan, in pieces, on threads; sweep_device.c has them on GPUs.
 *
 * A piece is a run of consecutive settings.  A worker gathers those of it that the plan allows,
 * GTR_SWEEP_LANES of one policy at a time, and puts the results back where they belong; each
 * setting's numbers depend on nothing but itself, so neither pieces nor threads change a bit.
 */
#include "sweep.h"

#include <math.h>

#include "alloc.h"
#include "sweep_block.h"
#include "sweep_work.h"
#include "threads.h"

enum {
    PIECE_MAX = 1024,         /* settings of one piece */
    PIECE_DECISIONS = 1 << 26 /* about a tenth of a second */
};

/* A sweep on CPUs. */
struct sweep {
    struct gtr_sweep_work *work;
    struct gtr_sweep_space *space; /* [workers] */
    size_t piece;
    uint8_t *complete; /* [pieces] */
};

/* Settings that wait to be run together. */
struct batch {
    enum gtr_policy_id policy;
    size_t n;
    size_t setting[GTR_SWEEP_LANES]; /* from the first on */
};

enum gtr_code gtr_sweep_one(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                            enum gtr_policy_id policy, const union gtr_params *params,
                            int scales_only, double objectives[GTR_OBJECTIVE_COUNT],
                            struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_sweep_space space = { 0 };
    struct gtr_sweep_rows *rows;

    rc = gtr_sweep_rows_new(replay, baseline, &rows, err);
    if (rc == GTR_OK)
        rc = gtr_sweep_space_init(&space, rows->n_groups, err);
    if (rc == GTR_OK && !gtr_sweep_block(rows, policy, params, 1, scales_only, GTR_SWEEP_SCALAR,
                                         &space, objectives))
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for look-backs");
    gtr_sweep_space_free(&space);
    gtr_sweep_rows_free(rows);
    return rc;
}

static void run_batch(struct gtr_sweep_work *work, struct batch *batch,
                      struct gtr_sweep_space *space)
{
    double results[GTR_SWEEP_LANES][GTR_OBJECTIVE_COUNT];
    size_t i, k;

    if (!gtr_sweep_block(work->rows, batch->policy, space->params, batch->n,
                         work->options->scales_only, work->options->kernel, space, results[0])) {
        atomic_store(&work->no_memory, 1);
        atomic_store(&work->stopped, 1);
        return;
    }
    for (i = 0; i < batch->n; i++)
        for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
            work->out[batch->setting[i] * GTR_OBJECTIVE_COUNT + k] = results[i][k];
    batch->n = 0;
}

static void run_piece(void *context, size_t item, size_t worker)
{
    struct sweep *sweep = context;
    struct gtr_sweep_work *work = sweep->work;
    struct gtr_sweep_space *space = &sweep->space[worker];
    size_t begin = item * sweep->piece, end = begin + sweep->piece, i;
    struct batch batch = { .n = 0 };

    if (atomic_load(&work->stopped))
        return;
    end = end < work->count ? end : work->count;
    for (i = begin; i < end; i++) {
        size_t setting = work->first + i;
        enum gtr_policy_id policy;

        if (!gtr_plan_allows(work->plan, setting)) {
            gtr_sweep_leave_empty(work, i);
            continue;
        }
        policy = gtr_plan_policy_id(work->plan, gtr_plan_policy_of(work->plan, setting));
        if (batch.n > 0 && (batch.n == GTR_SWEEP_LANES || policy != batch.policy))
            run_batch(work, &batch, space);
        batch.policy = policy;
        gtr_plan_params(work->plan, setting, space->params + batch.n * work->rows->n_groups);
        batch.setting[batch.n++] = i;
    }
    if (batch.n > 0)
        run_batch(work, &batch, space);
    if (atomic_load(&work->no_memory))
        return;
    sweep->complete[item] = 1;
    gtr_sweep_report(work, end - begin);
}

/* Small enough to share out and to stop soon, and whole blocks. */
static size_t piece_size(const struct gtr_sweep_rows *rows)
{
    size_t decisions = rows->n_rows * rows->n_groups;
    size_t n = PIECE_DECISIONS / (decisions > 0 ? decisions : 1);

    n = n / GTR_SWEEP_LANES * GTR_SWEEP_LANES;
    return n > PIECE_MAX ? PIECE_MAX : n < GTR_SWEEP_LANES ? GTR_SWEEP_LANES : n;
}

static enum gtr_code spaces_new(struct sweep *sweep, size_t n_workers, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t w;

    rc = gtr_alloc_for(&sweep->space, n_workers, sizeof *sweep->space, "workers", err);
    for (w = 0; rc == GTR_OK && w < n_workers; w++)
        rc = gtr_sweep_space_init(&sweep->space[w], sweep->work->rows->n_groups, err);
    return rc;
}

static enum gtr_code run_on_threads(struct gtr_sweep_work *work, size_t *n_done,
                                    struct gtr_err *err)
{
    struct sweep sweep = { .work = work, .piece = piece_size(work->rows) };
    size_t n_pieces = (work->count + sweep.piece - 1) / sweep.piece, i;
    size_t n_workers = gtr_threads_count(work->options->n_threads, n_pieces);
    enum gtr_code rc;

    rc = gtr_alloc_for(&sweep.complete, n_pieces, 1, "settings", err);
    if (rc == GTR_OK)
        rc = spaces_new(&sweep, n_workers, err);
    if (rc != GTR_OK)
        goto out;
    gtr_threads_run(n_workers, n_pieces, run_piece, &sweep);
    if (atomic_load(&work->no_memory))
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for look-backs");
    for (i = 0; i < n_pieces && sweep.complete[i]; i++)
        *n_done = (i + 1) * sweep.piece < work->count ? (i + 1) * sweep.piece : work->count;
out:
    for (i = 0; sweep.space != NULL && i < n_workers; i++)
        gtr_sweep_space_free(&sweep.space[i]);
    gtr_free(sweep.space);
    gtr_free(sweep.complete);
    return rc;
}

enum gtr_code gtr_sweep_run(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                            const struct gtr_plan *plan, size_t first, size_t count,
                            const struct gtr_sweep_options *options, double *out, size_t *n_done,
                            struct gtr_err *err)
{
    struct gtr_sweep_work work = {
        .plan = plan, .options = options, .out = out, .first = first, .count = count
    };
    struct gtr_device chosen = { .kind = GTR_DEVICE_CPU };
    enum gtr_code rc;

    *n_done = 0;
    rc = gtr_sweep_rows_new(replay, baseline, &work.rows, err);
    if (rc == GTR_OK && options->kernel == GTR_SWEEP_AUTO)
        rc = gtr_device_choose(
            &options->device,
            (double)count * (double)work.rows->n_groups * (double)work.rows->n_rows, &chosen, err);
    if (rc == GTR_OK) {
        atomic_init(&work.stopped, 0);
        atomic_init(&work.no_memory, 0);
        pthread_mutex_init(&work.lock, NULL);
        rc = chosen.kind == GTR_DEVICE_CUDA ? gtr_sweep_on_gpus(&work, &chosen, n_done, err)
                                            : run_on_threads(&work, n_done, err);
        pthread_mutex_destroy(&work.lock);
    }
    gtr_sweep_rows_free(work.rows);
    return rc;
}
