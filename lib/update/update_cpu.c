/* update_cpu.c - the engine of update_engine.h on this machine's cores.
 *
 * A block of 1024 elements goes through all rows of a call before the next one, so that its states
 * (72 KiB for 8 policies of adamw) stay in the second-level cache:
 *
 *   item of BLOCKS_A_TIME blocks -> block -> row -> policy -> element
 *
 * Each leaves the sums of its blocks; a second pass puts the blocks of a piece together, in the
 * order that holds everywhere.
 *
 * Until the first row at which a policy's scale of the group is not 1, all its bits are those of
 * u_none.  Nothing is computed for it until then, when it takes over the states of u_none.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "alloc.h"
#include "rounding.h"
#include "threads.h"
#include "tree.h"
#include "update_engine.h"
#include "update_kernels.h"

enum {
    BLOCK = GTR_UPDATE_BLOCK,
    BLOCKS_A_TIME = 4, /* 20 us of work and more for each row: threads stay balanced */
    ALIGN = 64
};

/* Blocks of a piece from `block` on. */
struct item {
    size_t piece, block;
};

struct cpu_engine {
    struct gtr_update_engine engine; /* first: what callers hold */
    const struct gtr_update_pass *pass;
    size_t n_threads;
    size_t *from; /* [G][policy] first row at which the policy is on its own */
    const struct gtr_update_batch *batch;
    bool fresh; /* no row of this batch was seen yet */
    struct item *items;
    size_t n_items, items_size;
    void *memory; /* of states, which are aligned in it */
    size_t memory_size;
    float *states; /* [blocks][1 + policies][n_states][BLOCK] */
    size_t blocks_size;
    double *blocks;         /* [blocks][rows of the call][width] */
    size_t n_states, width; /* numbers an element remembers; plain and three for each policy */
};

/* One call of run. */
struct call {
    const struct cpu_engine *cpu;
    const struct gtr_update_kernels *kernels;
    const char *elements;
    size_t first, n_rows;
    const struct gtr_update_answer *answer;
};

/* --- blocks ----------------------------------------------------------------------------------- */

/* What a block needs besides its states. */
struct space {
    _Alignas(ALIGN) float x[BLOCK];
    _Alignas(ALIGN) float none[BLOCK];
    _Alignas(ALIGN) double none_wide[BLOCK];
    _Alignas(ALIGN) uint32_t inside[BLOCK];
    double raw[BLOCK]; /* a short block of any dtype */
};

/* One block of one piece. */
struct place {
    const struct gtr_update_piece *piece;
    size_t block; /* of the piece */
    size_t n;     /* elements */
    float *states;
    double *sums; /* [rows][width] */
};

/* The block's elements as floats; those past the end are +0. */
static const float *load(const struct call *call, const struct place *place, size_t row,
                         struct space *space)
{
    enum gtr_dtype dtype = place->piece->dtype;
    size_t size = gtr_dtype_size(dtype);
    const char *at = call->elements + row * call->cpu->batch->row_bytes + place->piece->offset +
                     place->block * BLOCK * size;

    if (place->n < BLOCK) {
        memset(space->raw, 0, sizeof space->raw);
        memcpy(space->raw, at, place->n * size);
        at = (const char *)space->raw;
    }
    /* Floats at an odd address may be on their way into vectors, but not into C. */
    if (dtype == GTR_F32 && (uintptr_t)at % sizeof(float) == 0)
        return (const float *)at;
    if (dtype == GTR_F32)
        memcpy(space->x, at, sizeof space->x);
    else
        call->kernels->load[dtype](at, space->x);
    return space->x;
}

/* Rows are far apart in memory, where hardware prefetchers do not look. */
static void prefetch(const struct call *call, const struct place *place, size_t row)
{
    size_t size = gtr_dtype_size(place->piece->dtype), i;
    uintptr_t at = (uintptr_t)call->elements + row * call->cpu->batch->row_bytes +
                   place->piece->offset + place->block * BLOCK * size;

    for (i = 0; i < place->n * size; i += 64)
        __builtin_prefetch((const void *)(at + i));
}

/* A policy that was u_none's double so far. */
static void copy_sums(double plain, double *sums)
{
    sums[0] = plain;
    /* u - u is +0, but of an infinite or NaN u, which makes the plain sum so too. */
    sums[1] = isfinite(plain) ? 0.0 : (double)NAN;
    sums[2] = plain;
}

static void run_row(const struct call *call, const struct place *place, size_t row,
                    struct gtr_update_cell *cell, double *sums)
{
    const struct cpu_engine *cpu = call->cpu;
    const struct gtr_update_pass *pass = cpu->pass;
    const struct gtr_update_moves *move = &call->kernels->move[pass->optimizer];
    const size_t *from = cpu->from + place->piece->group * pass->n_policies;
    const float *scale =
        pass->scale + (row * pass->n_groups + place->piece->group) * pass->n_policies;
    size_t n = cpu->n_states * BLOCK, p;

    for (p = 0; p < pass->n_policies; p++)
        if (from[p] == row)
            memcpy(place->states + (p + 1) * n, place->states, n * sizeof(float));
    cell->step = &pass->steps[row];
    cell->scale = 1.0f;
    cell->first = place->states;
    cell->second = place->states + (cpu->n_states - 1) * BLOCK;
    cell->sums = sums;
    move->plain(cell);
    for (p = 0; p < pass->n_policies; p++) {
        cell->sums = sums + 1 + 3 * p;
        if (row < from[p]) {
            copy_sums(sums[0], cell->sums);
            continue;
        }
        cell->scale = scale[p];
        cell->first = place->states + (p + 1) * n;
        cell->second = cell->first + (cpu->n_states - 1) * BLOCK;
        move->policy(cell);
    }
}

static void run_block(const struct call *call, const struct place *place, struct space *space)
{
    const struct cpu_engine *cpu = call->cpu;
    struct gtr_update_cell cell = { .none = space->none, .none_wide = space->none_wide };
    size_t k;

    if (cpu->fresh)
        memset(place->states, 0, cpu->n_states * BLOCK * sizeof(float));
    if (place->n < BLOCK) {
        memset(space->inside, 0, sizeof space->inside);
        memset(space->inside, 0xff, place->n * sizeof *space->inside);
        cell.inside = space->inside;
    }
    for (k = 0; k < call->n_rows; k++) {
        prefetch(call, place, k + 1);
        if (cpu->pass->skip[call->first + k])
            continue;
        cell.x = load(call, place, k, space);
        run_row(call, place, call->first + k, &cell, place->sums + k * cpu->width);
    }
}

static void run_item(void *context, size_t item, size_t worker)
{
    const struct call *call = context;
    const struct cpu_engine *cpu = call->cpu;
    struct place place = { .piece = &cpu->batch->pieces[cpu->items[item].piece] };
    size_t n_blocks = (place.piece->n + BLOCK - 1) / BLOCK, first = cpu->items[item].block, i;
    struct space space;

    (void)worker;
    for (i = first; i < n_blocks && i < first + BLOCKS_A_TIME; i++) {
        size_t left = place.piece->n - i * BLOCK, at = place.piece->position / BLOCK + i;

        place.block = i;
        place.n = left < BLOCK ? left : BLOCK;
        place.states = cpu->states + at * (1 + cpu->pass->n_policies) * cpu->n_states * BLOCK;
        place.sums = cpu->blocks + at * call->n_rows * cpu->width;
        run_block(call, &place, &space);
    }
}

/* --- pieces ----------------------------------------------------------------------------------- */

static void add_moments(const struct cpu_engine *cpu, const double *sums,
                        struct gtr_update_moments *moments, double *plain_squares)
{
    size_t p;

    *plain_squares += sums[0] * sums[0];
    for (p = 0; p < cpu->pass->n_policies; p++) {
        const double *own = sums + 1 + 3 * p;
        struct gtr_update_sums block = { own[0], own[1], own[2] };

        gtr_update_moments_add(&moments[p], &block, sums[0]);
    }
}

/* The blocks of a piece at one row; `space` holds a sum and the tree's pending ones. */
static void join_row(const struct call *call, size_t piece, size_t row, double *space)
{
    const struct cpu_engine *cpu = call->cpu;
    const struct gtr_update_answer *answer = call->answer;
    const struct gtr_update_piece *of = &cpu->batch->pieces[piece];
    size_t n_policies = cpu->pass->n_policies, width = cpu->width;
    size_t at = row * cpu->batch->n_pieces + piece, n = (of->n + BLOCK - 1) / BLOCK, i, p;
    double *sum = space, *pending = space + width;

    if (cpu->pass->moments) {
        memset(answer->moments + at * n_policies, 0, n_policies * sizeof *answer->moments);
        answer->plain_squares[at] = 0.0;
    }
    for (i = 0; i < n; i++) {
        size_t block = of->position / BLOCK + i;
        const double *sums = cpu->blocks + (block * call->n_rows + row) * width;

        if (cpu->pass->moments)
            add_moments(cpu, sums, answer->moments + at * n_policies, answer->plain_squares + at);
        memcpy(sum, sums, width * sizeof *sum);
        gtr_tree_add(pending, width, i, sum);
    }
    gtr_tree_sum(pending, width, n, sum);
    answer->plain[at] = sum[0];
    for (p = 0; p < n_policies; p++)
        answer->sums[at * n_policies + p] =
            (struct gtr_update_sums){ sum[1 + 3 * p], sum[2 + 3 * p], sum[3 + 3 * p] };
}

/* --- the engine ------------------------------------------------------------------------------- */

struct joining {
    const struct call *call;
    double *space; /* [workers][levels + 1][width] */
    size_t each;
};

static void join_piece(void *context, size_t piece, size_t worker)
{
    const struct joining *joining = context;
    const struct call *call = joining->call;
    size_t k;

    for (k = 0; k < call->n_rows; k++)
        if (!call->cpu->pass->skip[call->first + k])
            join_row(call, piece, k, joining->space + worker * joining->each);
}

__attribute__((noinline)) static enum gtr_code run_all(struct call *call, struct gtr_err *err)
{
    const struct cpu_engine *cpu = call->cpu;
    struct joining joining = { .call = call };
    size_t workers = gtr_threads_count(cpu->n_threads, cpu->batch->n_pieces);
    enum gtr_code rc;

    joining.each = (gtr_tree_levels(GTR_PIECE_BLOCKS) + 1) * cpu->width;
    rc = gtr_alloc_for(&joining.space, workers * joining.each, sizeof(double), "sums", err);
    if (rc != GTR_OK)
        return rc;
    gtr_threads_run(cpu->n_threads, cpu->n_items, run_item, call);
    gtr_threads_run(workers, cpu->batch->n_pieces, join_piece, &joining);
    gtr_free(joining.space);
    return GTR_OK;
}

/* Not gtr_grow: what is there need not be kept, and memory was counted to the byte. */
static enum gtr_code make_room(void *pointer, size_t *size, size_t needed, struct gtr_err *err)
{
    void **memory = pointer;
    enum gtr_code rc;

    if (needed <= *size)
        return GTR_OK;
    gtr_free(*memory);
    *memory = NULL;
    *size = 0;
    rc = gtr_alloc_for(memory, needed, 1, "bytes for elements", err);
    if (rc == GTR_OK)
        *size = needed;
    return rc;
}

/* The fastest that this machine can run. */
static const struct gtr_update_kernels *fastest_kernels(void)
{
    static const struct gtr_update_kernels *const kernels[GTR_ISA_COUNT] = {
        [GTR_ISA_PORTABLE] = &gtr_update_portable,
#ifdef __x86_64__
        [GTR_ISA_AVX2] = &gtr_update_avx2,
        [GTR_ISA_AVX512] = &gtr_update_avx512,
#endif
    };

    return kernels[gtr_isa_find()];
}

static enum gtr_code cpu_run(struct gtr_update_engine *engine, const void *elements, size_t first,
                             size_t n_rows, const struct gtr_update_answer *answer,
                             struct gtr_err *err)
{
    struct cpu_engine *cpu = (struct cpu_engine *)engine;
    struct call call = { cpu, fastest_kernels(), elements, first, n_rows, answer };
    unsigned rounding;
    enum gtr_code rc;

    rc = make_room(&cpu->blocks, &cpu->blocks_size,
                   cpu->batch->n_elements / BLOCK * n_rows * cpu->width * sizeof(double), err);
    if (rc != GTR_OK)
        return rc;
    rounding = gtr_rounding_begin();
    rc = run_all(&call, err);
    gtr_rounding_end(rounding);
    cpu->fresh = false;
    return rc;
}

/* Items in the order of pieces. */
static enum gtr_code cut_items(struct cpu_engine *cpu, const struct gtr_update_batch *batch,
                               struct gtr_err *err)
{
    size_t needed = 0, n = 0, piece, block, blocks;
    enum gtr_code rc;

    for (piece = 0; piece < batch->n_pieces; piece++)
        needed += (batch->pieces[piece].n + BLOCKS_A_TIME * BLOCK - 1) / (BLOCKS_A_TIME * BLOCK);
    rc = make_room(&cpu->items, &cpu->items_size, needed * sizeof *cpu->items, err);
    if (rc != GTR_OK)
        return rc;
    for (piece = 0; piece < batch->n_pieces; piece++) {
        blocks = (batch->pieces[piece].n + BLOCK - 1) / BLOCK;
        for (block = 0; block < blocks; block += BLOCKS_A_TIME, n++) {
            cpu->items[n].piece = piece;
            cpu->items[n].block = block;
        }
    }
    cpu->n_items = n;
    return rc;
}

static enum gtr_code cpu_begin(struct gtr_update_engine *engine,
                               const struct gtr_update_batch *batch, struct gtr_err *err)
{
    struct cpu_engine *cpu = (struct cpu_engine *)engine;
    size_t each = (1 + cpu->pass->n_policies) * cpu->n_states * sizeof(float), size;
    enum gtr_code rc;

    if (batch->n_elements > (SIZE_MAX - ALIGN) / each)
        return gtr_fail(err, GTR_ENOMEM, "no memory for the states of %zu elements",
                        batch->n_elements);
    size = batch->n_elements * each + ALIGN;
    rc = make_room(&cpu->memory, &cpu->memory_size, size, err);
    if (rc != GTR_OK)
        return rc;
    cpu->states = (float *)(((uintptr_t)cpu->memory + ALIGN - 1) / ALIGN * ALIGN);
    cpu->batch = batch;
    cpu->fresh = true;
    return cut_items(cpu, batch, err);
}

static void cpu_free(struct gtr_update_engine *engine)
{
    struct cpu_engine *cpu = (struct cpu_engine *)engine;

    if (cpu == NULL)
        return;
    gtr_free(cpu->from);
    gtr_free(cpu->items);
    gtr_free(cpu->memory);
    gtr_free(cpu->blocks);
    gtr_free(cpu);
}

static void find_first_rows(const struct gtr_update_pass *pass, size_t *from)
{
    size_t lanes = pass->n_groups * pass->n_policies, lane, row;

    for (lane = 0; lane < lanes; lane++) {
        for (row = 0; row < pass->n_rows; row++)
            if (!pass->skip[row] && pass->scale[row * lanes + lane] != 1.0f)
                break;
        from[lane] = row;
    }
}

enum gtr_code gtr_update_cpu_new(const struct gtr_update_pass *pass, size_t n_threads,
                                 struct gtr_update_engine **engine, struct gtr_err *err)
{
    struct cpu_engine *cpu = NULL;
    enum gtr_code rc;

    *engine = NULL;
    rc = gtr_alloc_for(&cpu, 1, sizeof *cpu, "engines", err);
    if (rc != GTR_OK)
        return rc;
    cpu->engine =
        (struct gtr_update_engine){ .begin = cpu_begin, .run = cpu_run, .free = cpu_free };
    cpu->pass = pass;
    cpu->n_threads = n_threads;
    cpu->n_states = (size_t)gtr_optimizer_states(pass->optimizer);
    cpu->width = 1 + 3 * pass->n_policies;
    rc = gtr_alloc_for(&cpu->from, pass->n_groups * pass->n_policies, sizeof *cpu->from, "lanes",
                       err);
    if (rc != GTR_OK) {
        cpu_free(&cpu->engine);
        return rc;
    }
    find_first_rows(pass, cpu->from);
    *engine = &cpu->engine;
    return GTR_OK;
}
