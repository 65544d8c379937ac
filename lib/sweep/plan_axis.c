/* plan_axis.c - one axis of a sweep: parse it, and give its values.
 *
 * "beta=0.8:0.999:16:logit" has its values evenly in ln(x / (1 - x)).  The first and the last are
 * the ends as typed; those between are made by gtr_ln and gtr_exp, so they are the same everywhere.
 *
 * "auto" asks for the range that the catalogue says is worth trying, and for limits on norms for
 * one from the trace's own norms.  A limit far below the usual norms clips everything, one above
 * the largest nothing; what is worth trying lies between, with some room at both ends.  Norms of 0
 * say nothing about that.
 */
#define _GNU_SOURCE
#include "plan_private.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "exact.h"
#include "order.h"
#include "text.h"

enum { AUTO_VALUES = 16 };
static const double range_max = 1e290; /* leaves room for the products that make values */

void gtr_axis_clear(struct gtr_axis *axis)
{
    gtr_free(axis->name);
    gtr_free(axis->groups);
    gtr_free(axis->values);
}

/* All that is below 0 says "not asked for", as in a setting. */
static bool is_unasked(const struct gtr_policy_spec *policy, const struct gtr_param_spec *param,
                       double value)
{
    return policy->fit_key != NULL && strcmp(param->name, policy->fit_key) == 0 && value < 0.0;
}

/* --- values ----------------------------------------------------------------------------------- */

static double unspaced(const struct gtr_axis *axis, double place)
{
    double value = place;

    if (axis->spacing == GTR_SPACED_LOG)
        value = gtr_exp(place);
    else if (axis->spacing == GTR_SPACED_LOGIT)
        value = 1.0 / (1.0 + gtr_exp(-place));
    return value < axis->low ? axis->low : value > axis->high ? axis->high : value;
}

double gtr_axis_pick(const struct gtr_axis *axis, size_t value)
{
    double steps;

    if (axis->values != NULL)
        return axis->values[value];
    if (value == 0)
        return axis->low;
    if (value + 1 == axis->n_values)
        return axis->high;
    steps = (double)(axis->n_values - 1);
    return unspaced(axis, axis->from + (axis->to - axis->from) * (double)value / steps);
}

double gtr_axis_at(const struct gtr_axis *axis, double part)
{
    size_t value;

    if (axis->values == NULL)
        return unspaced(axis, axis->from + (axis->to - axis->from) * part);
    value = (size_t)(part * (double)axis->n_values);
    return axis->values[value < axis->n_values ? value : axis->n_values - 1];
}

void gtr_axis_apply(const struct gtr_axis *axis, const struct gtr_policy_spec *policy, double value,
                    union gtr_params *params, size_t n_groups)
{
    size_t i;

    if (axis->groups == NULL)
        for (i = 0; i < n_groups; i++)
            gtr_setting_assign(policy, axis->param, &params[i], value);
    else
        for (i = 0; i < axis->n_groups; i++)
            gtr_setting_assign(policy, axis->param, &params[axis->groups[i]], value);
}

/* --- a range of its own ----------------------------------------------------------------------- */

static bool limits_norms(const struct gtr_param_spec *param)
{
    return strcmp(param->name, "max_norm") == 0 || strcmp(param->name, "min_norm") == 0;
}

/* Adds a group's norms above 0 to norms[*n]. */
static void gather(const struct gtr_replay *replay, size_t group, double *norms, size_t *n)
{
    size_t kept = *n, count = gtr_replay_norms(replay, group, norms + *n), i;

    for (i = 0; i < count; i++)
        if (norms[*n + i] > 0.0)
            norms[kept++] = norms[*n + i];
    *n = kept;
}

/* The norms that the limit is held against, as one row: the whole gradient's, or those of the
 * groups that the axis writes.  The group that a rule left out is looked at only when named. */
static enum gtr_code norms_new(const struct gtr_axis *axis, const struct gtr_policy_spec *policy,
                               const struct gtr_replay *replay, double **norms, size_t *n,
                               struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const size_t n_rows = policy->unit == GTR_WHOLE ? 1 : axis->n_groups;
    enum gtr_code rc;
    size_t i;

    *n = 0;
    rc = gtr_alloc_for(norms, n_rows * series->n_steps, sizeof **norms, "norms", err);
    if (rc != GTR_OK)
        return rc;
    if (policy->unit == GTR_WHOLE) {
        gather(replay, series->n_groups, *norms, n);
        return GTR_OK;
    }
    for (i = 0; i < axis->n_groups; i++) {
        const size_t group = axis->groups != NULL ? axis->groups[i] : i;

        if (group != series->left_out || axis->groups != NULL)
            gather(replay, group, *norms, n);
    }
    return GTR_OK;
}

static double largest(const double *values, size_t n)
{
    double max = values[0];
    size_t i;

    for (i = 1; i < n; i++)
        if (values[i] > max)
            max = values[i];
    return max;
}

/* The ends of KEY=auto. */
static enum gtr_code find_range(const struct gtr_axis *axis, const struct gtr_setting *setting,
                                const struct gtr_replay *replay, double *low, double *high,
                                struct gtr_err *err)
{
    double *norms = NULL;
    enum gtr_code rc;
    size_t n;

    if (!limits_norms(axis->param))
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s=auto: this has no range of its own; write %.80s=A:B:N",
                        setting->name, axis->name, axis->name);
    rc = norms_new(axis, setting->policy, replay, &norms, &n, err);
    if (rc != GTR_OK)
        return rc;
    if (n == 0) {
        rc = gtr_fail(err, GTR_EUSAGE,
                      "%.60s: %.80s=auto: the trace has no norm above 0; write %.80s=A:B:N",
                      setting->name, axis->name, axis->name);
    } else {
        const double *const row = norms;

        *low = 0.5 * gtr_order_quantile_of_rows(&row, 1, n, 0.01);
        *high = 2.0 * largest(norms, n);
    }
    gtr_free(norms);
    return rc;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static enum gtr_code match_groups(struct gtr_axis *axis, const struct gtr_setting *setting,
                                  const char *glob, const struct gtr_series *series,
                                  struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    if (glob == NULL) {
        axis->n_groups = series->n_groups;
        return GTR_OK;
    }
    rc = gtr_setting_check_groups(setting, axis->param, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_alloc_for(&axis->groups, series->n_groups, sizeof *axis->groups, "groups", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < series->n_groups; i++)
        if (fnmatch(glob, series->names[i], 0) == 0)
            axis->groups[axis->n_groups++] = i;
    if (axis->n_groups == 0)
        return gtr_setting_no_group(setting, glob, (const char *const *)series->names,
                                    series->n_groups, err);
    return GTR_OK;
}

static enum gtr_code parse_list(struct gtr_axis *axis, const struct gtr_setting *setting,
                                char *text, struct gtr_err *err)
{
    size_t n = 1, i;
    enum gtr_code rc;

    for (i = 0; text[i] != '\0'; i++)
        n += text[i] == ',';
    rc = gtr_alloc_for(&axis->values, n, sizeof *axis->values, "values", err);
    for (i = 0; rc == GTR_OK && i < n; i++) {
        char *next = strchr(text, ',');

        if (next != NULL)
            *next++ = '\0';
        rc = gtr_setting_read_value(setting->name, axis->name, axis->param, text, &axis->values[i],
                                    err);
        if (rc == GTR_OK && is_unasked(setting->policy, axis->param, axis->values[i]))
            axis->values[i] = axis->param->standard;
        text = next;
    }
    axis->n_values = n;
    axis->spacing = GTR_SPACED_LIST;
    return rc;
}

/* The ends must suit the spacing. */
static enum gtr_code set_range(struct gtr_axis *axis, const struct gtr_setting *setting, double low,
                               double high, enum gtr_spacing spacing, struct gtr_err *err)
{
    const char *const policy = setting->name, *const key = axis->name;

    if (!(low < high))
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s: a range must rise: its first end must be below its second",
                        policy, key);
    if (high > range_max || low < -range_max)
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: a range ends at 1e290 at the latest",
                        policy, key);
    if (is_unasked(setting->policy, axis->param, low))
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s: a range of it must start at 0 or above",
                        policy, key);
    if (spacing == GTR_SPACED_LOG && low < 1.0 / range_max)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s: a range with log must start above 0, at 1e-290 or later",
                        policy, key);
    if (spacing == GTR_SPACED_LOGIT && (low < 1.0 / range_max || high >= 1.0))
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s: a range with logit must lie between 0 and 1, without them",
                        policy, key);
    axis->spacing = spacing;
    axis->low = axis->from = low;
    axis->high = axis->to = high;
    if (spacing == GTR_SPACED_LOG) {
        axis->from = gtr_ln(low);
        axis->to = gtr_ln(high);
    } else if (spacing == GTR_SPACED_LOGIT) {
        axis->from = gtr_ln(low / (1.0 - low));
        axis->to = gtr_ln(high / (1.0 - high));
    }
    return GTR_OK;
}

static enum gtr_code parse_count(struct gtr_axis *axis, const struct gtr_setting *setting,
                                 const char *text, struct gtr_err *err)
{
    int64_t count;

    if (!gtr_text_integer(text, &count) || count < 2 || count > GTR_PLAN_SETTINGS_MAX)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s: %.40s: a range has a whole number of values, from 2 to %d",
                        setting->name, axis->name, text, GTR_PLAN_SETTINGS_MAX);
    axis->n_values = (size_t)count;
    return GTR_OK;
}

/* A:B:N[:log|:logit]. */
static enum gtr_code parse_range(struct gtr_axis *axis, const struct gtr_setting *setting,
                                 char *text, struct gtr_err *err)
{
    enum gtr_spacing spacing = GTR_SPACED_LINEAR;
    char *parts[4] = { text };
    double low = 0.0, high = 0.0;
    enum gtr_code rc;
    size_t n = 1;

    for (; n < 4 && (parts[n] = strchr(parts[n - 1], ':')) != NULL; n++)
        *parts[n]++ = '\0';
    if (n < 3)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s=%.60s:%.60s: a range needs a number of values; write "
                        "%.80s=A:B:N",
                        setting->name, axis->name, parts[0], parts[1], axis->name);
    if (n == 4 && strcmp(parts[3], "log") != 0 && strcmp(parts[3], "logit") != 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s: %.60s: no such spacing; there are log and logit, and "
                        "without them values are evenly spaced",
                        setting->name, axis->name, parts[3]);
    if (n == 4)
        spacing = strcmp(parts[3], "log") == 0 ? GTR_SPACED_LOG : GTR_SPACED_LOGIT;
    rc = gtr_setting_read_value(setting->name, axis->name, axis->param, parts[0], &low, err);
    if (rc == GTR_OK)
        rc = gtr_setting_read_value(setting->name, axis->name, axis->param, parts[1], &high, err);
    if (rc == GTR_OK)
        rc = parse_count(axis, setting, parts[2], err);
    return rc == GTR_OK ? set_range(axis, setting, low, high, spacing, err) : rc;
}

/* What the catalogue says is worth trying, with another number of values if one is given. */
static enum gtr_code parse_usual(struct gtr_axis *axis, const struct gtr_setting *setting,
                                 const char *count, struct gtr_err *err)
{
    char *range = gtr_strdup(axis->param->range);
    enum gtr_code rc;

    if (range == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%.80s: no memory", axis->name);
    rc = strchr(range, ':') == NULL ? parse_list(axis, setting, range, err)
                                    : parse_range(axis, setting, range, err);
    if (rc == GTR_OK && *count == ':' && axis->values == NULL)
        rc = parse_count(axis, setting, count + 1, err);
    gtr_free(range);
    return rc;
}

static enum gtr_code parse_values(struct gtr_axis *axis, const struct gtr_setting *setting,
                                  char *text, const struct gtr_replay *replay, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    double low = 0.0, high = 0.0;

    if (axis->param->choices == NULL && strncmp(text, "auto", 4) == 0 &&
        (text[4] == '\0' || text[4] == ':')) {
        if (axis->param->range != NULL)
            return parse_usual(axis, setting, text + 4, err);
        axis->n_values = AUTO_VALUES;
        if (text[4] == ':')
            rc = parse_count(axis, setting, text + 5, err);
        if (rc == GTR_OK)
            rc = find_range(axis, setting, replay, &low, &high, err);
        return rc == GTR_OK ? set_range(axis, setting, low, high, GTR_SPACED_LOG, err) : rc;
    }
    if (strchr(text, ':') == NULL)
        return parse_list(axis, setting, text, err);
    if (axis->param->choices != NULL)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s=%.80s: ranges are for numbers; list some of the words %s",
                        setting->name, axis->name, text, axis->param->choices);
    return parse_range(axis, setting, text, err);
}

enum gtr_code gtr_axis_parse(struct gtr_axis *axis, const struct gtr_setting *setting,
                             const char *text, const struct gtr_replay *replay, struct gtr_err *err)
{
    char *key = gtr_strdup(text), *values, *glob;
    enum gtr_code rc;

    if (key == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%.80s: no memory", text);
    values = gtr_setting_cut(key, '=');
    if (values == NULL) {
        rc = gtr_fail(err, GTR_EUSAGE,
                      "%.60s: %.80s: has no values; write %.80s=V1,V2,... or %.80s=A:B:N",
                      setting->name, key, key, key);
        goto out;
    }
    axis->name = gtr_strdup(key);
    if (axis->name == NULL) {
        rc = gtr_fail(err, GTR_ENOMEM, "%.80s: no memory", text);
        goto out;
    }
    glob = gtr_setting_cut(key, '@');
    axis->param = gtr_param_find(setting->policy, key);
    if (axis->param == NULL)
        rc = gtr_setting_unknown_key(setting, key, err);
    else
        rc = match_groups(axis, setting, glob, gtr_replay_series(replay), err);
    if (rc == GTR_OK)
        rc = parse_values(axis, setting, values, replay, err);
out:
    gtr_free(key);
    return rc;
}
