/* logbook.h - the numbers of a log while it is being read, and put in order afterwards.
 *
 * Readers add rows; a row is a step, the line it came from, and cells.  A cell is a value and the
 * series that owns it.
 *
 *     rows    step 7, line 2      step 8, line 3      step 7, line 4   ...
 *     cells   .5 q   .3 k         .6 q   .2 k         .1 v
 *
 * Once all is read the series are chosen, the rows sorted by step, and no norm may be there twice.
 * The cells stay where they are: 12 bytes each, and 24 a row.
 */
#ifndef GTR_LOGBOOK_H
#define GTR_LOGBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "columns.h"
#include "err.h"
#include "import.h"
#include "names.h"

enum {
    GTR_LOG_NAME_MAX = 500,  /* bytes; names have a fixed width in a trace, that of the longest */
    GTR_LOG_IGNORED_MAX = 32 /* columns listed in the trace's meta */
};

/* Owners that are no series. */
#define GTR_LOG_LOSS       UINT32_MAX
#define GTR_LOG_LR         (UINT32_MAX - 1)
#define GTR_LOG_NOT_SERIES UINT32_MAX /* as a glob, and as a place */

/* What is known about each of the log's names. */
struct gtr_log_name {
    uint32_t glob;  /* that it matched; n_globs: a series by its place; GTR_LOG_NOT_SERIES */
    uint32_t place; /* among the series, once finished */
    bool used;      /* a cell is its */
};

struct gtr_log_line {
    int64_t step;
    size_t first; /* cell */
    uint32_t n;
    uint32_t line; /* UINT32_MAX: that or later */
};

struct gtr_log {
    char *name; /* of the log */
    enum gtr_log_repeats repeats;
    struct gtr_globs globs;
    bool strip;   /* take what globs say literally off the series' names */
    bool modules; /* the log calls its series modules, layers or groups */

    struct gtr_names names;
    struct gtr_log_name *about; /* [n_names] */
    size_t about_capacity;

    double *values;
    uint32_t *owners; /* numbers of names */
    size_t n_cells, values_capacity, owners_capacity;
    struct gtr_log_line *rows;
    size_t n_rows, rows_capacity;

    char *used[GTR_ROLE_COUNT]; /* column or key of each role, for meta */
    char *ignored[GTR_LOG_IGNORED_MAX];
    size_t n_ignored;

    char **series; /* from here on: once finished */
    struct gtr_step *steps;
    size_t *first_row; /* [n_steps + 1] */
    struct gtr_log_summary summary;
};

/* --- reading --- */

/* Finds or adds a name; *added tells which.  Fails for a name that a trace cannot hold. */
enum gtr_code gtr_log_intern(struct gtr_log *log, const char *name, uint32_t glob, uint64_t line,
                             uint32_t *number, bool *added, struct gtr_err *err);

/* Is this UTF-8 without control characters, and short enough for a name? */
bool gtr_log_name_is_text(const char *name);

/* Cells belong to the row that is ended next. */
enum gtr_code gtr_log_add(struct gtr_log *log, uint32_t owner, double value, struct gtr_err *err);
enum gtr_code gtr_log_end_row(struct gtr_log *log, int64_t step, uint64_t line,
                              struct gtr_err *err);
void gtr_log_drop_row(struct gtr_log *log);

/* The column or key that has a role. */
enum gtr_code gtr_log_use(struct gtr_log *log, enum gtr_role role, const char *column,
                          struct gtr_err *err);
void gtr_log_ignore(struct gtr_log *log, const char *column);

/* norm= and sumsq= without name= are globs of columns or keys. */
enum gtr_code gtr_log_take_globs(struct gtr_log *log, const struct gtr_columns *columns,
                                 struct gtr_err *err);

/* Text of a whole number, also as 10.0 or 1e3. */
bool gtr_log_step_parse(const char *text, int64_t *step);
bool gtr_log_step_from(double value, int64_t *step);

/* --- once all is read --- */

/* Chooses and names the series (logbook_series.c), then puts the rows in order
 * (logbook_order.c). */
enum gtr_code gtr_log_choose(struct gtr_log *log, struct gtr_err *err);
enum gtr_code gtr_log_order(struct gtr_log *log, struct gtr_err *err);

/* --- the formats --- */

struct gtr_lines;

/* Both start with the line that `lines` holds. */
enum gtr_code gtr_log_read_table(struct gtr_log *log, struct gtr_lines *lines, char delimiter,
                                 const struct gtr_columns *columns, struct gtr_err *err);
enum gtr_code gtr_log_read_jsonl(struct gtr_log *log, struct gtr_lines *lines,
                                 const struct gtr_columns *columns, struct gtr_err *err);

#endif
