/* update_share.c - batches shared out among processes.
 *
 * Part b % n_parts computes batch b.  All parts cut the same batches, so nothing but answers has to
 * travel: a part keeps those of a batch until it is whole, and hands them over; part 0, after each
 * batch of its own, takes those of the n_parts - 1 batches behind it, which were computed in the
 * meantime, and adds all of them up in order, as a process that is alone would.
 */
#include <string.h>

#include "alloc.h"
#include "update_parts.h"

struct gtr_update_share {
    const struct gtr_update_plan *plan;
    const struct gtr_update_options *options;
    struct gtr_update_totals *totals;
    size_t pass_over;                /* batches until the next of this part */
    struct gtr_update_cursor cursor; /* of part 0: behind the last batch that was added */
    struct gtr_update_slice slice;   /* of part 0: a batch of another part */
    struct gtr_update_answer whole;  /* [S][pieces][...] of one batch */
    size_t room;                     /* pieces x rows of it */
};

static size_t n_parts(const struct gtr_update_share *share)
{
    return share->options->n_parts > 1 ? share->options->n_parts : 1;
}

enum gtr_code gtr_update_share_new(const struct gtr_update_plan *plan,
                                   const struct gtr_update_options *options,
                                   struct gtr_update_totals *totals,
                                   struct gtr_update_share **share, struct gtr_err *err)
{
    enum gtr_code rc = gtr_alloc_for(share, 1, sizeof **share, "sums", err);

    if (rc != GTR_OK)
        return rc;
    **share = (struct gtr_update_share){
        .plan = plan, .options = options, .totals = totals, .pass_over = options->part
    };
    return GTR_OK;
}

static void free_whole(struct gtr_update_share *share)
{
    gtr_free(share->whole.sums);
    gtr_free(share->whole.plain);
    gtr_free(share->whole.moments);
    gtr_free(share->whole.plain_squares);
    share->whole = (struct gtr_update_answer){ 0 };
    share->room = 0;
}

void gtr_update_share_free(struct gtr_update_share *share)
{
    if (share == NULL)
        return;
    free_whole(share);
    gtr_update_slice_free(&share->slice);
    gtr_free(share);
}

enum gtr_code gtr_update_share_cut(struct gtr_update_share *share, struct gtr_update_cursor *cursor,
                                   struct gtr_update_slice *slice, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i <= share->pass_over; i++)
        rc = gtr_update_plan_cut(share->plan, cursor, slice, err);
    share->pass_over = n_parts(share) - 1;
    return rc;
}

/* Zeros, because rows that the run skipped have no answers, and travel with the others. */
static enum gtr_code room_for_whole(struct gtr_update_share *share, size_t n_pieces,
                                    struct gtr_err *err)
{
    size_t n = n_pieces * share->plan->n_rows, n_policies = share->plan->n_policies;
    struct gtr_update_answer *whole = &share->whole;
    enum gtr_code rc;

    if (n <= share->room)
        return GTR_OK;
    free_whole(share);
    rc = gtr_alloc_for(&whole->sums, n, n_policies * sizeof *whole->sums, "sums", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&whole->plain, n, sizeof *whole->plain, "sums", err);
    if (rc == GTR_OK && share->plan->sampled)
        rc = gtr_alloc_for(&whole->moments, n, n_policies * sizeof *whole->moments, "sums", err);
    if (rc == GTR_OK && share->plan->sampled)
        rc = gtr_alloc_for(&whole->plain_squares, n, sizeof *whole->plain_squares, "sums", err);
    if (rc == GTR_OK)
        share->room = n;
    return rc;
}

/* The answers of a batch of `part`, to or from part 0. */
static enum gtr_code exchange(struct gtr_update_share *share, size_t part, size_t n_pieces,
                              struct gtr_err *err)
{
    size_t n = n_pieces * share->plan->n_rows, n_policies = share->plan->n_policies, i;
    const struct gtr_update_answer *whole = &share->whole;
    const struct {
        void *from;
        size_t size;
    } parts[] = { { whole->sums, n * n_policies * sizeof *whole->sums },
                  { whole->plain, n * sizeof *whole->plain },
                  { whole->moments, n * n_policies * sizeof *whole->moments },
                  { whole->plain_squares, n * sizeof *whole->plain_squares } };
    enum gtr_code rc = GTR_OK;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(parts); i++)
        if (parts[i].from != NULL)
            rc = share->options->exchange(share->options->context, part, parts[i].from,
                                          parts[i].size, err);
    return rc;
}

static enum gtr_code hand_over(struct gtr_update_share *share, const struct gtr_update_slice *slice,
                               size_t first, size_t n_rows, const struct gtr_update_answer *answer,
                               struct gtr_err *err)
{
    size_t n_pieces = slice->batch.n_pieces, n_policies = share->plan->n_policies;
    size_t at = first * n_pieces, n = n_rows * n_pieces;
    const struct gtr_update_answer *whole = &share->whole;
    enum gtr_code rc = room_for_whole(share, n_pieces, err);

    if (rc != GTR_OK)
        return rc;
    memcpy(whole->sums + at * n_policies, answer->sums, n * n_policies * sizeof *whole->sums);
    memcpy(whole->plain + at, answer->plain, n * sizeof *whole->plain);
    if (share->plan->sampled) {
        memcpy(whole->moments + at * n_policies, answer->moments,
               n * n_policies * sizeof *whole->moments);
        memcpy(whole->plain_squares + at, answer->plain_squares, n * sizeof *whole->plain_squares);
    }
    if (first + n_rows < share->plan->n_rows)
        return GTR_OK;
    return exchange(share, share->options->part, n_pieces, err);
}

/* The batches behind one of part 0, of parts 1, 2, ... */
static enum gtr_code take_others(struct gtr_update_share *share, struct gtr_err *err)
{
    enum gtr_code rc = gtr_update_plan_cut(share->plan, &share->cursor, &share->slice, err);
    size_t part;

    for (part = 1; rc == GTR_OK && part < n_parts(share); part++) {
        rc = gtr_update_plan_cut(share->plan, &share->cursor, &share->slice, err);
        if (rc != GTR_OK || share->slice.batch.n_pieces == 0)
            break;
        rc = room_for_whole(share, share->slice.batch.n_pieces, err);
        if (rc == GTR_OK)
            rc = exchange(share, part, share->slice.batch.n_pieces, err);
        if (rc == GTR_OK)
            gtr_update_totals_add(share->totals, &share->slice, 0, share->plan->n_rows,
                                  &share->whole, share->options->n_threads);
    }
    return rc;
}

enum gtr_code gtr_update_share_add(struct gtr_update_share *share,
                                   const struct gtr_update_slice *slice, size_t first,
                                   size_t n_rows, const struct gtr_update_answer *answer,
                                   struct gtr_err *err)
{
    if (share->options->part > 0)
        return hand_over(share, slice, first, n_rows, answer, err);
    gtr_update_totals_add(share->totals, slice, first, n_rows, answer, share->options->n_threads);
    if (n_parts(share) == 1 || first + n_rows < share->plan->n_rows)
        return GTR_OK;
    return take_others(share, err);
}
