/* sweep_report.h - what a sweep found, for people and as tab-separated text. */
#ifndef SWEEP_REPORT_H
#define SWEEP_REPORT_H

#include <stdio.h>

#include "sweep_found.h"

/* One row a setting: setting policy KNOBS... OBJECTIVES... text; numbers read back exactly, and
 * text is what to type after -p.  Settings that the plan does not allow are left out. */
void sweep_tsv(FILE *f, const struct sweep_results *results);

/* The recommendation with its reasons, which knob matters, and the line to paste. */
enum gtr_code sweep_report(FILE *f, const struct sweep_options *options,
                           const struct sweep_results *results, const struct sweep_found *found,
                           struct gtr_err *err);

#endif
