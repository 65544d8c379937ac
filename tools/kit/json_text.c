/* json_text.c - numbers, texts, and writing them out.
 *
 * json-c takes any bytes for text, and names of a trace need not be UTF-8.
 */
#define _GNU_SOURCE
#include "json_text.h"

#include <math.h>
#include <stdlib.h>

#include "tell.h"

/* The text with bytes that are no letters replaced; or, `escaped`, a JSON string in quotes that has
 * been cleaned so, with what a terminal must not see as \u009b. */
static char *rewrite(const char *text, bool escaped)
{
    char *written = NULL;
    size_t size = 0;
    uint32_t letter;
    FILE *f = open_memstream(&written, &size);

    while (f != NULL && *text != '\0') {
        size_t n = gtr_text_letter(text, &letter);

        if (n > 0 && escaped && !gtr_text_is_safe(letter))
            fprintf(f, "\\u%04x", (unsigned)letter);
        else
            fwrite(n > 0 ? text : "\xef\xbf\xbd", 1, n > 0 ? n : 3, f);
        text += n > 0 ? n : 1;
    }
    if (f != NULL)
        fclose(f);
    return written;
}

struct json_object *json_text(const char *text)
{
    char *valid = rewrite(text, false), *spelled;
    struct json_object *string = valid != NULL ? json_object_new_string(valid) : NULL;

    free(valid);
    if (string == NULL)
        return NULL;
    spelled = rewrite(json_object_to_json_string_ext(string, JSON_C_TO_STRING_NOSLASHESCAPE), true);
    if (spelled != NULL)
        json_object_set_serializer(string, json_object_userdata_to_json_string, spelled,
                                   json_object_free_userdata);
    return string;
}

void json_spell(FILE *f, const char *json)
{
    uint32_t letter;

    while (*json != '\0') {
        size_t n = gtr_text_letter(json, &letter);

        if (n == 0)
            fputs("\xef\xbf\xbd", f);
        else if (letter != '\n' && !gtr_text_is_safe(letter))
            fprintf(f, "\\u%04x", (unsigned)letter);
        else
            fwrite(json, 1, n, f);
        json += n > 0 ? n : 1;
    }
}

struct json_object *json_number(double value)
{
    char text[GTR_NUMBER_SIZE];

    if (!isfinite(value))
        return NULL;
    gtr_text_print(value, text);
    return json_object_new_double_s(value, text);
}

void json_add_number(struct json_object *object, const char *key, double value)
{
    json_object_object_add(object, key, json_number(value));
}

void json_add_integer(struct json_object *object, const char *key, int64_t value)
{
    json_object_object_add(object, key, json_object_new_int64(value));
}

void json_add_flag(struct json_object *object, const char *key, bool value)
{
    json_object_object_add(object, key, json_object_new_boolean(value));
}

void json_add_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_text(text));
}

enum gtr_code json_write(FILE *f, struct json_object *object, struct gtr_err *err)
{
    const char *text = json_object_to_json_string_ext(
        object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);

    if (text != NULL) {
        json_spell(f, text);
        fputc('\n', f);
    }
    json_object_put(object);
    return text != NULL ? GTR_OK : gtr_fail(err, GTR_ENOMEM, "no memory for JSON");
}
