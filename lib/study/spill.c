/* spill.c - excess attenuation, blame and who paid, over a run.
 *
 * First each group is followed through time and leaves what it has above its baseline; then steps,
 * which are independent of each other, are shared out to threads; then victims, each of whom adds
 * up in step order.  So the number of threads changes no bit.
 */
#include "spill.h"

#include <math.h>
#include <stdbool.h>

#include "alloc.h"
#include "exact.h"
#include "objectives.h"
#include "threads.h"

enum { STEPS_A_TASK = 256 };

struct spilling {
    const struct gtr_series *series;
    const uint8_t *skip;
    const struct gtr_baseline_options *baseline;
    const struct gtr_spill_options *options;
    struct gtr_spill *spill;
    double *fair;     /* [T] B */
    double *expected; /* [G][T] b_j; negative where there is no baseline */
    double *space;    /* [workers][room] for coalitions */
    size_t room;
    double *scratch;   /* [workers][2 G] players' a_j and blame */
    size_t *player;    /* [workers][G] their groups */
    double *log;       /* [workers][3 T] log ratios, and what sorting needs */
    double *error;     /* [T] of the blame, where it was sampled */
    double *loss;      /* [T] (s_fair - s) times the energy of the innocent */
    size_t *n_players; /* [T] groups above their baseline */
    size_t *n_active;  /* [T] groups with a gradient */
    size_t *start;     /* [T + 1] where a step's culprits begin: */
    size_t *culprit;   /* groups with blame, step after step */
    double *much;      /* and how much of it they have */
};

static bool counts(const struct spilling *s, size_t t)
{
    return !s->skip[t] && !s->series->nonfinite[t];
}

/* Leaves a_j in blame[j][t] and b_j in expected[j][t]. */
static void follow_group(void *context, size_t group, size_t worker)
{
    const struct spilling *s = context;
    size_t n = s->series->n_steps, at = group * n, t;
    const double *sumsq = s->series->sumsq + at;
    double *above = s->spill->blame + at, *expected = s->expected + at;
    double *log_ratio = s->log + worker * 3 * n;
    size_t n_innocent = 0, n_counted = 0;

    gtr_baseline_average(sumsq, s->skip, s->series->nonfinite, n, s->baseline, expected);
    for (t = 0; t < n; t++) {
        double average = expected[t];

        above[t] = 0.0;
        log_ratio[t] = NAN;
        expected[t] = isnan(average) ? -1.0 : s->baseline->kappa * average;
        expected[t] *= fabs(expected[t]);
        if (!counts(s, t) || !(sumsq[t] > 0.0))
            continue;
        if (expected[t] >= 0.0)
            log_ratio[t] = gtr_ln(sqrt(sumsq[t])) - gtr_ln(average);
        if (expected[t] >= 0.0 && sumsq[t] > expected[t])
            above[t] = sumsq[t] - expected[t];
        n_innocent += above[t] == 0.0 ? 1 : 0;
        n_counted++;
    }
    s->spill->innocent[group] = n_counted > 0 ? (double)n_innocent / (double)n_counted : NAN;
    s->spill->chance[group] =
        gtr_baseline_chance(log_ratio, n, gtr_ln(s->baseline->kappa), log_ratio + n);
}

/* One step: a_j become blame, and B, A(E) and x are filled in. */
static void blame_step(const struct spilling *s, size_t t, size_t worker)
{
    struct gtr_spill *spill = s->spill;
    size_t n_groups = spill->n_groups, n_steps = spill->n_steps, n = 0, j, k;
    double *above = s->scratch + worker * 2 * n_groups, *blame = above + n_groups;
    size_t *player = s->player + worker * n_groups;
    double fair = 0.0, innocent = 0.0, limit = gtr_ln(s->options->max_norm);

    for (j = 0; j < n_groups; j++) {
        double energy = s->series->sumsq[j * n_steps + t], a = spill->blame[j * n_steps + t];

        fair += a > 0.0 ? s->expected[j * n_steps + t] : energy;
        innocent += a > 0.0 ? 0.0 : energy;
        if (a > 0.0) {
            above[n] = a;
            player[n++] = j;
        }
    }
    spill->excess[t] = gtr_blame_step(s->options->method, fair, s->options->max_norm, above, n,
                                      blame, &s->error[t], s->space + worker * s->room);
    spill->spilled[t] = gtr_spilled(spill->excess[t], s->n_active[t], n);
    for (k = 0; k < n; k++)
        spill->blame[player[k] * n_steps + t] = blame[k];
    s->fair[t] = gtr_attenuation(gtr_log_energy(fair), limit);
    spill->attenuation[t] = s->fair[t] + spill->excess[t];
    s->loss[t] = (gtr_exp(-s->fair[t]) - gtr_exp(-spill->attenuation[t])) * innocent;
}

static void blame_steps(void *context, size_t item, size_t worker)
{
    const struct spilling *s = context;
    size_t t = item * STEPS_A_TASK, end = t + STEPS_A_TASK;

    for (; t < end && t < s->spill->n_steps; t++) {
        if (counts(s, t))
            blame_step(s, t, worker);
        else
            s->spill->attenuation[t] = s->spill->excess[t] = s->spill->spilled[t] = NAN;
    }
}

static bool is_above(const struct spilling *s, size_t group, size_t t)
{
    double expected = s->expected[group * s->spill->n_steps + t];

    return expected >= 0.0 && s->series->sumsq[group * s->spill->n_steps + t] > expected;
}

/* Lists who has blame at each step: few of many, and every victim goes through them. */
static void list_culprits(struct spilling *s)
{
    const struct gtr_spill *spill = s->spill;
    size_t n = 0, t, j;

    for (t = 0; t < spill->n_steps; t++) {
        s->start[t] = n;
        for (j = 0; j < spill->n_groups && spill->excess[t] > 0.0; j++) {
            if (!(spill->blame[j * spill->n_steps + t] > 0.0))
                continue;
            s->culprit[n] = j;
            s->much[n++] = spill->blame[j * spill->n_steps + t];
        }
    }
    s->start[spill->n_steps] = n;
}

/* What is clipped is whose, and what would be clipped without it. */
static void sum_own(const struct spilling *s, size_t group)
{
    struct gtr_spill *spill = s->spill;
    double limit = gtr_ln(s->options->max_norm), own = 0.0, all = 0.0, others = 0.0;
    size_t n = 0, t;

    for (t = 0; t < spill->n_steps; t++) {
        double energy = s->series->total_sumsq[t], mine;

        if (!counts(s, t))
            continue;
        n++;
        if (!(spill->attenuation[t] > 0.0))
            continue;
        mine = s->series->sumsq[group * spill->n_steps + t];
        own += spill->attenuation[t] * (mine / energy);
        all += spill->attenuation[t];
        others += 1.0 - gtr_exp(-gtr_attenuation(gtr_log_energy(energy - mine), limit));
    }
    spill->owned[group] = all > 0.0 ? own / all : 0.0;
    spill->without[group] = n > 0 ? others / (double)n : 0.0;
}

/* What group `victim` received, and from whom, in step order. */
static void sum_victim(void *context, size_t victim, size_t worker)
{
    const struct spilling *s = context;
    struct gtr_spill *spill = s->spill;
    double *from = spill->matrix + victim * spill->n_groups;
    size_t at = victim * spill->n_steps, t, k;

    (void)worker;
    sum_own(s, victim);
    for (t = 0; t < spill->n_steps; t++) {
        double own;

        if (!(spill->excess[t] > 0.0 && s->series->sumsq[at + t] > 0.0))
            continue;
        if (!is_above(s, victim, t)) {
            spill->received[victim] += spill->excess[t];
            for (k = s->start[t]; k < s->start[t + 1]; k++)
                from[s->culprit[k]] += s->much[k];
            continue;
        }
        own =
            0.5 * (gtr_log_energy(s->series->sumsq[at + t]) - gtr_log_energy(s->expected[at + t]));
        spill->received[victim] += spill->excess[t] > own ? spill->excess[t] - own : 0.0;
        spill->blamed[victim] += spill->blame[at + t];
    }
}

/* How often groups are above their past, and would be by chance. */
static void sum_above(struct spilling *s)
{
    struct gtr_spill *spill = s->spill;
    double above = 0.0, chance = 0.0, all = 0.0;
    size_t j, t;

    for (j = 0; j < spill->n_groups; j++) {
        double n = 0.0;

        for (t = 0; t < spill->n_steps; t++)
            n += counts(s, t) && s->series->sumsq[j * spill->n_steps + t] > 0.0 ? 1.0 : 0.0;
        if (isnan(spill->innocent[j]) || isnan(spill->chance[j]))
            continue;
        above += n * (1.0 - spill->innocent[j]);
        chance += n * spill->chance[j];
        all += n;
    }
    spill->above_share = all > 0.0 ? above / all : 0.0;
    spill->chance_share = all > 0.0 ? chance / all : 0.0;
}

static void sum_run(const struct spilling *s)
{
    struct gtr_spill *spill = s->spill;
    double loss = 0.0, energy = 0.0, squares = 0.0, error = 0.0;
    size_t t, j;

    for (t = 0; t < spill->n_steps; t++) {
        if (!counts(s, t))
            continue;
        spill->n_counted++;
        spill->n_clipped += spill->attenuation[t] > 0.0 ? 1 : 0;
        spill->n_excess += spill->excess[t] > 0.0 ? 1 : 0;
        spill->n_sampled += spill->excess[t] > 0.0 && s->n_players[t] > GTR_BLAME_EXACT &&
                                    s->options->method == GTR_BLAME_SHAPLEY
                                ? 1
                                : 0;
        error += s->error[t];
        spill->cost += 1.0 - gtr_exp(-spill->attenuation[t]);
        spill->attenuation_sum += spill->attenuation[t];
        spill->excess_sum += spill->excess[t];
        spill->spilled_sum += spill->spilled[t];
        loss += s->loss[t];
        energy += s->series->total_sumsq[t];
    }
    spill->excess_share =
        spill->attenuation_sum > 0.0 ? spill->excess_sum / spill->attenuation_sum : 0.0;
    spill->spill_share =
        spill->attenuation_sum > 0.0 ? spill->spilled_sum / spill->attenuation_sum : 0.0;
    if (spill->excess_sum > 0.0) {
        spill->bystanders = spill->spilled_sum / spill->excess_sum;
        spill->sampling_error = error / spill->excess_sum;
    }
    if (spill->n_counted > 0)
        spill->cost /= (double)spill->n_counted;
    spill->lost_descent = energy > 0.0 ? loss / energy : 0.0;
    for (j = 0; j < spill->n_groups && spill->excess_sum > 0.0; j++) {
        double share = spill->blamed[j] / spill->excess_sum;

        squares += share * share;
    }
    spill->culprits = squares > 0.0 ? 1.0 / squares : 0.0;
}

/* Counts the players of each step, and returns the room that the worst of them needs. */
static size_t count_players(const struct spilling *s, size_t *n_all)
{
    size_t n = s->spill->n_steps, most = 0, t, j;

    for (j = 0; j < s->spill->n_groups; j++)
        for (t = 0; t < n; t++) {
            s->n_players[t] += s->spill->blame[j * n + t] > 0.0 ? 1 : 0;
            s->n_active[t] += s->series->sumsq[j * n + t] > 0.0 ? 1 : 0;
        }
    for (*n_all = 0, t = 0; t < n; t++) {
        *n_all += s->n_players[t];
        if (gtr_blame_space(s->n_players[t]) > most)
            most = gtr_blame_space(s->n_players[t]);
    }
    return most;
}

static enum gtr_code spill_alloc(struct gtr_spill *p, struct gtr_err *err)
{
    const struct {
        double **array;
        size_t n;
    } arrays[] = { { &p->attenuation, p->n_steps },
                   { &p->excess, p->n_steps },
                   { &p->spilled, p->n_steps },
                   { &p->blame, p->n_groups * p->n_steps },
                   { &p->received, p->n_groups },
                   { &p->blamed, p->n_groups },
                   { &p->innocent, p->n_groups },
                   { &p->chance, p->n_groups },
                   { &p->owned, p->n_groups },
                   { &p->without, p->n_groups },
                   { &p->matrix, p->n_groups * p->n_groups } };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(arrays); i++)
        rc = gtr_alloc_for(arrays[i].array, arrays[i].n, sizeof(double), "numbers", err);
    return rc;
}

static enum gtr_code scratch_alloc(struct spilling *s, size_t n_workers, struct gtr_err *err)
{
    size_t n_groups = s->spill->n_groups, n_steps = s->spill->n_steps;
    enum gtr_code rc;

    rc = gtr_alloc_for(&s->fair, n_steps, sizeof *s->fair, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->loss, n_steps, sizeof *s->loss, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->error, n_steps, sizeof *s->error, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->log, n_workers, 3 * n_steps * sizeof *s->log, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->expected, n_groups * n_steps, sizeof *s->expected, "numbers", err);
    if (rc == GTR_OK)
        rc =
            gtr_alloc_for(&s->scratch, n_workers * 2 * n_groups, sizeof *s->scratch, "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->player, n_workers * n_groups, sizeof *s->player, "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->n_players, n_steps, sizeof *s->n_players, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->n_active, n_steps, sizeof *s->n_active, "steps", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->start, n_steps + 1, sizeof *s->start, "steps", err);
    return rc;
}

static void scratch_free(struct spilling *s)
{
    gtr_free(s->space);
    gtr_free(s->fair);
    gtr_free(s->loss);
    gtr_free(s->error);
    gtr_free(s->log);
    gtr_free(s->expected);
    gtr_free(s->scratch);
    gtr_free(s->player);
    gtr_free(s->n_players);
    gtr_free(s->n_active);
    gtr_free(s->start);
    gtr_free(s->culprit);
    gtr_free(s->much);
}

static enum gtr_code run_spill(struct spilling *s, size_t n_workers, struct gtr_err *err)
{
    size_t n_tasks = (s->spill->n_steps + STEPS_A_TASK - 1) / STEPS_A_TASK, n_all;
    enum gtr_code rc;

    gtr_threads_run(n_workers, s->spill->n_groups, follow_group, s);
    s->room = count_players(s, &n_all);
    sum_above(s);
    rc = gtr_alloc_for(&s->culprit, n_all, sizeof *s->culprit, "culprits", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->much, n_all, sizeof *s->much, "culprits", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&s->space, n_workers, s->room * sizeof(double), "coalitions", err);
    if (rc != GTR_OK)
        return rc;
    gtr_threads_run(n_workers, n_tasks, blame_steps, s);
    list_culprits(s);
    gtr_threads_run(n_workers, s->spill->n_groups, sum_victim, s);
    sum_run(s);
    return GTR_OK;
}

enum gtr_code gtr_spill_new(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                            const struct gtr_spill_options *options, struct gtr_spill **out,
                            struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    struct spilling s = { .series = series,
                          .skip = gtr_replay_skip(replay),
                          .baseline = &baseline->options,
                          .options = options };
    size_t n_workers = gtr_threads_count(options->n_threads, series->n_steps);
    enum gtr_code rc;

    *out = NULL;
    if (!(options->max_norm >= 1e-150 && options->max_norm <= 1e150))
        return gtr_fail(err, GTR_EUSAGE, "max_norm=%g: must be from 1e-150 to 1e150",
                        options->max_norm);
    rc = gtr_alloc_for(&s.spill, 1, sizeof *s.spill, "spill", err);
    if (rc != GTR_OK)
        return rc;
    s.spill->n_groups = series->n_groups;
    s.spill->n_steps = series->n_steps;
    s.spill->max_norm = options->max_norm;
    rc = spill_alloc(s.spill, err);
    if (rc == GTR_OK)
        rc = scratch_alloc(&s, n_workers, err);
    if (rc == GTR_OK)
        rc = run_spill(&s, n_workers, err);
    scratch_free(&s);
    if (rc != GTR_OK) {
        gtr_spill_free(s.spill);
        return rc;
    }
    *out = s.spill;
    return GTR_OK;
}

void gtr_spill_free(struct gtr_spill *spill)
{
    if (spill == NULL)
        return;
    gtr_free(spill->attenuation);
    gtr_free(spill->excess);
    gtr_free(spill->spilled);
    gtr_free(spill->chance);
    gtr_free(spill->owned);
    gtr_free(spill->without);
    gtr_free(spill->blame);
    gtr_free(spill->received);
    gtr_free(spill->blamed);
    gtr_free(spill->matrix);
    gtr_free(spill->innocent);
    gtr_free(spill);
}
