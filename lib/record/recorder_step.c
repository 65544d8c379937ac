/* recorder_step.c - one step at a time from the training loop to the writer.
 *
 * The norms of the step under way wait in rows of one value per tensor until the step is
 * complete; elements go to the writer at once, which commits them with the step.
 */
#define _POSIX_C_SOURCE 200809L
#include "recorder.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "recorder_private.h"
#include "sumsq.h"

static double clock_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static enum gtr_code make_rows(struct gtr_recorder *r, struct gtr_err *err)
{
    size_t n = r->head.n_tensors;
    enum gtr_code rc = GTR_OK;

    if (r->sumsq == NULL)
        rc = gtr_alloc_for(&r->sumsq, n, sizeof *r->sumsq, "sums", err);
    if (rc == GTR_OK && r->maxabs == NULL)
        rc = gtr_alloc_for(&r->maxabs, n, sizeof *r->maxabs, "maxima", err);
    if (rc == GTR_OK && r->nonfinite == NULL)
        rc = gtr_alloc_for(&r->nonfinite, n, sizeof *r->nonfinite, "counts", err);
    if (rc == GTR_OK && r->given == NULL)
        rc = gtr_alloc_for(&r->given, n, sizeof *r->given, "marks", err);
    return rc;
}

static enum gtr_code open_writer(struct gtr_recorder *r, struct gtr_err *err)
{
    const struct gtr_writer_options options = { .force = r->force,
                                                .elements = r->keeps,
                                                .sampling = r->sampling };
    struct gtr_err failure = { 0 };
    enum gtr_code rc = GTR_OK;

    if (r->head.n_tensors == 0)
        return gtr_fail(err, GTR_EUSAGE, "%s: no tensor was declared before the first step",
                        r->path);
    rc = make_rows(r, &failure);
    if (rc == GTR_OK)
        rc = gtr_recorder_elements_init(r, &failure);
    if (rc == GTR_OK)
        rc = gtr_writer_open(r->path, &r->head, &options, &r->writer, &failure);
    return rc == GTR_OK ? rc : gtr_recorder_fail(r, &failure, err);
}

/* Is this one of the steps whose elements are kept? */
static bool captures(const struct gtr_recorder *r, int64_t step)
{
    /* As unsigned, the distance fits whatever the two are. */
    return r->keeps && step >= r->first && step <= r->last &&
           ((uint64_t)step - (uint64_t)r->first) % (uint64_t)r->every == 0;
}

enum gtr_code gtr_recorder_begin(struct gtr_recorder *r, int64_t step, double loss, double lr,
                                 struct gtr_err *err)
{
    enum gtr_code rc = gtr_recorder_failed(r, err);
    double now = clock_seconds();

    if (rc != GTR_OK)
        return rc;
    if (r->in_step)
        return gtr_fail(err, GTR_EUSAGE, "%s: step %" PRId64 ": begins before step %" PRId64
                        " has ended", r->path, step, r->step.index);
    if (r->n_steps > 0 && step <= r->step.index)
        return gtr_fail(err, GTR_EUSAGE, "%s: step %" PRId64 ": comes after step %" PRId64
                        "; step numbers must grow", r->path, step, r->step.index);
    if (r->writer == NULL)
        rc = open_writer(r, err);
    if (rc != GTR_OK)
        return rc;
    if (r->n_steps == 0)
        r->started = now;
    memset(r->sumsq, 0, r->head.n_tensors * sizeof *r->sumsq);
    memset(r->maxabs, 0, r->head.n_tensors * sizeof *r->maxabs);
    memset(r->nonfinite, 0, r->head.n_tensors * sizeof *r->nonfinite);
    memset(r->given, 0, r->head.n_tensors * sizeof *r->given);
    r->step = (struct gtr_step){ .index = step,
                                 .loss = loss,
                                 .lr = lr,
                                 .time = now - r->started,
                                 .applied_scale = (double)NAN };
    r->capturing = captures(r, step);
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
                        r->path, tensor, r->head.tensors[tensor].name, r->step.index);
    return GTR_OK;
}

enum gtr_code gtr_recorder_grad(struct gtr_recorder *r, size_t tensor, const void *elements,
                                struct gtr_err *err)
{
    const struct gtr_tensor *about;
    struct gtr_reduction sum;
    enum gtr_code rc = gtr_recorder_failed(r, err);

    if (rc == GTR_OK)
        rc = check_given(r, tensor, err);
    if (rc != GTR_OK)
        return rc;
    about = &r->head.tensors[tensor];
    if (elements == NULL && about->numel > 0)
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu (%.80s): no elements given; leave out a "
                        "tensor that has no gradient", r->path, tensor, about->name);
    gtr_reduce(about->dtype, elements, about->numel, r->n_threads, &sum);
    if (r->capturing)
        rc = gtr_recorder_keep(r, tensor, elements, err);
    if (rc != GTR_OK)
        return rc;
    r->sumsq[tensor] = sum.sumsq;
    r->maxabs[tensor] = sum.maxabs;
    r->nonfinite[tensor] = sum.nonfinite;
    r->given[tensor] = true;
    return GTR_OK;
}

enum gtr_code gtr_recorder_norm(struct gtr_recorder *r, size_t tensor, double sumsq, float maxabs,
                                uint64_t nonfinite, struct gtr_err *err)
{
    enum gtr_code rc = gtr_recorder_failed(r, err);

    if (rc == GTR_OK)
        rc = check_given(r, tensor, err);
    if (rc != GTR_OK)
        return rc;
    if (!(sumsq >= 0.0) || !(maxabs >= 0.0f))
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu (%.80s): sumsq %g, maxabs %g; both must "
                        "be 0 or more, with NaN and infinite elements left out and counted",
                        r->path, tensor, r->head.tensors[tensor].name, sumsq, (double)maxabs);
    if (nonfinite > r->head.tensors[tensor].numel)
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu (%.80s): nonfinite %" PRIu64
                        "; it has %" PRIu64 " elements", r->path, tensor,
                        r->head.tensors[tensor].name, nonfinite, r->head.tensors[tensor].numel);
    if (r->capturing)
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu (%.80s): step %" PRId64 " keeps elements; "
                        "give them, not their norm", r->path, tensor,
                        r->head.tensors[tensor].name, r->step.index);
    r->sumsq[tensor] = sumsq;
    r->maxabs[tensor] = maxabs;
    r->nonfinite[tensor] = nonfinite;
    r->given[tensor] = true;
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

enum gtr_code gtr_recorder_end(struct gtr_recorder *r, struct gtr_err *err)
{
    struct gtr_err failure = { 0 };
    enum gtr_code rc = gtr_recorder_failed(r, err);

    if (rc != GTR_OK)
        return rc;
    if (!r->in_step)
        return gtr_fail(err, GTR_EUSAGE, "%s: a step ends that has not begun", r->path);
    if (r->capturing)
        rc = keep_zeros(r, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_writer_append(r->writer, &r->step, r->sumsq, r->maxabs, r->nonfinite, NULL, &failure);
    if (rc != GTR_OK)
        return gtr_recorder_fail(r, &failure, err);
    r->in_step = false;
    r->n_steps++;
    return GTR_OK;
}

enum gtr_code gtr_recorder_applied(struct gtr_recorder *r, double scale, bool skipped,
                                   struct gtr_err *err)
{
    struct gtr_err failure = { 0 };
    enum gtr_code rc = gtr_recorder_failed(r, err);

    if (rc != GTR_OK)
        return rc;
    if (r->n_steps == 0 || r->in_step)
        return gtr_fail(err, GTR_EUSAGE, "%s: applied scale: belongs after the end of a step and "
                        "before the next begins", r->path);
    if (scale < 0.0)
        return gtr_fail(err, GTR_EUSAGE, "%s: applied scale %g: must be 0 or more, or NaN if it "
                        "is not known", r->path, scale);
    rc = gtr_writer_amend(r->writer, scale, skipped, &failure);
    return rc == GTR_OK ? rc : gtr_recorder_fail(r, &failure, err);
}
