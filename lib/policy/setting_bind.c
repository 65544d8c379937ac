/* setting_bind.c - from a setting to one params struct per group.
 *
 * A name without wildcards is looked up in a sorted list: a setting that was printed for the
 * rule `tensor` has as many overrides as there are groups.
 */
#include "setting_parts.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "text.h"

struct place {
    const char *name;
    size_t group;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

/* Writes `glob` without its backslashes, and says whether that is all it can match. */
static bool is_literal(const char *glob, char *name)
{
    for (; *glob != '\0'; glob++) {
        if (strchr("*?[", *glob) != NULL)
            return false;
        if (*glob == '\\' && glob[1] != '\0')
            glob++;
        *name++ = *glob;
    }
    *name = '\0';
    return true;
}

/* The first of `places`, sorted, with this name; n if there is none. */
static size_t first_place(const struct place *places, size_t n, const char *name)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(places[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && strcmp(places[low].name, name) == 0 ? low : n;
}

enum gtr_code gtr_setting_no_group(const struct gtr_setting *setting, const char *glob,
                                   const char *const *groups, size_t n_groups, struct gtr_err *err)
{
    const struct gtr_policy_spec *policy = setting->policy;
    const char *nearest = gtr_text_nearest(glob, groups, n_groups);
    char list[200];
    size_t i;

    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: no such group; did you mean %.80s?",
                        setting->name, glob, nearest);
    /* A misspelt parameter looks like a group to the short form. */
    for (i = 0; i < policy->n_params; i++) {
        nearest = gtr_text_nearest(glob, &policy->params[i].name, 1);
        if (nearest != NULL)
            return gtr_fail(err, GTR_EUSAGE,
                            "%.60s: %.80s: no such group or parameter; did you mean %s?",
                            setting->name, glob, nearest);
    }
    if (n_groups == 0)
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: there are no groups", setting->name, glob);
    gtr_setting_join(groups, n_groups, list, sizeof list);
    return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: matches none of the groups %s", setting->name,
                    glob, list);
}

enum gtr_code gtr_setting_check_groups(const struct gtr_setting *setting,
                                       const struct gtr_param_spec *param, struct gtr_err *err)
{
    if (setting->policy->unit != GTR_WHOLE || setting->policy->by_group)
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE,
                    "%.60s: %s@GROUP: this policy makes one decision for the whole gradient, and "
                    "has no values by group",
                    setting->name, param->name);
}

/* Applies one override and returns how many groups it matched.  `name` is scratch space. */
static size_t apply(const struct gtr_setting *setting, const struct gtr_override *override,
                    const struct place *places, size_t n_groups, union gtr_params *params,
                    char *name)
{
    const bool literal = is_literal(override->glob, name);
    size_t i = literal ? first_place(places, n_groups, name) : 0, matched = 0;

    for (; i < n_groups; i++) {
        if (literal && strcmp(places[i].name, name) != 0)
            break;
        if (!literal && fnmatch(override->glob, places[i].name, 0) != 0)
            continue;
        gtr_setting_assign(setting->policy, override->param, &params[places[i].group],
                           override->value);
        matched++;
    }
    return matched;
}

static enum gtr_code apply_overrides(const struct gtr_setting *setting, const char *const *groups,
                                     size_t n_groups, struct place *places,
                                     union gtr_params *params, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t longest = 0, i;
    char *name = NULL;

    for (i = 0; i < setting->n_overrides; i++)
        if (strlen(setting->overrides[i].glob) > longest)
            longest = strlen(setting->overrides[i].glob);
    rc = gtr_alloc_for(&name, longest + 1, 1, "bytes", err);
    for (i = 0; rc == GTR_OK && i < setting->n_overrides; i++) {
        const struct gtr_override *override = &setting->overrides[i];

        if (apply(setting, override, places, n_groups, params, name) == 0)
            rc = gtr_setting_no_group(setting, override->glob, groups, n_groups, err);
    }
    gtr_free(name);
    return rc;
}

enum gtr_code gtr_setting_bind(const struct gtr_setting *setting, const char *const *groups,
                               size_t n_groups, union gtr_params *params, struct gtr_err *err)
{
    struct place *places = NULL;
    enum gtr_code rc;
    size_t i;

    for (i = 0; i < n_groups; i++)
        params[i] = setting->params;
    if (setting->n_overrides == 0)
        return GTR_OK;
    rc = gtr_setting_check_groups(setting, setting->overrides[0].param, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_alloc_for(&places, n_groups, sizeof *places, "groups", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n_groups; i++)
        places[i] = (struct place){ groups[i], i };
    qsort(places, n_groups, sizeof *places, by_name);
    rc = apply_overrides(setting, groups, n_groups, places, params, err);
    gtr_free(places);
    return rc;
}
