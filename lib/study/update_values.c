/* update_values.c - roots and quotients; standard errors of the whole from those of its groups. */
#include "update_values.h"

#include <math.h>

static void from_sums(const struct gtr_update_sums *sums, double plain,
                      struct gtr_update_values *values)
{
    double norms = sqrt(sums->update * plain);

    values->norm = sqrt(sums->update);
    values->plain = sqrt(plain);
    values->change = sums->change == 0.0 ? 0.0 : sqrt(sums->change / plain);
    values->cosine = norms == 0.0 ? (double)NAN : sums->along / norms;
    /* Roundings, and estimates from a sample, may lead a little outside. */
    if (values->cosine > 1.0 || (sums->change == 0.0 && norms > 0.0))
        values->cosine = 1.0;
    if (values->cosine < -1.0)
        values->cosine = -1.0;
}

/* Groups are sampled independently of each other.  To first order, the whole's norm^2 is the sum of
 * theirs; its change^2 and its cosine are their means with weights p_j, sums of squares, of which
 * the relative error is twice that of the norm. */
static void whole_errors(const struct gtr_update *update, size_t policy, size_t row,
                         struct gtr_update_values *whole)
{
    double norm = 0.0, change = 0.0, cosine = 0.0;
    size_t g;

    for (g = 0; g < update->n_groups; g++) {
        struct gtr_update_values v;
        double weight, turn, doubt, a, b;

        gtr_update_values_at(update, policy, g, row, &v);
        if (!(v.norm > 0.0) || !(v.plain > 0.0))
            continue;
        doubt = 2.0 * v.error.norm / v.norm;
        a = doubt * v.norm * v.norm;
        norm += a * a;
        weight = v.plain * v.plain / (whole->plain * whole->plain);
        a = weight * 2.0 * v.change * v.error.change;
        b = weight * doubt * (v.change * v.change - whole->change * whole->change);
        change += a * a + b * b;
        turn = v.norm * v.plain / (whole->norm * whole->plain);
        a = turn * v.error.cosine;
        b = turn * doubt * (v.cosine - whole->cosine);
        cosine += a * a + b * b;
    }
    whole->error.norm = whole->norm > 0.0 ? 0.5 * sqrt(norm) / whole->norm : 0.0;
    whole->error.change = whole->change > 0.0 ? 0.5 * sqrt(change) / whole->change : 0.0;
    whole->error.cosine = sqrt(cosine);
}

void gtr_update_values_at(const struct gtr_update *update, size_t policy, size_t group, size_t row,
                          struct gtr_update_values *values)
{
    size_t whole = update->n_groups, n = update->n_rows, g;
    size_t first = group == whole ? 0 : group, end = group == whole ? whole : group + 1;
    struct gtr_update_sums sums = { 0.0, 0.0, 0.0 };
    double plain = 0.0;

    for (g = first; g < end; g++) {
        const struct gtr_update_sums *one = &update->sums[(policy * whole + g) * n + row];

        sums.update += one->update;
        sums.change += one->change;
        sums.along += one->along;
        plain += update->plain[g * n + row];
    }
    from_sums(&sums, plain, values);
    values->error = (struct gtr_update_errors){ 0.0, 0.0, 0.0 };
    if (update->errors != NULL && group == whole)
        whole_errors(update, policy, row, values);
    else if (update->errors != NULL)
        values->error = update->errors[(policy * whole + group) * n + row];
}
