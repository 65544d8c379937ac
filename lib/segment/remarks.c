/* remarks.c - one line about one file, for whoever listens. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "segment_private.h"

void gtr_say(const struct gtr_remarks *remarks, const char *path, bool fault, const char *format,
             ...)
{
    char text[480];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    remarks->say(remarks->context, path, fault, text);
}

void gtr_say_error(const struct gtr_remarks *remarks, const char *path, const struct gtr_err *err)
{
    size_t n = strlen(path);
    bool named = strncmp(err->text, path, n) == 0 && err->text[n] == ':';

    gtr_say(remarks, path, true, "%s", named ? err->text + n + 2 : err->text);
}
