/* lines.h - a text file, line by line, of any length.
 *
 * A byte order mark is skipped.  A file with NUL bytes is no text (UTF-16 is the usual case).
 */
#ifndef GTR_LINES_H
#define GTR_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum { GTR_LINES_BLOCK = 1 << 16 }; /* bytes read at a time */

struct gtr_lines {
    FILE *f;
    const char *name; /* for errors */
    char *text;       /* the line without its line break, ended by NUL */
    size_t n;         /* its bytes */
    uint64_t number;  /* of the last line read; the first is 1 */
    bool complete;    /* it ended in a line break */
    bool again;       /* the next call gives the same line */
    size_t longest;   /* longer lines, in bytes, are refused; 0: none are */
    size_t capacity;
    char *block; /* bytes read from f and not yet given */
    size_t at, end;
};

/* Borrows f and name. */
void gtr_lines_init(struct gtr_lines *lines, FILE *f, const char *name);
void gtr_lines_free(struct gtr_lines *lines);

/* The next line; *more is false after the last.  With `append` it is put behind the present one,
 * with a line break between. */
enum gtr_code gtr_lines_next(struct gtr_lines *lines, bool append, bool *more, struct gtr_err *err);

/* The next line that is neither blank nor a comment (#). */
enum gtr_code gtr_lines_next_meaning(struct gtr_lines *lines, bool *more, struct gtr_err *err);

/* The bytes that come next, without taking them: *n of at most GTR_LINES_BLOCK, fewer
 * only at the end of the file. */
enum gtr_code gtr_lines_peek(struct gtr_lines *lines, const char **bytes, size_t *n,
                             struct gtr_err *err);

/* Takes the next n bytes, of a file that is no text; *got < n at its end. */
enum gtr_code gtr_lines_bytes(struct gtr_lines *lines, void *out, size_t n, size_t *got,
                              struct gtr_err *err);

/* The line without leading blanks. */
const char *gtr_lines_trimmed(const struct gtr_lines *lines);

#endif
