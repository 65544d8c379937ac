/* plan_auto.c - ranges of limits from the trace's own norms.
 *
 * A limit far below the usual norms clips everything, one above the largest nothing; what is worth
 * trying lies between, with some room at both ends.  Norms of 0 say nothing about that.
 */
#include "plan_private.h"

#include <string.h>

#include "alloc.h"
#include "order.h"

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
    const size_t n_rows = policy->whole_gradient ? 1 : axis->n_groups;
    enum gtr_code rc;
    size_t i;

    *n = 0;
    rc = gtr_alloc_for(norms, n_rows * series->n_steps, sizeof **norms, "norms", err);
    if (rc != GTR_OK)
        return rc;
    if (policy->whole_gradient) {
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

enum gtr_code gtr_axis_auto(const struct gtr_axis *axis, const struct gtr_setting *setting,
                            const struct gtr_replay *replay, double *low, double *high,
                            struct gtr_err *err)
{
    double *norms = NULL;
    enum gtr_code rc;
    size_t n;

    if (!limits_norms(axis->param))
        return gtr_fail(err, GTR_EUSAGE,
                        "%.60s: %.80s=auto: only limits on norms have a range of their own; write "
                        "%.80s=A:B:N",
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
