/* columns.h - which column or key of a log is what: as the user says, or by its usual name. */
#ifndef GTR_COLUMNS_H
#define GTR_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum gtr_role {
    GTR_ROLE_STEP,
    GTR_ROLE_NAME, /* of the series, in a table with a row for each */
    GTR_ROLE_NORM,
    GTR_ROLE_SUMSQ,  /* beside name a column, else a glob of columns */
    GTR_ROLE_SERIES, /* a glob of columns */
    GTR_ROLE_LOSS,
    GTR_ROLE_LR,
    GTR_ROLE_WEIGHT, /* of a series in a long table: the L2 norm of its weights, */
    GTR_ROLE_MAXABS, /* its largest element, */
    GTR_ROLE_NUMEL,  /* how many it has */
    GTR_ROLE_COUNT   /* also "none of these" */
};

const char *gtr_role_name(enum gtr_role role);

/* How usual a name is for a role, upper and lower case alike: 0 is the most usual; SIZE_MAX if it
 * is not usual at all. */
size_t gtr_role_rank(enum gtr_role role, const char *name);

/* The usual names of a role as a list for messages. */
void gtr_role_list(enum gtr_role role, char *out, size_t size);

/* Names of columns that hold numbers and no norms: time, epoch, ...; the roles' names too. */
bool gtr_columns_reserved(const char *name);

/* A column of times, or without a name. */
bool gtr_columns_is_time(const char *name);

/* Does the column count epochs? */
bool gtr_columns_is_epoch(const char *name);

/* "step=STEP,norm=NORM" taken apart. */
struct gtr_columns {
    char *text;                        /* holds what `given` points to */
    const char *given[GTR_ROLE_COUNT]; /* NULL: not given */
};

/* NULL is the empty text.  Free with gtr_columns_free, also after failure. */
enum gtr_code gtr_columns_parse(const char *text, struct gtr_columns *columns, struct gtr_err *err);
void gtr_columns_free(struct gtr_columns *columns);

/* Globs of series.  Of those with different ranks, the lowest that matches anything in a log wins
 * for the whole log. */
struct gtr_glob {
    const char *pattern;
    unsigned rank;
    bool squares; /* matches sums of squares, not norms */
};

enum {
    GTR_GLOB_OF_ANY = 5,  /* ranks from here on match norms of anything, also of the whole */
    GTR_GLOB_OF_PARTS = 8 /* and from here on names of parts of a model */
};

struct gtr_globs {
    char *text;
    const struct gtr_glob *globs;
    struct gtr_glob *own; /* the same, unless they are the usual ones */
    size_t n_globs;
    bool chosen; /* by the user */
};

/* Globs with | between; NULL: the usual ones.  Free with gtr_globs_free, also after failure. */
enum gtr_code gtr_globs_parse(const char *text, bool squares, struct gtr_globs *globs,
                              struct gtr_err *err);
void gtr_globs_free(struct gtr_globs *globs);

/* Ranks that match norms of anything are one level. */
unsigned gtr_globs_level(unsigned rank);

/* The first glob that matches, upper and lower case alike unless the user chose: its place, or
 * n_globs.  A limit, a deviation or the envelope of a norm is none, whatever its name holds. */
size_t gtr_globs_find(const struct gtr_globs *globs, const char *name);

/* The same for columns and keys: a glob with a wildcard does not mean those for steps, losses,
 * rates and times, nor the envelope that a tracker gives a curve. */
size_t gtr_globs_find_column(const struct gtr_globs *globs, const char *name);

/* As gtr_globs_find with the usual globs. */
bool gtr_globs_usual(const char *name);

#endif
