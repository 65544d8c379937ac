/* group_names.c - what the parts of a parameter's name say about its function.
 *
 * The knowledge is in the tables; the code only walks a name from left to right and looks up.
 */
#define _GNU_SOURCE
#include "group_parts.h"

#include <fnmatch.h>
#include <string.h>

#include "alloc.h"

/* Parts that name a function as they stand, and so name their group. */
static const char *const functions[] = {
    /* LLaMA, Mistral, Qwen, Gemma */
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "up_proj",
    "down_proj",
    /* BERT, DeBERTa */
    "query",
    "key",
    "value",
    "dense",
    /* Megatron */
    "linear_qkv",
    "linear_proj",
    "linear_fc1",
    "linear_fc2",
    /* LLaMA as first published, Mixtral */
    "wq",
    "wk",
    "wv",
    "wo",
    "w1",
    "w2",
    "w3",
    /* mixtures of experts */
    "router",
    "gate",
    "experts",
    /* the two ends */
    "embed_tokens",
    "wte",
    "wpe",
    "lm_head",
};

/* A part and the one after it: GPT-2 has a c_proj in the attention and another in the MLP. */
static const struct {
    const char *part, *next, *group;
} pairs[] = {
    { "attn", "c_attn", "attn.c_attn" },
    { "attn", "c_proj", "attn.c_proj" },
    { "mlp", "c_fc", "mlp.c_fc" },
    { "mlp", "c_proj", "mlp.c_proj" },
};

/* Globs, in order, with their group; NULL: the part itself. */
static const struct {
    const char *glob, *group;
} patterns[] = {
    { "in_proj_weight", "in_proj" }, /* torch.nn.MultiheadAttention */
    { "in_proj_bias", "in_proj" },
    { "*_proj", NULL },
    { "*[nN]orm", "norm" }, /* norm, input_layernorm, q_norm, LayerNorm, RMSNorm */
    { "*[nN]orm[0-9]", "norm" },
    { "*_norm_[0-9]", "norm" },
    { "norm_*", "norm" },
    { "layernorm_*", "norm" },  /* ViT: layernorm_before */
    { "pre_layrnorm", "norm" }, /* CLIP spells it so */
    { "ln", "norm" },
    { "ln[0-9]", "norm" },
    { "ln_*", "norm" },
    { "bn", "norm" },
    { "bn[0-9]", "norm" },
};

static const struct {
    const char *part, *letter;
} lora_factors[] = {
    { "lora_A", "A" },
    { "lora_B", "B" },
    { "lora_embedding_A", "A" },
    { "lora_embedding_B", "B" },
    { "lora_magnitude_vector", "magnitude" }, /* DoRA */
};

/* Put around modules by PEFT, torch.compile, FSDP and checkpointing: they say nothing about what
 * is inside. */
static const char *const wrappers[] = {
    "base_layer",
    "original_module",
    "modules_to_save",
    "default",
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
};

/* The reference implementation's list, in its order. */
static const char *const aggc_functions[] = {
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "down_proj", "up_proj",
    "c_attn", "c_proj", "w1",     "w2",     "w3",        "lm_head",   "embed_tokens",
};

static bool is_in(const char *part, const char *const *list, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strcmp(part, list[i]) == 0)
            return true;
    return false;
}

enum gtr_code gtr_dotted_split(struct gtr_dotted *name, const char *text, struct gtr_err *err)
{
    size_t size = strlen(text) + 1;
    enum gtr_code rc;
    char *rest, *part;

    name->n_parts = 0;
    rc = gtr_grow(&name->text, &name->text_capacity, size, 1, err);
    if (rc != GTR_OK)
        return rc;
    /* Each part takes a character and, but for the last, a dot. */
    rc = gtr_grow(&name->parts, &name->parts_capacity, size / 2 + 1, sizeof *name->parts, err);
    if (rc != GTR_OK)
        return rc;
    memcpy(name->text, text, size);
    rest = name->text;
    while ((part = strsep(&rest, ".")) != NULL)
        if (*part != '\0')
            name->parts[name->n_parts++] = part;
    if (name->n_parts == 0) {
        memcpy(name->text, text, size);
        name->parts[name->n_parts++] = name->text;
    }
    return GTR_OK;
}

void gtr_dotted_free(struct gtr_dotted *name)
{
    gtr_free(name->text);
    gtr_free(name->parts);
    *name = (struct gtr_dotted){ 0 };
}

void gtr_dotted_join(const struct gtr_dotted *name, size_t n, struct gtr_builder *out)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (i > 0)
            gtr_builder_char(out, '.');
        gtr_builder_add(out, name->parts[i]);
    }
}

bool gtr_part_is_number(const char *part)
{
    return *part != '\0' && part[strspn(part, "0123456789")] == '\0';
}

size_t gtr_dotted_lora(const struct gtr_dotted *name, const char **letter)
{
    size_t i, k;

    for (i = 0; i < name->n_parts; i++) {
        for (k = 0; k < GTR_ARRAY_LEN(lora_factors); k++) {
            if (strcmp(name->parts[i], lora_factors[k].part) == 0) {
                *letter = lora_factors[k].letter;
                return i;
            }
        }
    }
    *letter = NULL;
    return name->n_parts;
}

const char *gtr_part_function(const char *part, const char *next)
{
    size_t i;

    if (is_in(part, functions, GTR_ARRAY_LEN(functions)))
        return part;
    for (i = 0; next != NULL && i < GTR_ARRAY_LEN(pairs); i++)
        if (strcmp(part, pairs[i].part) == 0 && strcmp(next, pairs[i].next) == 0)
            return pairs[i].group;
    for (i = 0; i < GTR_ARRAY_LEN(patterns); i++)
        if (fnmatch(patterns[i].glob, part, 0) == 0)
            return patterns[i].group != NULL ? patterns[i].group : part;
    return NULL;
}

/* PEFT keeps trained copies as "score.modules_to_save.ADAPTER.weight". */
static bool says_nothing(const struct gtr_dotted *name, size_t i)
{
    return gtr_part_is_number(name->parts[i]) ||
           is_in(name->parts[i], wrappers, GTR_ARRAY_LEN(wrappers)) ||
           (i > 0 && strcmp(name->parts[i - 1], "modules_to_save") == 0);
}

/* The last part before `end` that says something, or, if none does, the last before `end`. */
static const char *last_telling(const struct gtr_dotted *name, size_t end)
{
    size_t i;

    for (i = end; i > 0; i--)
        if (!says_nothing(name, i - 1))
            return name->parts[i - 1];
    return name->parts[end - 1];
}

const char *gtr_dotted_module(const struct gtr_dotted *name)
{
    const char *letter;
    size_t lora = gtr_dotted_lora(name, &letter), i;

    if (name->n_parts == 1)
        return name->parts[0];
    if (lora > 0 && lora < name->n_parts)
        return last_telling(name, lora);
    for (i = 0; i < name->n_parts; i++) {
        const char *next = i + 1 < name->n_parts ? name->parts[i + 1] : NULL;
        const char *group = gtr_part_function(name->parts[i], next);

        if (group != NULL)
            return group;
    }
    return last_telling(name, name->n_parts - 1);
}

const char *gtr_dotted_aggc(const struct gtr_dotted *name)
{
    const char *const *parts = (const char *const *)name->parts, *last;
    size_t i;

    for (i = 1; i < name->n_parts; i++)
        if (strcmp(parts[i], "lora_A") == 0 || strcmp(parts[i], "lora_B") == 0)
            return parts[i - 1];
    for (i = 0; i < GTR_ARRAY_LEN(aggc_functions); i++)
        if (is_in(aggc_functions[i], parts, name->n_parts))
            return aggc_functions[i];
    if (name->n_parts == 1)
        return parts[0];
    last = parts[name->n_parts - 2];
    return gtr_part_is_number(last) || strcmp(last, "layers") == 0 ? "-" : last;
}
