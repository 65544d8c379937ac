/* recorder_step.c - one step at a time from the training loop to the queue. */
#include "recorder.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "recorder_private.h"

/* At the first step, when all tensors are known. */
static enum gtr_code start(struct gtr_recorder *r, struct gtr_err *err)
{
    struct gtr_err failure = { 0 };
    enum gtr_code rc;

    if (r->head.n_tensors == 0)
        return gtr_fail(err, GTR_EUSAGE, "%s: no tensor was declared before the first step",
                        r->path);
    r->begun = true;
    rc = gtr_alloc_for(&r->given, r->head.n_tensors, sizeof *r->given, "marks", &failure);
    if (rc == GTR_OK)
        rc = gtr_recorder_elements_init(r, &failure);
    if (rc == GTR_OK)
        rc = gtr_recorder_queue_open(r, &failure);
    if (rc == GTR_OK)
        gtr_recorder_check_disk(r);
    return rc == GTR_OK ? rc : gtr_record_fail(&r->state, &failure, err);
}

bool gtr_recorder_captures(const struct gtr_recorder *r, int64_t step)
{
    const struct gtr_record_options *o = &r->options;

    /* As unsigned, the distance fits whatever the two are. */
    return r->keeps && step >= o->first && step <= o->last &&
           ((uint64_t)step - (uint64_t)o->first) % (uint64_t)o->every == 0;
}

static void clear_row(struct gtr_recorder *r, const struct gtr_step *step)
{
    struct gtr_record_row *row = r->row;
    size_t n = r->head.n_tensors;

    row->step = *step;
    memset(row->sumsq, 0, n * sizeof *row->sumsq);
    memset(row->maxabs, 0, n * sizeof *row->maxabs);
    memset(row->nonfinite, 0, n * sizeof *row->nonfinite);
    memset(r->given, 0, n * sizeof *r->given);
}

enum gtr_code gtr_recorder_begin(struct gtr_recorder *r, int64_t step, double loss, double lr,
                                 struct gtr_err *err)
{
    return gtr_recorder_begin_at(r, step, loss, lr, gtr_clock(), err);
}

enum gtr_code gtr_recorder_begin_at(struct gtr_recorder *r, int64_t step, double loss, double lr,
                                    double time, struct gtr_err *err)
{
    struct gtr_step known = { .index = step, .loss = loss, .lr = lr, .applied_scale = (double)NAN };
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc != GTR_OK)
        return rc;
    if (r->in_step)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: step %" PRId64 ": begins before step %" PRId64 " has ended", r->path,
                        step, r->last_index);
    if (r->n_steps > 0 && step <= r->last_index)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: step %" PRId64 ": comes after step %" PRId64
                        "; step numbers must grow",
                        r->path, step, r->last_index);
    if (!r->begun)
        rc = start(r, err);
    if (rc != GTR_OK)
        return rc;
    if (r->n_steps == 0)
        r->started = time;
    known.time = time - r->started;
    gtr_recorder_judge(r);
    r->row = gtr_recorder_queue_begin(r, gtr_recorder_captures(r, step));
    if (r->row == NULL)
        return gtr_record_failed(&r->state, err);
    clear_row(r, &known);
    r->last_index = step;
    r->in_step = true;
    r->has_rest = false;
    return GTR_OK;
}

enum gtr_code gtr_recorder_rest(struct gtr_recorder *r, double sumsq, struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc != GTR_OK)
        return rc;
    if (!r->in_step || r->has_rest)
        return gtr_fail(err, GTR_EUSAGE, "%s: rest: belongs into a step, once", r->path);
    if (!(sumsq >= 0.0))
        return gtr_fail(err, GTR_EUSAGE, "%s: step %" PRId64 ": rest %g: is a sum of squares",
                        r->path, r->last_index, sumsq);
    r->row->step.rest = sumsq;
    r->has_rest = true;
    return GTR_OK;
}

/* Tensors without a gradient in a captured step are kept as zeros. */
static enum gtr_code keep_zeros(struct gtr_recorder *r, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < r->head.n_tensors; i++)
        if (!r->given[i])
            rc = gtr_recorder_keep(r, i, NULL, err);
    return rc;
}

/* In a folder of segments the norms are safe from now on, wherever the row waits. */
static enum gtr_code secure(struct gtr_recorder *r, struct gtr_err *err)
{
    const struct gtr_record_row *row = r->row;
    const struct gtr_row norms = { &row->step, row->sumsq, row->maxabs, row->nonfinite, NULL };
    struct gtr_err failure = { 0 };

    if (gtr_writer_secure(r->writer, &norms, &failure) == GTR_OK)
        return GTR_OK;
    return gtr_record_fail(&r->state, &failure, err);
}

enum gtr_code gtr_recorder_end(struct gtr_recorder *r, struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc != GTR_OK)
        return rc;
    if (!r->in_step)
        return gtr_fail(err, GTR_EUSAGE, "%s: a step ends that has not begun", r->path);
    if (r->row->wanted)
        rc = keep_zeros(r, err);
    if (rc != GTR_OK)
        return rc;
    rc = secure(r, err);
    if (rc != GTR_OK)
        return rc;
    r->in_step = false;
    r->last_completed = r->last_index;
    r->n_steps++;
    r->spikes.judged = false;
    gtr_recorder_queue_end(r);
    return GTR_OK;
}

enum gtr_code gtr_recorder_applied(struct gtr_recorder *r, double scale, bool skipped,
                                   struct gtr_err *err)
{
    struct gtr_err failure = { 0 };
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc != GTR_OK)
        return rc;
    if (r->n_steps == 0 || r->in_step)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: applied scale: belongs after the end of a step and "
                        "before the next begins",
                        r->path);
    if (r->queue.final)
        return gtr_fail(err, GTR_EUSAGE, "%s: applied scale: told twice for step %" PRId64, r->path,
                        r->last_index);
    if (scale < 0.0)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: applied scale %g: must be 0 or more, or NaN if it is not known",
                        r->path, scale);
    if (gtr_writer_secure_amend(r->writer, scale, skipped, &failure) != GTR_OK)
        return gtr_record_fail(&r->state, &failure, err);
    gtr_recorder_queue_amend(r, scale, skipped);
    return GTR_OK;
}
