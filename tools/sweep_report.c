/* sweep_report.c - the recommendation and its reasons. */
#include "sweep_report.h"

#include <math.h>
#include <string.h>

#include "paste.h"
#include "sweep_split.h"

/* What the report is made from. */
struct report {
    const struct sweep_results *results;
    const struct sweep_options *options;
    struct gtr_goal goals[SWEEP_GOALS_MAX];
    size_t n_goals;
    struct gtr_limit *limits;
    bool *keep;    /* [n] */
    double *knobs; /* [n][n_knobs] */
    size_t n_knobs;
    struct gtr_advice *advice;
    bool calm; /* nothing stands out of the noise */
};

static const double *row_of(const struct report *report, size_t i)
{
    return report->results->rows + i * GTR_OBJECTIVE_COUNT;
}

/* --- making ready --------------------------------------------------------------------------------
 */

static enum gtr_code parse_asked(struct report *report, struct gtr_err *err)
{
    const struct sweep_options *o = report->options;
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&report->limits, o->limits.n, sizeof *report->limits, "limits", err);
    for (i = 0; rc == GTR_OK && i < o->limits.n; i++)
        rc = gtr_limit_parse(o->limits.text[i], &report->limits[i], err);
    for (i = 0; rc == GTR_OK && i < o->goals.n; i++)
        rc = gtr_goal_parse(o->goals.text[i], &report->goals[i], err);
    report->n_goals = o->goals.n;
    return rc;
}

enum gtr_code sweep_report_check(const struct sweep_options *options, struct gtr_err *err)
{
    struct report report = { .options = options };
    enum gtr_code rc = parse_asked(&report, err);

    gtr_free(report.limits);
    return rc;
}

static enum gtr_code gather(struct report *report, struct gtr_err *err)
{
    const struct sweep_results *results = report->results;
    enum gtr_code rc;
    size_t i, k;

    report->n_knobs = gtr_plan_n_knobs(results->plan);
    rc = gtr_alloc_for(&report->keep, results->n, sizeof *report->keep, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&report->knobs, results->n * report->n_knobs, sizeof(double), "knobs",
                           err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < results->n; i++)
        for (k = 0; k < report->n_knobs; k++)
            report->knobs[i * report->n_knobs + k] =
                gtr_plan_knob(results->plan, results->first + i, k);
    gtr_limits_apply(report->limits, report->options->limits.n, results->rows, results->n,
                     report->keep);
    return gtr_advice_new(report->goals, report->n_goals, results->rows, results->n, report->keep,
                          report->knobs, report->n_knobs, &report->advice, err);
}

static void report_free(struct report *report)
{
    gtr_advice_free(report->advice);
    gtr_free(report->limits);
    gtr_free(report->keep);
    gtr_free(report->knobs);
}

/* --- the text ------------------------------------------------------------------------------------
 */

static void put_title(FILE *f, const struct report *report)
{
    const struct sweep_results *results = report->results;
    const struct gtr_advice *advice = report->advice;
    size_t allowed = 0, i;

    for (i = 0; i < results->n; i++)
        allowed += gtr_plan_allows(results->plan, results->first + i) ? 1 : 0;
    fprintf(f, "%s: %zu settings x %zu groups x %zu steps", gtr_trace_path(results->study->trace),
            allowed, results->study->series->n_groups, results->study->series->n_steps);
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

    for (g = 0; g < report->n_goals; g++)
        fprintf(f, "%s%s %.4g", g > 0 ? ", " : "", report->options->goals.text[g],
                gtr_goal_value(&report->goals[g], row_of(report, i)));
}

static void put_setting(FILE *f, const struct report *report, size_t i)
{
    char *text = gtr_plan_text(report->results->plan, report->results->first + i);

    fprintf(f, "%s", text != NULL ? text : "(no memory)");
    gtr_free(text);
}

static void put_objectives(FILE *f, const struct report *report, size_t i)
{
    size_t k;

    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++) {
        double value = row_of(report, i)[k];

        if (!isnan(value))
            fprintf(f, "  %-12s %.4g\n", gtr_objective_name((enum gtr_objective)k), value);
    }
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

static void put_flatness(FILE *f, const struct report *report)
{
    const struct gtr_advice *advice = report->advice;
    size_t k;

    if (advice->n_flat < 2) {
        fputs("  sharp: no other setting comes within 5% of the front's span of it\n", f);
        return;
    }
    fprintf(f, "  flat: %zu settings are within 5%% of the front's span of it, with\n",
            advice->n_flat);
    for (k = 0; k < report->n_knobs; k++) {
        if (isnan(advice->flat_knob[k].low))
            continue;
        fprintf(f, "    %-12s from %.4g to %.4g (tried: %.4g to %.4g)\n",
                gtr_plan_knob_name(report->results->plan, k), advice->flat_knob[k].low,
                advice->flat_knob[k].high, advice->knob[k].low, advice->knob[k].high);
    }
}

/* What the run is like without clipping, from the norms themselves. */
static enum gtr_code put_need(FILE *f, struct report *report, struct gtr_err *err)
{
    const struct gtr_baseline *baseline = report->results->baseline;
    const struct gtr_series *series = report->results->study->series;
    const double sigmas = 6.0;
    struct gtr_outliers outliers;
    enum gtr_code rc = gtr_baseline_outliers(baseline, sigmas, &outliers, err);

    if (rc != GTR_OK)
        return rc;
    report->calm = outliers.n_outliers == 0;
    if (report->calm) {
        fprintf(f,
                "nothing needs clipping: of %zu norms none stands more than %g deviations above "
                "its group's average; any limit only costs\n\n",
                outliers.n_based, sigmas);
        return GTR_OK;
    }
    fprintf(f, "spikes: %zu of %zu norms are above %.4g times their group's average, ",
            outliers.n_spikes, outliers.n_based, baseline->options.kappa);
    fprintf(f,
            "%zu stand more than %g deviations out\n  the farthest: %s at step %lld, %.3g times "
            "its average, %.0f deviations\n\n",
            outliers.n_outliers, sigmas, series->names[outliers.group],
            (long long)series->index[outliers.step], outliers.ratio, outliers.sigmas);
    return GTR_OK;
}

static enum gtr_code put_recommendation(FILE *f, const struct report *report, struct gtr_err *err)
{
    const struct gtr_advice *advice = report->advice;
    const struct sweep_results *results = report->results;
    size_t knee = advice->knee;
    union gtr_params *params;
    enum gtr_code rc;

    if (knee == GTR_NO_ROW) {
        fputs("no setting keeps the limits\n", f);
        return GTR_OK;
    }
    fprintf(f, "%s: setting %zu\n  -p ",
            report->calm ? "if the run is to be clipped all the same" : "recommended",
            results->first + knee);
    put_setting(f, report, knee);
    fputs("\n\n", f);
    put_objectives(f, report, knee);
    fprintf(f, "\nwhy: it is the knee of the front of %zu settings that no other beats; ",
            advice->n_front);
    put_goals(f, report, knee);
    fputc('\n', f);
    put_neighbour(f, report, advice->before, "one way");
    put_neighbour(f, report, advice->after, "the other way");
    put_flatness(f, report);
    fputc('\n', f);
    rc = gtr_alloc_for(&params, results->study->series->n_groups, sizeof *params, "groups", err);
    if (rc != GTR_OK)
        return rc;
    gtr_plan_params(results->plan, results->first + knee, params);
    paste_print(
        f,
        gtr_plan_policy_id(results->plan, gtr_plan_policy_of(results->plan, results->first + knee)),
        params, (const char *const *)results->study->series->names,
        results->study->series->n_groups);
    gtr_free(params);
    return rc;
}

/* --- which knob matters
 * --------------------------------------------------------------------------- */

/* The rows of one policy, and the columns of its own knobs. */
struct part {
    size_t policy, first, n; /* rows first .. first + n - 1 of the results */
    size_t n_knobs;
    size_t *knob; /* [n_knobs] */
};

static enum gtr_code run_sensitivity(const struct report *report, const struct part *part,
                                     struct gtr_sensitivity *out, struct gtr_err *err)
{
    const struct gtr_plan *plan = report->results->plan;
    double *knobs = NULL, *values = NULL;
    size_t *sizes = NULL, grid = 1, i, k;
    enum gtr_code rc;

    rc = gtr_alloc_for(&knobs, part->n * part->n_knobs, sizeof *knobs, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&values, part->n, sizeof *values, "goals", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sizes, part->n_knobs, sizeof *sizes, "knobs", err);
    for (k = 0; rc == GTR_OK && k < part->n_knobs; k++) {
        sizes[k] = gtr_plan_knob_size(plan, part->knob[k]);
        grid *= sizes[k];
        for (i = 0; i < part->n; i++)
            knobs[i * part->n_knobs + k] =
                report->knobs[(part->first + i) * report->n_knobs + part->knob[k]];
    }
    for (i = 0; rc == GTR_OK && i < part->n; i++)
        values[i] = gtr_goal_value(&report->goals[0], row_of(report, part->first + i));
    /* A shard of a grid is no grid: its rows count as a sample. */
    if (rc == GTR_OK)
        rc = gtr_sensitivity_run(knobs, values, part->n, part->n_knobs,
                                 grid == part->n ? sizes : NULL, report->options->seed, out, err);
    gtr_free(knobs);
    gtr_free(values);
    gtr_free(sizes);
    return rc;
}

static void put_share(FILE *f, double value, double low, double high)
{
    if (isnan(value))
        fprintf(f, "  %8s %17s", "-", "");
    else if (low == high)
        fprintf(f, "  %8.3f %17s", value, "");
    else
        fprintf(f, "  %8.3f (%6.3f - %6.3f)", value, low, high);
}

static enum gtr_code put_sensitivity(FILE *f, const struct report *report, struct part *part,
                                     struct gtr_err *err)
{
    const struct gtr_plan *plan = report->results->plan;
    struct gtr_sensitivity *s = NULL;
    enum gtr_code rc;
    size_t k;

    if (part->n_knobs < 2 || part->n < 4)
        return GTR_OK;
    rc = gtr_alloc_for(&s, part->n_knobs, sizeof *s, "knobs", err);
    if (rc == GTR_OK)
        rc = run_sensitivity(report, part, s, err);
    if (rc == GTR_OK && !isnan(s[0].first)) {
        fprintf(f, "\nwhich knob of %s matters: share of the variance of %s\n",
                gtr_plan_policy_name(plan, part->policy), report->options->goals.text[0]);
        fprintf(f, "  %-14s  %-26s  %s\n", "knob", "   alone (95%)", "   with its interactions");
        for (k = 0; k < part->n_knobs; k++) {
            fprintf(f, "  %-14s", gtr_plan_knob_name(plan, part->knob[k]));
            put_share(f, s[k].first, s[k].first_low, s[k].first_high);
            put_share(f, s[k].total, s[k].total_low, s[k].total_high);
            fputc('\n', f);
        }
    }
    gtr_free(s);
    return rc;
}

static enum gtr_code put_knobs(FILE *f, const struct report *report, struct gtr_err *err)
{
    const struct sweep_results *results = report->results;
    const struct gtr_plan *plan = results->plan;
    size_t end = results->first + results->n, policy, k;
    struct part part = { 0 };
    enum gtr_code rc;

    rc = gtr_alloc_for(&part.knob, report->n_knobs, sizeof *part.knob, "knobs", err);
    for (policy = 0; rc == GTR_OK && policy < gtr_plan_n_policies(plan); policy++) {
        size_t from = gtr_plan_first_of(plan, policy);
        size_t to = policy + 1 < gtr_plan_n_policies(plan) ? gtr_plan_first_of(plan, policy + 1)
                                                           : gtr_plan_n_settings(plan);

        from = from > results->first ? from : results->first;
        to = to < end ? to : end;
        part.policy = policy;
        part.first = from - results->first;
        part.n = to > from ? to - from : 0;
        part.n_knobs = 0;
        for (k = 0; k < report->n_knobs; k++)
            if (gtr_plan_knob_policy(plan, k) == policy)
                part.knob[part.n_knobs++] = k;
        rc = put_sensitivity(f, report, &part, err);
    }
    gtr_free(part.knob);
    return rc;
}

enum gtr_code sweep_report(FILE *f, const struct sweep_options *options,
                           const struct sweep_results *results, struct gtr_err *err)
{
    struct report report = { .results = results, .options = options };
    enum gtr_code rc;

    rc = parse_asked(&report, err);
    if (rc == GTR_OK)
        rc = gather(&report, err);
    if (rc == GTR_OK) {
        put_title(f, &report);
        rc = put_need(f, &report, err);
    }
    if (rc == GTR_OK)
        rc = put_recommendation(f, &report, err);
    if (rc == GTR_OK)
        rc = put_knobs(f, &report, err);
    if (rc == GTR_OK && report.advice->knee != GTR_NO_ROW)
        rc = sweep_split(f, options, results, &report.goals[0], report.keep, report.advice->knee,
                         err);
    if (rc == GTR_OK)
        fprintf(f, "\n%s\n", study_open_loop);
    report_free(&report);
    return rc;
}
