/* doctor_pattern.c - what the changes from step to step tell: gradients that pile up, steps that
 * repeat a pattern, a loss scale that changes.
 *
 * Let d_t = ln n_{t+1} - ln n_t.  Where each step draws a batch of its own, a norm that is high by
 * chance is followed by one that is not: neighbouring d have a correlation near -1/2, and those
 * further apart none.  Sums of all gradients so far change smoothly instead: neighbouring d agree.
 * A pattern of p steps shows at distance p, and 2 p.
 */
#include <math.h>

#include "doctor_private.h"
#include "exact.h"

enum { PARTS = 10, PART_LEAST = 16, LONGEST = 512, ENTRIES_MOST = 16384 };

/* d of entries from .. to - 1 into exam->values, no farther from 0 than three times the median of
 * |d|: a few jumps must not be all that is seen.  How many. */
static size_t take_changes(struct gtr_exam *exam, size_t from, size_t to)
{
    const double *x = exam->total.x;
    size_t n = to - from - 1, i;
    double most;

    for (i = 0; i < n; i++)
        exam->values[i] = fabs(x[from + i + 1] - x[from + i]);
    most = 3.0 * gtr_exam_quantile(exam, n, 0.5);
    for (i = 0; i < n; i++) {
        double d = x[from + i + 1] - x[from + i];

        exam->values[i] = d > most ? most : d < -most ? -most : d;
    }
    return n;
}

/* Correlation of n changes with those `lag` later. */
static double correlation(const double *d, size_t n, size_t lag)
{
    double products = 0.0, squares = 0.0;
    size_t i;

    for (i = 0; i < n; i++) {
        products += i + lag < n ? d[i] * d[i + lag] : 0.0;
        squares += d[i] * d[i];
    }
    return squares > 0.0 ? products / squares * (double)n / (double)(n - lag) : 0.0;
}

/* --- gradients that pile up ------------------------------------------------------------------- */

/* The first part that is smooth, and from which on the parts are so on average, none of them as
 * batches are; `parts` if there is none. */
static size_t smooth_from(struct gtr_exam *exam, size_t parts)
{
    double least = gtr_threshold_at(GTR_AT_PILES_SMOOTH), sum = 0.0;
    size_t part = parts, found = parts;

    while (part-- > 0) {
        size_t from = part * exam->total.n / parts, to = (part + 1) * exam->total.n / parts;
        size_t n = take_changes(exam, from, to);
        double r = correlation(exam->values, n, 1);

        if (r < -least)
            break;
        sum += r;
        if (r >= least && sum >= least * (double)(parts - part))
            found = part;
    }
    return found;
}

void gtr_check_piles(struct gtr_exam *exam)
{
    const struct gtr_line *total = &exam->total;
    size_t n = total->n, parts = n / PART_LEAST < PARTS ? n / PART_LEAST : PARTS, part, at;
    double before, after;
    struct gtr_finding *f;

    if (parts < 2) {
        gtr_exam_not_made(exam, 2 * PART_LEAST, n);
        return;
    }
    part = smooth_from(exam, parts);
    if (part + 1 >= parts && parts > 2)
        return; /* the last part alone may be chance */
    at = part * n / parts;
    before = part == 0 ? total->x[0] : gtr_line_median(total, (part - 1) * n / parts, at);
    after = gtr_line_median(total, (parts - 1) * n / parts, n);
    if (after - before < gtr_ln(gtr_threshold_at(GTR_AT_PILES_RISE)))
        return;
    f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);
    gtr_finding_say(f,
                    "From %s step %lld on the norm changes smoothly from step to step and ends "
                    "%.3g times as high: each gradient seems to hold those before it.",
                    part == 0 ? "the first" : "about",
                    (long long)exam->series->index[total->row[at]], gtr_exp(after - before));
    gtr_finding_number(f, "from_step", (double)exam->series->index[total->row[at]]);
    gtr_finding_number(f, "ratio", gtr_exp(after - before));
    gtr_finding_number(f, "within", (double)(exam->series->n_steps / parts));
    gtr_finding_advise(f, "optimizer.zero_grad() at every step");
    gtr_finding_advise(f, "nothing, if every step sees the whole data: norms are smooth then");
}

/* --- a pattern that repeats ------------------------------------------------------------------- */

void gtr_check_periodic(struct gtr_exam *exam)
{
    size_t all = exam->total.n, from = all > ENTRIES_MOST ? all - ENTRIES_MOST : 0, n, lag;
    double least = gtr_threshold_at(GTR_AT_PERIODIC), found = 0.0;
    struct gtr_finding *f;

    if (all < GTR_LINE_LEAST) {
        gtr_exam_not_made(exam, GTR_LINE_LEAST, all);
        return;
    }
    n = take_changes(exam, from, all);
    if (correlation(exam->values, n, 1) >= gtr_threshold_at(GTR_AT_PERIODIC_SMOOTH))
        return;
    for (lag = 2; lag <= LONGEST && 4 * lag <= n; lag++) {
        found = correlation(exam->values, n, lag);
        if (found >= least && correlation(exam->values, n, 2 * lag) >= 0.8 * least)
            break;
    }
    if (lag > LONGEST || 4 * lag > n)
        return;
    f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);
    gtr_finding_say(f,
                    "The norm repeats a pattern every %zu steps (changes %zu steps apart have a "
                    "correlation of %.2f).",
                    lag, lag, found);
    gtr_finding_number(f, "period", (double)lag);
    gtr_finding_number(f, "correlation", found);
    gtr_finding_advise(f,
                       "shuffling, if %zu steps are an epoch: the same batches come in the same "
                       "order",
                       lag);
    gtr_finding_advise(f,
                       "one record and one optimizer step per zero_grad, if gradients are added "
                       "up over %zu steps",
                       lag);
}

/* --- a loss scale that changes ---------------------------------------------------------------- */

/* How far a line's level changes at an entry, over windows of `w`; less what it drifts by inside of
 * both, which for a steady drift is all there is. */
static double change_at(const struct gtr_line *line, size_t at, size_t w, bool less_drift)
{
    double change = gtr_line_median(line, at, at + w) - gtr_line_median(line, at - w, at);

    if (!less_drift)
        return change;
    return change -
           (gtr_line_median(line, at - w / 2, at) - gtr_line_median(line, at - w, at - w / 2)) -
           (gtr_line_median(line, at + w / 2, at + w) - gtr_line_median(line, at, at + w / 2));
}

/* Changes of all groups at a row into exam->values; how many have windows there. */
static size_t take_group_changes(struct gtr_exam *exam, size_t row, size_t w, bool less_drift)
{
    size_t n = 0, j, at;

    for (j = 0; j < exam->series->n_groups && n < exam->series->n_steps; j++) {
        gtr_exam_take_group(exam, j);
        for (at = 0; at < exam->group.n && exam->group.row[at] < row;)
            at++;
        if (at >= w && at + w <= exam->group.n)
            exam->values[n++] = change_at(&exam->group, at, w, less_drift);
    }
    return n;
}

/* Do the groups change by the same power of two at this row?  Their median is near one, and so are
 * three of four of them. */
static bool is_power_change(struct gtr_exam *exam, size_t row, size_t w, bool less_drift,
                            double *log2_ratio)
{
    double near = gtr_threshold_at(GTR_AT_SCALE_NEAR), median, low, high, wanted;
    size_t n = take_group_changes(exam, row, w, less_drift);

    if (n < 2)
        return false;
    median = gtr_exam_quantile(exam, n, 0.5);
    low = gtr_exam_quantile(exam, n, 0.125);
    high = gtr_exam_quantile(exam, n, 0.875);
    *log2_ratio = floor(median / gtr_ln(2.0) + 0.5);
    wanted = *log2_ratio * gtr_ln(2.0);
    return *log2_ratio != 0.0 && fabs(median - wanted) <= near && low >= wanted - 2.0 * near &&
           high <= wanted + 2.0 * near;
}

static bool is_scale_change(struct gtr_exam *exam, size_t row, size_t w, double *log2_ratio)
{
    return is_power_change(exam, row, w, false, log2_ratio) ||
           is_power_change(exam, row, w, true, log2_ratio);
}

/* A change of the data or of the learning rate moves the loss, or has a reason.  What the loss does
 * by itself, it did in the window before as well. */
static bool is_explained(const struct gtr_exam *exam, size_t row, size_t w)
{
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);
    size_t from = row > w ? row - w : 0, start = from > w ? from - w : 0;
    double lr_was = steps[from].lr, lr_is = steps[row].lr, earlier, before, after;

    if (lr_is > 1.2 * lr_was || lr_was > 1.2 * lr_is)
        return true;
    earlier = gtr_exam_loss_around(exam, start, from);
    before = gtr_exam_loss_around(exam, from, row);
    after = gtr_exam_loss_around(exam, row, row + w);
    return exam->loss_counts && fabs(after - before) > 0.2 * before + 1.5 * fabs(before - earlier);
}

/* Where the whole gradient jumps by about a power of two, and every group with it. */
static size_t find_scale_changes(struct gtr_exam *exam, double *log2_sum)
{
    const struct gtr_line *total = &exam->total;
    size_t w = gtr_line_window(total->n), n = 0, from, t;

    for (t = 0; t < exam->series->n_steps; t++)
        exam->weight[t] = 0.0;
    *log2_sum = 0.0;
    for (from = w; from + w < total->n;) {
        struct gtr_jump jump;
        double log2_ratio;
        size_t to = from + 2 * w;

        if (!gtr_line_jump(total, from, to < total->n ? to : total->n, &jump) ||
            fabs(jump.after - jump.before) < 0.8 * gtr_ln(2.0) || jump.at < w ||
            jump.at + w > total->n ||
            fabs(change_at(total, jump.at, w, true)) < 0.7 * fabs(jump.after - jump.before) ||
            is_explained(exam, total->row[jump.at], w) ||
            !is_scale_change(exam, total->row[jump.at], w, &log2_ratio)) {
            from += 2 * w;
            continue;
        }
        exam->weight[total->row[jump.at]] = 1.0;
        *log2_sum += log2_ratio;
        n++;
        from = (jump.at > from ? jump.at : from) + w;
    }
    return n;
}

void gtr_check_loss_scale(struct gtr_exam *exam)
{
    struct gtr_finding *f;
    double log2_sum;
    size_t n, first = 0;

    if (gtr_line_window(exam->total.n) == 0 || exam->series->n_groups < 2) {
        if (exam->series->n_groups < 2)
            gtr_exam_cannot(exam, "there is one group only");
        else
            gtr_exam_not_made(exam, GTR_LINE_LEAST, exam->total.n);
        return;
    }
    n = find_scale_changes(exam, &log2_sum);
    if (n == 0)
        return;
    while (exam->weight[first] == 0.0)
        first++;
    f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);
    gtr_finding_say(f,
                    "At %zu %s the norms of all groups change by the same power of two at once, "
                    "2^%g in all, while the loss goes on as before: so a loss scale does that was "
                    "left in the gradients, or a number of batches that are added up.",
                    n, n == 1 ? "step" : "steps", log2_sum);
    gtr_finding_number(f, "from_step", (double)exam->series->index[first]);
    gtr_finding_number(f, "changes", (double)n);
    gtr_finding_number(f, "log2_in_all", log2_sum);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "scaler.unscale_(optimizer) before recording and before clipping");
    gtr_finding_advise(f, "nothing, if it is batches that are added up, twice or half as many");
}
