/* scaling_table.h - the scaling statistics of policies, for people and for programs. */
#ifndef SCALING_TABLE_H
#define SCALING_TABLE_H

#include <stdio.h>

#include "gradtrace_lab.h"
#include "rows.h"
#include "tell.h"

/* A headline and two blocks of columns: what was scaled, and what that did to the norms.  `names`
 * are those of the groups. */
void scaling_table_print(FILE *f, const char *label, const char *setting,
                         const struct tell_names *names, const struct gtr_scaling_report *report);

/* One line per policy, pooled: what is worth comparing first. */
void scaling_table_compare(FILE *f, char *const *labels, struct gtr_scaling_report *const *reports,
                           size_t n);

/* One row per policy and group, and of each policy one of all groups: all columns of scaling.h. */
void scaling_table_rows(struct rows *rows, char *const *labels, const struct gtr_series *series,
                        struct gtr_scaling_report *const *reports, size_t n);

#endif
