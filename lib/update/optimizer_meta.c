/* optimizer_meta.c - the optimizer that a run was trained with, as its trace's meta tells it.
 *
 * Our recorder writes {"optimizer": {"class": "AdamW", "betas": [0.9, 0.999], "eps": 1e-08, ...}}.
 * Others say "name" or "type", or beta1 and beta2; trainers put the same keys at the top with the
 * optimizer's name as a plain string, some of them behind a prefix: {"optim": "adamw_torch",
 * "adam_beta1": 0.9, ...}.  Where parameter groups differ, the first one's settings are taken.
 */
#include <ctype.h>
#include <json-c/json.h>
#include <string.h>

#include "alloc.h"
#include "optimizer_parts.h"

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
    const struct gtr_optimizer_spec *spec;
    enum gtr_optimizer_id id;
    size_t i;

    if (name == NULL || !find_id(name, &id))
        return false;
    gtr_optimizer_init(optimizer, id);
    /* torch's own default; a recorder that knows the momentum says so. */
    optimizer->momentum = 0.0;
    spec = gtr_optimizer_spec(id);
    for (i = 0; i < spec->n_params; i++) {
        const char *key = spec->params[i].name;
        double number;

        if ((number_of(object, key, &number) || number_of(object, other_key(key), &number)) &&
            !gtr_optimizer_set(optimizer, &spec->params[i], number))
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
