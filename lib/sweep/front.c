/* front.c - the Pareto front of one to three goals by one sweep.
 *
 * Rows are taken in lexicographic order of their goals (a, b, c).  Whatever beats a row comes
 * before it, and has b and c not above its own.  So one question decides: what is the least c among
 * the rows before it with b at most its own?  A Fenwick tree over the ranks of b answers in O(log
 * n).  Equal rows do not beat each other: they are asked about together, before any of them is
 * added.  Goals that were not asked for are 0 throughout.
 */
#include "goals.h"

#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "order.h"

struct point {
    double goal[GTR_GOALS_MAX];
    size_t row;
};

static int by_goals(const void *a, const void *b)
{
    const struct point *p = a, *q = b;
    size_t k;

    for (k = 0; k < GTR_GOALS_MAX; k++)
        if (p->goal[k] != q->goal[k])
            return p->goal[k] < q->goal[k] ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

static bool equal_goals(const struct point *p, const struct point *q)
{
    return p->goal[0] == q->goal[0] && p->goal[1] == q->goal[1] && p->goal[2] == q->goal[2];
}

/* Fills the points of the rows that count, and returns how many. */
static size_t take_points(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                          size_t n, const bool *keep, struct point *points)
{
    size_t count = 0, i;

    for (i = 0; i < n; i++) {
        struct point p = { .row = i };

        if ((keep == NULL || keep[i]) &&
            gtr_goal_values(goals, n_goals, rows + i * GTR_OBJECTIVE_COUNT, p.goal))
            points[count++] = p;
    }
    return count;
}

/* tree[i], i from 1: the least c of ranks (i - lowest bit of i, i]. */
static double tree_least(const double *tree, size_t rank)
{
    double least = INFINITY;
    size_t i;

    for (i = rank + 1; i > 0; i -= i & (~i + 1))
        least = tree[i] < least ? tree[i] : least;
    return least;
}

static void tree_add(double *tree, size_t n, size_t rank, double c)
{
    size_t i;

    for (i = rank + 1; i <= n; i += i & (~i + 1))
        tree[i] = c < tree[i] ? c : tree[i];
}

/* Keeps of the sorted points the unbeaten ones, in place; returns how many. */
static size_t unbeaten(struct point *points, size_t n, const double *sorted, double *tree)
{
    size_t n_front = 0, i, end;

    for (i = 0; i <= n; i++)
        tree[i] = INFINITY;
    for (i = 0; i < n; i = end) {
        struct point p = points[i];
        size_t rank = gtr_order_below(sorted, n, p.goal[1]);

        for (end = i + 1; end < n && equal_goals(&points[end], &p); end++)
            ;
        if (tree_least(tree, rank) <= p.goal[2])
            continue;
        tree_add(tree, n, rank, p.goal[2]);
        for (; i < end; i++)
            points[n_front++] = points[i];
    }
    return n_front;
}

enum gtr_code gtr_front_new(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                            size_t n, const bool *keep, size_t **front, size_t *n_front,
                            struct gtr_err *err)
{
    struct point *points = NULL;
    double *sorted = NULL, *tree = NULL;
    enum gtr_code rc;
    size_t count, i;

    *front = NULL;
    *n_front = 0;
    if (n_goals < 1 || n_goals > GTR_GOALS_MAX)
        return gtr_fail(err, GTR_EUSAGE, "front: %zu goals; it takes 1 to %d", n_goals,
                        (int)GTR_GOALS_MAX);
    rc = gtr_alloc_for(&points, n, sizeof *points, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&sorted, n, sizeof *sorted, "settings", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&tree, n + 1, sizeof *tree, "settings", err);
    if (rc != GTR_OK)
        goto out;
    count = take_points(goals, n_goals, rows, n, keep, points);
    qsort(points, count, sizeof *points, by_goals);
    for (i = 0; i < count; i++)
        sorted[i] = points[i].goal[1];
    gtr_order_sort(sorted, tree, count);
    count = unbeaten(points, count, sorted, tree);
    rc = gtr_alloc_for(front, count, sizeof **front, "settings", err);
    if (rc != GTR_OK)
        goto out;
    for (i = 0; i < count; i++)
        (*front)[i] = points[i].row;
    *n_front = count;
out:
    gtr_free(points);
    gtr_free(sorted);
    gtr_free(tree);
    return rc;
}

size_t gtr_front_knee(const struct gtr_goal *goals, size_t n_goals, const double *rows,
                      const size_t *front, size_t n_front)
{
    double low[GTR_GOALS_MAX], high[GTR_GOALS_MAX], best = INFINITY;
    size_t knee = GTR_NO_ROW, i, k;

    for (k = 0; k < n_goals && k < GTR_GOALS_MAX; k++) {
        low[k] = INFINITY;
        high[k] = -INFINITY;
        for (i = 0; i < n_front; i++) {
            double x = gtr_goal_value(&goals[k], rows + front[i] * GTR_OBJECTIVE_COUNT);

            low[k] = x < low[k] ? x : low[k];
            high[k] = x > high[k] ? x : high[k];
        }
    }
    for (i = 0; i < n_front; i++) {
        double sum = 0.0;

        for (k = 0; k < n_goals && k < GTR_GOALS_MAX; k++)
            if (high[k] > low[k])
                sum += (gtr_goal_value(&goals[k], rows + front[i] * GTR_OBJECTIVE_COUNT) - low[k]) /
                       (high[k] - low[k]);
        if (sum < best || (sum == best && front[i] < knee)) {
            best = sum;
            knee = front[i];
        }
    }
    return knee;
}
