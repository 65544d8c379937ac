/* doctor_report.c - what was found, in words, grouped by the run and its policies.
 *
 * Where nothing was found it is said by name what was looked for: silence would not tell what was
 * checked.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "doctor_found.h"
#include "tell.h"

enum { WIDTH = 96 };

/* Words of one line of text, broken at WIDTH; all but the first line begin with `indent` spaces,
 * which is where the caller stands already. */
static void put_wrapped(FILE *f, const char *text, size_t length, size_t indent)
{
    const char *end = text + length;
    size_t column = indent;

    while (text < end) {
        size_t gap = strspn(text, " "), n = strcspn(text + gap, " ");
        size_t room = (size_t)(end - text) > gap ? (size_t)(end - text) - gap : 0, letters;
        char *word = strndup(text + gap, n < room ? n : room);

        if (word == NULL)
            return;
        letters = tell_letters(word);
        if (column > indent && column + gap + letters > WIDTH) {
            fprintf(f, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fputs(gap > 1 ? "  " : " ", f);
            column += gap > 1 ? 2 : 1;
        }
        tell_text(f, word);
        column += letters;
        text += gap + n;
        free(word);
    }
    fputc('\n', f);
}

static void put_steps(FILE *f, const struct gtr_finding *finding)
{
    size_t i;

    if (finding->n_steps == 0)
        return;
    fprintf(f, "    %sstep%s ",
            finding->n_all_steps > finding->n_steps && finding->ranked ? "worst " : "",
            tell_s(finding->n_all_steps));
    for (i = 0; i < finding->n_steps; i++)
        fprintf(f, "%s%lld", i > 0 ? ", " : "", (long long)finding->step[i]);
    if (finding->n_all_steps > finding->n_steps)
        fprintf(f, " (%zu of %zu)", finding->n_steps, finding->n_all_steps);
    fputc('\n', f);
}

static void put_finding(FILE *f, const struct gtr_finding *finding)
{
    const struct gtr_check *check = gtr_check_at(finding->check);
    const char *line = finding->advice;

    fprintf(f, "  %-8s %s [%s]\n    ", gtr_severity_name(finding->severity), check->title,
            check->code);
    put_wrapped(f, finding->what, strlen(finding->what), 4);
    put_steps(f, finding);
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");

        fputs("    try: ", f);
        put_wrapped(f, line, length, 9);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

/* Is any check of the run, or any of settings, wanted? */
static bool is_wanted(const struct doctor_found *found, bool of_setting)
{
    size_t i;

    for (i = 0; i < gtr_checks_count(); i++)
        if (found->wanted[i] && gtr_check_at(i)->of_setting == of_setting)
            return true;
    return false;
}

static bool was_not_made(const struct doctor_found *found, size_t check)
{
    size_t i;

    for (i = 0; i < found->n_findings; i++)
        if (found->findings[i].severity == GTR_NOT_MADE && found->findings[i].check == check)
            return true;
    return false;
}

/* What was looked for is told once; `again` says that it was. */
static void put_nothing(FILE *f, const struct doctor_found *found, bool of_setting, bool again)
{
    char text[1024] = "nothing found; looked for: ";
    bool any = false;
    size_t i;

    if (again) {
        fputs("  nothing found\n", f);
        return;
    }

    for (i = 0; i < gtr_checks_count(); i++) {
        size_t used = strlen(text);

        if (gtr_check_at(i)->of_setting != of_setting || !found->wanted[i] ||
            was_not_made(found, i))
            continue;
        snprintf(text + used, sizeof text - used, "%s%s", any ? "; " : "", gtr_check_at(i)->title);
        any = true;
    }
    fputs("  ", f);
    put_wrapped(f, text, strlen(text), 2);
}

/* Checks that could not be made: silence about them means nothing. */
static void put_not_made(FILE *f, const struct doctor_found *found, int64_t policy)
{
    char text[2048] = "not made: ";
    bool any = false;
    size_t i;

    for (i = 0; i < found->n_findings; i++) {
        const struct gtr_finding *finding = &found->findings[i];
        size_t used = strlen(text);

        if (finding->policy != policy || finding->severity != GTR_NOT_MADE)
            continue;
        snprintf(text + used, sizeof text - used, "%s%s (%s)", any ? "; " : "",
                 gtr_check_at(finding->check)->code, finding->what);
        any = true;
    }
    if (!any)
        return;
    fputs("  ", f);
    put_wrapped(f, text, strlen(text), 2);
}

/* The run itself, or one policy.  Returns whether it had findings. */
static bool put_section(FILE *f, const struct doctor_found *found, int64_t policy, bool again)
{
    bool any = false;
    size_t i;

    for (i = 0; i < found->n_findings; i++) {
        if (found->findings[i].policy != policy || found->findings[i].severity == GTR_NOT_MADE)
            continue;
        if (any)
            fputc('\n', f);
        put_finding(f, &found->findings[i]);
        any = true;
    }
    if (!any)
        put_nothing(f, found, policy != GTR_OF_THE_RUN, again);
    put_not_made(f, found, policy);
    fputc('\n', f);
    return any;
}

/* "2 severe, 1 warning" */
static void put_sum(FILE *f, const struct doctor_found *found)
{
    size_t n[GTR_SEVERITY_COUNT], shown = 0;
    int i;

    for (i = GTR_SEVERE; i >= GTR_NOTE; i--) {
        n[i] = doctor_count(found, (enum gtr_severity)i);
        if (n[i] == 0)
            continue;
        fprintf(f, "%s%zu %s%s", shown++ > 0 ? ", " : "", n[i],
                gtr_severity_name((enum gtr_severity)i), i != GTR_SEVERE && n[i] > 1 ? "s" : "");
    }
    fputs(shown > 0 ? "\n" : "no findings\n", f);
}

/* The most severe of all, the run's own before those of settings. */
static const struct gtr_finding *worst_of(const struct doctor_found *found)
{
    const struct gtr_finding *worst = NULL;
    size_t i;

    for (i = 0; i < found->n_findings; i++)
        if (found->findings[i].severity >= GTR_WARNING &&
            (worst == NULL || found->findings[i].severity > worst->severity))
            worst = &found->findings[i];
    return worst;
}

/* What to do before anything else, for who reads no further. */
static void put_first(FILE *f, const struct doctor_found *found)
{
    const struct gtr_finding *worst = worst_of(found);
    char text[sizeof worst->advice + 64];
    bool notes = doctor_count(found, GTR_NOTE) > 0;

    if (worst != NULL)
        snprintf(text, sizeof text, "[%s] %.*s", gtr_check_at(worst->check)->code,
                 (int)strcspn(worst->advice, "\n"), worst->advice);
    else
        snprintf(text, sizeof text, "nothing; %s",
                 notes ? "what follows is worth knowing, and asks for nothing"
                       : "no check that could be made found anything");
    fputs("first to do: ", f);
    put_wrapped(f, text, strlen(text), 13);
    fputc('\n', f);
}

void doctor_report(FILE *f, const struct doctor_found *found)
{
    const struct study *study = &found->study;
    bool again = false;
    size_t i;

    tell_text(f, found->trace);
    fprintf(f, ": %zu step%s, %zu tensor%s in %zu group%s (", study->series->n_steps,
            tell_s(study->series->n_steps), study->groups->n_tensors,
            tell_s(study->groups->n_tensors), study->groups->n_groups,
            tell_s(study->groups->n_groups));
    tell_text(f, study->groups->rule);
    fputs(")\n", f);
    put_first(f, found);
    if (is_wanted(found, false)) {
        fputs("the run\n", f);
        put_section(f, found, GTR_OF_THE_RUN, false);
    }
    for (i = 0; i < study->n_settings && is_wanted(found, true); i++) {
        tell_text(f, gtr_setting_text(study->settings[i]));
        fputs(found->own ? ", what the run itself did (max_grad_norm in its meta)\n" : "\n", f);
        if (found->own_dropped)
            fputs("  not looked at: these norms are not those that the run clipped\n\n", f);
        else
            again = !put_section(f, found, (int64_t)i, again) || again;
    }
    if (study->n_settings > 0 && !found->own_dropped)
        fprintf(f, "%s\n", study_open_loop);
    put_sum(f, found);
}

/* --- the catalogue -------------------------------------------------------------------------- */

static void put_thresholds(FILE *f, const char *code)
{
    const struct gtr_threshold *thresholds;
    size_t n, i;

    thresholds = gtr_thresholds(&n);
    for (i = 0; i < n; i++) {
        char number[GTR_NUMBER_SIZE], text[400];

        if (strcmp(thresholds[i].code, code) != 0)
            continue;
        gtr_text_print(thresholds[i].value, number);
        snprintf(text, sizeof text, "%s%s%s%s", thresholds[i].what,
                 thresholds[i].why[0] != '\0' ? " (" : "", thresholds[i].why,
                 thresholds[i].why[0] != '\0' ? ")" : "");
        fprintf(f, "    %-5s ", number);
        put_wrapped(f, text, strlen(text), 10);
    }
}

void doctor_list(FILE *f)
{
    size_t pass, i;

    for (pass = 0; pass < 2; pass++) {
        fputs(pass == 0 ? "checks of the run\n" : "\nchecks of a setting\n", f);
        for (i = 0; i < gtr_checks_count(); i++) {
            const struct gtr_check *check = gtr_check_at(i);

            if (check->of_setting != (pass == 1))
                continue;
            fprintf(f, "\n  %s: %s\n    ", check->code, check->title);
            put_wrapped(f, check->help, strlen(check->help), 4);
            put_thresholds(f, check->code);
        }
    }
}
