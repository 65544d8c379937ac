/* layout.c - models as tables of their tensors.
 *
 * A row stands for one tensor: before the layers, in each layer, in each expert of each layer, or
 * after them.  Names and shapes are those of the Hugging Face implementations.
 */
#include "layout.h"

#include <stdio.h>

#include "alloc.h"
#include "simulate_private.h"

enum place { BEFORE, LAYER, EXPERT, AFTER };

struct gtr_layout_row {
    enum place place;
    const char *name; /* in a layer: after "model.layers.N."; of an expert: after "experts.N." */
    enum gtr_layout_size rows, cols;
};

#define ROW(place, name, rows, cols)                  \
    {                                                 \
        place, name, GTR_SIZE_##rows, GTR_SIZE_##cols \
    }

static const struct gtr_layout_row llama[] = {
    ROW(BEFORE, "model.embed_tokens.weight", VOCABULARY, HIDDEN),
    ROW(LAYER, "self_attn.q_proj.weight", HIDDEN, HIDDEN),
    ROW(LAYER, "self_attn.k_proj.weight", KV, HIDDEN),
    ROW(LAYER, "self_attn.v_proj.weight", KV, HIDDEN),
    ROW(LAYER, "self_attn.o_proj.weight", HIDDEN, HIDDEN),
    ROW(LAYER, "mlp.gate_proj.weight", FFN, HIDDEN),
    ROW(LAYER, "mlp.up_proj.weight", FFN, HIDDEN),
    ROW(LAYER, "mlp.down_proj.weight", HIDDEN, FFN),
    ROW(LAYER, "input_layernorm.weight", HIDDEN, NONE),
    ROW(LAYER, "post_attention_layernorm.weight", HIDDEN, NONE),
    ROW(AFTER, "model.norm.weight", HIDDEN, NONE),
    ROW(AFTER, "lm_head.weight", VOCABULARY, HIDDEN),
};

static const struct gtr_layout_row mixtral[] = {
    ROW(BEFORE, "model.embed_tokens.weight", VOCABULARY, HIDDEN),
    ROW(LAYER, "self_attn.q_proj.weight", HIDDEN, HIDDEN),
    ROW(LAYER, "self_attn.k_proj.weight", KV, HIDDEN),
    ROW(LAYER, "self_attn.v_proj.weight", KV, HIDDEN),
    ROW(LAYER, "self_attn.o_proj.weight", HIDDEN, HIDDEN),
    ROW(LAYER, "block_sparse_moe.gate.weight", EXPERTS, HIDDEN),
    ROW(EXPERT, "w1.weight", FFN, HIDDEN),
    ROW(EXPERT, "w2.weight", HIDDEN, FFN),
    ROW(EXPERT, "w3.weight", FFN, HIDDEN),
    ROW(LAYER, "input_layernorm.weight", HIDDEN, NONE),
    ROW(LAYER, "post_attention_layernorm.weight", HIDDEN, NONE),
    ROW(AFTER, "model.norm.weight", HIDDEN, NONE),
    ROW(AFTER, "lm_head.weight", VOCABULARY, HIDDEN),
};

/* hidden, ffn, kv, vocabulary, experts: in the order of enum gtr_layout_size */
/* clang-format off */
static const struct gtr_layout layouts[] = {
    { "tiny", "2 layers of width 32, 50 thousand elements: for --elements", 2,
      { 1, 32, 88, 32, 384, 0 }, llama, GTR_ARRAY_LEN(llama) },
    { "llama-small", "4 layers of width 1024", 4,
      { 1, 1024, 2816, 1024, 32000, 0 }, llama, GTR_ARRAY_LEN(llama) },
    { "llama-7b", "LLaMA 7B: 32 layers, 291 tensors", 32,
      { 1, 4096, 11008, 4096, 32000, 0 }, llama, GTR_ARRAY_LEN(llama) },
    { "llama-30b", "LLaMA 30B: 60 layers, 543 tensors", 60,
      { 1, 6656, 17920, 6656, 32000, 0 }, llama, GTR_ARRAY_LEN(llama) },
    { "moe-small", "4 layers of width 1024, 8 experts each", 4,
      { 1, 1024, 3584, 256, 32000, 8 }, mixtral, GTR_ARRAY_LEN(mixtral) },
    { "moe-8x7b", "Mixtral 8x7B: 32 layers of 8 experts, 995 tensors", 32,
      { 1, 4096, 14336, 1024, 32000, 8 }, mixtral, GTR_ARRAY_LEN(mixtral) },
};
/* clang-format on */

const struct gtr_layout *gtr_layouts(size_t *n_layouts)
{
    *n_layouts = GTR_ARRAY_LEN(layouts);
    return layouts;
}

enum gtr_code gtr_layout_find(const char *name, const struct gtr_layout **layout,
                              struct gtr_err *err)
{
    const char *names[GTR_ARRAY_LEN(layouts)];
    enum gtr_code rc;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(layouts); i++)
        names[i] = layouts[i].name;
    rc = gtr_simulate_find("layout", name, names, GTR_ARRAY_LEN(layouts), &i, err);
    if (rc == GTR_OK)
        *layout = &layouts[i];
    return rc;
}

static enum gtr_code add_row(const struct gtr_layout *layout, const struct gtr_layout_row *row,
                             const char *prefix, struct gtr_head *head, struct gtr_err *err)
{
    uint64_t rows = layout->sizes[row->rows], cols = layout->sizes[row->cols];
    char name[160], shape[48];

    snprintf(name, sizeof name, "%s%s", prefix, row->name);
    if (row->cols == GTR_SIZE_NONE)
        snprintf(shape, sizeof shape, "%llu", (unsigned long long)rows);
    else
        snprintf(shape, sizeof shape, "%llux%llu", (unsigned long long)rows,
                 (unsigned long long)cols);
    return gtr_head_add_tensor(head, name, shape, rows * cols, GTR_BF16, err);
}

/* All rows of one place. */
static enum gtr_code add_place(const struct gtr_layout *layout, enum place place,
                               const char *prefix, struct gtr_head *head, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < layout->n_rows; i++)
        if (layout->rows[i].place == place)
            rc = add_row(layout, &layout->rows[i], prefix, head, err);
    return rc;
}

/* The experts stand where their first row does, between the gate and the norms. */
static enum gtr_code add_layer(const struct gtr_layout *layout, int64_t layer,
                               struct gtr_head *head, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    bool experts_added = false;
    char prefix[96];
    uint64_t expert;
    size_t i;

    for (i = 0; rc == GTR_OK && i < layout->n_rows; i++) {
        if (layout->rows[i].place == LAYER) {
            snprintf(prefix, sizeof prefix, "model.layers.%lld.", (long long)layer);
            rc = add_row(layout, &layout->rows[i], prefix, head, err);
        } else if (layout->rows[i].place == EXPERT && !experts_added) {
            experts_added = true;
            for (expert = 0; rc == GTR_OK && expert < layout->sizes[GTR_SIZE_EXPERTS]; expert++) {
                snprintf(prefix, sizeof prefix, "model.layers.%lld.block_sparse_moe.experts.%llu.",
                         (long long)layer, (unsigned long long)expert);
                rc = add_place(layout, EXPERT, prefix, head, err);
            }
        }
    }
    return rc;
}

enum gtr_code gtr_layout_add(const struct gtr_layout *layout, int64_t n_layers,
                             struct gtr_head *head, struct gtr_err *err)
{
    enum gtr_code rc = add_place(layout, BEFORE, "", head, err);
    int64_t layer;

    for (layer = 0; rc == GTR_OK && layer < n_layers; layer++)
        rc = add_layer(layout, layer, head, err);
    return rc == GTR_OK ? add_place(layout, AFTER, "", head, err) : rc;
}
