/* recorder_spikes.c - which captures of a flight recorder are written.
 *
 * Rows wait undecided, their elements in the queue, as long as a spike may still want them:
 *
 *     ... written | c . c . c . c |  row under way         c: elements wait, . : none
 *                   ^ oldest of at most W captures, and at most `reach` rows back
 *
 * A spike decides for all that wait and for the W captures after it.  Without one the oldest loses
 * its elements.  So at most W captures wait while one more is under way.
 */
#include <float.h>
#include <math.h>

#include "alloc.h"
#include "recorder_private.h"

enum { REACH_MOST = 1 << 20 }; /* rows; what they hold is checked by the queue */

enum gtr_code gtr_recorder_spikes_init(struct gtr_recorder *r, struct gtr_err *err)
{
    const struct gtr_record_options *o = &r->options;
    struct gtr_record_spikes *s = &r->spikes;
    enum gtr_code rc;

    s->scale = o->spike_scale;
    s->average = (struct gtr_baseline_options){ .decay = o->spike_decay,
                                                .kappa = o->spike_kappa,
                                                .warmup = o->spike_warmup };
    s->judged = true;
    if (s->around == 0)
        return GTR_OK;
    if ((uint64_t)o->every > REACH_MOST / s->around)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: around_spikes %zu: with every %lld that reaches back "
                        "more than %d steps; lower one of them",
                        r->path, s->around, (long long)o->every, (int)REACH_MOST);
    s->reach = (uint64_t)o->every * s->around;
    rc = gtr_recorder_policy_begin(s->policy, &r->head, err);
    return rc != GTR_OK
               ? rc
               : gtr_alloc_for(&s->waiting, s->around + 1, sizeof *s->waiting, "captures", err);
}

static bool is_spike(struct gtr_recorder *r)
{
    struct gtr_record_spikes *s = &r->spikes;
    const struct gtr_record_row *row = r->row;
    double energy = 0.0, expected, scale;
    uint64_t bad = 0;
    size_t i;

    for (i = 0; i < r->head.n_tensors; i++) {
        energy += row->sumsq[i];
        bad += row->nonfinite[i];
    }
    energy += row->step.rest;
    if (bad > 0 || !(energy <= DBL_MAX))
        return true; /* and is no norm that an average could take in */
    expected = gtr_follower_expected(&s->past, &s->average);
    gtr_follower_add(&s->past, &s->average, sqrt(energy));
    scale = gtr_recorder_policy_step(s->policy, &r->head, &row->step, row->sumsq);
    return (expected >= 0.0 && energy > expected) || scale < s->scale ||
           row->step.applied_scale < s->scale;
}

static void forget_oldest(struct gtr_recorder *r)
{
    struct gtr_record_spikes *s = &r->spikes;

    gtr_recorder_queue_discard(r, s->waiting[s->first]);
    s->first = (s->first + 1) % (s->around + 1);
    s->n_waiting--;
}

void gtr_recorder_judge(struct gtr_recorder *r)
{
    struct gtr_record_spikes *s = &r->spikes;
    uint64_t number = r->n_steps - 1; /* of the last row that ended */

    if (s->around == 0 || s->judged)
        return;
    s->judged = true;
    if (is_spike(r)) {
        r->queue.progress.spikes++;
        s->n_waiting = 0;
        s->after = s->around;
    } else if (s->after > 0) {
        s->after -= r->row->wanted;
    } else if (r->row->wanted) {
        s->waiting[(s->first + s->n_waiting) % (s->around + 1)] = number;
        s->n_waiting++;
    }
    while (s->n_waiting > s->around ||
           (s->n_waiting > 0 && number - s->waiting[s->first] >= s->reach))
        forget_oldest(r);
    gtr_recorder_queue_decide(r, s->n_waiting > 0 ? s->waiting[s->first] : number + 1);
}

void gtr_recorder_judge_all(struct gtr_recorder *r)
{
    if (r->spikes.around == 0 || r->n_steps == 0)
        return;
    gtr_recorder_judge(r);
    while (r->spikes.n_waiting > 0)
        forget_oldest(r);
    gtr_recorder_queue_decide(r, r->n_steps);
}
