/* merge_names.c - tensors of several ranks matched by name.
 *
 * Names are sorted once, so that a model of 10,000 tensors on 1,000 ranks is no matter.
 */
#include "merge_private.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static const char *const wrappers[] = { "_fsdp_wrapped_module.", "_orig_mod.",
                                        "_checkpoint_wrapped_module." };

/* Wrappers stand before any part of a name, "module." only before all of it: modules are called so
 * as well. */
void gtr_bare_name(const char *name, char *bare)
{
    bool starts = true; /* a part of the name starts here */
    bool first = true;
    size_t i;

    while (*name != '\0') {
        const char *before = name;

        for (i = 0; starts && i < GTR_ARRAY_LEN(wrappers); i++)
            if (strncmp(name, wrappers[i], strlen(wrappers[i])) == 0)
                name += strlen(wrappers[i]);
        if (first && strncmp(name, "module.", 7) == 0)
            name += 7;
        if (name != before)
            continue;
        first = false;
        starts = *name == '.';
        *bare++ = *name++;
    }
    *bare = '\0';
}

struct entry {
    char *bare;
    size_t rank, tensor;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->bare, y->bare);

    if (order != 0)
        return order;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

static int compare_by_place(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;

    if ((*x)->rank != (*y)->rank)
        return (*x)->rank < (*y)->rank ? -1 : 1;
    return ((*x)->tensor > (*y)->tensor) - ((*x)->tensor < (*y)->tensor);
}

static enum gtr_code list_entries(struct gtr_trace *const *traces, size_t n_ranks,
                                  struct entry **entries, size_t *n, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t r, i, total = 0;

    for (r = 0; r < n_ranks; r++)
        total += gtr_trace_head(traces[r])->n_tensors;
    rc = gtr_alloc_for(entries, total, sizeof **entries, "tensors", err);
    for (r = 0; rc == GTR_OK && r < n_ranks; r++) {
        const struct gtr_head *head = gtr_trace_head(traces[r]);

        for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
            struct entry *entry = &(*entries)[(*n)++];

            *entry = (struct entry){ NULL, r, i };
            rc = gtr_alloc_for(&entry->bare, strlen(head->tensors[i].name) + 1, 1, "bytes", err);
            if (rc == GTR_OK)
                gtr_bare_name(head->tensors[i].name, entry->bare);
        }
    }
    if (rc == GTR_OK)
        qsort(*entries, *n, sizeof **entries, compare_entries);
    return rc;
}

static const struct gtr_tensor *tensor_of(struct gtr_trace *const *traces,
                                          const struct entry *entry)
{
    return &gtr_trace_head(traces[entry->rank])->tensors[entry->tensor];
}

/* "1024x64" as 1024 and "x64"; false if the shape is none with elements to share. */
static bool split_shape(const struct gtr_tensor *tensor, uint64_t *rows, const char **rest)
{
    uint64_t product;
    char *end;

    *rows = strtoull(tensor->shape, &end, 10);
    *rest = end;
    return tensor->shape[0] != '\0' && gtr_shape_numel(tensor->shape, &product) &&
           product == tensor->numel;
}

/* Shards of rows are put below each other; of anything else the shape is not known. */
static void join_shape(struct gtr_trace *const *traces, const struct entry *entries, size_t n,
                       uint64_t *numel, char *shape, size_t size)
{
    uint64_t rows = 0, one;
    const char *rest, *common = NULL;
    bool known = true;
    size_t i;

    *numel = 0;
    for (i = 0; i < n; i++) {
        const struct gtr_tensor *tensor = tensor_of(traces, &entries[i]);

        *numel += tensor->numel;
        known = known && split_shape(tensor, &one, &rest) &&
                (common == NULL || strcmp(common, rest) == 0);
        if (known) {
            rows += one;
            common = rest;
        }
    }
    shape[0] = '\0';
    if (known)
        snprintf(shape, size, "%llu%.60s", (unsigned long long)rows, common);
}

/* One tensor of all ranks that have it: entries[0 .. n - 1]. */
static enum gtr_code check_tensor(struct gtr_trace *const *traces, size_t n_ranks,
                                  const struct entry *entries, size_t n, enum gtr_join join,
                                  struct gtr_err *err)
{
    const struct gtr_tensor *first = tensor_of(traces, &entries[0]);
    size_t i, r = 0;

    for (i = 0; i < n; i++) {
        const struct gtr_tensor *other = tensor_of(traces, &entries[i]);

        if (i > 0 && entries[i].rank == entries[i - 1].rank)
            return gtr_fail(err, GTR_EFORMAT, "%s: tensor %.100s: there are two of this name",
                            gtr_trace_path(traces[entries[i].rank]), first->name);
        if (other->dtype != first->dtype || (join != GTR_JOIN_SUM && other->numel != first->numel))
            return gtr_fail(err, GTR_EFORMAT, "%s: tensor %.100s: is %.30s %s, and %.30s %s in %s",
                            gtr_trace_path(traces[entries[i].rank]), first->name, other->shape,
                            gtr_dtype_name(other->dtype), first->shape,
                            gtr_dtype_name(first->dtype), gtr_trace_path(traces[entries[0].rank]));
    }
    if (join == GTR_JOIN_SUM || n == n_ranks)
        return GTR_OK;
    while (r < n && entries[r].rank == r)
        r++;
    return gtr_fail(err, GTR_EFORMAT,
                    "%s: has no tensor %.100s, as %s has; ranks that hold different tensors are "
                    "joined by sum",
                    gtr_trace_path(traces[r]), first->name,
                    gtr_trace_path(traces[entries[0].rank]));
}

static enum gtr_code add_tensor(struct gtr_trace *const *traces, const struct entry *entries,
                                size_t n, enum gtr_join join, struct gtr_matched *matched,
                                struct gtr_err *err)
{
    const struct gtr_tensor *first = tensor_of(traces, &entries[0]);
    size_t n_all = matched->head.n_tensors, i;
    uint64_t numel = first->numel;
    char shape[100];
    enum gtr_code rc;

    snprintf(shape, sizeof shape, "%.99s", first->shape);
    if (join == GTR_JOIN_SUM && n > 1)
        join_shape(traces, entries, n, &numel, shape, sizeof shape);
    rc = gtr_head_add_tensor(&matched->head, first->name, shape, numel, first->dtype, err);
    if (rc == GTR_OK && first->param_group != NULL)
        rc = gtr_head_set_param_group(&matched->head, first->param_group, err);
    for (i = 0; rc == GTR_OK && i < n; i++)
        matched->of[n_all * matched->n_ranks + entries[i].rank] = entries[i].tensor;
    return rc;
}

/* Where each name starts, in the order in which the first rank that has it lists them. */
static enum gtr_code match_names(struct gtr_trace *const *traces, size_t n_ranks,
                                 struct entry *entries, size_t n, enum gtr_join join,
                                 struct gtr_matched *matched, struct gtr_err *err)
{
    struct entry **starts = NULL;
    size_t n_names = 0, i, k;
    enum gtr_code rc = gtr_alloc_for(&starts, n, sizeof *starts, "tensors", err);

    for (i = 0; rc == GTR_OK && i < n; i++)
        if (i == 0 || strcmp(entries[i].bare, entries[i - 1].bare) != 0)
            starts[n_names++] = &entries[i];
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&matched->of, n_names * n_ranks, sizeof *matched->of, "tensors", err);
    for (i = 0; rc == GTR_OK && i < n_names * n_ranks; i++)
        matched->of[i] = SIZE_MAX;
    if (rc == GTR_OK && n_names > 0)
        qsort(starts, n_names, sizeof *starts, compare_by_place);
    for (i = 0; rc == GTR_OK && i < n_names; i++) {
        size_t left = n - (size_t)(starts[i] - entries);

        for (k = 1; k < left && strcmp(starts[i][k].bare, starts[i]->bare) == 0;)
            k++;
        rc = check_tensor(traces, n_ranks, starts[i], k, join, err);
        if (rc == GTR_OK)
            rc = add_tensor(traces, starts[i], k, join, matched, err);
    }
    gtr_free(starts);
    return rc;
}

enum gtr_code gtr_match_tensors(struct gtr_trace *const *traces, size_t n_ranks, enum gtr_join join,
                                struct gtr_matched *matched, struct gtr_err *err)
{
    struct entry *entries = NULL;
    struct gtr_head all;
    size_t n = 0, i;
    enum gtr_code rc;

    *matched = (struct gtr_matched){ .n_ranks = n_ranks };
    all = *gtr_trace_head(traces[0]);
    all.n_tensors = 0;
    rc = gtr_head_copy(&all, &matched->head, err);
    if (rc == GTR_OK)
        rc = list_entries(traces, n_ranks, &entries, &n, err);
    if (rc == GTR_OK)
        rc = match_names(traces, n_ranks, entries, n, join, matched, err);
    if (rc == GTR_OK && (join == GTR_JOIN_SUM || join == GTR_JOIN_MEAN))
        rc = gtr_head_set(&matched->head.reduction, join == GTR_JOIN_SUM ? "sum" : "mean", err);
    for (i = 0; i < n; i++)
        gtr_free(entries[i].bare);
    gtr_free(entries);
    if (rc != GTR_OK)
        gtr_matched_free(matched);
    return rc;
}

void gtr_matched_free(struct gtr_matched *matched)
{
    gtr_head_free(&matched->head);
    gtr_free(matched->of);
    *matched = (struct gtr_matched){ 0 };
}
