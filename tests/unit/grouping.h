/* grouping.h - names of tensors, and the groups that they land in; for the tests of groups. */
#ifndef GROUPING_H
#define GROUPING_H

#include "check.h"

#include "gradtrace_lab.h"

/* A tensor, and its group by each of the rules that look at names.  NULL: not checked here. */
struct named {
    const char *tensor, *module, *aggc, *layer, *layer_module;
};

static inline void head_of(struct gtr_head *head, const struct named *names, size_t n)
{
    size_t i;

    CHECK(gtr_head_init(head, NULL) == GTR_OK);
    for (i = 0; i < n; i++)
        CHECK(gtr_head_add_tensor(head, names[i].tensor, "", 1, GTR_F32, NULL) == GTR_OK);
}

static inline const char *group_of(const struct gtr_groups *groups, size_t tensor)
{
    CHECK(groups->of_tensor[tensor] < groups->n_groups);
    return groups->names[groups->of_tensor[tensor]];
}

static inline struct gtr_groups *group(const char *rule, const struct gtr_head *head)
{
    struct gtr_groups *groups;
    struct gtr_err err = { 0 };

    gtr_groups_new(rule, head, &groups, &err);
    CHECK_TEXT(err.text, "");
    return groups;
}

#endif
