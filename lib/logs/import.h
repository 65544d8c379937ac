/* import.h - logs that people already have, as traces.
 *
 * Three shapes of log are understood; which one it is shows in its first line:
 *
 *   long table   one row per step and series       step,module,norm
 *   wide table   one row per step, a column each   step,q_proj,k_proj
 *   JSON lines   one object per line               {"step": 3, "grad_norm/q_proj": 0.25}
 *
 * A series becomes a tensor of one element whose shape, type and largest element are unknown
 * (shape "", numel 1, maxabs NaN).  Its sum of squares is the norm's square, whose root gives the
 * same norm back, bit for bit, unless the square leaves the range of a double.  A norm that is
 * NaN or infinite counts as one non-finite element; a norm that the log does not have is 0.  Both
 * are counted in the summary.
 *
 * Steps may come in any order and a step's norms may be spread over rows.  Memory is a small
 * multiple of the log's size.  Errors name the log and its line.
 */
#ifndef GTR_IMPORT_H
#define GTR_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

/* GTR_LOG_CSV is any delimited text whose delimiter (, ; or tab) shows in its first line. */
enum gtr_log_format { GTR_LOG_AUTO, GTR_LOG_CSV, GTR_LOG_TSV, GTR_LOG_JSONL };

/* What a norm that the log gives twice for one step means: resumed runs write steps again. */
enum gtr_log_repeats { GTR_REPEATS_ERROR, GTR_REPEATS_FIRST, GTR_REPEATS_LAST };

struct gtr_log_options {
    enum gtr_log_format format;
    enum gtr_log_repeats repeats;
    /* "step=COLUMN,name=COLUMN,norm=COLUMN" (long) or "step=COLUMN,series=GLOB" (wide); also
     * loss=, lr=, and sumsq= where the log has sums of squares.  NULL: by the usual names. */
    const char *columns;
    /* Globs, separated by |, of the columns or keys that are series.  NULL: as in columns, else
     * what experiment trackers usually write (see columns.c). */
    const char *keys;
};

struct gtr_log; /* a log in memory */

/* What a person should be told about a log. */
struct gtr_log_summary {
    size_t n_series;
    size_t n_steps;
    size_t n_missing;   /* norms that the log does not have: 0 in the trace */
    size_t n_nonfinite; /* norms that were NaN or infinite */
    size_t n_small;     /* norms so small that their squares lose digits */
    size_t n_large;     /* finite norms whose squares overflow: kept as non-finite */
    size_t n_repeats;   /* norms dropped because of the option repeats */
    size_t n_idle_rows; /* rows without any norm */
    size_t n_totals;    /* series left out because they are totals of the others */
    const char *total;  /* name of the first of them, or NULL */
    bool cut_short;     /* the last line was incomplete and is left out */
    bool parameters;    /* series are parameters, not groups of them: grouping makes sense */
    bool squares;       /* the log holds sums of squares */
    const char *format; /* "csv", "tsv" or "jsonl" */
};

/* Reads all of `f`; `name` is for errors and for the trace's meta.  Free with gtr_log_free. */
enum gtr_code gtr_log_read(FILE *f, const char *name, const struct gtr_log_options *options,
                           struct gtr_log **log, struct gtr_err *err);
void gtr_log_free(struct gtr_log *log);

/* Borrowed, valid until free. */
const struct gtr_log_summary *gtr_log_summary(const struct gtr_log *log);
const char *gtr_log_series_name(const struct gtr_log *log, size_t series);
const struct gtr_step *gtr_log_steps(const struct gtr_log *log); /* n_steps, by index */

/* What the log itself does not say. */
struct gtr_log_facts {
    const char *group_by;   /* NULL: "tensor" unless the series are parameters */
    const char *grad_state; /* NULL: unknown */
    int64_t total_steps;    /* 0: unknown */
    bool force;             /* replace an existing trace */
};

/* Writes the log as a trace, whole or not at all. */
enum gtr_code gtr_log_write(const struct gtr_log *log, const char *path,
                            const struct gtr_log_facts *facts, struct gtr_err *err);

GTR_PUBLIC_END

/* The norms of the t-th step: n_series values each. */
void gtr_log_row(const struct gtr_log *log, size_t t, double *sumsq, uint64_t *nonfinite);

#endif
