/* group_paths.c - sorting paths part by part.
 *
 * What shares the longest beginning, or ending, then stands next to each other, so that looking at
 * two neighbours is enough.
 */
#include "group_paths.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

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
    const struct gtr_path *x = a, *y = b;

    return compare_beginnings(x->text, y->text);
}

static int by_ending(const void *a, const void *b)
{
    const struct gtr_path *x = a, *y = b;

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

enum gtr_code gtr_paths_add(struct gtr_paths *paths, const struct gtr_dotted *name, size_t n_parts,
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
    paths->all[paths->n++] = (struct gtr_path){ .text = taken };
    return GTR_OK;
}

/* Sorts, and keeps one of those that are equal. */
static void sort_paths(struct gtr_paths *paths, int (*compare)(const void *, const void *))
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

void gtr_paths_free(struct gtr_paths *paths)
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

void gtr_paths_label_endings(struct gtr_paths *paths)
{
    struct gtr_path *p;
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

const char *gtr_paths_label(const struct gtr_paths *paths, const char *text)
{
    size_t low = 0, high = paths->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_endings(paths->all[middle].text, text);

        if (order == 0)
            return paths->all[middle].label;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return text; /* not one of them, so nothing shorter is known to be its own */
}

void gtr_paths_sort_beginnings(struct gtr_paths *paths)
{
    sort_paths(paths, by_beginning);
}

size_t gtr_paths_shared(const struct gtr_paths *paths, const char *text)
{
    size_t low = 0, high = paths->n, before = 0, after = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_beginnings(paths->all[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        before = shared_first(paths->all[low - 1].text, text);
    if (low < paths->n)
        after = shared_first(paths->all[low].text, text);
    return before > after ? before : after;
}
