/* info_found.h - what a trace holds, counted once; told and written from here. */
#ifndef INFO_FOUND_H
#define INFO_FOUND_H

#include <json-c/json.h>
#include <stdio.h>

#include "rows.h"
#include "study.h"

/* A number of the steps. */
struct info_range {
    double first, last, min, max; /* NaN if it is not known at any */
    size_t n;                     /* steps at which it is known */
};

/* What one capture holds of all tensors. */
struct info_captures {
    size_t n_tensors, n_sampled;
    uint64_t elements, bytes;
    struct gtr_captured sample; /* of the last that is one */
    bool differ;                /* the samples are not of one kind */
};

enum { INFO_TENSORS = 2 };

struct info_group {
    size_t n_tensors;
    uint64_t n_elements;
    size_t first[INFO_TENSORS]; /* tensors */
    double share;               /* of the energy of all steps */
    double max;                 /* norm; NaN if there was none */
};

struct info_found {
    const struct study *study;
    const struct gtr_head *head;
    uint64_t n_elements;
    struct info_range loss, lr, time, scale;
    size_t n_left_out, n_clipped;   /* steps, by the run itself */
    size_t n_rest;                  /* steps whose gradient is more than the tensors of the trace */
    size_t largest;                 /* row of the largest norm; n_steps if none is finite */
    struct gtr_norm_summary *norms; /* [G + 1], the last of the whole gradient */
    struct info_group *groups;      /* [G] */
    double energy;                  /* sum of squares of all finite steps */
    struct info_captures captures;
    struct json_object *meta; /* NULL: not JSON */
    struct json_object
        *scenario; /* that `gradtrace simulate` made the trace up by; NULL: it did not */
    int64_t seed;  /* of it */
};

/* Borrows the study.  Free with info_found_free, also after failure. */
enum gtr_code info_found_make(struct info_found *found, const struct study *study,
                              struct gtr_err *err);
void info_found_free(struct info_found *found);

/* Fills `captures`: asks the file about each tensor. */
enum gtr_code info_see_captures(struct info_found *found, struct gtr_err *err);

/* For people.  What there is without a trace: policies, presets and their parameters; rules for
 * groups (info_catalogue.c).  What a trace says about itself and its run; one row per group: its
 * tensors and its norms; its meta, the JSON object, indented (info_report.c). */
void info_policies(FILE *f);
void info_group_rules(FILE *f);
void info_report(FILE *f, const struct info_found *found);
void info_groups(FILE *f, const struct info_found *found);
enum gtr_code info_meta(FILE *f, const struct study *study, struct gtr_err *err);

/* For programs (info_rows.c): a fact in each row; a group; a step, of a struct study. */
void info_fact_rows(struct rows *rows, const void *found);
void info_group_rows(struct rows *rows, const void *found);
void info_step_rows(struct rows *rows, const void *study);

#endif
