/* catalogue_fixed.c - policies without memory: their parameters. */
#include "catalogue_rows.h"

#include "order.h"

const struct gtr_policy_spec gtr_spec_none = { .id = GTR_NONE,
                                               .unit = (enum gtr_unit)GTR_NONE_UNIT,
                                               .name = "none",
                                               .summary = "no clipping",
                                               .source = "the run as recorded" };

#define AT(field) offsetof(struct gtr_global_params, field)
/* clang-format off */
static const struct gtr_param_spec global_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "max_norm", AT(max_norm), 1.0, 0.0, HUGE_VAL, NULL,
      "limit on the global norm", "torch, optax", NULL },
    { "eps", AT(eps), 1e-6, 0.0, 1.0, NULL,
      "added to the norm that divides", "torch 1e-6, optax 0", NULL },
    { "strict", AT(strict), 0.0, 0.0, 1.0, "off|on",
      "leave norms below the limit exactly alone", "optax", NULL },
    { "form", AT(form), 0.0, 0.0, 4.0, "torch|float|deepspeed|keras|axlearn",
      "whose arithmetic, and what NaN and infinity do", "ours", NULL },
    { "norm", AT(norm_type), 0.0, 0.0, 1.0, "l2|max",
      "the norm: L2, or the largest element", "torch norm_type", NULL },
    { "precision", AT(precision), 0.0, 0.0, 1.0, "fp64|fp32",
      "of the norm and the factor", "ours", NULL },
    { "skip_above", AT(skip_above), HUGE_VAL, 0.0, HUGE_VAL, NULL,
      "leave out steps with a larger norm", "Megatron-LM", NULL },
    { "zero_above", AT(zero_above), HUGE_VAL, 0.0, HUGE_VAL, NULL,
      "gradient 0 from this norm on", "axlearn", NULL },
    { "bad", AT(bad), 0.0, 0.0, 2.0, "as-it-is|skip|one",
      "a norm that is not finite", "DeepSpeed", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(global);

static unsigned global_needs(const union gtr_params *params)
{
    return params->global.norm_type != 0.0 ? GTR_NEED_MAXABS : 0;
}

const struct gtr_policy_spec gtr_spec_global = {
    ENTRY(GTR_GLOBAL, global),
    .name = "global",
    .summary = "one limit for the norm of the whole gradient",
    .source = "Pascanu, Mikolov, Bengio, ICML 2013; torch.nn.utils.clip_grad_norm_; "
              "optax.clip_by_global_norm (eps=0,strict=on)",
    .by_group = 1,
    .needs = global_needs,
    .may_need = GTR_NEED_MAXABS,
};

#define AT(field) offsetof(struct gtr_group_params, field)
/* clang-format off */
static const struct gtr_param_spec group_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "max_norm", AT(max_norm), 1.0, 0.0, HUGE_VAL, NULL,
      "limit on each group's norm; GROUP=LIMIT for one", "torch, per group", NULL },
    { "quantile", AT(quantile), -1.0, -1.0, 1.0, NULL,
      "set the limits to this quantile of the recorded norms; -1: as given", "ours",
      "0.5:0.999:16:logit" },
    { "eps", AT(eps), 1e-6, 0.0, 1.0, NULL,
      "added to the norm that divides", "torch", NULL },
    { "form", AT(form), 0.0, 0.0, 1.0, "torch|keras",
      "whose arithmetic", "ours", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(group);

/* The limit that the group's recorded norms exceed in 1 - quantile of the steps.  The quantile
 * goes, because the limit now says it all: printed, it can be pasted back. */
static void fit_quantile(union gtr_params *params, const double *sorted, size_t n)
{
    if (params->group.quantile < 0.0)
        return;
    if (n > 0)
        params->group.max_norm = gtr_order_quantile(sorted, n, params->group.quantile);
    params->group.quantile = -1.0;
}

const struct gtr_policy_spec gtr_spec_group = {
    ENTRY(GTR_GROUP, group),
    .name = "group",
    .summary = "a fixed limit for each group's norm",
    .source = "torch.nn.utils.clip_grad_norm_, once per group; Keras clipnorm (form=keras)",
    .per_group = "max_norm",
    .fit = fit_quantile,
    .fit_key = "quantile",
};

#define AT(field) offsetof(struct gtr_rms_params, field)
/* clang-format off */
static const struct gtr_param_spec rms_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "threshold", AT(threshold), 1.0, 0.0, HUGE_VAL, NULL,
      "largest root mean square of an element", "optax", "0.0001:1:16:log" },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(rms);

static unsigned rms_needs(const union gtr_params *params)
{
    (void)params;
    return GTR_NEED_NUMEL;
}

const struct gtr_policy_spec gtr_spec_rms = {
    ENTRY(GTR_RMS, rms),
    .name = "rms",
    .summary = "the root mean square of each group's elements held below a threshold",
    .source = "optax.clip_by_block_rms",
    .per_group = "threshold",
    .needs = rms_needs,
    .may_need = GTR_NEED_NUMEL,
};

#define AT(field) offsetof(struct gtr_agc_params, field)
/* clang-format off */
static const struct gtr_param_spec agc_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "factor", AT(factor), 0.01, 0.0, 1e6, NULL,
      "largest norm, times the weights'", "paper, timm", "0.003:0.3:16:log" },
    { "eps", AT(eps), 1e-3, 0.0, 1e6, NULL,
      "least norm of the weights", "paper, timm", NULL },
    { "form", AT(form), 0.0, 0.0, 1.0, "timm|composer",
      "timm and optax, or Composer: what NaN and zero do", "ours", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(agc);

static unsigned agc_needs(const union gtr_params *params)
{
    (void)params;
    return GTR_NEED_WEIGHTS;
}

const struct gtr_policy_spec gtr_spec_agc = {
    ENTRY(GTR_AGC, agc),
    .name = "agc",
    .summary = "each group's norm held to a part of the norm of its weights",
    .source = "Brock et al., ICML 2021; timm adaptive_clip_grad; optax.adaptive_grad_clip",
    .per_group = "factor",
    .needs = agc_needs,
    .may_need = GTR_NEED_WEIGHTS,
};
