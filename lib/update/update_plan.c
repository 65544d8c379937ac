/* update_plan.c - which tensors, cut into pieces and batches that fit into memory.
 *
 * Groups come one after another, so that sums need room for one group only.  A batch takes as many
 * pieces as memory holds; each piece counts what is kept of its elements:
 *
 *   states, two buffers of rows (one is read while the other is used), and sums of its blocks
 */
#include <string.h>

#include "alloc.h"
#include "update_kernels.h"
#include "update_parts.h"

enum {
    MEMORY = 256 << 20,
    CALL_ROWS = 32,   /* then states are loaded seldom, and rows do not crowd them out */
    CHUNK_ROWS = 128, /* files with longer chunks are read in parts of them */
    ALIGN = 64
};

static enum gtr_code no_elements(const struct gtr_trace *trace, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EUSAGE,
                    "%s: holds no gradient elements, which an optimizer needs; record them with "
                    "elements=\"full\", or a sample with elements=\"blocks:1/64\"",
                    gtr_trace_path(trace));
}

/* Adds the tensor if it has elements. */
static enum gtr_code add_tensor(struct gtr_update_plan *plan, const struct gtr_trace *trace,
                                size_t tensor, size_t group, struct gtr_err *err)
{
    const struct gtr_tensor *about = &gtr_trace_head(trace)->tensors[tensor];
    struct gtr_update_tensor *to = &plan->tensors[plan->n_tensors];
    struct gtr_captured captured;
    enum gtr_code rc = gtr_trace_captured(trace, tensor, &captured, err);

    if (rc != GTR_OK || about->numel == 0)
        return rc;
    if (captured.n == 0)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: %.100s: has no elements (/grad/%zu), while other tensors have",
                        gtr_trace_path(trace), about->name, tensor);
    *to = (struct gtr_update_tensor){ .tensor = tensor,
                                      .group = group,
                                      .dtype = about->dtype,
                                      .n = captured.n,
                                      .portion = { 1.0, 1.0, (double)about->numel,
                                                   (double)captured.n },
                                      .chunk_rows = captured.chunk_rows,
                                      .chunk_cols = captured.chunk_cols };
    if (captured.sampled) {
        struct gtr_sample sample = { captured.block, captured.fraction, captured.seed };
        uint64_t block = (uint64_t)captured.block;

        if (captured.block != GTR_UPDATE_BLOCK)
            return gtr_fail(err, GTR_EFORMAT,
                            "%s: /grad/%zu: a sample of blocks of %lld elements; can only use %d",
                            gtr_trace_path(trace), tensor, (long long)captured.block,
                            GTR_UPDATE_BLOCK);
        to->portion.blocks = (double)((about->numel - 1) / block + 1);
        to->portion.kept = (double)gtr_sample_n_blocks(&sample, about->numel);
        plan->sampled = true;
    }
    plan->elements += to->n;
    plan->n_tensors++;
    return GTR_OK;
}

/* Numbers of tensors, group by group. */
static void sort_tensors(const struct gtr_groups *groups, size_t *starts, size_t *order)
{
    size_t i, g;

    for (i = 0; i < groups->n_tensors; i++)
        starts[groups->of_tensor[i] + 1]++;
    for (g = 0; g < groups->n_groups; g++)
        starts[g + 1] += starts[g];
    for (i = 0; i < groups->n_tensors; i++)
        order[starts[groups->of_tensor[i]]++] = i;
}

static enum gtr_code add_tensors(struct gtr_update_plan *plan, const struct gtr_trace *trace,
                                 const struct gtr_groups *groups, struct gtr_err *err)
{
    size_t *starts = NULL, *order = NULL, i;
    enum gtr_code rc;

    rc = gtr_alloc_for(&starts, groups->n_groups + 1, sizeof *starts, "groups", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&order, groups->n_tensors, sizeof *order, "tensors", err);
    if (rc == GTR_OK)
        sort_tensors(groups, starts, order);
    for (i = 0; rc == GTR_OK && i < groups->n_tensors; i++)
        rc = add_tensor(plan, trace, order[i], groups->of_tensor[order[i]], err);
    for (i = 0; rc == GTR_OK && i < plan->n_tensors; i++)
        plan->tensors[i].last =
            i + 1 == plan->n_tensors || plan->tensors[i + 1].group != plan->tensors[i].group;
    gtr_free(starts);
    gtr_free(order);
    return rc;
}

static size_t whole_blocks(size_t n)
{
    return (n + GTR_UPDATE_BLOCK - 1) / GTR_UPDATE_BLOCK * GTR_UPDATE_BLOCK;
}

/* Bytes of a piece of n elements. */
static size_t piece_cost(const struct gtr_update_plan *plan, size_t n, size_t size)
{
    size_t sums = (1 + 3 * plan->n_policies) * sizeof(double), moments = 0;

    if (plan->sampled)
        moments = plan->n_policies * sizeof(struct gtr_update_moments) + sizeof(double);
    return whole_blocks(n) * (1 + plan->n_policies) * plan->n_states * sizeof(float) +
           2 * plan->call_rows * (n * size + ALIGN) +
           plan->call_rows * (whole_blocks(n) / GTR_UPDATE_BLOCK * sums + sums + moments);
}

/* Whole chunks, and as few calls as leave room for a piece. */
static void choose_rows(struct gtr_update_plan *plan)
{
    size_t chunk = 1, size = 1, i;

    for (i = 0; i < plan->n_tensors; i++) {
        size_t rows = plan->tensors[i].chunk_rows, of = gtr_dtype_size(plan->tensors[i].dtype);

        if (rows <= CHUNK_ROWS && rows > chunk)
            chunk = rows;
        if (of > size)
            size = of;
    }
    plan->call_rows = (CALL_ROWS + chunk - 1) / chunk * chunk;
    if (plan->call_rows > plan->n_rows)
        plan->call_rows = plan->n_rows;
    while (plan->call_rows > 1 && piece_cost(plan, GTR_PIECE, size) > plan->memory)
        plan->call_rows = (plan->call_rows + 1) / 2;
}

enum gtr_code gtr_update_plan_init(const struct gtr_trace *trace, const struct gtr_groups *groups,
                                   const struct gtr_update_options *options, size_t n_policies,
                                   struct gtr_update_plan *plan, struct gtr_err *err)
{
    size_t n = gtr_trace_head(trace)->n_tensors, i;
    struct gtr_captured captured = { 0 };
    enum gtr_code rc = GTR_OK;

    memset(plan, 0, sizeof *plan);
    plan->n_policies = n_policies;
    plan->n_rows = gtr_trace_n_captures(trace);
    plan->n_states = (size_t)gtr_optimizer_states(options->optimizer.id);
    plan->memory = options->memory > 0 ? options->memory : MEMORY;
    if (groups->n_tensors != n)
        return gtr_fail(err, GTR_EUSAGE, "%s: groups of %zu tensors, not of its %zu",
                        gtr_trace_path(trace), groups->n_tensors, n);
    for (i = 0; rc == GTR_OK && captured.n == 0 && i < n && plan->n_rows > 0; i++)
        rc = gtr_trace_captured(trace, i, &captured, err);
    if (rc == GTR_OK && captured.n == 0)
        return no_elements(trace, err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&plan->tensors, n, sizeof *plan->tensors, "tensors", err);
    if (rc == GTR_OK)
        rc = add_tensors(plan, trace, groups, err);
    if (rc != GTR_OK)
        gtr_update_plan_free(plan);
    else
        choose_rows(plan);
    return rc;
}

void gtr_update_plan_free(struct gtr_update_plan *plan)
{
    gtr_free(plan->tensors);
    plan->tensors = NULL;
}

/* --- batches ---------------------------------------------------------------------------------- */

/* Extends the last range, up to where a chunk ends and there is enough for a thread to read. */
static enum gtr_code add_range(struct gtr_update_slice *slice, size_t place,
                               const struct gtr_update_tensor *tensor,
                               const struct gtr_update_piece *piece, struct gtr_err *err)
{
    size_t chunk = tensor->chunk_cols > 0 ? tensor->chunk_cols : 1;
    uint64_t unit = (uint64_t)((GTR_PIECE + chunk - 1) / chunk) * chunk, done = 0;
    size_t size = gtr_dtype_size(tensor->dtype);

    while (done < piece->n) {
        uint64_t first = piece->first + done, n = unit - first % unit;
        struct gtr_update_range *last =
            slice->n_ranges > 0 ? &slice->ranges[slice->n_ranges - 1] : NULL;
        enum gtr_code rc;

        if (n > piece->n - done)
            n = piece->n - done;
        if (last != NULL && last->tensor == place && first % unit != 0 &&
            last->first + last->n == first) {
            last->n += n;
        } else {
            rc = gtr_grow(&slice->ranges, &slice->ranges_capacity, slice->n_ranges + 1,
                          sizeof *slice->ranges, err);
            if (rc != GTR_OK)
                return rc;
            slice->ranges[slice->n_ranges++] =
                (struct gtr_update_range){ place, first, n, piece->offset + (size_t)done * size };
        }
        done += n;
    }
    return GTR_OK;
}

static enum gtr_code add_piece(const struct gtr_update_plan *plan,
                               const struct gtr_update_cursor *at, size_t n,
                               struct gtr_update_slice *slice, struct gtr_err *err)
{
    const struct gtr_update_tensor *tensor = &plan->tensors[at->tensor];
    struct gtr_update_batch *batch = &slice->batch;
    struct gtr_update_piece *piece;
    enum gtr_code rc;

    rc = gtr_grow(&slice->pieces, &slice->pieces_capacity, batch->n_pieces + 1,
                  sizeof *slice->pieces, err);
    if (rc == GTR_OK)
        rc = gtr_grow(&slice->place, &slice->places_capacity, batch->n_pieces + 1,
                      sizeof *slice->place, err);
    if (rc != GTR_OK)
        return rc;
    piece = &slice->pieces[batch->n_pieces];
    slice->place[batch->n_pieces++] = at->tensor;
    *piece = (struct gtr_update_piece){ .tensor = tensor->tensor,
                                        .group = tensor->group,
                                        .dtype = tensor->dtype,
                                        .n = (uint32_t)n,
                                        .first = at->first,
                                        .offset = batch->row_bytes,
                                        .position = batch->n_elements };
    batch->n_elements += whole_blocks(n);
    batch->row_bytes += (n * gtr_dtype_size(tensor->dtype) + ALIGN - 1) / ALIGN * ALIGN;
    slice->elements += n;
    return add_range(slice, at->tensor, tensor, piece, err);
}

enum gtr_code gtr_update_plan_cut(const struct gtr_update_plan *plan,
                                  struct gtr_update_cursor *cursor, struct gtr_update_slice *slice,
                                  struct gtr_err *err)
{
    size_t used = 0;
    enum gtr_code rc = GTR_OK;

    memset(&slice->batch, 0, sizeof slice->batch);
    slice->n_ranges = 0;
    slice->elements = 0;
    while (rc == GTR_OK && cursor->tensor < plan->n_tensors) {
        const struct gtr_update_tensor *tensor = &plan->tensors[cursor->tensor];
        uint64_t left = tensor->n - cursor->first;
        size_t n = left < GTR_PIECE ? (size_t)left : GTR_PIECE;
        size_t cost = piece_cost(plan, n, gtr_dtype_size(tensor->dtype));

        if (slice->batch.n_pieces > 0 && used + cost > plan->memory)
            break;
        used += cost;
        rc = add_piece(plan, cursor, n, slice, err);
        cursor->first += n;
        if (cursor->first == tensor->n) {
            cursor->tensor++;
            cursor->first = 0;
        }
    }
    slice->batch.pieces = slice->pieces;
    return rc;
}

void gtr_update_slice_free(struct gtr_update_slice *slice)
{
    gtr_free(slice->pieces);
    gtr_free(slice->place);
    gtr_free(slice->ranges);
}
