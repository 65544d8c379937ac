/* setting.c - parse "NAME:KEY=VALUE,...".
 *
 * What all groups share is kept as one params struct, what some groups have otherwise as a list
 * of overrides.  A plain KEY overwrites both, so the struct always applies first and the order of
 * the list is all that must be remembered.
 */
#include "setting_parts.h"

#include <stdbool.h>
#include <string.h>

#include "alloc.h"
#include "builder.h"
#include "text.h"

enum { NAMES_MAX = 64 }; /* policies and presets together, or parameters of one policy */

size_t gtr_setting_span(const char *text, char end)
{
    size_t i;

    for (i = 0; text[i] != '\0' && text[i] != end; i++)
        if (text[i] == '\\' && text[i + 1] != '\0')
            i++;
    return i;
}

char *gtr_setting_cut(char *text, char end)
{
    size_t n = gtr_setting_span(text, end);

    if (text[n] == '\0')
        return NULL;
    text[n] = '\0';
    return text + n + 1;
}

static bool is_named(const struct gtr_param_spec *param, const char *name)
{
    /* Many policies have no per_group or fit_key. */
    return name != NULL && strcmp(param->name, name) == 0;
}

/* The parameter that says the same thing in another way, if setting this one to `value` replaces
 * it: a limit its quantile, and a quantile, when it is asked for, the limit. */
static const struct gtr_param_spec *replaced_by(const struct gtr_policy_spec *policy,
                                                const struct gtr_param_spec *param, double value)
{
    if (policy->fit_key == NULL)
        return NULL;
    if (is_named(param, policy->per_group))
        return gtr_param_find(policy, policy->fit_key);
    if (is_named(param, policy->fit_key) && value >= 0.0)
        return gtr_param_find(policy, policy->per_group);
    return NULL;
}

void gtr_setting_assign(const struct gtr_policy_spec *policy, const struct gtr_param_spec *param,
                        union gtr_params *params, double value)
{
    const struct gtr_param_spec *other = replaced_by(policy, param, value);

    if (other != NULL)
        gtr_param_set(other, params, other->standard);
    gtr_param_set(param, params, value);
}

static void drop_overrides(struct gtr_setting *setting, const struct gtr_param_spec *param)
{
    size_t kept = 0, i;

    for (i = 0; i < setting->n_overrides; i++) {
        if (setting->overrides[i].param == param)
            gtr_free(setting->overrides[i].glob);
        else
            setting->overrides[kept++] = setting->overrides[i];
    }
    setting->n_overrides = kept;
}

/* Before a quantile is taken back for all groups: where one was asked for, it had put the limit
 * back to its default, and that stays. */
static void keep_default_limits(struct gtr_setting *setting, const struct gtr_param_spec *quantile)
{
    const struct gtr_policy_spec *policy = setting->policy;
    const struct gtr_param_spec *limit = gtr_param_find(policy, policy->per_group);
    size_t i;

    for (i = 0; i < setting->n_overrides; i++) {
        struct gtr_override *override = &setting->overrides[i];

        if (override->param == quantile && override->value >= 0.0) {
            override->param = limit;
            override->value = limit->standard;
        }
    }
}

static void set_for_all(struct gtr_setting *setting, const struct gtr_param_spec *param,
                        double value)
{
    const struct gtr_param_spec *other = replaced_by(setting->policy, param, value);

    if (is_named(param, setting->policy->fit_key) && other == NULL)
        keep_default_limits(setting, param);
    drop_overrides(setting, param);
    if (other != NULL)
        drop_overrides(setting, other);
    gtr_setting_assign(setting->policy, param, &setting->params, value);
}

static enum gtr_code set_for_some(struct gtr_setting *setting, const struct gtr_param_spec *param,
                                  const char *glob, double value, struct gtr_err *err)
{
    struct gtr_override *override;
    enum gtr_code rc;

    rc = gtr_grow(&setting->overrides, &setting->capacity, setting->n_overrides + 1,
                  sizeof *setting->overrides, err);
    if (rc != GTR_OK)
        return rc;
    override = &setting->overrides[setting->n_overrides];
    override->param = param;
    override->value = value;
    override->glob = gtr_strdup(glob);
    if (override->glob == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%.60s: no memory", setting->name);
    setting->n_overrides++;
    return GTR_OK;
}

enum gtr_code gtr_setting_unknown_key(const struct gtr_setting *setting, const char *key,
                                      struct gtr_err *err)
{
    const char *names[NAMES_MAX], *nearest;
    char list[240];
    size_t i;

    for (i = 0; i < setting->policy->n_params && i < NAMES_MAX; i++)
        names[i] = setting->policy->params[i].name;
    if (i == 0)
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: this policy has no parameters",
                        setting->name, key);
    nearest = gtr_text_nearest(key, names, i);
    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: no such parameter; did you mean %s?",
                        setting->name, key, nearest);
    gtr_setting_join(names, i, list, sizeof list);
    return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: no such parameter; it has %s", setting->name,
                    key, list);
}

/* Applies one KEY=VALUE.  `key` is cut into its parts in place. */
static enum gtr_code apply_entry(struct gtr_setting *setting, char *key, const char *value_text,
                                 struct gtr_err *err)
{
    const struct gtr_policy_spec *policy = setting->policy;
    const struct gtr_param_spec *param;
    const char *glob = gtr_setting_cut(key, '@');
    enum gtr_code rc;
    double value;

    param = gtr_param_find(policy, key);
    if (param == NULL && glob == NULL && policy->per_group != NULL) {
        param = gtr_param_find(policy, policy->per_group);
        glob = key;
    }
    if (param == NULL)
        return gtr_setting_unknown_key(setting, key, err);
    rc = gtr_setting_read_value(setting->name, key, param, value_text, &value, err);
    if (rc != GTR_OK)
        return rc;
    if (is_named(param, policy->fit_key) && value < 0.0)
        value = param->standard; /* all that is below 0 says "not asked for" */
    if (glob != NULL)
        return set_for_some(setting, param, glob, value, err);
    set_for_all(setting, param, value);
    return GTR_OK;
}

static enum gtr_code parse_entry(struct gtr_setting *setting, char *entry, struct gtr_err *err)
{
    const char *value_text;

    if (*entry == '\0')
        return gtr_fail(err, GTR_EUSAGE, "%.60s: an entry is empty; write %.60s:KEY=VALUE,...",
                        setting->name, setting->name);
    value_text = gtr_setting_cut(entry, '=');
    if (value_text == NULL)
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: has no value; write %.80s=VALUE",
                        setting->name, entry, entry);
    return apply_entry(setting, entry, value_text, err);
}

static enum gtr_code parse_entries(struct gtr_setting *setting, const char *text,
                                   struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    char *copy = gtr_strdup(text), *entry = copy;

    if (copy == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%.60s: no memory", setting->name);
    while (rc == GTR_OK && entry != NULL) {
        char *next = gtr_setting_cut(entry, ',');

        rc = parse_entry(setting, entry, err);
        entry = next;
    }
    gtr_free(copy);
    return rc;
}

static enum gtr_code unknown_policy(const char *name, struct gtr_err *err)
{
    const char *names[NAMES_MAX], *nearest;
    const struct gtr_preset *presets;
    size_t n_presets, n = 0, i;
    char list[240];

    presets = gtr_presets(&n_presets);
    for (i = 0; i < GTR_POLICY_COUNT && n < NAMES_MAX; i++)
        names[n++] = gtr_policy_spec((enum gtr_policy_id)i)->name;
    for (i = 0; i < n_presets && n < NAMES_MAX; i++)
        names[n++] = presets[i].name;
    nearest = gtr_text_nearest(name, names, n);
    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE, "%.80s: no such policy or preset; did you mean %s?", name,
                        nearest);
    gtr_setting_join(names, n, list, sizeof list);
    return gtr_fail(err, GTR_EUSAGE, "%.80s: no such policy or preset; there are %s", name, list);
}

static enum gtr_code parse_all(struct gtr_setting *setting, const char *text, struct gtr_err *err)
{
    char *colon;
    const struct gtr_preset *preset;
    enum gtr_code rc = GTR_OK;

    setting->text = gtr_strdup(text);
    setting->name = gtr_strdup(text);
    if (setting->text == NULL || setting->name == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%.80s: no memory", text);
    colon = strchr(setting->name, ':');
    if (colon != NULL)
        *colon = '\0';
    preset = gtr_preset_find(setting->name);
    setting->policy = preset != NULL ? gtr_policy_spec(preset->id) : gtr_policy_find(setting->name);
    if (setting->policy == NULL)
        return unknown_policy(setting->name, err);
    gtr_params_init(setting->policy->id, &setting->params);
    if (preset != NULL)
        rc = parse_entries(setting, preset->text, err);
    if (rc == GTR_OK && colon != NULL)
        rc = parse_entries(setting, text + (colon - setting->name) + 1, err);
    return rc;
}

enum gtr_code gtr_setting_parse(const char *text, struct gtr_setting **out, struct gtr_err *err)
{
    struct gtr_setting *setting = NULL;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&setting, 1, sizeof *setting, "setting", err);
    if (rc != GTR_OK)
        return rc;
    rc = parse_all(setting, text, err);
    if (rc != GTR_OK) {
        gtr_setting_free(setting);
        return rc;
    }
    *out = setting;
    return GTR_OK;
}

void gtr_setting_free(struct gtr_setting *setting)
{
    size_t i;

    if (setting == NULL)
        return;
    for (i = 0; i < setting->n_overrides; i++)
        gtr_free(setting->overrides[i].glob);
    gtr_free(setting->overrides);
    gtr_free(setting->name);
    gtr_free(setting->text);
    gtr_free(setting);
}

enum gtr_policy_id gtr_setting_policy(const struct gtr_setting *setting)
{
    return setting->policy->id;
}

const char *gtr_setting_text(const struct gtr_setting *setting)
{
    return setting->text;
}

const char *gtr_setting_name(const struct gtr_setting *setting)
{
    return setting->name;
}
