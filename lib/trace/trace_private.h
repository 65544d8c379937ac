/* trace_private.h - a trace as trace_read.c and trace_elements.c share it. */
#ifndef GTR_TRACE_PRIVATE_H
#define GTR_TRACE_PRIVATE_H

#include "h5.h"
#include "trace.h"

struct gtr_elements;

struct gtr_trace {
    struct gtr_h5 *h5;
    char *path;
    struct gtr_head head;
    struct gtr_step *steps;
    size_t n_steps;
    struct gtr_h5_table *norm[GTR_NORM_COUNT];
    int64_t *capture_rows;
    size_t n_captures;
    struct gtr_elements *elements; /* opened as they are asked for */
};

enum gtr_code gtr_elements_new(size_t n_tensors, struct gtr_elements **elements,
                               struct gtr_err *err);
void gtr_elements_free(struct gtr_elements *elements);

/* How elements of this type lie in the file. */
enum gtr_h5_type gtr_elements_type(enum gtr_dtype dtype);

#endif
