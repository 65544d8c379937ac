/* doctor_found.h - what `gradtrace doctor` was asked for, and what is wrong with a run and with its
 * policies; told and written from here. */
#ifndef DOCTOR_FOUND_H
#define DOCTOR_FOUND_H

#include <stdio.h>

#include "output.h"
#include "study.h"

/* The command line. */
struct doctor_options {
    struct cli_common common;
    struct cli_replay replay;
    struct forms forms;
    const char *trace;
    bool strict, list;
    bool *wanted; /* [gtr_checks_count()] */
};

struct doctor_found {
    struct study study;
    const char *trace;
    const bool *wanted; /* [gtr_checks_count()] */
    bool own;           /* the one policy is what the run itself did */
    bool own_dropped;   /* it was not looked at, because its norms are not those of the run */
    char own_text[64];
    struct gtr_finding *findings;
    size_t n_findings;
};

/* Adds the run's own policy to the options if they name none, and opens what they ask for before
 * the work.  Borrows them.  Free with doctor_found_free, also after failure. */
enum gtr_code doctor_found_make(struct doctor_found *found, struct doctor_options *options,
                                struct gtr_err *err);
void doctor_found_free(struct doctor_found *found);

size_t doctor_count(const struct doctor_found *found, enum gtr_severity severity);

/* For people (doctor_report.c): the findings; the catalogue with its thresholds. */
void doctor_report(FILE *f, const struct doctor_found *found);
void doctor_list(FILE *f);

/* For programs (doctor_rows.c): one row per finding; the same, and what was looked for, as JSON. */
void doctor_finding_rows(struct rows *rows, const void *found);
enum gtr_code doctor_json(FILE *f, const struct doctor_found *found, struct gtr_err *err);

#endif
