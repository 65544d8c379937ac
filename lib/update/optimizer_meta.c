/* optimizer_meta.c - the optimizer of a run, as a trace's meta tells it, and what of it is not
 * simulated.
 */
#include "optimizer.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"

/* Our recorder writes {"optimizer": {"class": "AdamW", "betas": [0.9, 0.999], "eps": 1e-08, ...}}.
 * Others say "name" or "type", or beta1 and beta2; trainers put the same keys at the top with the
 * optimizer's name as a plain string, some of them behind a prefix: {"optim": "adamw_torch",
 * "adam_beta1": 0.9, ...}.  Where parameter groups differ, the first one's settings are taken. */

/* What names begin with once they are in lower case: adamw_torch, adamw_8bit, AdamWScale, fused
 * variants.  Without weight decay Adam is adamw. */
static const struct {
    const char *prefix;
    enum gtr_optimizer_id id;
} names[] = { { "adam", GTR_ADAMW },
              { "lion", GTR_LION },
              { "fusedlion", GTR_LION },
              { "rmsprop", GTR_RMSPROP },
              { "nadam", GTR_NADAM },
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
    enum gtr_optimizer_id id;
    const char *key;
    size_t i;

    if (name == NULL || !find_id(name, &id))
        return false;
    gtr_optimizer_init(optimizer, id);
    /* torch's own default; a recorder that knows the momentum says so. */
    optimizer->momentum = 0.0;
    for (i = 0; (key = gtr_optimizer_param(id, i)) != NULL; i++) {
        double number;

        if ((number_of(object, key, &number) || number_of(object, other_key(key), &number)) &&
            !gtr_optimizer_set(optimizer, key, number))
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

/* The object in which meta has the optimizer's settings, and its name there.  NULL: none. */
static struct json_object *settings_of(struct json_object *root, const char **name)
{
    struct json_object *inner;

    *name = NULL;
    if (!json_object_is_type(root, json_type_object))
        return NULL;
    if (json_object_object_get_ex(root, "optimizer", &inner) &&
        json_object_is_type(inner, json_type_object)) {
        *name = name_of(inner);
        return inner;
    }
    /* not by "name": at the top that is the run's */
    *name =
        text_of(root, "optimizer") != NULL ? text_of(root, "optimizer") : text_of(root, "optim");
    return root;
}

int gtr_optimizer_from_meta(const char *meta, struct gtr_optimizer *optimizer)
{
    struct json_object *root = meta != NULL ? json_tokener_parse(meta) : NULL, *settings;
    struct gtr_optimizer found;
    const char *name;
    bool known = false;

    settings = settings_of(root, &name);
    if (settings != NULL)
        known = read_settings(settings, name, &found);
    if (known)
        *optimizer = found;
    json_object_put(root);
    return known;
}

/* --- what is not simulated -------------------------------------------------------------------- */

static bool is_set(struct json_object *object, const char *key)
{
    double number;

    return number_of(object, key, &number) && number != 0.0;
}

/* AdamW, Lion and their like take weight decay off the weights; the others, and Adam, add it to the
 * gradient, and it then passes through the moments. */
static bool adds_decay(struct json_object *object, const char *name, enum gtr_optimizer_id id)
{
    bool decoupled = id == GTR_LION || begins(name, "adamw") || begins(name, "adam_w") ||
                     begins(name, "fusedadam") || begins(name, "deepspeedcpuadam") ||
                     is_set(object, "decoupled_weight_decay");

    return is_set(object, "weight_decay") && !decoupled;
}

/* Group i of the list under "param_groups", where the recorder puts them if they differ. */
static struct json_object *group_at(struct json_object *object, size_t i)
{
    struct json_object *list;

    if (!json_object_object_get_ex(object, "param_groups", &list) ||
        !json_object_is_type(list, json_type_array) || i >= json_object_array_length(list))
        return NULL;
    return json_object_array_get_idx(list, i);
}

/* In what the simulated optimizer has. */
static bool groups_differ(struct json_object *object, const char *name)
{
    struct gtr_optimizer first, other;
    struct json_object *group;
    bool differ = false;
    size_t i;

    if (!read_settings(object, name, &first))
        return false;
    for (i = 0; !differ && (group = group_at(object, i)) != NULL; i++)
        differ = !read_settings(group, name, &other) || memcmp(&first, &other, sizeof first) != 0;
    return differ;
}

static bool rates_differ(struct json_object *object)
{
    double first = 0.0, rate;
    struct json_object *group;
    bool differ = false;
    size_t i;

    if (!number_of(object, "lr", &first))
        return false;
    for (i = 0; !differ && (group = group_at(object, i)) != NULL; i++)
        differ = number_of(group, "lr", &rate) && (rate < first || rate > first);
    return differ;
}

static void add_word(char *text, size_t size, bool is_so, const char *word)
{
    size_t used = strlen(text);

    if (is_so)
        snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", word);
}

const char *gtr_optimizer_unlike(const char *meta, char *text, int size)
{
    struct json_object *root = meta != NULL ? json_tokener_parse(meta) : NULL, *object;
    enum gtr_optimizer_id id;
    const char *name;

    text[0] = '\0';
    object = settings_of(root, &name);
    if (object != NULL && name != NULL && !find_id(name, &id)) {
        snprintf(text, (size_t)size, "%s", name);
    } else if (object != NULL && name != NULL) {
        add_word(text, (size_t)size, is_set(object, "amsgrad"), "amsgrad");
        add_word(text, (size_t)size, is_set(object, "centered"), "centering");
        add_word(text, (size_t)size, adds_decay(object, name, id),
                 "weight decay added to gradients");
        add_word(text, (size_t)size, groups_differ(object, name),
                 "settings of other parameter groups");
        add_word(text, (size_t)size, rates_differ(object), "learning rates of parameter groups");
    }
    json_object_put(root);
    return text;
}
