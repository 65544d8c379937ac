/* test_groups.c - real models' parameter names, and which group each lands in. */
#include "grouping.h"

static const char *wanted_by(const struct named *name, const char *rule)
{
    return strcmp(rule, "module") == 0  ? name->module
           : strcmp(rule, "aggc") == 0  ? name->aggc
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

/* clang-format off */

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
          "embed_positions", "embed_positions", "encoder.embed_positions",
          "encoder.embed_positions" },
        { "model.decoder.embed_positions.weight",
          "embed_positions", "embed_positions", "decoder.embed_positions",
          "decoder.embed_positions" },
        { "model.decoder.layer_norm.weight", "norm", "layer_norm", "layer_norm", "layer_norm" },
        { "model.shared.weight", "shared", "shared", "shared", "shared" },
    };
    static const struct named t5[] = {
        { "encoder.block.0.layer.0.SelfAttention.q.weight", "q", "q", "encoder.block.0", "encoder.block.0.q" },
        { "decoder.block.0.layer.2.DenseReluDense.wi_0.weight", "wi_0", "wi_0", "decoder.block.0", "decoder.block.0.wi_0" },
        { "decoder.block.0.layer.2.layer_norm.weight", "norm", "layer_norm", "decoder.block.0", "decoder.block.0.norm" },
    };
    /* In the order of characters, "-" would come between the first two. */
    static const struct named dash[] = {
        { "m.x.0.weight", "x", "-", "m.x.0", "m.x.0.x" },
        { "n.m.x.0.weight", "x", "-", "n.m.x.0", "n.m.x.0.x" },
        { "k-m.x.0.weight", "x", "-", "k-m.x.0", "k-m.x.0.x" },
    };
    CHECK_MODEL(names);
    CHECK_MODEL(t5);
    CHECK_MODEL(dash);
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

/* clang-format on */

int main(void)
{
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
    return check_report();
}
