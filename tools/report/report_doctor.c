/* report_doctor.c - what the doctor finds, in the doctor's own words. */
#include <string.h>

#include "doctor_found.h"
#include "report_write.h"

static void put_steps(struct report *r, const struct gtr_finding *finding)
{
    size_t i;

    if (finding->n_steps == 0)
        return;
    report_put(r, finding->n_all_steps == 1                 ? "<p class=soft>Step "
                  : finding->n_all_steps > finding->n_steps ? "<p class=soft>Worst steps: "
                                                            : "<p class=soft>Steps: ");
    for (i = 0; i < finding->n_steps; i++)
        SAY(r, "{}{}", said_text(i > 0 ? ", " : ""), said_step("finding_step", finding->step[i]));
    if (finding->n_all_steps > finding->n_steps)
        SAY(r, " (of {})", said_count("finding_steps", finding->n_all_steps));
    report_put(r, ".</p>\n");
}

static void put_advice(FILE *f, const char *line)
{
    fputs("<ul>", f);
    while (*line != '\0') {
        char one[sizeof((struct gtr_finding *)0)->advice];
        size_t length = strcspn(line, "\n");

        snprintf(one, sizeof one, "%.*s", (int)length, line);
        fputs("<li>Try: ", f);
        report_escape_code(f, one);
        fputs("</li>", f);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    fputs("</ul>\n", f);
}

static void put_finding(struct report *r, const struct gtr_finding *finding)
{
    const struct gtr_check *check = gtr_check_at(finding->check);
    const char *severity = gtr_severity_name(finding->severity);

    fprintf(r->f, "<div class=\"finding %s\"><h4><span class=badge>%s</span>", severity, severity);
    SAY(r, "{}</h4>\n<p>", said_text(check->title));
    report_escape_code(r->f, finding->what);
    report_put(r, "</p>\n");
    put_steps(r, finding);
    if (finding->advice[0] != '\0')
        put_advice(r->f, finding->advice);
    report_put(r, "</div>\n");
}

/* Of the run, or of one policy; nothing if there are none. */
static void put_findings(struct report *r, int64_t policy)
{
    const struct report_found *found = r->found;
    bool any = false;
    size_t i;

    for (i = 0; i < found->n_findings; i++) {
        if (found->findings[i].policy != policy || found->findings[i].severity == GTR_NOT_MADE)
            continue;
        if (!any && policy == GTR_OF_THE_RUN)
            report_put(r, "<h3>The run</h3>\n");
        else if (!any)
            SAY(r, "<h3><code>{}</code></h3>\n",
                said_text(gtr_setting_text(found->study.settings[policy])));
        put_finding(r, &found->findings[i]);
        any = true;
    }
}

/* Checks that could not be made: silence about them means nothing. */
static void put_not_made(struct report *r)
{
    const struct report_found *found = r->found;
    bool any = false;
    size_t i;

    for (i = 0; i < found->n_findings; i++) {
        const struct gtr_finding *finding = &found->findings[i];

        if (finding->severity != GTR_NOT_MADE)
            continue;
        report_put(r, any ? "; " : "<p class=soft>Not made: ");
        SAY(r, "{} (", said_text(gtr_check_at(finding->check)->title));
        report_escape_code(r->f, finding->what);
        report_put(r, ")");
        any = true;
    }
    if (any)
        report_put(r, ".</p>\n");
}

/* The findings as a file: all that `gradtrace doctor --tsv` writes. */
static void write_findings(struct report *r)
{
    const struct doctor_found found = { .study = r->found->study,
                                        .findings = r->found->findings,
                                        .n_findings = r->found->n_findings };
    struct rows rows;

    rows_open(&rows, report_open(r, "findings.tsv"), false);
    if (rows.f == NULL)
        return;
    doctor_finding_rows(&rows, &found);
    report_close(r, &rows, "findings.tsv");
}

bool report_has_findings(const struct report *r)
{
    size_t i;

    for (i = 0; i < r->found->n_findings; i++)
        if (r->found->findings[i].severity != GTR_NOT_MADE)
            return true;
    return false;
}

void report_put_count_of_findings(struct report *r)
{
    static const enum gtr_severity order[] = { GTR_SEVERE, GTR_WARNING, GTR_NOTE };
    const struct doctor_found found = { .findings = r->found->findings,
                                        .n_findings = r->found->n_findings };
    size_t shown = 0, i;

    for (i = 0; i < GTR_ARRAY_LEN(order); i++) {
        size_t n = doctor_count(&found, order[i]);
        const char *name = gtr_severity_name(order[i]);

        if (n == 0)
            continue;
        SAY(r, "{}{} {}{}{}", said_text(shown++ > 0 ? ", " : ""), said_count(name, n),
            said_text(name), said_text(order[i] != GTR_SEVERE ? "" : " finding"),
            said_text(n > 1 ? "s" : ""));
    }
}

void report_doctor(struct report *r)
{
    size_t p;

    report_section(r, "doctor", "5. What the doctor says");
    SAY(r, "<p><code>gradtrace doctor</code> looked for {} known troubles of runs and settings",
        said_count("checks", gtr_checks_count()));
    if (!report_has_findings(r)) {
        report_put(r, " and found none.</p>\n");
    } else {
        report_put(r, " and has ");
        report_put_count_of_findings(r);
        report_put(r, ".</p>\n");
    }
    put_findings(r, GTR_OF_THE_RUN);
    for (p = 0; p < r->found->study.n_settings; p++)
        put_findings(r, (int64_t)p);
    put_not_made(r);
    write_findings(r);
}
