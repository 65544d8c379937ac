/* merge_copy.c - elements from one trace to another. */
#include "merge_private.h"

#include "alloc.h"

enum gtr_code gtr_copy_sampling(const struct gtr_trace *trace, struct gtr_writer_options *options,
                                struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    struct gtr_captured captured;
    enum gtr_code rc = GTR_OK;
    size_t i;

    options->elements = false;
    options->sampling = (struct gtr_sample){ 0 };
    for (i = 0; rc == GTR_OK && gtr_trace_n_captures(trace) > 0 && i < head->n_tensors; i++) {
        if (head->tensors[i].numel == 0)
            continue;
        rc = gtr_trace_captured(trace, i, &captured, err);
        options->elements = rc == GTR_OK && captured.n > 0;
        if (!options->elements)
            return rc;
        if (captured.sampled)
            options->sampling =
                (struct gtr_sample){ captured.block, captured.fraction, captured.seed };
    }
    return rc;
}

enum gtr_code gtr_copy_capture(struct gtr_trace *trace, size_t capture, struct gtr_writer *writer,
                               struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        size_t n = gtr_trace_n_elements(trace, i);
        void *elements = NULL;

        rc = gtr_alloc_for(&elements, n, gtr_dtype_size(head->tensors[i].dtype), "elements", err);
        if (rc == GTR_OK && n > 0)
            rc = gtr_trace_read_elements(trace, i, capture, elements, err);
        if (rc == GTR_OK)
            rc = gtr_writer_elements(writer, i, elements, err);
        gtr_free(elements);
    }
    return rc;
}
