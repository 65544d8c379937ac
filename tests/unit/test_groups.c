/* test_groups.c - real models' parameter names, and which group each lands in. */
#define _GNU_SOURCE
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "gradtrace.h"

/* A tensor, and its group by each of the rules that look at names.  NULL: not checked here. */
struct named {
    const char *tensor, *module, *aggc, *layer, *layer_module;
};

static void head_of(struct gtr_head *head, const struct named *names, size_t n)
{
    size_t i;

    CHECK(gtr_head_init(head, NULL) == GTR_OK);
    for (i = 0; i < n; i++)
        CHECK(gtr_head_add_tensor(head, names[i].tensor, "", 1, GTR_F32, NULL) == GTR_OK);
}

static const char *group_of(const struct gtr_groups *groups, size_t tensor)
{
    CHECK(groups->of_tensor[tensor] < groups->n_groups);
    return groups->names[groups->of_tensor[tensor]];
}

static struct gtr_groups *group(const char *rule, const struct gtr_head *head)
{
    struct gtr_groups *groups;
    struct gtr_err err = { 0 };

    gtr_groups_new(rule, head, &groups, &err);
    CHECK_TEXT(err.text, "");
    return groups;
}

static const char *wanted_by(const struct named *name, const char *rule)
{
    return strcmp(rule, "module") == 0 ? name->module
           : strcmp(rule, "aggc") == 0 ? name->aggc
           : strcmp(rule, "layer") == 0 ? name->layer
                                        : name->layer_module;
}

static void check_model(const struct named *names, size_t n)
{
    static const char *const rules[] = { "module", "aggc", "layer", "layer.module" };
    struct gtr_head head;
    size_t r, i;

    head_of(&head, names, n);
    for (r = 0; r < GTR_ARRAY_LEN(rules); r++) {
        struct gtr_groups *groups = group(rules[r], &head);

        CHECK_TEXT(groups->rule, rules[r]);
        CHECK(groups->n_tensors == n);
        for (i = 0; i < n; i++)
            if (wanted_by(&names[i], rules[r]) != NULL)
                CHECK_TEXT(group_of(groups, i), wanted_by(&names[i], rules[r]));
        gtr_groups_free(groups);
    }
    gtr_head_free(&head);
}

#define CHECK_MODEL(names) check_model((names), GTR_ARRAY_LEN(names))

static void llama(void)
{
    static const struct named names[] = {
        { "model.embed_tokens.weight", "embed_tokens", "embed_tokens", "embed_tokens", "embed_tokens" },
        { "model.layers.0.self_attn.q_proj.weight", "q_proj", "q_proj", "layers.0", "layers.0.q_proj" },
        { "model.layers.0.self_attn.k_proj.weight", "k_proj", "k_proj", "layers.0", "layers.0.k_proj" },
        { "model.layers.0.self_attn.v_proj.bias", "v_proj", "v_proj", "layers.0", "layers.0.v_proj" },
        { "model.layers.0.self_attn.o_proj.weight", "o_proj", "o_proj", "layers.0", "layers.0.o_proj" },
        { "model.layers.0.self_attn.q_norm.weight", "norm", "q_norm", "layers.0", "layers.0.norm" },
        { "model.layers.11.mlp.gate_proj.weight", "gate_proj", "gate_proj", "layers.11", "layers.11.gate_proj" },
        { "model.layers.11.mlp.up_proj.weight", "up_proj", "up_proj", "layers.11", "layers.11.up_proj" },
        { "model.layers.11.mlp.down_proj.weight", "down_proj", "down_proj", "layers.11", "layers.11.down_proj" },
        { "model.layers.11.input_layernorm.weight", "norm", "input_layernorm", "layers.11", "layers.11.norm" },
        { "model.layers.11.post_attention_layernorm.weight", "norm", "post_attention_layernorm", "layers.11", "layers.11.norm" },
        { "model.norm.weight", "norm", "norm", "norm", "norm" },
        { "lm_head.weight", "lm_head", "lm_head", "lm_head", "lm_head" },
    };
    CHECK_MODEL(names);
}

static void peft_lora(void)
{
    static const struct named names[] = {
        { "base_model.model.model.layers.3.mlp.down_proj.lora_A.default.weight",
          "down_proj", "down_proj", "layers.3", "layers.3.down_proj" },
        { "base_model.model.model.layers.3.mlp.down_proj.lora_B.default.weight",
          "down_proj", "down_proj", "layers.3", "layers.3.down_proj" },
        { "base_model.model.model.layers.3.self_attn.qkv.lora_A.my_adapter.weight", "qkv", "qkv", "layers.3", "layers.3.qkv" },
        { "base_model.model.model.layers.3.self_attn.qkv.lora_magnitude_vector.default.weight",
          "qkv", "default", "layers.3", "layers.3.qkv" },
        { "base_model.model.model.embed_tokens.lora_embedding_A.default", "embed_tokens", "embed_tokens", "embed_tokens", "embed_tokens" },
        { "base_model.model.lm_head.base_layer.weight", "lm_head", "lm_head", "lm_head", "lm_head" },
        { "base_model.model.score.modules_to_save.my_adapter.weight", "score", "my_adapter", "score", "score" },
    };
    static const struct named others[] = {
        { "unet.up.1.to_out.0.lora_A.default.weight", "to_out", "0", "up.1", "up.1.to_out" },
        { "unet.mid.to_out.lora_B.0.weight", "to_out", "to_out", "mid", "mid.to_out" },
        { "lora_A.weight", "lora_A", "lora_A", "lora_A", "lora_A" },
    };
    /* Here "layers" stands bare, and so ends "model.layers" too: both get their whole path. */
    static const struct named bare[] = {
        { "layers.7.attn.q.lora_A", "q", "q", "layers.7", "layers.7.q" },
        { "model.layers.7.attn.q.lora_A", "q", "q", "model.layers.7", "model.layers.7.q" },
    };
    CHECK_MODEL(names);
    CHECK_MODEL(others);
    CHECK_MODEL(bare);
}

static void gpt2(void)
{
    static const struct named names[] = {
        { "transformer.wte.weight", "wte", "wte", "wte", "wte" },
        { "transformer.wpe.weight", "wpe", "wpe", "wpe", "wpe" },
        { "transformer.h.0.ln_1.weight", "norm", "ln_1", "h.0", "h.0.norm" },
        { "transformer.h.0.attn.c_attn.weight", "attn.c_attn", "c_attn", "h.0", "h.0.attn.c_attn" },
        { "transformer.h.0.attn.c_proj.bias", "attn.c_proj", "c_proj", "h.0", "h.0.attn.c_proj" },
        { "transformer.h.0.ln_2.bias", "norm", "ln_2", "h.0", "h.0.norm" },
        { "transformer.h.0.mlp.c_fc.weight", "mlp.c_fc", "c_fc", "h.0", "h.0.mlp.c_fc" },
        { "transformer.h.0.mlp.c_proj.weight", "mlp.c_proj", "c_proj", "h.0", "h.0.mlp.c_proj" },
        { "transformer.h.0.crossattention.q_attn.weight", "q_attn", "q_attn", "h.0", "h.0.q_attn" },
        { "transformer.ln_f.weight", "norm", "ln_f", "ln_f", "ln_f" },
        { "lm_head.weight", "lm_head", "lm_head", "lm_head", "lm_head" },
    };
    CHECK_MODEL(names);
}

/* nanoGPT under torch.compile and DistributedDataParallel. */
static void wrapped_nanogpt(void)
{
    static const struct named names[] = {
        { "module._orig_mod.transformer.wte.weight", "wte", "wte", "wte", "wte" },
        { "module._orig_mod.transformer.h.2.attn.c_attn.weight", "attn.c_attn", "c_attn", "h.2", "h.2.attn.c_attn" },
        { "module._orig_mod.transformer.h.2.ln_1.weight", "norm", "ln_1", "h.2", "h.2.norm" },
        { "module._orig_mod.lm_head.weight", "lm_head", "lm_head", "lm_head", "lm_head" },
    };
    CHECK_MODEL(names);
}

static void bert(void)
{
    static const struct named names[] = {
        { "bert.embeddings.word_embeddings.weight", "word_embeddings", "word_embeddings", "embeddings", "embeddings.word_embeddings" },
        { "bert.embeddings.LayerNorm.weight", "norm", "LayerNorm", "embeddings", "embeddings.norm" },
        { "bert.encoder.layer.0.attention.self.query.weight", "query", "query", "layer.0", "layer.0.query" },
        { "bert.encoder.layer.0.attention.self.key.bias", "key", "key", "layer.0", "layer.0.key" },
        { "bert.encoder.layer.0.attention.self.value.weight", "value", "value", "layer.0", "layer.0.value" },
        { "bert.encoder.layer.0.attention.output.dense.weight", "dense", "dense", "layer.0", "layer.0.dense" },
        { "bert.encoder.layer.0.attention.output.LayerNorm.bias", "norm", "LayerNorm", "layer.0", "layer.0.norm" },
        { "bert.encoder.layer.0.intermediate.dense.weight", "dense", "dense", "layer.0", "layer.0.dense" },
        { "bert.pooler.dense.weight", "dense", "dense", "pooler", "pooler.dense" },
        { "classifier.weight", "classifier", "classifier", "classifier", "classifier" },
    };
    CHECK_MODEL(names);
}

static void deberta(void)
{
    static const struct named names[] = {
        { "deberta.encoder.layer.4.attention.self.query_proj.weight", "query_proj", "query_proj", "layer.4", "layer.4.query_proj" },
        { "deberta.encoder.layer.4.attention.self.key_proj.bias", "key_proj", "key_proj", "layer.4", "layer.4.key_proj" },
        { "deberta.encoder.layer.4.attention.self.pos_key_proj.weight", "pos_key_proj", "pos_key_proj", "layer.4", "layer.4.pos_key_proj" },
        { "deberta.encoder.rel_embeddings.weight", "rel_embeddings", "rel_embeddings", "rel_embeddings", "rel_embeddings" },
        { "deberta.encoder.LayerNorm.weight", "norm", "LayerNorm", "LayerNorm", "LayerNorm" },
    };
    CHECK_MODEL(names);
}

static void mixtures_of_experts(void)
{
    static const struct named names[] = {
        { "model.layers.0.block_sparse_moe.gate.weight", "gate", "gate", "layers.0", "layers.0.gate" },
        { "model.layers.0.block_sparse_moe.experts.7.w1.weight", "experts", "w1", "layers.0", "layers.0.experts" },
        { "model.layers.0.block_sparse_moe.experts.7.w2.weight", "experts", "w2", "layers.0", "layers.0.experts" },
        { "model.layers.1.mlp.gate.e_score_correction_bias", "gate", "gate", "layers.1", "layers.1.gate" },
        { "model.layers.1.mlp.experts.12.gate_proj.weight", "experts", "gate_proj", "layers.1", "layers.1.experts" },
        { "model.layers.1.mlp.shared_experts.gate_proj.weight", "gate_proj", "gate_proj", "layers.1", "layers.1.gate_proj" },
        { "model.layers.1.mlp.shared_expert_gate.weight", "shared_expert_gate", "shared_expert_gate", "layers.1", NULL },
        { "model.layers.1.mlp.experts.gate_up_proj", "experts", "experts", "layers.1", "layers.1.experts" },
        { "model.layers.1.mlp.router.weight", "router", "router", "layers.1", "layers.1.router" },
        { "model.layers.1.self_attn.kv_a_proj_with_mqa.weight", "kv_a_proj_with_mqa", "kv_a_proj_with_mqa", NULL, NULL },
        { "model.layers.1.self_attn.kv_a_layernorm.weight", "norm", "kv_a_layernorm", NULL, NULL },
    };
    CHECK_MODEL(names);
}

static void megatron_and_first_llama(void)
{
    static const struct named megatron[] = {
        { "decoder.layers.0.self_attention.linear_qkv.weight", "linear_qkv", "linear_qkv", "layers.0", "layers.0.linear_qkv" },
        { "decoder.layers.0.self_attention.linear_proj.weight", "linear_proj", "linear_proj", "layers.0", "layers.0.linear_proj" },
        { "decoder.layers.0.mlp.linear_fc1.weight", "linear_fc1", "linear_fc1", "layers.0", "layers.0.linear_fc1" },
        { "decoder.layers.0.mlp.linear_fc2.bias", "linear_fc2", "linear_fc2", "layers.0", "layers.0.linear_fc2" },
        { "decoder.final_layernorm.weight", "norm", "final_layernorm", "final_layernorm", "final_layernorm" },
        { "embedding.word_embeddings.weight", "word_embeddings", "word_embeddings", "embedding", "embedding.word_embeddings" },
    };
    static const struct named first[] = {
        { "layers.0.attention.wq.weight", "wq", "wq", "layers.0", "layers.0.wq" },
        { "layers.0.attention.wo.weight", "wo", "wo", "layers.0", "layers.0.wo" },
        { "layers.0.feed_forward.w1.weight", "w1", "w1", "layers.0", "layers.0.w1" },
        { "layers.0.attention_norm.weight", "norm", "attention_norm", "layers.0", "layers.0.norm" },
        { "tok_embeddings.weight", "tok_embeddings", "tok_embeddings", "tok_embeddings", "tok_embeddings" },
    };
    CHECK_MODEL(megatron);
    CHECK_MODEL(first);
}

static void encoder_and_decoder_are_told_apart(void)
{
    static const struct named names[] = {
        { "model.encoder.layers.0.self_attn.q_proj.weight", "q_proj", "q_proj", "encoder.layers.0", "encoder.layers.0.q_proj" },
        { "model.decoder.layers.0.self_attn.q_proj.weight", "q_proj", "q_proj", "decoder.layers.0", "decoder.layers.0.q_proj" },
        { "model.vision.blocks.0.attn.qkv.weight", "qkv", "qkv", "blocks.0", "blocks.0.qkv" },
        { "model.encoder.embed_positions.weight",
          "embed_positions", "embed_positions", "encoder.embed_positions", "encoder.embed_positions" },
        { "model.decoder.embed_positions.weight",
          "embed_positions", "embed_positions", "decoder.embed_positions", "decoder.embed_positions" },
        { "model.decoder.layer_norm.weight", "norm", "layer_norm", "layer_norm", "layer_norm" },
        { "model.shared.weight", "shared", "shared", "shared", "shared" },
    };
    static const struct named t5[] = {
        { "encoder.block.0.layer.0.SelfAttention.q.weight", "q", "q", "encoder.block.0", "encoder.block.0.q" },
        { "decoder.block.0.layer.2.DenseReluDense.wi_0.weight", "wi_0", "wi_0", "decoder.block.0", "decoder.block.0.wi_0" },
        { "decoder.block.0.layer.2.layer_norm.weight", "norm", "layer_norm", "decoder.block.0", "decoder.block.0.norm" },
    };
    CHECK_MODEL(names);
    CHECK_MODEL(t5);
}

/* A second list of modules elsewhere does not make `model` a top level. */
static void a_head_with_numbers_changes_nothing_else(void)
{
    static const struct named names[] = {
        { "model.embed_tokens.weight", "embed_tokens", "embed_tokens", "embed_tokens", "embed_tokens" },
        { "model.layers.0.mlp.up_proj.weight", "up_proj", "up_proj", "layers.0", "layers.0.up_proj" },
        { "model.norm.weight", "norm", "norm", "norm", "norm" },
        { "score.0.weight", "score", "-", "score.0", "score.0.score" },
    };
    CHECK_MODEL(names);
}

static void vision_models(void)
{
    static const struct named vit[] = {
        { "vit.embeddings.cls_token", "embeddings", "embeddings", "embeddings", "embeddings" },
        { "vit.embeddings.patch_embeddings.projection.weight", "projection", "projection", "embeddings", "embeddings.projection" },
        { "vit.encoder.layer.1.attention.attention.query.weight", "query", "query", "layer.1", "layer.1.query" },
        { "vit.encoder.layer.1.layernorm_before.weight", "norm", "layernorm_before", "layer.1", "layer.1.norm" },
        { "vit.layernorm.bias", "norm", "layernorm", "layernorm", "layernorm" },
    };
    static const struct named resnet[] = {
        { "conv1.weight", "conv1", "conv1", "conv1", "conv1" },
        { "bn1.weight", "norm", "bn1", "bn1", "bn1" },
        { "layer1.0.conv1.weight", "conv1", "conv1", "layer1.0", "layer1.0.conv1" },
        { "layer1.0.bn2.bias", "norm", "bn2", "layer1.0", "layer1.0.norm" },
        { "layer2.0.downsample.0.weight", "downsample", "-", "layer2.0", "layer2.0.downsample" },
        { "fc.bias", "fc", "fc", "fc", "fc" },
    };
    CHECK_MODEL(vit);
    CHECK_MODEL(resnet);
}

static void odd_names(void)
{
    static const struct named names[] = {
        { "q_proj", "q_proj", "q_proj", "q_proj", "q_proj" },
        { "input_layernorm", "input_layernorm", "input_layernorm", "input_layernorm", "input_layernorm" },
        { "anything at all", "anything at all", "anything at all", "anything at all", "anything at all" },
        { "", "unnamed", "unnamed", "unnamed", "unnamed" },
        { "...", "...", "...", "...", "..." },
        { ".", ".", ".", ".", "." },
        { "a..weight", "a", "a", "a", "a" },
        { "7", "7", "7", "7", "7" },
        { "layers.weight", "layers", "-", "layers", "layers" },
        { "transformer.weight_of_nothing", "transformer", "transformer", "transformer", "transformer" },
        { "-", "-", "-", "-", "-" },
    };
    static const struct named sequential[] = {
        { "0.weight", "0", "-", "0", "0.0" },
        { "2.bias", "2", "-", "2", "2.2" },
        { "net.3.weight", "net", "-", "net.3", "net.3.net" },
    };
    static const struct named no_blocks[] = {
        { "module.encoder.fc1.weight", "fc1", "fc1", "encoder", "encoder.fc1" },
        { "module.decoder.fc1.weight", "fc1", "fc1", "decoder", "decoder.fc1" },
        { "module.head.weight", "head", "head", "head", "head" },
    };
    static const struct named one[] = {
        { "module.fc1.weight", "fc1", "fc1", "fc1", "fc1" },
        { "module.fc1.bias", "fc1", "fc1", "fc1", "fc1" },
    };
    CHECK_MODEL(names);
    CHECK_MODEL(sequential);
    CHECK_MODEL(no_blocks);
    CHECK_MODEL(one);
}

static const struct named small[] = {
    { .tensor = "model.layers.0.q_proj.lora_A.weight" },
    { .tensor = "model.layers.0.q_proj.lora_B.weight" },
    { .tensor = "model.layers.1.up_proj.lora_A.weight" },
    { .tensor = "model.layers.1.q_proj.lora_A.weight" },
    { .tensor = "model.layers.1.norm.weight" },
};
enum { SMALL = GTR_ARRAY_LEN(small) };

static void check_small(const char *rule, const char *const *wanted)
{
    struct gtr_head head;
    struct gtr_groups *groups;
    size_t i;

    head_of(&head, small, SMALL);
    groups = group(rule, &head);
    for (i = 0; groups != NULL && i < SMALL; i++)
        CHECK_TEXT(group_of(groups, i), wanted[i]);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void the_other_rules(void)
{
    static const char *const all[SMALL] = { "all", "all", "all", "all", "all" };
    static const char *const ab[SMALL] = { "q_proj.A", "q_proj.B", "up_proj.A", "q_proj.A", "norm" };
    const char *tensors[SMALL];
    size_t i;

    for (i = 0; i < SMALL; i++)
        tensors[i] = small[i].tensor;
    check_small("all", all);
    check_small("lora-ab", ab);
    check_small("tensor", tensors);
}

static void groups_are_numbered_by_first_appearance(void)
{
    struct gtr_head head;
    struct gtr_groups *groups;

    head_of(&head, small, SMALL);
    groups = group(NULL, &head);
    CHECK_TEXT(groups->rule, "module");
    CHECK(groups->n_groups == 3);
    CHECK_TEXT(groups->names[0], "q_proj");
    CHECK_TEXT(groups->names[1], "up_proj");
    CHECK_TEXT(groups->names[2], "norm");
    CHECK(groups->of_tensor[3] == 0 && groups->of_tensor[4] == 2);
    CHECK(groups->left_out == groups->n_groups);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void what_aggc_leaves_out_is_the_group_minus(void)
{
    static const struct named names[] = {
        { .tensor = "model.0.weight" },
        { .tensor = "m.q_proj.weight" },
        { .tensor = "model.layers.weight" },
    };
    struct gtr_head head;
    struct gtr_groups *groups;

    head_of(&head, names, 3);
    groups = group("aggc", &head);
    CHECK(groups->n_groups == 2 && groups->left_out == 0);
    CHECK(groups->of_tensor[0] == 0 && groups->of_tensor[1] == 1 && groups->of_tensor[2] == 0);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void the_traces_own_rule_is_the_default(void)
{
    struct gtr_head head;
    struct gtr_groups *groups;

    head_of(&head, small, SMALL);
    CHECK(gtr_head_set(&head.group_by, "layer", NULL) == GTR_OK);
    groups = group("", &head);
    CHECK_TEXT(groups->rule, "layer");
    CHECK(groups->n_groups == 2);
    gtr_groups_free(groups);
    groups = group("all", &head);
    CHECK_TEXT(groups->rule, "all");
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void check_refused(const char *rule, const char *own, enum gtr_code code, const char *wanted)
{
    struct gtr_head head;
    struct gtr_groups *groups;
    struct gtr_err err = { 0 };

    head_of(&head, small, SMALL);
    if (own != NULL)
        CHECK(gtr_head_set(&head.group_by, own, NULL) == GTR_OK);
    CHECK(gtr_groups_new(rule, &head, &groups, &err) == code);
    CHECK(groups == NULL);
    CHECK_TEXT(err.text, wanted);
    gtr_head_free(&head);
}

static void unknown_rules_are_refused(void)
{
    check_refused("modul", NULL, GTR_EUSAGE,
                  "modul: no such rule for groups; did you mean module? (there are module, layer, "
                  "layer.module, tensor, all, lora-ab, aggc, file:PATH, param-group)");
    check_refused("xyz", NULL, GTR_EUSAGE,
                  "xyz: no such rule for groups; there are module, layer, layer.module, tensor, "
                  "all, lora-ab, aggc, file:PATH, param-group");
    check_refused("param-group", NULL, GTR_EUSAGE,
                  "param-group: this trace does not hold the optimizer's parameter groups; name "
                  "another rule");
    check_refused("file:", NULL, GTR_EUSAGE, "file: names no file; write file:PATH");
    check_refused("file:/no/such/file", NULL, GTR_EIO,
                  "/no/such/file: cannot read: No such file or directory");
    check_refused("file:/", NULL, GTR_EIO, "/: cannot read: Is a directory");
    check_refused(NULL, "by-the-moon", GTR_EFORMAT,
                  "this trace asks for the groups of by-the-moon, which is no rule; name one with "
                  "--group-by");
    check_refused(NULL, "file:/etc/passwd", GTR_EFORMAT,
                  "this trace asks for the groups of file:/etc/passwd, which is outside it; name "
                  "a rule with --group-by");
}

/* --- file:PATH ------------------------------------------------------------------------------ */

static char file_path[] = P_tmpdir "/test_groups.XXXXXX";

static const char *file_with(const char *text, size_t n)
{
    static char rule[64];
    FILE *f = fopen(file_path, "wb");

    CHECK(f != NULL);
    if (f != NULL) {
        CHECK(fwrite(text, 1, n, f) == n);
        fclose(f);
    }
    snprintf(rule, sizeof rule, "file:%s", file_path);
    return rule;
}

static void a_file_names_groups_by_its_first_match(void)
{
    static const char text[] = "# attention first\n"
                               "\n"
                               "model.layers.0.*\tfirst block\r\n"
                               "  # the rest\n"
                               "*q_proj*\tattention\n"
                               "*.norm.*\t-";
    static const char *const wanted[SMALL] = { "first block", "first block", "up_proj", "attention",
                                               "-" };
    struct gtr_head head;
    struct gtr_groups *groups;

    check_small(file_with(text, sizeof text - 1), wanted);
    head_of(&head, small, SMALL);
    groups = group(file_with(text, sizeof text - 1), &head);
    CHECK(groups != NULL && groups->left_out == 3);
    gtr_groups_free(groups);
    gtr_head_free(&head);
}

static void check_bad_file(const char *text, size_t n, const char *wanted)
{
    char whole[200];

    snprintf(whole, sizeof whole, "%s%s", file_path, wanted);
    check_refused(file_with(text, n), NULL, GTR_EFORMAT, whole);
}

static void a_bad_line_is_told_with_its_number(void)
{
    check_bad_file("*\ta\nmodel.*  b\n", 15, ":2: has no tab; write GLOB<tab>GROUP");
    check_bad_file("\n\n\tb\n", 5, ":3: the glob is empty; write GLOB<tab>GROUP");
    check_bad_file("a\t\n", 3, ":1: the group is empty; write GLOB<tab>GROUP");
    check_bad_file("a\t\r\n", 4, ":1: the group is empty; write GLOB<tab>GROUP");
    check_bad_file("a\tb\tc\n", 6, ":1: has more than one tab; write GLOB<tab>GROUP");
    check_bad_file("", 0, ": holds no groups; write lines GLOB<tab>GROUP");
    check_bad_file("# nothing\n", 10, ": holds no groups; write lines GLOB<tab>GROUP");
    check_bad_file("lm_head*\ta\n", 11, ": none of its globs matches a tensor of this trace");
}

/* --- size, and no memory ---------------------------------------------------------------------- */

/* 10,000 tensors must not mean 10,000 x 10,000 comparisons: this is to end in well under a second
 * for every rule, and the runner would stop it. */
static void many_tensors(void)
{
    static const char *const rules[] = { "module", "layer", "layer.module", "tensor", "aggc" };
    static const size_t wanted[] = { 5000, 10000, 10000, 10000, 5000 };
    struct gtr_head head;
    char name[64];
    size_t i, r;

    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    for (i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "model.part%zu.%zu.name%zu.weight", i, i % 7, i % 5000);
        CHECK(gtr_head_add_tensor(&head, name, "", 1, GTR_F32, NULL) == GTR_OK);
    }
    for (r = 0; r < GTR_ARRAY_LEN(rules); r++) {
        struct gtr_groups *groups = group(rules[r], &head);

        CHECK(groups->n_groups == wanted[r]);
        gtr_groups_free(groups);
    }
    gtr_head_free(&head);
}

static void no_memory_is_an_error_and_nothing_else(void)
{
    static const char *const rules[] = { "module", "layer.module", "lora-ab", "file" };
    static const char text[] = "*\tall of them\n";
    struct gtr_head head;
    size_t r, n;

    head_of(&head, small, SMALL);
    for (r = 0; r < GTR_ARRAY_LEN(rules); r++) {
        const char *rule = strcmp(rules[r], "file") == 0 ? file_with(text, sizeof text - 1) : rules[r];
        struct gtr_groups *groups = NULL;

        for (n = 1; groups == NULL && n < 500; n++) {
            struct gtr_err err = { 0 };

            gtr_alloc_fail_after(n);
            gtr_groups_new(rule, &head, &groups, &err);
            gtr_alloc_fail_after(0);
            CHECK((groups == NULL) == (err.code == GTR_ENOMEM));
        }
        CHECK(groups != NULL && n > 8);
        gtr_groups_free(groups);
    }
    gtr_head_free(&head);
}

static void the_list_of_rules_is_for_people(void)
{
    size_t n, i;
    const struct gtr_group_rule *rules = gtr_group_rules(&n);

    CHECK(n == 9);
    for (i = 0; i < n; i++)
        CHECK(rules[i].name[0] != '\0' && strlen(rules[i].help) < 80);
}

int main(void)
{
    int fd = mkstemp(file_path);

    if (fd < 0) {
        perror(file_path);
        return 1;
    }
    close(fd);
    RUN(llama);
    RUN(peft_lora);
    RUN(gpt2);
    RUN(wrapped_nanogpt);
    RUN(bert);
    RUN(deberta);
    RUN(mixtures_of_experts);
    RUN(megatron_and_first_llama);
    RUN(encoder_and_decoder_are_told_apart);
    RUN(a_head_with_numbers_changes_nothing_else);
    RUN(vision_models);
    RUN(odd_names);
    RUN(the_other_rules);
    RUN(groups_are_numbered_by_first_appearance);
    RUN(what_aggc_leaves_out_is_the_group_minus);
    RUN(the_traces_own_rule_is_the_default);
    RUN(unknown_rules_are_refused);
    RUN(a_file_names_groups_by_its_first_match);
    RUN(a_bad_line_is_told_with_its_number);
    RUN(many_tensors);
    RUN(no_memory_is_an_error_and_nothing_else);
    RUN(the_list_of_rules_is_for_people);
    unlink(file_path);
    return check_report();
}
