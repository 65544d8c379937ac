/* doctor_start.c - the first steps, which no past can judge: they are held against what follows.
 *
 * In health the norm falls from where it starts, or rises slowly while the learning rate does, and
 * the loss falls.  Where the first updates were too large the norm rises above where it started and
 * comes down again later, and the loss does the same.
 */
#include <math.h>

#include "doctor_private.h"
#include "exact.h"

/* The rows called first: a tenth, but enough to see, and not more than a usual warm-up. */
static size_t count_first(size_t n)
{
    size_t first = n / 10;

    return first < 16 ? 16 : first > 64 ? 64 : first;
}

struct start {
    size_t n, peak;           /* entries called first; the one with the highest norm */
    double first, high, then; /* norms: at first, the highest of the first, median afterwards */
    double next;              /* median of the second half of the first */
    double loss, loss_high;   /* at first, and the highest of the first; 0: not known */
    size_t loss_row;
};

static void measure_loss(const struct gtr_exam *exam, struct start *s)
{
    const struct gtr_line *loss = &exam->loss;
    size_t end = exam->total.row[s->n], i;

    s->loss = s->loss_high = 0.0;
    if (!exam->loss_counts || loss->n == 0 || loss->row[0] > exam->total.row[2])
        return;
    s->loss = s->loss_high = loss->x[0];
    for (i = 1; i < loss->n && loss->row[i] < end; i++)
        if (loss->x[i] > s->loss_high) {
            s->loss_high = loss->x[i];
            s->loss_row = loss->row[i];
        }
}

static struct start measure_start(const struct gtr_exam *exam)
{
    const struct gtr_line *total = &exam->total;
    struct start s = { .n = count_first(total->n), .peak = 1 };
    size_t i;

    for (i = 2; i < s.n; i++)
        if (total->x[i] > total->x[s.peak])
            s.peak = i;
    s.first = gtr_exp(total->x[0]);
    s.high = gtr_exp(total->x[s.peak]);
    s.then = gtr_exp(gtr_line_median(total, s.n, total->n));
    s.next = gtr_exp(gtr_line_median(total, s.n / 2, s.n));
    measure_loss(exam, &s);
    return s;
}

static void tell_start(struct gtr_exam *exam, const struct start *s, bool loss_rose)
{
    const int64_t *index = exam->series->index;
    size_t group = exam->series->n_groups, row = exam->total.row[s->peak], j, i;
    struct gtr_finding *f;

    for (j = 0; j < exam->series->n_groups; j++)
        if (group == exam->series->n_groups ||
            exam->series->sumsq[j * exam->series->n_steps + row] >
                exam->series->sumsq[group * exam->series->n_steps + row])
            group = j;
    f = gtr_exam_found(exam, GTR_WARNING, group);
    gtr_finding_say(f,
                    "The norm rises from %.3g at the first step to %.3g at step %lld, and is %.3g "
                    "in the middle later",
                    s->first, s->high, (long long)index[row], s->then);
    if (loss_rose)
        gtr_finding_say(f, "; the loss rises from %.3g to %.3g at step %lld", s->loss, s->loss_high,
                        (long long)index[s->loss_row]);
    else if (s->loss > 0.0)
        gtr_finding_say(f, "; the loss does not rise above the %.3g that it starts with", s->loss);
    gtr_finding_say(f, ".  The first updates were too large.");
    gtr_finding_number(f, "from_step", (double)index[row]);
    gtr_finding_number(f, "norm_first", s->first);
    gtr_finding_number(f, "norm_high", s->high);
    gtr_finding_number(f, "norm_later", s->then);
    for (i = 0; i < exam->series->n_steps; i++)
        exam->weight[i] = 0.0;
    for (i = 1; i < s->n; i++)
        if (exam->total.x[i] > gtr_ln(2.0 * s->then))
            exam->weight[exam->total.row[i]] = exam->total.x[i] - gtr_ln(s->then);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "a warm-up of the learning rate, or a lower one at the start");
    gtr_finding_advise(f, "a limit on the norm from the first step on: -p global:max_norm=%.2g",
                       2.0 * (s->first > s->then ? s->first : s->then));
}

/* The very first gradient, far above the next: the model as it was initialised. */
static void tell_first(struct gtr_exam *exam, const struct start *s)
{
    int64_t step = exam->series->index[exam->total.row[0]];
    struct gtr_finding *f = gtr_exam_found(exam, GTR_WARNING, exam->series->n_groups);

    gtr_finding_say(
        f,
        "The norm is %.3g at the first step, %lld, and %.3g at the median of steps %lld "
        "to %lld: the model as it is initialised has gradients that explode.",
        s->first, (long long)step, s->next,
        (long long)exam->series->index[exam->total.row[s->n / 2]],
        (long long)exam->series->index[exam->total.row[s->n - 1]]);
    gtr_finding_number(f, "from_step", (double)step);
    gtr_finding_number(f, "norm_first", s->first);
    gtr_finding_number(f, "norm_next", s->next);
    gtr_finding_number(f, "norm_later", s->then);
    gtr_finding_advise(f,
                       "a look at the scale of the initial weights, layer by layer: `gradtrace "
                       "explain TRACE --step %lld`",
                       (long long)step);
    gtr_finding_advise(f, "a limit on the norm from the first step on: -p global:max_norm=%.2g",
                       2.0 * s->next);
}

void gtr_check_start(struct gtr_exam *exam)
{
    struct start s;
    double least = gtr_threshold_at(GTR_AT_START), alone = gtr_threshold_at(GTR_AT_START_ALONE);
    double far = gtr_threshold_at(GTR_AT_START_FAR);
    bool loss_rose, told;

    if (exam->total.n < 2 * count_first(exam->total.n)) {
        gtr_exam_not_made(exam, 2 * count_first(exam->total.n), exam->total.n);
        return;
    }
    s = measure_start(exam);
    loss_rose = s.loss_high >= gtr_threshold_at(GTR_AT_START_LOSS) * s.loss && s.loss > 0.0;
    told = s.high >= alone * s.first && s.high >= alone * s.then;
    told = told || (loss_rose && s.high >= least * s.first && s.high >= least * s.then);
    told = told || (loss_rose && s.high >= far * s.then);
    told = told || (s.loss > 0.0 && s.loss_high >= gtr_threshold_at(GTR_AT_START_JUMP) * s.loss);
    if (s.first >= far * s.next)
        tell_first(exam, &s);
    else if (told)
        tell_start(exam, &s, loss_rose);
}
