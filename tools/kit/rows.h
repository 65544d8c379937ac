/* rows.h - a table for programs, as tab-separated text or as JSON by the same calls.
 *
 * Tab-separated: a line of column names, then a line for each row; numbers are exact ("nan",
 * "inf"), texts escaped (gtr_text_escape).  JSON: an array with an object for each row, with the
 * same names; what is not finite is null.
 *
 *     rows_open(&rows, f, false);
 *     rows_columns(&rows, "step group scale");
 *     rows_integer(&rows, 7), rows_text(&rows, "wte"), rows_number(&rows, 0.5);   (a row)
 *     rc = rows_close(&rows, err);
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdbool.h>
#include <stdio.h>

#include "gradtrace_lab.h"

struct rows {
    FILE *f;
    bool json;
    char **columns; /* n_columns, as JSON strings */
    size_t n_columns, capacity;
    size_t at; /* the column whose turn it is */
    size_t n;  /* rows begun */
    struct gtr_err err;
};

void rows_open(struct rows *rows, FILE *f, bool json);

/* Columns are named before the first value: several words, or one name with anything in it. */
void rows_columns(struct rows *rows, const char *words);
void rows_column(struct rows *rows, const char *name);

/* The next value; after the last column the row ends by itself. */
void rows_text(struct rows *rows, const char *text);
void rows_number(struct rows *rows, double value);
void rows_integer(struct rows *rows, int64_t value);

/* Frees, and tells whether there was memory for everything.  Errors of f are the caller's. */
enum gtr_code rows_close(struct rows *rows, struct gtr_err *err);

#endif
