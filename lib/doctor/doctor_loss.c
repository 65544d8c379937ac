/* doctor_loss.c - the loss beside the norms: not a number, above its past, above where it was.
 *
 * Only a loss that is positive throughout has a height to compare; one of policy gradients goes
 * both ways and says nothing by itself.
 */
#include <math.h>

#include "doctor_private.h"
#include "exact.h"

enum { PARTS = 10, PAST = 32 };

static size_t entry_at_or_after(const struct gtr_line *line, size_t row)
{
    size_t i = 0;

    while (i < line->n && line->row[i] < row)
        i++;
    return i;
}

double gtr_exam_loss_around(const struct gtr_exam *exam, size_t from_row, size_t to_row)
{
    size_t from = entry_at_or_after(&exam->loss, from_row);
    size_t to = entry_at_or_after(&exam->loss, to_row);

    return to > from ? gtr_line_median(&exam->loss, from, to) : (double)NAN;
}

/* --- not a number ----------------------------------------------------------------------------- */

/* Rows without a finite loss, though the loss is known at nearly all others.  An unknown loss is
 * NaN in a trace as one that is NaN: where it is seldom logged nothing can be told. */
static bool tell_not_finite(struct gtr_exam *exam)
{
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);
    size_t n_steps = exam->series->n_steps, n = 0, first = n_steps, since = n_steps, t;
    struct gtr_finding *f;

    for (t = 0; t < n_steps; t++) {
        bool bad = !isfinite(steps[t].loss);

        exam->weight[t] = bad ? 1.0 : 0.0;
        n += bad ? 1 : 0;
        first = bad && first == n_steps ? t : first;
        since = !bad ? n_steps : since == n_steps ? t : since;
    }
    /* Known before, at 9 of 10 of the rows up to the first of the last spell. */
    if (n == 0 || exam->loss.n == 0 ||
        10 * exam->loss.n < 9 * (since < n_steps && since > 0 ? since : n_steps))
        return false;
    f = gtr_exam_found(exam, since < n_steps && n_steps - since > 1 ? GTR_SEVERE : GTR_WARNING,
                       exam->series->n_groups);
    if (since < n_steps)
        gtr_finding_say(f, "The loss is infinite or not a number from step %lld to the end",
                        (long long)exam->series->index[since]);
    else
        gtr_finding_say(f, "The loss is infinite or not a number at %zu %s", n,
                        n == 1 ? "step" : "steps");
    gtr_finding_say(f, ".");
    gtr_finding_number(f, "from_step",
                       (double)exam->series->index[since < n_steps ? since : first]);
    gtr_finding_number(f, "steps", (double)n);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "a look at the batch of the first of these steps, and at logarithms, "
                          "roots and divisions in the loss");
    return true;
}

/* --- above its past --------------------------------------------------------------------------- */

/* Heights above the median of the last 32 in exam->weight; how many. */
static size_t find_high_losses(struct gtr_exam *exam)
{
    const struct gtr_line *loss = &exam->loss;
    double first = gtr_line_median(loss, 0, 4);
    size_t n = 0, i, t;

    for (t = 0; t < exam->series->n_steps; t++)
        exam->weight[t] = 0.0;
    for (i = PAST; i < loss->n; i++) {
        double median = gtr_line_median(loss, i - PAST, i);
        double noise = gtr_line_deviation(loss, i - PAST, i);

        if (loss->x[i] <= gtr_threshold_at(GTR_AT_LOSS_RATIO) * median ||
            loss->x[i] - median <= gtr_threshold_at(GTR_AT_LOSS_SIGMAS) * noise ||
            loss->x[i] - median <= gtr_threshold_at(GTR_AT_LOSS_BACK) * (first - median))
            continue;
        exam->weight[loss->row[i]] = loss->x[i] / median;
        n++;
    }
    return n;
}

static void tell_high_losses(struct gtr_exam *exam, size_t n)
{
    struct gtr_finding *f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);
    double most = 0.0;
    size_t worst = 0, t;

    for (t = 0; t < exam->series->n_steps; t++)
        if (exam->weight[t] > most) {
            most = exam->weight[t];
            worst = t;
        }
    gtr_finding_say(f,
                    "At %zu %s the loss is far above its last %d, most at step %lld: %.3g times "
                    "their median",
                    n, n == 1 ? "step" : "steps", PAST, (long long)exam->series->index[worst],
                    most);
    if (exam->rise[worst] > 0.0)
        gtr_finding_say(f, ", where the norm is %.3g times its own", exam->rise[worst]);
    gtr_finding_say(f, ".");
    gtr_finding_number(f, "steps", (double)n);
    gtr_finding_number(f, "ratio", most);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "a look at the batches of these steps, and of the step before each");
}

/* A loss that jumps and stays up for a while, though it may come back. */
static bool find_loss_jump(const struct gtr_exam *exam, struct gtr_jump *jump)
{
    double size;

    if (!gtr_line_jump(&exam->loss, exam->loss.n / 10, exam->loss.n, jump))
        return false;
    size = jump->after - jump->before;
    return size >= gtr_threshold_at(GTR_AT_DIVERGED) * exam->loss_learnt &&
           size >= 3.0 * jump->noise &&
           jump->after >= gtr_threshold_at(GTR_AT_LOSS_JUMP) * jump->before;
}

/* A loss that falls at once, though it had settled: nothing is learnt so fast. */
static bool find_loss_fall(const struct gtr_exam *exam, struct gtr_jump *jump)
{
    return gtr_line_jump(&exam->loss, exam->loss.n / 5, exam->loss.n, jump) &&
           jump->before - jump->after >= gtr_threshold_at(GTR_AT_LOSS_FALL) * exam->loss_learnt &&
           jump->after <= gtr_threshold_at(GTR_AT_LEVEL_LOSS) * jump->before &&
           jump->before - jump->after >= 4.0 * jump->noise;
}

static void tell_loss_fall(struct gtr_exam *exam, const struct gtr_jump *jump)
{
    struct gtr_finding *f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);
    long long step = (long long)exam->series->index[exam->loss.row[jump->at]];

    gtr_finding_say(f, "The loss falls from %.3g to %.3g within a few steps, at step %lld.",
                    jump->before, jump->after, step);
    gtr_finding_number(f, "from_step", (double)step);
    gtr_finding_number(f, "within", (double)gtr_line_window(exam->loss.n));
    gtr_finding_number(f, "loss_before", jump->before);
    gtr_finding_number(f, "loss_after", jump->after);
    gtr_finding_advise(f, "a look at what changed there: a target that leaks into the input, data "
                          "that repeat, another mean over the batch");
}

void gtr_check_loss(struct gtr_exam *exam)
{
    struct gtr_jump jump;
    size_t n;

    if (exam->loss.n == 0) {
        gtr_exam_cannot(exam, "the trace has no losses");
        return;
    }
    if (tell_not_finite(exam) || (exam->loss.n > PAST && !exam->loss_counts))
        return;
    if (exam->loss.n <= PAST) {
        gtr_exam_not_made(exam, PAST + 1, exam->loss.n);
        return;
    }
    n = find_high_losses(exam);
    /* A loss that is often high has heavy tails, and its spikes are nothing to look at. */
    if (n > 0 && (double)n <= gtr_threshold_at(GTR_AT_LOSS_OFTEN) * (double)exam->loss.n)
        tell_high_losses(exam, n);
    else if (n > 0 && find_loss_jump(exam, &jump))
        tell_high_losses(exam, n);
    else if (find_loss_fall(exam, &jump))
        tell_loss_fall(exam, &jump);
}

/* --- above where it was ----------------------------------------------------------------------- */

struct divergence {
    double first, least, last; /* losses: at the start, of the best tenth, of the last tenth */
    size_t from;               /* row */
    bool at_once;              /* from is a jump */
    double norm;               /* of the last tenth over that of the best */
};

static double tenth_of(const struct gtr_line *line, size_t part)
{
    return gtr_line_median(line, part * line->n / PARTS, (part + 1) * line->n / PARTS);
}

static bool has_diverged(const struct gtr_exam *exam, struct divergence *d)
{
    const struct gtr_line *loss = &exam->loss, *total = &exam->total;
    size_t best = 0, part;
    double noise, other, rise;
    struct gtr_jump jump;

    d->first = gtr_line_median(loss, 0, 4);
    for (d->least = HUGE_VAL, part = 0; part + 1 < PARTS; part++)
        if (tenth_of(loss, part) < d->least) {
            d->least = tenth_of(loss, part);
            best = part;
        }
    d->last = tenth_of(loss, PARTS - 1);
    noise = gtr_line_deviation(loss, (PARTS - 1) * loss->n / PARTS, loss->n);
    other = gtr_line_deviation(loss, best * loss->n / PARTS, (best + 1) * loss->n / PARTS);
    noise = noise > other ? noise : other;
    rise = d->last - d->least;
    d->norm = gtr_exp(tenth_of(total, PARTS - 1) - tenth_of(total, best));
    /* A loss that only ever rose, as that of a critic whose rewards grow, needs the norm beside
     * it. */
    if (d->first - d->least < gtr_threshold_at(GTR_AT_DIVERGED) * d->last &&
        !(d->last >= gtr_threshold_at(GTR_AT_DIVERGED_ALONE) * d->first))
        return false;
    d->from = loss->row[(best + 1) * loss->n / PARTS];
    d->at_once = gtr_line_jump(loss, 0, loss->n, &jump) && jump.after > jump.before;
    if (d->at_once)
        d->from = loss->row[jump.at];
    return rise >= gtr_threshold_at(GTR_AT_DIVERGED) * (d->first - d->least) &&
           d->last >= gtr_threshold_at(GTR_AT_DIVERGED_RATIO) * d->least && rise >= 2.0 * noise;
}

void gtr_check_divergence(struct gtr_exam *exam)
{
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);
    struct divergence d;
    struct gtr_finding *f;

    if (exam->loss.n == 0) {
        gtr_exam_cannot(exam, "the trace has no losses");
        return;
    }
    if (exam->loss.n >= 4 * PARTS && !exam->loss_counts) {
        gtr_exam_cannot(exam, "the loss is not positive throughout");
        return;
    }
    if (exam->loss.n < 4 * PARTS || exam->total.n < 4 * PARTS) {
        gtr_exam_not_made(exam, 4 * PARTS,
                          exam->loss.n < exam->total.n ? exam->loss.n : exam->total.n);
        return;
    }
    if (!has_diverged(exam, &d))
        return;
    f = gtr_exam_found(exam, d.last >= d.first ? GTR_SEVERE : GTR_WARNING, exam->series->n_groups);
    gtr_finding_say(f,
                    "The loss ends higher than it was: %.3g in the last tenth, %.3g at its best, "
                    "%.3g at the start.  It rises from step %lld on; the norm is %.3g times what "
                    "it was at the best.",
                    d.last, d.least, d.first, (long long)exam->series->index[d.from], d.norm);
    gtr_finding_number(f, "from_step", (double)exam->series->index[d.from]);
    gtr_finding_number(f, "loss_best", d.least);
    gtr_finding_number(f, "loss_last", d.last);
    gtr_finding_number(f, "norm_ratio", d.norm);
    if (!d.at_once)
        gtr_finding_number(f, "within", (double)(exam->series->n_steps / PARTS));
    gtr_tell_rate(exam, f, d.from);
    gtr_finding_advise(f,
                       "going back to a checkpoint from before step %lld, with a lower learning "
                       "rate",
                       (long long)steps[d.from].index);
    gtr_finding_advise(f, "`gradtrace explain TRACE --step %lld`: who rose first",
                       (long long)steps[d.from].index);
}
