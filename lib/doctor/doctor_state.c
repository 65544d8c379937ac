/* doctor_state.c - checks of what a policy remembers: averages that start at 0, shrink, or are
 * lost. */
#include <math.h>

#include "doctor_private.h"

enum { PARTS = 10 }; /* of the run, for what changes slowly */

/* --- poisoned ------------------------------------------------------------------------------- */

/* Had the lane a limit before row t, and never after it? */
static bool lost_limit(const struct gtr_exam *exam, size_t group, size_t t)
{
    const double *upper = exam->decisions->upper + group * exam->series->n_steps;
    bool before = false;
    size_t k;

    for (k = 0; k < exam->series->n_steps; k++) {
        bool limited = upper[k] > 0.0 && upper[k] < HUGE_VAL;

        if (k <= t)
            before = before || limited;
        else if (limited)
            return false;
    }
    return before && t + 1 < exam->series->n_steps;
}

static void tell_poison(struct gtr_exam *exam, size_t first, size_t n_lost, size_t n_nan,
                        size_t group)
{
    struct gtr_finding *f = gtr_exam_found(exam, GTR_SEVERE, group);
    long long step = (long long)exam->series->index[first];
    char names[GTR_TELL];

    if (n_lost > 0)
        gtr_finding_say(f,
                        "The NaN of step %lld entered the average of %s, which has no limit "
                        "from then on: nothing is clipped any more.",
                        step, gtr_tell_lanes(exam, names));
    if (n_nan > 0)
        gtr_finding_say(f,
                        "%sAt %zu %s the scale itself is NaN, and would have made all weights "
                        "that it is multiplied into NaN.",
                        n_lost > 0 ? "  " : "", n_nan, n_nan == 1 ? "step" : "steps");
    gtr_finding_number(f, "from_step", (double)step);
    gtr_finding_number(f, "groups_lost", (double)n_lost);
    gtr_finding_number(f, "nan_scales", (double)n_nan);
    gtr_finding_worst(f, exam);
    gtr_finding_advise(f, "leaving such steps out before clipping, as --nonfinite skip does");
}

void gtr_check_poisoned(struct gtr_exam *exam)
{
    size_t n_steps = exam->series->n_steps, n_groups = exam->series->n_groups, first = n_steps;
    size_t n_lost = 0, n_nan = 0, group = n_groups, t, j;

    for (t = n_steps; t-- > 0;) {
        exam->weight[t] = 0.0;
        if (exam->skip[t])
            continue;
        if (exam->series->nonfinite[t])
            first = t;
        for (j = 0; j < n_groups; j++)
            if (isnan(exam->decisions->scale[j * n_steps + t]))
                exam->weight[t] = 1.0;
        n_nan += exam->weight[t] > 0.0 ? 1 : 0;
    }
    if (first == n_steps)
        return;
    for (j = 0; j < n_groups; j++) {
        /* A later NaN may be the one. */
        for (t = first, exam->flags[j] = false; t < n_steps && !exam->flags[j]; t++)
            exam->flags[j] = exam->decisions->policy == GTR_AGGC && gtr_exam_has_lane(exam, j) &&
                             exam->series->nonfinite[t] && lost_limit(exam, j, t);
        n_lost += exam->flags[j] ? 1 : 0;
        if (exam->flags[j] && group == n_groups)
            group = j;
    }
    if (n_lost + n_nan > 0)
        tell_poison(exam, first, n_lost, n_nan, group);
}

/* --- collapse --------------------------------------------------------------------------------- */

struct part {
    double upper, norm; /* medians over a tenth of the run */
};

/* False if too few steps have both. */
static bool measure_part(struct gtr_exam *exam, size_t group, size_t part, struct part *out)
{
    size_t n_steps = exam->series->n_steps, at = group * n_steps, n, t, which;

    for (which = 0; which < 2; which++) {
        for (n = 0, t = part * n_steps / PARTS; t < (part + 1) * n_steps / PARTS; t++) {
            double upper = exam->decisions->upper[at + t], norm = sqrt(exam->series->sumsq[at + t]);

            if (gtr_exam_counts(exam, t) && norm > 0.0 && upper < HUGE_VAL)
                exam->values[n++] = which == 0 ? upper : norm;
        }
        if (n < 5)
            return false;
        *(which == 0 ? &out->upper : &out->norm) = gtr_exam_quantile(exam, n, 0.5);
    }
    return true;
}

/* Has U fallen away from the norms?  Then from what, to what. */
static bool has_collapsed(struct gtr_exam *exam, size_t group, struct part *from, struct part *to)
{
    struct part now;
    bool any = false;
    size_t part;

    if (!measure_part(exam, group, PARTS - 1, to))
        return false;
    for (part = 0; part + 1 < PARTS; part++) {
        if (!measure_part(exam, group, part, &now))
            continue;
        if (!any || now.upper / now.norm > from->upper / from->norm)
            *from = now;
        any = true;
    }
    return any && to->upper < 0.5 * from->upper && to->upper < 0.5 * to->norm &&
           to->upper / to->norm < gtr_threshold_at(GTR_AT_COLLAPSE) * (from->upper / from->norm);
}

void gtr_check_collapse(struct gtr_exam *exam)
{
    size_t n_groups = exam->series->n_groups, worst = n_groups, j;
    struct part from = { 0 }, to = { 0 }, worst_from = { 0 }, worst_to = { 0 };
    char names[GTR_TELL], name[GTR_TELL];
    struct gtr_finding *f;

    if (exam->decisions->policy != GTR_AGGC || gtr_exam_told(exam, "poisoned"))
        return;
    for (j = 0; j < n_groups; j++) {
        exam->flags[j] = gtr_exam_has_lane(exam, j) && has_collapsed(exam, j, &from, &to);
        if (!exam->flags[j] ||
            (worst < n_groups && to.upper / to.norm >= worst_to.upper / worst_to.norm))
            continue;
        worst = j;
        worst_from = from;
        worst_to = to;
    }
    if (worst == n_groups)
        return;
    f = gtr_exam_found(exam, GTR_SEVERE, worst);
    gtr_finding_say(f,
                    "The limit of %s shrinks to nothing while the norms do not: U of %s falls "
                    "from %.2g to %.2g, its norm goes from %.2g to %.2g.  The limit follows "
                    "norms that it has cut itself.",
                    gtr_tell_lanes(exam, names), gtr_tell_name(exam->series->names[worst], name),
                    worst_from.upper, worst_to.upper, worst_from.norm, worst_to.norm);
    gtr_finding_number(f, "upper_before", worst_from.upper);
    gtr_finding_number(f, "upper_after", worst_to.upper);
    gtr_finding_number(f, "norm_before", worst_from.norm);
    gtr_finding_number(f, "norm_after", worst_to.norm);
    gtr_finding_advise(f, "high above 1");
    gtr_finding_advise(f, "form=paper, whose average follows norms as they arrive");
}

/* --- cold start ------------------------------------------------------------------------------- */

static bool starts_at_zero(const struct gtr_aggc_params *p)
{
    return p->form == (double)GTR_AGGC_CODE ||
           (p->form == (double)GTR_AGGC_PAPER && p->init_zero != 0.0);
}

/* Steps from the start on at which the scale is far below what is usual later; the first of them
 * has no past and may be free. */
static size_t count_cold(struct gtr_exam *exam, size_t group, double *least, double *later)
{
    size_t n_steps = exam->series->n_steps, n = 0, cold = 0, seen = 0, t;
    const double *scale = exam->decisions->scale + group * n_steps;

    for (t = n_steps / 2; t < n_steps; t++)
        if (!isnan(scale[t]))
            exam->values[n++] = scale[t];
    *later = gtr_exam_quantile(exam, n, 0.5);
    *least = 1.0;
    for (t = 0; t < n_steps; t++) {
        if (isnan(scale[t]) || exam->series->sumsq[group * n_steps + t] == 0.0)
            continue;
        if (scale[t] >= gtr_threshold_at(GTR_AT_COLD) * *later) {
            if (seen++ > 0)
                break;
            continue;
        }
        seen++;
        cold++;
        *least = scale[t] < *least ? scale[t] : *least;
    }
    return t < n_steps ? cold : 0;
}

void gtr_check_cold(struct gtr_exam *exam)
{
    size_t n_groups = exam->series->n_groups, worst = n_groups, longest = 0, j;
    double least, later, worst_least = 1.0, worst_later = 1.0;
    struct gtr_finding *f;
    char names[GTR_TELL];

    for (j = 0; j < n_groups; j++) {
        size_t cold;

        exam->flags[j] = false;
        if (exam->decisions->policy != GTR_AGGC || !gtr_exam_has_lane(exam, j) ||
            !starts_at_zero(&exam->decisions->params[j].aggc))
            continue;
        cold = count_cold(exam, j, &least, &later);
        exam->flags[j] = (double)cold >= gtr_threshold_at(GTR_AT_COLD_STEPS);
        if (!exam->flags[j] || cold <= longest)
            continue;
        worst = j;
        longest = cold;
        worst_least = least;
        worst_later = later;
    }
    if (worst == n_groups)
        return;
    f = gtr_exam_found(
        exam, gtr_severe_from(GTR_AT_COLD_SEVERE, (double)longest / (double)exam->series->n_steps),
        worst);
    gtr_finding_say(f,
                    "The average of %s starts at 0 and rises slowly: for up to %zu steps at the "
                    "start the scale is far below the usual %.3g, down to %.2g.",
                    gtr_tell_lanes(exam, names), longest, worst_later, worst_least);
    gtr_finding_number(f, "steps", (double)longest);
    gtr_finding_number(f, "scale_min", worst_least);
    gtr_finding_number(f, "scale_later", worst_later);
    gtr_finding_advise(f, exam->decisions->params[worst].aggc.form == (double)GTR_AGGC_PAPER
                              ? "init=first: the average starts at the first norm"
                              : "form=paper, whose average starts at the first norm");
    gtr_finding_advise(f, "max_down=0.5 or the like, which also lets it rise faster");
}
