/* sweep_found.c - from rows of objectives to what is told and drawn of them: the settings that keep
 * the limits, their front and its knee, and how much of the first goal each knob decides. */
#include "sweep_found.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- goals and limits ------------------------------------------------------------------------- */

static enum gtr_code parse_goals(struct sweep_found *found, const struct sweep_options *o,
                                 struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < o->goals.n; i++)
        rc = gtr_goal_parse(o->goals.text[i], &found->goals[i], err);
    found->n_goals = o->goals.n;
    return rc;
}

/* Free *limits with gtr_free, also after failure. */
static enum gtr_code parse_limits(const struct sweep_options *o, struct gtr_limit **limits,
                                  struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(limits, o->limits.n, sizeof **limits, "limits", err);
    size_t i;

    for (i = 0; rc == GTR_OK && i < o->limits.n; i++)
        rc = gtr_limit_parse(o->limits.text[i], &(*limits)[i], err);
    return rc;
}

enum gtr_code sweep_found_check(const struct sweep_options *options, struct gtr_err *err)
{
    struct sweep_found nothing = { 0 };
    struct gtr_limit *limits = NULL;
    enum gtr_code rc = parse_goals(&nothing, options, err);

    if (rc == GTR_OK)
        rc = parse_limits(options, &limits, err);
    gtr_free(limits);
    return rc;
}

static enum gtr_code apply_limits(struct sweep_found *found, const struct sweep_options *options,
                                  const struct sweep_results *results, struct gtr_err *err)
{
    enum gtr_code rc = parse_limits(options, &found->limits, err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&found->keep, results->n, sizeof *found->keep, "settings", err);
    if (rc == GTR_OK)
        gtr_limits_apply(found->limits, options->limits.n, results->rows, results->n, found->keep);
    return rc;
}

static enum gtr_code value_goals(struct sweep_found *found, const struct sweep_results *results,
                                 struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t g, i;

    for (g = 0; rc == GTR_OK && g < found->n_goals; g++) {
        rc = gtr_alloc_for(&found->goal_values[g], results->n, sizeof(double), "goals", err);
        for (i = 0; rc == GTR_OK && i < results->n; i++)
            found->goal_values[g][i] =
                gtr_goal_value(&found->goals[g], results->rows + i * GTR_OBJECTIVE_COUNT);
    }
    return rc;
}

/* --- policies and knobs ----------------------------------------------------------------------- */

const char *sweep_knob_name(const struct sweep_results *results, size_t knob,
                            char name[SWEEP_NAME_SIZE])
{
    const struct gtr_plan *plan = results->plan;
    const char *own = gtr_plan_knob_name(plan, knob);
    size_t k;

    snprintf(name, SWEEP_NAME_SIZE, "%s", own);
    for (k = 0; k < gtr_plan_n_knobs(plan); k++)
        if (k != knob && strcmp(gtr_plan_knob_name(plan, k), own) == 0)
            snprintf(name, SWEEP_NAME_SIZE, "%s:%s",
                     results->study->labels[gtr_plan_knob_policy(plan, knob)], own);
    return name;
}

static enum gtr_code gather_knobs(struct sweep_found *found, const struct sweep_results *results,
                                  struct gtr_err *err)
{
    const struct gtr_plan *plan = results->plan;
    enum gtr_code rc;
    size_t i, k;

    found->n_knobs = gtr_plan_n_knobs(plan);
    rc = gtr_alloc_for(&found->knobs, results->n * found->n_knobs, sizeof(double), "knobs", err);
    for (i = 0; rc == GTR_OK && i < results->n; i++)
        for (k = 0; k < found->n_knobs; k++)
            found->knobs[i * found->n_knobs + k] = gtr_plan_knob(plan, results->first + i, k);
    return rc;
}

/* Where each policy's settings begin among the rows, which may be a part of the plan's. */
static enum gtr_code find_policies(struct sweep_found *found, const struct sweep_results *results,
                                   struct gtr_err *err)
{
    const struct gtr_plan *plan = results->plan;
    enum gtr_code rc;
    size_t p;

    found->n_policies = gtr_plan_n_policies(plan);
    rc = gtr_alloc_for(&found->policy_row, found->n_policies + 1, sizeof *found->policy_row,
                       "policies", err);
    for (p = 0; rc == GTR_OK && p <= found->n_policies; p++) {
        size_t at = p < found->n_policies ? gtr_plan_first_of(plan, p) : gtr_plan_n_settings(plan);

        at = at > results->first ? at - results->first : 0;
        found->policy_row[p] = at < results->n ? at : results->n;
    }
    return rc;
}

/* --- which knob matters ----------------------------------------------------------------------- */

/* One policy's own knobs and their values, for gtr_sensitivity_run. */
struct part {
    size_t *own;   /* [n_own] numbers of its knobs */
    size_t *sizes; /* [n_own] of the axes */
    size_t n_own, grid;
    double *knobs; /* [rows][n_own] */
    struct gtr_sensitivity *out;
};

static enum gtr_code part_make(struct part *part, const struct sweep_found *found,
                               const struct gtr_plan *plan, size_t policy, struct gtr_err *err)
{
    size_t first = found->policy_row[policy], n = found->policy_row[policy + 1] - first, i, k;
    enum gtr_code rc = gtr_alloc_for(&part->own, found->n_knobs, sizeof *part->own, "knobs", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&part->sizes, found->n_knobs, sizeof *part->sizes, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&part->out, found->n_knobs, sizeof *part->out, "knobs", err);
    part->grid = 1;
    for (k = 0; rc == GTR_OK && k < found->n_knobs; k++) {
        if (gtr_plan_knob_policy(plan, k) != policy)
            continue;
        part->sizes[part->n_own] = gtr_plan_knob_size(plan, k);
        part->grid *= part->sizes[part->n_own];
        part->own[part->n_own++] = k;
    }
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&part->knobs, n * part->n_own, sizeof *part->knobs, "knobs", err);
    for (i = 0; rc == GTR_OK && i < n; i++)
        for (k = 0; k < part->n_own; k++)
            part->knobs[i * part->n_own + k] =
                found->knobs[(first + i) * found->n_knobs + part->own[k]];
    return rc;
}

static void part_free(struct part *part)
{
    gtr_free(part->own);
    gtr_free(part->sizes);
    gtr_free(part->out);
    gtr_free(part->knobs);
}

static enum gtr_code study_policy(struct sweep_found *found, const struct sweep_options *options,
                                  const struct gtr_plan *plan, size_t policy, struct gtr_err *err)
{
    size_t first = found->policy_row[policy], n = found->policy_row[policy + 1] - first, k;
    struct part part = { 0 };
    enum gtr_code rc = part_make(&part, found, plan, policy, err);

    /* One knob explains everything.  A part of a grid or of a design is neither: its rows count as
     * a sample. */
    if (rc == GTR_OK && part.n_own >= 2 && n >= 4) {
        const double *goal = found->goal_values[0] + first;

        if (options->sampling == GTR_SALTELLI && n == options->n_samples * (part.n_own + 2))
            rc = gtr_sensitivity_design(goal, options->n_samples, part.n_own, options->seed,
                                        part.out, err);
        else
            rc = gtr_sensitivity_run(part.knobs, goal, n, part.n_own,
                                     part.grid == n ? part.sizes : NULL, options->seed, part.out,
                                     err);
        for (k = 0; rc == GTR_OK && k < part.n_own; k++)
            found->sensitivity[part.own[k]] = part.out[k];
    }
    part_free(&part);
    return rc;
}

static enum gtr_code find_sensitivity(struct sweep_found *found,
                                      const struct sweep_options *options,
                                      const struct gtr_plan *plan, struct gtr_err *err)
{
    const double unknown = (double)NAN;
    enum gtr_code rc;
    size_t p, k;

    rc = gtr_alloc_for(&found->sensitivity, found->n_knobs, sizeof *found->sensitivity, "knobs",
                       err);
    for (k = 0; rc == GTR_OK && k < found->n_knobs; k++)
        found->sensitivity[k] =
            (struct gtr_sensitivity){ unknown, unknown, unknown, unknown, unknown, unknown };
    for (p = 0; rc == GTR_OK && p < found->n_policies; p++)
        rc = study_policy(found, options, plan, p, err);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

enum gtr_code sweep_found_make(struct sweep_found *found, const struct sweep_options *options,
                               const struct sweep_results *results, struct gtr_err *err)
{
    enum gtr_code rc;

    memset(found, 0, sizeof *found);
    rc = parse_goals(found, options, err);
    if (rc == GTR_OK)
        rc = apply_limits(found, options, results, err);
    if (rc == GTR_OK)
        rc = value_goals(found, results, err);
    if (rc == GTR_OK)
        rc = find_policies(found, results, err);
    if (rc == GTR_OK)
        rc = gather_knobs(found, results, err);
    if (rc == GTR_OK)
        rc = gtr_advice_new(found->goals, found->n_goals, results->rows, results->n, found->keep,
                            &found->advice, err);
    if (rc == GTR_OK)
        rc = sweep_advise(found, options, results, err);
    if (rc == GTR_OK)
        rc = find_sensitivity(found, options, results->plan, err);
    return rc;
}

void sweep_found_free(struct sweep_found *found)
{
    size_t g;

    for (g = 0; g < SWEEP_GOALS_MAX; g++)
        gtr_free(found->goal_values[g]);
    gtr_free(found->keep);
    gtr_free(found->limits);
    gtr_bootstrap_free(found->bootstrap);
    gtr_free(found->range);
    free(found->text);
    gtr_decisions_free(found->decisions);
    gtr_free(found->policy_row);
    gtr_free(found->knobs);
    gtr_free(found->sensitivity);
    gtr_advice_free(found->advice);
}
