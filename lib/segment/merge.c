/* merge.c - segments and ranks into one trace. */
#include "merge_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"

enum { SHOWN = 5 };

/* Steps of a rank that others do not have. */
struct left_out {
    size_t n;
    int64_t steps[SHOWN]; /* the first of them */
};

struct merge {
    const struct gtr_merge_options *options;
    const struct gtr_remarks *remarks;
    struct gtr_trace **traces; /* by rank */
    size_t n_ranks, capacity;
    struct gtr_matched matched;
    bool param_norms, has_elements;
    bool differ;        /* ranks that are added up, somewhere */
    uint64_t n_dropped; /* captures that the recorder left out of the elements that are kept */
    struct gtr_writer *writer;
    /* One row: of the ranks, [rank][its tensors]; then joined. */
    size_t *at;                /* [rank]: its row */
    struct left_out *left_out; /* [rank] */
    struct gtr_rows *rows;     /* [rank] */
    struct gtr_rows joined;
    struct gtr_merged *found;
};

bool gtr_merge_same_place(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* --- ranks ------------------------------------------------------------------------------------ */

static enum gtr_code add_trace(struct merge *merge, const char *path, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_grow(&merge->traces, &merge->capacity, merge->n_ranks + 1, sizeof *merge->traces, err);

    if (rc == GTR_OK)
        rc = gtr_trace_open(path, &merge->traces[merge->n_ranks], err);
    merge->n_ranks += rc == GTR_OK;
    return rc;
}

/* All ranks of a folder, or what else the path names. */
static enum gtr_code add_path(struct merge *merge, const char *path, struct gtr_err *err)
{
    struct gtr_segment_list list = { 0 };
    size_t i;
    int64_t rank, last = -1;
    char *folder = NULL, *name;
    bool many;
    enum gtr_code rc = gtr_segment_split(path, &folder, &rank, err);

    if (rc == GTR_OK && folder != NULL && rank < 0)
        rc = gtr_segment_list_read(folder, -1, &list, err);
    many = list.n > 0 && list.files[0].rank != list.files[list.n - 1].rank;
    if (rc == GTR_OK && !many)
        rc = add_trace(merge, path, err);
    for (i = 0; rc == GTR_OK && many && i < list.n; i++) {
        bool holds =
            list.files[i].kind == GTR_SEGMENT_WHOLE || list.files[i].kind == GTR_SEGMENT_JOURNAL;

        if (!holds || list.files[i].rank == last)
            continue;
        last = list.files[i].rank;
        rc = gtr_format(&name, path, err, "%s/rank%" PRId64, path, last);
        if (rc == GTR_OK)
            rc = add_trace(merge, name, err);
        gtr_free(name);
    }
    gtr_segment_list_free(&list);
    gtr_free(folder);
    return rc;
}

static int compare_ranks(const void *a, const void *b)
{
    int64_t x = gtr_trace_head(*(struct gtr_trace *const *)a)->rank;
    int64_t y = gtr_trace_head(*(struct gtr_trace *const *)b)->rank;

    return (x > y) - (x < y);
}

/* One rank is all there is to know of gradients that were reduced over ranks. */
static void tell_missing_ranks(const struct merge *merge)
{
    const struct gtr_head *head = gtr_trace_head(merge->traces[0]);

    if ((int64_t)merge->n_ranks == head->world_size ||
        (merge->n_ranks == 1 && strcmp(head->reduction, "none") != 0 &&
         merge->options->join == GTR_JOIN_NONE))
        return;
    if (merge->n_ranks == 1)
        gtr_say(merge->remarks, gtr_trace_path(merge->traces[0]), false,
                "the run had %" PRId64 " ranks, and this is one of them", head->world_size);
    else
        gtr_say(merge->remarks, gtr_trace_path(merge->traces[0]), false,
                "the run had %" PRId64 " ranks, and these are %zu", head->world_size,
                merge->n_ranks);
}

static enum gtr_code check_ranks(struct merge *merge, struct gtr_err *err)
{
    size_t r;

    qsort(merge->traces, merge->n_ranks, sizeof *merge->traces, compare_ranks);
    if (merge->options->join == GTR_JOIN_NONE && merge->n_ranks > 1)
        return gtr_fail(err, GTR_EUSAGE,
                        "%zu ranks: how they are joined must be said: --ranks sum (shards), same "
                        "(replicas) or mean",
                        merge->n_ranks);
    merge->param_norms = true;
    for (r = 0; r < merge->n_ranks; r++) {
        int64_t rank = gtr_trace_head(merge->traces[r])->rank;

        if (r > 0 && rank == gtr_trace_head(merge->traces[r - 1])->rank)
            return gtr_fail(err, GTR_EFORMAT, "%s: is rank %" PRId64 ", and so is %s",
                            gtr_trace_path(merge->traces[r]), rank,
                            gtr_trace_path(merge->traces[r - 1]));
        merge->param_norms = merge->param_norms && gtr_trace_has(merge->traces[r], GTR_PARAM_SUMSQ);
    }
    tell_missing_ranks(merge);
    return GTR_OK;
}

/* --- one row; merge.h says what a row of the whole run is ------------------------------------- */

/* Room for one row of each rank, and for the joined one. */
static enum gtr_code make_rows(struct merge *merge, struct gtr_err *err)
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

/* Not a number wins: what a rank does not know, nobody knows. */
static float larger(float a, float b)
{
    return isnan(a) || a >= b ? a : b;
}

static bool ranks_differ(const struct merge *merge, size_t i)
{
    const size_t *of = &merge->matched.of[i * merge->n_ranks];
    size_t r;

    for (r = 0; r < merge->n_ranks; r++)
        if (of[r] == SIZE_MAX || merge->rows[r].sumsq[of[r]] != merge->rows[0].sumsq[of[0]])
            return true;
    return false;
}

static void join_tensor(struct merge *merge, size_t i)
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
static enum gtr_code take_same(struct merge *merge, size_t i, int64_t step, struct gtr_err *err)
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

/* Reads the row of each rank at merge->at and joins them. */
static enum gtr_code join_row(struct merge *merge, struct gtr_step *step, struct gtr_err *err)
{
    bool one = merge->n_ranks == 1 || merge->options->join == GTR_JOIN_SAME;
    enum gtr_code rc = GTR_OK;
    size_t i, r;

    for (r = 0; rc == GTR_OK && r < merge->n_ranks; r++)
        rc = gtr_trace_read_all(merge->traces[r], merge->at[r], 1, &merge->rows[r], err);
    *step = gtr_trace_steps(merge->traces[0])[merge->at[0]];
    for (r = 1; r < merge->n_ranks; r++) {
        const struct gtr_step *other = &gtr_trace_steps(merge->traces[r])[merge->at[r]];

        step->skipped = step->skipped || other->skipped;
        step->rest += one ? 0.0 : other->rest;
    }
    if (merge->options->join == GTR_JOIN_MEAN)
        step->rest /= (double)merge->n_ranks;
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

/* --- all rows --------------------------------------------------------------------------------- */

static void leave_out(struct merge *merge, size_t rank)
{
    struct left_out *left_out = &merge->left_out[rank];

    if (left_out->n < SHOWN)
        left_out->steps[left_out->n] = gtr_trace_steps(merge->traces[rank])[merge->at[rank]].index;
    left_out->n++;
    merge->at[rank]++;
}

/* Moves all ranks to the next step that each has; false at the end of one. */
static bool next_step(struct merge *merge)
{
    size_t r = 0, n_equal = 0;
    int64_t wanted = INT64_MIN;

    while (n_equal < merge->n_ranks) {
        const struct gtr_step *steps = gtr_trace_steps(merge->traces[r]);
        size_t n = gtr_trace_n_steps(merge->traces[r]);

        while (merge->at[r] < n && steps[merge->at[r]].index < wanted)
            leave_out(merge, r);
        if (merge->at[r] == n)
            return false;
        n_equal = steps[merge->at[r]].index == wanted ? n_equal + 1 : 1;
        wanted = steps[merge->at[r]].index;
        r = (r + 1) % merge->n_ranks;
    }
    return true;
}

static void tell_left_out(struct merge *merge)
{
    size_t r, i;

    for (r = 0; r < merge->n_ranks; r++) {
        const struct left_out *left_out = &merge->left_out[r];
        char text[SHOWN * 24] = "";

        for (i = 0; i < left_out->n && i < SHOWN; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%" PRId64,
                     i > 0 ? ", " : "", left_out->steps[i]);
        if (left_out->n > 0)
            gtr_say(merge->remarks, gtr_trace_path(merge->traces[r]), false,
                    "%zu of its steps are left out, which not all ranks have: %s%s", left_out->n,
                    text, left_out->n > SHOWN ? ", ..." : "");
        merge->found->n_left_out += left_out->n;
    }
}

/* The capture of the first rank's row, if it has one; *next moves on. */
static enum gtr_code copy_elements(struct merge *merge, size_t *next, struct gtr_err *err)
{
    struct gtr_trace *trace = merge->traces[0];
    const int64_t *rows = gtr_trace_capture_rows(trace);
    size_t n = gtr_trace_n_captures(trace);
    enum gtr_code rc;

    while (*next < n && rows[*next] < (int64_t)merge->at[0])
        ++*next;
    if (!merge->has_elements || *next == n || rows[*next] != (int64_t)merge->at[0])
        return GTR_OK;
    rc = gtr_trace_check_capture(trace, *next, err);
    if (rc == GTR_OK)
        rc = gtr_copy_capture(trace, *next, merge->writer, err);
    merge->found->n_captures += rc == GTR_OK;
    return rc;
}

static enum gtr_code copy_all(struct merge *merge, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t next = 0, r;
    struct gtr_step step;

    while (rc == GTR_OK && next_step(merge)) {
        rc = join_row(merge, &step, err);
        if (rc == GTR_OK)
            rc = copy_elements(merge, &next, err);
        if (rc == GTR_OK)
            rc = gtr_writer_append(merge->writer, &step, merge->joined.sumsq, merge->joined.maxabs,
                                   merge->joined.nonfinite, merge->joined.param_sumsq, err);
        merge->found->n_rows += rc == GTR_OK;
        for (r = 0; r < merge->n_ranks; r++)
            merge->at[r]++;
    }
    for (r = 0; r < merge->n_ranks; r++)
        while (merge->at[r] < gtr_trace_n_steps(merge->traces[r]))
            leave_out(merge, r);
    if (rc == GTR_OK)
        tell_left_out(merge);
    if (rc == GTR_OK && merge->options->join == GTR_JOIN_SUM && merge->n_ranks > 1 &&
        merge->found->n_rows > 0 && !merge->differ)
        gtr_say(merge->remarks, gtr_trace_path(merge->traces[0]), false,
                "all ranks have the very same norms; are these replicas?  --ranks same takes one");
    return rc;
}

static enum gtr_code open_writer(struct merge *merge, const char *output, struct gtr_err *err)
{
    struct gtr_writer_options options = { .size = sizeof options,
                                          .force = merge->options->force,
                                          .whole = true,
                                          .param_norms = merge->param_norms,
                                          .checksums = true };
    bool one = merge->n_ranks == 1 || merge->options->join == GTR_JOIN_SAME;
    enum gtr_code rc = GTR_OK;
    size_t r;

    if (one) {
        rc = gtr_copy_sampling(merge->traces[0], &options, err);
        merge->n_dropped = gtr_trace_n_dropped(merge->traces[0]);
        options.dropped_captures = &merge->n_dropped;
    }
    merge->has_elements = options.elements;
    for (r = 0; r < merge->n_ranks; r++)
        if (gtr_trace_n_captures(merge->traces[r]) > 0 && !options.elements) {
            gtr_say(merge->remarks, gtr_trace_path(merge->traces[r]), false,
                    "its elements are left out");
            break;
        }
    return rc == GTR_OK
               ? gtr_writer_open(output, &merge->matched.head, &options, &merge->writer, err)
               : rc;
}

static void merge_end(struct merge *merge)
{
    size_t r;

    gtr_writer_abandon(merge->writer);
    for (r = 0; merge->rows != NULL && r < merge->n_ranks; r++)
        gtr_rows_free(&merge->rows[r]);
    gtr_rows_free(&merge->joined);
    gtr_free(merge->rows);
    for (r = 0; r < merge->n_ranks; r++)
        gtr_trace_close(merge->traces[r]);
    gtr_matched_free(&merge->matched);
    gtr_free(merge->traces);
    gtr_free(merge->at);
    gtr_free(merge->left_out);
}

enum gtr_code gtr_trace_merge(const char *const *paths, size_t n_paths, const char *output,
                              const struct gtr_merge_options *options,
                              const struct gtr_remarks *remarks, struct gtr_merged *merged,
                              struct gtr_err *err)
{
    struct merge merge = { .options = options, .remarks = remarks, .found = merged };
    enum gtr_code rc = GTR_OK;
    size_t i;

    *merged = (struct gtr_merged){ 0 };
    for (i = 0; rc == GTR_OK && i < n_paths; i++) {
        if (gtr_merge_same_place(paths[i], output))
            rc = gtr_fail(err, GTR_EUSAGE, "%s: is also to be read; name another output", output);
        else
            rc = add_path(&merge, paths[i], err);
    }
    if (rc == GTR_OK)
        rc = check_ranks(&merge, err);
    if (rc == GTR_OK)
        rc = gtr_match_tensors(merge.traces, merge.n_ranks, options->join, &merge.matched, err);
    if (rc == GTR_OK)
        rc = make_rows(&merge, err);
    if (rc == GTR_OK)
        rc = open_writer(&merge, output, err);
    if (rc == GTR_OK)
        rc = copy_all(&merge, err);
    if (rc == GTR_OK) {
        rc = gtr_writer_close(merge.writer, err);
        merge.writer = NULL;
    }
    merged->n_ranks = merge.n_ranks;
    merge_end(&merge);
    return rc;
}
