/* setting_print.c - settings back to text.
 *
 * Parsing what is printed here gives the same bits: numbers are exact, words stand for choices,
 * and group names have their special characters escaped.
 */
#include "setting_parts.h"

#include <stdbool.h>
#include <string.h>

#include "alloc.h"
#include "builder.h"

/* The text so far, and whether the next entry is the first. */
struct printer {
    struct gtr_builder text;
    const struct gtr_policy_spec *policy;
    bool any;
};

static void begin(struct printer *out, const struct gtr_policy_spec *policy)
{
    memset(out, 0, sizeof *out);
    out->policy = policy;
    gtr_builder_add(&out->text, policy->name);
}

static void separate(struct printer *out)
{
    gtr_builder_char(&out->text, out->any ? ',' : ':');
    out->any = true;
}

static void print_value(struct printer *out, const struct gtr_param_spec *param, double value)
{
    const char *word;
    size_t length, i;

    gtr_builder_char(&out->text, '=');
    if (param->choices == NULL) {
        gtr_builder_number(&out->text, value);
        return;
    }
    word = gtr_setting_word(param->choices, (size_t)value, &length);
    for (i = 0; word != NULL && i < length; i++)
        gtr_builder_char(&out->text, word[i]);
}

static void print_plain(struct printer *out, const struct gtr_param_spec *param, double value)
{
    separate(out);
    gtr_builder_add(&out->text, param->name);
    print_value(out, param, value);
}

/* The short form will do unless it would be read as something else. */
static bool can_be_short(const struct gtr_policy_spec *policy, const struct gtr_param_spec *param,
                         const char *glob)
{
    return policy->per_group != NULL && strcmp(param->name, policy->per_group) == 0 &&
           *glob != '\0' && gtr_param_find(policy, glob) == NULL &&
           glob[gtr_setting_span(glob, '@')] == '\0';
}

static void print_override(struct printer *out, const struct gtr_param_spec *param,
                           const char *glob, double value)
{
    separate(out);
    if (!can_be_short(out->policy, param, glob)) {
        gtr_builder_add(&out->text, param->name);
        gtr_builder_char(&out->text, '@');
    }
    gtr_builder_add(&out->text, glob);
    print_value(out, param, value);
}

char *gtr_setting_print(const struct gtr_setting *setting)
{
    const struct gtr_policy_spec *policy = setting->policy;
    struct printer out;
    size_t i;

    begin(&out, policy);
    for (i = 0; i < policy->n_params; i++) {
        const struct gtr_param_spec *param = &policy->params[i];
        double value = gtr_param_get(param, &setting->params);

        if (value != param->standard)
            print_plain(&out, param, value);
    }
    for (i = 0; i < setting->n_overrides; i++) {
        const struct gtr_override *override = &setting->overrides[i];

        print_override(&out, override->param, override->glob, override->value);
    }
    return gtr_builder_take(&out.text);
}

static void escape(struct gtr_builder *glob, const char *name)
{
    gtr_builder_clear(glob);
    gtr_builder_add(glob, "");
    for (; *name != '\0'; name++) {
        if (strchr("\\*?[],=@", *name) != NULL)
            gtr_builder_char(glob, '\\');
        gtr_builder_char(glob, *name);
    }
}

/* What is printed plainly: the value of all groups, or, where they differ, the setting's own. */
static double common_value(const struct gtr_setting *setting, const struct gtr_param_spec *param,
                           const union gtr_params *params, size_t n_groups)
{
    size_t i;

    for (i = 1; i < n_groups; i++)
        if (gtr_param_get(param, &params[i]) != gtr_param_get(param, &params[0]))
            return gtr_param_get(param, &setting->params);
    return gtr_param_get(param, n_groups > 0 ? &params[0] : &setting->params);
}

/* Entries of one parameter for the groups that do not have the common value. */
static void print_differing(struct printer *out, const struct gtr_param_spec *param, double common,
                            const char *const *groups, const union gtr_params *params,
                            size_t n_groups, struct gtr_builder *glob)
{
    size_t i;

    for (i = 0; i < n_groups; i++) {
        double value = gtr_param_get(param, &params[i]);

        if (value == common)
            continue;
        escape(glob, groups[i]);
        if (glob->failed)
            out->text.failed = true;
        else
            print_override(out, param, glob->text, value);
    }
}

/* Of a limit and its quantile every group has at most one, and the catalogue lists the limit
 * first (a test holds it to that), so that neither undoes what the other has printed. */
char *gtr_setting_print_bound(const struct gtr_setting *setting, const char *const *groups,
                              size_t n_groups, const union gtr_params *params)
{
    const struct gtr_policy_spec *policy = setting->policy;
    struct gtr_builder glob = { 0 };
    struct printer out;
    size_t i;

    begin(&out, policy);
    for (i = 0; i < policy->n_params; i++) {
        const struct gtr_param_spec *param = &policy->params[i];
        double common = common_value(setting, param, params, n_groups);

        if (common != param->standard)
            print_plain(&out, param, common);
    }
    for (i = 0; i < policy->n_params; i++) {
        const struct gtr_param_spec *param = &policy->params[i];

        print_differing(&out, param, common_value(setting, param, params, n_groups), groups, params,
                        n_groups, &glob);
    }
    gtr_builder_free(&glob);
    return gtr_builder_take(&out.text);
}
