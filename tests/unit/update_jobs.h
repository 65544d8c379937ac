/* update_jobs.h - made-up work for an engine of update replay, and a slow reference for it.
 *
 * The reference takes one policy and element after another, straight from the definition in
 * update_engine.h.
 */
#ifndef UPDATE_JOBS_H
#define UPDATE_JOBS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "alloc.h"
#include "half.h"
#include "update_engine.h"

enum { BLOCK = 1024, LANES = 128, PIECES_MAX = 16, SPECIALS = 1, ALL_DIFFER = 2 };

/* --- a job: what to simulate ------------------------------------------------------------------ */

struct job {
    enum gtr_optimizer_id optimizer;
    size_t n_policies, n_groups, n_rows, n_pieces;
    uint32_t sizes[PIECES_MAX];
    int moments, flags;
    double eps;
    /* made of it */
    struct gtr_update_piece pieces[PIECES_MAX];
    struct gtr_update_batch batch;
    struct gtr_update_pass pass;
    float *scale;
    uint8_t *skip;
    struct gtr_optimizer_step *steps;
    unsigned char *rows;
};

/* Of a call's answer. */
struct result {
    struct gtr_update_answer answer;
    size_t n; /* rows x pieces */
};

static uint64_t random_state;

static inline uint32_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32);
}

static inline float draw_float(int flags)
{
    static const float special[] = { 1e-45f, -1e-40f, 1e30f, -3e38f, 1e-25f, -0.0f, INFINITY, NAN };
    uint32_t kind = draw() % 64;

    if (kind < 8 && (flags & SPECIALS))
        return draw() % 64 ? special[kind % 6] : special[6 + kind % 2];
    if (kind < 12)
        return 0.0f;
    return ((float)(draw() % 65536) - 32768.0f) * 0x1p-15f / (float)(1u << draw() % 14);
}

static inline void put_element(enum gtr_dtype dtype, unsigned char *at, size_t i, int flags)
{
    float x = draw_float(flags);
    double wide = (double)x * (1.0 + 0x1p-30 * (double)(draw() % 64));
    uint16_t half = (uint16_t)draw();
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    if ((half & 0x7c00) == 0x7c00 && !(flags & SPECIALS))
        half &= 0x83ff;
    if (dtype == GTR_BF16)
        half = (uint16_t)(bits >> 16);
    if (dtype == GTR_F32)
        memcpy(at + 4 * i, &x, 4);
    else if (dtype == GTR_F64)
        memcpy(at + 8 * i, &wide, 8);
    else
        memcpy(at + 2 * i, &half, 2);
}

/* Policies 0, 4, ... never scale; 1 and 2 agree until row 6, and with u_none until row 3. */
static inline float draw_scale(const struct job *job, size_t row, size_t group, size_t policy)
{
    float any = (float)(1 + draw() % 64) / 64.0f;

    if (job->flags & ALL_DIFFER || policy % 4 == 3)
        return any;
    if (policy % 4 == 0 || row < 3 + group)
        return 1.0f;
    return policy % 4 == 1 || row < 6 ? 0.5f : any;
}

static inline void make_pieces(struct job *job)
{
    size_t i, offset = 0, position = 0;

    for (i = 0; i < job->n_pieces; i++) {
        struct gtr_update_piece *piece = &job->pieces[i];

        piece->tensor = i;
        piece->group = i % job->n_groups;
        piece->dtype = (enum gtr_dtype)(i % GTR_DTYPE_COUNT);
        piece->n = job->sizes[i];
        piece->offset = offset;
        piece->position = position;
        position += (piece->n + BLOCK - 1) / BLOCK * BLOCK;
        offset += (piece->n * gtr_dtype_size(piece->dtype) + 63) / 64 * 64;
    }
    job->batch.pieces = job->pieces;
    job->batch.n_pieces = job->n_pieces;
    job->batch.n_elements = position;
    job->batch.row_bytes = offset;
}

static inline void make_job(struct job *job)
{
    size_t lanes = job->n_groups * job->n_policies, row, i, k;
    struct gtr_optimizer optimizer;

    random_state = 88172645463325252u;
    make_pieces(job);
    job->scale = gtr_alloc(job->n_rows * lanes, sizeof *job->scale);
    job->skip = gtr_alloc(job->n_rows, 1);
    job->steps = gtr_alloc(job->n_rows, sizeof *job->steps);
    job->rows = gtr_alloc(job->n_rows, job->batch.row_bytes);
    gtr_optimizer_init(&optimizer, job->optimizer);
    optimizer.eps = job->eps;
    optimizer.nesterov = job->flags & SPECIALS ? 1.0 : 0.0;
    gtr_optimizer_steps(&optimizer, (int64_t)job->n_rows, job->steps);
    for (row = 0; row < job->n_rows; row++) {
        job->skip[row] = row % 5 == 4;
        for (i = 0; i < lanes; i++)
            job->scale[row * lanes + i] =
                draw_scale(job, row, i / job->n_policies, i % job->n_policies);
        for (i = 0; i < job->n_pieces; i++)
            for (k = 0; k < job->pieces[i].n; k++)
                put_element(job->pieces[i].dtype,
                            job->rows + row * job->batch.row_bytes + job->pieces[i].offset, k,
                            job->flags);
    }
    job->pass =
        (struct gtr_update_pass){ job->optimizer, job->n_policies, job->n_groups, job->n_rows,
                                  job->scale,     job->skip,       job->steps,    job->moments };
}

static inline void free_job(struct job *job)
{
    gtr_free(job->scale);
    gtr_free(job->skip);
    gtr_free(job->steps);
    gtr_free(job->rows);
}

static inline struct result result_new(const struct job *job)
{
    struct result r = { .n = job->n_rows * job->n_pieces };

    r.answer.sums = gtr_alloc(r.n * job->n_policies, sizeof *r.answer.sums);
    r.answer.plain = gtr_alloc(r.n, sizeof *r.answer.plain);
    if (job->moments) {
        r.answer.moments = gtr_alloc(r.n * job->n_policies, sizeof *r.answer.moments);
        r.answer.plain_squares = gtr_alloc(r.n, sizeof *r.answer.plain_squares);
    }
    return r;
}

static inline void result_free(struct result *r)
{
    gtr_free(r->answer.sums);
    gtr_free(r->answer.plain);
    gtr_free(r->answer.moments);
    gtr_free(r->answer.plain_squares);
}

/* --- the reference: one element after another ------------------------------------------------- */

static inline float element(enum gtr_dtype dtype, const unsigned char *at, size_t i)
{
    float x;
    double wide;
    uint16_t half;

    memcpy(&half, at + 2 * i, 2);
    if (dtype == GTR_F16)
        return gtr_from_f16(half);
    if (dtype == GTR_BF16)
        return gtr_from_bf16(half);
    if (dtype == GTR_F64) {
        memcpy(&wide, at + 8 * i, 8);
        return (float)wide;
    }
    memcpy(&x, at + 4 * i, 4);
    return x;
}

static inline float move(const struct job *job, size_t row, float g, struct gtr_moments *state)
{
    return gtr_optimizer_move(job->optimizer, &job->steps[row], g, state);
}

/* Products a[i] b[i] of a block: lanes, then halves. */
static inline double block_sum(const float *a, const float *b, size_t n)
{
    double lane[LANES] = { 0.0 };
    size_t i, half;

    for (i = 0; i < n; i++)
        lane[i % LANES] += (double)a[i] * (double)b[i];
    for (half = LANES / 2; half > 0; half /= 2)
        for (i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

static inline double tree_sum(const double *s, size_t n)
{
    return n == 1 ? s[0] : tree_sum(s, n / 2) + tree_sum(s + n / 2, n / 2);
}

/* One row of a piece from its updates u, and those without clipping. */
static inline void reduce(const float *u, const float *none, size_t n, struct gtr_update_sums *sums,
                          struct gtr_update_moments *moments)
{
    double update[GTR_PIECE_BLOCKS] = { 0 }, change[GTR_PIECE_BLOCKS] = { 0 };
    double along[GTR_PIECE_BLOCKS] = { 0 };
    struct gtr_update_moments m = { 0 };
    float d[BLOCK];
    size_t k, i;

    for (k = 0; k * BLOCK < n; k++) {
        const float *a = u + k * BLOCK, *b = none + k * BLOCK;
        size_t left = n - k * BLOCK < BLOCK ? n - k * BLOCK : BLOCK;
        struct gtr_update_sums s;

        for (i = 0; i < left; i++)
            d[i] = a[i] - b[i];
        s.update = update[k] = block_sum(a, a, left);
        s.change = change[k] = block_sum(d, d, left);
        s.along = along[k] = block_sum(a, b, left);
        gtr_update_moments_add(&m, &s, block_sum(b, b, left));
    }
    sums->update = tree_sum(update, GTR_PIECE_BLOCKS);
    sums->change = tree_sum(change, GTR_PIECE_BLOCKS);
    sums->along = tree_sum(along, GTR_PIECE_BLOCKS);
    if (moments != NULL)
        *moments = m;
}

static inline void reference_piece(const struct job *job, size_t index, const struct result *r)
{
    const struct gtr_update_piece *piece = &job->pieces[index];
    size_t n = piece->n, policy, row, i;
    struct gtr_moments *states = gtr_alloc((job->n_policies + 1) * n, sizeof *states);
    float *u = gtr_alloc(2 * n, sizeof *u), *none = u + n;

    for (row = 0; row < job->n_rows; row++) {
        const unsigned char *at = job->rows + row * job->batch.row_bytes + piece->offset;
        size_t cell = row * job->n_pieces + index;
        struct gtr_update_sums plain;
        struct gtr_update_moments squares;

        if (job->skip[row])
            continue;
        for (i = 0; i < n; i++)
            none[i] = move(job, row, element(piece->dtype, at, i), &states[i]);
        reduce(none, none, n, &plain, &squares);
        r->answer.plain[cell] = plain.update;
        if (job->moments)
            r->answer.plain_squares[cell] = squares.uu;
        for (policy = 0; policy < job->n_policies; policy++) {
            size_t lane = (row * job->n_groups + piece->group) * job->n_policies + policy;

            for (i = 0; i < n; i++)
                u[i] = move(job, row, job->scale[lane] * element(piece->dtype, at, i),
                            &states[(policy + 1) * n + i]);
            lane = cell * job->n_policies + policy;
            reduce(u, none, n, &r->answer.sums[lane],
                   job->moments ? &r->answer.moments[lane] : NULL);
        }
    }
    gtr_free(states);
    gtr_free(u);
}

#endif
