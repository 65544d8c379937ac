/* report_next.c - the page in short, and what to type next.
 *
 * The summary says nothing that is not in a section below, and links to it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "paste.h"
#include "report_write.h"

/* --- in short -------------------------------------------------------------------------------- */

static void put_explosion(struct report *r)
{
    const struct spill_found *spill = &r->found->spill;
    const struct spill_policy *policy = &spill->policies[spill->main];

    if (policy->spill->n_clipped == 0) {
        SAY(r, "<li>No gradient reaches a limit of {}: nobody pays for anybody.</li>\n",
            said_limit("limit", policy->max_norm));
        return;
    }
    if (policy->spill->n_excess == 0 || spill->study->series->n_groups < 2) {
        SAY(r,
            "<li>A limit of {} shrinks the gradient at {} of the steps, and no group makes "
            "another pay.</li>\n",
            said_limit("limit", policy->max_norm), said_share("clip_rate", policy->clip_rate));
        return;
    }
    SAY(r,
        "<li>Of what a limit of {} takes, {} is owed to groups that rose above their own past, "
        "first of all {} ({} of the [blame|blame]).</li>\n",
        said_limit("limit", policy->max_norm),
        said_share("excess_share", policy->spill->excess_share),
        said_name(spill->study->series->names[spill->ranked[0]]),
        said_share("blame_share_first", spill_share(policy->spill, spill->ranked[0])));
}

void report_in_short(struct report *r)
{
    const struct report_found *found = r->found;

    r->section = "summary";
    report_put(r, "<div class=short>\n<h2>In short</h2>\n<ul>\n");
    SAY(r, "<li><code>{}</code>", said_text(gtr_setting_text(found->study.settings[0])));
    if (found->options->chosen)
        SAY(r, " is {}.  ", said_text(report_whose_limit(found)));
    else
        report_put(r, " is the first of these policies.  ");
    report_put_verdict(r, 0);
    report_put(r, "</li>\n");
    if (found->has_spill)
        put_explosion(r);
    if (found->updates != NULL && report_knows_change(found, 0)) {
        report_put(r, "<li>");
        report_put_change(r, 0);
        report_put(r, "</li>\n");
    }
    if (report_has_findings(r)) {
        report_put(r, "<li>The <a href=\"#doctor\">doctor</a> has ");
        report_put_count_of_findings(r);
        report_put(r, ".</li>\n");
    } else {
        report_put(r, "<li>The <a href=\"#doctor\">doctor</a> has nothing to say.</li>\n");
    }
    report_put(r, "</ul>\n</div>\n");
    r->section = "";
}

/* --- commands -------------------------------------------------------------------------------- */

static void begin_command(struct report *r, const char *why, const char *command)
{
    fprintf(r->f, "<p>%s</p>\n<pre><code>gradtrace %s ", why, command);
    report_put_word(r->f, r->found->options->trace);
}

static void end_command(struct report *r)
{
    const char *rule = r->found->options->replay.group_by;

    if (rule != NULL) {
        fputs(" --group-by ", r->f);
        report_put_word(r->f, rule);
    }
    fputs("</code></pre>\n", r->f);
}

/* The step with most excess, or else with the largest norm; n_steps if none is finite. */
static size_t worst_step(const struct report_found *found)
{
    return found->has_spill && found->spill.n_worst > 0 ? found->spill.worst[0]
                                                        : found->info.largest;
}

static void put_commands(struct report *r)
{
    const struct report_found *found = r->found;
    size_t worst = worst_step(found);

    begin_command(r,
                  "Which settings cut the spikes and spare the rest?  Tries a few hundred and "
                  "recommends ranges, with "
                  "reasons:",
                  "sweep");
    report_put(r, " \\\n    -p aggc-paper --set beta=0.5:0.999:12:logit --set "
                  "high=1.2:6:12:log \\\n    -p global --set max_norm=auto:24");
    end_command(r);
    begin_command(r, "Which limit leaves calm groups alone, and who pays under it?", "spill");
    report_put(r, " --max-norm auto");
    end_command(r);
    if (worst < found->study.series->n_steps) {
        begin_command(r, "What happened at the worst step?", "explain");
        fprintf(r->f, " --step %lld", (long long)found->study.series->index[worst]);
        report_put_policies(r);
        end_command(r);
    }
    begin_command(r, "All figures, for a talk or a paper:", "plot");
    report_put(r, " --figure all -o figures");
    report_put_policies(r);
    end_command(r);
    if (gtr_trace_n_captures(found->study.trace) == 0)
        report_put(r, "<p>To know what reaches the optimizer, and not only guess it from norms, "
                      "record a sample of the elements next "
                      "time:</p>\n<pre><code>gradtrace.Recorder(model, &quot;run.h5&quot;, "
                      "elements=&quot;blocks:1/64&quot;)</code></pre>\n");
}

/* --- lines to paste -------------------------------------------------------------------------- */

/* Lines, without the two blanks that they begin with. */
static void put_unindented(FILE *f, const char *text)
{
    bool begins = true;

    while (*text != '\0') {
        text += begins && strncmp(text, "  ", 2) == 0 ? 2 : 0;
        begins = *text == '\n';
        text = *text != '\0' ? report_escape_letter(f, text) : text;
    }
}

static void put_paste(struct report *r, const char *label, enum gtr_policy_id policy,
                      const union gtr_params *params)
{
    const struct gtr_series *series = r->found->study.series;
    char *text = NULL, *line;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        return;
    paste_print(f, policy, params, (const char *const *)series->names, series->n_groups);
    fclose(f);
    /* The first line is a title for terminals. */
    line = text != NULL ? strchr(text, '\n') : NULL;
    if (line != NULL) {
        SAY(r, "<h4><code>{}</code></h4>\n<pre><code>", said_text(label));
        put_unindented(r->f, line + 1);
        report_put(r, "</code></pre>\n");
    }
    free(text);
}

static void put_lines(struct report *r)
{
    const struct report_found *found = r->found;
    size_t p;

    report_put(r, "<h3>Lines to paste into training</h3>\n");
    for (p = 0; p < found->study.n_settings; p++)
        if (found->decisions[p]->policy != GTR_NONE)
            put_paste(r, gtr_setting_text(found->study.settings[p]), found->decisions[p]->policy,
                      found->decisions[p]->params);
    if (found->has_spill && found->spill.chosen.max_norm > 0.0 &&
        found->spill.chosen.max_norm != found->spill.policies[found->spill.main].max_norm) {
        union gtr_params params;
        char label[96], limit[GTR_NUMBER_SIZE];

        gtr_params_init(GTR_GLOBAL, &params);
        params.global.max_norm = found->spill.chosen.max_norm;
        gtr_text_print(params.global.max_norm, limit);
        snprintf(label, sizeof label, "global:max_norm=%s", limit);
        report_put(r, "<p>And the smallest limit that leaves calm groups alone, from section "
                      "3:</p>\n");
        put_paste(r, label, GTR_GLOBAL, &params);
    }
}

void report_next(struct report *r)
{
    report_section(r, "next", "7. What to try next");
    put_commands(r);
    put_lines(r);
}
