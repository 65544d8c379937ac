/* update_spread.c - standard errors of totals estimated from a sample of blocks. */
#include "update_spread.h"

#include <math.h>
#include <string.h>

/* The order of t. */
enum { U, C, A, Z };

static const struct {
    int x, y;
} pairs[GTR_UPDATE_PAIRS] = { { U, U }, { C, C }, { A, A }, { Z, Z },
                              { U, Z }, { C, Z }, { A, Z }, { U, A } };

static void add_single(struct gtr_update_spread *spread, double size, double weight,
                       const double *sums)
{
    int i;

    for (i = 0; i < GTR_UPDATE_PAIRS; i++)
        spread->products[i] += (weight * sums[pairs[i].x]) * (weight * sums[pairs[i].y]);
    spread->n_single += 1.0;
    spread->size += size;
    spread->size_squares += size * size;
    for (i = 0; i < 4; i++) {
        spread->t[i] += weight * sums[i];
        spread->size_t_sum[i] += size * (weight * sums[i]);
    }
}

void gtr_update_spread_add(struct gtr_update_spread *spread,
                           const struct gtr_update_portion *portion,
                           const struct gtr_update_sums *sums, double z,
                           const struct gtr_update_moments *m, double zz)
{
    const double of_blocks[GTR_UPDATE_PAIRS] = {
        m->uu, m->cc, m->aa, zz, m->uz, m->cz, m->az, m->ua
    };
    const double sum[4] = { sums->update, sums->change, sums->along, z };
    double w = portion->elements / portion->captured, k = portion->kept, weight, own;
    int i;

    if (k < 2.0) {
        add_single(spread, portion->elements, w, sum);
        return;
    }
    weight = w * w * k * (1.0 - k / portion->blocks) / (k - 1.0);
    for (i = 0; i < GTR_UPDATE_PAIRS; i++)
        spread->variance[i] += weight * (of_blocks[i] - sum[pairs[i].x] * sum[pairs[i].y] / k);
    own = weight * (of_blocks[GTR_CC] - sum[C] * sum[C] / k);
    spread->freedom_squares += own * own / (k - 1.0);
}

/* Sum of e_x e_y, multiplied out. */
static void add_collapsed(const struct gtr_update_spread *s, double *variance)
{
    double weight = s->n_single / (s->n_single - 1.0);
    int i;

    for (i = 0; i < GTR_UPDATE_PAIRS; i++) {
        int x = pairs[i].x, y = pairs[i].y;
        double slope_x = s->t[x] / s->size, slope_y = s->t[y] / s->size;

        variance[i] += weight * (s->products[i] - slope_x * s->size_t_sum[y] -
                                 slope_y * s->size_t_sum[x] + slope_x * slope_y * s->size_squares);
    }
}

/* What cancelled to less than nothing is nothing. */
static double root(double variance)
{
    return variance > 0.0 ? sqrt(variance) : variance <= 0.0 ? 0.0 : (double)NAN;
}

/* Totals come multiplied by `squared`, and are divided here: V is of those that are not. */
void gtr_update_spread_errors(const struct gtr_update_spread *spread, double squared,
                              const struct gtr_update_sums *totals, double plain,
                              struct gtr_update_errors *errors)
{
    double update = totals->update / squared, change = totals->change / squared;
    double along = totals->along / squared, none = plain / squared, q = change / none;
    double of_u = along / (2.0 * update), of_z = along / (2.0 * none);
    double v[GTR_UPDATE_PAIRS], squares = spread->freedom_squares, own;

    if (spread->n_single == 1.0) {
        *errors = (struct gtr_update_errors){ (double)NAN, (double)NAN, (double)NAN, 0.0 };
        return;
    }
    memcpy(v, spread->variance, sizeof v);
    if (spread->n_single > 1.0) {
        add_collapsed(spread, v);
        own = v[GTR_CC] - spread->variance[GTR_CC];
        squares += own * own / (spread->n_single - 1.0);
    }
    *errors = (struct gtr_update_errors){ 0 };
    errors->freedom = squares > 0.0 ? v[GTR_CC] * v[GTR_CC] / squares : HUGE_VAL;
    if (update != 0.0)
        errors->norm = root(v[GTR_UU] / (4.0 * update) * squared);
    if (change == 0.0)
        return; /* u is u_none, whatever the sample */
    errors->change =
        root((v[GTR_CC] - 2.0 * q * v[GTR_CZ] + q * q * v[GTR_ZZ]) / (4.0 * change * none));
    errors->cosine =
        root((v[GTR_AA] + of_u * of_u * v[GTR_UU] + of_z * of_z * v[GTR_ZZ] -
              2.0 * of_u * v[GTR_UA] - 2.0 * of_z * v[GTR_AZ] + 2.0 * of_u * of_z * v[GTR_UZ]) /
             (update * none));
}
