/* doctor_rows.c - findings, for programs: as tab-separated text and as JSON, with all their
 * numbers.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "doctor_found.h"
#include "json_text.h"
#include "rows.h"

static const char *policy_of(const struct doctor_found *found, const struct gtr_finding *finding)
{
    return finding->policy == GTR_OF_THE_RUN
               ? ""
               : gtr_setting_text(found->study.settings[finding->policy]);
}

static const char *group_of(const struct doctor_found *found, const struct gtr_finding *finding)
{
    const struct gtr_series *series = found->study.series;

    return finding->group < series->n_groups ? series->names[finding->group] : "";
}

/* --- tab-separated -------------------------------------------------------------------------- */

static void put_steps(FILE *f, const struct gtr_finding *finding)
{
    size_t i;

    for (i = 0; i < finding->n_steps; i++)
        fprintf(f, "%s%lld", i > 0 ? "," : "", (long long)finding->step[i]);
}

static void put_numbers(FILE *f, const struct gtr_finding *finding)
{
    char text[GTR_NUMBER_SIZE];
    size_t i;

    for (i = 0; i < finding->n_numbers; i++) {
        gtr_text_print(finding->number[i].value, text);
        fprintf(f, "%s%s=%s", i > 0 ? "," : "", finding->number[i].name, text);
    }
}

/* Advice has lines, which become "; ". */
static void put_advice(FILE *f, const struct gtr_finding *finding)
{
    const char *text;

    for (text = finding->advice; *text != '\0'; text++)
        if (*text == '\n')
            fputs("; ", f);
        else
            fputc(*text, f);
}

/* A field that is written in pieces. */
static void put_field(struct rows *rows, void (*put)(FILE *, const struct gtr_finding *),
                      const struct gtr_finding *finding)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (f != NULL) {
        put(f, finding);
        fclose(f);
    }
    rows_text(rows, text != NULL ? text : "");
    free(text);
}

void doctor_finding_rows(struct rows *rows, const void *of)
{
    const struct doctor_found *found = of;
    size_t i;

    rows_columns(rows, "policy severity code group n_steps steps numbers what try");
    for (i = 0; i < found->n_findings; i++) {
        const struct gtr_finding *finding = &found->findings[i];

        rows_text(rows, policy_of(found, finding));
        rows_text(rows, gtr_severity_name(finding->severity));
        rows_text(rows, gtr_check_at(finding->check)->code);
        rows_text(rows, group_of(found, finding));
        rows_integer(rows, (int64_t)finding->n_all_steps);
        put_field(rows, put_steps, finding);
        put_field(rows, put_numbers, finding);
        rows_text(rows, finding->what);
        put_field(rows, put_advice, finding);
    }
}

/* --- JSON ----------------------------------------------------------------------------------- */

static struct json_object *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_text(text) : NULL;
}

static struct json_object *advice_of(const struct gtr_finding *finding)
{
    struct json_object *list = json_object_new_array();
    const char *line = finding->advice;

    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        char *copy = strndup(line, length);

        json_object_array_add(list, copy != NULL ? json_text(copy) : NULL);
        free(copy);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    return list;
}

static struct json_object *finding_json(const struct doctor_found *found,
                                        const struct gtr_finding *finding)
{
    struct json_object *object = json_object_new_object(), *numbers = json_object_new_object();
    struct json_object *steps = json_object_new_array();
    size_t i;

    json_object_object_add(object, "policy", text_or_null(policy_of(found, finding)));
    json_add_text(object, "severity", gtr_severity_name(finding->severity));
    json_add_text(object, "code", gtr_check_at(finding->check)->code);
    json_add_text(object, "title", gtr_check_at(finding->check)->title);
    json_object_object_add(object, "group", text_or_null(group_of(found, finding)));
    json_add_text(object, "what", finding->what);
    json_object_object_add(object, "try", advice_of(finding));
    for (i = 0; i < finding->n_numbers; i++)
        json_add_number(numbers, finding->number[i].name, finding->number[i].value);
    json_object_object_add(object, "numbers", numbers);
    for (i = 0; i < finding->n_steps; i++)
        json_object_array_add(steps, json_object_new_int64(finding->step[i]));
    json_object_object_add(object, "worst_steps", steps);
    json_add_integer(object, "n_steps", (int64_t)finding->n_all_steps);
    return object;
}

static struct json_object *everything(const struct doctor_found *found)
{
    struct json_object *all = json_object_new_object(), *list = json_object_new_array();
    size_t i;
    int s;

    json_add_text(all, "trace", found->trace);
    json_add_text(all, "group_by", found->study.groups->rule);
    json_add_integer(all, "steps", (int64_t)found->study.series->n_steps);
    for (i = 0; i < gtr_checks_count(); i++)
        if (found->wanted[i])
            json_object_array_add(list, json_text(gtr_check_at(i)->code));
    json_object_object_add(all, "checks", list);
    list = json_object_new_array();
    for (i = 0; i < found->study.n_settings && !found->own_dropped; i++)
        json_object_array_add(list, json_text(gtr_setting_text(found->study.settings[i])));
    json_object_object_add(all, "policies", list);
    for (s = GTR_SEVERE; s >= GTR_NOTE; s--)
        json_add_integer(all, gtr_severity_name((enum gtr_severity)s),
                         (int64_t)doctor_count(found, (enum gtr_severity)s));
    list = json_object_new_array();
    for (i = 0; i < found->n_findings; i++)
        json_object_array_add(list, finding_json(found, &found->findings[i]));
    json_object_object_add(all, "findings", list);
    return all;
}

enum gtr_code doctor_json(FILE *f, const struct doctor_found *found, struct gtr_err *err)
{
    return json_write(f, everything(found), err);
}
