/* doctor_report.h - findings as text for people, tab-separated text, JSON. */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdio.h>

#include "study.h"

struct doctor_found {
    const struct study *study;
    const char *trace;
    const bool *wanted; /* [gtr_checks_count()] */
    bool own;           /* the one policy is what the run itself did */
    bool own_dropped;   /* it was not looked at, because its norms are not those of the run */
    struct gtr_finding *findings;
    size_t n_findings;
};

size_t doctor_count(const struct doctor_found *found, enum gtr_severity severity);

void doctor_report(FILE *f, const struct doctor_found *found);
void doctor_tsv(FILE *f, const struct doctor_found *found);
enum gtr_code doctor_json(FILE *f, const struct doctor_found *found, struct gtr_err *err);

/* The catalogue with its thresholds. */
void doctor_list(FILE *f);

#endif
