/* optimizer.c - the optimizers and their parameters as data, as text, and step by step. */
#include "optimizer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "text.h"

enum { PARAMS_MAX = 4 };

struct param {
    const char *name;
    size_t offset; /* of the double in struct gtr_optimizer */
    double standard, min, max;
};

struct spec {
    const char *name, *title;
    const struct param *params;
    size_t n_params;
};

#define AT(field) offsetof(struct gtr_optimizer, field)

/* eps is at least what keeps it a normal float: an element that never had a gradient must get the
 * update 0 / eps = 0.  A decay of 1 would never take anything in. */
static const struct param adamw_params[] = {
    { "beta1", AT(beta1), 0.9, 0.0, 0x1.fffffep-1 },
    { "beta2", AT(beta2), 0.999, 0.0, 0x1.fffffep-1 },
    { "eps", AT(eps), 1e-8, 1e-37, 1e30 },
};

static const struct param sgd_params[] = {
    { "momentum", AT(momentum), 0.9, 0.0, 0x1.fffffep-1 },
    { "nesterov", AT(nesterov), 0.0, 0.0, 1.0 },
    { "dampening", AT(dampening), 0.0, 0.0, 1.0 },
};

static const struct param lion_params[] = {
    { "beta1", AT(beta1), 0.9, 0.0, 0x1.fffffep-1 },
    { "beta2", AT(beta2), 0.99, 0.0, 0x1.fffffep-1 },
};

static const struct param rmsprop_params[] = {
    { "alpha", AT(beta2), 0.99, 0.0, 0x1.fffffep-1 },
    { "eps", AT(eps), 1e-8, 1e-37, 1e30 },
    { "momentum", AT(momentum), 0.0, 0.0, 0x1.fffffep-1 },
};

static const struct param nadam_params[] = {
    { "beta1", AT(beta1), 0.9, 0.0, 0x1.fffffep-1 },
    { "beta2", AT(beta2), 0.999, 0.0, 0x1.fffffep-1 },
    { "eps", AT(eps), 1e-8, 1e-37, 1e30 },
    { "momentum_decay", AT(momentum_decay), 0.004, 0.0, 1000.0 },
};

static const struct spec specs[GTR_OPTIMIZER_COUNT] = {
    [GTR_ADAMW] = { "adamw", "AdamW", adamw_params, GTR_ARRAY_LEN(adamw_params) },
    [GTR_SGD] = { "sgd", "SGD", sgd_params, GTR_ARRAY_LEN(sgd_params) },
    [GTR_LION] = { "lion", "Lion", lion_params, GTR_ARRAY_LEN(lion_params) },
    [GTR_RMSPROP] = { "rmsprop", "RMSprop", rmsprop_params, GTR_ARRAY_LEN(rmsprop_params) },
    [GTR_NADAM] = { "nadam", "NAdam", nadam_params, GTR_ARRAY_LEN(nadam_params) },
};

const char *gtr_optimizer_title(const struct gtr_optimizer *optimizer)
{
    return specs[optimizer->id].title;
}

const char *gtr_optimizer_param(enum gtr_optimizer_id id, size_t i)
{
    return i < specs[id].n_params ? specs[id].params[i].name : NULL;
}

static double value_of(const struct gtr_optimizer *optimizer, const struct param *param)
{
    double value;

    memcpy(&value, (const char *)optimizer + param->offset, sizeof value);
    return value;
}

/* False, and nothing changed, if the value is out of range. */
static bool set_param(struct gtr_optimizer *optimizer, const struct param *param, double value)
{
    bool whole = param->offset != AT(nesterov) || value == 0.0 || value == 1.0;

    if (!(value >= param->min && value <= param->max) || !whole) /* NaN too */
        return false;
    value += 0.0; /* -0 becomes 0 */
    memcpy((char *)optimizer + param->offset, &value, sizeof value);
    return true;
}

int gtr_optimizer_set(struct gtr_optimizer *optimizer, const char *name, double value)
{
    const struct spec *spec = &specs[optimizer->id];
    size_t i = 0;

    while (i < spec->n_params && strcmp(spec->params[i].name, name) != 0)
        i++;
    return i < spec->n_params && set_param(optimizer, &spec->params[i], value);
}

void gtr_optimizer_init(struct gtr_optimizer *optimizer, enum gtr_optimizer_id id)
{
    size_t i;

    memset(optimizer, 0, sizeof *optimizer);
    optimizer->id = id;
    for (i = 0; i < specs[id].n_params; i++)
        set_param(optimizer, &specs[id].params[i], specs[id].params[i].standard);
}

/* --- text ------------------------------------------------------------------------------------- */

/* "did you mean beta2?", or "it has beta1, beta2, eps". */
static void advise(const char *word, const char *const *names, size_t n, const char *lead,
                   char *advice, size_t size)
{
    const char *nearest = gtr_text_nearest(word, names, n);
    size_t used, i;

    if (nearest != NULL) {
        snprintf(advice, size, "did you mean %s?", nearest);
        return;
    }
    used = (size_t)snprintf(advice, size, "%s", lead);
    for (i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(advice + used, size - used, "%s %s", i > 0 ? "," : "", names[i]);
}

static enum gtr_code out_of_range(const char *name, const char *key, const char *value,
                                  const struct param *param, struct gtr_err *err)
{
    char min[GTR_NUMBER_SIZE], max[GTR_NUMBER_SIZE];

    if (param->offset == AT(nesterov))
        return gtr_fail(err, GTR_EUSAGE, "%s: %s=%.60s: must be 0 or 1", name, key, value);
    if (param->max == 0x1.fffffep-1)
        return gtr_fail(err, GTR_EUSAGE, "%s: %s=%.60s: must be at least 0 and below 1", name, key,
                        value);
    gtr_text_print(param->min, min);
    gtr_text_print(param->max, max);
    return gtr_fail(err, GTR_EUSAGE, "%s: %s=%.60s: must be from %s to %s", name, key, value, min,
                    max);
}

static enum gtr_code parse_entry(struct gtr_optimizer *optimizer, char *entry, struct gtr_err *err)
{
    const struct spec *spec = &specs[optimizer->id];
    const char *names[PARAMS_MAX];
    char *value_text = strchr(entry, '='), advice[120];
    double value;
    size_t i;

    if (value_text == NULL)
        return gtr_fail(err, GTR_EUSAGE, "%s: %.60s: has no value; write KEY=VALUE", spec->name,
                        entry);
    *value_text++ = '\0';
    for (i = 0; i < spec->n_params; i++) {
        const struct param *param = &spec->params[i];

        names[i] = param->name;
        if (strcmp(entry, param->name) != 0)
            continue;
        if (!gtr_text_number(value_text, &value))
            return gtr_fail(err, GTR_EUSAGE, "%s: %s=%.60s: is not a number", spec->name, entry,
                            value_text);
        return set_param(optimizer, param, value)
                   ? GTR_OK
                   : out_of_range(spec->name, entry, value_text, param, err);
    }
    advise(entry, names, spec->n_params, "it has", advice, sizeof advice);
    return gtr_fail(err, GTR_EUSAGE, "%s: %.60s: no such parameter; %s", spec->name, entry, advice);
}

static enum gtr_code unknown_name(const char *name, struct gtr_err *err)
{
    const char *names[GTR_OPTIMIZER_COUNT];
    char advice[120];
    size_t i;

    for (i = 0; i < GTR_OPTIMIZER_COUNT; i++)
        names[i] = specs[i].name;
    advise(name, names, GTR_OPTIMIZER_COUNT, "there are", advice, sizeof advice);
    return gtr_fail(err, GTR_EUSAGE, "%.60s: no such optimizer; %s", name, advice);
}

/* Cuts the text in place. */
static enum gtr_code parse(char *text, struct gtr_optimizer *optimizer, struct gtr_err *err)
{
    char *entry = strchr(text, ':'), *next;
    size_t id = 0;
    enum gtr_code rc = GTR_OK;

    if (entry != NULL)
        *entry++ = '\0';
    while (id < GTR_OPTIMIZER_COUNT && strcmp(specs[id].name, text) != 0)
        id++;
    if (id == GTR_OPTIMIZER_COUNT)
        return unknown_name(text, err);
    gtr_optimizer_init(optimizer, (enum gtr_optimizer_id)id);
    for (; rc == GTR_OK && entry != NULL; entry = next) {
        next = strchr(entry, ',');
        if (next != NULL)
            *next++ = '\0';
        rc = parse_entry(optimizer, entry, err);
    }
    return rc;
}

enum gtr_code gtr_optimizer_parse(const char *text, struct gtr_optimizer *optimizer,
                                  struct gtr_err *err)
{
    struct gtr_optimizer parsed;
    char *copy = gtr_strdup(text);
    enum gtr_code rc;

    if (copy == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%.60s: no memory", text);
    rc = parse(copy, &parsed, err);
    if (rc == GTR_OK)
        *optimizer = parsed;
    gtr_free(copy);
    return rc;
}

const char *gtr_optimizer_print(const struct gtr_optimizer *optimizer, char *text, int size)
{
    const struct spec *spec = &specs[optimizer->id];
    size_t room = (size_t)size, used, i;
    char number[GTR_NUMBER_SIZE];

    used = (size_t)snprintf(text, room, "%s", spec->name);
    for (i = 0; i < spec->n_params && used < room; i++) {
        gtr_text_print(value_of(optimizer, &spec->params[i]), number);
        used += (size_t)snprintf(text + used, room - used, "%c%s=%s", i == 0 ? ':' : ',',
                                 spec->params[i].name, number);
    }
    return text;
}

enum gtr_code gtr_optimizer_check(const struct gtr_optimizer *optimizer, struct gtr_err *err)
{
    struct gtr_optimizer copy = *optimizer;
    const struct spec *spec;
    char number[GTR_NUMBER_SIZE];
    size_t i;

    if ((unsigned)optimizer->id >= GTR_OPTIMIZER_COUNT)
        return gtr_fail(err, GTR_EUSAGE, "optimizer %d: no such optimizer", (int)optimizer->id);
    spec = &specs[optimizer->id];
    for (i = 0; i < spec->n_params; i++) {
        double value = value_of(optimizer, &spec->params[i]);

        gtr_text_print(value, number);
        if (!set_param(&copy, &spec->params[i], value))
            return out_of_range(spec->name, spec->params[i].name, number, &spec->params[i], err);
    }
    return GTR_OK;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Products of the decays up to a step: not pow, for multiplying is exact rounding and the same
 * everywhere. */
struct powers {
    double of_beta1, of_beta2, of_mu;
};

/* mu of nadam at step t. */
static double mu_at(const struct gtr_optimizer *optimizer, int64_t t)
{
    double decayed = gtr_exp((double)t * optimizer->momentum_decay * gtr_ln(0.96));

    return optimizer->beta1 * (1.0 - 0.5 * decayed);
}

static void step_sgd(const struct gtr_optimizer *optimizer, bool first,
                     struct gtr_optimizer_step *step)
{
    step->beta1 = (float)optimizer->momentum;
    /* torch takes the first gradient whole. */
    step->fresh1 = first ? 1.0f : (float)(1.0 - optimizer->dampening);
    step->beta2 = optimizer->nesterov != 0.0 ? (float)optimizer->momentum : 0.0f;
}

static void step_nadam(const struct gtr_optimizer *optimizer, int64_t t, struct powers *powers,
                       struct gtr_optimizer_step *step)
{
    double mu = mu_at(optimizer, t), next = mu_at(optimizer, t + 1);

    powers->of_mu *= mu;
    step->of_m = (float)(next / (1.0 - powers->of_mu * next));
    step->of_g = (float)((1.0 - mu) / (1.0 - powers->of_mu));
}

void gtr_optimizer_steps(const struct gtr_optimizer *optimizer, int64_t n_steps,
                         struct gtr_optimizer_step *steps)
{
    const enum gtr_optimizer_id id = optimizer->id;
    struct powers powers = { 1.0, 1.0, 1.0 };
    int64_t t;

    for (t = 0; t < n_steps; t++) {
        struct gtr_optimizer_step *step = &steps[t];

        memset(step, 0, sizeof *step);
        step->factor = 1.0;
        if (id == GTR_SGD) {
            step_sgd(optimizer, t == 0, step);
            continue;
        }
        powers.of_beta1 *= optimizer->beta1;
        powers.of_beta2 *= optimizer->beta2;
        step->beta1 = (float)(id == GTR_RMSPROP ? optimizer->momentum : optimizer->beta1);
        step->fresh1 = (float)(1.0 - optimizer->beta1);
        step->beta2 = (float)optimizer->beta2;
        step->fresh2 = (float)(1.0 - optimizer->beta2);
        step->eps = (float)optimizer->eps;
        step->root = (float)(1.0 / sqrt(1.0 - powers.of_beta2));
        if (id == GTR_ADAMW)
            step->factor = 1.0 / (1.0 - powers.of_beta1);
        if (id == GTR_NADAM)
            step_nadam(optimizer, t + 1, &powers, step);
    }
}
