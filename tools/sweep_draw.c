/* sweep_draw.c - from rows of a sweep to what its figures show: goals, front, knobs, indices. */
#define _GNU_SOURCE
#include "sweep_draw.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the figures borrow, and we own. */
struct gathered {
    const struct sweep_options *options;
    const struct sweep_results *results;
    struct sweep_figures shown;
    struct gtr_goal goals[SWEEP_GOALS_MAX];
    struct gtr_limit *limits;
    bool *keep;
    double *values[SWEEP_FIGURE_GOALS];
    size_t *first, *front, map_knobs[2];
    const char **knobs;
    size_t *knob_policy;
    bool *knob_log;
    double *knob_values;
    char ***words; /* [n_knobs] */
    struct gtr_sensitivity *sensitivity;
    const char *objectives[GTR_OBJECTIVE_COUNT];
};

/* --- goals and front ----------------------------------------------------------------------- */

static enum gtr_code gather_goals(struct gathered *g, struct gtr_err *err)
{
    const struct sweep_options *o = g->options;
    struct sweep_figures *shown = &g->shown;
    size_t n = g->results->n, goal, i;
    enum gtr_code rc = gtr_alloc_for(&g->limits, o->limits.n, sizeof *g->limits, "limits", err);

    for (i = 0; rc == GTR_OK && i < o->limits.n; i++)
        rc = gtr_limit_parse(o->limits.text[i], &g->limits[i], err);
    for (i = 0; rc == GTR_OK && i < o->goals.n; i++)
        rc = gtr_goal_parse(o->goals.text[i], &g->goals[i], err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->keep, n, sizeof *g->keep, "settings", err);
    if (rc != GTR_OK)
        return rc;
    gtr_limits_apply(g->limits, o->limits.n, g->results->rows, n, g->keep);
    shown->keep = o->limits.n > 0 ? g->keep : NULL;
    shown->n_goals = o->goals.n < SWEEP_FIGURE_GOALS ? o->goals.n : SWEEP_FIGURE_GOALS;
    for (goal = 0; rc == GTR_OK && goal < shown->n_goals; goal++) {
        rc = gtr_alloc_for(&g->values[goal], n, sizeof(double), "goals", err);
        for (i = 0; rc == GTR_OK && i < n; i++)
            g->values[goal][i] =
                gtr_goal_value(&g->goals[goal], g->results->rows + i * GTR_OBJECTIVE_COUNT);
        shown->goals[goal] = o->goals.text[goal];
        shown->goal_values[goal] = g->values[goal];
    }
    if (rc == GTR_OK)
        rc = gtr_front_new(g->goals, o->goals.n, g->results->rows, n, g->keep, &g->front,
                           &shown->n_front, err);
    if (rc != GTR_OK)
        return rc;
    shown->front = g->front;
    shown->knee = gtr_front_knee(g->goals, o->goals.n, g->results->rows, g->front, shown->n_front);
    return GTR_OK;
}

/* --- policies and knobs -------------------------------------------------------------------- */

/* The words of a parameter as an array ended by NULL; NULL for a number, and if there is no memory:
 * then the figure shows numbers. */
static char **words_of(const struct gtr_plan *plan, size_t knob)
{
    const struct gtr_policy_spec *policy =
        gtr_policy_spec(gtr_plan_policy_id(plan, gtr_plan_knob_policy(plan, knob)));
    char *name = gtr_strdup(gtr_plan_knob_name(plan, knob));
    const struct gtr_param_spec *param = NULL;
    char **words = NULL, *list, *save = NULL;
    size_t n = 0;

    if (name != NULL) {
        name[strcspn(name, "@")] = '\0';
        param = gtr_param_find(policy, name);
    }
    gtr_free(name);
    if (param == NULL || param->choices == NULL)
        return NULL;
    /* One block: the pointers, then the text that they point into. */
    words = gtr_alloc(strlen(param->choices) * (sizeof *words + 1) + 2 * sizeof *words, 1);
    if (words == NULL)
        return NULL;
    list = (char *)(words + strlen(param->choices) + 1);
    strcpy(list, param->choices);
    for (list = strtok_r(list, "|", &save); list != NULL; list = strtok_r(NULL, "|", &save))
        words[n++] = list;
    words[n] = NULL;
    return words;
}

static enum gtr_code find_map_knobs(struct gathered *g, const struct sweep_drawing *drawing,
                                    struct gtr_err *err)
{
    struct sweep_figures *shown = &g->shown;
    size_t i, k;

    if (drawing->map_knobs[0] == NULL || drawing->map_knobs[1] == NULL)
        return GTR_OK;
    for (i = 0; i < 2; i++) {
        /* The second is looked for in the policy of the first. */
        for (k = 0; k < shown->n_knobs; k++)
            if (strcmp(g->knobs[k], drawing->map_knobs[i]) == 0 &&
                (i == 0 || g->knob_policy[k] == g->knob_policy[g->map_knobs[0]]))
                break;
        if (k == shown->n_knobs)
            return gtr_fail(err, GTR_EUSAGE,
                            "%s: is no knob of this sweep; a map takes two of one "
                            "policy",
                            drawing->map_knobs[i]);
        g->map_knobs[i] = k;
    }
    shown->map_knobs = g->map_knobs;
    return GTR_OK;
}

static enum gtr_code allocate_knobs(struct gathered *g, size_t n_knobs, size_t n_policies,
                                    struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(&g->knobs, n_knobs, sizeof *g->knobs, "knobs", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->knob_policy, n_knobs, sizeof *g->knob_policy, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->knob_log, n_knobs, sizeof *g->knob_log, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->words, n_knobs, sizeof *g->words, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->sensitivity, n_knobs, sizeof *g->sensitivity, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->first, n_policies + 1, sizeof *g->first, "policies", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->knob_values, g->results->n * n_knobs, sizeof(double), "knobs", err);
    return rc;
}

static enum gtr_code gather_knobs(struct gathered *g, struct gtr_err *err)
{
    const struct sweep_results *results = g->results;
    const struct gtr_plan *plan = results->plan;
    struct sweep_figures *shown = &g->shown;
    size_t n_knobs = gtr_plan_n_knobs(plan), n_policies = gtr_plan_n_policies(plan), i, k, p;
    enum gtr_code rc = allocate_knobs(g, n_knobs, n_policies, err);

    if (rc != GTR_OK)
        return rc;
    for (k = 0; k < n_knobs; k++) {
        g->knobs[k] = gtr_plan_knob_name(plan, k);
        g->knob_policy[k] = gtr_plan_knob_policy(plan, k);
        g->knob_log[k] = gtr_plan_knob_is_log(plan, k);
        g->words[k] = words_of(plan, k);
        for (i = 0; i < results->n; i++)
            g->knob_values[i * n_knobs + k] = gtr_plan_knob(plan, results->first + i, k);
    }
    for (p = 0; p <= n_policies; p++) {
        size_t at = p < n_policies ? gtr_plan_first_of(plan, p) : gtr_plan_n_settings(plan);

        at = at > results->first ? at - results->first : 0;
        g->first[p] = at < results->n ? at : results->n;
    }
    shown->n_policies = n_policies;
    shown->policies = (const char *const *)results->study->labels;
    shown->first = g->first;
    shown->n_knobs = n_knobs;
    shown->knobs = g->knobs;
    shown->knob_policy = g->knob_policy;
    shown->knob_log = g->knob_log;
    shown->knob_words = (const char *const *const *)g->words;
    shown->knob_values = g->knob_values;
    return GTR_OK;
}

/* --- which knob matters -------------------------------------------------------------------- */

static enum gtr_code policy_sensitivity(struct gathered *g, size_t policy, struct gtr_err *err)
{
    const struct sweep_figures *shown = &g->shown;
    size_t first = g->first[policy], n = g->first[policy + 1] - first, n_own = 0, grid = 1;
    size_t *own = NULL, *sizes = NULL, i, k;
    struct gtr_sensitivity *out = NULL;
    double *knobs = NULL;
    enum gtr_code rc = gtr_alloc_for(&own, shown->n_knobs, sizeof *own, "knobs", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sizes, shown->n_knobs, sizeof *sizes, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&out, shown->n_knobs, sizeof *out, "knobs", err);
    for (k = 0; rc == GTR_OK && k < shown->n_knobs; k++) {
        if (g->knob_policy[k] != policy)
            continue;
        sizes[n_own] = gtr_plan_knob_size(g->results->plan, k);
        grid *= sizes[n_own];
        own[n_own++] = k;
    }
    /* One knob explains everything. */
    if (rc == GTR_OK && n_own >= 2 && n >= 4)
        rc = gtr_alloc_for(&knobs, n * n_own, sizeof *knobs, "knobs", err);
    if (rc == GTR_OK && knobs != NULL) {
        for (i = 0; i < n; i++)
            for (k = 0; k < n_own; k++)
                knobs[i * n_own + k] = g->knob_values[(first + i) * shown->n_knobs + own[k]];
        /* A part of a grid is no grid. */
        rc = gtr_sensitivity_run(knobs, g->values[0] + first, n, n_own, grid == n ? sizes : NULL,
                                 g->options->seed, out, err);
    }
    for (k = 0; rc == GTR_OK && knobs != NULL && k < n_own; k++)
        g->sensitivity[own[k]] = out[k];
    gtr_free(own);
    gtr_free(sizes);
    gtr_free(out);
    gtr_free(knobs);
    return rc;
}

static enum gtr_code gather_sensitivity(struct gathered *g, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    const double unknown = (double)NAN;
    size_t k, p;

    for (k = 0; k < g->shown.n_knobs; k++)
        g->sensitivity[k] =
            (struct gtr_sensitivity){ unknown, unknown, unknown, unknown, unknown, unknown };
    for (p = 0; rc == GTR_OK && p < g->shown.n_policies; p++)
        rc = policy_sensitivity(g, p, err);
    g->shown.sensitivity = g->sensitivity;
    return rc;
}

/* --- all of it ----------------------------------------------------------------------------- */

static void gathered_free(struct gathered *g)
{
    size_t k;

    for (k = 0; g->words != NULL && k < g->shown.n_knobs; k++)
        gtr_free(g->words[k]);
    for (k = 0; k < SWEEP_FIGURE_GOALS; k++)
        gtr_free(g->values[k]);
    gtr_free(g->limits);
    gtr_free(g->keep);
    gtr_free(g->first);
    gtr_free(g->front);
    gtr_free(g->knobs);
    gtr_free(g->knob_policy);
    gtr_free(g->knob_log);
    gtr_free(g->knob_values);
    gtr_free(g->words);
    gtr_free(g->sensitivity);
}

enum gtr_code sweep_draw(const struct sweep_drawing *drawing, const struct sweep_options *options,
                         const struct sweep_results *results, struct gtr_err *err)
{
    const char *slash = strrchr(options->trace, '/');
    struct gathered g = { .options = options, .results = results };
    enum gtr_code rc;
    size_t k;

    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        g.objectives[k] = gtr_objective_name((enum gtr_objective)k);
    g.shown.trace = slash != NULL ? slash + 1 : options->trace;
    g.shown.n_settings = results->n;
    g.shown.number = results->first;
    g.shown.n_objectives = GTR_OBJECTIVE_COUNT;
    g.shown.objectives = g.objectives;
    g.shown.values = results->rows;
    g.shown.look = &drawing->look;
    g.shown.folder = drawing->folder;
    g.shown.common = &options->common;
    memcpy(g.shown.wanted, drawing->wanted, sizeof g.shown.wanted);
    rc = gather_goals(&g, err);
    if (rc == GTR_OK)
        rc = gather_knobs(&g, err);
    if (rc == GTR_OK)
        rc = find_map_knobs(&g, drawing, err);
    if (rc == GTR_OK)
        rc = gather_sensitivity(&g, err);
    if (rc == GTR_OK)
        rc = sweep_figures_draw(&g.shown, err);
    gathered_free(&g);
    return rc;
}
