/* catalogue_whole.c - policies whose limit on the whole gradient follows the run: parameters. */
#include "catalogue_rows.h"

#include "look.h"

#define AT(field) offsetof(struct gtr_zclip_params, field)
/* clang-format off */
static const struct gtr_param_spec zclip_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "alpha", AT(alpha), 0.97, 0.0, 1.0, NULL,
      "weight of the past in mean and variance", "paper, code", "0.9:0.99:16:logit" },
    { "z_max", AT(z_max), 2.5, 0.0, 1e6, NULL,
      "deviations above the mean that make a spike", "paper, code", "1.5:4:16" },
    { "warmup", AT(warmup), 25.0, 1.0, 1e6, NULL,
      "steps that mean and variance start from", "code", NULL },
    { "max_norm", AT(max_norm), 1.0, 0.0, HUGE_VAL, NULL,
      "cap on the norm besides; inf: none", "code", NULL },
    { "factor", AT(factor), 1.0, 0.0, 1e6, NULL,
      "times what a spike is brought to (adaptive)", "code", "0.5:1:11" },
    { "form", AT(form), 0.0, 0.0, 2.0, "adaptive|mean|percentile",
      "where a spike is brought to", "paper, code", NULL },
    { "update", AT(update), 1.0, 0.0, 1.0, "off|on",
      "spikes enter the averages too", "code skip_update_on_spike", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(zclip);

static const struct gtr_look zclip_look = { "warmup", gtr_zclip_look_size, gtr_zclip_look };

const struct gtr_policy_spec gtr_spec_zclip = {
    ENTRY(GTR_ZCLIP, zclip),
    .name = "zclip",
    .summary = "a norm many deviations above its mean is brought down",
    .source = "Kumar et al., ZClip, arXiv 2504.02507; github.com/bluorion-com/ZClip",
    .look = &zclip_look,
};

#define AT(field) offsetof(struct gtr_autoclip_params, field)
/* clang-format off */
static const struct gtr_param_spec autoclip_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "percentile", AT(percentile), 10.0, 0.0, 100.0, NULL,
      "of all norms so far: the limit", "paper, code", "50:99.5:16" },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(autoclip);

static const struct gtr_look autoclip_look = { "percentile", gtr_autoclip_look_size,
                                               gtr_autoclip_look };

const struct gtr_policy_spec gtr_spec_autoclip = {
    ENTRY(GTR_AUTOCLIP, autoclip),
    .name = "autoclip",
    .summary = "the limit is a percentile of all norms so far",
    .source = "Seetharaman et al., AutoClip, arXiv 2007.14469; github.com/pseeth/autoclip",
    .look = &autoclip_look,
};

#define AT(field) offsetof(struct gtr_adagc_global_params, field)
/* clang-format off */
static const struct gtr_param_spec adagc_global_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "ratio", AT(ratio), 1.04, 1.0, 1e6, NULL,
      "largest norm, times the average", "code", "1.02:1.5:16:log" },
    { "beta", AT(beta), 0.99, 0.0, 1.0, NULL,
      "weight of the past in the average", "code", "0.95:0.999:16:logit" },
    { "max_norm", AT(max_norm), 1.0, 0.0, HUGE_VAL, NULL,
      "limit on the global norm during warm-up", "code", NULL },
    { "warmup", AT(warmup), 100.0, 0.0, 1e9, NULL,
      "steps of warm-up", "code 100, Paddle 101", NULL },
    { "eps", AT(eps), 1e-6, 0.0, 1.0, NULL,
      "added to the norm that divides", "code 1e-6, Paddle 1e-8", NULL },
    { "form", AT(form), 0.0, 0.0, 2.0, "torch|paddle|optimizer",
      "the authors', Paddle's, or pytorch_optimizer's", "ours", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(adagc_global);

const struct gtr_policy_spec gtr_spec_adagc_global = {
    ENTRY(GTR_ADAGC_GLOBAL, adagc_global),
    .name = "adagc-global",
    .summary = "AdaGC on the norm of the whole gradient",
    .source = "github.com/lishuai-97/AdaGC, AdaGC-Global",
};

#define AT(field) offsetof(struct gtr_skipstep_params, field)
/* clang-format off */
static const struct gtr_param_spec skipstep_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "window", AT(window), 128.0, 1.0, 1e5, NULL,
      "steps that are looked back at", "code", "16,32,64,128,256,512" },
    { "sigmas", AT(sigmas), 6.0, 0.0, 1e6, NULL,
      "deviations above the mean that are too many", "code", "2:8:13" },
    { "use_loss", AT(use_loss), 1.0, 0.0, 1.0, "off|on",
      "look at the loss too", "code", NULL },
    { "form", AT(form), 0.0, 0.0, 1.0, "olmo-core|levanter",
      "whose arithmetic and count", "ours", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(skipstep);

static unsigned skipstep_needs(const union gtr_params *params)
{
    return params->skipstep.use_loss != 0.0 ? GTR_NEED_LOSS : 0;
}

static const struct gtr_look skipstep_look = { "window,form", gtr_skipstep_look_size,
                                               gtr_skipstep_look };

const struct gtr_policy_spec gtr_spec_skipstep = {
    ENTRY(GTR_SKIPSTEP, skipstep),
    .name = "skipstep",
    .summary = "steps whose loss or norm stands out of the last ones are left out",
    .source = "github.com/allenai/OLMo-core, SkipStepOptimizer; levanter, SkipStepConfig",
    .needs = skipstep_needs,
    .may_need = GTR_NEED_LOSS,
    .look = &skipstep_look,
};

#define AT(field) offsetof(struct gtr_llmc_params, field)
/* clang-format off */
static const struct gtr_param_spec llmc_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "window", AT(window), 128.0, 2.0, 1e5, NULL,
      "steps that are looked back at", "code", NULL },
    { "z_loss", AT(z_loss), 0.0, 0.0, 1e6, NULL,
      "z of the loss that is too much; 0: off", "code -sl", "2:11:10" },
    { "z_norm", AT(z_norm), 0.0, 0.0, 1e6, NULL,
      "z of the norm that is too much; 0: off", "code -sg", "2:11:10" },
    { "max_norm", AT(max_norm), 1.0, 0.0, HUGE_VAL, NULL,
      "limit on the norm of steps that are taken", "code", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(llmc);

static unsigned llmc_needs(const union gtr_params *params)
{
    return params->llmc.z_loss != 0.0 ? GTR_NEED_LOSS : 0;
}

static const struct gtr_look llmc_look = { "window", gtr_llmc_look_size, gtr_llmc_look };

const struct gtr_policy_spec gtr_spec_llmc = {
    ENTRY(GTR_LLMC, llmc),
    .name = "llmc",
    .summary = "steps whose loss or norm is an outlier are left out; the others clipped",
    .source = "github.com/karpathy/llm.c, outlier_detector.h and train_gpt2.cu",
    .needs = llmc_needs,
    .may_need = GTR_NEED_LOSS,
    .look = &llmc_look,
};

#define AT(field) offsetof(struct gtr_trellis_params, field)
/* clang-format off */
static const struct gtr_param_spec trellis_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "percentile", AT(percentile), 95.0, 0.0, 100.0, NULL,
      "of the last norms: the limit", "code", "50:99.5:16" },
    { "window", AT(window), 1000.0, 1.0, 1e5, NULL,
      "norms that are looked back at", "code", "50,100,200,500,1000" },
    { "max_norm", AT(max_norm), HUGE_VAL, 0.0, HUGE_VAL, NULL,
      "largest limit, and the limit at first; inf: none", "code", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(trellis);

static const struct gtr_look trellis_look = { "percentile,window", gtr_trellis_look_size,
                                              gtr_trellis_look };

const struct gtr_policy_spec gtr_spec_trellis = {
    ENTRY(GTR_TRELLIS, trellis),
    .name = "trellis",
    .summary = "the limit is a percentile of the last norms",
    .source = "github.com/microsoft/TRELLIS, AdaptiveGradClipper",
    .look = &trellis_look,
};

#define AT(field) offsetof(struct gtr_emaclip_params, field)
/* clang-format off */
static const struct gtr_param_spec emaclip_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "fast", AT(fast), 0.9, 0.0, 1.0, NULL,
      "weight of the past in what is clipped to", "code", "0.5:0.99:16:logit" },
    { "slow", AT(slow), 0.99, 0.0, 1.0, NULL,
      "weight of the past in what is clipped", "code", "0.9:0.999:16:logit" },
    { "above", AT(above), 2.0, 0.0, 1e6, NULL,
      "norms above so many slow averages are clipped", "code", "1.2:5:16:log" },
    { "to", AT(to), 1.1, 0.0, 1e6, NULL,
      "and to so many fast averages", "code", "0.5:2:16:log" },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(emaclip);

static const struct gtr_look emaclip_look = { "fast,slow", gtr_emaclip_look_size,
                                              gtr_emaclip_look };

const struct gtr_policy_spec gtr_spec_emaclip = {
    ENTRY(GTR_EMACLIP, emaclip),
    .name = "emaclip",
    .summary = "norms far above a slow average are clipped to a fast one",
    .source = "github.com/tum-pbs/pde-transformer, EmaGradClip",
    .look = &emaclip_look,
};

#define AT(field) offsetof(struct gtr_sigma_params, field)
/* clang-format off */
static const struct gtr_param_spec sigma_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "beta", AT(beta), 0.99, 0.0, 1.0, NULL,
      "weight of the past in mean and variance", "Open-Sora Plan", "0.9:0.999:16:logit" },
    { "sigmas", AT(sigmas), 3.0, 0.0, 1e6, NULL,
      "deviations above the mean that are too many", "Open-Sora Plan", "1.5:6:16" },
    { "max_start", AT(max_start), 1.0, 0.0, HUGE_VAL, NULL,
      "largest mean at the first step", "Open-Sora Plan", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(sigma);

const struct gtr_policy_spec gtr_spec_sigma = {
    ENTRY(GTR_SIGMA, sigma),
    .name = "sigma",
    .summary = "a norm many deviations above its mean is clipped, and not remembered",
    .source = "Open-Sora Plan 1.5 and MindSpeed-MM, as described; not checked against their code",
};

#define AT(field) offsetof(struct gtr_rolling_params, field)
/* clang-format off */
static const struct gtr_param_spec rolling_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "window", AT(window), 128.0, 1.0, 1e5, NULL,
      "norms that are looked back at", "code", "16,32,64,128,256,512" },
    { "sigmas", AT(sigmas), 3.0, 0.0, 1e6, NULL,
      "deviations above their mean: the limit", "code", "1:6:16" },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(rolling);

static const struct gtr_look rolling_look = { "window", gtr_rolling_look_size, gtr_rolling_look };

const struct gtr_policy_spec gtr_spec_rolling = {
    ENTRY(GTR_ROLLING, rolling),
    .name = "levanter-clip",
    .summary = "the limit is the mean of the last norms and some deviations",
    .source = "github.com/stanford-crfm/levanter, clip_update_norm",
    .look = &rolling_look,
};
