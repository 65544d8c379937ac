/* doctor_fading.c - tensors whose gradient ends, or fades to nothing, whatever the grouping.
 *
 * A tensor's level is ln of its norm over that of the whole gradient, averaged over each tenth of
 * the run: what all tensors do together cancels.  Of matrices, whose elements are many, the levels
 * per element are compared with each other as well: a deep stack that shrinks its gradients layer
 * by layer has fractions of millionths at its start.
 */
#include <math.h>
#include <string.h>

#include "doctor_private.h"
#include "exact.h"

/* --- ended ------------------------------------------------------------------------------------ */

void gtr_check_dead(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    const struct gtr_tensor_facts *facts = &exam->facts;
    size_t n_steps = exam->series->n_steps, n = 0, first = 0, earliest = n_steps, i;
    double least = gtr_threshold_at(GTR_AT_DEAD_SHARE) * (double)n_steps;
    double apart = gtr_threshold_at(GTR_AT_DEAD_TIMES) * (double)facts->longest_break;
    struct gtr_finding *f;
    char name[GTR_TELL];

    least = apart > least ? apart : least;
    for (i = head->n_tensors; i-- > 0;) {
        size_t silent = n_steps - facts->silent_from[i];

        /* Those that never had one are the check of silent tensors'. */
        if (facts->silent[i] || silent < 10 || (double)silent < least)
            continue;
        n++;
        if (facts->silent_from[i] <= earliest) {
            first = i;
            earliest = facts->silent_from[i];
        }
    }
    if (n == 0)
        return;
    f = gtr_exam_found(exam, GTR_WARNING, exam->patient->groups->of_tensor[first]);
    gtr_finding_say(f, "The gradient of %s", gtr_tell_name(head->tensors[first].name, name));
    if (n > 1)
        gtr_finding_say(f, " and of %zu more of %zu tensors", n - 1, head->n_tensors);
    gtr_finding_say(f, " is exactly 0 from step %lld to the end, and was not before.",
                    (long long)exam->series->index[earliest]);
    gtr_finding_number(f, "tensors", (double)n);
    gtr_finding_number(f, "from_step", (double)exam->series->index[earliest]);
    gtr_finding_advise(f,
                       "a look at step %lld: weights frozen on the way, a detach(), units that "
                       "are never active any more%s",
                       (long long)exam->series->index[earliest],
                       gtr_exam_is_half(exam) ? ", fp16 underflow" : "");
}

/* --- faded ------------------------------------------------------------------------------------ */

struct fading {
    size_t tensor, n;     /* the one that faded most, and how many */
    double before, after; /* its levels */
};

static double level_of(const struct gtr_tensor_facts *facts, size_t tensor, size_t part)
{
    size_t at = tensor * GTR_TENSOR_PARTS + part;

    return facts->n_levels[at] > 0 ? facts->level[at] / facts->n_levels[at] : (double)NAN;
}

/* The widest gap between what all tenths before some tenth have at least, and what all after it
 * have at most. */
static double find_gap(const struct gtr_tensor_facts *facts, size_t tensor, double *before,
                       double *after)
{
    double widest = 0.0;
    size_t split, part;

    for (split = 2; split + 1 < GTR_TENSOR_PARTS; split++) {
        double low = HUGE_VAL, high = -HUGE_VAL;

        for (part = 1; part < GTR_TENSOR_PARTS; part++) {
            double level = level_of(facts, tensor, part);

            /* In the tenth of the split it is both. */
            if (part < split && level < low)
                low = level;
            if (part > split && level > high)
                high = level;
        }
        if (!isinf(low) && !isinf(high) && low - high > widest) {
            widest = low - high;
            *before = low;
            *after = high;
        }
    }
    return widest;
}

/* The last tenth against the least of the second to fourth. */
static double find_slow_gap(const struct gtr_tensor_facts *facts, size_t tensor, double *before,
                            double *after)
{
    double low = HUGE_VAL, last = level_of(facts, tensor, GTR_TENSOR_PARTS - 1);
    size_t part;

    for (part = 1; part < 4; part++)
        low = level_of(facts, tensor, part) < low ? level_of(facts, tensor, part) : low;
    if (isinf(low) || isnan(last))
        return 0.0;
    *before = low;
    *after = last;
    return low - last;
}

static void tell_faded(struct gtr_exam *exam, const struct fading *fading, size_t row)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    struct gtr_finding *f =
        gtr_exam_found(exam, GTR_WARNING, exam->patient->groups->of_tensor[fading->tensor]);
    char name[GTR_TELL];

    gtr_finding_say(f, "The gradient of %s",
                    gtr_tell_name(head->tensors[fading->tensor].name, name));
    if (fading->n > 1)
        gtr_finding_say(f, ", and of %zu more of %zu tensors,", fading->n - 1, head->n_tensors);
    gtr_finding_say(f,
                    " fades at step %lld: from %.2g of the norm of the whole gradient to %.2g, "
                    "and stays there.",
                    (long long)exam->series->index[row], gtr_exp(fading->before),
                    gtr_exp(fading->after));
    gtr_finding_number(f, "from_step", (double)exam->series->index[row]);
    gtr_finding_number(f, "share_before", gtr_exp(fading->before));
    gtr_finding_number(f, "share_after", gtr_exp(fading->after));
    gtr_finding_number(f, "tensors", (double)fading->n);
    gtr_finding_advise(f,
                       "a look at step %lld: units or gates that saturate, a weight or a branch "
                       "that shrinks to nothing",
                       (long long)exam->series->index[row]);
}

static bool check_faded(struct gtr_exam *exam)
{
    size_t n = gtr_trace_head(exam->patient->trace)->n_tensors, i, row = 0;
    double least = gtr_ln(gtr_threshold_at(GTR_AT_FADED)), widest = 0.0;
    struct fading fading = { .n = 0 };

    for (i = 0; i < n; i++) {
        double before = 0.0, after = 0.0, gap = find_gap(&exam->facts, i, &before, &after);

        if (gap < least) {
            gap = find_slow_gap(&exam->facts, i, &before, &after);
            if (gap < gtr_ln(gtr_threshold_at(GTR_AT_FADED_SLOWLY)))
                continue;
        }
        fading.n++;
        if (gap <= widest)
            continue;
        widest = gap;
        fading.tensor = i;
        fading.before = before;
        fading.after = after;
    }
    if (fading.n == 0)
        return false;
    exam->rc = gtr_exam_fading_row(exam, fading.tensor, 0.5 * (fading.before + fading.after), &row,
                                   exam->err);
    if (exam->rc == GTR_OK)
        tell_faded(exam, &fading, row);
    return true;
}

/* --- vanished on the way back ----------------------------------------------------------------- */

/* ln of the norm per root of an element, over that of the whole gradient, on average; NaN of
 * what is no matrix: a bias may have no gradient by construction, as that of attention keys. */
static double element_level(const struct gtr_exam *exam, size_t tensor)
{
    const struct gtr_tensor *t = &gtr_trace_head(exam->patient->trace)->tensors[tensor];
    double sum = 0.0;
    size_t n = 0, part;

    for (part = 1; part < GTR_TENSOR_PARTS; part++) {
        double level = level_of(&exam->facts, tensor, part);

        if (isnan(level))
            continue;
        sum += level;
        n++;
    }
    if (n < GTR_TENSOR_PARTS / 2 || t->numel == 0 || strchr(t->shape, 'x') == NULL)
        return (double)NAN;
    return sum / (double)n - 0.5 * gtr_ln((double)t->numel);
}

static void check_vanished(struct gtr_exam *exam)
{
    const struct gtr_head *head = gtr_trace_head(exam->patient->trace);
    size_t n = 0, most = head->n_tensors, least = most, i;
    double highest = -HUGE_VAL, lowest = HUGE_VAL, limit;
    char name[GTR_TELL], other[GTR_TELL];
    struct gtr_finding *f;

    for (i = 0; i < head->n_tensors; i++) {
        double level = element_level(exam, i);

        if (level > highest) {
            highest = level;
            most = i;
        }
        if (level < lowest) {
            lowest = level;
            least = i;
        }
    }
    limit = highest + gtr_ln(gtr_threshold_at(GTR_AT_VANISHED));
    if (most == head->n_tensors || lowest > limit)
        return;
    for (i = 0; i < head->n_tensors; i++)
        n += element_level(exam, i) <= limit ? 1 : 0;
    f = gtr_exam_found(exam, GTR_WARNING, exam->patient->groups->of_tensor[least]);
    gtr_finding_say(f, "The gradient of %s is %.2g times that of %s, element by element, all along",
                    gtr_tell_name(head->tensors[least].name, name), gtr_exp(lowest - highest),
                    gtr_tell_name(head->tensors[most].name, other));
    if (n > 1)
        gtr_finding_say(f, "; %zu more of %zu tensors have less than %g times", n - 1,
                        head->n_tensors, gtr_threshold_at(GTR_AT_VANISHED));
    gtr_finding_say(f, ".  Next to nothing reaches %s.", n > 1 ? "them" : "it");
    gtr_finding_number(f, "ratio", gtr_exp(lowest - highest));
    gtr_finding_number(f, "tensors", (double)n);
    gtr_finding_advise(f, "normalisation or residual connections, another initialisation, or units "
                          "that do not saturate");
}

void gtr_check_vanishing(struct gtr_exam *exam)
{
    if (exam->total.n < 4 * GTR_TENSOR_PARTS)
        gtr_exam_not_made(exam, 4 * GTR_TENSOR_PARTS, exam->total.n);
    else if (!check_faded(exam))
        check_vanished(exam);
}
