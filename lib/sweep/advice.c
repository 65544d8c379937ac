/* advice.c - the knee and what speaks for it. */
#include "advice.h"

#include <math.h>

#include "alloc.h"

/* What all steps look at. */
struct counsel {
    const struct gtr_goal *goals;
    size_t n_goals;
    const double *rows;
    size_t n;
    const bool *keep;
    const double *knobs;
    size_t n_knobs;
};

static const struct gtr_span no_span = { (double)NAN, (double)NAN };

/* Written so that the first number replaces the NaN. */
static void span_add(struct gtr_span *span, double x)
{
    if (isnan(x))
        return;
    span->low = span->low <= x ? span->low : x;
    span->high = span->high >= x ? span->high : x;
}

/* The goals of a row; false if they are not all finite or the row is not kept. */
static bool goals_of(const struct counsel *c, size_t row, double goal[GTR_GOALS_MAX])
{
    return (c->keep == NULL || c->keep[row]) &&
           gtr_goal_values(c->goals, c->n_goals, c->rows + row * GTR_OBJECTIVE_COUNT, goal);
}

static bool same_goals(const struct counsel *c, size_t row, const double knee[GTR_GOALS_MAX])
{
    double goal[GTR_GOALS_MAX];
    size_t k = 0;

    goals_of(c, row, goal);
    while (k < c->n_goals && goal[k] == knee[k])
        k++;
    return k == c->n_goals;
}

static void find_neighbours(const struct counsel *c, struct gtr_advice *advice)
{
    double goal[GTR_GOALS_MAX];
    size_t at = 0, i, k;

    for (k = 0; k < c->n_goals; k++)
        advice->front_span[k] = no_span;
    for (i = 0; i < advice->n_front; i++) {
        if (advice->front[i] == advice->knee)
            at = i;
        goals_of(c, advice->front[i], goal);
        for (k = 0; k < c->n_goals; k++)
            span_add(&advice->front_span[k], goal[k]);
    }
    goals_of(c, advice->knee, advice->goal);
    for (i = at; i > 0 && advice->before == GTR_NO_ROW; i--)
        if (!same_goals(c, advice->front[i - 1], advice->goal))
            advice->before = advice->front[i - 1];
    for (i = at + 1; i < advice->n_front && advice->after == GTR_NO_ROW; i++)
        if (!same_goals(c, advice->front[i], advice->goal))
            advice->after = advice->front[i];
}

/* How far from the knee is near, in each goal. */
static void find_reach(const struct counsel *c, struct gtr_advice *advice,
                       double reach[GTR_GOALS_MAX])
{
    struct gtr_span all[GTR_GOALS_MAX] = { no_span, no_span, no_span };
    double goal[GTR_GOALS_MAX];
    size_t i, k;

    for (i = 0; i < c->n; i++) {
        if (!goals_of(c, i, goal))
            continue;
        advice->n_counted++;
        for (k = 0; k < c->n_goals; k++)
            span_add(&all[k], goal[k]);
        for (k = 0; k < c->n_knobs; k++)
            span_add(&advice->knob[k], c->knobs[i * c->n_knobs + k]);
    }
    for (k = 0; k < c->n_goals; k++) {
        struct gtr_span span = advice->front_span[k];

        if (span.low == span.high)
            span = all[k];
        reach[k] = GTR_FLAT * (span.high - span.low);
    }
}

static void find_flatness(const struct counsel *c, struct gtr_advice *advice)
{
    double reach[GTR_GOALS_MAX], goal[GTR_GOALS_MAX];
    size_t i, k;

    find_reach(c, advice, reach);
    for (i = 0; i < c->n; i++) {
        bool near = goals_of(c, i, goal);

        for (k = 0; k < c->n_goals && near; k++)
            near = fabs(goal[k] - advice->goal[k]) <= reach[k];
        if (!near)
            continue;
        advice->n_flat++;
        for (k = 0; k < c->n_goals; k++)
            span_add(&advice->flat_goal[k], goal[k]);
        for (k = 0; k < c->n_knobs; k++)
            span_add(&advice->flat_knob[k], c->knobs[i * c->n_knobs + k]);
    }
}

/* A row that neither clips nor raises shows what the run is like without clipping; its leak is 0
 * only if there is no spike. */
static void find_need(const struct counsel *c, struct gtr_advice *advice)
{
    size_t i;

    for (i = 0; i < c->n && advice->untouched == GTR_NO_ROW; i++) {
        const double *row = c->rows + i * GTR_OBJECTIVE_COUNT;

        if (row[GTR_CLIP_RATE] == 0.0 && row[GTR_RAISE_RATE] == 0.0 && !isnan(row[GTR_LEAK])) {
            advice->untouched = i;
            advice->need = row[GTR_LEAK] == 0.0 ? GTR_NEED_NONE : GTR_NEED_SPIKES;
        }
    }
    /* Any of them on the front will do: they are all the same, save that some may not be kept. */
    for (i = 0; i < advice->n_front && !advice->untouched_on_front; i++) {
        const double *row = c->rows + advice->front[i] * GTR_OBJECTIVE_COUNT;

        advice->untouched_on_front = row[GTR_CLIP_RATE] == 0.0 && row[GTR_RAISE_RATE] == 0.0;
    }
}

static enum gtr_code advice_alloc(struct gtr_advice **advice, size_t n_goals, size_t n_knobs,
                                  struct gtr_err *err)
{
    struct gtr_advice *a;
    enum gtr_code rc;
    size_t k;

    rc = gtr_alloc_for(advice, 1, sizeof **advice, "advice", err);
    if (rc != GTR_OK)
        return rc;
    a = *advice;
    a->n_goals = n_goals;
    a->n_knobs = n_knobs;
    a->knee = a->before = a->after = a->untouched = GTR_NO_ROW;
    for (k = 0; k < GTR_GOALS_MAX; k++) {
        a->goal[k] = NAN;
        a->front_span[k] = a->flat_goal[k] = no_span;
    }
    rc = gtr_alloc_for(&a->flat_knob, n_knobs, sizeof *a->flat_knob, "knobs", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&a->knob, n_knobs, sizeof *a->knob, "knobs", err);
    for (k = 0; rc == GTR_OK && k < n_knobs; k++)
        a->flat_knob[k] = a->knob[k] = no_span;
    return rc;
}

enum gtr_code gtr_advice_new(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                             size_t n, const bool *keep, const double *knobs, size_t n_knobs,
                             struct gtr_advice **out, struct gtr_err *err)
{
    const struct counsel c = { goals, n_goals, rows, n, keep, knobs, n_knobs };
    struct gtr_advice *advice = NULL;
    enum gtr_code rc;

    *out = NULL;
    rc = advice_alloc(&advice, n_goals, n_knobs, err);
    if (rc == GTR_OK)
        rc = gtr_front_new(goals, n_goals, rows, n, keep, &advice->front, &advice->n_front, err);
    if (rc != GTR_OK)
        goto out;
    advice->knee = gtr_front_knee(goals, n_goals, rows, advice->front, advice->n_front);
    if (advice->knee != GTR_NO_ROW) {
        find_neighbours(&c, advice);
        find_flatness(&c, advice);
    }
    find_need(&c, advice);
    *out = advice;
    advice = NULL;
out:
    gtr_advice_free(advice);
    return rc;
}

void gtr_advice_free(struct gtr_advice *advice)
{
    if (advice == NULL)
        return;
    gtr_free(advice->front);
    gtr_free(advice->flat_knob);
    gtr_free(advice->knob);
    gtr_free(advice);
}
