/* catalogue_adaptive.c - policies whose limits follow each group's or tensor's past: parameters. */
#include "catalogue_rows.h"

#include "look.h"

#define AT(field) offsetof(struct gtr_aggc_params, field)
/* clang-format off */
static const struct gtr_param_spec aggc_params[] = {
    /* name, where, default, min, max, choices, help, source */
    { "beta",       AT(beta),        0.95, 0.0,  1.0,      NULL,
      "weight of the past in the average S", "paper, code", "0.8:0.999:16:logit" },
    { "low",        AT(low),         0.5,  0.0,  1e6,      NULL,
      "lower end of the interval, times S", "paper, code", "0.05:1:16:log" },
    { "high",       AT(high),        2.0,  0.0,  1e6,      NULL,
      "upper end of the interval, times S", "paper, code", "0.5:8:16:log" },
    { "low_late",   AT(low_late),    0.0,  -1.0, 1e6,      NULL,
      "low after the transition; 0: as before", "paper, code", NULL },
    { "high_late",  AT(high_late),   0.0,  -1.0, 1e6,      NULL,
      "high after the transition; 0: as before", "paper, code", NULL },
    { "switch",     AT(switch_at),   0.4,  0.0,  1.0,      NULL,
      "part of the run after which the transition starts", "paper, code", NULL },
    { "transition", AT(transition),  0.3,  0.0,  1.0,      NULL,
      "part of the run that it takes", "paper, code", NULL },
    { "schedule",   AT(schedule),    1.0,  0.0,  1.0,      "none|linear",
      "none: the early pair throughout", "code", NULL },
    { "min_norm",   AT(min_norm),    0.0,  0.0,  HUGE_VAL, NULL,
      "least lower end", "code", NULL },
    { "max_norm",   AT(max_norm),    1.0,  0.0,  HUGE_VAL, NULL,
      "upper end of form=fixed", "code, auto_bounds=False", NULL },
    { "raise",      AT(raise),       0.0,  0.0,  1.0,      "off|on",
      "scale norms below the interval up to it", "paper, code", NULL },
    { "max_up",     AT(max_up),      0.0,  0.0,  HUGE_VAL, NULL,
      "largest scale; 0: no cap", "code", NULL },
    { "max_down",   AT(max_down),    0.0,  0.0,  1.0,      NULL,
      "smallest scale; 0: no cap", "code", NULL },
    { "norm_eps",   AT(norm_eps),    0.0,  0.0,  1.0,      NULL,
      "added to the sum of squares; 1e-16 in the code", "code, LoRA runs", NULL },
    { "init",       AT(init_zero),   0.0,  0.0,  1.0,      "first|zero",
      "form=paper: where S starts", "ours", NULL },
    { "form",       AT(form),        0.0,  0.0,  2.0,      "code|paper|fixed",
      "published code, equations, or a fixed interval", "ours", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(aggc);

static int aggc_needs_plan(const union gtr_params *params)
{
    const struct gtr_aggc_params *p = &params->aggc;

    return p->schedule != 0.0 && p->form != (double)GTR_AGGC_FIXED &&
           ((p->low_late > 0.0 && p->low_late != p->low) ||
            (p->high_late > 0.0 && p->high_late != p->high));
}

const struct gtr_policy_spec gtr_spec_aggc = {
    ENTRY(GTR_AGGC, aggc),
    .name = "aggc",
    .summary = "each group's norm held in an interval around its own average",
    .source = "Li, Wu, Chang, Findings of ACL 2026, arXiv 2601.11864; github.com/ZhiyuanLi218/AGGC",
    .needs_plan = aggc_needs_plan,
};

#define AT(field) offsetof(struct gtr_adagc_params, field)
/* clang-format off */
static const struct gtr_param_spec adagc_params[] = {
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
EACH_FIELD_HAS_A_ROW(adagc);

const struct gtr_policy_spec gtr_spec_adagc = {
    ENTRY(GTR_ADAGC, adagc),
    .name = "adagc",
    .summary = "each tensor's norm held to a multiple of its own average",
    .source = "Wang et al., AdaGC, arXiv 2502.11034; github.com/lishuai-97/AdaGC",
};

#define AT(field) offsetof(struct gtr_olmo_params, field)
/* clang-format off */
static const struct gtr_param_spec olmo_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "ratio", AT(ratio), 1.5, 0.0, 1e6, NULL,
      "largest norm, times the average", "code, no default", "1.1:3:16:log" },
    { "beta", AT(beta), 0.95, 0.0, 1.0, NULL,
      "the larger of the optimizer's two betas", "code", "0.9:0.999:16:logit" },
    { "precision", AT(precision), 1.0, 0.0, 1.0, "fp64|fp32",
      "of all numbers", "code fp32", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(olmo);

const struct gtr_policy_spec gtr_spec_olmo = {
    ENTRY(GTR_OLMO, olmo),
    .name = "olmo",
    .summary = "each tensor's norm held to a multiple of its average, as OLMo does",
    .source = "github.com/allenai/OLMo, olmo/optim.py (max_grad_norm_ratio)",
};

#define AT(field) offsetof(struct gtr_stablespam_params, field)
/* clang-format off */
static const struct gtr_param_spec stablespam_params[] = {
    /* name, where, default, min, max, choices, help, source, range */
    { "beta1", AT(beta1), 0.7, 0.0, 1.0, NULL,
      "weight of the past in the average norm", "code gamma1", "0.5:0.99:16:logit" },
    { "beta2", AT(beta2), 0.9, 0.0, 1.0, NULL,
      "and in the average of its square", "code gamma2", "0.8:0.999:16:logit" },
    { "theta", AT(theta), 0.999, 0.0, 1.0, NULL,
      "and in the average of the largest element", "code gamma3", "0.9:0.9999:16:logit" },
    { "eps", AT(eps), 1e-8, 0.0, 1.0, NULL,
      "added to the root that divides", "code", NULL },
    { "gap", AT(gap), 1000.0, 1.0, 1e9, NULL,
      "steps after which bias corrections start again", "code update_proj_gap", NULL },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(stablespam);

static unsigned stablespam_needs(const union gtr_params *params)
{
    (void)params;
    return GTR_NEED_MAXABS;
}

static const struct gtr_look stablespam_look = { "beta1,beta2,theta,gap", gtr_stablespam_look_size,
                                                 gtr_stablespam_look };

const struct gtr_policy_spec gtr_spec_stablespam = {
    ENTRY(GTR_STABLESPAM, stablespam),
    .name = "stablespam",
    .summary = "each tensor's norm brought to its own average; largest elements cut",
    .source = "Huang et al., Stable-SPAM, arXiv 2502.17055; github.com/TianjinYellow/StableSPAM",
    .needs = stablespam_needs,
    .may_need = GTR_NEED_MAXABS,
    .look = &stablespam_look,
};
