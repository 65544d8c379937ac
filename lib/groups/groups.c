/* groups.c - the table of rules, and one of them applied to all tensors of a trace.
 *
 * Every tensor's group is written out as text first; then equal texts, brought together by
 * sorting, become one group.
 */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "group_parts.h"
#include "text.h"

/* --- rules ------------------------------------------------------------------------------------ */

/* A rule, got ready to name the groups of one trace's tensors. */
struct naming {
    const char *rule;
    void (*name)(struct naming *);
    const struct gtr_tensor *tensor; /* at hand */
    struct gtr_dotted parts;         /* of its name */
    struct gtr_builder group;        /* the answer */
    struct gtr_layers *layers;       /* for the rules that ask for layers */
    struct gtr_group_file *file;     /* for file:PATH */
    size_t n_named; /* tensors that the rule itself had a name for: a line, an optimizer */
};

static void name_module(struct naming *n)
{
    gtr_builder_add(&n->group, gtr_dotted_module(&n->parts));
}

static void name_layer(struct naming *n)
{
    const char *top;

    gtr_layers_name(n->layers, &n->parts, &n->group, &top);
}

static void name_layer_module(struct naming *n)
{
    const char *module = gtr_dotted_module(&n->parts), *top;

    gtr_layers_name(n->layers, &n->parts, &n->group, &top);
    if (top != NULL) {
        /* "embed_tokens" twice would say nothing more, nor would "ln_f.norm". */
        const char *function = gtr_part_function(top, NULL);

        if (strcmp(top, module) == 0 || (function != NULL && strcmp(function, module) == 0))
            return;
    }
    gtr_builder_char(&n->group, '.');
    gtr_builder_add(&n->group, module);
}

static void name_tensor(struct naming *n)
{
    gtr_builder_add(&n->group, n->tensor->name);
}

static void name_all(struct naming *n)
{
    gtr_builder_add(&n->group, "all");
}

static void name_lora_ab(struct naming *n)
{
    const char *letter;
    size_t at = gtr_dotted_lora(&n->parts, &letter);

    name_module(n);
    if (at > 0 && letter != NULL) {
        gtr_builder_char(&n->group, '.');
        gtr_builder_add(&n->group, letter);
    }
}

static void name_aggc(struct naming *n)
{
    gtr_builder_add(&n->group, gtr_dotted_aggc(&n->parts));
}

static void name_file(struct naming *n)
{
    const char *group = gtr_group_file_find(n->file, n->tensor->name);

    if (group == NULL) {
        name_module(n);
        return;
    }
    n->n_named++;
    gtr_builder_add(&n->group, group);
}

/* An optimizer need not have all tensors; what it has not is one group. */
static void name_param_group(struct naming *n)
{
    const char *group = n->tensor->param_group;

    gtr_builder_add(&n->group, group != NULL ? group : "no-optimizer");
    n->n_named += group != NULL;
}

/* Two columns of one table; the first is public. */
static const struct gtr_group_rule rules[] = {
    { "module", "functional name, pooled over layers: q_proj, down_proj, norm (the default)" },
    { "layer", "transformer block: layers.3; what is in no block by its top-level name" },
    { "layer.module", "both: layers.3.q_proj" },
    { "tensor", "each tensor by itself" },
    { "all", "one group of everything" },
    { "lora-ab", "as module, with LoRA factors apart: q_proj.A, q_proj.B" },
    { "aggc", "as the reference implementation of AGGC groups, to reproduce its logs" },
    { "file:PATH", "lines GLOB<tab>GROUP, the first match wins; the rest as module" },
    { "param-group", "the optimizer's parameter groups, if the trace holds them" },
};
static void (*const namers[])(struct naming *) = {
    name_module,  name_layer, name_layer_module, name_tensor,      name_all,
    name_lora_ab, name_aggc,  name_file,         name_param_group,
};
_Static_assert(GTR_ARRAY_LEN(rules) == GTR_ARRAY_LEN(namers), "each rule is in both columns");

const struct gtr_group_rule *gtr_group_rules(size_t *n_rules)
{
    *n_rules = GTR_ARRAY_LEN(rules);
    return rules;
}

/* file:PATH, the only rule that looks outside the trace. */
static bool is_file(const char *rule)
{
    return strncmp(rule, "file:", 5) == 0;
}

/* Its row; the number of rows if it has none. */
static size_t row_of(const char *rule)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(rules); i++)
        if (namers[i] == name_file ? is_file(rule) : strcmp(rules[i].name, rule) == 0)
            break;
    return i;
}

static enum gtr_code unknown_rule(const char *rule, struct gtr_err *err)
{
    const char *names[GTR_ARRAY_LEN(rules)], *nearest;
    char list[200] = "";
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(rules); i++) {
        names[i] = rules[i].name;
        strcat(list, i > 0 ? ", " : "");
        strcat(list, names[i]);
    }
    nearest = gtr_text_nearest(rule, names, GTR_ARRAY_LEN(rules));
    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.80s: no such rule for groups; did you mean %s? (there are %s)", rule,
                        nearest, list);
    return gtr_fail(err, GTR_EUSAGE, "%.80s: no such rule for groups; there are %s", rule, list);
}

/* Finds the rule, and reads what it needs: its file, or the layers of the model.  Free with
 * naming_free, also after a failure. */
static enum gtr_code naming_init(struct naming *n, const char *rule, const struct gtr_head *head,
                                 struct gtr_err *err)
{
    size_t row = row_of(rule);

    *n = (struct naming){ .rule = rule };
    if (row == GTR_ARRAY_LEN(rules))
        return unknown_rule(rule, err);
    n->name = namers[row];
    if (n->name == name_file)
        return gtr_group_file_read(rule + strlen("file:"), &n->file, err);
    if (n->name == name_layer || n->name == name_layer_module)
        return gtr_layers_new(head, &n->layers, err);
    return GTR_OK;
}

static void naming_free(struct naming *n)
{
    gtr_dotted_free(&n->parts);
    gtr_builder_free(&n->group);
    gtr_layers_free(n->layers);
    gtr_group_file_free(n->file);
}

/* The group of one tensor, never empty; the caller frees it with gtr_free. */
static enum gtr_code name_group(struct naming *n, const struct gtr_tensor *tensor, char **group,
                                struct gtr_err *err)
{
    enum gtr_code rc;

    *group = NULL;
    n->tensor = tensor;
    rc = gtr_dotted_split(&n->parts, tensor->name, err);
    if (rc != GTR_OK)
        return rc;
    n->name(n);
    if (n->group.length == 0)
        gtr_builder_add(&n->group, "unnamed");
    *group = gtr_builder_take(&n->group);
    if (*group == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for the names of groups");
    return GTR_OK;
}

/* After all tensors: did the rule have anything to do with them? */
static enum gtr_code check_named(const struct naming *n, struct gtr_err *err)
{
    if (n->n_named > 0)
        return GTR_OK;
    if (n->name == name_file)
        return gtr_fail(err, GTR_EFORMAT,
                        "%.150s: none of its globs matches a tensor of this trace",
                        n->rule + strlen("file:"));
    if (n->name == name_param_group)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: this trace does not hold the optimizer's parameter groups; name "
                        "another rule",
                        n->rule);
    return GTR_OK;
}

/* --- all tensors ------------------------------------------------------------------------------ */

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
    struct naming naming;
    struct place *places = NULL;
    char **texts = NULL;
    enum gtr_code rc;
    size_t i;

    rc = naming_init(&naming, groups->rule, head, err);
    if (rc != GTR_OK)
        goto out;
    rc = gtr_alloc_for(&texts, n, sizeof *texts, "tensors", err);
    if (rc != GTR_OK)
        goto out;
    rc = gtr_alloc_for(&places, n, sizeof *places, "tensors", err);
    for (i = 0; rc == GTR_OK && i < n; i++)
        rc = name_group(&naming, &head->tensors[i], &texts[i], err);
    if (rc == GTR_OK && n > 0)
        rc = check_named(&naming, err);
    if (rc == GTR_OK)
        number_groups(groups, places, texts);
out:
    for (i = 0; texts != NULL && i < n; i++)
        gtr_free(texts[i]);
    gtr_free(texts);
    gtr_free(places);
    naming_free(&naming);
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
    if (is_file(*rule))
        return gtr_fail(err, GTR_EFORMAT,
                        "this trace asks for the groups of %.150s, which is outside it; name a "
                        "rule with --group-by",
                        *rule);
    if (row_of(*rule) == GTR_ARRAY_LEN(rules))
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
