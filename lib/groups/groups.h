/* groups.h - which tensors are clipped together.
 *
 * A rule puts every tensor in exactly one group.  Groups are numbered in the order in which their
 * first tensor appears.  Names are cut at their dots; of "model.layers.3.self_attn.q_proj.weight"
 * the rules make
 *
 *     module         q_proj             the same function, pooled over layers
 *     layer          layers.3           the block; what is in no block, by its top-level name
 *     layer.module   layers.3.q_proj
 *     tensor         (the whole name)
 *     all            all
 *     lora-ab        q_proj             and of a LoRA pair q_proj.A and q_proj.B
 *     aggc           q_proj             by the reference implementation's own rule
 *     file:PATH      (as PATH says)     lines GLOB<tab>GROUP, the first match wins
 *     param-group    (optimizer's)      only where the trace holds them
 *
 * module: of a LoRA factor the name before lora_A or lora_B; otherwise the first functional name
 * that is known (group_names.c lists them; norms of any kind pool as `norm`, all experts of a
 * mixture as `experts`, while its `gate` or `router` keeps its name); otherwise the second-last
 * part, numbers and wrappers of frameworks passed over.  A name without a dot is its own group,
 * so that a log of groups keeps them.
 *
 * layer: the parts up to the first number are the blocks' container ("model.layers").  What is in
 * no block is named by the part after those that it shares with a container, so that neither
 * `model` nor a wrapper's prefix is a top level: model.embed_tokens.weight is in `embed_tokens`.
 * Where one part does not tell two apart there are more (encoder.layers.3, decoder.layers.3).
 *
 * aggc: as the published code does it, which leaves tensors out of clipping whose second-last part
 * is a number or `layers`: they are the group "-", which no group-wise policy touches.  A tensor
 * that is itself named "-", or a file's group of that name, is left out the same way.
 *
 * file:PATH: # starts a comment line, blank lines are passed over.  Tensors that no line matches
 * keep the group that `module` gives them.
 */
#ifndef GTR_GROUPS_H
#define GTR_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

struct gtr_groups {
    char *rule;   /* as asked for, or as found in the trace, or "module" */
    char **names; /* n_groups, all different, none empty */
    size_t n_groups;
    size_t n_tensors;
    size_t *of_tensor; /* group of each tensor */
    size_t left_out;   /* the group "-", which no group-wise policy touches; n_groups if none */
};

/* `rule` NULL or "": the trace's own (head->group_by), else "module".  A trace may not ask for a
 * file: that would let it read any file of its reader.  Free with gtr_groups_free. */
enum gtr_code gtr_groups_new(const char *rule, const struct gtr_head *head,
                             struct gtr_groups **groups, struct gtr_err *err);
void gtr_groups_free(struct gtr_groups *groups);

/* The rules with one line about each, for help texts. */
struct gtr_group_rule {
    const char *name;
    const char *help;
};
const struct gtr_group_rule *gtr_group_rules(size_t *n_rules);

GTR_PUBLIC_END

#endif
