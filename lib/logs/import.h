/* import.h - logs that people already have, as traces.
 *
 * What is understood shows in the file itself: tables with a row per step and series or with a
 * column for each series, JSON lines and lists, the trainer_state.json of Hugging Face,
 * TensorBoard's event files, and what trainers print.  formats.c has the list, writers.c what each
 * trainer means by its norm.
 *
 * A series becomes a tensor of one element whose shape, type and largest element are unknown
 * (shape "", numel 1, maxabs NaN).  Its sum of squares is the norm's square, whose root gives the
 * same norm back, bit for bit, unless the square leaves the range of a double.  A norm that is
 * NaN or infinite counts as one non-finite element; a norm that the log does not have is 0.  Both
 * are counted in the summary.
 *
 * Series are parts of one gradient.  What is no part beside the others - a total, the norm after
 * clipping, the same curve again - is left out and told; several runs and several optimizers are
 * asked about.  Steps may come in any order and a step's norms may be spread over rows.  Memory is
 * a small multiple of the numbers that are kept.  Errors name the log and its line.
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

/* What a norm that the log gives twice for one step means: resumed runs write steps again.  The
 * same norm again is no contradiction. */
enum gtr_log_repeats { GTR_REPEATS_ERROR, GTR_REPEATS_FIRST, GTR_REPEATS_LAST };

struct gtr_log_options {
    const char *format; /* one of gtr_log_format_name's; NULL: what the log looks like */
    enum gtr_log_repeats repeats;
    /* "step=COLUMN,name=COLUMN,norm=COLUMN" (long) or "step=COLUMN,series=GLOB" (wide); also
     * loss=, lr=, and sumsq= where the log has sums of squares.  NULL: by the usual names. */
    const char *columns;
    /* Globs, separated by |, of the columns or keys that are series.  NULL: as in columns, else
     * what experiment trackers usually write (see columns.c). */
    const char *keys;
    const char *pattern; /* a console's line: "step {step} {} norm {norm}"; NULL: none */
    int64_t every;       /* N: rows have no step and are numbered N, 2N, ...; 0: they have */
};

/* The formats by number, NULL after the last; static. */
const char *gtr_log_format_name(size_t i);

struct gtr_log; /* a log in memory */

/* What a person should be told about a log. */
struct gtr_log_summary {
    size_t n_series;
    size_t n_steps;
    size_t n_missing;    /* norms that the log does not have: 0 in the trace */
    size_t n_nonfinite;  /* norms that were NaN or infinite */
    size_t n_small;      /* norms so small that their squares lose digits */
    size_t n_large;      /* finite norms whose squares overflow: kept as non-finite */
    size_t n_repeats;    /* norms dropped because of the option repeats */
    size_t n_same;       /* norms that were there already, with the same value */
    size_t n_idle_rows;  /* rows without any norm */
    size_t n_left_out;   /* series that are no further part: see gtr_log_left_out */
    size_t n_restarts;   /* times that steps began anew with an epoch, and were counted on */
    int64_t total_steps; /* planned length of the run, if the log tells; else 0 */
    int64_t stride;      /* most rows lie so many steps apart: gtr_steps_stride */
    bool counted;        /* rows have no step: they were counted */
    bool only_column;    /* the series is taken for one as there is no other column of numbers */
    bool cut_short;      /* the last line was incomplete and is left out */
    bool parameters;     /* series are parameters, not groups of them: grouping makes sense */
    bool squares;        /* the log holds sums of squares */
    const char *format;  /* name of the format */
    /* As the log's names tell, or NULL: which program wrote it, "pre-clip" or "post-clip", and what
     * the norms are: "of the last step of each interval" between two rows, "means ...". */
    const char *writer, *grad_state, *norm_of;
    /* Columns or keys that they were read from; NULL: none.  name and norm only where there is a
     * column for names; else the columns or keys are the series. */
    const char *step, *loss, *lr, *name, *norm;
};

/* Series `i` of n_left_out: its name, and why it is no part beside the others. */
struct gtr_log_left_out {
    const char *name, *why;
};

/* Reads all of `f`; `name` is for errors and for the trace's meta.  Free with gtr_log_free. */
enum gtr_code gtr_log_read(FILE *f, const char *name, const struct gtr_log_options *options,
                           struct gtr_log **log, struct gtr_err *err);
void gtr_log_free(struct gtr_log *log);

/* Borrowed, valid until free. */
const struct gtr_log_summary *gtr_log_summary(const struct gtr_log *log);
const char *gtr_log_series_name(const struct gtr_log *log, size_t series);
const struct gtr_step *gtr_log_steps(const struct gtr_log *log); /* n_steps, by index */
const struct gtr_log_left_out *gtr_log_left_out(const struct gtr_log *log, size_t i);

/* What the log itself does not say. */
struct gtr_log_facts {
    const char *group_by;   /* NULL: "tensor" unless the series are parameters */
    const char *grad_state; /* NULL: as the log's writer is known to log, else unknown */
    int64_t total_steps;    /* 0: as the log says, else unknown */
    double max_norm;        /* the run's own limit, of pre-clip norms, so that the scale that it
                             * applied is known: min(1, max_norm / (norm + 1e-6)); 0: unknown */
    bool force;             /* replace an existing trace */
};

/* Writes the log as a trace, whole or not at all. */
enum gtr_code gtr_log_write(const struct gtr_log *log, const char *path,
                            const struct gtr_log_facts *facts, struct gtr_err *err);

GTR_PUBLIC_END

/* The norms of the t-th step: n_series values each. */
void gtr_log_row(const struct gtr_log *log, size_t t, double *sumsq, uint64_t *nonfinite);

#endif
