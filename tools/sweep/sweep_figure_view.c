/* sweep_figure_view.c - from what a sweep found to what its figures show. */
#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>

#include "sweep_figure.h"
#include "sweep_found.h"

/* What the figures borrow, and we own. */
struct gathered {
    const struct sweep_options *options;
    const struct sweep_results *results;
    const struct sweep_found *found;
    struct sweep_figures shown;
    const char **knobs;
    size_t *knob_policy;
    bool *knob_log;
    char ***words; /* [n_knobs] */
    const char *objectives[GTR_OBJECTIVE_COUNT];
};

static void gather_goals(struct gathered *g)
{
    const struct sweep_options *o = g->options;
    const struct sweep_found *found = g->found;
    struct sweep_figures *shown = &g->shown;
    size_t goal;

    shown->keep = o->limits.n > 0 ? found->keep : NULL;
    shown->n_goals = found->n_goals < SWEEP_FIGURE_GOALS ? found->n_goals : SWEEP_FIGURE_GOALS;
    for (goal = 0; goal < shown->n_goals; goal++) {
        shown->goals[goal] = o->goals.text[goal];
        shown->goal_values[goal] = found->goal_values[goal];
    }
    shown->front = found->advice->front;
    shown->n_front = found->advice->n_front;
    shown->knee = found->advice->knee;
    shown->sensitivity = found->sensitivity;
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

static enum gtr_code allocate_knobs(struct gathered *g, size_t n_knobs, struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(&g->knobs, n_knobs, sizeof *g->knobs, "knobs", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->knob_policy, n_knobs, sizeof *g->knob_policy, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->knob_log, n_knobs, sizeof *g->knob_log, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&g->words, n_knobs, sizeof *g->words, "knobs", err);
    return rc;
}

static enum gtr_code gather_knobs(struct gathered *g, struct gtr_err *err)
{
    const struct sweep_found *found = g->found;
    const struct gtr_plan *plan = g->results->plan;
    struct sweep_figures *shown = &g->shown;
    enum gtr_code rc = allocate_knobs(g, found->n_knobs, err);
    size_t k;

    if (rc != GTR_OK)
        return rc;
    for (k = 0; k < found->n_knobs; k++) {
        g->knobs[k] = gtr_plan_knob_name(plan, k);
        g->knob_policy[k] = gtr_plan_knob_policy(plan, k);
        g->knob_log[k] = gtr_plan_knob_is_log(plan, k);
        g->words[k] = words_of(plan, k);
    }
    shown->n_policies = found->n_policies;
    shown->policies = (const char *const *)g->results->study->labels;
    shown->first = found->policy_row;
    shown->n_knobs = found->n_knobs;
    shown->knobs = g->knobs;
    shown->knob_policy = g->knob_policy;
    shown->knob_log = g->knob_log;
    shown->knob_words = (const char *const *const *)g->words;
    shown->knob_values = found->knobs;
    return GTR_OK;
}

/* --- all of it ----------------------------------------------------------------------------- */

static void gathered_free(struct gathered *g)
{
    size_t k;

    for (k = 0; g->words != NULL && k < g->shown.n_knobs; k++)
        gtr_free(g->words[k]);
    gtr_free(g->knobs);
    gtr_free(g->knob_policy);
    gtr_free(g->knob_log);
    gtr_free(g->words);
}

enum gtr_code sweep_draw(const struct sweep_options *options, const struct sweep_results *results,
                         const struct sweep_found *found, struct gtr_err *err)
{
    const char *slash = strrchr(options->trace, '/');
    struct gathered g = { .options = options, .results = results, .found = found };
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
    g.shown.asked = &options->figures;
    g.shown.common = &options->common;
    gather_goals(&g);
    rc = gather_knobs(&g, err);
    if (rc == GTR_OK)
        rc = sweep_figures_draw(&g.shown, err);
    gathered_free(&g);
    return rc;
}
