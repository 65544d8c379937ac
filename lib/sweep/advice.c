/* advice.c - the knee and its neighbours. */
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
};

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
    double knee[GTR_GOALS_MAX];
    size_t at = 0, i;

    while (advice->front[at] != advice->knee)
        at++;
    goals_of(c, advice->knee, knee);
    for (i = at; i > 0 && advice->before == GTR_NO_ROW; i--)
        if (!same_goals(c, advice->front[i - 1], knee))
            advice->before = advice->front[i - 1];
    for (i = at + 1; i < advice->n_front && advice->after == GTR_NO_ROW; i++)
        if (!same_goals(c, advice->front[i], knee))
            advice->after = advice->front[i];
}

/* Rows that are kept and have finite goals. */
static size_t count_rows(const struct counsel *c)
{
    double goal[GTR_GOALS_MAX];
    size_t n = 0, i;

    for (i = 0; i < c->n; i++)
        n += goals_of(c, i, goal) ? 1 : 0;
    return n;
}

enum gtr_code gtr_advice_new(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                             size_t n, const bool *keep, struct gtr_advice **out,
                             struct gtr_err *err)
{
    const struct counsel c = { goals, n_goals, rows, n, keep };
    struct gtr_advice *advice = NULL;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&advice, 1, sizeof *advice, "advice", err);
    if (rc == GTR_OK)
        rc = gtr_front_new(goals, n_goals, rows, n, keep, &advice->front, &advice->n_front, err);
    if (rc != GTR_OK)
        goto out;
    advice->n_counted = count_rows(&c);
    advice->before = advice->after = GTR_NO_ROW;
    advice->knee = gtr_front_knee(goals, n_goals, rows, advice->front, advice->n_front);
    if (advice->knee != GTR_NO_ROW)
        find_neighbours(&c, advice);
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
    gtr_free(advice);
}
