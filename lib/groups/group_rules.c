/* group_rules.c - the table of rules: what each is called, and how it names a group. */
#include "group_rules.h"

#include <string.h>

#include "alloc.h"
#include "builder.h"
#include "group_file.h"
#include "group_layers.h"
#include "group_names.h"
#include "groups.h"
#include "text.h"

struct gtr_naming {
    const char *rule;
    void (*name)(struct gtr_naming *);
    const struct gtr_tensor *tensor; /* at hand */
    struct gtr_dotted parts;         /* of its name */
    struct gtr_builder group;        /* the answer */
    struct gtr_layers *layers;       /* for the rules that ask for layers */
    struct gtr_group_file *file;     /* for file:PATH */
    size_t n_named; /* tensors that the rule itself had a name for: a line, an optimizer */
};

static void name_module(struct gtr_naming *n)
{
    gtr_builder_add(&n->group, gtr_dotted_module(&n->parts));
}

static void name_layer(struct gtr_naming *n)
{
    const char *top;

    gtr_layers_name(n->layers, &n->parts, &n->group, &top);
}

static void name_layer_module(struct gtr_naming *n)
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

static void name_tensor(struct gtr_naming *n)
{
    gtr_builder_add(&n->group, n->tensor->name);
}

static void name_all(struct gtr_naming *n)
{
    gtr_builder_add(&n->group, "all");
}

static void name_lora_ab(struct gtr_naming *n)
{
    const char *letter;
    size_t at = gtr_dotted_lora(&n->parts, &letter);

    name_module(n);
    if (at > 0 && letter != NULL) {
        gtr_builder_char(&n->group, '.');
        gtr_builder_add(&n->group, letter);
    }
}

static void name_aggc(struct gtr_naming *n)
{
    gtr_builder_add(&n->group, gtr_dotted_aggc(&n->parts));
}

static void name_file(struct gtr_naming *n)
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
static void name_param_group(struct gtr_naming *n)
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
static void (*const namers[])(struct gtr_naming *) = {
    name_module,  name_layer, name_layer_module, name_tensor,      name_all,
    name_lora_ab, name_aggc,  name_file,         name_param_group,
};
_Static_assert(GTR_ARRAY_LEN(rules) == GTR_ARRAY_LEN(namers), "each rule is in both columns");

const struct gtr_group_rule *gtr_group_rules(size_t *n_rules)
{
    *n_rules = GTR_ARRAY_LEN(rules);
    return rules;
}

bool gtr_naming_is_file(const char *rule)
{
    return strncmp(rule, "file:", 5) == 0;
}

/* Its row; the number of rows if it has none. */
static size_t row_of(const char *rule)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(rules); i++)
        if (namers[i] == name_file ? gtr_naming_is_file(rule) : strcmp(rules[i].name, rule) == 0)
            break;
    return i;
}

bool gtr_naming_is_known(const char *rule)
{
    return row_of(rule) < GTR_ARRAY_LEN(rules);
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

static enum gtr_code find_rule(struct gtr_naming *n, struct gtr_err *err)
{
    size_t row = row_of(n->rule);

    if (row == GTR_ARRAY_LEN(rules))
        return unknown_rule(n->rule, err);
    n->name = namers[row];
    return GTR_OK;
}

enum gtr_code gtr_naming_new(const char *rule, const struct gtr_head *head, struct gtr_naming **out,
                             struct gtr_err *err)
{
    struct gtr_naming *n = NULL;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&n, 1, sizeof *n, "rule for groups", err);
    if (rc != GTR_OK)
        return rc;
    n->rule = rule;
    rc = find_rule(n, err);
    if (rc == GTR_OK && n->name == name_file)
        rc = gtr_group_file_read(rule + strlen("file:"), &n->file, err);
    if (rc == GTR_OK && (n->name == name_layer || n->name == name_layer_module))
        rc = gtr_layers_new(head, &n->layers, err);
    if (rc != GTR_OK) {
        gtr_naming_free(n);
        return rc;
    }
    *out = n;
    return GTR_OK;
}

void gtr_naming_free(struct gtr_naming *n)
{
    if (n == NULL)
        return;
    gtr_dotted_free(&n->parts);
    gtr_builder_free(&n->group);
    gtr_layers_free(n->layers);
    gtr_group_file_free(n->file);
    gtr_free(n);
}

enum gtr_code gtr_naming_group(struct gtr_naming *n, const struct gtr_tensor *tensor, char **group,
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

enum gtr_code gtr_naming_finish(const struct gtr_naming *n, struct gtr_err *err)
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
