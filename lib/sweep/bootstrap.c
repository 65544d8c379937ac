/* bootstrap.c - tallies of stretches, draws of them, and what each would recommend. */
#include "bootstrap.h"

#include <math.h>

#include "alloc.h"
#include "calm.h"
#include "catalogue.h"
#include "random.h"
#include "sweep_lane.h"
#include "sweep_look.h"
#include "threads.h"

/* Decisions that settings may take part with: some seconds of one processor. */
static const double DECISIONS_MOST = 2e8;
enum { SETTINGS_LEAST = 48, SETTINGS_MOST = 4096 };

/* One setting's sums over one stretch. */
struct block {
    struct gtr_tally tally;
    struct gtr_whole whole;
    double cost, weight;
};

struct booting {
    const struct gtr_sweep_rows *rows;
    const double *calm; /* [R][G], as rows are laid out */
    const struct gtr_plan *plan;
    const struct gtr_bootstrap_options *options;
    size_t first;
    struct gtr_bootstrap *out;
    struct block *block;         /* [n][GTR_BOOTSTRAP_BLOCKS] */
    union gtr_params *params;    /* [workers][G] */
    union gtr_state *state;      /* [workers][G] */
    struct gtr_tally *tallies;   /* [workers][G] */
    double *drawn;               /* [workers][n][GTR_OBJECTIVE_COUNT] */
    double *costs;               /* [workers][n] */
    bool *keep, *own;            /* [workers][n] */
    enum gtr_code *failed;       /* [workers] */
    struct gtr_sweep_look *look; /* [workers] */
    size_t n_workers;
};

/* --- the sums --------------------------------------------------------------------------------- */

static void run_step(const struct booting *b, size_t r, enum gtr_policy_id policy, size_t worker,
                     struct block *block)
{
    const struct gtr_sweep_rows *rows = b->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    const union gtr_params *params = b->params + worker * rows->n_groups;
    union gtr_state *state = b->state + worker * rows->n_groups;
    struct gtr_tally *tallies = b->tallies + worker * rows->n_groups;
    const int whole = gtr_policy_unit(policy) == GTR_WHOLE;
    struct gtr_direction direction;
    size_t j;

    gtr_sweep_look_push(&b->look[worker], rows, r);
    gtr_direction_init(&direction);
    for (j = 0; j < rows->n_groups; j++) {
        struct gtr_obs obs = gtr_sweep_look_obs(&b->look[worker], rows, r, j);
        struct gtr_action act = gtr_leave();
        double weight = b->calm[r * rows->n_groups + j];

        if (j != rows->left_out || whole)
            act = gtr_policy_step(policy, &params[j], &state[j], &obs, 0);
        if (j != rows->left_out)
            gtr_tally_add(&tallies[j], &act, cell[j].log_ratio, rows->log_kappa);
        act.scale = gtr_sweep_scale(&act);
        gtr_direction_add(&direction, j, act.scale, cell[j].energy);
        block->weight += weight;
        block->cost += act.scale < 1.0 ? weight * (1.0 - act.scale) : 0.0;
    }
    gtr_whole_add_cosine(&block->whole, gtr_direction_cosine(&direction, rows->row[r].energy));
    if (policy == GTR_GLOBAL)
        gtr_whole_add_spill(&block->whole, &rows->row[r], gtr_log_limit(&params->global));
}

/* One setting through the whole run, its averages never interrupted. */
static void run_setting(void *context, size_t item, size_t worker)
{
    const struct booting *b = context;
    size_t n_groups = b->rows->n_groups, setting = b->first + b->out->row[item], k, j, r = 0;
    enum gtr_policy_id policy = gtr_plan_policy_id(b->plan, gtr_plan_policy_of(b->plan, setting));
    union gtr_params *params = b->params + worker * n_groups;
    struct gtr_tally *tallies = b->tallies + worker * n_groups;

    gtr_plan_params(b->plan, setting, params);
    if (!gtr_sweep_look_begin(&b->look[worker], gtr_policy_spec(policy), params, 0, 1,
                              b->rows->n_rows)) {
        b->failed[worker] = GTR_ENOMEM;
        return;
    }
    for (j = 0; j < n_groups; j++)
        gtr_policy_init(policy, &params[j], &b->state[worker * n_groups + j]);
    for (k = 0; k < GTR_BOOTSTRAP_BLOCKS; k++) {
        struct block *block = &b->block[item * GTR_BOOTSTRAP_BLOCKS + k];
        size_t end = b->rows->n_rows * (k + 1) / GTR_BOOTSTRAP_BLOCKS;

        gtr_tally_init(&block->tally);
        gtr_whole_init(&block->whole);
        for (j = 0; j < n_groups; j++)
            gtr_tally_init(&tallies[j]);
        for (; r < end; r++)
            run_step(b, r, policy, worker, block);
        for (j = 0; j < n_groups; j++)
            if (j != b->rows->left_out)
                gtr_tally_merge(&block->tally, &tallies[j]);
    }
}

/* --- what a draw recommends ------------------------------------------------------------------- */

/* The objectives of a setting over the stretches pick[]; returns its cost to the calm. */
static double sum_blocks(const struct block *blocks, const size_t pick[GTR_BOOTSTRAP_BLOCKS],
                         double objectives[GTR_OBJECTIVE_COUNT])
{
    struct gtr_tally tally;
    struct gtr_whole whole;
    double cost = 0.0, weight = 0.0;
    size_t k;

    gtr_tally_init(&tally);
    gtr_whole_init(&whole);
    for (k = 0; k < GTR_BOOTSTRAP_BLOCKS; k++) {
        const struct block *block = &blocks[pick[k]];

        gtr_tally_merge(&tally, &block->tally);
        whole.cos_sum += block->whole.cos_sum;
        whole.cos_steps += block->whole.cos_steps;
        whole.spilled_sum += block->whole.spilled_sum;
        whole.attenuation_sum += block->whole.attenuation_sum;
        cost += block->cost;
        weight += block->weight;
    }
    gtr_objectives(&tally, &whole, 0, objectives);
    return weight > 0.0 ? cost / weight : 0.0;
}

/* Is a better than b, where there are no goals? */
static bool is_better(const double *a, double cost_a, const double *b, double cost_b, double most)
{
    if ((cost_a <= most) != (cost_b <= most))
        return cost_a <= most;
    if (cost_a > most && cost_a != cost_b)
        return cost_a < cost_b;
    if (a[GTR_LEAK] != b[GTR_LEAK])
        return a[GTR_LEAK] < b[GTR_LEAK];
    if (a[GTR_DISTORTION] != b[GTR_DISTORTION]) /* raising what is small would look cheap */
        return a[GTR_DISTORTION] < b[GTR_DISTORTION];
    return a[GTR_ATTENUATION] < b[GTR_ATTENUATION];
}

static enum gtr_code choose(const struct booting *b, const double *rows, const double *costs,
                            const bool *keep, size_t *chosen, struct gtr_err *err)
{
    const struct gtr_bootstrap_options *o = b->options;
    size_t n = b->out->n, best = n, n_front, i, *front;
    enum gtr_code rc;

    *chosen = GTR_NO_ROW;
    if (o->n_goals > 0) {
        rc = gtr_front_new(o->goals, o->n_goals, rows, n, keep, &front, &n_front, err);
        if (rc == GTR_OK && n_front > 0)
            *chosen = b->out->row[gtr_front_knee(o->goals, o->n_goals, rows, front, n_front)];
        gtr_free(front);
        return rc;
    }
    for (i = 0; i < n; i++)
        if (keep[i] &&
            (best == n || is_better(rows + i * GTR_OBJECTIVE_COUNT, costs[i],
                                    rows + best * GTR_OBJECTIVE_COUNT, costs[best], o->cost)))
            best = i;
    if (best < n)
        *chosen = b->out->row[best];
    return GTR_OK;
}

/* Of each policy, and of all: *chosen, and on in steps of `stride`. */
static enum gtr_code recommend(const struct booting *b, const size_t pick[GTR_BOOTSTRAP_BLOCKS],
                               size_t worker, size_t *chosen, size_t stride, struct gtr_err *err)
{
    size_t n = b->out->n, i, p;
    bool *own = b->own + worker * n;
    enum gtr_code rc = GTR_OK;
    double *rows = b->drawn + worker * n * GTR_OBJECTIVE_COUNT, *costs = b->costs + worker * n;
    bool *keep = b->keep + worker * n;

    for (i = 0; i < n; i++)
        costs[i] =
            sum_blocks(b->block + i * GTR_BOOTSTRAP_BLOCKS, pick, rows + i * GTR_OBJECTIVE_COUNT);
    gtr_limits_apply(b->options->limits, b->options->n_limits, rows, n, keep);
    for (p = 0; rc == GTR_OK && p <= b->out->n_policies; p++) {
        for (i = 0; i < n; i++)
            own[i] = keep[i] && (p == b->out->n_policies ||
                                 gtr_plan_policy_of(b->plan, b->first + b->out->row[i]) == p);
        rc = choose(b, rows, costs, own, chosen + p * stride, err);
    }
    return rc;
}

static void run_draw(void *context, size_t item, size_t worker)
{
    const struct booting *b = context;
    size_t pick[GTR_BOOTSTRAP_BLOCKS], k;
    struct gtr_random random;

    gtr_random_init(&random, b->options->seed, item);
    for (k = 0; k < GTR_BOOTSTRAP_BLOCKS; k++)
        pick[k] = (size_t)gtr_random_below(&random, GTR_BOOTSTRAP_BLOCKS);
    if (recommend(b, pick, worker, &b->out->drawn[item], GTR_BOOTSTRAP_DRAWS, NULL) != GTR_OK)
        b->failed[worker] = GTR_ENOMEM;
}

static enum gtr_code recommend_of_all(struct booting *b, struct gtr_err *err)
{
    size_t pick[GTR_BOOTSTRAP_BLOCKS], k, i;
    enum gtr_code rc;

    for (k = 0; k < GTR_BOOTSTRAP_BLOCKS; k++)
        pick[k] = k;
    rc = recommend(b, pick, 0, b->out->chosen, 1, err);
    b->out->affordable = b->options->n_goals > 0;
    for (i = 0; rc == GTR_OK && i < b->out->n; i++) {
        b->out->cost[i] = b->costs[i];
        b->out->affordable = b->out->affordable || (b->keep[i] && b->costs[i] <= b->options->cost);
    }
    return rc;
}

/* --- who takes part --------------------------------------------------------------------------- */

static enum gtr_code pick_rows(struct booting *b, const double *rows, size_t n, const bool *keep,
                               struct gtr_err *err)
{
    static const struct gtr_goal usual[2] = { { 1, { GTR_LEAK }, { 1.0 } },
                                              { 1, { GTR_ATTENUATION }, { 1.0 } } };
    const struct gtr_bootstrap_options *o = b->options;
    double room = DECISIONS_MOST / (double)(b->rows->n_rows * b->rows->n_groups + 1);
    size_t most = room > SETTINGS_MOST    ? SETTINGS_MOST
                  : room < SETTINGS_LEAST ? SETTINGS_LEAST
                                          : (size_t)room;
    size_t *front = NULL, n_front = 0, n_kept = 0, i, k, seen = 0;
    bool *takes = NULL;
    enum gtr_code rc = gtr_alloc_for(&takes, n, sizeof *takes, "settings", err);

    for (i = 0; rc == GTR_OK && i < n; i++)
        n_kept += keep[i] && !isnan(rows[i * GTR_OBJECTIVE_COUNT]) ? 1 : 0;
    if (rc == GTR_OK && n_kept > most)
        rc = gtr_front_new(o->n_goals > 0 ? o->goals : usual, o->n_goals > 0 ? o->n_goals : 2, rows,
                           n, keep, &front, &n_front, err);
    for (k = 0; k < n_front && k < most / 2; k++)
        takes[front[n_front <= most / 2 ? k : k * n_front / (most / 2)]] = true;
    for (i = 0; rc == GTR_OK && i < n; i++) {
        if (!keep[i] || isnan(rows[i * GTR_OBJECTIVE_COUNT]))
            continue;
        if (n_kept <= most || seen * (most / 2) / n_kept != (seen + 1) * (most / 2) / n_kept)
            takes[i] = true;
        seen++;
        b->out->n += takes[i] ? 1 : 0;
    }
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->out->row, b->out->n, sizeof *b->out->row, "settings", err);
    for (i = 0, k = 0; rc == GTR_OK && i < n; i++)
        if (takes[i])
            b->out->row[k++] = i;
    gtr_free(front);
    gtr_free(takes);
    return rc;
}

/* The weights of the steps that rows are of. */
static enum gtr_code lay_out_calm(struct booting *b, const struct gtr_replay *replay,
                                  const struct gtr_baseline_options *past, double **calm,
                                  struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    const uint8_t *skip = gtr_replay_skip(replay);
    struct gtr_baseline_options usual;
    struct gtr_baseline *baseline = NULL;
    double *weight = NULL;
    size_t n_groups = b->rows->n_groups, t, j, r;
    enum gtr_code rc;

    gtr_baseline_options_init(&usual);
    usual.decay = past->decay;
    rc = gtr_baseline_new(series, skip, &usual, &baseline, err);
    if (rc == GTR_OK)
        rc = gtr_calm_new(replay, baseline, &weight, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(calm, b->rows->n_rows * n_groups, sizeof **calm, "norms", err);
    for (t = 0, r = 0; rc == GTR_OK && t < series->n_steps; t++) {
        if (skip[t])
            continue;
        for (j = 0; j < n_groups; j++)
            (*calm)[r * n_groups + j] = weight[j * series->n_steps + t];
        r++;
    }
    b->calm = *calm;
    gtr_free(weight);
    gtr_baseline_free(baseline);
    return rc;
}

static enum gtr_code boot_alloc(struct booting *b, size_t n_workers, struct gtr_err *err)
{
    size_t n = b->out->n, n_groups = b->rows->n_groups;
    enum gtr_code rc =
        gtr_alloc_for(&b->block, n, GTR_BOOTSTRAP_BLOCKS * sizeof *b->block, "settings", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->params, n_workers * n_groups, sizeof *b->params, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->state, n_workers * n_groups, sizeof *b->state, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->tallies, n_workers * n_groups, sizeof *b->tallies, "lanes", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->drawn, n_workers * n, GTR_OBJECTIVE_COUNT * sizeof *b->drawn,
                           "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->costs, n_workers * n, sizeof *b->costs, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->keep, n_workers * n, sizeof *b->keep, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->own, n_workers * n, sizeof *b->own, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->out->chosen, b->out->n_policies + 1, sizeof *b->out->chosen,
                           "policies", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->failed, n_workers, sizeof *b->failed, "workers", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->look, n_workers, sizeof *b->look, "workers", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->out->cost, n, sizeof *b->out->cost, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&b->out->drawn, (b->out->n_policies + 1) * GTR_BOOTSTRAP_DRAWS,
                           sizeof *b->out->drawn, "draws", err);
    return rc;
}

static void boot_free(struct booting *b, struct gtr_sweep_rows *rows, double *calm)
{
    size_t w;

    gtr_free(b->block);
    gtr_free(b->params);
    gtr_free(b->state);
    gtr_free(b->tallies);
    gtr_free(b->drawn);
    gtr_free(b->costs);
    gtr_free(b->keep);
    gtr_free(b->own);
    gtr_free(b->failed);
    for (w = 0; b->look != NULL && w < b->n_workers; w++)
        gtr_sweep_look_free(&b->look[w]);
    gtr_free(b->look);
    gtr_free(calm);
    gtr_sweep_rows_free(rows);
}

enum gtr_code gtr_bootstrap_new(const struct gtr_replay *replay,
                                const struct gtr_baseline *baseline, const struct gtr_plan *plan,
                                size_t first, const double *rows, size_t n, const bool *keep,
                                const struct gtr_bootstrap_options *options,
                                struct gtr_bootstrap **out, struct gtr_err *err)
{
    size_t n_workers = gtr_threads_count(options->n_threads, GTR_BOOTSTRAP_DRAWS), w;
    struct booting b = { .plan = plan, .options = options, .first = first, .n_workers = n_workers };
    struct gtr_sweep_rows *laid = NULL;
    double *calm = NULL;
    enum gtr_code rc = gtr_alloc_for(&b.out, 1, sizeof *b.out, "bootstraps", err);

    *out = NULL;
    if (rc == GTR_OK)
        b.out->n_policies = gtr_plan_n_policies(plan);
    if (rc == GTR_OK)
        rc = gtr_sweep_rows_new(replay, baseline, &laid, err);
    b.rows = laid;
    if (rc == GTR_OK)
        rc = lay_out_calm(&b, replay, &baseline->options, &calm, err);
    if (rc == GTR_OK)
        rc = pick_rows(&b, rows, n, keep, err);
    if (rc == GTR_OK)
        rc = boot_alloc(&b, n_workers, err);
    if (rc == GTR_OK) {
        gtr_threads_run(n_workers, b.out->n, run_setting, &b);
        rc = recommend_of_all(&b, err);
    }
    if (rc == GTR_OK)
        gtr_threads_run(n_workers, GTR_BOOTSTRAP_DRAWS, run_draw, &b);
    for (w = 0; rc == GTR_OK && w < n_workers; w++)
        if (b.failed[w] != GTR_OK)
            rc = gtr_fail(err, GTR_ENOMEM, "no memory for the draws of a bootstrap");
    boot_free(&b, laid, calm);
    if (rc != GTR_OK) {
        gtr_bootstrap_free(b.out);
        return rc;
    }
    *out = b.out;
    return GTR_OK;
}

void gtr_bootstrap_free(struct gtr_bootstrap *bootstrap)
{
    if (bootstrap == NULL)
        return;
    gtr_free(bootstrap->row);
    gtr_free(bootstrap->cost);
    gtr_free(bootstrap->chosen);
    gtr_free(bootstrap->drawn);
    gtr_free(bootstrap);
}
