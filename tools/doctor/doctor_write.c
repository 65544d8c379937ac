/* doctor_write.c - findings as tab-separated text and as JSON, with all their numbers. */
#include <string.h>

#include "doctor_report.h"
#include "figure.h"
#include "json_text.h"

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

static struct json_object *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_object_new_string(text) : NULL;
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
    json_add_text(all, "group_by", found->study->groups->rule);
    json_add_integer(all, "steps", (int64_t)found->study->series->n_steps);
    for (i = 0; i < gtr_checks_count(); i++)
        if (found->wanted[i])
            json_object_array_add(list, json_object_new_string(gtr_check_at(i)->code));
    json_object_object_add(all, "checks", list);
    list = json_object_new_array();
    for (i = 0; i < found->study->n_settings && !found->own_dropped; i++)
        json_object_array_add(list,
                              json_object_new_string(gtr_setting_text(found->study->settings[i])));
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
