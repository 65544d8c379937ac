/* doctor_write.c - findings as tab-separated text and as JSON, with all their numbers. */
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "doctor_report.h"
#include "figure.h"

static const char *policy_of(const struct doctor_found *found, const struct gtr_finding *finding)
{
    return finding->policy == GTR_OF_THE_RUN
               ? ""
               : gtr_setting_text(found->study->settings[finding->policy]);
}

static const char *group_of(const struct doctor_found *found, const struct gtr_finding *finding)
{
    const struct gtr_series *series = found->study->series;

    return finding->group < series->n_groups ? series->names[finding->group] : "";
}

/* --- tab-separated -------------------------------------------------------------------------- */

/* Advice has lines, which become "; ". */
static void put_line(FILE *f, const char *text)
{
    for (; *text != '\0'; text++) {
        const char one[2] = { *text, '\0' };

        if (*text == '\n')
            fputs("; ", f);
        else
            figure_write_text(f, one);
    }
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

void doctor_tsv(FILE *f, const struct doctor_found *found)
{
    size_t i, k;

    fputs("policy\tseverity\tcode\tgroup\tn_steps\tsteps\tnumbers\twhat\ttry\n", f);
    for (i = 0; i < found->n_findings; i++) {
        const struct gtr_finding *finding = &found->findings[i];

        put_line(f, policy_of(found, finding));
        fprintf(f, "\t%s\t%s\t", gtr_severity_name(finding->severity),
                gtr_check_at(finding->check)->code);
        put_line(f, group_of(found, finding));
        fprintf(f, "\t%zu\t", finding->n_all_steps);
        for (k = 0; k < finding->n_steps; k++)
            fprintf(f, "%s%lld", k > 0 ? "," : "", (long long)finding->step[k]);
        fputc('\t', f);
        put_numbers(f, finding);
        fputc('\t', f);
        put_line(f, finding->what);
        fputc('\t', f);
        put_line(f, finding->advice);
        fputc('\n', f);
    }
}

/* --- JSON ----------------------------------------------------------------------------------- */

/* Adders take objects that may be NULL for want of memory: json-c then writes null. */
static void add(struct json_object *object, const char *key, struct json_object *value)
{
    json_object_object_add(object, key, value);
}

static struct json_object *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_object_new_string(text) : NULL;
}

static struct json_object *number(double value)
{
    char text[GTR_NUMBER_SIZE];

    if (!isfinite(value))
        return NULL;
    gtr_text_print(value, text);
    return json_object_new_double_s(value, text);
}

static struct json_object *advice_of(const struct gtr_finding *finding)
{
    struct json_object *list = json_object_new_array();
    const char *line = finding->advice;

    while (*line != '\0') {
        size_t length = strcspn(line, "\n");

        json_object_array_add(list, json_object_new_string_len(line, (int)length));
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

    add(object, "policy", text_or_null(policy_of(found, finding)));
    add(object, "severity", json_object_new_string(gtr_severity_name(finding->severity)));
    add(object, "code", json_object_new_string(gtr_check_at(finding->check)->code));
    add(object, "title", json_object_new_string(gtr_check_at(finding->check)->title));
    add(object, "group", text_or_null(group_of(found, finding)));
    add(object, "what", json_object_new_string(finding->what));
    add(object, "try", advice_of(finding));
    for (i = 0; i < finding->n_numbers; i++)
        add(numbers, finding->number[i].name, number(finding->number[i].value));
    add(object, "numbers", numbers);
    for (i = 0; i < finding->n_steps; i++)
        json_object_array_add(steps, json_object_new_int64(finding->step[i]));
    add(object, "worst_steps", steps);
    add(object, "n_steps", json_object_new_int64((int64_t)finding->n_all_steps));
    return object;
}

static struct json_object *everything(const struct doctor_found *found)
{
    struct json_object *all = json_object_new_object(), *list = json_object_new_array();
    size_t i;
    int s;

    add(all, "trace", json_object_new_string(found->trace));
    add(all, "group_by", json_object_new_string(found->study->groups->rule));
    add(all, "steps", json_object_new_int64((int64_t)found->study->series->n_steps));
    for (i = 0; i < gtr_checks_count(); i++)
        if (found->wanted[i])
            json_object_array_add(list, json_object_new_string(gtr_check_at(i)->code));
    add(all, "checks", list);
    list = json_object_new_array();
    for (i = 0; i < found->study->n_settings && !found->own_dropped; i++)
        json_object_array_add(list,
                              json_object_new_string(gtr_setting_text(found->study->settings[i])));
    add(all, "policies", list);
    for (s = GTR_SEVERE; s >= GTR_NOTE; s--)
        add(all, gtr_severity_name((enum gtr_severity)s),
            json_object_new_int64((int64_t)doctor_count(found, (enum gtr_severity)s)));
    list = json_object_new_array();
    for (i = 0; i < found->n_findings; i++)
        json_object_array_add(list, finding_json(found, &found->findings[i]));
    add(all, "findings", list);
    return all;
}

enum gtr_code doctor_json(FILE *f, const struct doctor_found *found, struct gtr_err *err)
{
    struct json_object *all = everything(found);
    const char *text = json_object_to_json_string_ext(
        all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

    if (text != NULL)
        fprintf(f, "%s\n", text);
    json_object_put(all);
    return text != NULL ? GTR_OK : gtr_fail(err, GTR_ENOMEM, "no memory for JSON");
}
