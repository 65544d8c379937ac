/* report_update.c - how much of each policy the optimizer notices.
 *
 * Simulated where the trace has elements, else guessed from norms, which the page says.
 */
#include <math.h>

#include "report_write.h"

/* Changes of the update that are lost in the noise of minibatches, and that are not. */
static const double small = 0.02, large = 0.2;

static const struct update_summary *whole_of(const struct report_found *found, size_t policy)
{
    return &found->updates[policy * (found->update.n_groups + 1) + found->update.n_groups];
}

static const char *verdict_of(double change)
{
    if (change < small)
        return "hardly notices";
    return change < large ? "notices" : "makes clearly different updates";
}

bool report_knows_change(const struct report_found *found, size_t policy)
{
    const struct update_summary *whole = whole_of(found, policy);

    return whole->n > 0 && !isnan(whole->change_max);
}

/* "changes the update by 3 % ..."; also for the summary on top of the page. */
void report_put_change(struct report *r, size_t policy)
{
    const struct update_summary *whole = whole_of(r->found, policy);
    const char *changes = r->found->update.update != NULL ? "changes" : "may change";

    if (!report_knows_change(r->found, policy)) {
        report_put(r, "There is no step to judge it by.");
        return;
    }
    if (whole->change_max == 0.0) {
        report_put(r, "The update stays as it is.");
        return;
    }
    report_put(r, r->found->update.update != NULL ? "The optimizer "
                                                  : "As far as norms tell, the optimizer ");
    SAY(r, "{}: ", said_text(verdict_of(whole->change_p50)));
    if (whole->change_p50 > 0.0)
        SAY(r,
            "the {} update {} by {} of its length at the median step, and by {} at the worst "
            "(step {}).",
            said_text(update_optimizer_name(&r->found->update)), said_text(changes),
            said_change("change_p50", whole->change_p50),
            said_change("change_max", whole->change_max),
            said_step("change_max_step", whole->max_step));
    else
        SAY(r,
            "at most steps the {} update stays as it is; at the worst (step {}) it {} by {} of "
            "its length.",
            said_text(update_optimizer_name(&r->found->update)),
            said_step("change_max_step", whole->max_step), said_text(changes),
            said_change("change_max", whole->change_max));
}

static void put_source(struct report *r)
{
    const struct update_found *update = &r->found->update;
    char optimizer[160];

    gtr_optimizer_print(&update->optimizer, optimizer, sizeof optimizer);
    if (update->update == NULL) {
        SAY(r,
            "<p>Elements of the gradients were not captured, so this is an estimate from norms "
            "alone: how far each step&#39;s scale is from those that {} remembers "
            "(<code>{}</code>, {}).</p>\n",
            said_text(update_optimizer_name(update)), said_text(optimizer),
            said_text(update->optimizer_from));
        return;
    }
    SAY(r,
        "<p>{} (<code>{}</code>, {}) was simulated element by element over the {} steps at "
        "which gradients were captured, once with each policy and once without clipping.",
        said_text(update_optimizer_name(update)), said_text(optimizer),
        said_text(update->optimizer_from), said_count("captured_steps", update->n_rows));
    if (update->update->errors != NULL)
        SAY(r, "  They are a sample of {} of the elements.",
            said_share("sample",
                       (double)update->update->captured / (double)update->update->elements));
    if (!update->from_start && update_memory(update) > 0.0)
        SAY(r,
            "  The simulation starts at step {} with nothing remembered, where the run&#39;s "
            "own optimizer remembered about {} steps.",
            said_step("first_captured", update->study->series->index[update_row(update, 0)]),
            said_count("memory", (uint64_t)(update_memory(update) + 0.5)));
    if (update->n_warm_up > 0)
        SAY(r, "  The first {} of these steps are left out of the numbers.",
            said_count("warm_up", update->n_warm_up));
    report_put(r, "</p>\n");
}

static void put_policies(struct report *r)
{
    const struct report_found *found = r->found;
    size_t p;

    report_put(r, "<ul class=verdicts>\n");
    for (p = 0; p < found->study.n_settings; p++) {
        SAY(r, "<li><b><code>{}</code></b> ",
            said_text(gtr_setting_text(found->study.settings[p])));
        report_put_change(r, p);
        report_put(r, "</li>\n");
    }
    report_put(r, "</ul>\n");
}

static void put_table(struct report *r)
{
    const struct report_column columns[] = {
        { "policy", "Policy", SAID_TEXT, false },
        { "group", "Group", SAID_NAME, false },
        { "steps_clipped", "Steps clipped", SAID_SHARE, false },
        { "change_p50", "Change of the [update|update], median", SAID_CHANGE, false },
        { "change_p90", "90th percentile", SAID_CHANGE, false },
        { "change_max", "most", SAID_CHANGE, false },
        { "cosine_mean", "[direction|Direction] kept", SAID_NUMBER,
          r->found->update.update == NULL },
    };
    const struct report_found *found = r->found;
    size_t n = found->update.n_groups, p, row;
    struct report_table table;

    report_table_begin(&table, r, "updates",
                       found->update.update != NULL
                           ? "How far each policy moves the update; groups that it moves."
                           : "How far each policy may move the update, from norms; groups that "
                             "it moves.",
                       columns, GTR_ARRAY_LEN(columns));
    table.most = 36;
    for (p = 0; p < found->study.n_settings; p++) {
        if (!(whole_of(found, p)->change_max > 0.0))
            continue;
        for (row = 0; row <= n; row++) {
            size_t g = row == 0 ? n : row - 1;
            const struct update_summary *s = &found->updates[p * (n + 1) + g];

            table.hide_row = !(s->change_max > 0.0);
            report_cell_text(&table, found->study.labels[p]);
            report_cell_text(&table, g == n ? "(all)" : found->study.series->names[g]);
            report_cell(&table, s->n > 0 ? (double)s->n_clipped / (double)s->n : (double)NAN);
            report_cell(&table, s->change_p50);
            report_cell(&table, s->change_p90);
            report_cell(&table, s->change_max);
            report_cell(&table, s->cosine_mean);
        }
    }
    report_table_end(&table);
}

static bool any_moves(const struct report_found *found)
{
    size_t p;

    for (p = 0; p < found->study.n_settings; p++)
        if (whole_of(found, p)->change_max > 0.0)
            return true;
    return false;
}

void report_update(struct report *r)
{
    report_section(r, "update", "6. What reaches the optimizer");
    if (r->found->updates == NULL) {
        SAY(r, "<p>This could not be worked out: {}.</p>\n", said_text(r->found->update_why));
        return;
    }
    if (r->found->update.optimizer.id == GTR_SGD)
        report_put(r, "<p>SGD takes a gradient as it is, so what a policy cuts is missing from "
                      "the [update|update].</p>\n");
    else if (r->found->update.optimizer.id == GTR_LION)
        report_put(r, "<p>Lion moves every element as far, by the sign of an average.  A policy "
                      "that always scales by the same factor therefore changes nothing.</p>\n");
    else
        SAY(r,
            "<p>{} divides each gradient by the size of recent ones.  A policy "
            "that always scales by the same factor therefore changes nothing; only "
            "changes of the factor reach the [update|update].</p>\n",
            said_text(update_optimizer_name(&r->found->update)));
    put_source(r);
    put_policies(r);
    if (!any_moves(r->found))
        return;
    report_figure(
        r, "update_change",
        r->found->update.update != NULL
            ? "How far each policy moves the whole update at each step, as a share of its "
              "length (dotted: what norms alone would have suggested).  At 100 % it is as "
              "far off as it is long."
            : "How far each policy may move the whole update at each step, as a share of "
              "its length.  At 100 % it is as far off as it is long.");
    put_table(r);
    report_figure(r, "update_groups", "The same for each group: median, 90th percentile and most.");
}
