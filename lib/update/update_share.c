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
    struct gtr_update_answers whole; /* [S][pieces][...] of one batch */
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

void gtr_update_answers_free(struct gtr_update_answers *answers)
{
    gtr_free(answers->answer.sums);
    gtr_free(answers->answer.plain);
    gtr_free(answers->answer.moments);
    gtr_free(answers->answer.plain_squares);
    *answers = (struct gtr_update_answers){ 0 };
}

enum gtr_code gtr_update_answers_room(struct gtr_update_answers *answers,
                                      const struct gtr_update_plan *plan, size_t n,
                                      struct gtr_err *err)
{
    struct gtr_update_answer *to = &answers->answer;
    size_t n_policies = plan->n_policies;
    enum gtr_code rc;

    if (n <= answers->room)
        return GTR_OK;
    gtr_update_answers_free(answers);
    rc = gtr_alloc_for(&to->sums, n, n_policies * sizeof *to->sums, "sums", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&to->plain, n, sizeof *to->plain, "sums", err);
    if (rc == GTR_OK && plan->sampled)
        rc = gtr_alloc_for(&to->moments, n, n_policies * sizeof *to->moments, "sums", err);
    if (rc == GTR_OK && plan->sampled)
        rc = gtr_alloc_for(&to->plain_squares, n, sizeof *to->plain_squares, "sums", err);
    if (rc == GTR_OK)
        answers->room = n;
    return rc;
}

void gtr_update_share_free(struct gtr_update_share *share)
{
    if (share == NULL)
        return;
    gtr_update_answers_free(&share->whole);
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

/* Of a whole batch.  Zeros at first, because rows that the run skipped have no answers, and travel
 * with the others. */
static enum gtr_code room_for_whole(struct gtr_update_share *share, size_t n_pieces,
                                    struct gtr_err *err)
{
    return gtr_update_answers_room(&share->whole, share->plan, n_pieces * share->plan->n_rows, err);
}

/* The answers of a batch of `part`, to or from part 0. */
static enum gtr_code exchange(struct gtr_update_share *share, size_t part, size_t n_pieces,
                              struct gtr_err *err)
{
    size_t n = n_pieces * share->plan->n_rows, n_policies = share->plan->n_policies, i;
    const struct gtr_update_answer *whole = &share->whole.answer;
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
    const struct gtr_update_answer *whole = &share->whole.answer;
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
                                  &share->whole.answer, share->options->n_threads);
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
