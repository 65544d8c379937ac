/* report_spill.c - who makes the norm explode, and who pays.
 *
 * The limit is the run's own, else that of the first global policy, else the one that spill
 * recommends.
 */
#include <math.h>

#include "report_write.h"

static const struct spill_policy *policy_of(const struct report *r)
{
    return &r->found->spill.policies[r->found->spill.main];
}

static const char *whose(const struct report_found *found)
{
    return found->spill_is_own     ? "the limit that the run had"
           : found->spill_is_given ? "the limit asked for"
                                   : "the smallest limit that costs a calm group at most one "
                                     "part in a hundred";
}

/* --- sentences ------------------------------------------------------------------------------- */

/* Who is to blame, most first, and how it is shared out. */
static void put_culprits(struct report *r)
{
    const struct spill_found *found = &r->found->spill;
    const struct gtr_spill *spill = policy_of(r)->spill;
    size_t first = found->ranked[0];

    if (spill->n_groups < 2) {
        report_put(r, "<p>There is only one group, so nobody else could pay.</p>\n");
        return;
    }
    SAY(r, "<p>{} has the largest part of the [blame|blame]: {}.",
        said_name(found->study->series->names[first]),
        said_share("blame_share_first", spill_share(spill, first)));
    if (spill->culprits < 1.5)
        report_put(r, "  It did that practically alone.");
    else
        SAY(r, "  The blame is spread as if {} groups shared it equally.",
            said_times("culprits", spill->culprits));
    if (spill->bystanders > 0.0)
        SAY(r,
            "  {} of the excess fell on groups that had done nothing: that part is "
            "spill-over.</p>\n",
            said_share("bystanders", spill->bystanders));
    else
        report_put(r, "  None of it fell on groups that had done nothing: all rose "
                      "together.</p>\n");
    SAY(r,
        "<p>Groups are above their past at {} of their steps; their own noise would put them there "
        "at {}{}.</p>\n",
        said_share("above_share", spill->above_share),
        said_share("chance_share", spill->chance_share),
        said_text(spill_is_noise(spill) ? ", so most of these steps are noise, and nobody's fault"
                                        : ""));
}

/* Whatever the past: one group may be most of the norm all the time. */
static void put_owner(struct report *r)
{
    const struct gtr_spill *spill = policy_of(r)->spill;
    size_t owner = spill_owner(spill);

    if (owner == spill->n_groups)
        return;
    SAY(r,
        "<p>{} owns the norm, whatever its past: {} of what is clipped is its own.  Without it the "
        "others would lose {} on average, and not {}.</p>\n",
        said_name(r->found->spill.study->series->names[owner]),
        said_share("owned", spill->owned[owner]), said_share("without", spill->without[owner]),
        said_share("cost_of_all", spill->cost));
}

static void put_headline(struct report *r)
{
    const struct spill_policy *policy = policy_of(r);
    const struct gtr_spill *spill = policy->spill;
    const struct gtr_baseline_options *past = &r->found->spill_options.baseline;

    SAY(r, "<p>Take a [global|global limit] of {}, {}.  ", said_limit("limit", policy->max_norm),
        said_text(whose(r->found)));
    if (spill->n_clipped == 0) {
        report_put(r, "No gradient reaches it: nothing is clipped, so nobody pays for "
                      "anybody.</p>\n");
        return;
    }
    SAY(r,
        "It shrinks the gradient at {} of {} steps ({}), always all groups by the same "
        "factor.  Call a group [innocent|innocent] at a step while its norm is at most {} "
        "times its own running average.</p>\n",
        said_count("clipped_steps", spill->n_clipped),
        said_count("counted_steps", spill->n_counted), said_share("clip_rate", policy->clip_rate),
        said_times("kappa", past->kappa));
    if (spill->n_excess == 0) {
        report_put(r, "<p>At none of those steps was any group above its own past: what the "
                      "limit takes, it takes from everyone&#39;s ordinary gradients, and "
                      "nothing spills over.</p>\n");
        return;
    }
    SAY(r,
        "<p><b>{} of what the limit takes is [excess|excess]</b>: it is taken because some "
        "group rose above its own past, at {} {}.{}</p>\n",
        said_share("excess_share", spill->excess_share),
        said_count("excess_steps", spill->n_excess),
        said_text(spill->n_excess == 1 ? "step" : "steps"),
        said_text(spill->excess_share < 0.995 ? "  The rest would have been taken anyway." : ""));
    put_culprits(r);
}

/* --- tables ---------------------------------------------------------------------------------- */

static void put_groups(struct report *r)
{
    static const struct report_column columns[] = {
        { "group", "Group", SAID_NAME, false },
        { "innocent", "[innocent|Innocent] steps", SAID_SHARE, false },
        { "blame_share", "Share of the [blame|blame]", SAID_SHARE, false },
        { "blamed", "Blame ([nat|nats])", SAID_NUMBER, false },
        { "received", "Paid for others (nats)", SAID_NUMBER, false },
        { "loss", "Loses on average", SAID_SHARE, false },
        { "owned", "Of what is clipped", SAID_SHARE, false },
        { "without", "Others would lose without it", SAID_SHARE, false },
    };
    const struct spill_found *found = &r->found->spill;
    const struct gtr_spill *spill = policy_of(r)->spill;
    struct report_table table;
    size_t k;

    report_table_begin(&table, r, "spill_groups",
                       "Who makes the norm explode (blame), and who pays for others.", columns,
                       GTR_ARRAY_LEN(columns));
    table.most = 24;
    for (k = 0; k < spill->n_groups; k++) {
        size_t j = found->ranked[k];

        report_cell_text(&table, found->study->series->names[j]);
        report_cell(&table, spill->innocent[j]);
        report_cell(&table, spill_share(spill, j));
        report_cell(&table, spill->blamed[j]);
        report_cell(&table, spill->received[j]);
        report_cell(&table, spill_loss(spill, j));
        report_cell(&table, spill->owned[j]);
        report_cell(&table, spill->without[j]);
    }
    report_table_end(&table);
}

static size_t culprit_of(const struct gtr_spill *spill, size_t t)
{
    size_t first = 0, j;

    for (j = 1; j < spill->n_groups; j++)
        if (spill->blame[j * spill->n_steps + t] > spill->blame[first * spill->n_steps + t])
            first = j;
    return first;
}

static void put_worst(struct report *r)
{
    static const struct report_column columns[] = {
        { "step", "Step", SAID_STEP, false },
        { "culprit", "Most to blame", SAID_NAME, false },
        { "ratio", "times its average", SAID_TIMES, false },
        { "share", "of the blame", SAID_SHARE, false },
        { "norm", "Norm of the whole gradient", SAID_NUMBER, false },
        { "left", "Everyone was cut to", SAID_SHARE, false },
        { "fair", "without the excess", SAID_SHARE, false },
    };
    const struct spill_found *found = &r->found->spill;
    const struct gtr_spill *spill = policy_of(r)->spill;
    struct report_table table;
    size_t k;

    report_table_begin(&table, r, "spill_steps_worst", "The steps with most excess.", columns,
                       GTR_ARRAY_LEN(columns));
    for (k = 0; k < found->n_worst; k++) {
        size_t t = found->worst[k], j = culprit_of(spill, t), at = j * spill->n_steps + t;

        report_cell(&table, (double)found->study->series->index[t]);
        report_cell_text(&table, found->study->series->names[j]);
        report_cell(&table, exp(found->baseline->log_ratio[at]));
        report_cell(&table, spill->blame[at] / spill->excess[t]);
        report_cell(&table, found->study->series->total[t]);
        report_cell(&table, exp(-spill->attenuation[t]));
        report_cell(&table, exp(-(spill->attenuation[t] - spill->excess[t])));
    }
    report_table_end(&table);
}

/* --- other limits ---------------------------------------------------------------------------- */

static void put_other_limits(struct report *r)
{
    const struct spill_found *found = &r->found->spill;
    const struct gtr_spill_point *chosen = &found->chosen;

    report_put(r, "<h3>What other limits would do</h3>\n");
    if (!(chosen->max_norm > 0.0) || !isfinite(chosen->max_norm))
        return;
    SAY(r,
        "<p>A limit of {} is the smallest that takes at most {} of its gradient from an "
        "innocent group, on average over the steps after the warm-up (other stretches of such a "
        "run "
        "would give {} to {})",
        said_limit("fitting_limit", chosen->max_norm),
        said_share("cost", r->found->spill_options.cost),
        said_times("fitting_limit_low", found->chosen_low),
        said_times("fitting_limit_high", found->chosen_high));
    if (chosen->clip_rate > 0.0)
        SAY(r, "; it engages at {} of the steps, and {} of what it takes is excess.</p>\n",
            said_share("fitting_clip_rate", chosen->clip_rate),
            said_share("fitting_excess_share", chosen->excess_share));
    else
        report_put(r, "; it clips nothing.</p>\n");
    report_figure(r, "spill_curve",
                  "How often a limit engages, how much of what it takes is excess, and what a "
                  "calm group loses to it, for each limit.  To the left everyone is clipped; "
                  "to the right only spikes are, and what they cost the others is nearly all "
                  "excess.");
}

void report_spill(struct report *r)
{
    report_section(r, "spill", "3. Who makes the norm explode, who pays");
    if (!r->found->has_spill) {
        SAY(r, "<p>This could not be worked out: {}.</p>\n", said_text(r->found->spill_why));
        return;
    }
    put_headline(r);
    put_owner(r);
    if (policy_of(r)->spill->n_excess > 0 && r->found->spill.study->series->n_groups > 1) {
        report_figure(r, "spill_steps",
                      "Above: the norm of the whole gradient and the limit.  Below: what the "
                      "limit takes because of somebody&#39;s excess, stacked by culprit.");
        put_groups(r);
        report_figure(r, "spill_matrix",
                      "Who paid (rows) for whom (columns), in [nat|nats], at steps where the "
                      "payer was innocent.  A column that stands out is a culprit, a row that "
                      "stands out a victim.");
        put_worst(r);
    }
    put_other_limits(r);
}
