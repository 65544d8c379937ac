/* merge_rows.c - one row of several ranks, and its elements; merge.h says what a row of the whole
 * run is. */
#include "merge_private.h"

#include <inttypes.h>
#include <math.h>

#include "alloc.h"

enum gtr_code gtr_merge_make_rows(struct gtr_merge *merge, struct gtr_err *err)
{
    size_t n = merge->n_ranks, r;
    enum gtr_code rc = gtr_alloc_for(&merge->at, n, sizeof *merge->at, "ranks", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&merge->left_out, n, sizeof *merge->left_out, "ranks", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&merge->rows, n, sizeof *merge->rows, "ranks", err);
    for (r = 0; rc == GTR_OK && r < n; r++)
        rc = gtr_rows_new(&merge->rows[r], 1, gtr_trace_head(merge->traces[r])->n_tensors, err);
    return rc == GTR_OK ? gtr_rows_new(&merge->joined, 1, merge->matched.head.n_tensors, err) : rc;
}

static enum gtr_code read_ranks(struct gtr_merge *merge, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t r;
    int norm;

    for (norm = 0; norm < GTR_NORM_COUNT; norm++)
        for (r = 0; rc == GTR_OK && r < merge->n_ranks; r++)
            if (gtr_trace_has(merge->traces[r], (enum gtr_norm)norm))
                rc = gtr_trace_read_rows(merge->traces[r], (enum gtr_norm)norm, merge->at[r], 1,
                                         gtr_rows_of(&merge->rows[r], (enum gtr_norm)norm), err);
    return rc;
}

/* Not a number wins: what a rank does not know, nobody knows. */
static float larger(float a, float b)
{
    return isnan(a) || a >= b ? a : b;
}

static bool ranks_differ(const struct gtr_merge *merge, size_t i)
{
    const size_t *of = &merge->matched.of[i * merge->n_ranks];
    size_t r;

    for (r = 0; r < merge->n_ranks; r++)
        if (of[r] == SIZE_MAX || merge->rows[r].sumsq[of[r]] != merge->rows[0].sumsq[of[0]])
            return true;
    return false;
}

static void join_tensor(struct gtr_merge *merge, size_t i)
{
    const size_t *of = &merge->matched.of[i * merge->n_ranks];
    double sumsq = 0.0, params = 0.0;
    uint64_t count = 0;
    float most = 0.0f;
    bool adds = merge->options->join == GTR_JOIN_SUM;
    size_t r;

    /* In the order of ranks, so that the bits do not depend on the order of the arguments. */
    for (r = 0; r < merge->n_ranks; r++) {
        uint64_t here;

        if (of[r] == SIZE_MAX)
            continue;
        sumsq += merge->rows[r].sumsq[of[r]];
        params += merge->rows[r].param_sumsq[of[r]];
        most = larger(most, merge->rows[r].maxabs[of[r]]);
        here = merge->rows[r].nonfinite[of[r]];
        count = adds ? count + here : here > count ? here : count;
    }
    merge->differ = merge->differ || ranks_differ(merge, i);
    if (!adds) {
        sumsq /= (double)merge->n_ranks;
        params /= (double)merge->n_ranks;
    }
    merge->joined.sumsq[i] = sumsq;
    merge->joined.param_sumsq[i] = params;
    merge->joined.maxabs[i] = most;
    merge->joined.nonfinite[i] = count;
}

static bool agree(double a, double b, double tolerance)
{
    return a == b || fabs(a - b) <= tolerance * (a > b ? a : b);
}

/* The first rank's, if the others agree. */
static enum gtr_code take_same(struct gtr_merge *merge, size_t i, int64_t step, struct gtr_err *err)
{
    const size_t *of = &merge->matched.of[i * merge->n_ranks];
    const struct gtr_rows *first = &merge->rows[0];
    size_t r;

    merge->joined.sumsq[i] = first->sumsq[of[0]];
    merge->joined.param_sumsq[i] = first->param_sumsq[of[0]];
    merge->joined.maxabs[i] = first->maxabs[of[0]];
    merge->joined.nonfinite[i] = first->nonfinite[of[0]];
    for (r = 1; r < merge->n_ranks; r++) {
        double other = merge->rows[r].sumsq[of[r]];
        uint64_t count = merge->rows[r].nonfinite[of[r]];

        if (!agree(merge->joined.sumsq[i], other, merge->options->tolerance))
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: step %" PRId64 ", tensor %.100s: sum of squares %.17g, and %.17g "
                            "in %s; are these replicas?",
                            gtr_trace_path(merge->traces[r]), step,
                            merge->matched.head.tensors[i].name, other, merge->joined.sumsq[i],
                            gtr_trace_path(merge->traces[0]));
        if (count != merge->joined.nonfinite[i])
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: step %" PRId64 ", tensor %.100s: %" PRIu64
                            " elements are not finite, and %" PRIu64 " in %s; are these replicas?",
                            gtr_trace_path(merge->traces[r]), step,
                            merge->matched.head.tensors[i].name, count, merge->joined.nonfinite[i],
                            gtr_trace_path(merge->traces[0]));
    }
    return GTR_OK;
}

enum gtr_code gtr_merge_join_row(struct gtr_merge *merge, struct gtr_step *step,
                                 struct gtr_err *err)
{
    bool one = merge->n_ranks == 1 || merge->options->join == GTR_JOIN_SAME;
    enum gtr_code rc = read_ranks(merge, err);
    size_t i, r;

    *step = gtr_trace_steps(merge->traces[0])[merge->at[0]];
    for (r = 1; r < merge->n_ranks; r++)
        step->skipped = step->skipped || gtr_trace_steps(merge->traces[r])[merge->at[r]].skipped;
    for (i = 0; rc == GTR_OK && i < merge->matched.head.n_tensors; i++)
        if (one)
            rc = take_same(merge, i, step->index, err);
        else
            join_tensor(merge, i);
    return rc;
}

/* --- elements --------------------------------------------------------------------------------- */

enum gtr_code gtr_copy_sampling(const struct gtr_trace *trace, struct gtr_writer_options *options,
                                struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    struct gtr_captured captured;
    enum gtr_code rc = GTR_OK;
    size_t i;

    options->elements = false;
    options->sampling = (struct gtr_sample){ 0 };
    for (i = 0; rc == GTR_OK && gtr_trace_n_captures(trace) > 0 && i < head->n_tensors; i++) {
        if (head->tensors[i].numel == 0)
            continue;
        rc = gtr_trace_captured(trace, i, &captured, err);
        options->elements = rc == GTR_OK && captured.n > 0;
        if (!options->elements)
            return rc;
        if (captured.sampled)
            options->sampling =
                (struct gtr_sample){ captured.block, captured.fraction, captured.seed };
    }
    return rc;
}

enum gtr_code gtr_copy_capture(struct gtr_trace *trace, size_t capture, struct gtr_writer *writer,
                               struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < head->n_tensors; i++) {
        size_t n = gtr_trace_n_elements(trace, i);
        void *elements = NULL;

        rc = gtr_alloc_for(&elements, n, gtr_dtype_size(head->tensors[i].dtype), "elements", err);
        if (rc == GTR_OK && n > 0)
            rc = gtr_trace_read_elements(trace, i, capture, elements, err);
        if (rc == GTR_OK)
            rc = gtr_writer_elements(writer, i, elements, err);
        gtr_free(elements);
    }
    return rc;
}
