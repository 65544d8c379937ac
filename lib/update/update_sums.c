/* update_sums.c - pieces to tensors, tensors to groups, and what their sums say.
 *
 * Of each row: a tensor's pieces are subtrees of its tree and come in order, so what waits for a
 * neighbour is all that is kept of a tensor.  A whole tensor is added to its group; a sampled one
 * is multiplied by (its elements) / (those captured).
 *
 * The bias correction of m is a factor of all updates of a step, and is applied to the group's
 * totals at the end.
 */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "rounding.h"
#include "threads.h"
#include "tree.h"
#include "update_parts.h"
#include "update_spread.h"

struct gtr_update_totals {
    const struct gtr_update_plan *plan;
    const struct gtr_update_pass *pass;
    struct gtr_update *update;
    size_t width, levels;
    double *pending;                    /* [S][levels + 1][width]; the last is for a sum */
    struct gtr_update_moments *moments; /* [S][policy] of the open tensor; NULL without samples */
    double *plain_squares;              /* [S] */
    struct gtr_update_spread *spreads;  /* [S][policy] of the open group */
};

struct adding {
    struct gtr_update_totals *totals;
    const struct gtr_update_slice *slice;
    const struct gtr_update_answer *answer;
    size_t first;
};

enum gtr_code gtr_update_totals_new(const struct gtr_update_plan *plan,
                                    const struct gtr_update_pass *pass, struct gtr_update *update,
                                    struct gtr_update_totals **out, struct gtr_err *err)
{
    struct gtr_update_totals *totals = NULL;
    size_t cells = plan->n_rows * plan->n_policies, i;
    uint64_t most = 1;
    enum gtr_code rc;

    *out = NULL;
    rc = gtr_alloc_for(&totals, 1, sizeof *totals, "sums", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < plan->n_tensors; i++)
        most = plan->tensors[i].n > most ? plan->tensors[i].n : most;
    totals->plan = plan;
    totals->pass = pass;
    totals->update = update;
    totals->width = 1 + 3 * plan->n_policies;
    totals->levels = gtr_tree_levels((most - 1) / GTR_PIECE + 1);
    rc = gtr_alloc_for(&totals->pending, plan->n_rows,
                       (totals->levels + 1) * totals->width * sizeof(double), "sums", err);
    if (rc == GTR_OK && plan->sampled)
        rc = gtr_alloc_for(&totals->moments, cells, sizeof *totals->moments, "sums", err);
    if (rc == GTR_OK && plan->sampled)
        rc = gtr_alloc_for(&totals->plain_squares, plan->n_rows, sizeof(double), "sums", err);
    if (rc == GTR_OK && plan->sampled)
        rc = gtr_alloc_for(&totals->spreads, cells, sizeof *totals->spreads, "sums", err);
    if (rc != GTR_OK) {
        gtr_update_totals_free(totals);
        return rc;
    }
    *out = totals;
    return GTR_OK;
}

void gtr_update_totals_free(struct gtr_update_totals *totals)
{
    if (totals == NULL)
        return;
    gtr_free(totals->pending);
    gtr_free(totals->moments);
    gtr_free(totals->plain_squares);
    gtr_free(totals->spreads);
    gtr_free(totals);
}

/* Where a policy's totals of a group and row are, in sums and errors. */
static size_t place_of(const struct gtr_update *update, size_t policy, size_t group, size_t row)
{
    return (policy * update->n_groups + group) * update->n_rows + row;
}

static void add_moments(struct gtr_update_totals *totals, size_t row,
                        const struct gtr_update_answer *answer, size_t at, bool first)
{
    size_t n = totals->plan->n_policies, p;

    if (first) {
        memset(totals->moments + row * n, 0, n * sizeof *totals->moments);
        totals->plain_squares[row] = 0.0;
    }
    totals->plain_squares[row] += answer->plain_squares[at];
    for (p = 0; p < n; p++) {
        struct gtr_update_moments *to = &totals->moments[row * n + p];
        const struct gtr_update_moments *from = &answer->moments[at * n + p];

        to->uu += from->uu;
        to->cc += from->cc;
        to->aa += from->aa;
        to->uz += from->uz;
        to->cz += from->cz;
        to->az += from->az;
        to->ua += from->ua;
    }
}

/* The tensor's sums are complete: into its group. */
static void close_tensor(struct gtr_update_totals *totals, size_t row,
                         const struct gtr_update_tensor *tensor, const double *sum)
{
    struct gtr_update *update = totals->update;
    double weight = tensor->portion.elements / tensor->portion.captured;
    size_t n = totals->plan->n_policies, p;

    update->plain[tensor->group * update->n_rows + row] += weight * sum[0];
    for (p = 0; p < n; p++) {
        const double *from = sum + 1 + 3 * p;
        struct gtr_update_sums *to = &update->sums[place_of(update, p, tensor->group, row)];

        to->update += weight * from[0];
        to->change += weight * from[1];
        to->along += weight * from[2];
        if (tensor->portion.kept < tensor->portion.blocks)
            gtr_update_spread_add(&totals->spreads[row * n + p], &tensor->portion,
                                  &(struct gtr_update_sums){ from[0], from[1], from[2] }, sum[0],
                                  &totals->moments[row * n + p], totals->plain_squares[row]);
    }
}

/* NaNs differ in their bits between machines. */
static double one_nan(double x)
{
    return isnan(x) ? (double)NAN : x;
}

/* All tensors of the group are in. */
static void close_group(struct gtr_update_totals *totals, size_t row, size_t group)
{
    struct gtr_update *update = totals->update;
    double factor = totals->pass->steps[row].factor, squared = factor * factor;
    double *plain = &update->plain[group * update->n_rows + row];
    size_t n = totals->plan->n_policies, p;

    *plain = one_nan(*plain * squared);
    for (p = 0; p < n; p++) {
        size_t at = place_of(update, p, group, row);
        struct gtr_update_sums *sums = &update->sums[at];

        sums->update = one_nan(sums->update * squared);
        sums->change = one_nan(sums->change * squared);
        sums->along = one_nan(sums->along * squared);
        if (totals->spreads != NULL) {
            struct gtr_update_spread *spread = &totals->spreads[row * n + p];

            gtr_update_spread_errors(spread, squared, sums, *plain, &update->errors[at]);
            memset(spread, 0, sizeof *spread);
        }
    }
}

static void add_piece(struct gtr_update_totals *totals, size_t row,
                      const struct gtr_update_piece *piece, const struct gtr_update_tensor *tensor,
                      const struct gtr_update_answer *answer, size_t at)
{
    size_t width = totals->width, n_policies = totals->plan->n_policies, p;
    double *pending = totals->pending + row * (totals->levels + 1) * width;
    double *sum = pending + totals->levels * width;
    uint64_t number = piece->first / GTR_PIECE;

    sum[0] = answer->plain[at];
    for (p = 0; p < n_policies; p++) {
        const struct gtr_update_sums *sums = &answer->sums[at * n_policies + p];

        sum[1 + 3 * p] = sums->update;
        sum[2 + 3 * p] = sums->change;
        sum[3 + 3 * p] = sums->along;
    }
    if (tensor->portion.kept < tensor->portion.blocks)
        add_moments(totals, row, answer, at, number == 0);
    gtr_tree_add(pending, width, number, sum);
    if (piece->first + piece->n < tensor->n)
        return;
    gtr_tree_sum(pending, width, number + 1, sum);
    close_tensor(totals, row, tensor, sum);
    if (tensor->last)
        close_group(totals, row, tensor->group);
}

static void skip_row(struct gtr_update *update, size_t row)
{
    size_t g, p;

    for (g = 0; g < update->n_groups; g++) {
        update->plain[g * update->n_rows + row] = (double)NAN;
        for (p = 0; p < update->n_policies; p++) {
            size_t at = place_of(update, p, g, row);

            update->sums[at] = (struct gtr_update_sums){ (double)NAN, (double)NAN, (double)NAN };
            if (update->errors != NULL)
                update->errors[at] =
                    (struct gtr_update_errors){ (double)NAN, (double)NAN, (double)NAN, 0.0 };
        }
    }
}

static void add_row(void *context, size_t item, size_t worker)
{
    const struct adding *adding = context;
    struct gtr_update_totals *totals = adding->totals;
    const struct gtr_update_slice *slice = adding->slice;
    size_t row = adding->first + item, i;

    (void)worker;
    if (totals->pass->skip[row]) {
        skip_row(totals->update, row);
        return;
    }
    for (i = 0; i < slice->batch.n_pieces; i++)
        add_piece(totals, row, &slice->pieces[i], &totals->plan->tensors[slice->place[i]],
                  adding->answer, item * slice->batch.n_pieces + i);
}

void gtr_update_totals_add(struct gtr_update_totals *totals, const struct gtr_update_slice *slice,
                           size_t first, size_t n_rows, const struct gtr_update_answer *answer,
                           size_t n_threads)
{
    struct adding adding = { totals, slice, answer, first };
    unsigned rounding = gtr_rounding_begin();

    gtr_threads_run(n_threads, n_rows, add_row, &adding);
    gtr_rounding_end(rounding);
}

/* --- what the sums say: roots and quotients --------------------------------------------------- */

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
 * the relative error is twice that of the norm.  Degrees of freedom as in update_spread.h. */
static void whole_errors(const struct gtr_update *update, size_t policy, size_t row,
                         struct gtr_update_values *whole)
{
    double norm = 0.0, change = 0.0, cosine = 0.0, squares = 0.0;
    size_t g;

    for (g = 0; g < update->n_groups; g++) {
        struct gtr_update_values v;
        double weight, turn, doubt, a, b, own;

        gtr_update_values_at(update, policy, g, row, &v);
        if (!(v.norm > 0.0) || !(v.plain > 0.0))
            continue;
        doubt = 2.0 * v.error.norm / v.norm;
        a = doubt * v.norm * v.norm;
        norm += a * a;
        weight = v.plain * v.plain / (whole->plain * whole->plain);
        a = weight * 2.0 * v.change * v.error.change;
        b = weight * doubt * (v.change * v.change - whole->change * whole->change);
        own = a * a + b * b;
        change += own;
        squares += own > 0.0 ? own * own / v.error.freedom : 0.0;
        turn = v.norm * v.plain / (whole->norm * whole->plain);
        a = turn * v.error.cosine;
        b = turn * doubt * (v.cosine - whole->cosine);
        cosine += a * a + b * b;
    }
    whole->error.norm = whole->norm > 0.0 ? 0.5 * sqrt(norm) / whole->norm : 0.0;
    whole->error.change = whole->change > 0.0 ? 0.5 * sqrt(change) / whole->change : 0.0;
    whole->error.cosine = sqrt(cosine);
    whole->error.freedom = squares > 0.0 ? change * change / squares : HUGE_VAL;
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
    values->error = (struct gtr_update_errors){ 0.0, 0.0, 0.0, HUGE_VAL };
    if (update->errors != NULL && group == whole)
        whole_errors(update, policy, row, values);
    else if (update->errors != NULL)
        values->error = update->errors[(policy * whole + group) * n + row];
}
