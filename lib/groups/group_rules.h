/* group_rules.h - a rule, got ready to name the groups of one trace's tensors; for groups.c. */
#ifndef GTR_GROUP_RULES_H
#define GTR_GROUP_RULES_H

#include <stdbool.h>

#include "err.h"
#include "trace.h"

struct gtr_naming;

/* Finds the rule, and reads what it needs: its file, or the layers of the model.  Free with
 * gtr_naming_free. */
enum gtr_code gtr_naming_new(const char *rule, const struct gtr_head *head,
                             struct gtr_naming **naming, struct gtr_err *err);
void gtr_naming_free(struct gtr_naming *naming);

/* The group of one tensor, never empty; the caller frees it with gtr_free. */
enum gtr_code gtr_naming_group(struct gtr_naming *naming, const struct gtr_tensor *tensor,
                               char **group, struct gtr_err *err);

/* After all tensors: did the rule have anything to do with them? */
enum gtr_code gtr_naming_finish(const struct gtr_naming *naming, struct gtr_err *err);

bool gtr_naming_is_known(const char *rule);

/* file:PATH, the only rule that looks outside the trace. */
bool gtr_naming_is_file(const char *rule);

#endif
