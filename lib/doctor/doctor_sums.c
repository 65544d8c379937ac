/* doctor_sums.c - are these the norms that the run itself had?
 *
 * A run that clips to C and applied the factor s < 1 had the norm C / s.  With N recorded, the
 * quotient q = N s / C is 1 at every such step.  A constant other than 1 tells what was left in or
 * out; q = s says that N is the norm after clipping.
 */
#include <math.h>
#include <string.h>

#include "doctor_private.h"

/* One way to have recorded another number than the run used. */
struct cause {
    double factor; /* recorded over true; 0: any power of two above 1, -1: one below it */
    double loose;  /* how far off the quotient may be, relatively */
    const char *text;
    const char *advice;
};

enum { CAUSES = 6 };

static size_t list_causes(const struct gtr_head *head, struct cause *causes)
{
    double ranks = (double)head->world_size;
    size_t n = 0;

    if (head->world_size > 1) {
        causes[n++] = (struct cause){ 1.0 / sqrt(ranks), 0.15,
                                      "the norm of one rank's shard, 1 / sqrt(world_size)",
                                      "recording on every rank, or adding up squares over ranks" };
        causes[n++] = (struct cause){ sqrt(ranks), 0.15,
                                      "gradients before they were averaged over ranks, "
                                      "sqrt(world_size)",
                                      "recording after the all-reduce" };
        causes[n++] = (struct cause){ ranks, 0.01, "a sum over ranks instead of a mean, world_size",
                                      "dividing by the world size, or recording what the "
                                      "optimizer gets" };
        causes[n++] = (struct cause){ 1.0 / ranks, 0.01, "a division by world_size too many",
                                      "recording what the optimizer gets" };
    }
    causes[n++] = (struct cause){ 0.0, 0.0, "a loss scale left in, a power of two",
                                  "scaler.unscale_(optimizer) before recording" };
    causes[n++] =
        (struct cause){ -1.0, 0.0,
                        "one over a power of two: what was clipped still had its loss "
                        "scale, what was recorded had not",
                        "scaler.unscale_(optimizer) before clip_grad_norm_: the limit met "
                        "scaled gradients" };
    return n;
}

/* The caller's q may be below 1: then 1 / q. */
static bool is_power_of_two(double q)
{
    double power = 2.0;

    while (power * 1.4 < q)
        power *= 2.0;
    return fabs(q / power - 1.0) < 1e-3;
}

static bool explains(const struct cause *cause, double q)
{
    if (cause->factor > 0.0)
        return fabs(q / cause->factor - 1.0) <= cause->loose;
    return cause->factor < 0.0 ? is_power_of_two(1.0 / q) : is_power_of_two(q);
}

/* Quotients at clipped steps into exam->values and exam->weight; how many, and at how many of them
 * N is the limit. */
static size_t take_quotients(struct gtr_exam *exam, double limit, size_t *n_at_limit)
{
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);
    size_t n = 0, t;

    *n_at_limit = 0;
    for (t = 0; t < exam->series->n_steps; t++) {
        double s = steps[t].applied_scale, norm = exam->series->total[t];

        exam->weight[t] = 0.0;
        if (!gtr_exam_counts(exam, t) || !(s > 0.0) || !(s < 0.999) || !(norm > 0.0))
            continue;
        exam->values[n++] = norm * s / limit;
        exam->weight[t] = 1.0 + fabs(log(norm * s / limit));
        *n_at_limit += fabs(norm / limit - 1.0) < 2e-3 ? 1 : 0;
    }
    return n;
}

/* Steps that the run did not clip although N is above the limit, into exam->weight. */
static size_t count_missed(struct gtr_exam *exam, double limit)
{
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);
    size_t n = 0, t;

    for (t = 0; t < exam->series->n_steps; t++) {
        bool missed = gtr_exam_counts(exam, t) && steps[t].applied_scale == 1.0 &&
                      exam->series->total[t] > limit * (1.0 + gtr_threshold_at(GTR_AT_SUMS));

        exam->weight[t] = missed ? exam->series->total[t] / limit : 0.0;
        n += missed ? 1 : 0;
    }
    return n;
}

static void advise_plainly(struct gtr_finding *f)
{
    gtr_finding_advise(f, "seeing that recorder and clipping see the same tensors, at the same "
                          "point of the step");
    gtr_finding_advise(f, "the max_grad_norm in the trace's meta: is it the one that was used?");
}

/* All the same, but not 1. */
static void tell_factor(struct gtr_exam *exam, double q, size_t n)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    struct cause causes[CAUSES];
    size_t n_causes = list_causes(head, causes), i;
    struct gtr_finding *f = gtr_exam_found(exam, GTR_SEVERE, exam->series->n_groups);

    gtr_finding_say(f,
                    "At the %zu steps that the run clipped, the recorded norm is %.5g times the "
                    "norm that the run had (max_grad_norm / applied scale)",
                    n, q);
    for (i = 0; i < n_causes && !explains(&causes[i], q); i++)
        ;
    if (i < n_causes) {
        gtr_finding_say(f, ".  That is %s", causes[i].text);
        gtr_finding_say(f, causes[i].factor > 0.0 ? " = %.4g." : ".", causes[i].factor);
        gtr_finding_advise(f, "%s", causes[i].advice);
    } else {
        gtr_finding_say(f, ", and always the same.");
        advise_plainly(f);
    }
    gtr_finding_number(f, "factor", q);
    gtr_finding_number(f, "steps", (double)n);
    gtr_finding_advise(f, "multiplying the max_norm of every -p by %.5g, as long as it is so", q);
}

static void tell_disorder(struct gtr_exam *exam, double low, double q, double high, size_t n)
{
    struct gtr_finding *f = gtr_exam_found(exam, GTR_SEVERE, exam->series->n_groups);

    gtr_finding_say(f,
                    "At the %zu steps that the run clipped, the recorded norm is %.3g times the "
                    "norm that the run had (max_grad_norm / applied scale) in the middle, and "
                    "from %.3g to %.3g at 9 of 10 of them.",
                    n, q, low, high);
    gtr_finding_number(f, "factor", q);
    gtr_finding_number(f, "p05", low);
    gtr_finding_number(f, "p95", high);
    gtr_finding_worst(f, exam);
    advise_plainly(f);
}

static void tell_missed(struct gtr_exam *exam, double limit, size_t n)
{
    struct gtr_finding *f = gtr_exam_found(exam, GTR_SEVERE, exam->series->n_groups);

    gtr_finding_say(f,
                    "The run says that it left the gradient as it was at %zu %s at which the "
                    "recorded norm is above its max_grad_norm of %.4g.",
                    n, n == 1 ? "step" : "steps", limit);
    gtr_finding_number(f, "steps", (double)n);
    gtr_finding_worst(f, exam);
    advise_plainly(f);
}

void gtr_check_sums(struct gtr_exam *exam)
{
    double limit = exam->patient->max_norm, loose = gtr_threshold_at(GTR_AT_SUMS), low, q, high;
    size_t n, n_at_limit, n_missed;
    bool shard;

    if (!(limit > 0.0)) {
        gtr_exam_cannot(exam, exam->patient->no_max_norm != NULL
                                  ? exam->patient->no_max_norm
                                  : "the trace does not tell the run's max_grad_norm");
        return;
    }
    n = take_quotients(exam, limit, &n_at_limit);
    /* Norms after clipping are the next check's. */
    if (n > 0 && (double)n_at_limit > 0.9 * (double)n)
        return;
    if ((double)n >= gtr_threshold_at(GTR_AT_SUMS_STEPS)) {
        low = gtr_exam_quantile(exam, n, 0.05);
        q = gtr_exam_quantile(exam, n, 0.5);
        high = gtr_exam_quantile(exam, n, 0.95);
        /* Shards have their shares of a norm, which differ from step to step. */
        shard = gtr_trace_head(exam->patient->trace)->world_size > 1;
        if (high / low - 1.0 > (shard ? 0.5 : 2.0 * loose))
            tell_disorder(exam, low, q, high, n);
        else if (fabs(q - 1.0) > loose)
            tell_factor(exam, q, n);
        return;
    }
    n_missed = count_missed(exam, limit);
    if ((double)n_missed >= gtr_threshold_at(GTR_AT_SUMS_STEPS))
        tell_missed(exam, limit, n_missed);
}

/* --- the others that ask what was recorded ---------------------------------------------------- */

void gtr_check_post_clip(struct gtr_exam *exam)
{
    bool said = strcmp(gtr_trace_head(exam->patient->trace)->grad_state, "post-clip") == 0;
    size_t n = 0, n_pile = 0, t;
    double largest = 0.0, share;
    struct gtr_finding *f;
    char percent[GTR_TELL];
    bool pile;

    for (t = 0; t < exam->series->n_steps; t++)
        if (gtr_exam_counts(exam, t) && exam->series->total[t] > largest)
            largest = exam->series->total[t];
    for (t = 0; t < exam->series->n_steps; t++) {
        n += gtr_exam_counts(exam, t) ? 1 : 0;
        /* A gradient that was recorded again and again is another matter. */
        n_pile += gtr_exam_counts(exam, t) && !exam->facts.repeats[t] &&
                          exam->series->total[t] >= largest * 0.999
                      ? 1
                      : 0;
    }
    share = n > 0 ? (double)n_pile / (double)n : 0.0;
    pile = largest > 0.0 && share >= gtr_threshold_at(GTR_AT_PILE) &&
           (double)n_pile >= gtr_threshold_at(GTR_AT_PILE_STEPS);
    if (!pile && !said)
        return;
    f = gtr_exam_found(exam, said ? GTR_WARNING : GTR_SEVERE, exam->series->n_groups);
    if (pile)
        gtr_finding_say(f,
                        "The global norm is %.4g, its largest, at %s of the steps, and never above "
                        "it: the run had clipped these gradients before they were recorded",
                        largest, gtr_tell_share(share, percent));
    else
        gtr_finding_say(f, "The trace says that it was recorded after the run's own clipping");
    gtr_finding_say(f, pile && !said ? ", and the trace does not say so." : ".");
    gtr_finding_say(f, "  Policies see only what was left.");
    gtr_finding_number(f, "share", share);
    gtr_finding_number(f, "largest", largest);
    gtr_finding_advise(f, "recording before clip_grad_norm_");
    gtr_finding_advise(f, "in the Hugging Face Trainer: max_grad_norm=0 while you record");
}

void gtr_check_unreduced(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    struct gtr_finding *f;

    if (head->world_size <= 1 || strcmp(head->reduction, "none") != 0)
        return;
    f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);
    gtr_finding_say(f,
                    "The trace says that %lld ranks trained, and that nothing was reduced over "
                    "them: these are the norms of rank %lld alone.",
                    (long long)head->world_size, (long long)head->rank);
    gtr_finding_number(f, "world_size", (double)head->world_size);
    gtr_finding_advise(f, "recording after the all-reduce (DDP), or adding up the squares of all "
                          "shards (FSDP, ZeRO)");
}
