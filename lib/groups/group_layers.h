/* group_layers.h - the blocks of a model, found in the names of its tensors; for groups.c. */
#ifndef GTR_GROUP_LAYERS_H
#define GTR_GROUP_LAYERS_H

#include "group_names.h"
#include "trace.h"

struct gtr_layers;

/* Looks at all names.  Free with gtr_layers_free. */
enum gtr_code gtr_layers_new(const struct gtr_head *head, struct gtr_layers **layers,
                             struct gtr_err *err);
void gtr_layers_free(struct gtr_layers *layers);

/* Appends the layer of a tensor: "layers.3", or, if it is in no block, its top-level name.  *top is
 * then the last part of that, borrowed from name; NULL of one in a block. */
void gtr_layers_name(struct gtr_layers *layers, const struct gtr_dotted *name,
                     struct gtr_builder *out, const char **top);

#endif
