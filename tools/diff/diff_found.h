/* diff_found.h - two traces held against each other: what `gradtrace diff A B` tells. */
#ifndef DIFF_FOUND_H
#define DIFF_FOUND_H

#include <stdio.h>

#include "diff_options.h"
#include "study.h"

struct diff_side {
    struct study study;
    struct gtr_decisions **decisions; /* [n_settings] */
    size_t *group;                    /* [n_groups] of the comparison; the last is the whole */
    size_t *alone;                    /* groups that the other does not have */
    size_t n_alone;
    struct diff_window window, spans; /* compared; what the trace has */
};

struct diff_found {
    const struct diff_options *options;
    struct diff_side side[2];
    const char **names; /* [n_groups], the last "(all)" */
    size_t n_groups;
    struct gtr_comparison *comparison;
};

enum gtr_code diff_found_make(struct diff_found *found, const struct diff_options *options,
                              struct gtr_err *err);
void diff_found_free(struct diff_found *found);

/* "level", "spread", "spikes", or "clip rate of LABEL" (kept in `text`). */
const char *diff_measure_name(const struct diff_found *found, size_t measure, char text[128]);

/* For people (diff_report.c) and for programs (diff_rows.c): one row per group and measure. */
void diff_report(FILE *f, const struct diff_found *found);
void diff_group_rows(struct rows *rows, const void *found);
enum gtr_code diff_json(FILE *f, const struct diff_found *found, struct gtr_err *err);

#endif
