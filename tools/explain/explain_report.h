/* explain_report.h - one step, for people and for programs. */
#ifndef EXPLAIN_REPORT_H
#define EXPLAIN_REPORT_H

#include <stdio.h>

#include "explain_found.h"

void explain_report(FILE *f, const struct explain_found *found);

/* What one policy did to each group, and why (explain_policy.c). */
void explain_policy(FILE *f, const struct explain_found *found, size_t i);

/* What the columns about the optimizer mean; once, after all policies. */
void explain_optimizer(FILE *f, const struct explain_found *found);

/* Why a group got its scale, in words without numbers: equal reasons are equal texts. */
const char *explain_reason(const struct explain_found *found, size_t policy, size_t group);

enum gtr_code explain_json(FILE *f, const struct explain_found *found, struct gtr_err *err);

/* Width of the column of group names. */
int explain_name_width(const struct explain_found *found);

#endif
