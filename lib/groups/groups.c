/* groups.c - apply a rule to all tensors of a trace.
 *
 * Every tensor's group is written out as text first; then equal texts, brought together by
 * sorting, become one group.
 */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "group_rules.h"

struct place {
    const char *text;
    size_t tensor;
};

static int by_text(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

/* Numbers the groups by first appearance and takes each one's text out of `texts`. */
static void number_groups(struct gtr_groups *groups, struct place *places, char **texts)
{
    const size_t n = groups->n_tensors;
    size_t i, first = 0;

    for (i = 0; i < n; i++)
        places[i] = (struct place){ texts[i], i };
    qsort(places, n, sizeof *places, by_text);
    for (i = 0; i < n; i++) { /* of_tensor: first the first tensor of the same group */
        if (strcmp(places[i].text, places[first].text) != 0)
            first = i;
        groups->of_tensor[places[i].tensor] = places[first].tensor;
    }
    for (i = 0; i < n; i++) {
        if (groups->of_tensor[i] < i) {
            groups->of_tensor[i] = groups->of_tensor[groups->of_tensor[i]];
        } else {
            groups->names[groups->n_groups] = texts[i];
            texts[i] = NULL;
            groups->of_tensor[i] = groups->n_groups++;
        }
    }
    groups->left_out = groups->n_groups;
    for (i = 0; i < groups->n_groups; i++)
        if (strcmp(groups->names[i], "-") == 0)
            groups->left_out = i;
}

static enum gtr_code apply_rule(struct gtr_groups *groups, const struct gtr_head *head,
                                struct gtr_err *err)
{
    const size_t n = head->n_tensors;
    struct gtr_naming *naming = NULL;
    struct place *places = NULL;
    char **texts = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_naming_new(groups->rule, head, &naming, err);
    if (rc != GTR_OK)
        goto out;
    rc = gtr_alloc_for(&texts, n, sizeof *texts, "tensors", err);
    if (rc != GTR_OK)
        goto out;
    rc = gtr_alloc_for(&places, n, sizeof *places, "tensors", err);
    for (i = 0; rc == GTR_OK && i < n; i++)
        rc = gtr_naming_group(naming, &head->tensors[i], &texts[i], err);
    if (rc == GTR_OK && n > 0)
        rc = gtr_naming_finish(naming, err);
    if (rc == GTR_OK)
        number_groups(groups, places, texts);
out:
    for (i = 0; texts != NULL && i < n; i++)
        gtr_free(texts[i]);
    gtr_free(texts);
    gtr_free(places);
    gtr_naming_free(naming);
    return rc;
}

/* The rule to apply: the caller's, the trace's, or the default. */
static enum gtr_code choose_rule(const char *asked, const struct gtr_head *head, const char **rule,
                                 struct gtr_err *err)
{
    *rule = asked;
    if (asked != NULL && *asked != '\0')
        return GTR_OK;
    *rule = head->group_by;
    if (head->group_by == NULL || *head->group_by == '\0')
        *rule = "module";
    if (gtr_naming_is_file(*rule))
        return gtr_fail(err, GTR_EFORMAT,
                        "this trace asks for the groups of %.150s, which is outside it; name a "
                        "rule with --group-by",
                        *rule);
    if (!gtr_naming_is_known(*rule))
        return gtr_fail(err, GTR_EFORMAT,
                        "this trace asks for the groups of %.150s, which is no rule; name one with "
                        "--group-by",
                        *rule);
    return GTR_OK;
}

enum gtr_code gtr_groups_new(const char *asked, const struct gtr_head *head,
                             struct gtr_groups **out, struct gtr_err *err)
{
    struct gtr_groups *groups = NULL;
    const char *rule;
    enum gtr_code rc;

    *out = NULL;
    rc = choose_rule(asked, head, &rule, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_alloc_for(&groups, 1, sizeof *groups, "groups", err);
    if (rc != GTR_OK)
        return rc;
    groups->n_tensors = head->n_tensors;
    groups->rule = gtr_strdup(rule);
    groups->names = gtr_alloc(head->n_tensors, sizeof *groups->names);
    groups->of_tensor = gtr_alloc(head->n_tensors, sizeof *groups->of_tensor);
    if (groups->rule == NULL || groups->names == NULL || groups->of_tensor == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for %zu groups", head->n_tensors);
    if (rc == GTR_OK)
        rc = apply_rule(groups, head, err);
    if (rc != GTR_OK) {
        gtr_groups_free(groups);
        return rc;
    }
    *out = groups;
    return GTR_OK;
}

void gtr_groups_free(struct gtr_groups *groups)
{
    size_t i;

    if (groups == NULL)
        return;
    for (i = 0; i < groups->n_groups; i++)
        gtr_free(groups->names[i]);
    gtr_free(groups->names);
    gtr_free(groups->of_tensor);
    gtr_free(groups->rule);
    gtr_free(groups);
}
