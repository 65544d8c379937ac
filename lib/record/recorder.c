/* recorder.c - opening a recorder, declaring tensors, and the end of it.
 *
 *   open -> tensor* -> begin -> (grad | norm)* -> end -> applied? -> begin -> ... -> close
 *                        ^ the first one starts the writer: only now is the head complete
 */
#include "recorder.h"

#include <inttypes.h>
#include <stdint.h>

#include "alloc.h"
#include "options.h"
#include "recorder_private.h"
#include "trace_private.h"

static void recorder_free(struct gtr_recorder *r)
{
    gtr_recorder_queue_free(r);
    gtr_recorder_elements_free(r);
    gtr_head_free(&r->head);
    gtr_recorder_policy_free(r->spikes.policy);
    gtr_free(r->spikes.waiting);
    gtr_free(r->given);
    gtr_free(r->path);
    gtr_record_state_end(&r->state);
    gtr_free(r);
}

enum gtr_code gtr_recorder_open(const char *path, const struct gtr_record_options *asked,
                                struct gtr_recorder **out, struct gtr_err *err)
{
    struct gtr_record_options options;
    enum gtr_code rc;
    struct gtr_recorder *r = NULL;

    *out = NULL;
    gtr_record_options_init(&options);
    rc = gtr_options_take(&options, asked, "gtr_record_options", err);
    if (rc == GTR_OK)
        rc = gtr_record_options_check(&options, err);
    if (rc == GTR_OK)
        rc = gtr_writer_try(path, options.rank, options.force != 0, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&r, 1, sizeof *r, "recorders", err);
    if (rc != GTR_OK)
        return rc;
    r->options = options;
    if (r->options.queue_bytes == 0)
        r->options.queue_bytes = GTR_QUEUE_BYTES;
    gtr_record_state_init(&r->state);
    r->keeps = options.elements != GTR_ELEMENTS_NONE;
    if (options.elements == GTR_ELEMENTS_BLOCKS)
        r->sampling = (struct gtr_sample){ GTR_SAMPLE_BLOCK, options.fraction, options.seed };
    rc = gtr_format(&r->path, path, err, "%s", path);
    if (rc == GTR_OK)
        rc = gtr_head_init(&r->head, err);
    if (rc == GTR_OK)
        rc = gtr_recorder_policy_new(options.spike_policy, &r->spikes.policy, err);
    if (rc == GTR_OK)
        rc = gtr_record_options_fill(&options, &r->head, err);
    if (rc != GTR_OK) {
        recorder_free(r);
        return rc;
    }
    *out = r;
    return GTR_OK;
}

static enum gtr_code check_tensor(const struct gtr_recorder *r, const char *name, const char *shape,
                                  uint64_t numel, enum gtr_dtype dtype, struct gtr_err *err)
{
    uint64_t product;

    if (name == NULL || *name == '\0')
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %zu: has no name", r->path, r->head.n_tensors);
    if (r->begun)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %.80s: comes after the first step; declare "
                        "all tensors before it",
                        r->path, name);
    if ((unsigned)dtype >= GTR_DTYPE_COUNT)
        return gtr_fail(err, GTR_EUSAGE, "%s: tensor %.80s: dtype %d; must be from 0 to %d",
                        r->path, name, (int)dtype, GTR_DTYPE_COUNT - 1);
    if (shape == NULL || !gtr_shape_numel(shape, &product))
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %.80s: shape %.40s; must be numbers joined "
                        "by x, such as 4096x11008",
                        r->path, name, shape ? shape : "(none)");
    if (product != numel)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %.80s: shape %.40s has %" PRIu64 " elements, not %" PRIu64,
                        r->path, name, shape, product, numel);
    if (numel > PTRDIFF_MAX / gtr_dtype_size(dtype))
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: tensor %.80s: %" PRIu64 " elements are more than memory can hold",
                        r->path, name, numel);
    return GTR_OK;
}

enum gtr_code gtr_recorder_tensor(struct gtr_recorder *r, const char *name, const char *shape,
                                  uint64_t numel, enum gtr_dtype dtype, struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc == GTR_OK)
        rc = check_tensor(r, name, shape, numel, dtype, err);
    if (rc == GTR_OK)
        rc = gtr_head_add_tensor(&r->head, name, shape, numel, dtype, err);
    return rc;
}

enum gtr_code gtr_recorder_param_group(struct gtr_recorder *r, const char *name,
                                       struct gtr_err *err)
{
    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    if (name == NULL || *name == '\0')
        return gtr_fail(err, GTR_EUSAGE, "%s: parameter group: has no name", r->path);
    if (r->begun)
        return gtr_fail(err, GTR_EUSAGE, "%s: parameter group %.80s: comes after the first step",
                        r->path, name);
    return gtr_head_set_param_group(&r->head, name, err);
}

enum gtr_code gtr_recorder_close(struct gtr_recorder *r, struct gtr_err *err)
{
    struct gtr_record_kept kept;

    return gtr_recorder_close_kept(r, &kept, err);
}

enum gtr_code gtr_recorder_close_kept(struct gtr_recorder *r, struct gtr_record_kept *kept,
                                      struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    *kept = (struct gtr_record_kept){ 0 };
    if (r == NULL)
        return GTR_OK;
    if (!gtr_record_is_forked(&r->state)) {
        gtr_recorder_queue_close(r, false);
        if (atomic_load(&r->state.failed))
            rc = gtr_record_failed(&r->state, err);
        if (rc == GTR_OK && r->n_steps == 0)
            rc = gtr_fail(err, GTR_EUSAGE, "%s: no step was completed, so there is no file",
                          r->path);
        *kept = r->kept;
    }
    recorder_free(r);
    return rc;
}

void gtr_recorder_stop(struct gtr_recorder *r, const char *why)
{
    if (!gtr_record_is_forked(&r->state))
        gtr_fail(&r->state.stopped, GTR_EUSAGE, "%s", why);
}

void gtr_recorder_abandon(struct gtr_recorder *r)
{
    if (r == NULL)
        return;
    if (!gtr_record_is_forked(&r->state))
        gtr_recorder_queue_close(r, true);
    recorder_free(r);
}
