/* report_write.h - sentences and tables of a page, with every number also in a file.
 *
 *     report_say(r, "It clips {} of {} steps.", 2,
 *                (const struct said[]){ said_share("clip_rate", 0.55),
 *                                       said_count("steps", 1200) });
 *
 * A number is shown rounded, as <data value="0.55">55.0%</data>, and goes to facts.tsv under its
 * name.  A table is written once, to the page and to NAME.tsv; its cells carry exact values too,
 * which is also what the page's script sorts by.
 */
#ifndef REPORT_WRITE_H
#define REPORT_WRITE_H

#include <stdint.h>

#include "report.h"
#include "rows.h"

/* How a number is shown. */
enum said_kind {
    SAID_TEXT,   /* escaped */
    SAID_NAME,   /* a name from the trace: escaped, and kept apart from the text around it */
    SAID_SHARE,  /* 0.553 as 55.3% */
    SAID_CHANGE, /* 1.234 as 123%: relative, and no share */
    SAID_NUMBER, /* three digits */
    SAID_LIMIT,  /* six digits at most: to be typed again */
    SAID_COUNT,  /* 1,200 */
    SAID_STEP,   /* 1368: a step's own number */
    SAID_TIMES   /* two digits */
};

struct said {
    enum said_kind kind;
    const char *key;  /* of a number */
    const char *text; /* of the others */
    double value;
};

#define SAID_NUMBER_AS(kind, key, value) ((struct said){ (kind), (key), NULL, (double)(value) })
#define said_text(text)                  ((struct said){ SAID_TEXT, NULL, (text), 0.0 })
#define said_name(name)                  ((struct said){ SAID_NAME, NULL, (name), 0.0 })
#define said_share(key, value)           SAID_NUMBER_AS(SAID_SHARE, key, value)
#define said_change(key, value)          SAID_NUMBER_AS(SAID_CHANGE, key, value)
#define said_number(key, value)          SAID_NUMBER_AS(SAID_NUMBER, key, value)
#define said_limit(key, value)           SAID_NUMBER_AS(SAID_LIMIT, key, value)
#define said_times(key, value)           SAID_NUMBER_AS(SAID_TIMES, key, value)
#define said_count(key, count)           SAID_NUMBER_AS(SAID_COUNT, key, count)
#define said_step(key, step)             SAID_NUMBER_AS(SAID_STEP, key, step)

/* Markup of ours.  [norm|norms] is the word "norms" with a link to "norm" in the glossary; so also
 * in all else that is called markup here. */
void report_put(struct report *r, const char *markup);

/* Markup of ours in which each {} is the next of `said`. */
void report_say(struct report *r, const char *markup, size_t n, const struct said *said);
#define SAY(r, markup, ...)                                                                       \
    report_say((r), (markup), sizeof((const struct said[]){ __VA_ARGS__ }) / sizeof(struct said), \
               (const struct said[]){ __VA_ARGS__ })

/* Text from elsewhere as text of the page: its first letter, and what follows that is returned; all
 * of it; and the same with `this` in code letters. */
const char *report_escape_letter(FILE *f, const char *text);
void report_escape(FILE *f, const char *text);
void report_escape_code(FILE *f, const char *text);

/* <section> with a heading; ends the one before. */
void report_section(struct report *r, const char *id, const char *heading);

/* --- tables ---------------------------------------------------------------------------------- */

struct report_column {
    const char *key;     /* its name in the file; SAID_TEXT and SAID_NAME are columns of text */
    const char *heading; /* on the page, markup */
    enum said_kind kind;
    bool hidden; /* only in the file */
};

struct report_table {
    struct report *r;
    const struct report_column *columns;
    size_t n_columns, at, n_rows;
    size_t most;      /* rows on the page; 0: all */
    bool hide_row;    /* set before a row that only the file has */
    struct rows rows; /* the file's; f is NULL if there is none */
    char path[256];
};

/* A table's file in the folder; NULL if there is none, or after a failure.  And its end. */
FILE *report_open(struct report *r, const char *name);
void report_close(struct report *r, struct rows *rows, const char *name);

/* `name`: of the file, and of the table's id. */
void report_table_begin(struct report_table *table, struct report *r, const char *name,
                        const char *caption, const struct report_column *columns, size_t n_columns);
/* Cells, row by row.  The kind of a number is its column's. */
void report_cell(struct report_table *table, double value);
void report_cell_text(struct report_table *table, const char *text);
void report_table_end(struct report_table *table);

#endif
