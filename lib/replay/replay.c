/* replay.c - one lane per group, lanes on threads or on a GPU.
 *
 * What all settings share is made once: which steps count, how far the run has come at each, and
 * the norms with NaN put where the gradient was not finite.
 */
#include "replay.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alloc.h"
#include "lanes_cuda.h"
#include "look.h"
#include "options.h"
#include "order.h"
#include "params.h"
#include "threads.h"

struct gtr_replay {
    const struct gtr_series *series;
    struct gtr_replay_options options;
    int64_t total_steps;
    double *progress; /* [T] */
    double *total;    /* [T]; infinite or NaN at steps that are propagated */
    uint8_t *skip;    /* [T] */
    double *maxabs;   /* [G + 1][T] of the series, infinite or NaN where norms are; NULL as there */
};

void(gtr_replay_options_init)(struct gtr_replay_options *options, size_t size)
{
    gtr_options_init(options, size, &(struct gtr_replay_options){ .size = sizeof *options });
}

/* An infinite element is the largest there is. */
static void fill_maxabs(struct gtr_replay *replay)
{
    const struct gtr_series *series = replay->series;
    size_t n = series->n_steps, j, t;

    for (j = 0; j <= series->n_groups; j++)
        for (t = 0; t < n; t++) {
            const uint8_t odd = j == series->n_groups ? series->nonfinite[t]
                                : series->group_nonfinite != NULL
                                    ? series->group_nonfinite[j * n + t]
                                    : GTR_IS_FINITE;

            replay->maxabs[j * n + t] = gtr_odd(series->maxabs[j * n + t], odd);
        }
}

enum gtr_code gtr_replay_new(const struct gtr_series *series,
                             const struct gtr_replay_options *options, struct gtr_replay **out,
                             struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_replay *replay;
    size_t n = series->n_steps, t;

    *out = NULL;
    rc = gtr_alloc_for(&replay, 1, sizeof *replay, "replays", err);
    if (rc != GTR_OK)
        return rc;
    replay->series = series;
    gtr_replay_options_init(&replay->options);
    rc = gtr_options_take(&replay->options, options, "gtr_replay_options", err);
    replay->total_steps = replay->options.total_steps;
    if (replay->total_steps <= 0)
        replay->total_steps = replay->total_steps == 0 ? series->total_steps : 0;
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&replay->progress, n, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&replay->total, n, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&replay->skip, n, 1, "steps", err);
    if (rc == GTR_OK && series->maxabs != NULL)
        rc = gtr_alloc_for(&replay->maxabs, (series->n_groups + 1) * n, sizeof(double), "norms",
                           err);
    if (rc != GTR_OK) {
        gtr_replay_free(replay);
        return rc;
    }
    for (t = 0; t < n; t++) {
        replay->progress[t] = gtr_progress_at(series->index[t], replay->total_steps);
        replay->total[t] = gtr_odd(series->total[t], series->nonfinite[t]);
        replay->skip[t] = series->nonfinite[t] && replay->options.nonfinite == GTR_SKIP_STEP;
    }
    if (series->maxabs != NULL)
        fill_maxabs(replay);
    *out = replay;
    return GTR_OK;
}

void gtr_replay_free(struct gtr_replay *replay)
{
    if (replay == NULL)
        return;
    gtr_free(replay->progress);
    gtr_free(replay->total);
    gtr_free(replay->skip);
    gtr_free(replay->maxabs);
    gtr_free(replay);
}

const struct gtr_series *gtr_replay_series(const struct gtr_replay *replay)
{
    return replay->series;
}

const uint8_t *gtr_replay_skip(const struct gtr_replay *replay)
{
    return replay->skip;
}

const double *gtr_replay_progress(const struct gtr_replay *replay)
{
    return replay->progress;
}

const double *gtr_replay_total(const struct gtr_replay *replay)
{
    return replay->total;
}

size_t gtr_replay_n_threads(const struct gtr_replay *replay)
{
    return replay->options.n_threads;
}

int64_t gtr_replay_total_steps(const struct gtr_replay *replay)
{
    return replay->total_steps;
}

size_t gtr_replay_norms(const struct gtr_replay *replay, size_t group, double *norms)
{
    const struct gtr_series *series = replay->series;
    const double *sumsq =
        group == series->n_groups ? series->total_sumsq : series->sumsq + group * series->n_steps;
    size_t n = 0, t;

    /* A step that is propagated has no norm to speak of. */
    for (t = 0; t < series->n_steps; t++)
        if (!series->nonfinite[t])
            norms[n++] = sqrt(sumsq[t]);
    return n;
}

void gtr_replay_input(const struct gtr_replay *replay, size_t group, struct gtr_lane_input *in)
{
    const struct gtr_series *series = replay->series;
    size_t n = series->n_steps;

    *in = (struct gtr_lane_input){ .total = replay->total,
                                   .progress = replay->progress,
                                   .skip = replay->skip,
                                   .loss = series->loss,
                                   .numel =
                                       series->numel != NULL ? series->numel[group] : (double)NAN,
                                   .n_steps = n };
    if (replay->maxabs != NULL) {
        in->maxabs = replay->maxabs + group * n;
        in->total_maxabs = replay->maxabs + series->n_groups * n;
    }
    if (series->weight != NULL)
        in->weight = series->weight + group * n;
}

void gtr_replay_look_step(const struct gtr_replay *replay, size_t t, struct gtr_look_step *step)
{
    step->total = replay->total[t];
    step->loss = replay->series->loss != NULL ? replay->series->loss[t] : (double)NAN;
}

/* --- what a setting needs --------------------------------------------------------------------- */

unsigned gtr_setting_series(const struct gtr_setting *setting)
{
    const unsigned needs = gtr_policy_spec(gtr_setting_policy(setting))->may_need;

    return (needs & GTR_NEED_MAXABS ? GTR_SERIES_MAXABS : 0u) |
           (needs & GTR_NEED_WEIGHTS ? GTR_SERIES_WEIGHTS : 0u);
}

static bool has_number(const double *values, size_t n)
{
    size_t i;

    for (i = 0; values != NULL && i < n; i++)
        if (!isnan(values[i]))
            return true;
    return false;
}

enum gtr_code gtr_replay_check(const struct gtr_replay *replay, const struct gtr_setting *setting,
                               const union gtr_params *params, struct gtr_err *err)
{
    const struct gtr_series *series = replay->series;
    const struct gtr_policy_spec *policy = gtr_policy_spec(gtr_setting_policy(setting));
    size_t n = series->n_groups * series->n_steps, j;
    unsigned needs = 0;
    const char *missing = NULL;

    for (j = 0; policy->needs != NULL && j < series->n_groups; j++)
        needs |= policy->needs(&params[j]);
    if ((needs & GTR_NEED_LOSS) && series->loss == NULL)
        missing = "losses (/step/loss)";
    else if ((needs & GTR_NEED_MAXABS) && !has_number(series->maxabs, n))
        missing = "largest elements (/norm/maxabs)";
    else if ((needs & GTR_NEED_WEIGHTS) && series->weight == NULL)
        missing = "the weights' norms (/norm/param_sumsq)";
    else if ((needs & GTR_NEED_NUMEL) && series->numel == NULL)
        missing = "numbers of elements (/param/numel)";
    if (missing == NULL)
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE, "%.80s: needs %s, which this trace does not have",
                    gtr_setting_text(setting), missing);
}

/* --- one setting ------------------------------------------------------------------------------ */

struct running {
    const struct gtr_replay *replay;
    struct gtr_decisions *decisions;
    double *scratch; /* [workers][2 T] */
    double *given;   /* [T][GTR_GIVEN] of the policy's look-back, or NULL */
};

static double *scratch_of(const struct running *running, size_t worker)
{
    return running->scratch + worker * 2 * running->decisions->n_steps;
}

/* The group's energies, infinite or NaN where the gradient was. */
static const double *energies_of(const struct gtr_series *series, size_t group, double *scratch)
{
    const double *sumsq = series->sumsq + group * series->n_steps;
    size_t t;

    if (series->group_nonfinite == NULL)
        return sumsq;
    for (t = 0; t < series->n_steps; t++)
        scratch[t] = gtr_odd(sumsq[t], series->group_nonfinite[group * series->n_steps + t]);
    return scratch;
}

static void fit_lane(const struct running *running, size_t group, double *scratch)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(running->decisions->policy);
    size_t n;

    if (policy->fit == NULL)
        return;
    n = gtr_replay_norms(running->replay, group, scratch);
    gtr_order_sort(scratch, scratch + running->decisions->n_steps, n);
    policy->fit(&running->decisions->params[group], scratch, n);
}

static enum gtr_policy_id policy_of(const struct running *running, size_t group)
{
    return gtr_policy_of_group(running->decisions->policy,
                               group == running->replay->series->left_out);
}

/* A NaN has other bits on a GPU than on a CPU; what is written to files shall not. */
static void one_nan(double *values, size_t n)
{
    size_t t;

    for (t = 0; t < n; t++)
        if (isnan(values[t]))
            values[t] = (double)NAN;
}

static void end_lane(struct gtr_decisions *decisions, size_t group)
{
    size_t n = decisions->n_steps, at = group * n;

    one_nan(decisions->scale + at, n);
    if (decisions->lower != NULL) {
        one_nan(decisions->lower + at, n);
        one_nan(decisions->upper + at, n);
    }
}

static void run_lane(void *context, size_t group, size_t worker)
{
    const struct running *running = context;
    const struct gtr_replay *replay = running->replay;
    const struct gtr_series *series = replay->series;
    struct gtr_decisions *decisions = running->decisions;
    double *scratch = scratch_of(running, worker);
    size_t at = group * series->n_steps;
    struct gtr_lane_input in;
    struct gtr_lane_output out = { .scale = decisions->scale + at, .flags = decisions->flags + at };

    fit_lane(running, group, scratch);
    gtr_replay_input(replay, group, &in);
    in.given = running->given;
    in.sumsq = energies_of(series, group, scratch);
    if (decisions->lower != NULL) {
        out.lower = decisions->lower + at;
        out.upper = decisions->upper + at;
    }
    gtr_lane_run(policy_of(running, group), &decisions->params[group], &in, &out);
    end_lane(decisions, group);
}

/* --- on a GPU --------------------------------------------------------------------------------- */

/* What all lanes of a GPU read, made by lanes of the CPU. */
struct prepared {
    struct running *running;
    enum gtr_policy_id *policy; /* [G] */
    double *sumsq;              /* [G][T] */
};

static void prepare_lane(void *context, size_t group, size_t worker)
{
    const struct prepared *prepared = context;
    const struct running *running = prepared->running;
    const struct gtr_series *series = running->replay->series;
    double *to = prepared->sumsq + group * series->n_steps;
    const double *from;

    fit_lane(running, group, scratch_of(running, worker));
    from = energies_of(series, group, to);
    if (from != to)
        memcpy(to, from, series->n_steps * sizeof *to);
    prepared->policy[group] = policy_of(running, group);
}

static void end_lane_of(void *context, size_t group, size_t worker)
{
    (void)worker;
    end_lane(context, group);
}

static enum gtr_code run_on_gpu(struct running *running, int number, size_t n_workers,
                                struct gtr_err *err)
{
    const struct gtr_replay *replay = running->replay;
    struct gtr_decisions *decisions = running->decisions;
    size_t n = decisions->n_groups;
    struct gtr_lane_output out = { .lower = decisions->lower,
                                   .upper = decisions->upper,
                                   .scale = decisions->scale,
                                   .flags = decisions->flags };
    struct prepared prepared = { .running = running };
    struct gtr_lane_input in;
    enum gtr_code rc;

    rc = gtr_alloc_for(&prepared.policy, n, sizeof *prepared.policy, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&prepared.sumsq, n * decisions->n_steps, sizeof(double), "norms", err);
    if (rc != GTR_OK)
        goto out;
    gtr_threads_run(n_workers, n, prepare_lane, &prepared);
    gtr_replay_input(replay, 0, &in);
    in.sumsq = prepared.sumsq;
    in.given = running->given;
    rc = gtr_lanes_cuda(number, prepared.policy, decisions->params, replay->series->numel, n, &in,
                        &out, err);
    if (rc == GTR_OK)
        gtr_threads_run(n_workers, n, end_lane_of, decisions);
out:
    gtr_free(prepared.policy);
    gtr_free(prepared.sumsq);
    return rc;
}

/* --- a run ------------------------------------------------------------------------------------ */

static enum gtr_code decisions_new(const struct gtr_replay *replay, struct gtr_decisions **out,
                                   struct gtr_err *err)
{
    enum gtr_code rc;
    struct gtr_decisions *decisions;
    size_t n = replay->series->n_groups * replay->series->n_steps;

    rc = gtr_alloc_for(out, 1, sizeof **out, "decisions", err);
    if (rc != GTR_OK)
        return rc;
    decisions = *out;
    decisions->n_groups = replay->series->n_groups;
    decisions->n_steps = replay->series->n_steps;
    rc = gtr_alloc_for(&decisions->params, decisions->n_groups, sizeof *decisions->params, "lanes",
                       err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&decisions->scale, n, sizeof(double), "scales", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&decisions->flags, n, 1, "flags", err);
    if (rc == GTR_OK && replay->options.keep_interval)
        rc = gtr_alloc_for(&decisions->lower, n, sizeof(double), "intervals", err);
    if (rc == GTR_OK && replay->options.keep_interval)
        rc = gtr_alloc_for(&decisions->upper, n, sizeof(double), "intervals", err);
    return rc;
}

/* What the policy is given at each step, if it looks back; the same for all groups. */
static enum gtr_code look_back(struct running *running, struct gtr_err *err)
{
    const struct gtr_replay *replay = running->replay;
    const struct gtr_look *look = gtr_policy_spec(running->decisions->policy)->look;
    const union gtr_params *params = running->decisions->params;
    size_t n = replay->series->n_steps, t;
    struct gtr_look_step step = { 0 };
    double *memory = NULL;
    enum gtr_code rc;

    if (look == NULL)
        return GTR_OK;
    rc = gtr_alloc_for(&running->given, n * GTR_GIVEN, sizeof(double), "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&memory, look->size(params, n), sizeof(double), "norms", err);
    for (t = 0; rc == GTR_OK && t < n; t++) {
        if (replay->skip[t])
            continue;
        gtr_replay_look_step(replay, t, &step);
        look->push(params, memory, &step, running->given + t * GTR_GIVEN);
        step.seen += 1.0;
    }
    gtr_free(memory);
    return rc;
}

enum gtr_code gtr_replay_run(const struct gtr_replay *replay, const struct gtr_setting *setting,
                             struct gtr_decisions **out, struct gtr_err *err)
{
    enum gtr_code rc;
    const struct gtr_series *series = replay->series;
    struct running running = { .replay = replay };
    size_t n_workers = gtr_threads_count(replay->options.n_threads, series->n_groups);
    struct gtr_device chosen;

    *out = NULL;
    rc = gtr_device_choose(&replay->options.device,
                           (double)series->n_groups * (double)series->n_steps, &chosen, err);
    if (rc != GTR_OK)
        return rc;
    rc = decisions_new(replay, &running.decisions, err);
    if (rc != GTR_OK)
        goto out;
    running.decisions->policy = gtr_setting_policy(setting);
    rc = gtr_setting_bind(setting, (const char *const *)series->names, series->n_groups,
                          running.decisions->params, err);
    if (rc == GTR_OK)
        rc = gtr_replay_check(replay, setting, running.decisions->params, err);
    if (rc == GTR_OK)
        rc = look_back(&running, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&running.scratch, n_workers, 2 * series->n_steps * sizeof(double),
                           "workers", err);
    if (rc != GTR_OK)
        goto out;
    if (chosen.kind == GTR_DEVICE_CUDA) /* the first, if all are offered: there are few lanes */
        rc = run_on_gpu(&running, chosen.number > 0 ? chosen.number : 0, n_workers, err);
    else
        gtr_threads_run(n_workers, series->n_groups, run_lane, &running);
    if (rc != GTR_OK)
        goto out;
    *out = running.decisions;
    running.decisions = NULL;
out:
    gtr_decisions_free(running.decisions);
    gtr_free(running.scratch);
    gtr_free(running.given);
    return rc;
}

void gtr_decisions_free(struct gtr_decisions *decisions)
{
    if (decisions == NULL)
        return;
    gtr_free(decisions->params);
    gtr_free(decisions->scale);
    gtr_free(decisions->lower);
    gtr_free(decisions->upper);
    gtr_free(decisions->flags);
    gtr_free(decisions);
}
