/* doctor_scales.c - checks of what a setting's scales are: all capped, all below 1, all the same,
 * none below 1. */
#include <math.h>

#include "alloc.h"
#include "doctor_private.h"
#include "proxy.h"

/* torch multiplies by C / (N + 1e-6), which is a little below 1 at N = C: that is no clipping. */
static const double clipped = 0.9999;

/* Copies the lane's scales to exam->values; how many. */
static size_t take_scales(struct gtr_exam *exam, size_t group)
{
    const double *scale = exam->decisions->scale + group * exam->series->n_steps;
    size_t n = 0, t;

    for (t = 0; t < exam->series->n_steps; t++)
        if (!isnan(scale[t]))
            exam->values[n++] = scale[t];
    return n;
}

/* What a lane's norm is. */
static double norm_of(const struct gtr_exam *exam, size_t group, size_t t)
{
    return gtr_policy_spec(exam->decisions->policy)->unit == GTR_WHOLE
               ? exam->series->total[t]
               : sqrt(exam->series->sumsq[group * exam->series->n_steps + t]);
}

static double share_of(const struct gtr_exam *exam, size_t group, uint64_t part)
{
    uint64_t all = exam->report->group[group].n_decisions;

    return all > 0 ? (double)part / (double)all : 0.0;
}

/* --- stuck at a cap ------------------------------------------------------------------------- */

static double share_capped(const struct gtr_exam *exam, size_t group)
{
    return share_of(exam, group, exam->report->group[group].n_capped);
}

/* The scale of the lane's capped decisions, and how far their norms are above U, in the middle. */
static double capped_scale(struct gtr_exam *exam, size_t group, double *over)
{
    size_t at = group * exam->series->n_steps, n = 0, t;
    double scale = 1.0;

    for (t = 0; t < exam->series->n_steps; t++) {
        double upper = exam->decisions->upper[at + t];

        if (!(exam->decisions->flags[at + t] & GTR_FLAG_CAPPED))
            continue;
        scale = exam->decisions->scale[at + t];
        if (upper > 0.0 && scale < 1.0)
            exam->values[n++] = norm_of(exam, group, t) / upper;
    }
    *over = gtr_exam_quantile(exam, n, 0.5);
    return scale;
}

static void tell_cap(struct gtr_exam *exam, size_t worst, double share)
{
    double over, scale = capped_scale(exam, worst, &over);
    char percent[GTR_TELL], names[GTR_TELL];
    struct gtr_finding *f;

    f = gtr_exam_found(exam, gtr_severe_from(GTR_AT_CAP_SEVERE, share), worst);
    gtr_finding_say(f, "In %s %s of the decisions are the cap %s=%.4g itself",
                    gtr_tell_lanes(exam, names), gtr_tell_most(exam, share, percent),
                    scale < 1.0 ? "max_down" : "max_up", scale);
    if (scale < 1.0 && over > 0.0)
        gtr_finding_say(f,
                        ": the norm there is %.3g times U in the middle, and the floor lets it "
                        "through at %.4g.",
                        over, scale);
    else
        gtr_finding_say(f, ", and not the interval.");
    gtr_finding_number(f, "share_at_cap", share);
    gtr_finding_number(f, "cap", scale);
    gtr_finding_number(f, "norm_over_upper", over);
    gtr_finding_advise(f, scale < 1.0 ? "high above 1, so that usual norms are inside the interval"
                                      : "low further below 1, so that usual norms are inside");
    gtr_finding_advise(f, "%s=0: no cap", scale < 1.0 ? "max_down" : "max_up");
}

void gtr_check_cap(struct gtr_exam *exam)
{
    double share;
    size_t worst = gtr_exam_worst(exam, share_capped, gtr_threshold_at(GTR_AT_CAP), &share);

    if (worst < exam->series->n_groups)
        tell_cap(exam, worst, share);
}

/* --- always and never ----------------------------------------------------------------------- */

/* Share of the lane's steps that the interval, and no cap, scales down. */
static double share_below(const struct gtr_exam *exam, size_t group)
{
    size_t at = group * exam->series->n_steps, n = 0, below = 0, t;

    for (t = 0; t < exam->series->n_steps; t++) {
        double scale = exam->decisions->scale[at + t];

        if (isnan(scale))
            continue;
        n++;
        below += scale < clipped && !(exam->decisions->flags[at + t] & GTR_FLAG_CAPPED) ? 1 : 0;
    }
    return n > 0 ? (double)below / (double)n : 0.0;
}

static void tell_always(struct gtr_exam *exam, size_t worst, double share)
{
    size_t n = take_scales(exam, worst);
    double median = gtr_exam_quantile(exam, n, 0.5), low = gtr_exam_quantile(exam, n, 0.05);
    double high = gtr_exam_quantile(exam, n, 0.95);
    char percent[GTR_TELL], names[GTR_TELL];
    struct gtr_finding *f;

    /* A fact with its consequence, and no fault: in trainings with looser limits the loss was no
     * lower for them. */
    f = gtr_exam_found(exam, GTR_NOTE, worst);
    gtr_finding_say(f,
                    "Scales %s down at %s of the steps: the scale is %.3g at the median, and from "
                    "%.3g to %.3g at 9 of 10 steps.  ",
                    gtr_tell_lanes(exam, names), gtr_tell_most(exam, share, percent), median, low,
                    high);
    if (exam->patient->beta2 > 0.0)
        gtr_finding_say(f, "So the limit is part of how the run was tuned; Adam cancels what is "
                           "constant in it, what wanders stays.");
    else
        gtr_finding_say(f,
                        "So the limit is a fixed part of your learning rate: it is %.3g times the "
                        "one that is set.",
                        median);
    gtr_finding_number(f, "share", share);
    gtr_finding_number(f, "scale_median", median);
    gtr_finding_number(f, "scale_p05", low);
    gtr_finding_number(f, "scale_p95", high);
    gtr_finding_advise(f,
                       "nothing, if the run trains well; a learning rate that was found with this "
                       "limit goes with it");
    gtr_finding_advise(f, "to clip spikes alone, a limit above the usual norms: `gradtrace sweep`, "
                          "`gradtrace spill --max-norm auto`");
}

void gtr_check_always(struct gtr_exam *exam)
{
    double share;
    size_t worst;

    if (gtr_exam_told(exam, "ema-collapse"))
        return;
    worst = gtr_exam_worst(exam, share_below, gtr_threshold_at(GTR_AT_ALWAYS_NOTE), &share);
    if (worst < exam->series->n_groups)
        tell_always(exam, worst, share);
}

/* The closest that any norm came to its limit: norm over limit, and where. */
static double closest(const struct gtr_exam *exam, size_t *group, size_t *step)
{
    double nearest = 0.0;
    size_t j, t;

    for (j = 0; j < exam->series->n_groups; j++) {
        for (t = 0; t < exam->series->n_steps; t++) {
            double upper = exam->decisions->upper[j * exam->series->n_steps + t];
            double part = norm_of(exam, j, t) / upper;

            if (!gtr_exam_has_lane(exam, j) || !gtr_exam_counts(exam, t) || !(upper > 0.0) ||
                !(part > nearest))
                continue;
            nearest = part;
            *group = j;
            *step = t;
        }
    }
    return nearest;
}

void gtr_check_never(struct gtr_exam *exam)
{
    size_t n_steps = exam->series->n_steps, group = 0, step = 0, j, t;
    char percent[GTR_TELL], name[GTR_TELL];
    struct gtr_finding *f;
    double part;

    if (exam->decisions->policy == GTR_NONE || exam->report->n_steps == 0)
        return;
    for (j = 0; j < exam->series->n_groups; j++)
        for (t = 0; t < n_steps; t++) {
            double scale = exam->decisions->scale[j * n_steps + t];

            if (scale < clipped || scale > 1.0)
                return;
        }
    part = closest(exam, &group, &step);
    if (part * gtr_threshold_at(GTR_AT_NEVER) > 1.0)
        return;
    f = gtr_exam_found(
        exam, part * gtr_threshold_at(GTR_AT_NEVER_FAR) < 1.0 ? GTR_WARNING : GTR_NOTE, group);
    gtr_finding_say(f, "None of %llu steps was scaled", (unsigned long long)exam->report->n_steps);
    if (part > 0.0)
        gtr_finding_say(f, "; %s came closest, with a norm of %.3g at step %lld, %s of the limit",
                        gtr_policy_spec(exam->decisions->policy)->unit == GTR_WHOLE
                            ? "the whole gradient"
                            : gtr_tell_name(exam->series->names[group], name),
                        norm_of(exam, group, step), (long long)exam->series->index[step],
                        gtr_tell_share(part, percent));
    gtr_finding_say(f, ".");
    gtr_finding_number(f, "norm_over_limit", part);
    gtr_finding_advise(f, "nothing, if it is a safety net; otherwise a limit near the 99th "
                          "percentile of the norms: -p group:quantile=0.99");
}

/* --- empty intervals ------------------------------------------------------------------------ */

static double share_empty(const struct gtr_exam *exam, size_t group)
{
    return share_of(exam, group, exam->report->group[group].n_empty);
}

void gtr_check_empty(struct gtr_exam *exam)
{
    size_t n_groups = exam->series->n_groups, worst, j;
    char percent[GTR_TELL], names[GTR_TELL];
    struct gtr_finding *f;
    bool raises = false;
    double share;

    worst = gtr_exam_worst(exam, share_empty, gtr_threshold_at(GTR_AT_EMPTY), &share);
    if (worst == n_groups)
        return;
    for (j = 0; j < n_groups; j++)
        raises = raises || (exam->flags[j] && exam->decisions->params[j].aggc.raise != 0.0);
    f = gtr_exam_found(exam, !raises ? GTR_NOTE : share >= 0.5 ? GTR_SEVERE : GTR_WARNING, worst);
    gtr_finding_say(f, "In %s L is above U at %s of the steps", gtr_tell_lanes(exam, names),
                    gtr_tell_most(exam, share, percent));
    gtr_finding_say(f, raises ? ": what is not cut is raised, and no norm is left alone."
                              : ".  Nothing is raised here, so only U counts.");
    gtr_finding_number(f, "share_empty", share);
    gtr_finding_advise(f, "low below high, and low_late below high_late; a smaller min_norm");
}

/* --- what Adam leaves ------------------------------------------------------------------------- */

/* Share of the lane's most frequent scale. */
static double share_of_same(struct gtr_exam *exam, size_t group, double *scale)
{
    size_t n = take_scales(exam, group), run = 0, best = 0, i;

    gtr_exam_quantile(exam, n, 0.5); /* sorts */
    for (i = 0; i < n; i++) {
        run = i > 0 && exam->values[i] == exam->values[i - 1] ? run + 1 : 1;
        if (run <= best)
            continue;
        best = run;
        *scale = exam->values[i];
    }
    return n > 0 ? (double)best / (double)n : 0.0;
}

static double share_scaled(struct gtr_exam *exam, size_t group)
{
    size_t n = take_scales(exam, group), scaled = 0, i;

    for (i = 0; i < n; i++)
        scaled += exam->values[i] < clipped || exam->values[i] > 1.0 ? 1 : 0;
    return n > 0 ? (double)scaled / (double)n : 0.0;
}

static void tell_cancelled(struct gtr_exam *exam, size_t worst, double moved)
{
    double scale = 1.0, same = share_of_same(exam, worst, &scale);
    char percent[GTR_TELL], left[GTR_TELL], names[GTR_TELL];
    struct gtr_finding *f = gtr_exam_found(exam, GTR_WARNING, worst);

    gtr_finding_say(f, "Adam divides a constant factor out again.  In %s ",
                    gtr_tell_lanes(exam, names));
    if (same >= 0.5)
        gtr_finding_say(f, "the scale is the same %.4g at %s of the steps, and ", scale,
                        gtr_tell_share(same, percent));
    gtr_finding_say(f,
                    "all this scaling changes the update by %s (rms): nearly the same as no "
                    "clipping.",
                    gtr_tell_share(moved, left));
    gtr_finding_number(f, "update_change", moved);
    gtr_finding_number(f, "share_of_same_scale", same);
    gtr_finding_number(f, "scale", scale);
    gtr_finding_advise(f,
                       "a limit that seldom acts, so that spikes get another scale than the rest");
    gtr_finding_advise(f, "if smaller steps are wanted: a lower learning rate");
}

void gtr_check_cancelled(struct gtr_exam *exam)
{
    size_t n_groups = exam->series->n_groups, worst = n_groups, j;
    double *rho = NULL, *moved = NULL;

    if (!(exam->patient->beta2 > 0.0))
        return;
    exam->rc =
        gtr_alloc_for(&rho, n_groups * exam->series->n_steps, sizeof *rho, "scales", exam->err);
    if (exam->rc == GTR_OK)
        exam->rc = gtr_alloc_for(&moved, n_groups, sizeof *moved, "groups", exam->err);
    if (exam->rc == GTR_OK)
        exam->rc = gtr_proxy_run(exam->patient->replay, exam->decisions, NULL, 0,
                                 exam->patient->beta2, rho, moved, exam->err);
    for (j = 0; exam->rc == GTR_OK && j < n_groups; j++) {
        exam->flags[j] = gtr_exam_has_lane(exam, j) &&
                         moved[j] < gtr_threshold_at(GTR_AT_CANCELLED) &&
                         share_scaled(exam, j) >= gtr_threshold_at(GTR_AT_CANCELLED_RATE);
        /* The one that it is least true of, so that "all this" is. */
        if (exam->flags[j] && (worst == n_groups || moved[j] > moved[worst]))
            worst = j;
    }
    if (worst < n_groups)
        tell_cancelled(exam, worst, moved[worst]);
    gtr_free(rho);
    gtr_free(moved);
}

/* --- raising ---------------------------------------------------------------------------------- */

static double share_raised(const struct gtr_exam *exam, size_t group)
{
    return share_of(exam, group, exam->report->group[group].n_raised);
}

void gtr_check_raises(struct gtr_exam *exam)
{
    size_t n_groups = exam->series->n_groups, worst = n_groups, j;
    char percent[GTR_TELL], names[GTR_TELL];
    struct gtr_finding *f;
    double share, most = 0.0;

    for (j = 0; j < n_groups; j++) {
        double max = exam->report->group[j].max;

        exam->flags[j] = gtr_exam_has_lane(exam, j) &&
                         (share_raised(exam, j) >= gtr_threshold_at(GTR_AT_RAISE) ||
                          max >= gtr_threshold_at(GTR_AT_RAISE_FACTOR));
        if (!exam->flags[j])
            continue;
        if (worst == n_groups || share_raised(exam, j) > share_raised(exam, worst))
            worst = j;
        most = max > most ? max : most;
    }
    if (worst == n_groups)
        return;
    share = share_raised(exam, worst);
    f = gtr_exam_found(exam, gtr_severe_from(GTR_AT_RAISE_SEVERE, share), worst);
    gtr_finding_say(f, "Scales %s up at %s of the steps, by up to %.3g times.",
                    gtr_tell_lanes(exam, names), gtr_tell_most(exam, share, percent), most);
    gtr_finding_number(f, "share_raised", share);
    gtr_finding_number(f, "scale_max", most);
    gtr_finding_advise(f, "low further below 1: norms wander below their average half of the time");
    gtr_finding_advise(f, "raise=off, or max_up=1.1");
}
