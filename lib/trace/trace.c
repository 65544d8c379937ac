/* trace.c - what readers and writers share: dtypes and the head of a trace. */
#include "trace.h"

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
    gtr_free(head->producer);
    gtr_free(head->created);
    gtr_free(head->reduction);
    gtr_free(head->grad_state);
    gtr_free(head->meta);
    gtr_free(head->group_by);
    gtr_free(head->stopped);
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
