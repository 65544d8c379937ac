/* update.c - update replay: scales from decisions, then batch after batch through an engine.
 *
 * Work is cut into calls: some rows of one batch.  While an engine computes one call, a thread of
 * its own reads the next one's elements into the other of two buffers, across batches too.
 */
#include "update.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "alloc.h"
#include "threads.h"
#include "update_parts.h"

/* Elements of one call, in memory or on their way. */
struct load {
    size_t slice; /* which of two */
    size_t first, n_rows;
    void *rows;
    size_t size; /* bytes that rows has room for */
};

struct run {
    struct gtr_trace *trace;
    const struct gtr_update_options *options;
    struct gtr_update_plan plan;
    struct gtr_update_pass pass;
    float *scale;
    uint8_t *skip;
    struct gtr_optimizer_step *steps;
    struct gtr_update *update;
    struct gtr_update_engine *engine;
    struct gtr_update_totals *totals;
    struct gtr_update_share *share;
    struct gtr_update_cursor cursor;
    struct gtr_update_slice slices[2];
    struct load loads[2];
    struct gtr_update_answers answers;
};

/* --- what is the same for all batches --------------------------------------------------------- */

/* Skipped rows do not count as steps of the optimizer. */
static enum gtr_code fill_steps(struct run *run, const struct gtr_replay *replay,
                                struct gtr_err *err)
{
    const uint8_t *replay_skips = gtr_replay_skip(replay);
    const struct gtr_step *recorded = gtr_trace_steps(run->trace);
    size_t n = run->plan.n_rows, n_steps = 0, s;
    struct gtr_optimizer_step *steps = NULL;
    enum gtr_code rc;

    rc = gtr_alloc_for(&steps, n, sizeof *steps, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&run->steps, n, sizeof *run->steps, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&run->skip, n, 1, "steps", err);
    if (rc == GTR_OK) {
        gtr_optimizer_steps(&run->options->optimizer, (int64_t)n, steps);
        for (s = 0; s < n; s++) {
            size_t t = (size_t)run->update->row[s];

            run->skip[s] = replay_skips[t] || recorded[t].skipped;
            if (!run->skip[s])
                run->steps[s] = steps[n_steps++];
        }
    }
    gtr_free(steps);
    return rc;
}

static enum gtr_code fill_scales(struct run *run, const struct gtr_decisions *const *decisions,
                                 struct gtr_err *err)
{
    size_t n_policies = run->plan.n_policies, n_groups = run->update->n_groups, s, g, p;
    enum gtr_code rc;

    rc = gtr_alloc_for(&run->scale, run->plan.n_rows, n_groups * n_policies * sizeof(float),
                       "scales", err);
    if (rc != GTR_OK)
        return rc;
    for (s = 0; s < run->plan.n_rows; s++)
        for (g = 0; g < n_groups; g++)
            for (p = 0; p < n_policies; p++) {
                size_t t = (size_t)run->update->row[s];
                size_t at = g * decisions[p]->n_steps + t;

                if (decisions[p]->flags[at] & GTR_FLAG_SKIPPED)
                    return gtr_fail(err, GTR_EUSAGE,
                                    "%s: the policy leaves out row %lld: a step that only some "
                                    "policies take cannot be replayed through one optimizer yet",
                                    gtr_policy_spec(decisions[p]->policy)->name,
                                    (long long)run->update->row[s]);
                run->scale[(s * n_groups + g) * n_policies + p] = (float)decisions[p]->scale[at];
            }
    return GTR_OK;
}

static enum gtr_code check(const struct run *run, const struct gtr_groups *groups,
                           const struct gtr_replay *replay,
                           const struct gtr_decisions *const *decisions, size_t n_policies,
                           struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const char *path = gtr_trace_path(run->trace);
    size_t n_steps = gtr_trace_n_steps(run->trace), p;

    if (series->n_steps != n_steps)
        return gtr_fail(err, GTR_EUSAGE, "%s: %zu steps, but %zu were replayed", path, n_steps,
                        series->n_steps);
    for (p = 0; p < n_policies; p++)
        if (decisions[p]->n_steps != n_steps || decisions[p]->n_groups != groups->n_groups)
            return gtr_fail(err, GTR_EUSAGE,
                            "%s: decisions of %zu groups x %zu steps, where there are %zu x %zu",
                            path, decisions[p]->n_groups, decisions[p]->n_steps, groups->n_groups,
                            n_steps);
    return gtr_optimizer_check(&run->options->optimizer, err);
}

/* Of each group. */
static enum gtr_code count_blocks(const struct gtr_update_plan *plan, struct gtr_update *update,
                                  struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&update->kept, update->n_groups, sizeof *update->kept, "groups", err);
    if (rc == GTR_OK)
        rc =
            gtr_alloc_for(&update->blocks, update->n_groups, sizeof *update->blocks, "groups", err);
    for (i = 0; rc == GTR_OK && i < plan->n_tensors; i++) {
        update->kept[plan->tensors[i].group] += plan->tensors[i].portion.kept;
        update->blocks[plan->tensors[i].group] += plan->tensors[i].portion.blocks;
    }
    return rc;
}

static enum gtr_code make_update(struct run *run, size_t n_groups, struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(run->trace);
    const struct gtr_update_plan *plan = &run->plan;
    size_t cells = n_groups * plan->n_rows, t;
    struct gtr_update *update;
    enum gtr_code rc;

    rc = gtr_alloc_for(&run->update, 1, sizeof *update, "updates", err);
    if (rc != GTR_OK)
        return rc;
    update = run->update;
    update->n_policies = plan->n_policies;
    update->n_groups = n_groups;
    update->n_rows = plan->n_rows;
    update->captured = plan->elements;
    for (t = 0; t < head->n_tensors; t++)
        update->elements += head->tensors[t].numel;
    rc = gtr_alloc_for(&update->row, plan->n_rows, sizeof *update->row, "rows", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&update->sums, plan->n_policies, cells * sizeof *update->sums, "sums",
                           err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&update->plain, cells, sizeof *update->plain, "sums", err);
    if (rc == GTR_OK && plan->sampled)
        rc = gtr_alloc_for(&update->errors, plan->n_policies, cells * sizeof *update->errors,
                           "errors", err);
    if (rc == GTR_OK && plan->sampled)
        rc = count_blocks(plan, update, err);
    if (rc != GTR_OK)
        return rc;
    memcpy(update->row, gtr_trace_capture_rows(run->trace), plan->n_rows * sizeof *update->row);
    update->complete = plan->n_rows == gtr_trace_n_steps(run->trace);
    for (t = 0; update->complete && t < plan->n_rows; t++)
        update->complete = update->row[t] == (int64_t)t;
    return GTR_OK;
}

static enum gtr_code make_engine(struct run *run, struct gtr_err *err)
{
    struct gtr_device device;
    double steps =
        (double)run->plan.elements * (double)run->plan.n_rows * (double)(run->plan.n_policies + 1);
    enum gtr_code rc;

    run->pass = (struct gtr_update_pass){ .optimizer = run->options->optimizer.id,
                                          .n_policies = run->plan.n_policies,
                                          .n_groups = run->update->n_groups,
                                          .n_rows = run->plan.n_rows,
                                          .scale = run->scale,
                                          .skip = run->skip,
                                          .steps = run->steps,
                                          .moments = run->plan.sampled };
    rc = gtr_device_choose(&run->options->device, steps, &device, err);
    if (rc != GTR_OK)
        return rc;
#ifdef GTR_CUDA
    if (device.kind == GTR_DEVICE_CUDA)
        return gtr_update_cuda_new(&run->pass, device.number > 0 ? device.number : 0, &run->engine,
                                   err);
#endif
    return gtr_update_cpu_new(&run->pass, run->options->n_threads, &run->engine, err);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void free_rows(struct run *run, struct load *load)
{
    if (run->engine != NULL && run->engine->rows_new != NULL)
        run->engine->rows_free(run->engine, load->rows);
    else
        gtr_free(load->rows);
    load->rows = NULL;
    load->size = 0;
}

/* Batches differ little in size: what the first needed does for most. */
static enum gtr_code room_for_rows(struct run *run, struct load *load, struct gtr_err *err)
{
    size_t needed = load->n_rows * run->slices[load->slice].batch.row_bytes;
    enum gtr_code rc = GTR_OK;

    if (needed <= load->size)
        return GTR_OK;
    free_rows(run, load);
    if (run->engine->rows_new == NULL)
        rc = gtr_alloc_for(&load->rows, needed, 1, "bytes of elements", err);
    else if ((load->rows = run->engine->rows_new(run->engine, needed)) == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for %zu bytes of elements", needed);
    if (rc == GTR_OK)
        load->size = needed;
    return rc;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* What comes after `now`: more rows of its batch, or the next batch in the other slice.  n_rows is
 * 0 at the end. */
static enum gtr_code next_load(struct run *run, const struct load *now, struct load *next,
                               struct gtr_err *err)
{
    size_t end = now->first + now->n_rows, left = run->plan.n_rows - end;
    enum gtr_code rc = GTR_OK;

    next->slice = now->slice;
    next->first = end;
    if (left == 0) {
        next->slice = 1 - now->slice;
        next->first = 0;
        left = run->plan.n_rows;
        rc = gtr_update_share_cut(run->share, &run->cursor, &run->slices[next->slice], err);
        if (run->slices[next->slice].batch.n_pieces == 0)
            left = 0;
    }
    next->n_rows = left < run->plan.call_rows ? left : run->plan.call_rows;
    if (rc == GTR_OK && next->n_rows > 0)
        rc = room_for_rows(run, next, err);
    return rc;
}

/* Reads rows first .. first + n_rows - 1 of a slice, ranges on threads. */
struct reader {
    const struct run *run;
    const struct load *load;
    struct gtr_err *errs; /* [workers]; code 0 as long as all went well */
    struct gtr_err err;   /* of all of them */
};

static void read_range(void *context, size_t item, size_t worker)
{
    const struct reader *reader = context;
    const struct load *load = reader->load;
    const struct gtr_update_slice *slice = &reader->run->slices[load->slice];
    const struct gtr_update_range *range = &slice->ranges[item];

    if (reader->errs[worker].code == GTR_OK)
        gtr_trace_read_captured(reader->run->trace, reader->run->plan.tensors[range->tensor].tensor,
                                load->first, load->n_rows, range->first, range->n,
                                (char *)load->rows + range->offset, slice->batch.row_bytes,
                                &reader->errs[worker]);
}

static void *read_load(void *context)
{
    struct reader *reader = context;
    size_t n_ranges = reader->run->slices[reader->load->slice].n_ranges;
    size_t workers = gtr_threads_count(reader->run->options->n_threads, n_ranges), i;

    if (gtr_alloc_for(&reader->errs, workers, sizeof *reader->errs, "readers", &reader->err) ==
        GTR_OK)
        gtr_threads_run(workers, n_ranges, read_range, reader);
    for (i = 0; reader->errs != NULL && i < workers; i++)
        gtr_err_again(&reader->errs[i], &reader->err);
    gtr_free(reader->errs);
    return NULL;
}

static enum gtr_code compute(struct run *run, const struct load *now, struct gtr_err *err)
{
    const struct gtr_update_slice *slice = &run->slices[now->slice];
    enum gtr_code rc = GTR_OK;

    if (now->first == 0)
        rc = run->engine->begin(run->engine, &slice->batch, err);
    if (rc == GTR_OK)
        rc = gtr_update_answers_room(&run->answers, &run->plan,
                                     slice->batch.n_pieces * run->plan.call_rows, err);
    if (rc == GTR_OK)
        rc = run->engine->run(run->engine, now->rows, now->first, now->n_rows, &run->answers.answer,
                              err);
    if (rc == GTR_OK)
        rc = gtr_update_share_add(run->share, slice, now->first, now->n_rows, &run->answers.answer,
                                  err);
    return rc;
}

/* The engine stays with this thread, which a GPU's runtime asks for.  One thread alone, or a system
 * that refuses a second one, reads after computing. */
static enum gtr_code compute_and_read(struct run *run, const struct load *now,
                                      const struct load *next, struct gtr_err *err)
{
    struct reader reader = { .run = run, .load = next };
    pthread_t thread;
    bool together;
    enum gtr_code rc;

    together = next->n_rows > 0 && run->options->n_threads != 1 &&
               pthread_create(&thread, NULL, read_load, &reader) == 0;
    rc = compute(run, now, err);
    if (together)
        pthread_join(thread, NULL);
    else if (next->n_rows > 0 && rc == GTR_OK)
        read_load(&reader);
    return rc == GTR_OK ? gtr_err_again(&reader.err, err) : rc;
}

static enum gtr_code run_all(struct run *run, struct gtr_err *err)
{
    double total = (double)run->plan.elements * (double)run->plan.n_rows, done = 0.0;
    double parts = run->options->n_parts > 1 ? (double)run->options->n_parts : 1.0;
    struct load *now = &run->loads[0], *next = &run->loads[1], *other;
    struct reader reader = { .run = run, .load = now };
    enum gtr_code rc;

    *next = (struct load){ .slice = 1, .first = run->plan.n_rows }; /* as if a batch had ended */
    rc = next_load(run, next, now, err);
    if (rc == GTR_OK && now->n_rows > 0) {
        read_load(&reader);
        rc = gtr_err_again(&reader.err, err);
    }
    while (rc == GTR_OK && now->n_rows > 0) {
        rc = next_load(run, now, next, err);
        if (rc == GTR_OK)
            rc = compute_and_read(run, now, next, err);
        /* The others are about as far. */
        done += (double)run->slices[now->slice].elements * (double)now->n_rows * parts;
        done = done < total ? done : total;
        if (rc == GTR_OK && run->options->progress != NULL &&
            run->options->progress(run->options->context, done, total) != 0)
            rc = gtr_fail(err, GTR_EUSAGE, "stopped");
        other = now;
        now = next;
        next = other;
    }
    return rc;
}

static void run_free(struct run *run)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        free_rows(run, &run->loads[i]);
        gtr_update_slice_free(&run->slices[i]);
    }
    if (run->engine != NULL)
        run->engine->free(run->engine);
    gtr_update_answers_free(&run->answers);
    gtr_update_share_free(run->share);
    gtr_update_totals_free(run->totals);
    gtr_update_plan_free(&run->plan);
    gtr_update_free(run->update);
    gtr_free(run->scale);
    gtr_free(run->skip);
    gtr_free(run->steps);
}

enum gtr_code gtr_update_run(struct gtr_trace *trace, const struct gtr_groups *groups,
                             const struct gtr_replay *replay,
                             const struct gtr_decisions *const *decisions, size_t n_policies,
                             const struct gtr_update_options *options, struct gtr_update **update,
                             struct gtr_err *err)
{
    struct run run = { .trace = trace, .options = options };
    enum gtr_code rc;

    *update = NULL;
    rc = check(&run, groups, replay, decisions, n_policies, err);
    if (rc == GTR_OK)
        rc = gtr_update_plan_init(trace, groups, options, n_policies, &run.plan, err);
    if (rc == GTR_OK)
        rc = make_update(&run, groups->n_groups, err);
    if (rc == GTR_OK)
        rc = fill_steps(&run, replay, err);
    if (rc == GTR_OK)
        rc = fill_scales(&run, decisions, err);
    if (rc == GTR_OK)
        rc = make_engine(&run, err);
    if (rc == GTR_OK)
        rc = gtr_update_totals_new(&run.plan, &run.pass, run.update, &run.totals, err);
    if (rc == GTR_OK)
        rc = gtr_update_share_new(&run.plan, options, run.totals, &run.share, err);
    if (rc == GTR_OK)
        rc = run_all(&run, err);
    if (rc == GTR_OK && options->part == 0) {
        *update = run.update;
        run.update = NULL;
    }
    run_free(&run);
    return rc;
}

void gtr_update_free(struct gtr_update *update)
{
    if (update == NULL)
        return;
    gtr_free(update->row);
    gtr_free(update->sums);
    gtr_free(update->plain);
    gtr_free(update->errors);
    gtr_free(update->kept);
    gtr_free(update->blocks);
    gtr_free(update);
}
