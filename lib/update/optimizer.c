/* optimizer.c - the optimizers and their parameters as data, as text, as a trace's meta tells them,
 * and step by step.
 */
#include "optimizer.h"

#include <ctype.h>
#include <json-c/json.h>
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
    const char *name;
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
};

static const struct spec specs[GTR_OPTIMIZER_COUNT] = {
    [GTR_ADAMW] = { "adamw", adamw_params, GTR_ARRAY_LEN(adamw_params) },
    [GTR_SGD] = { "sgd", sgd_params, GTR_ARRAY_LEN(sgd_params) },
};

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

/* --- meta ------------------------------------------------------------------------------------- */

/* Our recorder writes {"optimizer": {"class": "AdamW", "betas": [0.9, 0.999], "eps": 1e-08, ...}}.
 * Others say "name" or "type", or beta1 and beta2; trainers put the same keys at the top with the
 * optimizer's name as a plain string, some of them behind a prefix: {"optim": "adamw_torch",
 * "adam_beta1": 0.9, ...}.  Where parameter groups differ, the first one's settings are taken. */

/* What names begin with once they are in lower case: adamw_torch, adamw_8bit, AdamWScale, fused
 * variants.  Adam adds its weight decay to gradients that are not known here, so without one it is
 * adamw. */
static const struct {
    const char *prefix;
    enum gtr_optimizer_id id;
} names[] = { { "adam", GTR_ADAMW },
              { "fusedadam", GTR_ADAMW },
              { "deepspeedcpuadam", GTR_ADAMW },
              { "sgd", GTR_SGD },
              { "fusedsgd", GTR_SGD } };

/* These begin like Adam and move otherwise. */
static const char *const others[] = { "adamax", "adamp", "adamini", "adam-mini", "adam_mini" };

static bool begins(const char *text, const char *prefix)
{
    for (; *prefix != '\0'; text++, prefix++)
        if (tolower((unsigned char)*text) != *prefix)
            return false;
    return true;
}

static bool find_id(const char *name, enum gtr_optimizer_id *id)
{
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(others); i++)
        if (begins(name, others[i]))
            return false;
    for (i = 0; i < GTR_ARRAY_LEN(names); i++)
        if (begins(name, names[i].prefix)) {
            *id = names[i].id;
            return true;
        }
    return false;
}

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, key, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    return json_object_get_string(value);
}

static bool is_number(struct json_object *value)
{
    return json_object_is_type(value, json_type_double) ||
           json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_boolean);
}

/* The number under `key` or "adam_KEY", or a member of betas. */
static bool number_of(struct json_object *object, const char *key, double *number)
{
    struct json_object *value;
    char prefixed[40] = "adam_";

    strncat(prefixed, key, sizeof prefixed - sizeof "adam_");
    if ((!json_object_object_get_ex(object, key, &value) &&
         !json_object_object_get_ex(object, prefixed, &value)) ||
        !is_number(value)) {
        bool first = strcmp(key, "beta1") == 0;

        if ((!first && strcmp(key, "beta2") != 0) ||
            !json_object_object_get_ex(object, "betas", &value) ||
            !json_object_is_type(value, json_type_array) || json_object_array_length(value) != 2)
            return false;
        value = json_object_array_get_idx(value, first ? 0 : 1);
    }
    if (!is_number(value))
        return false;
    *number = json_object_get_double(value);
    return true;
}

/* adam_epsilon is what trainers call eps. */
static const char *other_key(const char *key)
{
    return strcmp(key, "eps") == 0 ? "epsilon" : key;
}

/* A setting out of range is as good as none: then meta does not say. */
static bool read_settings(struct json_object *object, const char *name,
                          struct gtr_optimizer *optimizer)
{
    const struct spec *spec;
    enum gtr_optimizer_id id;
    size_t i;

    if (name == NULL || !find_id(name, &id))
        return false;
    gtr_optimizer_init(optimizer, id);
    /* torch's own default; a recorder that knows the momentum says so. */
    optimizer->momentum = 0.0;
    spec = &specs[id];
    for (i = 0; i < spec->n_params; i++) {
        const char *key = spec->params[i].name;
        double number;

        if ((number_of(object, key, &number) || number_of(object, other_key(key), &number)) &&
            !set_param(optimizer, &spec->params[i], number))
            return false;
    }
    return true;
}

static const char *name_of(struct json_object *object)
{
    static const char *const keys[] = { "name", "class", "type", "optimizer", "optim" };
    const char *name = NULL;
    size_t i;

    for (i = 0; name == NULL && i < GTR_ARRAY_LEN(keys); i++)
        name = text_of(object, keys[i]);
    return name;
}

int gtr_optimizer_from_meta(const char *meta, struct gtr_optimizer *optimizer)
{
    struct json_object *root = meta != NULL ? json_tokener_parse(meta) : NULL, *inner;
    struct gtr_optimizer found;
    bool known = false;

    if (json_object_is_type(root, json_type_object)) {
        if (json_object_object_get_ex(root, "optimizer", &inner) &&
            json_object_is_type(inner, json_type_object))
            known = read_settings(inner, name_of(inner), &found);
        else /* not by "name": at the top that is the run's */
            known = read_settings(root,
                                  text_of(root, "optimizer") != NULL ? text_of(root, "optimizer")
                                                                     : text_of(root, "optim"),
                                  &found);
    }
    if (known)
        *optimizer = found;
    json_object_put(root);
    return known;
}

/* --- steps ------------------------------------------------------------------------------------ */

void gtr_optimizer_steps(const struct gtr_optimizer *optimizer, int64_t n_steps,
                         struct gtr_optimizer_step *steps)
{
    const bool adamw = optimizer->id == GTR_ADAMW;
    const double momentum = optimizer->momentum;
    /* Products, not pow: multiplying is exact rounding and the same everywhere. */
    double power1 = 1.0, power2 = 1.0;
    int64_t t;

    for (t = 0; t < n_steps; t++) {
        struct gtr_optimizer_step *step = &steps[t];

        memset(step, 0, sizeof *step);
        if (!adamw) {
            step->beta1 = (float)momentum;
            step->fresh1 = 1.0f;
            step->beta2 = optimizer->nesterov != 0.0 ? (float)momentum : 0.0f;
            step->factor = 1.0;
            continue;
        }
        power1 *= optimizer->beta1;
        power2 *= optimizer->beta2;
        step->beta1 = (float)optimizer->beta1;
        step->fresh1 = (float)(1.0 - optimizer->beta1);
        step->beta2 = (float)optimizer->beta2;
        step->fresh2 = (float)(1.0 - optimizer->beta2);
        step->eps = (float)optimizer->eps;
        step->root = (float)(1.0 / sqrt(1.0 - power2));
        step->factor = 1.0 / (1.0 - power1);
    }
}
