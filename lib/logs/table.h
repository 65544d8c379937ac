/* table.h - delimited text (CSV, TSV), row by row.
 *
 * RFC 4180 and what programs make of it: fields in double quotes may hold delimiters, line breaks
 * and doubled quotes; lines end in LF or CRLF; blanks around unquoted fields are dropped; blank
 * lines and lines that start with # are skipped.  The delimiter (comma, semicolon or tab) is the
 * one that the first row has most of.
 */
#ifndef GTR_TABLE_H
#define GTR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "lines.h"

struct gtr_table {
    struct gtr_lines *lines; /* borrowed */
    char delimiter;          /* 0: the first row will tell */
    uint64_t line;           /* where the present row starts */
    size_t n_fields;
    size_t *starts; /* of the fields, in the line's text */
    size_t capacity;
};

void gtr_table_init(struct gtr_table *table, struct gtr_lines *lines, char delimiter);
void gtr_table_free(struct gtr_table *table);

/* The next row; *more is false after the last. */
enum gtr_code gtr_table_next(struct gtr_table *table, bool *more, struct gtr_err *err);

/* A field of the present row, valid until the next. */
const char *gtr_table_field(const struct gtr_table *table, size_t i);

#endif
