/* trace.c - what readers and writers share: dtypes and the head of a trace. */
#include "trace_private.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[GTR_DTYPE_COUNT] = {
    [GTR_F32] = { "f32", 4 },
    [GTR_F16] = { "f16", 2 },
    [GTR_BF16] = { "bf16", 2 },
    [GTR_F64] = { "f64", 8 },
};

const char *gtr_dtype_name(enum gtr_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t gtr_dtype_size(enum gtr_dtype dtype)
{
    return dtypes[dtype].size;
}

bool gtr_dtype_find(const char *name, enum gtr_dtype *dtype)
{
    int i;

    for (i = 0; i < GTR_DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            *dtype = (enum gtr_dtype)i;
            return true;
        }
    }
    return false;
}

bool gtr_shape_numel(const char *shape, uint64_t *numel)
{
    const char *p = shape;

    *numel = 1;
    while (*p != '\0') {
        uint64_t extent = 0;

        if (*p < '0' || *p > '9')
            return false;
        for (; *p >= '0' && *p <= '9'; p++)
            if (__builtin_mul_overflow(extent, UINT64_C(10), &extent) ||
                __builtin_add_overflow(extent, (uint64_t)(*p - '0'), &extent))
                return false;
        if (__builtin_mul_overflow(*numel, extent, numel))
            return false;
        if (*p == 'x' && p[1] != '\0')
            p++;
        else if (*p != '\0')
            return false;
    }
    return true;
}

/* --- heads ------------------------------------------------------------------------------------ */

const char *const gtr_head_text_names[GTR_HEAD_TEXTS] = {
    "producer", "created", "reduction",        "grad_state",      "meta",
    "group_by", "stopped", "total_steps_from", "elements_stopped"
};

/* The text may be changed where the head may. */
char **gtr_head_text(const struct gtr_head *head, size_t i)
{
    const size_t at[GTR_HEAD_TEXTS] = { offsetof(struct gtr_head, producer),
                                        offsetof(struct gtr_head, created),
                                        offsetof(struct gtr_head, reduction),
                                        offsetof(struct gtr_head, grad_state),
                                        offsetof(struct gtr_head, meta),
                                        offsetof(struct gtr_head, group_by),
                                        offsetof(struct gtr_head, stopped),
                                        offsetof(struct gtr_head, total_steps_from),
                                        offsetof(struct gtr_head, elements_stopped) };

    return (char **)((char *)head + at[i]);
}

enum gtr_code gtr_head_set(char **field, const char *text, struct gtr_err *err)
{
    char *copy = NULL;

    if (text != NULL && (copy = gtr_strdup(text)) == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for a text of %zu bytes", strlen(text));
    gtr_free(*field);
    *field = copy;
    return GTR_OK;
}

enum gtr_code gtr_head_init(struct gtr_head *head, struct gtr_err *err)
{
    enum gtr_code rc;

    memset(head, 0, sizeof *head);
    head->world_size = 1;
    rc = gtr_head_set(&head->producer, "gradtrace " GTR_VERSION, err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->reduction, "none", err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->grad_state, "unknown", err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->meta, "{}", err);
    if (rc != GTR_OK)
        gtr_head_free(head);
    return rc;
}

void gtr_head_free(struct gtr_head *head)
{
    size_t i;

    for (i = 0; i < head->n_tensors; i++) {
        gtr_free(head->tensors[i].name);
        gtr_free(head->tensors[i].shape);
        gtr_free(head->tensors[i].param_group);
    }
    gtr_free(head->tensors);
    for (i = 0; i < GTR_HEAD_TEXTS; i++)
        gtr_free(*gtr_head_text(head, i));
    memset(head, 0, sizeof *head);
}

enum gtr_code gtr_head_add_tensor(struct gtr_head *head, const char *name, const char *shape,
                                  uint64_t numel, enum gtr_dtype dtype, struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_tensor tensor = { .numel = numel, .dtype = dtype };

    rc = gtr_grow(&head->tensors, &head->capacity, head->n_tensors + 1, sizeof tensor, err);
    if (rc != GTR_OK)
        return rc;
    tensor.name = gtr_strdup(name);
    tensor.shape = gtr_strdup(shape);
    if (tensor.name == NULL || tensor.shape == NULL) {
        gtr_free(tensor.name);
        gtr_free(tensor.shape);
        return gtr_fail(err, GTR_ENOMEM, "%s: no memory", name);
    }
    head->tensors[head->n_tensors++] = tensor;
    return GTR_OK;
}

enum gtr_code gtr_head_set_param_group(struct gtr_head *head, const char *name, struct gtr_err *err)
{
    if (head->n_tensors == 0)
        return gtr_fail(err, GTR_EUSAGE, "parameter group %.80s: no tensor was added yet", name);
    return gtr_head_set(&head->tensors[head->n_tensors - 1].param_group, name, err);
}

enum gtr_code gtr_head_take_late(struct gtr_head *head, const struct gtr_head *later,
                                 struct gtr_err *err)
{
    enum gtr_code rc = gtr_head_set(&head->grad_state, later->grad_state, err);

    head->total_steps = later->total_steps;
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->total_steps_from, later->total_steps_from, err);
    if (rc == GTR_OK && later->elements_stopped != NULL)
        rc = gtr_head_set(&head->elements_stopped, later->elements_stopped, err);
    return rc;
}

enum gtr_code gtr_head_copy(const struct gtr_head *from, struct gtr_head *to, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    *to = (struct gtr_head){ .rank = from->rank,
                             .world_size = from->world_size,
                             .total_steps = from->total_steps };
    for (i = 0; rc == GTR_OK && i < GTR_HEAD_TEXTS; i++)
        rc = gtr_head_set(gtr_head_text(to, i), *gtr_head_text(from, i), err);
    for (i = 0; rc == GTR_OK && i < from->n_tensors; i++) {
        const struct gtr_tensor *tensor = &from->tensors[i];

        rc =
            gtr_head_add_tensor(to, tensor->name, tensor->shape, tensor->numel, tensor->dtype, err);
        if (rc == GTR_OK && tensor->param_group != NULL)
            rc = gtr_head_set_param_group(to, tensor->param_group, err);
    }
    if (rc != GTR_OK)
        gtr_head_free(to);
    return rc;
}

const char *gtr_head_differs(const struct gtr_head *a, const struct gtr_head *b, char *buffer,
                             size_t size)
{
    size_t i;

    if (a->n_tensors != b->n_tensors) {
        snprintf(buffer, size, "%zu tensors, not %zu", b->n_tensors, a->n_tensors);
        return buffer;
    }
    if (a->rank != b->rank || a->world_size != b->world_size) {
        snprintf(buffer, size, "rank %" PRId64 " of %" PRId64 ", not %" PRId64 " of %" PRId64,
                 b->rank, b->world_size, a->rank, a->world_size);
        return buffer;
    }
    for (i = 0; i < a->n_tensors; i++) {
        const struct gtr_tensor *x = &a->tensors[i], *y = &b->tensors[i];

        if (strcmp(x->name, y->name) == 0 && strcmp(x->shape, y->shape) == 0 &&
            x->numel == y->numel && x->dtype == y->dtype)
            continue;
        snprintf(buffer, size, "tensor %zu as %.60s %.30s, not %.60s %.30s", i, y->name, y->shape,
                 x->name, x->shape);
        return buffer;
    }
    return NULL;
}
