/* groups.h - which tensors are clipped together.
 *
 * A rule puts every tensor in exactly one group; traces/FORMAT.md and README.md list the rules.
 * Groups are numbered in the order in which their first tensor appears.
 */
#ifndef GTR_GROUPS_H
#define GTR_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "trace.h"

struct gtr_groups {
    char *rule;         /* as asked for */
    char **names;       /* n_groups */
    size_t n_groups;
    size_t n_tensors;
    size_t *of_tensor;  /* group of each tensor */
    size_t left_out;    /* the group "-", which no group-wise policy touches; n_groups if none */
};

/* `rule` NULL or "": the trace's own (head->group_by), else "module".  Free with
 * gtr_groups_free. */
enum gtr_code gtr_groups_new(const char *rule, const struct gtr_head *head,
                             struct gtr_groups **groups, struct gtr_err *err);
void gtr_groups_free(struct gtr_groups *groups);

/* The rules with one line about each, for help texts. */
struct gtr_group_rule {
    const char *name;
    const char *help;
};
const struct gtr_group_rule *gtr_group_rules(size_t *n_rules);

#endif
