/* report_clip.c - does each policy engage, and how do they compare?
 *
 * A policy "engages" at steps at which it scales some group; shares of steps and of decisions are
 * kept apart, for a group-wise policy touches few decisions at many steps.
 */
#include <math.h>

#include "report_write.h"

/* Shares of steps that part a safety net from a habit, and both from a learning rate. */
static const double rare = 0.01, often = 0.1, mostly = 0.5;

/* A scale above it is no clip to speak of. */
static const double barely = 0.95;

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static double clip_rate(const struct gtr_scaling_report *report)
{
    return share(report->n_clipped_steps, report->n_steps);
}

/* --- one sentence per policy ------------------------------------------------------------------ */

static const char *verdict_of(double rate)
{
    if (rate <= rare)
        return "It engages rarely: a safety net.";
    if (rate <= often)
        return "It engages now and then.";
    return rate <= mostly ? "It engages often: part of the training, not only a safety net."
                          : "It engages at most steps: more a change of the learning rate than "
                            "a safety net.";
}

/* Of a training with this policy, and not of this recording. */
static void put_expected(struct report *r, const struct gtr_trust *trust)
{
    if (isnan(trust->step_rate.low))
        return;
    SAY(r, "  Of a training with it, {} to {} are [expected|expected]{}.",
        said_share("steps_clipped_low", trust->step_rate.low),
        said_share("steps_clipped_high", trust->step_rate.high),
        said_text(trust->among_usual
                      ? "; the limit lies among the usual norms, where that is least "
                        "certain: record a run with it, and replay that"
                      : ""));
}

static void put_engaged(struct report *r, const struct gtr_scaling_report *report, bool whole)
{
    const struct gtr_scaling *pooled = &report->pooled;
    double capped = share(pooled->n_capped, pooled->n_decisions);

    if (capped > mostly) {
        SAY(r,
            "It is stuck: at {} of its decisions a cap chose the [scale|scale] and not the "
            "norm, so spikes are cut no more than anything else.",
            said_share("capped", capped));
    } else if (report->n_clipped_steps > 0 && pooled->min > barely) {
        SAY(r, "It engages, but takes next to nothing: no gradient loses more than {}.",
            said_share("most_taken", 1.0 - pooled->min));
    } else if (report->n_clipped_steps > 0) {
        report_put(r, verdict_of(clip_rate(report)));
    } else {
        report_put(r, "It never clips; it only raises gradients that it holds too small.");
    }
    if (report->n_clipped_steps > 0)
        SAY(r, "  It shrinks {} at {} of the steps; the median scale is {}, the least {}.",
            said_text(whole ? "the gradient" : "some group"),
            said_share("steps_clipped", clip_rate(report)), said_number("scale_p50", pooled->p50),
            said_number("scale_min", pooled->min));
    put_expected(r, &pooled->trust);
    if (pooled->n_raised > 0)
        SAY(r, "  It raises {} of the [decision|decisions], at most {}-fold.",
            said_share("raised", share(pooled->n_raised, pooled->n_decisions)),
            said_number("scale_max", pooled->max));
}

void report_put_verdict(struct report *r, size_t policy)
{
    const struct gtr_scaling_report *report = r->found->scaling[policy];

    if (report->n_steps == 0)
        report_put(r, "It decides nothing: every step is left out.");
    else if (r->found->decisions[policy]->policy == GTR_NONE)
        report_put(r, "It leaves every gradient as it is, to compare with.");
    else if (report->n_clipped_steps == 0 && report->pooled.n_raised == 0)
        report_put(r, "It never engages: it leaves every gradient as it is.");
    else
        put_engaged(r, report,
                    gtr_policy_spec(r->found->decisions[policy]->policy)->unit == GTR_WHOLE);
}

/* Has it a schedule, and nothing to follow it by? */
static bool lacks_plan(const struct report_found *found, size_t policy)
{
    const struct gtr_decisions *decisions = found->decisions[policy];
    const struct gtr_policy_spec *spec = gtr_policy_spec(decisions->policy);

    return gtr_replay_total_steps(found->study.replay) <= 0 && decisions->n_groups > 0 &&
           spec->needs_plan != NULL && spec->needs_plan(&decisions->params[0]);
}

const char *report_whose_limit(const struct report_found *found)
{
    if (found->own > 0.0)
        return "the run's own limit";
    return found->options->guessed ? "a common limit; this run gives nothing to choose one by"
                                   : "a limit that spares the calm groups of this run";
}

static void put_policy_list(struct report *r)
{
    const struct report_found *found = r->found;
    size_t p;

    report_put(r, "<ul class=verdicts>\n");
    for (p = 0; p < found->study.n_settings; p++) {
        SAY(r, "<li><b><code>{}</code></b> <span class=kind>{}",
            said_text(gtr_setting_text(found->study.settings[p])),
            said_text(gtr_policy_spec(found->decisions[p]->policy)->summary));
        if (p == 0 && found->options->chosen)
            SAY(r, ": {}", said_text(report_whose_limit(found)));
        report_put(r, "</span>\n");
        report_put_verdict(r, p);
        if (lacks_plan(found, p))
            report_put(r, "  The planned length of the run is not known, so its schedule stays "
                          "at its start (<code>--total-steps N</code> tells it).");
        report_put(r, "</li>\n");
    }
    report_put(r, "</ul>\n");
}

static uint64_t raised_of(const struct gtr_scaling *scaling)
{
    return scaling->n_raised;
}

static uint64_t capped_of(const struct gtr_scaling *scaling)
{
    return scaling->n_capped;
}

/* A column of zeros is not worth its room. */
static bool any(const struct report_found *found,
                uint64_t (*count_of)(const struct gtr_scaling *scaling))
{
    size_t p;

    for (p = 0; p < found->study.n_settings; p++)
        if (count_of(&found->scaling[p]->pooled) > 0)
            return true;
    return false;
}

/* A limit on the whole gradient does the same to every group. */
static void put_details(struct report *r)
{
    const struct report_column columns[] = {
        { "policy", "Policy", SAID_TEXT, false },
        { "group", "Group", SAID_NAME, false },
        { "clipped", "Clipped", SAID_SHARE, false },
        { "raised", "Raised", SAID_SHARE, !any(r->found, raised_of) },
        { "capped", "Capped", SAID_SHARE, !any(r->found, capped_of) },
        { "scale_p50", "Median scale", SAID_NUMBER, false },
        { "scale_min", "Least scale", SAID_NUMBER, false },
        { "longest_run", "Longest run of clipped steps", SAID_COUNT, false },
    };
    const struct report_found *found = r->found;
    struct report_table table;
    size_t p, g;
    bool whole;

    report_table_begin(&table, r, "scales_by_group",
                       "What each policy does to each group: shares of the steps.", columns,
                       GTR_ARRAY_LEN(columns));
    table.most = 36;
    for (p = 0; p < found->study.n_settings; p++) {
        if (found->decisions[p]->policy == GTR_NONE)
            continue;
        whole = gtr_policy_spec(found->decisions[p]->policy)->unit == GTR_WHOLE;
        for (g = 0; g < (whole ? 1 : found->study.series->n_groups); g++) {
            const struct gtr_scaling *s = &found->scaling[p]->group[g];

            report_cell_text(&table, found->study.labels[p]);
            report_cell_text(&table, whole ? "(all alike)" : found->study.series->names[g]);
            report_cell(&table, share(s->n_clipped, s->n_decisions));
            report_cell(&table, share(s->n_raised, s->n_decisions));
            report_cell(&table, share(s->n_capped, s->n_decisions));
            report_cell(&table, s->p50);
            report_cell(&table, s->min);
            report_cell(&table, (double)s->longest_run);
        }
    }
    report_table_end(&table);
}

void report_clip(struct report *r)
{
    report_section(r, "clip", "2. Does the clip engage?");
    report_put(r, "<p>A [clip|limit] that is never reached does nothing; one that is always "
                  "reached is a hidden learning rate.  Replayed over the recorded norms, this "
                  "is what each [policy|policy] does:</p>\n");
    put_policy_list(r);
    if (r->found->no_decisions)
        return;
    report_figure(r, "scales",
                  "How often each policy gives each [scale|scale].  A vertical line is one "
                  "value given again and again, at 1 (left alone) or at a cap; what lies far "
                  "left are gradients cut to a small part.");
    put_details(r);
}

/* --- side by side ---------------------------------------------------------------------------- */

/* The policy with the least (or largest) of something; none stands for nothing done. */
static size_t best_by(const struct report_found *found,
                      double (*value_of)(const struct gtr_scaling_report *), bool *tied)
{
    size_t best = 0, p;

    *tied = false;
    for (p = 1; p < found->study.n_settings; p++) {
        double a = value_of(found->scaling[p]), b = value_of(found->scaling[best]);

        if (a == b)
            *tied = true;
        if (a < b || (isnan(b) && !isnan(a))) {
            best = p;
            *tied = false;
        }
    }
    return best;
}

static double tail_of(const struct gtr_scaling_report *report)
{
    return report->pooled.after.tail;
}

static void put_comparison(struct report *r)
{
    const struct report_found *found = r->found;
    double recorded = found->info.norms[found->study.series->n_groups].tail;
    bool tied;
    size_t best = best_by(found, tail_of, &tied);
    double tail = tail_of(found->scaling[best]);

    if (isnan(recorded) || isnan(tail))
        return;
    SAY(r, "<p>As recorded, the 99th percentile of the norm is {} times its median ([tail|tail]).",
        said_number("tail_recorded", recorded));
    if (!tied && tail < 0.99 * recorded)
        SAY(r,
            "  <code>{}</code> brings that down furthest, to {}, and keeps the gradient&#39;s "
            "direction to a cosine of {} on average.",
            said_text(found->study.labels[best]), said_number("tail_best", tail),
            said_number("direction_best", found->scaling[best]->cos_mean));
    else
        report_put(
            r, "  None of these policies brings that down by much, or further than the others.");
    report_put(r, "</p>\n");
}

static void put_table(struct report *r)
{
    const struct report_column columns[] = {
        { "policy", "Policy", SAID_TEXT, false },
        { "setting", "Setting", SAID_TEXT, true },
        { "steps_clipped", "Steps clipped", SAID_SHARE, false },
        { "decisions_clipped", "[decision|Decisions] clipped", SAID_SHARE, false },
        { "decisions_raised", "raised", SAID_SHARE, !any(r->found, raised_of) },
        { "decisions_capped", "capped", SAID_SHARE, !any(r->found, capped_of) },
        { "scale_mean", "Mean [scale|scale]", SAID_NUMBER, false },
        { "scale_min", "Least", SAID_NUMBER, false },
        { "norm_after_p50", "Median norm after", SAID_NUMBER, false },
        { "tail_after", "[tail|Tail] after", SAID_NUMBER, false },
        { "direction_mean", "[direction|Direction] kept", SAID_NUMBER, false },
        { "direction_min", "at least", SAID_NUMBER, false },
    };
    const struct report_found *found = r->found;
    struct report_table table;
    size_t p;

    report_table_begin(&table, r, "policies", "The policies side by side, all groups together.",
                       columns, GTR_ARRAY_LEN(columns));
    for (p = 0; p < found->study.n_settings; p++) {
        const struct gtr_scaling_report *report = found->scaling[p];
        const struct gtr_scaling *s = &report->pooled;

        report_cell_text(&table, found->study.labels[p]);
        report_cell_text(&table, gtr_setting_text(found->study.settings[p]));
        report_cell(&table, clip_rate(report));
        report_cell(&table, share(s->n_clipped, s->n_decisions));
        report_cell(&table, share(s->n_raised, s->n_decisions));
        report_cell(&table, share(s->n_capped, s->n_decisions));
        report_cell(&table, s->mean);
        report_cell(&table, s->min);
        report_cell(&table, s->after.p50);
        report_cell(&table, s->after.tail);
        report_cell(&table, report->cos_mean);
        report_cell(&table, report->cos_min);
    }
    report_table_end(&table);
}

void report_compare(struct report *r)
{
    report_section(r, "compare", "4. How the policies compare");
    if (r->found->no_decisions) {
        report_put(r, "<p>Every step is left out, so there is nothing to compare.</p>\n");
        return;
    }
    put_comparison(r);
    put_table(r);
    fprintf(r->f, "<p class=soft>%s</p>\n", study_open_loop);
    report_figure(r, "panels",
                  "The recorded norms beside what each policy lets through, in equal axes.  A "
                  "global limit puts a ceiling over the whole and presses all groups down at a "
                  "spike; a rule for each group cuts only those that rose.");
    report_figure(r, "interval",
                  "One group under a policy that holds it in an interval: its norm, the "
                  "interval, and the steps that were clipped or raised.");
}
