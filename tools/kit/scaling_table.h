/* scaling_table.h - the scaling statistics of one policy, for people. */
#ifndef SCALING_TABLE_H
#define SCALING_TABLE_H

#include <stdio.h>

#include "gradtrace_lab.h"

/* A headline and two blocks of columns, at most 100 characters wide: what was scaled, and what
 * that did to the norms. */
void scaling_table_print(FILE *f, const char *label, const char *setting,
                         const struct gtr_series *series, const struct gtr_scaling_report *report);

/* One line per policy, pooled: what is worth comparing first. */
void scaling_table_compare(FILE *f, char *const *labels, struct gtr_scaling_report *const *reports,
                           size_t n);

/* One row per policy and group as tab-separated text, all columns of scaling.h. */
void scaling_tsv_header(FILE *f);
void scaling_tsv_rows(FILE *f, const char *label, const struct gtr_series *series,
                      const struct gtr_scaling_report *report);

#endif
