/* info.h - the views of `gradtrace info`. */
#ifndef INFO_H
#define INFO_H

#include <stdio.h>

#include "gradtrace.h"
#include "study.h"

/* What there is without a trace: policies, presets and their parameters; rules for groups. */
void info_policies(FILE *f);
void info_group_rules(FILE *f);

/* What a trace says about itself and its run, for people. */
enum gtr_code info_overview(FILE *f, const struct study *study, struct gtr_err *err);

/* One row per group: its tensors and its norms, for people. */
enum gtr_code info_groups(FILE *f, const struct study *study, struct gtr_err *err);

/* One row per step as tab-separated text: step loss lr time norm applied_scale skipped nonfinite.
 * Numbers read back exactly; nan is "not known". */
void info_steps(FILE *f, const struct study *study);

/* The trace's JSON object, indented. */
enum gtr_code info_meta(FILE *f, const struct study *study, struct gtr_err *err);

/* Text from a trace: what would move a terminal's cursor is printed as "?". */
void info_put_text(FILE *f, const char *text);

#endif
