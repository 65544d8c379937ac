/* merge_rows.c - one row of several ranks, and its elements; merge.h says what a row of the whole
 * run is. */
#include "merge_private.h"

#include <inttypes.h>
#include <math.h>

#include "alloc.h"

enum gtr_code gtr_merge_make_rows(struct gtr_merge *merge, struct gtr_err *err)
{
    size_t n = merge->matched.head.n_tensors, r;
    enum gtr_code rc = gtr_alloc_for(&merge->at, merge->n_ranks, sizeof *merge->at, "ranks", err);
    int norm;

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&merge->left_out, merge->n_ranks, sizeof *merge->left_out, "ranks", err);
    for (norm = 0; rc == GTR_OK && norm < GTR_NORM_COUNT; norm++) {
        rc = gtr_alloc_for(&merge->rows[norm], merge->n_ranks, sizeof(void *), "ranks", err);
        for (r = 0; rc == GTR_OK && r < merge->n_ranks; r++)
            rc = gtr_alloc_for(&merge->rows[norm][r], gtr_trace_head(merge->traces[r])->n_tensors,
                               sizeof(double), "values", err);
    }
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&merge->sumsq, n, sizeof *merge->sumsq, "values", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&merge->param_sumsq, n, sizeof *merge->param_sumsq, "values", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&merge->maxabs, n, sizeof *merge->maxabs, "values", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&merge->nonfinite, n, sizeof *merge->nonfinite, "values", err);
    return rc;
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
                                         merge->rows[norm][r], err);
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
        if (of[r] == SIZE_MAX || ((const double *)merge->rows[GTR_SUMSQ][r])[of[r]] !=
                                     ((const double *)merge->rows[GTR_SUMSQ][0])[of[0]])
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
        sumsq += ((const double *)merge->rows[GTR_SUMSQ][r])[of[r]];
        params += ((const double *)merge->rows[GTR_PARAM_SUMSQ][r])[of[r]];
        most = larger(most, ((const float *)merge->rows[GTR_MAXABS][r])[of[r]]);
        here = ((const uint64_t *)merge->rows[GTR_NONFINITE][r])[of[r]];
        count = adds ? count + here : here > count ? here : count;
    }
    merge->differ = merge->differ || ranks_differ(merge, i);
    if (!adds) {
        sumsq /= (double)merge->n_ranks;
        params /= (double)merge->n_ranks;
    }
    merge->sumsq[i] = sumsq;
    merge->param_sumsq[i] = params;
    merge->maxabs[i] = most;
    merge->nonfinite[i] = count;
}

static bool agree(double a, double b, double tolerance)
{
    return a == b || fabs(a - b) <= tolerance * (a > b ? a : b);
}

/* The first rank's, if the others agree. */
static enum gtr_code take_same(struct gtr_merge *merge, size_t i, int64_t step, struct gtr_err *err)
{
    const size_t *of = &merge->matched.of[i * merge->n_ranks];
    const double *sumsq = merge->rows[GTR_SUMSQ][0], *params = merge->rows[GTR_PARAM_SUMSQ][0];
    const float *maxabs = merge->rows[GTR_MAXABS][0];
    const uint64_t *nonfinite = merge->rows[GTR_NONFINITE][0];
    size_t r;

    merge->sumsq[i] = sumsq[of[0]];
    merge->param_sumsq[i] = params[of[0]];
    merge->maxabs[i] = maxabs[of[0]];
    merge->nonfinite[i] = nonfinite[of[0]];
    for (r = 1; r < merge->n_ranks; r++) {
        double other = ((const double *)merge->rows[GTR_SUMSQ][r])[of[r]];
        uint64_t count = ((const uint64_t *)merge->rows[GTR_NONFINITE][r])[of[r]];

        if (!agree(merge->sumsq[i], other, merge->options->tolerance))
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: step %" PRId64 ", tensor %.100s: sum of squares %.17g, and %.17g "
                            "in %s; are these replicas?",
                            gtr_trace_path(merge->traces[r]), step,
                            merge->matched.head.tensors[i].name, other, merge->sumsq[i],
                            gtr_trace_path(merge->traces[0]));
        if (count != merge->nonfinite[i])
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: step %" PRId64 ", tensor %.100s: %" PRIu64
                            " elements are not finite, and %" PRIu64 " in %s; are these replicas?",
                            gtr_trace_path(merge->traces[r]), step,
                            merge->matched.head.tensors[i].name, count, merge->nonfinite[i],
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
