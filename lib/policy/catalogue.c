/* catalogue.c - one table of parameters for each policy, and the presets. */
#include "params.h"

#include <string.h>

#include "alloc.h"
#include "order.h"

/* Catches a field without a row, or a row without a field: all parameters are doubles. */
#define EACH_FIELD_HAS_A_ROW(stem)                                    \
    _Static_assert(sizeof(struct gtr_##stem##_params) ==              \
                       GTR_ARRAY_LEN(stem##_params) * sizeof(double), \
                   "each " #stem " parameter has one row")

#define AT(field) offsetof(struct gtr_global_params, field)
/* clang-format off */
static const struct gtr_param_spec global_params[] = {
    /* name, where, default, min, max, choices, help, source */
    { "max_norm",   AT(max_norm),    1.0,  0.0,  HUGE_VAL, NULL,
      "limit on the global norm", "torch, optax" },
    { "eps",        AT(eps),         1e-6, 0.0,  1.0,      NULL,
      "added to the norm that divides", "torch 1e-6, optax 0" },
    { "strict",     AT(strict),      0.0,  0.0,  1.0,      "off|on",
      "leave norms below the limit exactly alone", "optax" },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(global);

#define AT(field) offsetof(struct gtr_group_params, field)
/* clang-format off */
static const struct gtr_param_spec group_params[] = {
    /* name, where, default, min, max, choices, help, source */
    { "max_norm",   AT(max_norm),    1.0,  0.0,  HUGE_VAL, NULL,
      "limit on each group's norm; GROUP=LIMIT for one", "torch, per group" },
    { "quantile",   AT(quantile),    -1.0, -1.0, 1.0,      NULL,
      "set the limits to this quantile of the recorded norms; -1: as given", "ours" },
    { "eps",        AT(eps),         1e-6, 0.0,  1.0,      NULL,
      "added to the norm that divides", "torch" },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(group);

#define AT(field) offsetof(struct gtr_aggc_params, field)
/* clang-format off */
static const struct gtr_param_spec aggc_params[] = {
    /* name, where, default, min, max, choices, help, source */
    { "beta",       AT(beta),        0.95, 0.0,  1.0,      NULL,
      "weight of the past in the average S", "paper, code" },
    { "low",        AT(low),         0.5,  0.0,  1e6,      NULL,
      "lower end of the interval, times S", "paper, code" },
    { "high",       AT(high),        2.0,  0.0,  1e6,      NULL,
      "upper end of the interval, times S", "paper, code" },
    { "low_late",   AT(low_late),    0.0,  -1.0, 1e6,      NULL,
      "low after the transition; 0: as before", "paper, code" },
    { "high_late",  AT(high_late),   0.0,  -1.0, 1e6,      NULL,
      "high after the transition; 0: as before", "paper, code" },
    { "switch",     AT(switch_at),   0.4,  0.0,  1.0,      NULL,
      "part of the run after which the transition starts", "paper, code" },
    { "transition", AT(transition),  0.3,  0.0,  1.0,      NULL,
      "part of the run that it takes", "paper, code" },
    { "schedule",   AT(schedule),    1.0,  0.0,  1.0,      "none|linear",
      "none: the early pair throughout", "code" },
    { "min_norm",   AT(min_norm),    0.0,  0.0,  HUGE_VAL, NULL,
      "least lower end", "code" },
    { "max_norm",   AT(max_norm),    1.0,  0.0,  HUGE_VAL, NULL,
      "upper end of form=fixed", "code, auto_bounds=False" },
    { "raise",      AT(raise),       0.0,  0.0,  1.0,      "off|on",
      "scale norms below the interval up to it", "paper, code" },
    { "max_up",     AT(max_up),      0.0,  0.0,  HUGE_VAL, NULL,
      "largest scale; 0: no cap", "code" },
    { "max_down",   AT(max_down),    0.0,  0.0,  1.0,      NULL,
      "smallest scale; 0: no cap", "code" },
    { "norm_eps",   AT(norm_eps),    0.0,  0.0,  1.0,      NULL,
      "added to the sum of squares; 1e-16 in the code", "code, LoRA runs" },
    { "init",       AT(init_zero),   0.0,  0.0,  1.0,      "first|zero",
      "form=paper: where S starts", "ours" },
    { "form",       AT(form),        0.0,  0.0,  2.0,      "code|paper|fixed",
      "published code, equations, or a fixed interval", "ours" },
};
/* clang-format on */
#undef AT
EACH_FIELD_HAS_A_ROW(aggc);

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

static int aggc_needs_plan(const union gtr_params *params)
{
    const struct gtr_aggc_params *p = &params->aggc;

    return p->schedule != 0.0 && p->form != (double)GTR_AGGC_FIXED &&
           ((p->low_late > 0.0 && p->low_late != p->low) ||
            (p->high_late > 0.0 && p->high_late != p->high));
}

static const struct gtr_policy_spec policies[GTR_POLICY_COUNT] = {
    [GTR_NONE] = { .id = GTR_NONE,
                   .name = "none",
                   .summary = "no clipping",
                   .source = "the run as recorded" },
    [GTR_GLOBAL] = { .id = GTR_GLOBAL,
                     .name = "global",
                     .summary = "one limit for the norm of the whole gradient",
                     .source = "Pascanu, Mikolov, Bengio, ICML 2013; "
                               "torch.nn.utils.clip_grad_norm_; "
                               "optax.clip_by_global_norm (eps=0,strict=on)",
                     .params = global_params,
                     .n_params = GTR_ARRAY_LEN(global_params),
                     .whole_gradient = 1 },
    [GTR_GROUP] = { .id = GTR_GROUP,
                    .name = "group",
                    .summary = "a fixed limit for each group's norm",
                    .source = "torch.nn.utils.clip_grad_norm_, once per group",
                    .params = group_params,
                    .n_params = GTR_ARRAY_LEN(group_params),
                    .per_group = "max_norm",
                    .fit = fit_quantile,
                    .fit_key = "quantile" },
    [GTR_AGGC] = { .id = GTR_AGGC,
                   .name = "aggc",
                   .summary = "each group's norm held in an interval around its own average",
                   .source = "Li, Wu, Chang, Findings of ACL 2026, arXiv 2601.11864; "
                             "github.com/ZhiyuanLi218/AGGC",
                   .params = aggc_params,
                   .n_params = GTR_ARRAY_LEN(aggc_params),
                   .needs_plan = aggc_needs_plan },
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
};

const struct gtr_policy_spec *gtr_policy_spec(enum gtr_policy_id id)
{
    return &policies[id];
}

enum gtr_policy_id gtr_policy_of_group(enum gtr_policy_id policy, int left_out)
{
    return left_out && !gtr_policy_spec(policy)->whole_gradient ? GTR_NONE : policy;
}

const struct gtr_policy_spec *gtr_policy_find(const char *name)
{
    size_t i;

    for (i = 0; i < GTR_POLICY_COUNT; i++)
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
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
    const struct gtr_policy_spec *policy = &policies[id];
    size_t i;

    memset(params, 0, sizeof *params);
    for (i = 0; i < policy->n_params; i++)
        gtr_param_set(&policy->params[i], params, policy->params[i].standard);
}
