/* recorder_step.c - one step at a time from the training loop to the queue.
 *
 * Sums and copies are made by the calling thread, straight into the row and the slot of the queue
 * that the step was given when it began.
 */
#include "recorder.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "journal.h"
#include "recorder_private.h"
#include "sumsq.h"

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
    r->started = gtr_recorder_clock();
    return rc == GTR_OK ? rc : gtr_recorder_fail(r, &failure, err);
}

/* Is this one of the steps whose elements are kept? */
static bool captures(const struct gtr_recorder *r, int64_t step)
{
    /* As unsigned, the distance fits whatever the two are. */
    const struct gtr_record_options *o = &r->options;

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
    struct gtr_step known = { .index = step, .loss = loss, .lr = lr, .applied_scale = (double)NAN };
    enum gtr_code rc;
    double now = gtr_recorder_clock();

    if (gtr_recorder_is_forked(r))
        return GTR_OK;
    rc = gtr_recorder_failed(r, err);
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
    known.time = r->n_steps > 0 ? now - r->started : 0.0;
    gtr_recorder_judge(r);
    r->row = gtr_recorder_queue_begin(r, captures(r, step));
    if (r->row == NULL)
        return gtr_recorder_failed(r, err);
    clear_row(r, &known);
    r->last_index = step;
    r->in_step = true;
    return GTR_OK;
}

/* May this tensor be given now? */
static enum gtr_code check_given(const struct gtr_recorder *r, size_t tensor, struct gtr_err *err)
{
    if (!r->in_step)
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu: given outside a step; begin one first",
                        r->path, tensor);
    if (tensor >= r->head.n_tensors)
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu: must be from 0 to %zu", r->path, tensor,
                        r->head.n_tensors - 1);
    if (r->given[tensor])
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu (%.80s): given twice in step %" PRId64,
                        r->path, tensor, r->head.tensors[tensor].name, r->last_index);
    return GTR_OK;
}

static void set_norms(struct gtr_recorder *r, size_t tensor, double sumsq, float maxabs,
                      uint64_t nonfinite)
{
    r->row->sumsq[tensor] = sumsq;
    r->row->maxabs[tensor] = maxabs;
    r->row->nonfinite[tensor] = nonfinite;
    r->given[tensor] = true;
}

static enum gtr_code take(struct gtr_recorder *r, size_t tensor, const void *elements,
                          struct gtr_err *err)
{
    const struct gtr_tensor *about = &r->head.tensors[tensor];
    struct gtr_reduction sum;
    enum gtr_code rc = GTR_OK;

    gtr_reduce_copy(about->dtype, elements, about->numel, (size_t)r->options.n_threads,
                    gtr_recorder_copy_to(r, tensor), &sum);
    if (r->row->wanted)
        rc = gtr_recorder_keep(r, tensor, elements, err);
    if (rc == GTR_OK)
        set_norms(r, tensor, sum.sumsq, sum.maxabs, sum.nonfinite);
    return rc;
}

enum gtr_code gtr_recorder_grad(struct gtr_recorder *r, size_t tensor, const void *elements,
                                struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_recorder_is_forked(r))
        return GTR_OK;
    rc = gtr_recorder_failed(r, err);
    if (rc == GTR_OK)
        rc = check_given(r, tensor, err);
    if (rc != GTR_OK)
        return rc;
    if (elements == NULL && r->head.tensors[tensor].numel > 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %zu (%.80s): no elements given; leave out a "
                        "tensor that has no gradient",
                        r->path, tensor, r->head.tensors[tensor].name);
    return take(r, tensor, elements, err);
}

enum gtr_code gtr_recorder_grads(struct gtr_recorder *r, const void *const *elements,
                                 struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    if (gtr_recorder_is_forked(r))
        return GTR_OK;
    rc = gtr_recorder_failed(r, err);
    if (rc == GTR_OK && !r->in_step)
        rc = check_given(r, 0, err);
    for (i = 0; rc == GTR_OK && i < r->head.n_tensors; i++) {
        if (elements[i] == NULL)
            continue;
        rc = check_given(r, i, err);
        if (rc == GTR_OK)
            rc = take(r, i, elements[i], err);
    }
    return rc;
}

enum gtr_code gtr_recorder_norm(struct gtr_recorder *r, size_t tensor, double sumsq, float maxabs,
                                uint64_t nonfinite, struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_recorder_is_forked(r))
        return GTR_OK;
    rc = gtr_recorder_failed(r, err);
    if (rc == GTR_OK)
        rc = check_given(r, tensor, err);
    if (rc != GTR_OK)
        return rc;
    if (!(sumsq >= 0.0) || !(maxabs >= 0.0f))
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %zu (%.80s): sumsq %g, maxabs %g; both must "
                        "be 0 or more, with NaN and infinite elements left out and counted",
                        r->path, tensor, r->head.tensors[tensor].name, sumsq, (double)maxabs);
    if (nonfinite > r->head.tensors[tensor].numel)
        return gtr_fail(
            err, GTR_EUSAGE,
            "%s: tensor %zu (%.80s): nonfinite %" PRIu64 "; it has %" PRIu64 " elements", r->path,
            tensor, r->head.tensors[tensor].name, nonfinite, r->head.tensors[tensor].numel);
    if (r->row->wanted)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %zu (%.80s): step %" PRId64 " keeps elements; "
                        "give them, not their norm",
                        r->path, tensor, r->head.tensors[tensor].name, r->last_index);
    set_norms(r, tensor, sumsq, maxabs, nonfinite);
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

    if (r->journal == NULL || gtr_journal_append(r->journal, &norms, &failure) == GTR_OK)
        return GTR_OK;
    return gtr_recorder_fail(r, &failure, err);
}

enum gtr_code gtr_recorder_end(struct gtr_recorder *r, struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_recorder_is_forked(r))
        return GTR_OK;
    rc = gtr_recorder_failed(r, err);
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

    if (gtr_recorder_is_forked(r))
        return GTR_OK;
    rc = gtr_recorder_failed(r, err);
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
                        "%s: applied scale %g: must be 0 or more, or NaN if it "
                        "is not known",
                        r->path, scale);
    if (r->journal != NULL && gtr_journal_amend(r->journal, scale, skipped, &failure) != GTR_OK)
        return gtr_recorder_fail(r, &failure, err);
    gtr_recorder_queue_amend(r, scale, skipped);
    return GTR_OK;
}
