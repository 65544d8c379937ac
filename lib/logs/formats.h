/* formats.h - the formats of logs: one row of a table and one reader each.
 *
 * A console's lines are told apart from each other and from a table's by what is in them: every
 * format that has `cut` is asked whether it knows a line.
 */
#ifndef GTR_FORMATS_H
#define GTR_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "lines.h"
#include "logbook.h"

/* What a reader reads, and what the user said. */
struct gtr_log_source {
    struct gtr_log *log;
    struct gtr_lines *lines;
    const struct gtr_columns *said;
    const char *pattern; /* of a line, or NULL */
    const struct gtr_log_format *format;
};

/* What a line of a console holds, as cut.  Keys and values point into the line. */
enum {
    GTR_PAIRS_MAX = 256 /* verl prints some 120 on a line */
};

struct gtr_pair {
    const char *key;
    size_t n;
    double value;
};

struct gtr_pairs {
    struct gtr_pair pair[GTR_PAIRS_MAX];
    size_t n;
    bool goes_on;       /* the line belongs to the row that the last one opened */
    int64_t total;      /* planned steps; 0: the line does not tell */
    const char *object; /* a dictionary of Python's or JSON's instead of pairs, and its end */
    const char *object_end;
};

struct gtr_log_format {
    const char *name; /* --format NAME */
    enum gtr_code (*read)(struct gtr_log_source *source, struct gtr_err *err);

    /* Of consoles: false if the line is none of this format's. */
    bool (*cut)(const char *line, struct gtr_pairs *pairs);
    const char *keys; /* globs of its norms; NULL: the usual ones */
    bool counted;     /* its rows have no step */
    bool blocks;      /* a row is a line with the step and indented lines below it */
};

extern const struct gtr_log_format gtr_log_formats[];
extern const size_t gtr_log_n_formats;

/* --- readers --- */

enum gtr_code gtr_log_read_table(struct gtr_log_source *source, struct gtr_err *err);
enum gtr_code gtr_log_read_json(struct gtr_log_source *source, struct gtr_err *err);
enum gtr_code gtr_log_read_tfevents(struct gtr_log_source *source, struct gtr_err *err);
enum gtr_code gtr_log_read_console(struct gtr_log_source *source, struct gtr_err *err);

/* Does the file begin as TensorBoard's do? */
bool gtr_tfevents_begin(const char *bytes, size_t n);

/* The first console's format that finds a norm in the line, or the head of a block; NULL: none. */
const struct gtr_log_format *gtr_console_of(char *line);

/* --- lines of consoles --- */

bool gtr_cut_dictionary(const char *line, struct gtr_pairs *pairs);
bool gtr_cut_bars(const char *line, struct gtr_pairs *pairs);
bool gtr_cut_words(const char *line, struct gtr_pairs *pairs);
bool gtr_cut_llmc(const char *line, struct gtr_pairs *pairs);
bool gtr_cut_fairseq(const char *line, struct gtr_pairs *pairs);
bool gtr_cut_epochs(const char *line, struct gtr_pairs *pairs);
bool gtr_cut_block(const char *line, struct gtr_pairs *pairs);
bool gtr_cut_composer(const char *line, struct gtr_pairs *pairs);

/* --pattern: text as it stands on the line, blanks for any blanks, {KEY} for a number and {} for
 * anything.  False if the line does not hold it. */
bool gtr_cut_pattern(const char *pattern, const char *line, struct gtr_pairs *pairs);
enum gtr_code gtr_pattern_check(const char *pattern, struct gtr_err *err);

#endif
