/* proxy.c - the quotient of two averages, followed as one.
 *
 * EMA(s^2 e) / EMA(e) is the mean of s^2 with Adam's weights, and a mean is best moved by its
 * distance from what comes next:
 *
 *     A <- beta2 A + e     w = e / A     q <- q + w (s^2 - q)
 *
 * (the factor 1 - beta2 of an average cancels as well).
 * So nothing moves while s stays the same: the first weight is x / x = 1, which makes q = s^2, and
 * the root of a rounded square is the number itself.  That is why a constant s has rho = 1 to the
 * bit, which two separate averages would miss by their roundings.
 */
#include "proxy.h"

#include <math.h>
#include <stdbool.h>

#include "threads.h"

struct running {
    const struct gtr_replay *replay;
    const struct gtr_decisions *decisions;
    const int64_t *rows;
    size_t n_rows; /* 0: all */
    double beta2;
    double *rho, *moved;
};

/* One group's averages. */
struct average {
    double energy;      /* A */
    double mean_square; /* q */
};

/* The next step's rho; NaN before the first gradient. */
static double follow(struct average *average, double beta2, double sumsq, double scale)
{
    average->energy = beta2 * average->energy + sumsq;
    if (average->energy == 0.0)
        return (double)NAN;
    /* No gradient changes no mean. */
    if (sumsq != 0.0)
        average->mean_square += sumsq / average->energy * (scale * scale - average->mean_square);
    /* A scale of 0 lets nothing through, whatever the mean is. */
    return scale == 0.0 ? 0.0 : scale / sqrt(average->mean_square);
}

static void follow_group(void *context, size_t group, size_t worker)
{
    const struct running *running = context;
    const struct gtr_series *series = gtr_replay_series(running->replay);
    const uint8_t *skip = gtr_replay_skip(running->replay);
    size_t at = group * series->n_steps, n = 0, i;
    struct average average = { 0.0, 0.0 };
    double squares = 0.0;

    (void)worker;
    for (i = 0; i < series->n_steps; i++)
        running->rho[at + i] = (double)NAN;
    for (i = 0; i < (running->n_rows > 0 ? running->n_rows : series->n_steps); i++) {
        size_t t = running->n_rows > 0 ? (size_t)running->rows[i] : i;
        bool finite = series->group_nonfinite == NULL || !series->group_nonfinite[at + t];
        double rho;

        if (skip[t])
            continue;
        rho = follow(&average, running->beta2, finite ? series->sumsq[at + t] : (double)NAN,
                     running->decisions->scale[at + t]);
        running->rho[at + t] = rho;
        if (isnan(rho))
            continue;
        squares += (rho - 1.0) * (rho - 1.0);
        n++;
    }
    if (running->moved != NULL)
        running->moved[group] = n > 0 ? sqrt(squares / (double)n) : (double)NAN;
}

enum gtr_code gtr_proxy_run(const struct gtr_replay *replay, const struct gtr_decisions *decisions,
                            const int64_t *rows, size_t n_rows, double beta2, double *rho,
                            double *moved, struct gtr_err *err)
{
    struct running running = { replay, decisions, rows, n_rows, beta2, rho, moved };

    if (!(beta2 >= 0.0 && beta2 < 1.0))
        return gtr_fail(err, GTR_EUSAGE, "beta2 %g: must be at least 0 and below 1", beta2);
    gtr_threads_run(gtr_replay_n_threads(replay), decisions->n_groups, follow_group, &running);
    return GTR_OK;
}
