/* sweep_report.c - the recommendation and its reasons.
 *
 * First what spikes there are, then the range, one setting of it to type, and what speaks for it.
 */
#include <math.h>
#include <string.h>

#include "paste.h"
#include "sweep_found.h"
#include "tell.h"

enum { KNOB_LEAST = 12, KNOB_MOST = 32 };

/* What the report is made from. */
struct report {
    const struct sweep_results *results;
    const struct sweep_options *options;
    const struct sweep_found *found;
    struct tell_names knobs;
};

/* --- the text --------------------------------------------------------------------------------- */

static void put_title(FILE *f, const struct report *report)
{
    const struct sweep_results *results = report->results;
    const struct gtr_advice *advice = report->found->advice;
    size_t allowed = 0, i;

    for (i = 0; i < results->n; i++)
        allowed += gtr_plan_allows(results->plan, results->first + i) ? 1 : 0;
    tell_text(f, gtr_trace_path(results->study->trace));
    fprintf(f, ": %zu settings x %zu groups x %zu steps", allowed, results->study->series->n_groups,
            results->study->series->n_steps);
    if (allowed < results->n)
        fprintf(f, "; %zu left out by --where", results->n - allowed);
    if (advice->n_counted < allowed)
        fprintf(f, "; %zu left out by --limit", allowed - advice->n_counted);
    fputs("\n\n", f);
}

/* "leak 0.1203, clip_rate 0.04167" */
static void put_goals(FILE *f, const struct report *report, size_t i)
{
    size_t g;

    for (g = 0; g < report->found->n_goals; g++)
        fprintf(f, "%s%s %.4g", g > 0 ? ", " : "", report->options->goals.text[g],
                report->found->goal_values[g][i]);
}

static void put_setting(FILE *f, const struct report *report, size_t i)
{
    char *text = gtr_plan_text(report->results->plan, report->results->first + i);

    tell_text(f, text != NULL ? text : "(no memory)");
    gtr_free(text);
}

/* An objective, with what a training may come to where that is known. */
static void put_objective(FILE *f, const struct report *report, size_t k)
{
    const struct gtr_trust *trust = &report->found->trust;
    const struct gtr_expected *expected = k == GTR_CLIP_RATE    ? &trust->clip_rate
                                          : k == GTR_SCALE_MEAN ? &trust->scale_mean
                                                                : NULL;

    fprintf(f, "  %-12s %.4g", gtr_objective_name((enum gtr_objective)k),
            report->found->objectives[k]);
    if (expected != NULL && !isnan(expected->low))
        fprintf(f, "   (expected of a training: %.3g to %.3g)", expected->low, expected->high);
    fputc('\n', f);
}

static void put_objectives(FILE *f, const struct report *report)
{
    size_t k;

    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        if (!isnan(report->found->objectives[k]))
            put_objective(f, report, k);
    if (report->found->trust.among_usual)
        fputs(
            "  the limit lies among the usual norms, where the expected is least certain: record a "
            "run with\n  it, and sweep that\n",
            f);
}

static void put_neighbour(FILE *f, const struct report *report, size_t i, const char *where)
{
    if (i == GTR_NO_ROW)
        return;
    fprintf(f, "  %s along the front: setting %zu, ", where, report->results->first + i);
    put_goals(f, report, i);
    fputs("\n    ", f);
    put_setting(f, report, i);
    fputc('\n', f);
}

/* What the run is like without clipping, from the norms themselves.  A fact, and no verdict: runs
 * without spikes were better with a limit, too. */
static enum gtr_code put_spikes(FILE *f, const struct report *report, struct gtr_err *err)
{
    const struct gtr_baseline *baseline = report->results->baseline;
    const struct gtr_series *series = report->results->study->series;
    const double sigmas = 6.0;
    struct gtr_outliers outliers;
    enum gtr_code rc = gtr_baseline_outliers(baseline, sigmas, &outliers, err);

    if (rc != GTR_OK)
        return rc;
    fprintf(f, "spikes: %zu of %zu norms are above %.4g times their group's average, ",
            outliers.n_spikes, outliers.n_based, baseline->options.kappa);
    fprintf(f, "%zu stand more than %g deviations out\n", outliers.n_outliers, sigmas);
    if (outliers.n_outliers > 0) {
        fputs("  the farthest: ", f);
        tell_text(f, series->names[outliers.group]);
        fprintf(f, " at step %lld, %.3g times its average, %.0f deviations\n",
                (long long)series->index[outliers.step], outliers.ratio, outliers.sigmas);
    }
    fputs("  whether a limit would make the loss lower is not in the norms\n\n", f);
    return GTR_OK;
}

/* "global with max_norm 1.4 to 2.3" */
static void put_ranges(FILE *f, const struct report *report, size_t policy)
{
    const struct sweep_found *found = report->found;
    bool any = false;
    size_t k;

    tell_text(f, gtr_plan_policy_name(report->results->plan, policy));
    for (k = 0; k < found->n_knobs; k++) {
        char low[SWEEP_NAME_SIZE], high[SWEEP_NAME_SIZE];

        if (gtr_plan_knob_policy(report->results->plan, k) != policy || isnan(found->range[k].low))
            continue;
        sweep_digits(found->range[k].low, low);
        sweep_digits(found->range[k].high, high);
        fputs(any ? ", " : " with ", f);
        tell_text(f, gtr_plan_knob_name(report->results->plan, k));
        if (strcmp(low, high) == 0)
            fprintf(f, " %s", low);
        else
            fprintf(f, " %s to %s", low, high);
        any = true;
    }
}

/* The range of each policy: which of two policies comes first may change with the seed. */
static void put_policies(FILE *f, const struct report *report)
{
    const struct sweep_found *found = report->found;
    const struct sweep_results *results = report->results;
    size_t mine = gtr_plan_policy_of(results->plan, results->first + found->advice->knee), p;

    fputs("recommended: ", f);
    put_ranges(f, report, mine);
    for (p = 0; p < found->n_policies; p++)
        if (p != mine && found->bootstrap->chosen[p] != GTR_NO_ROW) {
            fputs("\n  or, of this policy, ", f);
            put_ranges(f, report, p);
        }
    fputs("\n  -p ", f);
    tell_text(f, found->text);
    fputs("\n\n", f);
}

static void put_why(FILE *f, const struct report *report)
{
    const struct sweep_found *found = report->found;
    const struct gtr_advice *advice = found->advice;
    char cost[TELL_SIZE], part[TELL_SIZE];
    double part_of;
    size_t mine;

    if (report->options->goals_asked) {
        fprintf(f,
                "why: setting %zu is the knee of the front of %zu settings that no other beats; ",
                report->results->first + advice->knee, advice->n_front);
        put_goals(f, report, advice->knee);
        fputc('\n', f);
        put_neighbour(f, report, advice->before, "one way");
        put_neighbour(f, report, advice->after, "the other way");
    } else if (found->bootstrap->affordable) {
        fprintf(f,
                "why: of the settings that cost calm groups at most %s of their gradient it lets "
                "least of the\n  spikes through.  How often a policy clips is a preference, and "
                "counts only if asked for (--goal)\n",
                tell_share(GTR_CALM_COST, cost));
    } else {
        fprintf(f,
                "why: every setting costs calm groups more than %s of their gradient, and it the "
                "least\n",
                tell_share(GTR_CALM_COST, cost));
    }
    if (report->results->study->series->n_steps < 2 * GTR_BOOTSTRAP_BLOCKS)
        fputs("so few steps bear no range: record more\n", f);
    fprintf(
        f,
        "the ranges: each holds what %d of 100 draws of the run's ten stretches recommend, out to "
        "the middle\n  between the values tried\n",
        100 - 200 / SWEEP_DRAWS_OUT);
    mine = gtr_plan_policy_of(report->results->plan, report->results->first + advice->knee);
    part_of = sweep_agreement(found, report->results, mine);
    if (found->n_policies > 1)
        fprintf(f, "%s of the draws recommend %s%s\n", tell_share(part_of, part),
                gtr_plan_policy_name(report->results->plan, mine),
                part_of < 0.9 ? ": another seed may prefer another policy" : "");
}

/* Beside what `gradtrace spill` would take, where both are one limit. */
static enum gtr_code put_spill(FILE *f, const struct report *report, struct gtr_err *err)
{
    const struct study *study = report->results->study;
    const struct gtr_decisions *decisions = report->found->decisions;
    struct gtr_baseline *baseline = NULL;
    struct gtr_baseline_options usual;
    struct gtr_spill_point limit;
    double mine = decisions->params[0].global.max_norm;
    enum gtr_code rc;

    if (decisions->policy != GTR_GLOBAL)
        return GTR_OK;
    gtr_baseline_options_init(&usual);
    rc = gtr_baseline_new(study->series, gtr_replay_skip(study->replay), &usual, &baseline, err);
    if (rc == GTR_OK)
        rc = gtr_spill_limit(study->replay, baseline, GTR_CALM_COST, &limit, err);
    gtr_baseline_free(baseline);
    if (rc == GTR_EFORMAT) { /* nothing to clip, so nothing to hold this against */
        *err = (struct gtr_err){ 0 };
        return GTR_OK;
    }
    if (rc != GTR_OK)
        return rc;
    fprintf(f, "`gradtrace spill --max-norm auto` takes %.3g: ", limit.max_norm);
    if (report->options->goals_asked || report->options->limits.n > 0)
        fputs("the smallest limit at that cost to calm groups, whatever the goals and limits asked "
              "for here\n",
              f);
    else if (limit.max_norm <= 1.15 * mine && limit.max_norm >= mine / 1.15)
        fputs("the same rule, between the limits tried here\n", f);
    else
        fputs("the same rule over all limits; those tried here are too few to come near\n", f);
    return GTR_OK;
}

static enum gtr_code put_recommendation(FILE *f, const struct report *report, struct gtr_err *err)
{
    const struct sweep_found *found = report->found;
    const struct sweep_results *results = report->results;
    enum gtr_code rc;

    if (found->advice->knee == GTR_NO_ROW) {
        fputs("no setting keeps the limits\n", f);
        return GTR_OK;
    }
    put_policies(f, report);
    put_objectives(f, report);
    fputc('\n', f);
    put_why(f, report);
    rc = put_spill(f, report, err);
    if (rc != GTR_OK)
        return rc;
    fputc('\n', f);
    paste_print(f, found->decisions->policy, found->decisions->params,
                (const char *const *)results->study->series->names,
                results->study->series->n_groups);
    return GTR_OK;
}

/* --- which knob matters ----------------------------------------------------------------------- */

static void put_share(FILE *f, double value, double low, double high, bool last)
{
    char a[TELL_SIZE], b[TELL_SIZE], c[TELL_SIZE], range[2 * TELL_SIZE + 8] = "";

    if (low != high && !isnan(value))
        snprintf(range, sizeof range, " (%7s - %7s)", tell_share(low, b), tell_share(high, c));
    fprintf(f, last ? "  %8s%s" : "  %8s%-20s", tell_share(value, a), range);
}

/* Nothing for a policy of which nothing can be told: one knob, few settings, a constant goal. */
static void put_sensitivity(FILE *f, const struct report *report, size_t policy)
{
    const struct sweep_found *found = report->found;
    const struct gtr_plan *plan = report->results->plan;
    bool titled = false;
    size_t k;

    for (k = 0; k < found->n_knobs; k++) {
        const struct gtr_sensitivity *s = &found->sensitivity[k];

        if (gtr_plan_knob_policy(plan, k) != policy || isnan(s->first))
            continue;
        if (!titled) {
            fprintf(f, "\nwhich knob of %s matters: share of the variance of %s\n",
                    gtr_plan_policy_name(plan, policy), report->options->goals.text[0]);
            fprintf(f, "  %-*s  %-28s  %s\n", (int)report->knobs.width, "knob", "   alone (95%)",
                    "   with its interactions");
        }
        titled = true;
        fputs("  ", f);
        tell_name(f, &report->knobs, k);
        put_share(f, s->first, s->first_low, s->first_high, false);
        put_share(f, s->total, s->total_low, s->total_high, true);
        fputc('\n', f);
    }
}

static enum gtr_code put_all(FILE *f, const struct report *report, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t p;

    put_title(f, report);
    rc = put_spikes(f, report, err);
    if (rc == GTR_OK)
        rc = put_recommendation(f, report, err);
    for (p = 0; rc == GTR_OK && p < report->found->n_policies; p++)
        put_sensitivity(f, report, p);
    if (rc == GTR_OK && report->found->advice->knee != GTR_NO_ROW)
        rc = sweep_split(f, report->options, report->results, report->found, err);
    if (rc == GTR_OK)
        fprintf(f, "\n%s\n%s\n", study_expected, study_open_loop);
    return rc;
}

enum gtr_code sweep_report(FILE *f, const struct sweep_options *options,
                           const struct sweep_results *results, const struct sweep_found *found,
                           struct gtr_err *err)
{
    struct report report = { .results = results, .options = options, .found = found };
    char(*texts)[SWEEP_NAME_SIZE] = NULL;
    const char **names = NULL;
    enum gtr_code rc;
    size_t k;

    rc = gtr_alloc_for(&texts, found->n_knobs, sizeof *texts, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&names, found->n_knobs, sizeof *names, "knobs", err);
    for (k = 0; rc == GTR_OK && k < found->n_knobs; k++)
        names[k] = sweep_knob_name(results, k, texts[k]);
    if (rc == GTR_OK) {
        tell_names_make(&report.knobs, names, found->n_knobs, KNOB_LEAST, KNOB_MOST);
        rc = put_all(f, &report, err);
        tell_names_free(&report.knobs);
    }
    gtr_free(names);
    gtr_free(texts);
    return rc;
}
