/* columns.c - the names that trainers and trackers write.
 *
 * The lists were gathered from what Hugging Face Trainer, Lightning, Composer, TorchTitan,
 * Megatron, fairseq, OLMo, verl, Weights & Biases, TensorBoard and the AGGC reference code write.
 */
#define _GNU_SOURCE
#include "columns.h"

#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "text.h"

enum { USUAL_MAX = 24 };

static const struct {
    const char *name;
    const char *usual[USUAL_MAX]; /* most usual first, then NULL */
} roles[GTR_ROLE_COUNT] = {
    /* The trainer's own count goes before the tracker's (_step counts calls of wandb.log). */
    [GTR_ROLE_STEP] = { "step",
                        { "step", "global_step", "train/global_step", "trainer/global_step",
                          "training/global_step", "data/training/global_step", "iteration",
                          "num_updates", "iter", "train_step", "optimizer_step", "current_step",
                          "_step" } },
    [GTR_ROLE_NAME] = { "name",
                        { "module", "layer_id", "layer", "name", "param", "param_name", "parameter",
                          "tensor", "group" } },
    [GTR_ROLE_NORM] = { "norm",
                        { "norm", "grad_norm", "grad_l2", "l2", "l2_norm", "grad_l2_norm",
                          "gradient_norm", "gnorm" } },
    [GTR_ROLE_SUMSQ] = { "sumsq", { "sumsq", "grad_sumsq", "sum_sq", "sum_of_squares" } },
    [GTR_ROLE_SERIES] = { "series", { NULL } },
    [GTR_ROLE_LOSS] = { "loss",
                        { "loss", "train/loss", "train_loss_step", "training_loss", "lm_loss",
                          "lm loss", "lm-loss-training/lm loss", "reduced_train_loss",
                          "train/CE loss", "train/CrossEntropyLoss", "loss/train/total",
                          "loss_metrics/global_avg_loss", "train loss", "trl", "train_loss" } },
    [GTR_ROLE_LR] = { "lr",
                      { "lr", "learning_rate", "train/learning_rate", "train/lr", "learning-rate",
                        "learning rate", "learning-rate/learning-rate", "optim/LR (group 0)",
                        "optim/learning_rate_group0", "lr-AdamW", "lr-Adam", "lr-SGD",
                        "lr-DecoupledAdamW/group0" } },
    [GTR_ROLE_WEIGHT] = { "weight_norm", { "weight_norm", "param_norm" } },
    [GTR_ROLE_MAXABS] = { "maxabs", { "maxabs", "max_abs", "grad_maxabs" } },
    [GTR_ROLE_NUMEL] = { "numel", { "numel", "n_elements" } },
};

/* clang-format off */
static const char *const not_norms[] = {
    "", "time", "wall time", "wall_time", "walltime", "timestamp", "_timestamp", "_runtime",
    "relative time", "relative_time", "elapsed", "elapsed_time", "seconds", "date", "epoch",
    "train/epoch", "index", "rank", "seed", "batch", "batch_size", "tokens", "samples", "val_loss",
    "eval_loss", "eval/loss", "val/loss", "test_loss", "accuracy", "acc", "perplexity", "ppl",
    "throughput", "memory", "loss_scale", "tokens_per_second", "samples_per_second",
};
/* clang-format on */

/* What trackers put before or after the name of a part of the model; then norms of anything; then
 * names that only parts of a model have. */
static const struct gtr_glob usual_globs[] = {
    { "grad_sumsq/*", 0, true },
    { "grad_norm/*", 1, false },
    { "*/grad_norm/*", 1, false },
    { "grad_norms/*", 1, false },
    { "*/grad_norms/*", 1, false },
    { "gradient_norm/*", 1, false },
    { "gradient_norms/*", 1, false },
    { "grad_l2/*", 1, false },
    { "grad/*.norm", 1, false },
    { "grad_2.0_norm/*", 2, false },
    { "l2_norm/grad/*", 3, false },
    { "layer_grad_l2_norm/*", 3, false },
    { "gradients/*", 4, false },
    { "*/gradients/*", 4, false },
    { "grads/*", 4, false },
    { "*/grad_l2", 5, false },
    { "*/grad_norm", 5, false },
    { "*.grad_norm", 5, false },
    { "*/gnorm", 5, false },
    { "*grad_norm*", 6, false },
    { "*grad_l2*", 6, false },
    { "*grad-norm*", 6, false },
    { "*grad norm*", 6, false },
    { "*gradnorm*", 6, false },
    { "*gradient_norm*", 6, false },
    { "*gradient norm*", 6, false },
    { "*gradient-norm*", 6, false },
    { "*grad_*_norm*", 6, false },
    { "gnorm", 7, false },
    { "norm", 7, false },
    { "l2_norm", 7, false },
    { "l2", 7, false },
    { "*_proj", 8, false },
    { "*.weight", 8, false },
    { "*.bias", 8, false },
    { "*.lora_[AB].*", 8, false },
};

/* In names that a usual glob matches: what is said of norms, and is none. */
/* clang-format off */
static const char *const about_norms[] = {
    "max_grad_norm", "max_gradient_norm", "max-grad-norm", "max_norm", "threshold", "limit",
    "clip_value", "clip_coef", "clip_frac", "clipfrac", "clip_rate", "clip_ratio", "clip_count",
    "num_clipped", "norm_clip", "_var", "_std", "/var", "/std", "ratio", "cosine",
};
/* clang-format on */

const char *gtr_role_name(enum gtr_role role)
{
    return roles[role].name;
}

size_t gtr_role_rank(enum gtr_role role, const char *name)
{
    size_t i;

    for (i = 0; i < USUAL_MAX && roles[role].usual[i] != NULL; i++)
        if (strcasecmp(roles[role].usual[i], name) == 0)
            return i;
    return SIZE_MAX;
}

void gtr_role_list(enum gtr_role role, char *out, size_t size)
{
    size_t used = 0, i;

    out[0] = '\0';
    for (i = 0; i < USUAL_MAX && roles[role].usual[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 roles[role].usual[i]);
    if (used >= size)
        memcpy(out + size - 4, "...", 4);
}

bool gtr_columns_is_time(const char *name)
{
    return *name == '\0' || strcasestr(name, "time") != NULL || strcasecmp(name, "index") == 0 ||
           strcasecmp(name, "date") == 0 || strcasecmp(name, "seconds") == 0 ||
           strcasecmp(name, "elapsed") == 0;
}

bool gtr_columns_is_epoch(const char *name)
{
    const char *slash = strrchr(name, '/');

    return strcasecmp(slash != NULL ? slash + 1 : name, "epoch") == 0;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Something else than a norm. */
static bool is_else(const char *name)
{
    static const enum gtr_role norms[] = { GTR_ROLE_NORM, GTR_ROLE_SUMSQ };
    size_t i;

    for (i = 0; i < GTR_ROLE_COUNT; i++)
        if (i != norms[0] && i != norms[1] && gtr_role_rank((enum gtr_role)i, name) != SIZE_MAX)
            return true;
    for (i = 0; i < GTR_ARRAY_LEN(not_norms); i++)
        if (strcasecmp(not_norms[i], name) == 0)
            return true;
    /* Weights & Biases' CSV gives every curve its envelope as well; ours has other matrices. */
    return ends_with(name, "__MIN") || ends_with(name, "__MAX") ||
           strncmp(name, "grad_maxabs/", 12) == 0 || strncmp(name, "grad_nonfinite/", 15) == 0;
}

bool gtr_columns_reserved(const char *name)
{
    return gtr_role_rank(GTR_ROLE_NORM, name) != SIZE_MAX ||
           gtr_role_rank(GTR_ROLE_SUMSQ, name) != SIZE_MAX || is_else(name);
}

/* --- --columns ------------------------------------------------------------------------------- */

static enum gtr_code unknown_role(const char *word, struct gtr_err *err)
{
    const char *names[GTR_ROLE_COUNT], *nearest;
    size_t i;

    for (i = 0; i < GTR_ROLE_COUNT; i++)
        names[i] = roles[i].name;
    nearest = gtr_text_nearest(word, names, GTR_ROLE_COUNT);
    return gtr_fail(err, GTR_EUSAGE,
                    "--columns %.60s: must be one of step, name, norm, sumsq, series, loss, lr, "
                    "weight_norm, maxabs, numel%s%s%s",
                    word, nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "?" : "");
}

/* One KEY=VALUE. */
static enum gtr_code parse_entry(char *entry, struct gtr_columns *columns, struct gtr_err *err)
{
    char *value = strchr(entry, '=');
    size_t i;

    if (value == NULL || value[1] == '\0')
        return gtr_fail(err, GTR_EUSAGE, "--columns %.60s: write KEY=COLUMN, as in step=iteration",
                        entry);
    *value++ = '\0';
    for (i = 0; i < GTR_ROLE_COUNT && strcmp(roles[i].name, entry) != 0;)
        i++;
    if (i == GTR_ROLE_COUNT)
        return unknown_role(entry, err);
    if (columns->given[i] != NULL)
        return gtr_fail(err, GTR_EUSAGE, "--columns %s: given twice (%.60s and %.60s)", entry,
                        columns->given[i], value);
    columns->given[i] = value;
    return GTR_OK;
}

/* Which keys go together. */
static enum gtr_code check_columns(const struct gtr_columns *columns, struct gtr_err *err)
{
    const char *const *given = columns->given;
    bool norm = given[GTR_ROLE_NORM] != NULL, sumsq = given[GTR_ROLE_SUMSQ] != NULL;
    bool series = given[GTR_ROLE_SERIES] != NULL, name = given[GTR_ROLE_NAME] != NULL;

    if (norm && sumsq)
        return gtr_fail(err, GTR_EUSAGE, "--columns: give norm= or sumsq=, not both");
    if (series && (norm || sumsq || name))
        return gtr_fail(err, GTR_EUSAGE,
                        "--columns: series= is for tables with a column per series, and goes with "
                        "neither name= nor norm= nor sumsq=");
    return GTR_OK;
}

enum gtr_code gtr_columns_parse(const char *text, struct gtr_columns *columns, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    char *rest, *entry;

    *columns = (struct gtr_columns){ 0 };
    if (text == NULL)
        return GTR_OK;
    columns->text = gtr_strdup(text);
    if (columns->text == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for columns");
    rest = columns->text;
    while (rc == GTR_OK && (entry = strsep(&rest, ",")) != NULL)
        rc = parse_entry(entry, columns, err);
    return rc == GTR_OK ? check_columns(columns, err) : rc;
}

void gtr_columns_free(struct gtr_columns *columns)
{
    gtr_free(columns->text);
    *columns = (struct gtr_columns){ 0 };
}

/* --- globs ----------------------------------------------------------------------------------- */

enum gtr_code gtr_globs_parse(const char *text, bool squares, struct gtr_globs *globs,
                              struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n = 1;
    char *rest, *pattern;

    *globs = (struct gtr_globs){ .globs = usual_globs, .n_globs = GTR_ARRAY_LEN(usual_globs) };
    if (text == NULL)
        return GTR_OK;
    globs->n_globs = 0;
    globs->text = gtr_strdup(text);
    if (globs->text == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for globs");
    for (rest = globs->text; (rest = strchr(rest, '|')) != NULL; rest++)
        n++;
    rc = gtr_alloc_for(&globs->own, n, sizeof *globs->own, "globs", err);
    if (rc != GTR_OK)
        return rc;
    rest = globs->text;
    while ((pattern = strsep(&rest, "|")) != NULL) {
        if (*pattern == '\0')
            return gtr_fail(err, GTR_EUSAGE, "\"%.60s\": an empty glob; write GLOB or GLOB|GLOB",
                            text);
        globs->own[globs->n_globs++] = (struct gtr_glob){ .pattern = pattern, .squares = squares };
    }
    globs->globs = globs->own;
    globs->chosen = true;
    return GTR_OK;
}

void gtr_globs_free(struct gtr_globs *globs)
{
    gtr_free(globs->text);
    gtr_free(globs->own);
    *globs = (struct gtr_globs){ 0 };
}

/* A clipped norm is a norm: grad_norm_clipped is not the limit grad_norm_clip. */
static bool is_about_norms(const char *name)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(about_norms); i++) {
        const char *at = strcasestr(name, about_norms[i]);

        if (at != NULL && strncasecmp(at + strlen(about_norms[i]), "ped", 3) != 0)
            return true;
    }
    return false;
}

size_t gtr_globs_find(const struct gtr_globs *globs, const char *name)
{
    int flags = globs->chosen ? 0 : FNM_CASEFOLD;
    size_t i;

    for (i = 0; i < globs->n_globs; i++)
        if (fnmatch(globs->globs[i].pattern, name, flags) == 0)
            return globs->globs[i].rank < GTR_GLOB_OF_ANY || !is_about_norms(name) ? i
                                                                                   : globs->n_globs;
    return globs->n_globs;
}

unsigned gtr_globs_level(unsigned rank)
{
    return rank > GTR_GLOB_OF_ANY && rank < GTR_GLOB_OF_PARTS ? GTR_GLOB_OF_ANY : rank;
}

size_t gtr_globs_find_column(const struct gtr_globs *globs, const char *name)
{
    size_t glob = gtr_globs_find(globs, name);
    const char *of_run = strstr(name, " - "); /* a panel's "RUN - metric" */

    if (glob == globs->n_globs || !globs->chosen ||
        strpbrk(globs->globs[glob].pattern, "*?[") == NULL)
        return glob;
    return is_else(name) || (of_run != NULL && is_else(of_run + 3)) ? globs->n_globs : glob;
}

bool gtr_globs_usual(const char *name)
{
    const struct gtr_globs usual = { .globs = usual_globs, .n_globs = GTR_ARRAY_LEN(usual_globs) };

    return gtr_globs_find(&usual, name) < usual.n_globs;
}
