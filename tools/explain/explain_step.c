/* explain_step.c - which step, and what its norms, its tensors and its loss say.
 *
 * What is usual is a running average of the steps before, as spill and the doctor have it; the
 * group to look into is the one with most energy above its own.
 */
#include <math.h>

#include "explain_found.h"
#include "figure.h"

/* --- which ---------------------------------------------------------------------------------- */

/* One limit for all: the step at which it takes most from the innocent.  Otherwise, or if it never
 * does: the largest norm. */
static size_t worst_row(const struct explain_found *found)
{
    const struct gtr_series *series = found->study.series;
    const double *excess = NULL;
    size_t best = SIZE_MAX, t, i;

    for (i = 0; excess == NULL && i < found->study.n_settings; i++)
        if (found->policies[i].spill != NULL && found->policies[i].spill->n_excess > 0)
            excess = found->policies[i].spill->excess;
    for (t = 0; t < series->n_steps; t++) {
        const double *values = excess != NULL ? excess : series->total;

        if (series->nonfinite[t] || gtr_replay_skip(found->study.replay)[t] || isnan(values[t]))
            continue;
        if (best == SIZE_MAX || values[t] > values[best])
            best = t;
    }
    return best == SIZE_MAX ? 0 : best;
}

enum gtr_code explain_choose(struct explain_found *found, struct gtr_err *err)
{
    const struct gtr_series *series = found->study.series;
    int64_t step = found->options->step;
    size_t t = 0;

    if (found->options->worst) {
        found->row = worst_row(found);
        return GTR_OK;
    }
    while (t < series->n_steps && series->index[t] < step)
        t++;
    found->row = t;
    if (t < series->n_steps && series->index[t] == step)
        return GTR_OK;
    if (t == 0 || t == series->n_steps)
        return gtr_fail(err, GTR_EUSAGE, "--step %lld: %s has steps %lld to %lld only",
                        (long long)step, found->options->trace, (long long)series->index[0],
                        (long long)series->index[series->n_steps - 1]);
    return gtr_fail(err, GTR_EUSAGE,
                    "--step %lld: %s has no such step; the nearest are %lld and %lld",
                    (long long)step, found->options->trace, (long long)series->index[t - 1],
                    (long long)series->index[t]);
}

/* --- norms --------------------------------------------------------------------------------- */

static void follow(const struct explain_found *found, const double *sumsq, double *average,
                   struct explain_norm *norm)
{
    const struct gtr_series *series = found->study.series;
    const struct gtr_baseline_options *o = &found->options->baseline;

    gtr_baseline_average(sumsq, gtr_replay_skip(found->study.replay), series->nonfinite,
                         series->n_steps, o, average);
    norm->norm = sqrt(sumsq[found->row]);
    norm->average = average[found->row];
    norm->above = norm->norm > o->kappa * norm->average;
    norm->share = sumsq[found->row] / series->total_sumsq[found->row];
}

static void rank_groups(struct explain_found *found)
{
    size_t n = found->study.series->n_groups, j, k;

    for (j = 0; j < n; j++) {
        for (k = j; k > 0 && found->group[j].norm > found->group[found->ranked[k - 1]].norm; k--)
            found->ranked[k] = found->ranked[k - 1];
        found->ranked[k] = j;
    }
}

/* What it has above kappa times its average, as energy. */
static double excess_of(const struct explain_found *found, size_t j)
{
    const struct explain_norm *g = &found->group[j];
    double expected = found->options->baseline.kappa * g->average;

    return g->above ? g->norm * g->norm - expected * expected : 0.0;
}

static void choose_focus(struct explain_found *found)
{
    size_t j;

    found->focus = found->ranked[0];
    for (j = 0; j < found->study.series->n_groups; j++)
        if (excess_of(found, j) > excess_of(found, found->focus))
            found->focus = j;
}

/* `average` [T] is scratch. */
static void look_at_whole(struct explain_found *found, double *average)
{
    const struct gtr_series *series = found->study.series;
    double limit;
    size_t t;

    follow(found, series->total_sumsq, average, &found->whole);
    found->rank = 1;
    for (t = 0; t < series->n_steps; t++) {
        if (series->nonfinite[t])
            continue;
        found->n_ranked++;
        found->rank += series->total[t] > series->total[found->row] ? 1 : 0;
    }
    if (!found->whole.above)
        return;
    limit = found->options->baseline.kappa * found->whole.average;
    found->back = SIZE_MAX;
    for (t = found->row + 1; found->back == SIZE_MAX && t < series->n_steps; t++)
        if (!series->nonfinite[t] && series->total[t] <= limit)
            found->back = t - found->row;
}

/* --- tensors ------------------------------------------------------------------------------- */

static double median(double *values, size_t n)
{
    figure_sort(values, n);
    return figure_median(values, n);
}

/* Into a list of at most EXPLAIN_TENSORS, the largest first. */
static void keep(struct explain_tensor *list, size_t *n, const struct explain_tensor *one)
{
    size_t k;

    if (*n == EXPLAIN_TENSORS && !(one->norm > list[*n - 1].norm))
        return;
    *n += *n < EXPLAIN_TENSORS ? 1 : 0;
    for (k = *n - 1; k > 0 && one->norm > list[k - 1].norm; k--)
        list[k] = list[k - 1];
    list[k] = *one;
}

/* `sumsq` [n_before + 1][P], the last row this step's. */
static void look_at_tensors(struct explain_found *found, const double *sumsq, size_t n_before,
                            const uint64_t *nonfinite)
{
    const struct gtr_groups *groups = found->study.groups;
    size_t n = groups->n_tensors, i, k;

    for (i = 0; i < n; i++) {
        double past[EXPLAIN_PAST];
        struct explain_tensor one = { .tensor = i, .nonfinite = nonfinite[i] };

        one.norm = sqrt(sumsq[n_before * n + i]);
        one.share = sumsq[n_before * n + i] / (found->group[groups->of_tensor[i]].norm *
                                               found->group[groups->of_tensor[i]].norm);
        for (k = 0; k < n_before; k++)
            past[k] = sqrt(sumsq[k * n + i]);
        one.past = median(past, n_before);
        if (groups->of_tensor[i] == found->focus)
            keep(found->tensors, &found->n_tensors, &one);
        if (nonfinite[i] == 0)
            continue;
        found->n_all_broken++;
        if (found->n_broken < EXPLAIN_TENSORS)
            found->broken[found->n_broken++] = one;
    }
}

static enum gtr_code read_tensors(struct explain_found *found, struct gtr_err *err)
{
    size_t n = found->study.groups->n_tensors;
    size_t n_before = found->row < EXPLAIN_PAST ? found->row : EXPLAIN_PAST;
    const struct gtr_trace *trace = found->study.trace;
    double *sumsq = NULL;
    uint64_t *nonfinite = NULL;
    enum gtr_code rc = gtr_alloc_for(&sumsq, n * (n_before + 1), sizeof *sumsq, "norms", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&nonfinite, n, sizeof *nonfinite, "counts", err);
    if (rc == GTR_OK)
        rc = gtr_trace_read_rows(trace, GTR_SUMSQ, found->row - n_before, n_before + 1, sumsq, err);
    if (rc == GTR_OK && gtr_trace_has(trace, GTR_NONFINITE))
        rc = gtr_trace_read_rows(trace, GTR_NONFINITE, found->row, 1, nonfinite, err);
    if (rc == GTR_OK)
        look_at_tensors(found, sumsq, n_before, nonfinite);
    gtr_free(sumsq);
    gtr_free(nonfinite);
    return rc;
}

/* --- loss ---------------------------------------------------------------------------------- */

static void look_at_loss(struct explain_found *found)
{
    const struct gtr_step *steps = gtr_trace_steps(found->study.trace);
    size_t n = found->study.series->n_steps, from, t, count = 0;
    struct explain_loss *loss = &found->loss;
    double past[EXPLAIN_PAST];

    loss->at = steps[found->row].loss;
    loss->peak = loss->before_least = loss->before_most = (double)NAN;
    from = found->row < EXPLAIN_PAST ? 0 : found->row - EXPLAIN_PAST;
    for (t = from; t < found->row; t++)
        if (isfinite(steps[t].loss))
            past[count++] = steps[t].loss;
    loss->before = median(past, count);
    if (count > 0) {
        loss->before_least = past[0];
        loss->before_most = past[count - 1];
    }
    for (t = found->row + 1; t < n && t <= found->row + EXPLAIN_AHEAD; t++)
        if (isfinite(steps[t].loss) && !(steps[t].loss <= loss->peak)) {
            loss->peak = steps[t].loss;
            loss->peak_step = steps[t].index;
        }
    loss->left = loss->peak > loss->before_most;
    for (t = found->row + 1; loss->left && loss->back == 0 && t < n; t++)
        if (steps[t].index > loss->peak_step && steps[t].loss <= loss->before_most)
            loss->back = t - found->row;
}

enum gtr_code explain_describe(struct explain_found *found, struct gtr_err *err)
{
    const struct gtr_series *series = found->study.series;
    double *average = NULL;
    enum gtr_code rc;
    size_t j;

    rc = gtr_alloc_for(&found->group, series->n_groups, sizeof *found->group, "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&found->ranked, series->n_groups, sizeof(size_t), "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&average, series->n_steps, sizeof *average, "steps", err);
    if (rc != GTR_OK)
        return rc;
    for (j = 0; j < series->n_groups; j++)
        follow(found, series->sumsq + j * series->n_steps, average, &found->group[j]);
    rank_groups(found);
    choose_focus(found);
    look_at_whole(found, average);
    gtr_free(average);
    look_at_loss(found);
    return read_tensors(found, err);
}
