/* layout.h - which tensors a model has: names and shapes of well-known ones, without their weights.
 *
 * For synthetic traces that look like those of models too large to train here.
 */
#ifndef GTR_LAYOUT_H
#define GTR_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

/* The lengths that shapes are made of. */
enum gtr_layout_size {
    GTR_SIZE_NONE, /* of a vector's second side */
    GTR_SIZE_HIDDEN,
    GTR_SIZE_FFN,
    GTR_SIZE_KV, /* keys and values, fewer than queries if heads share them */
    GTR_SIZE_VOCABULARY,
    GTR_SIZE_EXPERTS,
    GTR_SIZE_COUNT
};

struct gtr_layout_row; /* one tensor of the model, or one of each layer or expert */

struct gtr_layout {
    const char *name;
    const char *help;
    int64_t n_layers; /* as published; another number may be asked for */
    uint64_t sizes[GTR_SIZE_COUNT];
    const struct gtr_layout_row *rows;
    size_t n_rows;
};

const struct gtr_layout *gtr_layouts(size_t *n_layouts);

/* An unknown name is an error that tells the nearest. */
enum gtr_code gtr_layout_find(const char *name, const struct gtr_layout **layout,
                              struct gtr_err *err);

GTR_PUBLIC_END

/* Adds the tensors of a model of `n_layers` layers, in the model's own order. */
enum gtr_code gtr_layout_add(const struct gtr_layout *layout, int64_t n_layers,
                             struct gtr_head *head, struct gtr_err *err);

#endif
