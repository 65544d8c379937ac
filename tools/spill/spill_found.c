/* spill_found.c - runs the policies, the curve and the other kappas.
 *
 * Only one limit for all can make a group pay for another, so of several policies everything is
 * told of the first of that kind; of the others, which spill nothing, only how often they clip.
 */
#include "spill_found.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const spill_methods[3] = { "shapley", "aumann", "leave-one-out" };

void spill_options_init(struct spill_options *o)
{
    memset(o, 0, sizeof *o);
    gtr_baseline_options_init(&o->baseline);
    o->cost = SPILL_COST;
    o->n_top = 5;
}

/* A limit that nothing reaches. */
static const double never = 1e150;

/* --- policies ------------------------------------------------------------------------------ */

static enum gtr_code run_limit(const struct spill_found *found, double max_norm,
                               enum gtr_blame_method method,
                               const struct gtr_baseline_options *baseline,
                               struct gtr_spill **spill, struct gtr_err *err)
{
    const struct gtr_spill_options options = { .max_norm = max_norm,
                                               .method = method,
                                               .n_threads = found->options->common.n_threads };
    const struct gtr_baseline past = { .options = *baseline };

    return gtr_spill_new(found->study->replay, &past, &options, spill, err);
}

static enum gtr_code run_global(struct spill_found *found, struct spill_policy *policy,
                                double max_norm, struct gtr_err *err)
{
    enum gtr_code rc;

    policy->global = true;
    policy->max_norm = policy->at.max_norm = max_norm;
    rc = run_limit(found, max_norm, found->options->method, &found->options->baseline,
                   &policy->spill, err);
    if (rc == GTR_OK)
        rc = gtr_spill_curve(found->study->replay, found->baseline, &policy->at, 1, err);
    if (rc == GTR_OK && policy->spill->n_counted > 0)
        policy->clip_rate = (double)policy->spill->n_clipped / (double)policy->spill->n_counted;
    return rc;
}

/* Share of the steps at which any group is scaled down. */
static double clip_rate_of(const struct study *study, const struct gtr_decisions *decisions)
{
    size_t n_steps = decisions->n_steps, clipped = 0, counted = 0, t, j;

    for (t = 0; t < n_steps; t++) {
        bool down = false;

        for (j = 0; j < decisions->n_groups; j++)
            down = down || decisions->scale[j * n_steps + t] < 1.0;
        if (gtr_replay_skip(study->replay)[t] || study->series->nonfinite[t])
            continue;
        counted++;
        clipped += down ? 1 : 0;
    }
    return counted > 0 ? (double)clipped / (double)counted : 0.0;
}

/* Each group's scale is its own affair: nothing spills. */
static enum gtr_code run_group_wise(struct spill_found *found, struct spill_policy *policy,
                                    const struct gtr_setting *setting, struct gtr_err *err)
{
    struct gtr_decisions *decisions = NULL;
    enum gtr_code rc = gtr_replay_run(found->study->replay, setting, &decisions, err);

    policy->max_norm = policy->at.max_norm = (double)NAN;
    if (rc == GTR_OK) {
        policy->clip_rate = policy->at.clip_rate = clip_rate_of(found->study, decisions);
        rc = run_limit(found, never, GTR_BLAME_AUMANN, &found->options->baseline, &policy->spill,
                       err);
    }
    gtr_decisions_free(decisions);
    return rc;
}

static enum gtr_code limit_of(const struct study *study, const struct gtr_setting *setting,
                              double *max_norm, struct gtr_err *err)
{
    const struct gtr_groups *groups = study->groups;
    union gtr_params *params;
    enum gtr_code rc = gtr_alloc_for(&params, groups->n_groups, sizeof *params, "groups", err);
    size_t j;

    if (rc == GTR_OK)
        rc = gtr_setting_bind(setting, (const char *const *)groups->names, groups->n_groups, params,
                              err);
    for (j = 0; rc == GTR_OK && j < groups->n_groups; j++) {
        *max_norm = params[0].global.max_norm;
        if (params[j].global.max_norm != *max_norm)
            rc = gtr_fail(err, GTR_EUSAGE,
                          "%s: one group has another limit than the rest; spill-over is of one "
                          "limit for all",
                          gtr_setting_text(setting));
    }
    gtr_free(params);
    return rc;
}

static enum gtr_code run_setting(struct spill_found *found, size_t i, struct gtr_err *err)
{
    const struct gtr_setting *setting = found->study->settings[i];
    struct spill_policy *policy = &found->policies[found->n_policies];
    double max_norm = 0.0;
    enum gtr_code rc;

    policy->label = found->study->labels[i];
    policy->text = gtr_setting_text(setting);
    found->n_policies++;
    if (gtr_setting_policy(setting) == GTR_GLOBAL) {
        rc = limit_of(found->study, setting, &max_norm, err);
        return rc == GTR_OK ? run_global(found, policy, max_norm, err) : rc;
    }
    if (gtr_policy_spec(gtr_setting_policy(setting))->unit == GTR_WHOLE)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: is neither one limit nor a rule for each group by itself; spill-over "
                        "of it is not defined",
                        policy->text);
    return run_group_wise(found, policy, setting, err);
}

static enum gtr_code run_extra(struct spill_found *found, double max_norm, const char *text,
                               struct gtr_err *err)
{
    struct spill_policy *policy = &found->policies[found->n_policies++];

    policy->label = policy->text = text;
    return run_global(found, policy, max_norm, err);
}

/* --max-norm comes first, then -p in order; with neither the run's own limit. */
static enum gtr_code run_policies(struct spill_found *found, struct gtr_err *err)
{
    const struct spill_options *o = found->options;
    enum gtr_code rc = gtr_alloc_for(&found->policies, found->study->n_settings + 1,
                                     sizeof *found->policies, "policies", err);
    double limit = o->choose ? found->chosen.max_norm : o->max_norm;
    size_t i;

    if (rc == GTR_OK && limit == 0.0 && found->study->n_settings == 0) {
        limit = found->own.max_norm;
        if (limit == 0.0)
            rc = gtr_fail(err, GTR_EUSAGE,
                          "%s: does not tell the limit that the run had; name one with --max-norm "
                          "C or auto, or with -p",
                          o->trace);
    }
    snprintf(found->auto_text, sizeof found->auto_text, "global:max_norm=%.6g", limit);
    if (rc == GTR_OK && limit > 0.0)
        rc = run_extra(found, limit, found->auto_text, err);
    for (i = 0; rc == GTR_OK && i < found->study->n_settings; i++)
        rc = run_setting(found, i, err);
    for (found->main = 0; found->main < found->n_policies; found->main++)
        if (found->policies[found->main].global)
            break;
    return rc;
}

/* --- what is told of the main one ---------------------------------------------------------- */

double spill_share(const struct gtr_spill *spill, size_t group)
{
    return spill->excess_sum > 0.0 ? spill->blamed[group] / spill->excess_sum : 0.0;
}

double spill_loss(const struct gtr_spill *spill, size_t group)
{
    return spill->n_counted > 0 ? 1.0 - exp(-spill->received[group] / (double)spill->n_counted)
                                : 0.0;
}

size_t spill_owner(const struct gtr_spill *spill)
{
    size_t owner = 0, j;

    for (j = 1; j < spill->n_groups; j++)
        if (spill->owned[j] > spill->owned[owner])
            owner = j;
    if (spill->n_groups < 2 || !(spill->owned[owner] >= 0.5) ||
        !(spill->without[owner] <= 0.5 * spill->cost))
        return spill->n_groups;
    return owner;
}

bool spill_is_noise(const struct gtr_spill *spill)
{
    return spill->n_excess > 0 && spill->chance_share >= 0.5 * spill->above_share;
}

static bool ranks_before(const struct gtr_spill *spill, size_t a, size_t b)
{
    if (spill->blamed[a] != spill->blamed[b])
        return spill->blamed[a] > spill->blamed[b];
    return spill->received[a] > spill->received[b];
}

/* Insertion, so that equal ones keep the trace's order. */
static void rank_groups(const struct gtr_spill *spill, size_t *ranked)
{
    size_t j, k;

    for (j = 0; j < spill->n_groups; j++) {
        for (k = j; k > 0 && ranks_before(spill, j, ranked[k - 1]); k--)
            ranked[k] = ranked[k - 1];
        ranked[k] = j;
    }
}

static size_t find_worst(const struct gtr_spill *spill, size_t *worst, size_t most)
{
    size_t n = 0, t, k;

    for (t = 0; t < spill->n_steps && most > 0; t++) {
        if (!(spill->excess[t] > 0.0))
            continue;
        if (n == most && !(spill->excess[t] > spill->excess[worst[n - 1]]))
            continue;
        n += n < most ? 1 : 0;
        for (k = n - 1; k > 0 && spill->excess[t] > spill->excess[worst[k - 1]]; k--)
            worst[k] = worst[k - 1];
        worst[k] = t;
    }
    return n;
}

static enum gtr_code try_kappa(struct spill_found *found, double kappa, double max_norm,
                               struct gtr_err *err)
{
    struct spill_kappa *tried = &found->kappas[found->n_kappas];
    struct gtr_baseline_options baseline = found->options->baseline;
    struct gtr_spill *spill;
    enum gtr_code rc;
    size_t j;

    baseline.kappa = kappa;
    rc = run_limit(found, max_norm, GTR_BLAME_AUMANN, &baseline, &spill, err);
    if (rc != GTR_OK)
        return rc;
    tried->kappa = kappa;
    tried->excess_share = spill->excess_share;
    tried->culprit = 0;
    for (j = 1; j < spill->n_groups; j++)
        if (spill->blamed[j] > spill->blamed[tried->culprit])
            tried->culprit = j;
    tried->share = spill_share(spill, tried->culprit);
    gtr_spill_free(spill);
    found->n_kappas++;
    return GTR_OK;
}

/* The usual ones, and the user's among them. */
static enum gtr_code try_kappas(struct spill_found *found, double max_norm, struct gtr_err *err)
{
    static const double usual[] = { 1.25, 1.5, 2.0, 3.0, 5.0 };
    double mine = found->options->baseline.kappa;
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(usual); i++) {
        if (mine < usual[i] && (i == 0 || mine > usual[i - 1]))
            rc = try_kappa(found, mine, max_norm, err);
        if (rc == GTR_OK)
            rc = try_kappa(found, usual[i], max_norm, err);
    }
    if (rc == GTR_OK && mine > usual[GTR_ARRAY_LEN(usual) - 1])
        rc = try_kappa(found, mine, max_norm, err);
    return rc;
}

static enum gtr_code tell_main(struct spill_found *found, struct gtr_err *err)
{
    const struct spill_policy *policy = &found->policies[found->main];
    size_t most = found->options->n_top;
    enum gtr_code rc =
        gtr_alloc_for(&found->ranked, policy->spill->n_groups, sizeof(size_t), "groups", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&found->worst, most, sizeof(size_t), "steps", err);
    if (rc != GTR_OK)
        return rc;
    rank_groups(policy->spill, found->ranked);
    found->n_worst = find_worst(policy->spill, found->worst, most);
    return try_kappas(found, policy->max_norm, err);
}

size_t spill_ranges(const struct gtr_spill_point *points, size_t n, double share,
                    struct spill_range *ranges, size_t most)
{
    size_t count = 0, i;
    bool inside = false;

    for (i = 0; i < n && points[i].clip_rate > 0.0; i++) {
        bool below = points[i].excess_share < share;
        double edge = points[i].max_norm;

        /* Between two points the share is taken to be straight over the logarithm. */
        if (i > 0 && below != inside) {
            const struct gtr_spill_point *a = &points[i - 1], *b = &points[i];
            double part = (share - a->excess_share) / (b->excess_share - a->excess_share);

            edge = a->max_norm * pow(b->max_norm / a->max_norm, part);
        }
        if (below && !inside && count++ < most)
            ranges[count - 1] = (struct spill_range){ edge, edge, i == 0, true };
        if (!below && inside && count <= most)
            ranges[count - 1].to_end = false;
        if ((below || inside) && count <= most)
            ranges[count - 1].high = edge;
        inside = below;
    }
    return count;
}

enum gtr_code spill_found_make(struct spill_found *found, const struct study *study,
                               const struct spill_options *options, struct gtr_err *err)
{
    enum gtr_code rc;

    memset(found, 0, sizeof *found);
    found->study = study;
    found->options = options;
    rc = gtr_baseline_new(study->series, gtr_replay_skip(study->replay), &options->baseline,
                          &found->baseline, err);
    if (rc == GTR_OK)
        rc = gtr_spill_limit(study->replay, found->baseline, options->cost, &found->chosen, err);
    if (rc == GTR_OK)
        rc = gtr_spill_limit_range(study->replay, found->baseline, options->cost,
                                   found->chosen.max_norm, &found->chosen_low, &found->chosen_high,
                                   err);
    if (rc == GTR_OK)
        rc = gtr_spill_curve(study->replay, found->baseline, found->points, SPILL_POINTS, err);
    found->own.max_norm = study_own_limit(gtr_trace_head(study->trace)->meta);
    if (rc == GTR_OK && found->own.max_norm > 0.0)
        rc = gtr_spill_curve(study->replay, found->baseline, &found->own, 1, err);
    if (rc == GTR_OK)
        rc = run_policies(found, err);
    if (rc == GTR_OK && found->main < found->n_policies)
        rc = tell_main(found, err);
    return rc;
}

void spill_found_free(struct spill_found *found)
{
    size_t i;

    for (i = 0; i < found->n_policies; i++)
        gtr_spill_free(found->policies[i].spill);
    gtr_free(found->policies);
    gtr_free(found->ranked);
    gtr_free(found->worst);
    gtr_baseline_free(found->baseline);
}
