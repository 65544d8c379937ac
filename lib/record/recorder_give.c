/* recorder_give.c - the gradients of the step under way.
 *
 * Sums and copies are made by the calling thread, straight into the row and the slot of the queue
 * that the step was given when it began.
 */
#include <inttypes.h>
#include <string.h>

#include "recorder_private.h"

/* Where the reduction of a tensor can leave a copy of it: NULL, nowhere. */
static void *copy_to(const struct gtr_recorder *r, size_t tensor)
{
    if (r->row->capture == NULL || r->blocks != NULL)
        return NULL;
    return r->row->capture + r->offsets[tensor];
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

/* A capture that no queue could hold goes to the writer tensor by tensor, while the training thread
 * waits. */
static enum gtr_code keep_direct(struct gtr_recorder *r, size_t tensor, const void *kept,
                                 struct gtr_err *err)
{
    gtr_recorder_queue_direct(r, tensor, kept);
    return gtr_record_failed(&r->state, err);
}

enum gtr_code gtr_recorder_keep(struct gtr_recorder *r, size_t tensor, const void *elements,
                                struct gtr_err *err)
{
    bool gathers = elements == NULL || r->blocks != NULL;

    if (gathers && r->direct)
        gtr_recorder_gather(r, tensor, elements, r->sample);
    else if (gathers && r->row->capture != NULL)
        gtr_recorder_gather(r, tensor, elements, r->row->capture + r->offsets[tensor]);
    return r->direct ? keep_direct(r, tensor, gathers ? r->sample : elements, err) : GTR_OK;
}

/* Elements that are what is kept already. */
static enum gtr_code keep_as_is(struct gtr_recorder *r, size_t tensor, const void *kept,
                                struct gtr_err *err)
{
    size_t n = gtr_recorder_kept_bytes(r, tensor);

    if (r->direct)
        return keep_direct(r, tensor, n > 0 ? kept : r->sample, err);
    if (r->row->capture != NULL && n > 0)
        memcpy(r->row->capture + r->offsets[tensor], kept, n);
    return GTR_OK;
}

static enum gtr_code take(struct gtr_recorder *r, size_t tensor, const void *elements,
                          struct gtr_err *err)
{
    const struct gtr_tensor *about = &r->head.tensors[tensor];
    struct gtr_reduction sum;
    enum gtr_code rc = GTR_OK;

    gtr_reduce_copy(about->dtype, elements, about->numel, (size_t)r->options.n_threads,
                    copy_to(r, tensor), &sum);
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

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
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

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
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

/* Sums that a caller made. */
static enum gtr_code check_sums(const struct gtr_recorder *r, size_t tensor,
                                const struct gtr_reduction *sums, struct gtr_err *err)
{
    const struct gtr_tensor *about = &r->head.tensors[tensor];

    if (!(sums->sumsq >= 0.0) || !(sums->maxabs >= 0.0f))
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %zu (%.80s): sumsq %g, maxabs %g; both must "
                        "be 0 or more, with NaN and infinite elements left out and counted",
                        r->path, tensor, about->name, sums->sumsq, (double)sums->maxabs);
    if (sums->nonfinite > about->numel)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %zu (%.80s): nonfinite %" PRIu64 "; it has %" PRIu64
                        " elements",
                        r->path, tensor, about->name, sums->nonfinite, about->numel);
    return GTR_OK;
}

static enum gtr_code take_reduced(struct gtr_recorder *r, size_t tensor,
                                  const struct gtr_reduction *sums, const void *kept,
                                  struct gtr_err *err)
{
    enum gtr_code rc = check_given(r, tensor, err);

    if (rc == GTR_OK)
        rc = check_sums(r, tensor, sums, err);
    if (rc == GTR_OK && r->row->wanted && kept == NULL && r->head.tensors[tensor].numel > 0)
        rc = gtr_fail(err, GTR_EUSAGE,
                      "%s: tensor %zu (%.80s): step %" PRId64 " keeps elements; "
                      "give them, not their norm alone",
                      r->path, tensor, r->head.tensors[tensor].name, r->last_index);
    if (rc == GTR_OK && r->row->wanted)
        rc = keep_as_is(r, tensor, kept, err);
    if (rc == GTR_OK)
        set_norms(r, tensor, sums->sumsq, sums->maxabs, sums->nonfinite);
    return rc;
}

enum gtr_code gtr_recorder_reduced(struct gtr_recorder *r, size_t n, const size_t *tensors,
                                   const struct gtr_reduction *sums, const void *const *kept,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    size_t k;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    for (k = 0; rc == GTR_OK && k < n; k++)
        rc = take_reduced(r, tensors[k], &sums[k], kept != NULL ? kept[k] : NULL, err);
    return rc;
}

enum gtr_code gtr_recorder_norm(struct gtr_recorder *r, size_t tensor, double sumsq, float maxabs,
                                uint64_t nonfinite, struct gtr_err *err)
{
    const struct gtr_reduction sums = { sumsq, maxabs, nonfinite };

    return gtr_recorder_reduced(r, 1, &tensor, &sums, NULL, err);
}
