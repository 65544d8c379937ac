/* sweep_report.h - what a sweep found, for people and as tab-separated text. */
#ifndef SWEEP_REPORT_H
#define SWEEP_REPORT_H

#include <stdio.h>

#include "gradtrace.h"
#include "study.h"
#include "sweep_options.h"

struct sweep_results {
    const struct study *study;
    const struct gtr_plan *plan;
    const struct gtr_baseline *baseline;
    size_t first, n;    /* rows are settings first .. first + n - 1 */
    const double *rows; /* [n][GTR_OBJECTIVE_COUNT] */
};

/* One row a setting: setting policy KNOBS... OBJECTIVES... text; numbers read back exactly, and
 * text is what to type after -p.  Settings that the plan does not allow are left out. */
void sweep_tsv(FILE *f, const struct sweep_results *results);

/* Are goals and limits what a sweep has?  Asked before it runs. */
enum gtr_code sweep_report_check(const struct sweep_options *options, struct gtr_err *err);

/* The recommendation with its reasons, which knob matters, and the line to paste. */
enum gtr_code sweep_report(FILE *f, const struct sweep_options *options,
                           const struct sweep_results *results, struct gtr_err *err);

#endif
