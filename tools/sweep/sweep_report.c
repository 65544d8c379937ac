/* sweep_report.c - the recommendation and its reasons.
 *
 * Whether the run needs clipping at all comes first: on a calm one every limit only costs.
 */
#include <math.h>

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
    bool calm; /* nothing stands out of the noise */
};

static const double *row_of(const struct report *report, size_t i)
{
    return report->results->rows + i * GTR_OBJECTIVE_COUNT;
}

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
    const struct gtr_advice *advice = report->found->advice;
    size_t k;

    if (advice->n_flat < 2) {
        fputs("  sharp: no other setting comes within 5% of the front's span of it\n", f);
        return;
    }
    fprintf(f, "  flat: %zu settings are within 5%% of the front's span of it, with\n",
            advice->n_flat);
    for (k = 0; k < report->found->n_knobs; k++) {
        if (isnan(advice->flat_knob[k].low))
            continue;
        fputs("    ", f);
        tell_name(f, &report->knobs, k);
        fprintf(f, " from %.4g to %.4g (tried: %.4g to %.4g)\n", advice->flat_knob[k].low,
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
    fprintf(f, "%zu stand more than %g deviations out\n  the farthest: ", outliers.n_outliers,
            sigmas);
    tell_text(f, series->names[outliers.group]);
    fprintf(f, " at step %lld, %.3g times its average, %.0f deviations\n\n",
            (long long)series->index[outliers.step], outliers.ratio, outliers.sigmas);
    return GTR_OK;
}

static enum gtr_code put_recommendation(FILE *f, const struct report *report, struct gtr_err *err)
{
    const struct gtr_advice *advice = report->found->advice;
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

static enum gtr_code put_all(FILE *f, struct report *report, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t p;

    put_title(f, report);
    rc = put_need(f, report, err);
    if (rc == GTR_OK)
        rc = put_recommendation(f, report, err);
    for (p = 0; rc == GTR_OK && p < report->found->n_policies; p++)
        put_sensitivity(f, report, p);
    if (rc == GTR_OK && report->found->advice->knee != GTR_NO_ROW)
        rc = sweep_split(f, report->options, report->results, report->found, err);
    if (rc == GTR_OK)
        fprintf(f, "\n%s\n", study_open_loop);
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
