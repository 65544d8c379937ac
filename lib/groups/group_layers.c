/* group_layers.c - find the blocks, and give them short names.
 *
 * The parts of a name before its first number are the container of a block: "model.layers" of
 * model.layers.3.mlp.up_proj.weight.  A tensor in no block belongs to the part that follows what
 * its name shares with a container: model.embed_tokens.weight to "model.embed_tokens".  Those
 * paths are the units of the model.  Each is labelled by its last part, or by as many parts as no
 * other unit ends in.
 *
 * What shares the longest beginning, or ending, stands next to each other once paths are sorted
 * part by part, so that looking at two neighbours is enough.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "group_parts.h"

/* --- lists of paths --------------------------------------------------------------------------- */

struct path {
    char *text;
    const char *label; /* an ending of text, or NULL if none was asked for */
};

/* Start with { 0 }. */
struct paths {
    struct path *all;
    size_t n, capacity;
};

/* A dot sorts before all other characters, so that whole parts are compared. */
static int rank(char c)
{
    return c == '.' ? 0 : (unsigned char)c;
}

static int compare_beginnings(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++)
        if (*a != *b)
            return rank(*a) - rank(*b);
    return (*a != '\0') - (*b != '\0');
}

static int compare_endings(const char *a, const char *b)
{
    size_t i = strlen(a), j = strlen(b);

    for (; i > 0 && j > 0; i--, j--)
        if (a[i - 1] != b[j - 1])
            return rank(a[i - 1]) - rank(b[j - 1]);
    return (i > 0) - (j > 0);
}

static int by_beginning(const void *a, const void *b)
{
    const struct path *x = a, *y = b;

    return compare_beginnings(x->text, y->text);
}

static int by_ending(const void *a, const void *b)
{
    const struct path *x = a, *y = b;

    return compare_endings(x->text, y->text);
}

/* How many whole parts two paths have in common at their beginning. */
static size_t shared_first(const char *a, const char *b)
{
    size_t n = 0;

    for (; *a != '\0' && *a == *b; a++, b++)
        n += *a == '.' ? 1 : 0;
    return n + ((*a == '\0' || *a == '.') && (*b == '\0' || *b == '.') ? 1 : 0);
}

/* The same at their end. */
static size_t shared_last(const char *a, const char *b)
{
    size_t i = strlen(a), j = strlen(b), n = 0;

    for (; i > 0 && j > 0 && a[i - 1] == b[j - 1]; i--, j--)
        n += a[i - 1] == '.' ? 1 : 0;
    return n + ((i == 0 || a[i - 1] == '.') && (j == 0 || b[j - 1] == '.') ? 1 : 0);
}

/* Adds the first n parts of a name. */
static enum gtr_code paths_add(struct paths *paths, const struct gtr_dotted *name, size_t n_parts,
                               struct gtr_err *err)
{
    struct gtr_builder text = { 0 };
    enum gtr_code rc;
    char *taken;

    rc = gtr_grow(&paths->all, &paths->capacity, paths->n + 1, sizeof *paths->all, err);
    if (rc != GTR_OK)
        return rc;
    gtr_dotted_join(name, n_parts, &text);
    taken = gtr_builder_take(&text);
    if (taken == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for the names of layers");
    paths->all[paths->n++] = (struct path){ .text = taken };
    return GTR_OK;
}

/* Sorts, and keeps one of those that are equal. */
static void sort_paths(struct paths *paths, int (*compare)(const void *, const void *))
{
    size_t n = 0, i;

    if (paths->n == 0)
        return;
    qsort(paths->all, paths->n, sizeof *paths->all, compare);
    for (i = 0; i < paths->n; i++) {
        if (n > 0 && strcmp(paths->all[n - 1].text, paths->all[i].text) == 0)
            gtr_free(paths->all[i].text);
        else
            paths->all[n++] = paths->all[i];
    }
    paths->n = n;
}

static void paths_free(struct paths *paths)
{
    size_t i;

    for (i = 0; i < paths->n; i++)
        gtr_free(paths->all[i].text);
    gtr_free(paths->all);
}

/* The last n parts of a path, or all of it. */
static const char *ending(const char *path, size_t n)
{
    const char *p = path + strlen(path);

    while (p > path) {
        if (p[-1] == '.' && --n == 0)
            break;
        p--;
    }
    return p;
}

/* Once all are there: labels each by its last part, or as many as no other ends in. */
static void paths_label_endings(struct paths *paths)
{
    struct path *p;
    size_t i;

    sort_paths(paths, by_ending);
    p = paths->all;
    for (i = 0; i < paths->n; i++) {
        size_t before = i > 0 ? shared_last(p[i].text, p[i - 1].text) : 0;
        size_t after = i + 1 < paths->n ? shared_last(p[i].text, p[i + 1].text) : 0;

        /* A name of nothing but dots is one part, whatever it looks like. */
        if (p[i].text[strspn(p[i].text, ".")] == '\0')
            p[i].label = p[i].text;
        else
            p[i].label = ending(p[i].text, (before > after ? before : after) + 1);
    }
}

/* The first path that does not sort before `text`. */
static size_t place_of(const struct paths *paths, const char *text,
                       int (*compare)(const char *, const char *))
{
    size_t low = 0, high = paths->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(paths->all[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The label of one of the paths; of anything else, itself. */
static const char *paths_label(const struct paths *paths, const char *text)
{
    size_t at = place_of(paths, text, compare_endings);

    if (at < paths->n && compare_endings(paths->all[at].text, text) == 0)
        return paths->all[at].label;
    return text; /* not one of them, so nothing shorter is known to be its own */
}

/* How many parts `text` shares, from its first on, with the path that it shares most with, once
 * they are sorted by beginning. */
static size_t paths_shared(const struct paths *paths, const char *text)
{
    size_t at = place_of(paths, text, compare_beginnings), before = 0, after = 0;

    if (at > 0)
        before = shared_first(paths->all[at - 1].text, text);
    if (at < paths->n)
        after = shared_first(paths->all[at].text, text);
    return before > after ? before : after;
}

/* --- one name --------------------------------------------------------------------------------- */

struct gtr_layers {
    struct paths containers;
    struct paths units;
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
    n = paths_shared(&layers->containers, layers->scratch.text) + 1;
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
        rc = paths_add(&layers->containers, &root, root.n_parts, err);
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
            rc = paths_add(&layers->containers, name, block_number(name), err);
    }
    if (rc == GTR_OK && layers->containers.n == 0)
        rc = find_prefix(layers, head, name, err);
    sort_paths(&layers->containers, by_beginning);
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
            rc = paths_add(&layers->units, name, unit_parts(layers, name), err);
    }
    if (layers->scratch.failed)
        rc = gtr_fail(err, GTR_ENOMEM, "no memory for the names of layers");
    paths_label_endings(&layers->units);
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
    paths_free(&layers->containers);
    paths_free(&layers->units);
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
    label = paths_label(&layers->units, layers->scratch.text);
    gtr_builder_add(out, label);
    if (number == name->n_parts)
        return;
    if (*label != '\0')
        gtr_builder_char(out, '.');
    gtr_builder_add(out, name->parts[number]);
}
