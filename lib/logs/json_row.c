/* json_row.c - json-c's objects, walked; and Python's, made JSON. */
#include "json_row.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "text.h"

enum gtr_code gtr_log_json_init(struct gtr_json *json, struct gtr_log_rows *rows,
                                struct gtr_err *err)
{
    *json = (struct gtr_json){ .rows = rows, .tokener = json_tokener_new() };
    if (json->tokener == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%s: no memory for a parser", rows->log->name);
    return GTR_OK;
}

void gtr_log_json_free(struct gtr_json *json)
{
    if (json->tokener != NULL)
        json_tokener_free(json->tokener);
    gtr_free(json->text);
}

/* --- values ---------------------------------------------------------------------------------- */

/* Numbers, and strings that hold one: strict JSON has no NaN, so that some write "NaN". */
static bool number_of(struct json_object *json, double *value)
{
    switch (json_object_get_type(json)) {
    case json_type_double:
        *value = json_object_get_double(json);
        return true;
    case json_type_int:
        *value = (double)json_object_get_int64(json);
        if (json_object_get_int64(json) == INT64_MAX)
            *value = (double)json_object_get_uint64(json);
        return true;
    case json_type_string:
        return gtr_text_number(json_object_get_string(json), value);
    default:
        return false;
    }
}

/* json-c keeps whole numbers in 64 bits and cuts what is larger. */
static bool was_cut(struct json_object *json)
{
    return json_object_get_type(json) == json_type_int &&
           (json_object_get_uint64(json) == UINT64_MAX || json_object_get_int64(json) == INT64_MIN);
}

/* One value that is neither object nor list. */
static enum gtr_code take(struct gtr_json *json, struct json_object *object, struct gtr_err *err)
{
    struct gtr_log_rows *rows = json->rows;
    double value;

    if (json_object_is_type(object, json_type_string) || rows->said->given[GTR_ROLE_NAME] != NULL)
        if (gtr_log_rows_text(rows, json_object_get_string(object)))
            return GTR_OK;
    if (!number_of(object, &value))
        return GTR_OK;
    return was_cut(object) ? gtr_log_rows_too_large(rows, err)
                           : gtr_log_rows_number(rows, value, err);
}

/* Takes every value in an object.  json-c has bounded the depth. */
static enum gtr_code walk(struct gtr_json *json, struct json_object *object, struct gtr_err *err)
{
    struct gtr_log_keys *keys = &json->rows->keys;
    enum gtr_code rc = GTR_OK;

    /* Histograms and media of Weights & Biases: their numbers are no norms. */
    if (keys->n > 0 && json_object_object_get_ex(object, "_type", NULL))
        return GTR_OK;
    json_object_object_foreach(object, key, value)
    {
        size_t before = keys->n;

        if (value == NULL || json_object_is_type(value, json_type_array))
            continue;
        rc = gtr_log_keys_push(keys, key, err);
        if (rc == GTR_OK)
            rc = json_object_is_type(value, json_type_object) ? walk(json, value, err)
                                                              : take(json, value, err);
        if (rc != GTR_OK)
            return rc;
        keys->n = before;
    }
    return rc;
}

/* --- objects --------------------------------------------------------------------------------- */

/* Does a key hold \u0000?  json-c would end the key there and take "a\u0000b" and "a\u0000c" for
 * one series. */
static bool has_cut_key(const char *text)
{
    bool inside = false, cut = false;

    if (strstr(text, "\\u0000") == NULL)
        return false;
    for (; *text != '\0'; text++) {
        if (!inside) {
            cut = cut && *text != '"';
            inside = *text == '"';
            if (cut && *text == ':')
                return true;
        } else if (*text == '\\') {
            cut = cut || strncmp(text, "\\u0000", 6) == 0;
            text += text[1] != '\0';
        } else {
            inside = *text != '"';
        }
    }
    return false;
}

static struct json_object *parse(struct gtr_json *json, const char *text, size_t n)
{
    struct json_object *object;

    json_tokener_reset(json->tokener);
    object = json_tokener_parse_ex(json->tokener, text, (int)n);
    if (object != NULL && json_object_is_type(object, json_type_object))
        return object;
    json_object_put(object);
    return NULL;
}

enum gtr_code gtr_log_json_take(struct gtr_json *json, const char *text, size_t n, uint64_t line,
                                size_t column, struct gtr_err *err)
{
    const char *name = json->rows->log->name;
    struct json_object *object;
    enum gtr_code rc;

    if (has_cut_key(text))
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: a key holds \\u0000, which no name may", name,
                        (unsigned long long)line);
    object = parse(json, text, n);
    if (object == NULL)
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: no object of JSON: byte %zu: %s", name,
                        (unsigned long long)line,
                        column + json_tokener_get_parse_end(json->tokener) + 1,
                        json_tokener_error_desc(json_tokener_get_error(json->tokener)));
    gtr_log_rows_begin(json->rows, line);
    rc = walk(json, object, err);
    if (rc == GTR_OK)
        rc = gtr_log_rows_end(json->rows, err);
    json_object_put(object);
    return rc;
}

bool gtr_log_json_fact(struct gtr_json *json, const char *text, size_t n, const char *key,
                       int64_t *value)
{
    struct json_object *object = parse(json, text, n), *member;
    bool there = object != NULL && json_object_object_get_ex(object, key, &member) &&
                 json_object_is_type(member, json_type_int);

    if (there)
        *value = json_object_get_int64(member);
    json_object_put(object);
    return there;
}

/* --- Python's notation ------------------------------------------------------------------------ */

/* A word outside quotes as JSON has it; NULL: it is the same there. */
static const char *json_word(const char *word, size_t n)
{
    static const struct {
        const char *python, *json;
    } words[] = { { "None", "null" },
                  { "True", "true" },
                  { "False", "false" },
                  { "nan", "NaN" },
                  { "inf", "Infinity" } };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(words); i++)
        if (strlen(words[i].python) == n && strncmp(words[i].python, word, n) == 0)
            return words[i].json;
    return NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Only words differ: json-c takes either quote.  No word grows by more than five bytes. */
static size_t rewrite(const char *text, size_t n, char *out)
{
    size_t used = 0, i = 0;
    char quote = '\0';

    while (i < n) {
        const char *word;
        size_t length = 0;

        if (quote == '\0')
            while (i + length < n && is_letter(text[i + length]))
                length++;
        if (length > 0) {
            word = json_word(text + i, length);
            used += (size_t)sprintf(out + used, "%.*s", word != NULL ? 8 : (int)length,
                                    word != NULL ? word : text + i);
            i += length;
            continue;
        }
        if (quote == '\0' && (text[i] == '"' || text[i] == '\''))
            quote = text[i];
        else if (quote != '\0' && text[i] == '\\' && i + 1 < n)
            out[used++] = text[i++];
        else if (text[i] == quote)
            quote = '\0';
        out[used++] = text[i++];
    }
    out[used] = '\0';
    return used;
}

enum gtr_code gtr_log_json_take_python(struct gtr_json *json, const char *text, size_t n,
                                       uint64_t line, struct gtr_err *err)
{
    enum gtr_code rc = gtr_grow(&json->text, &json->capacity, 3 * n + 9, 1, err);
    struct json_object *object;

    if (rc != GTR_OK)
        return rc;
    n = rewrite(text, n, json->text);
    /* Other things are printed in braces too; what is no dictionary is no row. */
    object = parse(json, json->text, n);
    if (object == NULL)
        return GTR_OK;
    json_object_put(object);
    return gtr_log_json_take(json, json->text, n, line, 0, err);
}
