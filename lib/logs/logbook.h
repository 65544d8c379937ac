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
    GTR_LOG_NAME_MAX = 500,   /* bytes; names have a fixed width in a trace, that of the longest */
    GTR_LOG_IGNORED_MAX = 32, /* columns listed in the trace's meta */
    GTR_LOG_SEEN_MAX = 4096   /* columns or keys by which who wrote the log is told */
};

/* Owners that are no series. */
#define GTR_LOG_LOSS       UINT32_MAX
#define GTR_LOG_LR         (UINT32_MAX - 1)
#define GTR_LOG_NOT_SERIES UINT32_MAX /* as a glob, and as a place */

/* What is known about each of the log's names. */
struct gtr_log_name {
    uint32_t glob;   /* that it matched; n_globs: a series by its place; GTR_LOG_NOT_SERIES */
    uint32_t place;  /* among the series, once finished */
    bool used;       /* a cell is its */
    bool was_series; /* gtr_log_renumber has not seen it leave */
};

struct gtr_log_line {
    int64_t step;
    size_t first; /* cell */
    uint32_t n;
    uint32_t line; /* UINT32_MAX: that or later */
};

/* Values beside the log's cells, NaN where there is none; see log_more.h. */
struct gtr_log_more {
    double *values;
    size_t n, capacity;
};

struct gtr_log {
    char *name; /* of the log */
    enum gtr_log_repeats repeats;
    struct gtr_globs globs;
    bool strip;    /* take what globs say literally off the series' names */
    bool history;  /* the rows are those of a log_history */
    bool named;    /* series are named in a column, not by columns or keys */
    bool modules;  /* the log calls its series modules, layers or groups */
    int64_t every; /* N: rows have no step and are numbered N, 2N, ...; 0: they have */

    struct gtr_names names;
    struct gtr_log_name *about; /* [n_names] */
    size_t about_capacity;

    double *values;
    uint32_t *owners; /* numbers of names */
    size_t n_cells, values_capacity, owners_capacity;
    struct gtr_log_line *rows;
    size_t n_rows, rows_capacity;

    struct gtr_log_more more[GTR_ROLE_COUNT - GTR_ROLE_WEIGHT];

    char *used[GTR_ROLE_COUNT]; /* column or key of each role, for meta */
    char *ignored[GTR_LOG_IGNORED_MAX];
    size_t n_ignored;
    struct gtr_names seen; /* columns, or keys that had a number */

    struct {
        double epoch; /* of the last row; NaN: none yet */
        int64_t step, offset;
    } last; /* of rows whose steps begin anew at each epoch */
    int64_t n_counted;

    struct gtr_log_left_out *left_out; /* [summary.n_left_out] */
    size_t left_out_capacity;
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

/* The step of a row that has none: rows are counted. */
enum gtr_code gtr_log_count_row(struct gtr_log *log, int64_t *step, struct gtr_err *err);

/* *step of a row as the log has it becomes the run's.  A step that falls while the epoch rises
 * (NaN: the row has none) begins anew: it counts on from the last one of the epoch before. */
enum gtr_code gtr_log_place_row(struct gtr_log *log, double epoch, uint64_t line, int64_t *step,
                                struct gtr_err *err);

/* A column or key that the log has, whatever becomes of it. */
void gtr_log_saw(struct gtr_log *log, const char *name);

/* The series is not taken; `why` is static. */
enum gtr_code gtr_log_leave_out(struct gtr_log *log, uint32_t name, const char *why,
                                struct gtr_err *err);

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

/* Where a cell belongs: its place among the series, or GTR_LOG_NOT_SERIES. */
uint32_t gtr_log_place_of(const struct gtr_log *log, uint32_t owner);

/* The cells that gtr_log_row reads the t-th step's norms from, -1 where there is none. */
void gtr_log_cells(const struct gtr_log *log, size_t t, double *cells);

/* Chooses and names the series (logbook_series.c), then puts the rows in order
 * (logbook_order.c).  Between the two, what is no part of the gradient beside the others goes, by
 * names and then by numbers (logbook_whole.c). */
enum gtr_code gtr_log_choose(struct gtr_log *log, struct gtr_err *err);
enum gtr_code gtr_log_order(struct gtr_log *log, struct gtr_err *err);
enum gtr_code gtr_log_drop_by_name(struct gtr_log *log, struct gtr_err *err);
bool gtr_log_is_part(const char *name);  /* of a gradient, by all of its words */
bool gtr_log_is_total(const char *name); /* what people call a total among its parts */
enum gtr_code gtr_log_drop_by_number(struct gtr_log *log, struct gtr_err *err);

/* The rank of the glob that a name matched; UINT_MAX: of none. */
unsigned gtr_log_rank(const struct gtr_log *log, const struct gtr_log_name *name);

/* After some places are GTR_LOG_NOT_SERIES: numbers the others anew, and drops their names. */
void gtr_log_renumber(struct gtr_log *log);

/* The values of a step's row as the log has them, where present is not 0. */
void gtr_log_gather(const struct gtr_log *log, size_t t, double *values, uint64_t *present);

#endif
