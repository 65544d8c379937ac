/* err.c - filling a gtr_err. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum gtr_code gtr_err_set(struct gtr_err *err, enum gtr_code code, const char *file, int line,
                          const char *format, ...)
{
    va_list args;

    if (err == NULL || err->code != GTR_OK)
        return code;
    err->code = code;
    err->file = file;
    err->line = line;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

enum gtr_code gtr_err_again(const struct gtr_err *failure, struct gtr_err *err)
{
    if (failure->code != GTR_OK && err != NULL && err->code == GTR_OK)
        *err = *failure;
    return failure->code;
}

void gtr_err_prefix(struct gtr_err *err, const char *prefix)
{
    char text[sizeof err->text];

    if (err == NULL || err->code == GTR_OK)
        return;
    memcpy(text, err->text, sizeof text);
    /* Cut, never overflow: a long path may push the end of the text out. */
    snprintf(err->text, sizeof err->text, "%.150s: %.240s", prefix, text);
}
