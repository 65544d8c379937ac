/* segment_head.c - heads of traces copied and compared. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "segment.h"

enum gtr_code gtr_head_copy(const struct gtr_head *from, struct gtr_head *to, struct gtr_err *err)
{
    const char *const texts[] = { from->producer, from->created,  from->reduction, from->grad_state,
                                  from->meta,     from->group_by, from->stopped };
    char **const copies[] = { &to->producer, &to->created,  &to->reduction, &to->grad_state,
                              &to->meta,     &to->group_by, &to->stopped };
    enum gtr_code rc = GTR_OK;
    size_t i;

    *to = (struct gtr_head){ .rank = from->rank,
                             .world_size = from->world_size,
                             .total_steps = from->total_steps };
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(texts); i++)
        rc = gtr_head_set(copies[i], texts[i], err);
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
