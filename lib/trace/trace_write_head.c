/* trace_write_head.c - what a trace says of its run, and the table of its tensors. */
#include <string.h>

#include "alloc.h"
#include "trace_write_private.h"

static enum gtr_code write_attributes(struct gtr_h5 *h5, const struct gtr_head *head,
                                      struct gtr_err *err)
{
    const struct {
        const char *name, *value;
    } texts[] = { { "format", "gradtrace" },          { "producer", head->producer },
                  { "created", head->created },       { "reduction", head->reduction },
                  { "grad_state", head->grad_state }, { "meta", head->meta },
                  { "group_by", head->group_by },     { "stopped", head->stopped } };
    const struct {
        const char *name;
        int64_t value;
    } integers[] = { { "format_version", GTR_FORMAT_VERSION },
                     { "rank", head->rank },
                     { "world_size", head->world_size },
                     { "total_steps", head->total_steps } };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(texts); i++)
        if (texts[i].value != NULL)
            rc = gtr_h5_set_text(h5, "/", texts[i].name, texts[i].value, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(integers); i++)
        rc = gtr_h5_set_integer(h5, "/", integers[i].name, integers[i].value, err);
    return rc;
}

/* One text of every tensor: its name, shape, dtype or parameter group. */
static enum gtr_code write_texts(struct gtr_h5 *h5, const struct gtr_head *head,
                                 const char *dataset,
                                 const char *(*text_of)(const struct gtr_tensor *),
                                 struct gtr_err *err)
{
    enum gtr_code rc;
    const char **texts;
    size_t i;

    rc = gtr_alloc_for(&texts, head->n_tensors, sizeof *texts, "names", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < head->n_tensors; i++)
        texts[i] = text_of(&head->tensors[i]);
    rc = gtr_h5_write_strings(h5, dataset, texts, head->n_tensors, err);
    gtr_free(texts);
    return rc;
}

static const char *name_of(const struct gtr_tensor *tensor)
{
    return tensor->name;
}

static const char *shape_of(const struct gtr_tensor *tensor)
{
    return tensor->shape;
}

static const char *dtype_of(const struct gtr_tensor *tensor)
{
    return gtr_dtype_name(tensor->dtype);
}

static const char *param_group_of(const struct gtr_tensor *tensor)
{
    return tensor->param_group != NULL ? tensor->param_group : "";
}

static bool has_param_groups(const struct gtr_head *head)
{
    size_t i;

    for (i = 0; i < head->n_tensors; i++)
        if (head->tensors[i].param_group != NULL)
            return true;
    return false;
}

static enum gtr_code write_tensors(struct gtr_h5 *h5, const struct gtr_head *head,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n = head->n_tensors, i;
    uint64_t *numel = NULL;

    rc = gtr_alloc_for(&numel, n, sizeof *numel, "sizes", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n; i++)
        numel[i] = head->tensors[i].numel;
    rc = gtr_h5_make_group(h5, "/param", err);
    if (rc == GTR_OK)
        rc = gtr_h5_write_vector(h5, "/param/numel", GTR_H5_U64, numel, n, err);
    if (rc == GTR_OK)
        rc = write_texts(h5, head, "/param/name", name_of, err);
    if (rc == GTR_OK)
        rc = write_texts(h5, head, "/param/shape", shape_of, err);
    if (rc == GTR_OK)
        rc = write_texts(h5, head, "/param/dtype", dtype_of, err);
    if (rc == GTR_OK && has_param_groups(head))
        rc = write_texts(h5, head, "/param/group", param_group_of, err);
    gtr_free(numel);
    return rc;
}

enum gtr_code gtr_writer_write_head(struct gtr_h5 *h5, const struct gtr_head *head,
                                    struct gtr_err *err)
{
    enum gtr_code rc = write_attributes(h5, head, err);

    return rc == GTR_OK ? write_tensors(h5, head, err) : rc;
}
