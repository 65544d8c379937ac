/* group_layers.c - find the blocks, and give them short names.
 *
 * The parts of a name before its first number are the container of a block: "model.layers" of
 * model.layers.3.mlp.up_proj.weight.  A tensor in no block belongs to the part that follows what
 * its name shares with a container: model.embed_tokens.weight to "model.embed_tokens".  Those
 * paths are the units of the model.  Each is labelled by its last part, or by as many parts as no
 * other unit ends in.
 */
#include "group_layers.h"

#include <string.h>

#include "alloc.h"
#include "group_paths.h"

struct gtr_layers {
    struct gtr_paths containers;
    struct gtr_paths units;
    struct gtr_builder scratch; /* a path to look up */
};

/* Which part is the first number, before any LoRA factor (whose adapters may be numbered);
 * n_parts if none is. */
static size_t block_number(const struct gtr_dotted *name)
{
    const char *letter;
    size_t end = gtr_dotted_lora(name, &letter), i;

    /* A name that is nothing but a number is a name. */
    for (i = 0; name->n_parts > 1 && i < end; i++)
        if (gtr_part_is_number(name->parts[i]))
            return i;
    return name->n_parts;
}

/* How many parts of a name are the path of its unit; none if there is no memory to find out. */
static size_t unit_parts(struct gtr_layers *layers, const struct gtr_dotted *name)
{
    size_t number = block_number(name), n;

    if (number < name->n_parts)
        return number;
    if (name->n_parts == 1)
        return 1;
    gtr_builder_clear(&layers->scratch);
    gtr_dotted_join(name, name->n_parts - 1, &layers->scratch);
    if (layers->scratch.failed)
        return 0;
    n = gtr_paths_shared(&layers->containers, layers->scratch.text) + 1;
    return n < name->n_parts ? n : name->n_parts;
}

/* --- the model ------------------------------------------------------------------------------- */

/* Shortens `root` to what it has in common with the first n parts of name. */
static void meet(struct gtr_dotted *root, const struct gtr_dotted *name, size_t n)
{
    size_t i = 0;

    while (i < root->n_parts && i < n && strcmp(root->parts[i], name->parts[i]) == 0)
        i++;
    root->n_parts = i;
}

/* Where there are no blocks: what all names begin with, their last two parts ("fc1.weight") apart,
 * is a wrapper's prefix, and stands in for a container. */
static enum gtr_code find_prefix(struct gtr_layers *layers, const struct gtr_head *head,
                                 struct gtr_dotted *name, struct gtr_err *err)
{
    struct gtr_dotted root = { 0 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        rc = gtr_dotted_split(i == 0 ? &root : name, head->tensors[i].name, err);
        if (rc == GTR_OK && i == 0)
            rc = gtr_dotted_split(name, head->tensors[i].name, err);
        if (rc == GTR_OK)
            meet(&root, name, name->n_parts > 2 ? name->n_parts - 2 : 0);
    }
    if (rc == GTR_OK && root.n_parts > 0)
        rc = gtr_paths_add(&layers->containers, &root, root.n_parts, err);
    gtr_dotted_free(&root);
    return rc;
}

static enum gtr_code find_containers(struct gtr_layers *layers, const struct gtr_head *head,
                                     struct gtr_dotted *name, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        rc = gtr_dotted_split(name, head->tensors[i].name, err);
        if (rc == GTR_OK && block_number(name) < name->n_parts)
            rc = gtr_paths_add(&layers->containers, name, block_number(name), err);
    }
    if (rc == GTR_OK && layers->containers.n == 0)
        rc = find_prefix(layers, head, name, err);
    gtr_paths_sort_beginnings(&layers->containers);
    return rc;
}

static enum gtr_code find_units(struct gtr_layers *layers, const struct gtr_head *head,
                                struct gtr_dotted *name, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        rc = gtr_dotted_split(name, head->tensors[i].name, err);
        if (rc == GTR_OK)
            rc = gtr_paths_add(&layers->units, name, unit_parts(layers, name), err);
    }
    if (layers->scratch.failed)
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for the names of layers");
    gtr_paths_label_endings(&layers->units);
    return rc;
}

enum gtr_code gtr_layers_new(const struct gtr_head *head, struct gtr_layers **out,
                             struct gtr_err *err)
{
    struct gtr_layers *layers = NULL;
    struct gtr_dotted name = { 0 };
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&layers, 1, sizeof *layers, "list of layers", err);
    if (rc != GTR_OK)
        return rc;
    rc = find_containers(layers, head, &name, err);
    if (rc == GTR_OK)
        rc = find_units(layers, head, &name, err);
    gtr_dotted_free(&name);
    if (rc != GTR_OK) {
        gtr_layers_free(layers);
        return rc;
    }
    *out = layers;
    return GTR_OK;
}

void gtr_layers_free(struct gtr_layers *layers)
{
    if (layers == NULL)
        return;
    gtr_paths_free(&layers->containers);
    gtr_paths_free(&layers->units);
    gtr_builder_free(&layers->scratch);
    gtr_free(layers);
}

void gtr_layers_name(struct gtr_layers *layers, const struct gtr_dotted *name,
                     struct gtr_builder *out, const char **top)
{
    size_t number = block_number(name), n = unit_parts(layers, name);
    const char *label;

    *top = number == name->n_parts && n > 0 ? name->parts[n - 1] : NULL;
    gtr_builder_clear(&layers->scratch);
    gtr_builder_add(&layers->scratch, "");
    gtr_dotted_join(name, n, &layers->scratch);
    if (layers->scratch.failed) {
        out->failed = true;
        return;
    }
    label = gtr_paths_label(&layers->units, layers->scratch.text);
    gtr_builder_add(out, label);
    if (number == name->n_parts)
        return;
    if (*label != '\0')
        gtr_builder_char(out, '.');
    gtr_builder_add(out, name->parts[number]);
}
