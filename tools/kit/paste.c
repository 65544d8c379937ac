/* paste.c - PyTorch, Hugging Face, DeepSpeed, optax, and the published code of AGGC.
 *
 * Only what a program really has is printed as its line: where it would compute something else than
 * the setting, the text says so.  Hugging Face and DeepSpeed read a limit of 0 as "do not clip",
 * and both clip to 1 if nothing is said (DeepSpeed in releases since the middle of 2026).
 */
#include "paste.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tell.h"

/* LABEL, and a number in the one spelling that Python and JSON share. */
static void put_line(FILE *f, const char *label, const char *before, double value,
                     const char *after)
{
    char number[GTR_NUMBER_SIZE];

    gtr_text_print(value, number);
    fprintf(f, "  %-14s%s%s%s\n", label, before, number, after);
}

static void paste_none(FILE *f)
{
    fputs("  PyTorch       no call of clip_grad_norm_\n"
          "  Hugging Face  TrainingArguments(..., max_grad_norm=0.0): left out, it is 1.0\n"
          "  DeepSpeed     \"gradient_clipping\": 0.0: left out, new releases take 1.0\n",
          f);
}

/* --- global --- */

static void paste_global(FILE *f, const struct gtr_global_params *p)
{
    bool torch = p->strict == 0.0 && p->eps == 1e-6;
    bool optax = p->strict != 0.0 && p->eps == 0.0;

    if (isinf(p->max_norm)) {
        paste_none(f);
        return;
    }
    if (optax) {
        put_line(f, "optax", "optax.chain(optax.clip_by_global_norm(", p->max_norm,
                 "), optimizer)");
        return;
    }
    put_line(f, "PyTorch",
             "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=", p->max_norm, ")");
    if (p->max_norm > 0.0) {
        put_line(f, "Hugging Face", "TrainingArguments(..., max_grad_norm=", p->max_norm, ")");
        put_line(f, "DeepSpeed", "\"gradient_clipping\": ", p->max_norm, "");
    } else {
        fputs("  Hugging Face and DeepSpeed read a limit of 0 as no limit\n", f);
    }
    if (!torch)
        fputs("  these have eps=1e-06 and strict=off, which this setting has not\n", f);
}

/* --- group --- */

/* A Python string.  Bytes that are not UTF-8 are spelled as Python reads them from a file name. */
static void put_string(FILE *f, const char *text)
{
    uint32_t letter;
    size_t n;

    fputc('"', f);
    for (; *text != '\0'; text += n > 0 ? n : 1) {
        n = gtr_text_letter(text, &letter);
        if (n == 0)
            fprintf(f, "\\udc%02x", (unsigned)(unsigned char)*text);
        else if (letter == '"' || letter == '\\')
            fprintf(f, "\\%c", *text);
        else if (!gtr_text_is_safe(letter))
            fprintf(f, letter < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)letter);
        else
            fwrite(text, 1, n, f);
    }
    fputc('"', f);
}

static void paste_group(FILE *f, const union gtr_params *params, const char *const *groups,
                        size_t n_groups)
{
    char number[GTR_NUMBER_SIZE];
    bool torch = true;
    size_t j;

    fputs("  PyTorch, with groups[NAME] a list of that group's parameters\n"
          "    limits = {\n",
          f);
    for (j = 0; j < n_groups; j++) {
        const struct gtr_group_params *p = &params[j].group;

        torch = torch && p->eps == 1e-6;
        if (isinf(p->max_norm) || isnan(p->max_norm))
            continue; /* no limit, or no norm to take a quantile of */
        fputs("        ", f);
        put_string(f, groups[j]);
        gtr_text_print(p->max_norm, number);
        fprintf(f, ": %s,\n", number);
    }
    fputs("    }\n"
          "    for name, limit in limits.items():\n"
          "        torch.nn.utils.clip_grad_norm_(groups[name], max_norm=limit)\n"
          "  Hugging Face  TrainingArguments(..., max_grad_norm=0.0), and the lines above in\n"
          "                on_pre_optimizer_step of a TrainerCallback\n",
          f);
    if (!torch)
        fputs("  clip_grad_norm_ has eps=1e-06, which this setting has not\n", f);
}

/* --- aggc --- */

/* What the published code calls our parameters: --per_module_NAME of LoRA/train.py, and NAME under
 * per_module_grad_norm of its verl. */
enum when { ALWAYS, AUTO, SCHEDULED, FIXED };
static const struct flag {
    const char *name;
    size_t offset;
    enum when when;       /* it is looked at */
    const char *words[2]; /* of 0 and 1; NULL for a number */
} flags[] = {
    { "ema_beta", offsetof(struct gtr_aggc_params, beta), AUTO, { NULL, NULL } },
    { "low_mult", offsetof(struct gtr_aggc_params, low), AUTO, { NULL, NULL } },
    { "high_mult", offsetof(struct gtr_aggc_params, high), AUTO, { NULL, NULL } },
    { "bounds_schedule", offsetof(struct gtr_aggc_params, schedule), AUTO, { "none", "linear" } },
    { "low_mult_late", offsetof(struct gtr_aggc_params, low_late), SCHEDULED, { NULL, NULL } },
    { "high_mult_late", offsetof(struct gtr_aggc_params, high_late), SCHEDULED, { NULL, NULL } },
    { "bounds_switch_ratio",
      offsetof(struct gtr_aggc_params, switch_at),
      SCHEDULED,
      { NULL, NULL } },
    { "bounds_transition_ratio",
      offsetof(struct gtr_aggc_params, transition),
      SCHEDULED,
      { NULL, NULL } },
    { "min_norm", offsetof(struct gtr_aggc_params, min_norm), ALWAYS, { NULL, NULL } },
    { "max_norm", offsetof(struct gtr_aggc_params, max_norm), FIXED, { NULL, NULL } },
    { "raise_small", offsetof(struct gtr_aggc_params, raise), ALWAYS, { "False", "True" } },
    { "max_up_scale", offsetof(struct gtr_aggc_params, max_up), ALWAYS, { NULL, NULL } },
    { "max_down_scale", offsetof(struct gtr_aggc_params, max_down), ALWAYS, { NULL, NULL } },
};

static bool is_used(const struct flag *flag, const struct gtr_aggc_params *p)
{
    bool fixed = p->form == (double)GTR_AGGC_FIXED;

    switch (flag->when) {
    case AUTO:
        return !fixed;
    case SCHEDULED:
        return !fixed && p->schedule != 0.0;
    case FIXED:
        return fixed;
    case ALWAYS:
        break;
    }
    return true;
}

/* Arguments of a shell command, on as few lines as are not too long. */
struct arguments {
    FILE *f;
    const char *prefix, *between; /* "--per_module_" and " " */
    size_t column;
};

static void put_argument(struct arguments *line, const char *name, const char *value)
{
    enum { INDENT = 4, COLUMNS = 98 }; /* 100 with the backslash */
    size_t length = strlen(line->prefix) + strlen(name) + strlen(line->between) + strlen(value) + 1;

    if (line->column == 0 || line->column + length > COLUMNS) {
        fprintf(line->f, "%s%*s", line->column > 0 ? " \\\n" : "", INDENT, "");
        line->column = INDENT + length - 1;
    } else {
        fputc(' ', line->f);
        line->column += length;
    }
    fprintf(line->f, "%s%s%s%s", line->prefix, name, line->between, value);
}

static void put_flags(struct arguments *line, const struct gtr_aggc_params *p)
{
    char number[GTR_NUMBER_SIZE];
    size_t i;

    put_argument(line, "auto_bounds", p->form == (double)GTR_AGGC_FIXED ? "False" : "True");
    for (i = 0; i < GTR_ARRAY_LEN(flags); i++) {
        double value;

        if (!is_used(&flags[i], p))
            continue;
        memcpy(&value, (const char *)p + flags[i].offset, sizeof value);
        gtr_text_print(value, number);
        put_argument(line, flags[i].name,
                     flags[i].words[0] == NULL ? number : flags[i].words[value != 0.0]);
    }
    fputc('\n', line->f);
}

static void paste_published(FILE *f, const struct gtr_aggc_params *p)
{
    struct arguments lora = { .f = f, .prefix = "--per_module_", .between = " " };
    struct arguments grpo = { .f = f,
                              .prefix = "actor_rollout_ref.actor.per_module_grad_norm.",
                              .between = "=" };

    fputs("  the published code, LoRA/train.py\n"
          "    --max_grad_norm 0.0 \\\n",
          f);
    put_argument(&lora, "norm", "True");
    put_flags(&lora, p);
    fputs("  the published code, GRPO\n", f);
    put_argument(&grpo, "enable", "True");
    put_argument(&grpo, "keep_global_clip", "False");
    put_flags(&grpo, p);
}

/* The word of a choice: the index-th of "a|b|c". */
static void put_word(FILE *f, const char *choices, size_t index)
{
    while (index > 0 && strchr(choices, '|') != NULL) {
        choices = strchr(choices, '|') + 1;
        index--;
    }
    fprintf(f, "%.*s", (int)strcspn(choices, "|"), choices);
}

static void paste_parameters(FILE *f, const union gtr_params *params)
{
    const struct gtr_policy_spec *spec = gtr_policy_spec(GTR_AGGC);
    char number[GTR_NUMBER_SIZE];
    size_t i;

    fputs("  the published code does not compute form=paper; for code of your own, with the\n"
          "  meanings of gradtrace info --policies\n",
          f);
    for (i = 0; i < spec->n_params; i++) {
        double value = gtr_param_get(&spec->params[i], params);

        fprintf(f, "%s%s=", i % 6 == 0 ? "    " : "", spec->params[i].name);
        gtr_text_print(value, number);
        if (spec->params[i].choices != NULL)
            put_word(f, spec->params[i].choices, (size_t)value);
        else
            fputs(number, f);
        fputc(i % 6 == 5 || i + 1 == spec->n_params ? '\n' : ' ', f);
    }
}

static void paste_aggc(FILE *f, const union gtr_params *params, size_t n_groups)
{
    struct gtr_aggc_params p = params[0].aggc;
    size_t j;

    for (j = 1; j < n_groups; j++) {
        if (memcmp(&p, &params[j].aggc, sizeof p) != 0) {
            fputs("  the published code has one set of values for all groups, and no lines for\n"
                  "  a setting that has several\n",
                  f);
            return;
        }
    }
    if (p.low_late <= 0.0 && p.high_late <= 0.0)
        p.schedule = 0.0; /* it leads nowhere, and needs four arguments less */
    if (p.form == (double)GTR_AGGC_PAPER)
        paste_parameters(f, params);
    else
        paste_published(f, &p);
}

/* --- all others --- */

/* The values by name, and where the code is that takes them. */
static void paste_named(FILE *f, enum gtr_policy_id policy, const union gtr_params *params,
                        size_t n_groups)
{
    const struct gtr_policy_spec *spec = gtr_policy_spec(policy);
    char number[GTR_NUMBER_SIZE];
    bool same = true;
    size_t i, j;

    fprintf(f, "  %s\n  with", spec->source);
    for (i = 0; i < spec->n_params; i++) {
        const struct gtr_param_spec *param = &spec->params[i];
        const double value = gtr_param_get(param, &params[0]);

        for (j = 1; j < n_groups; j++)
            same = same && gtr_param_get(param, &params[j]) == value;
        if (param->choices != NULL)
            continue;
        gtr_text_print(value, number);
        fprintf(f, "%s %s=%s", i > 0 ? "," : "", param->name, number);
    }
    fputs(same ? "\n" : "\n  in the first group; groups have values of their own\n", f);
}

void paste_print(FILE *f, enum gtr_policy_id policy, const union gtr_params *params,
                 const char *const *groups, size_t n_groups)
{
    fputs("to paste into training\n", f);
    switch (policy) {
    case GTR_NONE:
        paste_none(f);
        break;
    case GTR_GLOBAL:
        paste_global(f, &params[0].global);
        break;
    case GTR_GROUP:
        paste_group(f, params, groups, n_groups);
        break;
    case GTR_AGGC:
        paste_aggc(f, params, n_groups);
        break;
    default:
        paste_named(f, policy, params, n_groups);
        break;
    }
}
