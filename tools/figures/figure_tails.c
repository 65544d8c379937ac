/* figure_tails.c - the figure of how heavy the tails of the norms are.
 *
 * Of each group the share of steps whose norm is at least x times its median, both axes
 * logarithmic: a power law is a straight line there.  Its slope is estimated as Hill (1975) did,
 * from the k largest norms x_1 >= ... >= x_k and the next one:
 *
 *     1 / alpha = sum over i of ln(x_i / x_{k+1}) / k,     standard error alpha / sqrt(k)
 *
 * The error holds for independent steps; norms that remember each other make it larger.  A smaller
 * alpha is a heavier tail: below 2 the variance of the norm is infinite, below 1 its mean.
 */
#include <math.h>

#include "figure.h"

enum {
    TAIL_LEAST = 10, /* norms; fewer say little about a slope */
    RANKS_ALL = 64   /* points of the largest norms; further ranks go up by a twentieth */
};

struct tail {
    size_t n; /* norms that are finite, upward in view->values */
    double median;
    double alpha, error; /* NaN if unknown */
    size_t k;
};

static struct tail tail_of(const struct figure_view *view, size_t group)
{
    double *x = view->values, sum = 0.0;
    struct tail tail = { .alpha = (double)NAN, .error = (double)NAN };
    size_t t, i;

    for (t = 0; t < view->series->n_steps; t++)
        if (!view->skip[t] && isfinite(figure_norm(view, group, t)))
            x[tail.n++] = figure_norm(view, group, t);
    figure_sort(x, tail.n);
    tail.median = figure_median(x, tail.n);
    tail.k = (size_t)(view->tail * (double)tail.n);
    if (tail.k < TAIL_LEAST || tail.k >= tail.n || !(x[tail.n - tail.k - 1] > 0.0))
        return tail;
    for (i = tail.n - tail.k; i < tail.n; i++)
        sum += log(x[i] / x[tail.n - tail.k - 1]);
    if (sum > 0.0) {
        tail.alpha = (double)tail.k / sum;
        tail.error = tail.alpha / sqrt((double)tail.k);
    }
    return tail;
}

static bool drawable(const struct tail *tail)
{
    return tail->n > 0 && tail->median > 0.0;
}

const char *tails_lacks(const struct figure_view *view, size_t policy)
{
    size_t g;

    (void)policy;
    for (g = 0; g < view->series->n_groups; g++) {
        struct tail tail = tail_of(view, g);

        if (drawable(&tail))
            return NULL;
    }
    return "no group has a median norm above 0";
}

static void write_point(FILE *f, double x, double share, const char *name)
{
    figure_write_number(f, x, '\t');
    figure_write_number(f, share, '\t');
    figure_write_name(f, name, '\n');
}

/* Blocks: the groups by rank; from the largest norm down. */
void tails_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                size_t policy)
{
    size_t k, rank;

    (void)look;
    (void)policy;
    fputs("ratio\tshare\tgroup\n", f);
    for (k = 0; k < view->series->n_groups; k++) {
        const char *name = view->series->names[view->ranked[k]];
        struct tail tail = tail_of(view, view->ranked[k]);

        fputs("\n\n", f);
        if (!drawable(&tail)) {
            write_point(f, (double)NAN, (double)NAN, name);
            continue;
        }
        for (rank = 1; rank < tail.n; rank += rank < RANKS_ALL ? 1 : rank / 20)
            write_point(f, view->values[tail.n - rank] / tail.median, (double)rank / (double)tail.n,
                        name);
        write_point(f, view->values[0] / tail.median, 1.0, name);
    }
}

void tails_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                     size_t policy)
{
    size_t n = view->series->n_groups, n_most = 1, k;
    double high = 1.0;

    (void)look;
    (void)policy;
    fprintf(f, "array ALPHA[N_GROUPS]\narray ERROR[N_GROUPS]\n");
    for (k = 0; k < n; k++) {
        struct tail tail = tail_of(view, view->ranked[k]);
        char name[40];

        snprintf(name, sizeof name, "ALPHA[%zu]", k + 1);
        figure_set_number(f, name, tail.alpha);
        snprintf(name, sizeof name, "ERROR[%zu]", k + 1);
        figure_set_number(f, name, tail.error);
        if (!drawable(&tail))
            continue;
        if (view->values[tail.n - 1] > high * tail.median)
            high = view->values[tail.n - 1] / tail.median;
        n_most = tail.n > n_most ? tail.n : n_most;
    }
    figure_set_number(f, "TAIL", view->tail);
    figure_set_share(f, "TAIL_SHARE", view->tail);
    figure_set_number(f, "RATIO_MAX", high);
    figure_set_number(f, "N_NORMS", (double)n_most);
}
