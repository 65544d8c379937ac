/* rows.c - the head of a table, its fields, and what stands between them.
 *
 * The first value ends the head, and the last column ends a row: callers neither count nor close.
 */
#include "rows.h"

#include <math.h>
#include <string.h>

#include "json_text.h"
#include "tell.h"

void rows_open(struct rows *rows, FILE *f, bool json)
{
    *rows = (struct rows){ .f = f, .json = json };
}

/* Lives as long as the object. */
static const char *spelled(struct json_object *string)
{
    return json_object_to_json_string_ext(string, JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void put_json_text(FILE *f, const char *text)
{
    struct json_object *string = json_text(text);

    json_spell(f, spelled(string));
    json_object_put(string);
}

void rows_column(struct rows *rows, const char *name)
{
    struct json_object *string = rows->json ? json_text(name) : NULL;
    char *copy = gtr_strdup(rows->json ? spelled(string) : name);

    json_object_put(string);
    if (copy == NULL || gtr_grow(&rows->columns, &rows->capacity, rows->n_columns + 1,
                                 sizeof *rows->columns, &rows->err) != GTR_OK) {
        gtr_free(copy);
        gtr_fail(&rows->err, GTR_ENOMEM, "no memory for a table");
        return;
    }
    if (!rows->json) {
        fputs(rows->n_columns > 0 ? "\t" : "", rows->f);
        gtr_text_escape(rows->f, name);
    }
    rows->columns[rows->n_columns++] = copy;
}

void rows_columns(struct rows *rows, const char *words)
{
    char name[64];

    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        snprintf(name, sizeof name, "%.*s", (int)length, words);
        rows_column(rows, name);
        words += length + strspn(words + length, " ");
    }
}

/* What stands before a value. */
static void begin_field(struct rows *rows)
{
    bool first = rows->at == 0;

    if (!rows->json) {
        fputs(!first ? "\t" : rows->n == 0 ? "\n" : "", rows->f);
    } else {
        fputs(!first ? ", " : rows->n == 0 ? "[\n {" : ",\n {", rows->f);
        json_spell(rows->f, rows->at < rows->n_columns ? rows->columns[rows->at] : "\"\"");
        fputs(": ", rows->f);
    }
    rows->n += first;
    rows->at++;
}

static void end_field(struct rows *rows)
{
    if (rows->at < rows->n_columns)
        return;
    rows->at = 0;
    fputs(rows->json ? "}" : "\n", rows->f);
}

void rows_text(struct rows *rows, const char *text)
{
    begin_field(rows);
    (rows->json ? put_json_text : gtr_text_escape)(rows->f, text);
    end_field(rows);
}

void rows_number(struct rows *rows, double value)
{
    char text[GTR_NUMBER_SIZE] = "null";

    begin_field(rows);
    if (!rows->json || isfinite(value))
        gtr_text_print(value, text);
    fputs(text, rows->f);
    end_field(rows);
}

void rows_integer(struct rows *rows, int64_t value)
{
    begin_field(rows);
    fprintf(rows->f, "%lld", (long long)value);
    end_field(rows);
}

enum gtr_code rows_close(struct rows *rows, struct gtr_err *err)
{
    size_t i;

    if (rows->json)
        fputs(rows->n == 0 ? "[]\n" : "\n]\n", rows->f);
    else if (rows->n == 0)
        fputc('\n', rows->f);
    for (i = 0; i < rows->n_columns; i++)
        gtr_free(rows->columns[i]);
    gtr_free(rows->columns);
    rows->columns = NULL;
    if (rows->err.code != GTR_OK)
        return gtr_fail(err, rows->err.code, "%s", rows->err.text);
    return GTR_OK;
}
