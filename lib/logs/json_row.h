/* json_row.h - the text of one object, as a row of keys and numbers.
 *
 * Objects inside objects are read as if their keys were joined, by / or by a dot: whichever a
 * glob matches.  Python's notation ('key', True, None, inf) is read as well, as print leaves it.
 */
#ifndef GTR_JSON_ROW_H
#define GTR_JSON_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "log_rows.h"

struct json_tokener;

struct gtr_json {
    struct gtr_log_rows *rows;
    struct json_tokener *tokener;
    char *text; /* Python's notation, made JSON */
    size_t capacity;
};

/* Free with gtr_log_json_free, also after failure. */
enum gtr_code gtr_log_json_init(struct gtr_json *json, struct gtr_log_rows *rows,
                                struct gtr_err *err);
void gtr_log_json_free(struct gtr_json *json);

/* Takes the row that the n bytes at `text` are, one object from { to }; text[n] is NUL.  `column`
 * is where it starts on its line, for errors. */
enum gtr_code gtr_log_json_take(struct gtr_json *json, const char *text, size_t n, uint64_t line,
                                size_t column, struct gtr_err *err);

/* A whole number directly in the object: true if it is there. */
bool gtr_log_json_fact(struct gtr_json *json, const char *text, size_t n, const char *key,
                       int64_t *value);

/* The same for a line of Python's notation. */
enum gtr_code gtr_log_json_take_python(struct gtr_json *json, const char *text, size_t n,
                                       uint64_t line, struct gtr_err *err);

#endif
