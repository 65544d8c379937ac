/* steps.h - decisions as tab-separated text, one row per policy, step and group. */
#ifndef STEPS_H
#define STEPS_H

#include <stdio.h>

#include "gradtrace_lab.h"

/* Columns: step policy group norm lower upper scale norm_out.  Numbers read back exactly. */
void steps_write_header(FILE *f);

/* The rows of one policy, step by step, groups in their order.  Needs decisions kept with their
 * intervals.  Stops at a write error, which the caller sees when it closes the file. */
void steps_write(FILE *f, const char *label, const struct gtr_series *series,
                 const struct gtr_decisions *decisions);

#endif
