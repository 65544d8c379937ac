/* json_text.h - small helpers over json-c.  Numbers are spelled as in tab-separated text; what is
 * not finite is null.  Adders take objects that may be NULL for want of memory: json-c then writes
 * null. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

#include "gradtrace_lab.h"

/* A text from a file that we did not write: bytes that are not UTF-8 become U+FFFD,
 * and what tell_text hides is written as \u009b. */
struct json_object *json_text(const char *text);
struct json_object *json_number(double value);
void json_add_number(struct json_object *object, const char *key, double value);
void json_add_integer(struct json_object *object, const char *key, int64_t value);
void json_add_flag(struct json_object *object, const char *key, bool value);
void json_add_text(struct json_object *object, const char *key, const char *text);

/* Writes what json-c spelled: what tell_text hides, all but line ends, as \u009b. */
void json_spell(FILE *f, const char *json);

/* Writes and frees the object, so spelled. */
enum gtr_code json_write(FILE *f, struct json_object *object, struct gtr_err *err);

#endif
