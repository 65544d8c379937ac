/* doctor_tell.c - findings: their sentences, numbers and steps. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "doctor_private.h"
#include "order.h"

struct gtr_finding *gtr_exam_found(struct gtr_exam *exam, enum gtr_severity severity, size_t group)
{
    struct gtr_finding *finding = &exam->lost;

    if (exam->rc == GTR_OK)
        exam->rc = gtr_grow(&exam->findings, &exam->capacity, exam->n_findings + 1,
                            sizeof *exam->findings, exam->err);
    if (exam->rc == GTR_OK)
        finding = &exam->findings[exam->n_findings++];
    memset(finding, 0, sizeof *finding);
    finding->check = exam->check;
    finding->severity = severity;
    finding->policy = exam->policy;
    finding->group = group;
    return finding;
}

void gtr_exam_cannot(struct gtr_exam *exam, const char *why)
{
    gtr_finding_say(gtr_exam_found(exam, GTR_NOT_MADE, exam->series->n_groups), "%s", why);
}

void gtr_exam_not_made(struct gtr_exam *exam, size_t needed, size_t n)
{
    struct gtr_finding *f = gtr_exam_found(exam, GTR_NOT_MADE, exam->series->n_groups);

    gtr_finding_say(f, "needs %zu steps that count, and there are %zu", needed, n);
    gtr_finding_number(f, "needed", (double)needed);
    gtr_finding_number(f, "steps", (double)n);
}

enum gtr_severity gtr_severe_from(enum gtr_threshold_id id, double value)
{
    return value >= gtr_threshold_at(id) ? GTR_SEVERE : GTR_WARNING;
}

void gtr_finding_say(struct gtr_finding *finding, const char *format, ...)
{
    size_t used = strlen(finding->what);
    va_list args;

    va_start(args, format);
    vsnprintf(finding->what + used, sizeof finding->what - used, format, args);
    va_end(args);
}

void gtr_finding_advise(struct gtr_finding *finding, const char *format, ...)
{
    size_t used = strlen(finding->advice);
    va_list args;

    if (used > 0 && used + 1 < sizeof finding->advice)
        finding->advice[used++] = '\n';
    va_start(args, format);
    vsnprintf(finding->advice + used, sizeof finding->advice - used, format, args);
    va_end(args);
}

void gtr_finding_number(struct gtr_finding *finding, const char *name, double value)
{
    if (finding->n_numbers == GTR_FINDING_NUMBERS)
        return;
    finding->number[finding->n_numbers].name = name;
    finding->number[finding->n_numbers++].value = value;
}

/* Keeps the heaviest in a short list of rows by falling weight; ties go to the earlier step. */
void gtr_finding_worst(struct gtr_finding *finding, const struct gtr_exam *exam)
{
    size_t row[GTR_FINDING_STEPS], n = 0, t, k, i;

    for (t = 0; t < exam->series->n_steps; t++) {
        if (!(exam->weight[t] > 0.0))
            continue;
        finding->n_all_steps++;
        if (n == GTR_FINDING_STEPS && !(exam->weight[t] > exam->weight[row[n - 1]]))
            continue;
        k = n < GTR_FINDING_STEPS ? n++ : n - 1;
        for (; k > 0 && exam->weight[t] > exam->weight[row[k - 1]]; k--)
            row[k] = row[k - 1];
        row[k] = t;
    }
    finding->n_steps = n;
    finding->ranked = n > 0 && exam->weight[row[0]] > exam->weight[row[n - 1]];
    for (i = 0; i < n; i++) {
        int64_t step = exam->series->index[row[i]];

        for (k = i; k > 0 && finding->step[k - 1] > step; k--)
            finding->step[k] = finding->step[k - 1];
        finding->step[k] = step;
    }
}

const char *gtr_tell_share(double share, char text[GTR_TELL])
{
    double percent = 100.0 * share;

    if (percent > 0.0 && percent < 0.01)
        snprintf(text, GTR_TELL, "<0.01%%");
    else if (percent < 0.995)
        snprintf(text, GTR_TELL, "%.*f%%", percent > 0.0 ? 2 : 0, percent);
    else
        snprintf(text, GTR_TELL, "%.*f%%", share == 1.0 || percent >= 999.5 ? 0 : 1,
                 share < 1.0 && percent > 99.9 ? 99.9 : percent);
    return text;
}

const char *gtr_tell_most(const struct gtr_exam *exam, double share, char text[GTR_TELL])
{
    static const char up_to[] = "up to ";
    char percent[GTR_TELL];
    size_t n = 0, j;

    for (j = 0; j < exam->series->n_groups; j++)
        n += exam->flags[j] ? 1 : 0;
    gtr_tell_share(share, percent);
    snprintf(text, GTR_TELL, "%s%.*s", n > 1 && share < 1.0 ? up_to : "",
             (int)(GTR_TELL - sizeof up_to), percent);
    return text;
}

/* A byte inside a character of UTF-8. */
static bool is_inside(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

const char *gtr_tell_name(const char *name, char text[GTR_TELL])
{
    enum { LONGEST = 60, HEAD = 20, TAIL = 36 };
    size_t length = strlen(name), head = HEAD, tail = length - TAIL;
    char *c;

    while (length > LONGEST && head > 0 && is_inside(name[head]))
        head--;
    while (length > LONGEST && is_inside(name[tail]))
        tail++;
    if (length <= LONGEST)
        snprintf(text, GTR_TELL, "%s", name);
    else
        snprintf(text, GTR_TELL, "%.*s...%s", (int)head, name, name + tail);
    for (c = text; *c != '\0'; c++)
        *c = (unsigned char)*c < ' ' ? '?' : *c;
    return text;
}

const char *gtr_tell_groups(const struct gtr_exam *exam, char text[GTR_TELL])
{
    enum { NAMED = 3, ROOM = GTR_TELL - 32 };
    size_t n = 0, named = 0, used = 0, j;

    for (j = 0; j < exam->series->n_groups; j++)
        n += exam->flags[j] ? 1 : 0;
    text[0] = '\0';
    if (n == exam->series->n_groups && n > NAMED) {
        snprintf(text, GTR_TELL, "all %zu groups", n);
        return text;
    }
    for (j = 0; j < exam->series->n_groups && named < NAMED; j++) {
        char name[GTR_TELL];

        if (!exam->flags[j])
            continue;
        gtr_tell_name(exam->series->names[j], name);
        if (named > 0 && used + strlen(name) > ROOM)
            break;
        named++;
        used += (size_t)snprintf(text + used, GTR_TELL - used, "%s%s",
                                 named == 1   ? ""
                                 : named == n ? " and "
                                              : ", ",
                                 name);
    }
    if (n > named)
        snprintf(text + used, GTR_TELL - used, " and %zu more", n - named);
    return text;
}

const char *gtr_tell_lanes(const struct gtr_exam *exam, char text[GTR_TELL])
{
    if (gtr_policy_spec(exam->decisions->policy)->unit != GTR_WHOLE)
        return gtr_tell_groups(exam, text);
    snprintf(text, GTR_TELL, "the whole gradient");
    return text;
}

bool gtr_exam_has_lane(const struct gtr_exam *exam, size_t group)
{
    return gtr_policy_spec(exam->decisions->policy)->unit == GTR_WHOLE
               ? group == 0
               : group != exam->series->left_out;
}

bool gtr_exam_told(const struct gtr_exam *exam, const char *code)
{
    size_t i;

    for (i = 0; i < exam->n_findings; i++)
        if (exam->findings[i].policy == exam->policy && exam->findings[i].severity > GTR_NOT_MADE &&
            strcmp(gtr_check_at(exam->findings[i].check)->code, code) == 0)
            return true;
    return false;
}

size_t gtr_exam_worst(struct gtr_exam *exam, gtr_lane_measure *measure, double least, double *most)
{
    size_t worst = exam->series->n_groups, j;

    *most = 0.0;
    for (j = 0; j < exam->series->n_groups; j++) {
        double value = gtr_exam_has_lane(exam, j) ? measure(exam, j) : 0.0;

        exam->flags[j] = value >= least;
        if (value < least || value <= *most)
            continue;
        worst = j;
        *most = value;
    }
    return worst;
}

double gtr_exam_quantile(struct gtr_exam *exam, size_t n, double q)
{
    gtr_order_sort(exam->values, exam->scratch, n);
    return gtr_order_quantile(exam->values, n, q);
}
