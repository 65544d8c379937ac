/* update_tables.h - what `gradtrace update` prints: tables for people, rows for programs. */
#ifndef UPDATE_TABLES_H
#define UPDATE_TABLES_H

#include <stdio.h>

#include "update_summary.h"

/* The optimizer, what was simulated, a table for each policy, and one with all policies. */
void update_tables_print(FILE *f, const struct update_found *found,
                         const struct update_summary *summaries);

/* One row per policy, simulated step and group.  Numbers read back exactly; NaN where the step was
 * skipped, or the trace has no elements. */
void update_tsv(FILE *f, const struct update_found *found);

#endif
