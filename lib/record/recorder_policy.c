/* recorder_policy.c - what a policy would make of the steps, while the run goes on.
 *
 * One lane for each group of tensors, as in a replay of the trace: the same order of sums, the same
 * steps left out.  A flight recorder takes a step for a spike at which a lane's scale is small.
 */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "groups.h"
#include "look.h"
#include "recorder_private.h"
#include "params.h"

struct gtr_recorder_policy {
    struct gtr_setting *setting;
    struct gtr_groups *groups; /* as the rest from the first step on */
    union gtr_params *params;  /* [G], as the next two */
    union gtr_state *states;
    double *sums;
    double *numel; /* [G] */
    double *look;  /* memory of the policy's look-back, or NULL */
    double seen;
};

enum gtr_code gtr_recorder_policy_new(const char *text, struct gtr_recorder_policy **out,
                                      struct gtr_err *err)
{
    struct gtr_recorder_policy *policy;
    enum gtr_code rc;

    *out = NULL;
    if (text == NULL)
        return GTR_OK;
    rc = gtr_alloc_for(&policy, 1, sizeof *policy, "policies", err);
    if (rc == GTR_OK)
        rc = gtr_setting_parse(text, &policy->setting, err);
    if (rc != GTR_OK) {
        gtr_recorder_policy_free(policy);
        return rc;
    }
    *out = policy;
    return GTR_OK;
}

void gtr_recorder_policy_free(struct gtr_recorder_policy *policy)
{
    if (policy == NULL)
        return;
    gtr_setting_free(policy->setting);
    gtr_groups_free(policy->groups);
    gtr_free(policy->params);
    gtr_free(policy->states);
    gtr_free(policy->sums);
    gtr_free(policy->look);
    gtr_free(policy->numel);
    gtr_free(policy);
}

static enum gtr_policy_id policy_of(const struct gtr_recorder_policy *policy, size_t group)
{
    return gtr_policy_of_group(gtr_setting_policy(policy->setting),
                               group == policy->groups->left_out);
}

/* A parameter that is found from all norms of a run is not known while it goes on. */
static enum gtr_code check_fit(const struct gtr_recorder_policy *policy, struct gtr_err *err)
{
    const struct gtr_policy_spec *spec = gtr_policy_spec(gtr_setting_policy(policy->setting));
    const struct gtr_param_spec *fitted =
        spec->fit_key != NULL ? gtr_param_find(spec, spec->fit_key) : NULL;
    size_t j;

    for (j = 0; fitted != NULL && j < policy->groups->n_groups; j++)
        if (gtr_param_get(fitted, &policy->params[j]) >= 0.0)
            return gtr_fail(err, GTR_EUSAGE,
                            "spike_policy %s: %s is found from the norms of a whole run; give "
                            "limits instead",
                            gtr_setting_text(policy->setting), spec->fit_key);
    return GTR_OK;
}

/* What only a whole run, or more than norms, can say. */
static enum gtr_code check_needs(const struct gtr_recorder_policy *policy, struct gtr_err *err)
{
    const struct gtr_policy_spec *spec = gtr_policy_spec(gtr_setting_policy(policy->setting));
    size_t j;

    for (j = 0; spec->needs != NULL && j < policy->groups->n_groups; j++)
        if (spec->needs(&policy->params[j]) & ~(unsigned)GTR_NEED_NUMEL)
            return gtr_fail(err, GTR_EUSAGE,
                            "spike_policy %s: needs more than norms, which are all that is known "
                            "while a run goes on",
                            gtr_setting_text(policy->setting));
    if (spec->look != NULL && spec->look->size(policy->params, SIZE_MAX) == 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "spike_policy %s: looks back at all norms, however many there will be",
                        gtr_setting_text(policy->setting));
    return GTR_OK;
}

static enum gtr_code look_new(struct gtr_recorder_policy *policy, struct gtr_err *err)
{
    const struct gtr_look *look = gtr_policy_spec(gtr_setting_policy(policy->setting))->look;

    if (look == NULL)
        return GTR_OK;
    return gtr_alloc_for(&policy->look, look->size(policy->params, SIZE_MAX), sizeof(double),
                         "norms", err);
}

enum gtr_code gtr_recorder_policy_begin(struct gtr_recorder_policy *policy,
                                        const struct gtr_head *head, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t n, i, j;

    if (policy == NULL)
        return GTR_OK;
    rc = gtr_groups_new(NULL, head, &policy->groups, err);
    if (rc != GTR_OK)
        return rc;
    n = policy->groups->n_groups;
    rc = gtr_alloc_for(&policy->params, n, sizeof *policy->params, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&policy->states, n, sizeof *policy->states, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&policy->sums, n, sizeof *policy->sums, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&policy->numel, n, sizeof *policy->numel, "lanes", err);
    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++)
        policy->numel[policy->groups->of_tensor[i]] += (double)head->tensors[i].numel;
    if (rc == GTR_OK)
        rc = gtr_setting_bind(policy->setting, (const char *const *)policy->groups->names, n,
                              policy->params, err);
    if (rc == GTR_OK)
        rc = check_fit(policy, err);
    if (rc == GTR_OK)
        rc = check_needs(policy, err);
    if (rc == GTR_OK)
        rc = look_new(policy, err);
    for (j = 0; rc == GTR_OK && j < n; j++)
        gtr_policy_init(policy_of(policy, j), &policy->params[j], &policy->states[j]);
    return rc;
}

double gtr_recorder_policy_step(struct gtr_recorder_policy *policy, const struct gtr_head *head,
                                const struct gtr_step *step, const double *sumsq)
{
    const struct gtr_policy_spec *spec;
    struct gtr_obs obs = { .progress = gtr_progress_at(step->index, head->total_steps),
                           .loss = (double)NAN,
                           .maxabs = (double)NAN,
                           .total_maxabs = (double)NAN,
                           .weight = (double)NAN };
    double total = 0.0, least = HUGE_VAL, given[GTR_GIVEN] = { 0.0 };
    size_t i, j;

    if (policy == NULL)
        return least;
    memset(policy->sums, 0, policy->groups->n_groups * sizeof *policy->sums);
    for (i = 0; i < head->n_tensors; i++) {
        policy->sums[policy->groups->of_tensor[i]] += sumsq[i];
        total += sumsq[i];
    }
    obs.total = sqrt(total + step->rest);
    obs.seen = policy->seen;
    spec = gtr_policy_spec(gtr_setting_policy(policy->setting));
    if (spec->look != NULL) {
        const struct gtr_look_step now = { obs.seen, obs.total, obs.loss };

        spec->look->push(policy->params, policy->look, &now, given);
    }
    policy->seen += 1.0;
    for (j = 0; j < policy->groups->n_groups; j++) {
        struct gtr_action act;

        obs.sumsq = policy->sums[j];
        obs.norm = sqrt(obs.sumsq);
        obs.numel = policy->numel[j];
        memcpy(obs.given, given, sizeof obs.given);
        act =
            gtr_policy_step(policy_of(policy, j), &policy->params[j], &policy->states[j], &obs, 0);
        act.scale = act.skip ? 0.0 : act.scale;
        least = act.scale < least ? act.scale : least;
    }
    return least;
}
