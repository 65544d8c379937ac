/* doctor_spikes.c - norms far above their group's own past, who had them, and who did not.
 *
 * For each group the logarithms of the last 128 norms are kept, by age and in rising order; their
 * median m and their deviation d = 1.4826 times the median of |x - m| do not mind a few spikes.  A
 * spike is a norm more than 6 d above m, and at least three times exp(m).  One after which norms
 * stay high is a new level, and no spike.
 */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "doctor_private.h"
#include "exact.h"
#include "order.h"
#include "threads.h"

enum { WINDOW = 128, LOSSES = 32 };

struct past {
    double by_age[WINDOW], rising[WINDOW];
    size_t n, next; /* next: of by_age, the oldest once it is full */
};

static void past_add(struct past *past, double x)
{
    size_t at;

    if (past->n == WINDOW) {
        at = gtr_order_below(past->rising, past->n, past->by_age[past->next]);
        memmove(past->rising + at, past->rising + at + 1, (WINDOW - 1 - at) * sizeof(double));
        past->n--;
    }
    at = gtr_order_below(past->rising, past->n, x);
    memmove(past->rising + at + 1, past->rising + at, (past->n - at) * sizeof(double));
    past->rising[at] = x;
    past->by_age[past->next] = x;
    past->next = (past->next + 1) % WINDOW;
    past->n++;
}

/* The k-th smallest |x - m|: outward from the middle, always to the nearer side. */
static double deviation_of(const struct past *past, double m)
{
    size_t up = gtr_order_below(past->rising, past->n, m), down = up, k;
    double gap = 0.0;

    for (k = 0; k <= past->n / 2; k++) {
        bool go_up =
            up < past->n && (down == 0 || past->rising[up] - m <= m - past->rising[down - 1]);

        gap = go_up ? past->rising[up++] - m : m - past->rising[--down];
    }
    return 1.4826 * gap;
}

static bool is_long_enough(const struct past *past)
{
    return (double)past->n >= gtr_threshold_at(GTR_AT_SPIKE_PAST);
}

static double median_of(const struct past *past)
{
    return 0.5 * (past->rising[(past->n - 1) / 2] + past->rising[past->n / 2]);
}

/* x over the median of its past if it is a spike, else 0. */
static double spike_of(const struct past *past, double x)
{
    double m, least;

    if (!is_long_enough(past))
        return 0.0;
    m = median_of(past);
    least = gtr_ln(gtr_threshold_at(GTR_AT_SPIKE_RATIO));
    if (x - m <= least || x - m <= gtr_threshold_at(GTR_AT_SPIKE_SIGMAS) * deviation_of(past, m))
        return 0.0;
    return gtr_exp(x - m);
}

/* Did the norm stay up?  Half of the way up, on a logarithmic scale, at half of the steps that
 * follow: then t begins a new level, or is inside of one. */
static bool is_level(const struct gtr_exam *exam, const double *sumsq, size_t t, double height)
{
    double half = sumsq[t] / height; /* of an energy: the root of the height, squared */
    size_t after = (size_t)gtr_threshold_at(GTR_AT_SPIKE_LONGEST), n = 0, high = 0, k;

    for (k = t + 1; k < exam->series->n_steps && n < after; k++) {
        n += gtr_exam_counts(exam, k) ? 1 : 0;
        high += gtr_exam_counts(exam, k) && sumsq[k] > half ? 1 : 0;
    }
    return n > 0 && 2 * high >= n && n == after;
}

static void follow_group(void *context, size_t group, size_t worker)
{
    struct gtr_exam *exam = context;
    size_t n = exam->series->n_steps, t;
    const double *sumsq = exam->series->sumsq + group * n;
    double *spike = exam->spike + group * n;
    struct past past = { .n = 0 };

    (void)worker;
    for (t = 0; t < n; t++) {
        double x;

        if (!gtr_exam_counts(exam, t) || !(sumsq[t] > 1e-300))
            continue;
        x = 0.5 * gtr_ln(sumsq[t]);
        spike[t] = spike_of(&past, x);
        past_add(&past, x);
    }
    for (t = 0; t < n; t++)
        if (spike[t] > 0.0 && is_level(exam, sumsq, t, spike[t]))
            spike[t] = 0.0;
}

/* The global norm against its own past. */
static void follow_total(struct gtr_exam *exam)
{
    struct past past = { .n = 0 };
    size_t t;

    for (t = 0; t < exam->series->n_steps; t++) {
        double total = exam->series->total[t];

        if (!gtr_exam_counts(exam, t) || !(total > 1e-150))
            continue;
        if (is_long_enough(&past))
            exam->rise[t] = gtr_exp(gtr_ln(total) - median_of(&past));
        past_add(&past, gtr_ln(total));
    }
}

enum gtr_code gtr_exam_spikes(struct gtr_exam *exam, struct gtr_err *err)
{
    size_t n_groups = exam->series->n_groups;
    enum gtr_code rc;

    rc =
        gtr_alloc_for(&exam->spike, n_groups * exam->series->n_steps, sizeof(double), "norms", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&exam->rise, exam->series->n_steps, sizeof(double), "norms", err);
    if (rc != GTR_OK)
        return rc;
    gtr_threads_run(gtr_replay_n_threads(exam->patient->replay), n_groups, follow_group, exam);
    follow_total(exam);
    return GTR_OK;
}

/* --- the check ------------------------------------------------------------------------------ */

struct spiky {
    size_t n_steps, n_together; /* steps with a spike; of them, more than half of the groups */
    size_t culprit, n_culprit;  /* the group that has most of them, and how many */
    double culprit_ratio;       /* its highest */
    size_t highest;             /* the group that has the highest of all */
    double highest_ratio;
    double calm;        /* mean number of groups without one, at these steps */
    double total_ratio; /* highest global norm over its past's median, at these steps */
    size_t n_felt;      /* steps at which that is high */
    bool with_rate;     /* the learning rate has just gone up at a step with a spike */
    bool with_loss;     /* and the loss is high at one of them, or just after, or is not known */
};

/* Is the loss of this row or of the three after it above what its last 32 let expect?  True where
 * it cannot tell. */
static bool loss_is_high(const struct gtr_exam *exam, size_t row)
{
    const struct gtr_line *loss = &exam->loss;
    size_t at = 0, i;
    double median, noise;

    while (at < loss->n && loss->row[at] < row)
        at++;
    if (!exam->loss_counts || at < LOSSES || at == loss->n || loss->row[at] > row + 3)
        return true;
    median = gtr_line_median(loss, at - LOSSES, at);
    noise = gtr_line_deviation(loss, at - LOSSES, at);
    for (i = at; i < loss->n && loss->row[i] <= row + 3; i++)
        if (loss->x[i] > median + gtr_threshold_at(GTR_AT_SPIKE_LOSS) * noise)
            return true;
    return false;
}

/* Leaves the height of each step's highest spike in exam->weight. */
static struct spiky count_spikes(struct gtr_exam *exam, size_t *n_of)
{
    size_t n_groups = exam->series->n_groups, n_steps = exam->series->n_steps, t, j;
    struct spiky s = { .culprit = n_groups };
    double was, is;

    for (t = 0; t < n_steps; t++) {
        size_t n = 0;

        exam->weight[t] = 0.0;
        for (j = 0; j < n_groups; j++) {
            double height = exam->spike[j * n_steps + t];

            n += height > 0.0 ? 1 : 0;
            n_of[j] += height > 0.0 ? 1 : 0;
            if (height > exam->weight[t])
                exam->weight[t] = height;
            if (height > s.highest_ratio) {
                s.highest_ratio = height;
                s.highest = j;
            }
        }
        s.n_steps += n > 0 ? 1 : 0;
        s.n_together += 2 * n > n_groups ? 1 : 0;
        s.calm += n > 0 ? (double)(n_groups - n) : 0.0;
        if (n > 0 && exam->rise[t] > s.total_ratio)
            s.total_ratio = exam->rise[t];
        if (n > 0)
            s.with_rate = s.with_rate || (gtr_rate_changes(exam, t, &was, &is) && is > was);
        if (n > 0 && exam->rise[t] >= gtr_threshold_at(GTR_AT_SPIKE_TOTAL)) {
            s.n_felt++;
            s.with_loss = s.with_loss || loss_is_high(exam, t);
        }
    }
    for (j = 0; j < n_groups; j++) {
        if (n_of[j] < s.n_culprit || (n_of[j] == s.n_culprit && j != s.highest))
            continue;
        s.culprit = j;
        s.n_culprit = n_of[j];
    }
    for (t = 0; t < n_steps && s.n_culprit > 0; t++)
        if (exam->spike[s.culprit * n_steps + t] > s.culprit_ratio)
            s.culprit_ratio = exam->spike[s.culprit * n_steps + t];
    if (s.n_steps > 0)
        s.calm /= (double)s.n_steps;
    return s;
}

static size_t worst_row(const struct gtr_exam *exam)
{
    size_t worst = 0, t;

    for (t = 1; t < exam->series->n_steps; t++)
        worst = exam->weight[t] > exam->weight[worst] ? t : worst;
    return worst;
}

static void tell_spikes(struct gtr_exam *exam, const struct spiky *s)
{
    bool often = s->n_steps >= 5 && (double)s->n_steps >= gtr_threshold_at(GTR_AT_SPIKE_OFTEN) *
                                                              (double)exam->series->n_steps;
    bool felt = s->n_felt >= 2 || s->with_loss || s->with_rate ||
                s->total_ratio >= gtr_threshold_at(GTR_AT_SPIKE_ALONE) ||
                (often && s->total_ratio >= gtr_threshold_at(GTR_AT_SPIKE_TWICE));
    struct gtr_finding *f = gtr_exam_found(exam, felt ? GTR_WARNING : GTR_NOTE, s->culprit);
    bool together = 2 * s->n_together > s->n_steps, one = exam->series->n_groups == 1;
    char name[GTR_TELL], other[GTR_TELL];

    gtr_finding_say(
        f, "At %zu %s %s is more than %g standard deviations above its last %d: ", s->n_steps,
        s->n_steps == 1 ? "step" : "steps", one ? "the norm" : "a group's norm",
        gtr_threshold_at(GTR_AT_SPIKE_SIGMAS), WINDOW);
    if (s->n_steps == 1)
        gtr_finding_say(f, "that of %s, %.3g times its median.",
                        gtr_tell_name(exam->series->names[s->highest], name), s->highest_ratio);
    else if (s->n_culprit == 1)
        gtr_finding_say(f, "the highest is that of %s, %.3g times its median.",
                        gtr_tell_name(exam->series->names[s->highest], name), s->highest_ratio);
    else if (s->n_culprit == s->n_steps && s->highest == s->culprit)
        gtr_finding_say(f, "always that of %s, up to %.3g times its median.",
                        gtr_tell_name(exam->series->names[s->culprit], name), s->highest_ratio);
    else if (s->highest == s->culprit)
        gtr_finding_say(f, "most often that of %s, at %zu, and up to %.3g times its median.",
                        gtr_tell_name(exam->series->names[s->culprit], name), s->n_culprit,
                        s->highest_ratio);
    else
        gtr_finding_say(f,
                        "most often that of %s, at %zu; the highest is that of %s, %.3g times "
                        "its median.",
                        gtr_tell_name(exam->series->names[s->culprit], name), s->n_culprit,
                        gtr_tell_name(exam->series->names[s->highest], other), s->highest_ratio);
    if (together && !one)
        gtr_finding_say(f, "  Mostly all groups rise together.");
    else if (!one)
        gtr_finding_say(f,
                        "  %.2g of %zu groups stayed calm at these steps%s; the global norm rose "
                        "to %.3g times its median.",
                        s->calm, exam->series->n_groups, s->n_steps > 1 ? " on average" : "",
                        s->total_ratio);
    gtr_finding_number(f, "steps", (double)s->n_steps);
    gtr_finding_number(f, "culprit_steps", (double)s->n_culprit);
    gtr_finding_number(f, "culprit_ratio", s->culprit_ratio);
    gtr_finding_number(f, "calm_groups", s->calm);
    if (s->n_felt > 0 && !s->with_loss)
        gtr_finding_say(f, "  The loss did not rise with it.");
    gtr_finding_number(f, "global_ratio", s->total_ratio);
    gtr_finding_worst(f, exam);
    gtr_tell_rate(exam, f, worst_row(exam));
    gtr_finding_advise(f, "a look at the data and the loss of these steps");
    if (one)
        gtr_finding_advise(f, "-p global:max_norm=C: a limit between the usual norms and these");
    else if (together)
        gtr_finding_advise(f, "-p global:max_norm=C: where all rise, one limit is fair");
    else
        gtr_finding_advise(f, "`gradtrace spill` tells who pays; -p group:quantile=0.99 cuts only "
                              "those that spike");
}

void gtr_check_spikes(struct gtr_exam *exam)
{
    struct spiky s;
    size_t *n_of;

    if ((double)exam->total.n <= gtr_threshold_at(GTR_AT_SPIKE_PAST)) {
        gtr_exam_not_made(exam, (size_t)gtr_threshold_at(GTR_AT_SPIKE_PAST) + 1, exam->total.n);
        return;
    }
    exam->rc = gtr_alloc_for(&n_of, exam->series->n_groups, sizeof *n_of, "groups", exam->err);
    if (exam->rc != GTR_OK)
        return;
    s = count_spikes(exam, n_of);
    gtr_free(n_of);
    if (s.n_steps > 0)
        tell_spikes(exam, &s);
}
