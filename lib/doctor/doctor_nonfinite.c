/* doctor_nonfinite.c - steps that are NaN or infinite: how many, where it began, what grew just
 * before. */
#include <math.h>

#include "doctor_private.h"
#include "exact.h"

enum { PAST = 32, JUST_BEFORE = 3 };

/* The tensors that were not finite at the first such step: all of them when the loss itself was,
 * or the weights. */
static void say_first(struct gtr_exam *exam, struct gtr_finding *f)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    const struct gtr_tensor_facts *facts = &exam->facts;
    long long step = (long long)exam->series->index[facts->first_bad];
    size_t n = 0, first = head->n_tensors, i;
    char name[GTR_TELL];

    for (i = head->n_tensors; i-- > 0;)
        if (facts->bad_at_first[i] != 0) {
            n++;
            first = i;
        }
    if (n == 0)
        return;
    if (n == 1)
        gtr_finding_say(f, "  It began at step %lld in %s, alone of %zu tensors.", step,
                        gtr_tell_name(head->tensors[first].name, name), head->n_tensors);
    else if (n == head->n_tensors)
        gtr_finding_say(f,
                        "  It began at step %lld in all %zu tensors: in the forward pass or the "
                        "loss.",
                        step, n);
    else
        gtr_finding_say(f, "  It began at step %lld in %zu of %zu tensors, %s the first.", step, n,
                        head->n_tensors, gtr_tell_name(head->tensors[first].name, name));
    gtr_finding_number(f, "tensors_at_first", (double)n);
}

/* The group that had grown most just before, over its 32 steps before that. */
static void say_growth(struct gtr_exam *exam, struct gtr_finding *f)
{
    size_t n_groups = exam->series->n_groups, grown = n_groups, j, at;
    double most = gtr_ln(3.0);
    char name[GTR_TELL];

    for (j = 0; j < n_groups; j++) {
        double growth;

        gtr_exam_take_group(exam, j);
        for (at = 0; at < exam->group.n && exam->group.row[at] < exam->facts.first_bad;)
            at++;
        if (at < PAST + JUST_BEFORE)
            continue;
        growth = gtr_line_median(&exam->group, at - JUST_BEFORE, at) -
                 gtr_line_median(&exam->group, at - JUST_BEFORE - PAST, at - JUST_BEFORE);
        if (growth <= most)
            continue;
        most = growth;
        grown = j;
    }
    if (grown == n_groups)
        return;
    gtr_finding_say(f, "  Just before, the norm of %s had grown most, %.3g times.",
                    gtr_tell_name(exam->series->names[grown], name), gtr_exp(most));
    gtr_finding_number(f, "growth_before", gtr_exp(most));
}

/* The first of the rows at the end that are none of them finite; T if the last one is. */
static size_t bad_from(const struct gtr_exam *exam)
{
    size_t t = exam->series->n_steps;

    while (t > 0 && exam->series->nonfinite[t - 1])
        t--;
    return t;
}

static void advise(struct gtr_exam *exam, struct gtr_finding *f, bool to_the_end)
{
    long long step = (long long)exam->series->index[exam->facts.first_bad];

    if (to_the_end)
        gtr_finding_advise(f,
                           "going back to a checkpoint from before step %lld: the weights may be "
                           "lost",
                           step);
    if (gtr_exam_is_half(exam))
        gtr_finding_advise(f, "bf16 instead of fp16, or a lower first loss scale");
    gtr_finding_advise(f, "a look at the batch and the loss of step %lld", step);
    gtr_finding_advise(f,
                       "leaving such steps out: if not torch.isfinite(norm), no optimizer.step()");
}

void gtr_check_nonfinite(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);
    size_t n = exam->series->n_nonfinite, n_skipped = 0, worst = 0, end = bad_from(exam), t, i;
    double share = (double)n / (double)exam->series->n_steps;
    bool to_the_end = exam->series->n_steps - end > 1;
    char percent[GTR_TELL], name[GTR_TELL];
    struct gtr_finding *f;

    if (n == 0)
        return;
    for (t = 0; t < exam->series->n_steps; t++) {
        exam->weight[t] = exam->series->nonfinite[t] ? 1.0 : 0.0;
        n_skipped += exam->series->nonfinite[t] && steps[t].skipped ? 1 : 0;
    }
    for (i = 1; i < head->n_tensors; i++)
        if (exam->facts.n_nonfinite[i] > exam->facts.n_nonfinite[worst])
            worst = i;
    f = gtr_exam_found(exam, to_the_end ? GTR_SEVERE : gtr_severe_from(GTR_AT_NONFINITE, share),
                       exam->patient->groups->of_tensor[worst]);
    gtr_finding_say(f, "%zu %s (%s) had NaN or infinite elements", n, n == 1 ? "step" : "steps",
                    gtr_tell_share(share, percent));
    if (exam->facts.n_nonfinite[worst] > 0)
        gtr_finding_say(f, ", most often in %s", gtr_tell_name(head->tensors[worst].name, name));
    if (to_the_end)
        gtr_finding_say(f, "; from step %lld on all of them.", (long long)exam->series->index[end]);
    else if (n_skipped == n)
        gtr_finding_say(f, "; the run left %s out.", n == 1 ? "it" : "all of them");
    else
        gtr_finding_say(f, "; of %zu of them the trace does not say that the run left them out.",
                        n - n_skipped);
    gtr_finding_number(f, "steps", (double)n);
    gtr_finding_number(f, "skipped", (double)n_skipped);
    gtr_finding_number(f, "from_step", (double)exam->series->index[exam->facts.first_bad]);
    gtr_finding_worst(f, exam);
    say_first(exam, f);
    say_growth(exam, f);
    advise(exam, f, to_the_end);
}
