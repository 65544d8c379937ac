/* update_spread.c - standard errors of totals estimated from a sample of blocks. */
#include "update_spread.h"

#include <math.h>

/* The order of t, and of pairs. */
enum { U, C, A, Z };

static const struct {
    int x, y;
} pairs[] = { { U, U }, { C, C }, { A, A }, { Z, Z }, { U, Z }, { C, Z }, { A, Z }, { U, A } };

enum { PAIRS = sizeof pairs / sizeof *pairs };

/* Products in the order of pairs. */
static void to_array(const struct gtr_update_products *p, double *array)
{
    const double in_order[PAIRS] = { p->uu, p->cc, p->aa, p->zz, p->uz, p->cz, p->az, p->ua };
    int i;

    for (i = 0; i < PAIRS; i++)
        array[i] = in_order[i];
}

static void add_array(struct gtr_update_products *p, const double *array)
{
    double *const in_order[PAIRS] = {
        &p->uu, &p->cc, &p->aa, &p->zz, &p->uz, &p->cz, &p->az, &p->ua
    };
    int i;

    for (i = 0; i < PAIRS; i++)
        *in_order[i] += array[i];
}

static void add_single(struct gtr_update_spread *spread, double size, double weight,
                       const double *sums)
{
    double products[PAIRS];
    int i;

    for (i = 0; i < PAIRS; i++)
        products[i] = (weight * sums[pairs[i].x]) * (weight * sums[pairs[i].y]);
    add_array(&spread->products, products);
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
    const struct gtr_update_products of_blocks = { m->uu, m->cc, m->aa, zz,
                                                   m->uz, m->cz, m->az, m->ua };
    const double sum[4] = { sums->update, sums->change, sums->along, z };
    double w = portion->elements / portion->captured, k = portion->kept, variance[PAIRS], weight;
    int i;

    if (k < 2.0) {
        add_single(spread, portion->elements, w, sum);
        return;
    }
    weight = w * w * k * (1.0 - k / portion->blocks) / (k - 1.0);
    to_array(&of_blocks, variance);
    for (i = 0; i < PAIRS; i++)
        variance[i] = weight * (variance[i] - sum[pairs[i].x] * sum[pairs[i].y] / k);
    add_array(&spread->variance, variance);
}

/* Sum of e_x e_y, multiplied out. */
static void add_collapsed(const struct gtr_update_spread *s, struct gtr_update_products *variance)
{
    double products[PAIRS], weight = s->n_single / (s->n_single - 1.0);
    int i;

    to_array(&s->products, products);
    for (i = 0; i < PAIRS; i++) {
        int x = pairs[i].x, y = pairs[i].y;
        double slope_x = s->t[x] / s->size, slope_y = s->t[y] / s->size;

        products[i] = weight * (products[i] - slope_x * s->size_t_sum[y] -
                                slope_y * s->size_t_sum[x] + slope_x * slope_y * s->size_squares);
    }
    add_array(variance, products);
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
    struct gtr_update_products v = spread->variance;

    if (spread->n_single == 1.0) {
        *errors = (struct gtr_update_errors){ (double)NAN, (double)NAN, (double)NAN };
        return;
    }
    if (spread->n_single > 1.0)
        add_collapsed(spread, &v);
    *errors = (struct gtr_update_errors){ 0 };
    if (update != 0.0)
        errors->norm = root(v.uu / (4.0 * update) * squared);
    if (change == 0.0)
        return; /* u is u_none, whatever the sample */
    errors->change = root((v.cc - 2.0 * q * v.cz + q * q * v.zz) / (4.0 * change * none));
    errors->cosine = root((v.aa + of_u * of_u * v.uu + of_z * of_z * v.zz - 2.0 * of_u * v.ua -
                           2.0 * of_z * v.az + 2.0 * of_u * of_z * v.uz) /
                          (update * none));
}
