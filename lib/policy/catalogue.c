/* catalogue.c - the policies by name and number, and the presets. */
#include "params.h"

#include <string.h>

#include "alloc.h"

static const struct gtr_policy_spec *const policies[GTR_POLICY_COUNT] = {
#define X(ID, stem, unit) [ID] = &gtr_spec_##stem,
    GTR_POLICIES(X)
#undef X
};

static const struct gtr_preset presets[] = {
    { "aggc-paper", GTR_AGGC,
      "form=paper,beta=0.95,low=0.5,high=2,low_late=0.8,high_late=1.2,switch=0.4,transition=0.3,"
      "raise=on",
      "the equations of the paper", "numbers are ours: the paper's own settings are not public" },
    { "aggc-code-lora", GTR_AGGC,
      "form=code,beta=0.95,low=0.95,high=0.6,low_late=0.98,high_late=0.7,switch=0.4,"
      "transition=0.3,min_norm=0.01,raise=off,max_up=1.1,max_down=0.9",
      "the published code, LoRA fine-tuning", "github.com/ZhiyuanLi218/AGGC, LoRA settings" },
    { "aggc-code-grpo", GTR_AGGC,
      "form=code,beta=0.99,low=0.98,high=0.7,low_late=0.98,high_late=0.999,switch=0.6,"
      "transition=0.2,min_norm=0,raise=on,max_up=1.1,max_down=0.9",
      "the published code, reinforcement learning (GRPO)",
      "github.com/ZhiyuanLi218/AGGC, GRPO settings" },
    { "torch", GTR_GLOBAL, "max_norm=1", "one limit as PyTorch and most trainers have it",
      "torch.nn.utils.clip_grad_norm_; Trainer, Accelerate, Lightning" },
    { "torch-inf", GTR_GLOBAL, "max_norm=1,norm=max", "the largest element held to the limit",
      "torch.nn.utils.clip_grad_norm_ with norm_type=inf" },
    { "optax", GTR_GLOBAL, "max_norm=1,eps=0,strict=on", "one limit as optax has it",
      "optax.clip_by_global_norm" },
    { "optax-fp32", GTR_GLOBAL, "max_norm=1,eps=0,strict=on,precision=fp32",
      "the same on fp32 gradients", "optax.clip_by_global_norm" },
    { "megatron", GTR_GLOBAL, "max_norm=1,form=float",
      "one limit as Megatron-LM has it; skip_above leaves steps out",
      "NVIDIA/Megatron-LM, clip_grads.py" },
    { "deepspeed", GTR_GLOBAL, "max_norm=1,form=deepspeed,bad=skip",
      "ZeRO; steps that are not finite are left out", "DeepSpeed 0.16 and later" },
    { "deepspeed-15", GTR_GLOBAL, "max_norm=1,form=deepspeed,bad=one",
      "ZeRO; a norm that is not finite counted as 1", "DeepSpeed up to 0.15" },
    { "keras-global", GTR_GLOBAL, "max_norm=1,form=keras", "global_clipnorm",
      "keras.optimizers, global_clipnorm" },
    { "keras-clipnorm", GTR_GROUP, "max_norm=1,form=keras",
      "clipnorm: each variable by itself, with --group-by tensor", "keras.optimizers, clipnorm" },
    { "axlearn", GTR_GLOBAL, "max_norm=1,eps=1e-8,form=axlearn",
      "one limit as axlearn has it; zero_above drops gradients",
      "apple/axlearn, clip_by_global_norm" },
    { "zclip-mean", GTR_ZCLIP, "form=mean", "ZClip, spikes brought to the mean",
      "bluorion-com/ZClip, clip_option mean" },
    { "zclip-percentile", GTR_ZCLIP, "form=percentile", "ZClip, percentile mode",
      "bluorion-com/ZClip, mode percentile" },
    { "adagc-paddle", GTR_ADAGC, "form=paddle,warmup=101,eps=1e-8", "AdaGC as Paddle has it",
      "PaddlePaddle/Paddle" },
    { "adagc-optimizer", GTR_ADAGC, "form=optimizer,ratio=1.05,beta=0.98,eps=1e-8",
      "AdaGC as pytorch_optimizer has it", "pytorch_optimizer 4" },
    { "levanter-skip", GTR_SKIPSTEP, "form=levanter", "SkipStep as levanter has it",
      "stanford-crfm/levanter, SkipStepConfig" },
    { "agc-composer", GTR_AGC, "form=composer", "AGC as Composer has it",
      "mosaicml/composer, gradient_clipping" },
};

const struct gtr_policy_spec *gtr_policy_spec(enum gtr_policy_id id)
{
    return policies[id];
}

enum gtr_policy_id gtr_policy_of_group(enum gtr_policy_id policy, int left_out)
{
    return left_out && gtr_policy_spec(policy)->unit != GTR_WHOLE ? GTR_NONE : policy;
}

const struct gtr_policy_spec *gtr_policy_find(const char *name)
{
    size_t i;

    for (i = 0; i < GTR_POLICY_COUNT; i++)
        if (strcmp(policies[i]->name, name) == 0)
            return policies[i];
    return NULL;
}

const struct gtr_param_spec *gtr_param_find(const struct gtr_policy_spec *policy, const char *name)
{
    size_t i;

    for (i = 0; i < policy->n_params; i++)
        if (strcmp(policy->params[i].name, name) == 0)
            return &policy->params[i];
    return NULL;
}

const struct gtr_preset *gtr_presets(size_t *n_presets)
{
    *n_presets = GTR_ARRAY_LEN(presets);
    return presets;
}

const struct gtr_preset *gtr_preset_find(const char *name)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(presets); i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}

double gtr_param_get(const struct gtr_param_spec *param, const union gtr_params *params)
{
    double value;

    memcpy(&value, (const char *)params + param->offset, sizeof value);
    return value;
}

void gtr_param_set(const struct gtr_param_spec *param, union gtr_params *params, double value)
{
    memcpy((char *)params + param->offset, &value, sizeof value);
}

void gtr_params_init(enum gtr_policy_id id, union gtr_params *params)
{
    const struct gtr_policy_spec *policy = policies[id];
    size_t i;

    memset(params, 0, sizeof *params);
    for (i = 0; i < policy->n_params; i++)
        gtr_param_set(&policy->params[i], params, policy->params[i].standard);
}
