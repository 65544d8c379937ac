/* recorder_late.c - what becomes known of the run while it is recorded.
 *
 * The training thread keeps the newest in the head of the recorder and, in a folder, in the
 * journal; the writer hears of it through the queue, for what of the trace is still to be closed.
 */
#include "recorder.h"

#include "alloc.h"
#include "recorder_private.h"

/* Once there is a trace; before that its head is made of what is known. */
static enum gtr_code tell(struct gtr_recorder *r, struct gtr_err *err)
{
    const struct gtr_late late = { gtr_record_grad_state(r->head.grad_state, NULL),
                                   r->head.total_steps_from != NULL ? "rows" : NULL,
                                   r->head.total_steps };
    enum gtr_code rc;

    if (!r->begun)
        return GTR_OK;
    rc = gtr_writer_secure_know(r->writer, &late, err);
    gtr_recorder_queue_know(r, &late);
    return rc;
}

enum gtr_code gtr_recorder_set_grad_state(struct gtr_recorder *r, const char *grad_state,
                                          struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc == GTR_OK && gtr_record_grad_state(grad_state, err) == NULL)
        rc = GTR_EUSAGE;
    if (rc == GTR_OK)
        rc = gtr_head_set(&r->head.grad_state, grad_state, err);
    return rc == GTR_OK ? tell(r, err) : rc;
}

static enum gtr_code set_total_steps(struct gtr_recorder *r, int64_t total_steps, const char *from,
                                     struct gtr_err *err)
{
    enum gtr_code rc = gtr_head_set(&r->head.total_steps_from, from, err);

    if (rc != GTR_OK)
        return rc;
    r->head.total_steps = r->options.total_steps = total_steps;
    return tell(r, err);
}

enum gtr_code gtr_recorder_set_total_steps(struct gtr_recorder *r, int64_t total_steps,
                                           struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc == GTR_OK && total_steps < 0)
        rc = gtr_fail(err, GTR_EUSAGE, "%s: total_steps %lld: must be 0 or more", r->path,
                      (long long)total_steps);
    return rc == GTR_OK ? set_total_steps(r, total_steps, NULL, err) : rc;
}

/* Steps are counted from 0, as schedules do. */
enum gtr_code gtr_recorder_run_ended(struct gtr_recorder *r, struct gtr_err *err)
{
    enum gtr_code rc;

    if (gtr_record_is_forked(&r->state))
        return GTR_OK;
    rc = gtr_record_failed(&r->state, err);
    if (rc != GTR_OK || r->head.total_steps > 0 || r->n_steps == 0 || r->last_completed < 0 ||
        r->last_completed == INT64_MAX)
        return rc;
    return set_total_steps(r, r->last_completed + 1, "rows", err);
}
