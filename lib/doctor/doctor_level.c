/* doctor_level.c - norms that change their level: at once, or by more than training explains. */
#include <math.h>

#include "doctor_private.h"
#include "exact.h"

enum { PARTS = 10, SHORT = 6 };

/* What the loss does over a jump: NaN where it is not known. */
struct beside {
    double before, after;
};

static struct beside loss_beside(const struct gtr_exam *exam, size_t row)
{
    size_t w = gtr_line_window(exam->total.n), end = row + w;
    struct beside b = { (double)NAN, (double)NAN };

    if (!exam->loss_counts)
        return b;
    b.before = gtr_exam_loss_around(exam, row > w ? row - w : 0, row);
    b.after = gtr_exam_loss_around(exam, row, end);
    return b;
}

/* Does the line change from one row to the next, and not over a window? */
static bool is_abrupt(const struct gtr_line *line, const struct gtr_jump *jump)
{
    size_t from = jump->at > SHORT ? jump->at - SHORT : 0;
    size_t to = jump->at + SHORT < line->n ? jump->at + SHORT : line->n;
    double near = gtr_line_median(line, jump->at, to) - gtr_line_median(line, from, jump->at);

    return fabs(near) >= 0.7 * fabs(jump->after - jump->before);
}

/* Does the loss change over a jump by more than it did over the window before? */
static bool loss_turns(const struct gtr_exam *exam, const struct beside *b, size_t row)
{
    size_t w = gtr_line_window(exam->total.n);
    double earlier =
        gtr_exam_loss_around(exam, row > 2 * w ? row - 2 * w : 0, row > w ? row - w : 0);

    return fabs(b->after - b->before) > 0.1 * b->before + 1.5 * fabs(b->before - earlier);
}

/* A norm that rises while the loss falls is what learning something new looks like, and one that
 * falls with the loss, though not at once, what having learnt it does.  A norm that jumps from one
 * step to the next while the loss falls as it did before is neither. */
static bool is_learning(const struct gtr_exam *exam, const struct gtr_line *line,
                        const struct gtr_jump *jump, const struct beside *b)
{
    if (isnan(b->before) || isnan(b->after) || !(b->after < 0.9 * b->before))
        return false;
    if (is_abrupt(line, jump) && !loss_turns(exam, b, line->row[jump->at]))
        return false;
    return jump->after > jump->before || b->after > gtr_threshold_at(GTR_AT_LEVEL_LOSS) * b->before;
}

bool gtr_rate_changes(const struct gtr_exam *exam, size_t row, double *was, double *is)
{
    const struct gtr_step *steps = gtr_trace_steps(exam->patient->trace);

    *was = steps[row > 8 ? row - 8 : 0].lr;
    *is = steps[row].lr;
    return *was > 0.0 && *is > 0.0 && (*is > 1.5 * *was || *was > 1.5 * *is);
}

void gtr_tell_rate(struct gtr_exam *exam, struct gtr_finding *f, size_t row)
{
    double was, is;

    if (gtr_rate_changes(exam, row, &was, &is))
        gtr_finding_say(f, "  The learning rate goes from %.3g to %.3g there.", was, is);
}

static void advise_level(struct gtr_exam *exam, struct gtr_finding *f, double ratio, size_t row)
{
    long long step = (long long)exam->series->index[row];

    if (ratio > 1.0)
        gtr_finding_advise(f,
                           "a look at what changed at step %lld: learning rate, data, how many "
                           "batches are added up",
                           step);
    else
        gtr_finding_advise(f,
                           "a look at what changed at step %lld: data that repeat, a target "
                           "that leaks into the input, units that saturate",
                           step);
    gtr_finding_advise(f,
                       "`gradtrace diff TRACE --window FIRST:%lld --window %lld:LAST`: which "
                       "groups changed",
                       step - 1, step);
}

static void tell_jump(struct gtr_exam *exam, size_t group, const struct gtr_line *line,
                      const struct gtr_jump *jump)
{
    size_t row = line->row[jump->at];
    double ratio = gtr_exp(jump->after - jump->before), end;
    struct beside b = loss_beside(exam, row);
    struct gtr_finding *f =
        gtr_exam_found(exam, is_learning(exam, line, jump, &b) ? GTR_NOTE : GTR_WARNING, group);
    char name[GTR_TELL];

    end = gtr_exp(gtr_line_median(line, line->n - line->n / PARTS, line->n) - jump->before);
    gtr_finding_say(f,
                    "The norm of %s changes its level at step %lld: from %.3g to %.3g, %.3g "
                    "times; in the last tenth it is %.3g times.",
                    group == exam->series->n_groups
                        ? "the whole gradient"
                        : gtr_tell_name(exam->series->names[group], name),
                    (long long)exam->series->index[row], gtr_exp(jump->before),
                    gtr_exp(jump->after), ratio, end);
    if (!isnan(b.before) && !isnan(b.after))
        gtr_finding_say(f, "  The loss goes from %.3g to %.3g.", b.before, b.after);
    gtr_tell_rate(exam, f, row);
    gtr_finding_number(f, "from_step", (double)exam->series->index[row]);
    gtr_finding_number(f, "ratio", ratio);
    gtr_finding_number(f, "ratio_at_end", end);
    if (!isnan(b.before) && !isnan(b.after)) {
        gtr_finding_number(f, "loss_before", b.before);
        gtr_finding_number(f, "loss_after", b.after);
    }
    if (f->severity == GTR_NOTE)
        gtr_finding_say(f, "  So it does where something new is learnt.");
    else
        advise_level(exam, f, ratio, row);
}

/* --- slowly ----------------------------------------------------------------------------------- */

/* The last tenth against all before it but the first tenth. */
static double slow_ratio(const struct gtr_line *line)
{
    size_t tenth = line->n / PARTS;

    return gtr_exp(gtr_line_median(line, line->n - tenth, line->n) -
                   gtr_line_median(line, tenth, line->n - tenth));
}

/* The last tenth against the second: what rises all along is not yet far above its middle. */
static double since_start(const struct gtr_line *line)
{
    size_t tenth = line->n / PARTS;

    return gtr_exp(gtr_line_median(line, line->n - tenth, line->n) -
                   gtr_line_median(line, tenth, 2 * tenth));
}

static bool is_slow_change(const struct gtr_line *line)
{
    double ratio = slow_ratio(line);

    return ratio >= gtr_threshold_at(GTR_AT_LEVEL_UP) ||
           since_start(line) >= gtr_threshold_at(GTR_AT_LEVEL_SINCE) ||
           ratio * gtr_threshold_at(GTR_AT_LEVEL_DOWN) <= 1.0;
}

static void tell_slow(struct gtr_exam *exam, size_t group, const struct gtr_line *line)
{
    double ratio = slow_ratio(line);
    size_t n_steps = exam->series->n_steps, from = line->row[line->n - line->n / PARTS];
    double loss = exam->loss_counts ? gtr_exam_loss_around(exam, from, n_steps) : (double)NAN;
    double before =
        exam->loss_counts ? gtr_exam_loss_around(exam, n_steps / PARTS, from) : (double)NAN;
    /* A norm that falls as far as the loss does is that of a model that has learnt its data. */
    bool learnt = ratio < 1.0 && loss <= 0.5 * before;
    struct gtr_finding *f = gtr_exam_found(exam, learnt ? GTR_NOTE : GTR_WARNING, group);
    char name[GTR_TELL];

    gtr_finding_say(f,
                    "The norm of %s is %.3g times as large in the last tenth of the run as "
                    "before",
                    group == exam->series->n_groups
                        ? "the whole gradient"
                        : gtr_tell_name(exam->series->names[group], name),
                    ratio);
    if (!isnan(loss) && !isnan(before))
        gtr_finding_say(f, "; the loss goes from %.3g to %.3g", before, loss);
    gtr_finding_say(f, ".");
    if (ratio > 1.0)
        gtr_finding_say(f, "  It is %.3g times that of the second tenth.", since_start(line));
    gtr_finding_number(f, "from_step", (double)exam->series->index[from]);
    gtr_finding_number(f, "ratio", ratio);
    gtr_finding_number(f, "ratio_since_start", since_start(line));
    gtr_finding_number(f, "within", (double)n_steps);
    if (ratio > 1.0)
        gtr_finding_advise(f,
                           "a lower learning rate or more weight decay, before the loss follows");
    else
        gtr_finding_advise(f, "`gradtrace plot`: when it fell, and whether anything is still "
                              "learnt");
}

/* --- the check -------------------------------------------------------------------------------- */

/* From `first` tenths of the run on: in a warm-up norms have no level yet. */
static bool jumps_by(const struct gtr_line *line, size_t first, enum gtr_threshold_id id,
                     struct gtr_jump *jump)
{
    return gtr_line_jump(line, first * line->n / PARTS, line->n, jump) &&
           fabs(jump->after - jump->before) >= gtr_ln(gtr_threshold_at(id));
}

void gtr_check_level(struct gtr_exam *exam)
{
    size_t n_groups = exam->series->n_groups, j, worst = n_groups;
    struct gtr_jump jump, most = { 0 };

    if (gtr_line_window(exam->total.n) == 0) {
        gtr_exam_not_made(exam, GTR_LINE_LEAST, exam->total.n);
        return;
    }
    if (gtr_exam_told(exam, "loss-scale"))
        return; /* levels follow it */
    if (jumps_by(&exam->total, 1, GTR_AT_LEVEL_JUMP, &jump)) {
        tell_jump(exam, n_groups, &exam->total, &jump);
        return;
    }
    if (is_slow_change(&exam->total)) {
        tell_slow(exam, n_groups, &exam->total);
        return;
    }
    for (j = 0; j < n_groups; j++) {
        gtr_exam_take_group(exam, j);
        if (gtr_line_window(exam->group.n) == 0 || 2 * exam->group.n < exam->total.n ||
            !jumps_by(&exam->group, 2, GTR_AT_LEVEL_GROUP, &jump) ||
            fabs(jump.after - jump.before) <= fabs(most.after - most.before))
            continue;
        most = jump;
        worst = j;
    }
    if (worst == n_groups)
        return;
    gtr_exam_take_group(exam, worst);
    tell_jump(exam, worst, &exam->group, &most);
}
