/* update_cuda.cu - the engine of update replay that is a GPU: memory, and the order of its work.
 *
 * Rows of a call come in slices, whose copies and kernels take turns in two buffers:
 *
 *     copying      slice 0 | slice 1 | slice 2 ...
 *     computing              walk 0, gather 0 | walk 1, gather 1 ...
 *
 * An answer stays on the device until the call's last row is done: it is small.
 */
#include <cuda_runtime.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "cuda.h"
#include "update_cuda.h"

enum {
    BLOCK = 1024,
    SLICE_BYTES = 64 << 20,
    /* States are read and written once in a slice: in 8 rows that costs less than their kernels,
     * after 64 it does not show. */
    SLICE_ROWS_MIN = 8,
    SLICE_ROWS_MAX = 64,
    SLICES = 4 /* of a call, if it has rows enough: so that copies and kernels overlap */
};

/* Device memory, by what it holds. */
enum memory {
    SCALE,
    SKIP,
    STEPS,
    PIECES,
    PIECE_OF,
    STATES,
    ROWS_EVEN,
    ROWS_ODD,
    LEADS,
    N_LEADS,
    PLACE,
    BLOCK_SUMS,
    SUMS,
    PLAIN,
    MOMENTS,
    PLAIN_SQUARES,
    MEMORY_COUNT
};

struct cuda_engine {
    struct gtr_update_engine engine; /* first: what others see */
    const struct gtr_update_pass *pass;
    int number;
    cudaStream_t copying, computing;
    cudaEvent_t copied[2], computed[2];
    void *memory[MEMORY_COUNT];
    size_t bytes[MEMORY_COUNT];
    struct gtr_update_leads leads;
    struct gtr_update_device device; /* of the slice that was started last */
    size_t slice_rows;               /* at most */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* At least `bytes`; what was in there is lost if that is more than before. */
static enum gtr_code make_room(struct cuda_engine *e, enum memory what, size_t bytes,
                               struct gtr_err *err)
{
    cudaError_t error;

    if (bytes <= e->bytes[what] && e->memory[what] != NULL)
        return GTR_OK;
    cudaFree(e->memory[what]);
    e->memory[what] = NULL;
    e->bytes[what] = 0;
    error = cudaMalloc(&e->memory[what], bytes > 0 ? bytes : 1);
    if (error != cudaSuccess) {
        e->memory[what] = NULL;
        cudaGetLastError();
        return gtr_fail(err, GTR_EDEVICE,
                        "cuda:%d: no %zu bytes for update replay: %s; let it use less memory",
                        e->number, bytes, cudaGetErrorString(error));
    }
    e->bytes[what] = bytes;
    return GTR_OK;
}

/* Room, filled from the host after all kernels so far. */
static enum gtr_code put(struct cuda_engine *e, enum memory what, const void *from, size_t bytes,
                         struct gtr_err *err)
{
    enum gtr_code rc = make_room(e, what, bytes, err);

    if (rc != GTR_OK)
        goto out;
    CUDA_TRY(cudaMemcpyAsync(e->memory[what], from, bytes, cudaMemcpyHostToDevice, e->computing));
out:
    return rc;
}

static enum gtr_code put_pass(struct cuda_engine *e, struct gtr_err *err)
{
    const struct gtr_update_pass *pass = e->pass;
    size_t scales = pass->n_rows * pass->n_groups * pass->n_policies;
    enum gtr_code rc = put(e, SCALE, pass->scale, scales * sizeof *pass->scale, err);

    if (rc == GTR_OK)
        rc = put(e, SKIP, pass->skip, pass->n_rows * sizeof *pass->skip, err);
    if (rc == GTR_OK)
        rc = put(e, STEPS, pass->steps, pass->n_rows * sizeof *pass->steps, err);
    return rc;
}

static enum gtr_code put_pieces(struct cuda_engine *e, const struct gtr_update_batch *batch,
                                struct gtr_err *err)
{
    size_t n_blocks = batch->n_elements / BLOCK, i, k;
    uint32_t *piece_of = NULL;
    enum gtr_code rc = gtr_alloc_for(&piece_of, n_blocks, sizeof *piece_of, "blocks", err);

    if (rc != GTR_OK)
        goto out;
    for (i = 0; i < batch->n_pieces; i++)
        for (k = 0; k < (batch->pieces[i].n + BLOCK - 1) / BLOCK; k++)
            piece_of[batch->pieces[i].position / BLOCK + k] = (uint32_t)i;
    rc = put(e, PIECE_OF, piece_of, n_blocks * sizeof *piece_of, err);
    if (rc == GTR_OK)
        rc = put(e, PIECES, batch->pieces, batch->n_pieces * sizeof *batch->pieces, err);
    CUDA_TRY(cudaStreamSynchronize(e->computing));
out:
    gtr_free(piece_of);
    return rc;
}

static enum gtr_code put_leads(struct cuda_engine *e, struct gtr_err *err)
{
    const struct gtr_update_leads *leads = &e->leads;
    size_t n = leads->n_groups * leads->n_policies;
    enum gtr_code rc = put(e, LEADS, leads->leads, n * sizeof *leads->leads, err);

    if (rc == GTR_OK)
        rc = put(e, N_LEADS, leads->n_leads, leads->n_groups * sizeof *leads->n_leads, err);
    if (rc == GTR_OK)
        rc = put(e, PLACE, leads->place, n * sizeof *leads->place, err);
    return rc;
}

/* Rows of a slice, from what a row needs: its elements, twice, and the sums of its blocks. */
static size_t rows_of_slice(const struct gtr_update_pass *pass,
                            const struct gtr_update_batch *batch)
{
    size_t sums = batch->n_elements / BLOCK * (3 * pass->n_policies + 1) * sizeof(double);
    size_t rows = SLICE_BYTES / (batch->row_bytes + sums + 1);

    return larger(smaller(rows, SLICE_ROWS_MAX), SLICE_ROWS_MIN);
}

static enum gtr_code engine_begin(struct gtr_update_engine *engine,
                                  const struct gtr_update_batch *batch, struct gtr_err *err)
{
    struct cuda_engine *e = (struct cuda_engine *)engine;
    const struct gtr_update_pass *pass = e->pass;
    size_t states = (pass->n_policies + 1) * 2 * batch->n_elements * sizeof(float);
    size_t rows = rows_of_slice(pass, batch);
    size_t sums = rows * (batch->n_elements / BLOCK) * (3 * pass->n_policies + 1);
    enum gtr_code rc = GTR_OK;

    CUDA_TRY(cudaSetDevice(e->number));
    e->slice_rows = rows;
    e->device.n_pieces = batch->n_pieces;
    e->device.n_blocks = batch->n_elements / BLOCK;
    e->device.row_bytes = batch->row_bytes;
    e->device.n_rows = 0;
    rc = make_room(e, STATES, states, err);
    if (rc == GTR_OK)
        rc = make_room(e, ROWS_EVEN, rows * batch->row_bytes, err);
    if (rc == GTR_OK)
        rc = make_room(e, ROWS_ODD, rows * batch->row_bytes, err);
    if (rc == GTR_OK)
        rc = make_room(e, BLOCK_SUMS, sums * sizeof(double), err);
    if (rc == GTR_OK)
        rc = put_pieces(e, batch, err);
    if (rc != GTR_OK)
        goto out;
    gtr_update_leads_begin(&e->leads);
    rc = put_leads(e, err);
    if (rc != GTR_OK)
        goto out;
    CUDA_TRY(cudaMemsetAsync(e->memory[STATES], 0, states, e->computing));
    CUDA_TRY(cudaStreamSynchronize(e->computing));
out:
    return rc;
}

/* A call's answer on the device, from its row `row` on. */
static struct gtr_update_answer answer_at(const struct cuda_engine *e, size_t row)
{
    size_t at = row * e->device.n_pieces, n = e->pass->n_policies;
    struct gtr_update_answer answer = { NULL, NULL, NULL, NULL };

    answer.sums = (struct gtr_update_sums *)e->memory[SUMS] + at * n;
    answer.plain = (double *)e->memory[PLAIN] + at;
    if (e->pass->moments) {
        answer.moments = (struct gtr_update_moments *)e->memory[MOMENTS] + at * n;
        answer.plain_squares = (double *)e->memory[PLAIN_SQUARES] + at;
    }
    return answer;
}

static enum gtr_code make_room_for_answer(struct cuda_engine *e, size_t n_rows, struct gtr_err *err)
{
    size_t n = n_rows * e->device.n_pieces, each = n * e->pass->n_policies;
    enum gtr_code rc = make_room(e, SUMS, each * sizeof(struct gtr_update_sums), err);

    if (rc == GTR_OK)
        rc = make_room(e, PLAIN, n * sizeof(double), err);
    if (rc == GTR_OK && e->pass->moments)
        rc = make_room(e, MOMENTS, each * sizeof(struct gtr_update_moments), err);
    if (rc == GTR_OK && e->pass->moments)
        rc = make_room(e, PLAIN_SQUARES, n * sizeof(double), err);
    return rc;
}

static enum gtr_code take_answer(struct cuda_engine *e, size_t n_rows,
                                 const struct gtr_update_answer *to, struct gtr_err *err)
{
    struct gtr_update_answer from = answer_at(e, 0);
    size_t n = n_rows * e->device.n_pieces, each = n * e->pass->n_policies;
    enum gtr_code rc = GTR_OK;

    CUDA_TRY(cudaStreamSynchronize(e->computing));
    CUDA_TRY(cudaMemcpy(to->sums, from.sums, each * sizeof *to->sums, cudaMemcpyDeviceToHost));
    CUDA_TRY(cudaMemcpy(to->plain, from.plain, n * sizeof *to->plain, cudaMemcpyDeviceToHost));
    if (!e->pass->moments)
        goto out;
    CUDA_TRY(
        cudaMemcpy(to->moments, from.moments, each * sizeof *to->moments, cudaMemcpyDeviceToHost));
    CUDA_TRY(cudaMemcpy(to->plain_squares, from.plain_squares, n * sizeof *to->plain_squares,
                        cudaMemcpyDeviceToHost));
out:
    return rc;
}

/* The kernels of a slice. */
static enum gtr_code compute(struct cuda_engine *e, struct gtr_err *err)
{
    size_t bundles = (e->leads.most + GTR_UPDATE_BUNDLE - 1) / GTR_UPDATE_BUNDLE;
    enum gtr_code rc = GTR_OK;

    for (bundles = bundles > 0 ? bundles : 1; bundles > 0; bundles--) {
        gtr_update_walk(&e->device, e->pass->optimizer, (uint32_t)bundles - 1, e->computing);
        CUDA_TRY(cudaGetLastError());
    }
    gtr_update_gather(&e->device, e->computing);
    CUDA_TRY(cudaGetLastError());
out:
    return rc;
}

/* Rows first .. first + n_rows - 1 are, or will be, in buffer `side`; they are the call's rows from
 * `at` on. */
static enum gtr_code start_slice(struct cuda_engine *e, int side, size_t first, size_t n_rows,
                                 size_t at, struct gtr_err *err)
{
    struct gtr_update_device *d = &e->device;
    enum gtr_code rc = GTR_OK;

    if (gtr_update_leads_part(e->pass, first, n_rows, &e->leads))
        rc = put_leads(e, err);
    if (rc != GTR_OK)
        goto out;
    d->n_policies = e->pass->n_policies;
    d->n_groups = e->pass->n_groups;
    d->scale = (const float *)e->memory[SCALE];
    d->skip = (const uint8_t *)e->memory[SKIP];
    d->steps = (const struct gtr_optimizer_step *)e->memory[STEPS];
    d->pieces = (const struct gtr_update_piece *)e->memory[PIECES];
    d->piece_of = (const uint32_t *)e->memory[PIECE_OF];
    d->states = (float *)e->memory[STATES];
    d->rows = (const unsigned char *)e->memory[side ? ROWS_ODD : ROWS_EVEN];
    d->first = first;
    d->n_rows = n_rows;
    d->leads = (const struct gtr_update_lead *)e->memory[LEADS];
    d->n_leads = (const uint32_t *)e->memory[N_LEADS];
    d->place = (const uint32_t *)e->memory[PLACE];
    d->width = 3 * e->leads.most + 1;
    d->sums = (double *)e->memory[BLOCK_SUMS];
    d->answer = answer_at(e, at);
    CUDA_TRY(cudaStreamWaitEvent(e->computing, e->copied[side], 0));
    rc = compute(e, err);
    if (rc != GTR_OK)
        goto out;
    CUDA_TRY(cudaEventRecord(e->computed[side], e->computing));
out:
    return rc;
}

static enum gtr_code copy_slice(struct cuda_engine *e, int side, const void *elements,
                                size_t n_rows, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    CUDA_TRY(cudaStreamWaitEvent(e->copying, e->computed[side], 0));
    CUDA_TRY(cudaMemcpyAsync(e->memory[side ? ROWS_ODD : ROWS_EVEN], elements,
                             n_rows * e->device.row_bytes, cudaMemcpyHostToDevice, e->copying));
    CUDA_TRY(cudaEventRecord(e->copied[side], e->copying));
out:
    return rc;
}

static enum gtr_code engine_run(struct gtr_update_engine *engine, const void *elements,
                                size_t first, size_t n_rows, const struct gtr_update_answer *answer,
                                struct gtr_err *err)
{
    struct cuda_engine *e = (struct cuda_engine *)engine;
    const unsigned char *rows = (const unsigned char *)elements;
    size_t slice = (n_rows + SLICES - 1) / SLICES, at;
    enum gtr_code rc = GTR_OK;
    int side = 0;

    CUDA_TRY(cudaSetDevice(e->number));
    slice = smaller(larger(slice, SLICE_ROWS_MIN), e->slice_rows);
    rc = make_room_for_answer(e, n_rows, err);
    if (rc == GTR_OK)
        rc = copy_slice(e, 0, rows, smaller(slice, n_rows), err);
    for (at = 0; rc == GTR_OK && at < n_rows; at += slice, side = !side) {
        size_t next = at + slice;

        /* before the slice's leads, which may have to wait for kernels */
        if (next < n_rows)
            rc = copy_slice(e, !side, rows + next * e->device.row_bytes,
                            smaller(slice, n_rows - next), err);
        if (rc == GTR_OK)
            rc = start_slice(e, side, first + at, smaller(slice, n_rows - at), at, err);
    }
    if (rc == GTR_OK)
        rc = take_answer(e, n_rows, answer, err);
out:
    if (rc != GTR_OK) /* nothing shall read the caller's rows any more */
        cudaDeviceSynchronize();
    return rc;
}

static void *engine_rows_new(struct gtr_update_engine *engine, size_t bytes)
{
    const struct cuda_engine *e = (const struct cuda_engine *)engine;
    void *rows = NULL;

    if (cudaSetDevice(e->number) == cudaSuccess &&
        cudaMallocHost(&rows, bytes > 0 ? bytes : 1) == cudaSuccess)
        return rows;
    cudaGetLastError();
    return NULL;
}

static void engine_rows_free(struct gtr_update_engine *engine, void *rows)
{
    (void)engine;
    if (rows != NULL)
        cudaFreeHost(rows);
}

static void engine_free(struct gtr_update_engine *engine)
{
    struct cuda_engine *e = (struct cuda_engine *)engine;
    int i;

    if (e == NULL)
        return;
    cudaSetDevice(e->number);
    for (i = 0; i < MEMORY_COUNT; i++)
        cudaFree(e->memory[i]);
    for (i = 0; i < 2; i++) {
        if (e->copied[i] != NULL)
            cudaEventDestroy(e->copied[i]);
        if (e->computed[i] != NULL)
            cudaEventDestroy(e->computed[i]);
    }
    if (e->copying != NULL)
        cudaStreamDestroy(e->copying);
    if (e->computing != NULL)
        cudaStreamDestroy(e->computing);
    gtr_update_leads_free(&e->leads);
    gtr_free(e);
    cudaGetLastError();
}

enum gtr_code gtr_update_cuda_new(const struct gtr_update_pass *pass, int number,
                                  struct gtr_update_engine **engine, struct gtr_err *err)
{
    struct cuda_engine *e = NULL;
    enum gtr_code rc;
    int i;

    *engine = NULL;
    rc = gtr_alloc_for(&e, 1, sizeof *e, "engines", err);
    if (rc != GTR_OK)
        goto out;
    e->engine.begin = engine_begin;
    e->engine.run = engine_run;
    e->engine.rows_new = engine_rows_new;
    e->engine.rows_free = engine_rows_free;
    e->engine.free = engine_free;
    e->pass = pass;
    e->number = number;
    CUDA_TRY(cudaSetDevice(number));
    CUDA_TRY(cudaStreamCreateWithFlags(&e->copying, cudaStreamNonBlocking));
    CUDA_TRY(cudaStreamCreateWithFlags(&e->computing, cudaStreamNonBlocking));
    for (i = 0; i < 2; i++) {
        CUDA_TRY(cudaEventCreateWithFlags(&e->copied[i], cudaEventDisableTiming));
        CUDA_TRY(cudaEventCreateWithFlags(&e->computed[i], cudaEventDisableTiming));
    }
    rc = gtr_update_leads_init(pass, &e->leads, err);
    if (rc == GTR_OK)
        rc = put_pass(e, err);
    if (rc != GTR_OK)
        goto out;
    CUDA_TRY(cudaStreamSynchronize(e->computing));
    *engine = &e->engine; /* handed to the caller */
    e = NULL;
out:
    engine_free((struct gtr_update_engine *)e);
    return rc;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum gtr_code gtr_update_cuda_again(struct gtr_update_engine *engine, size_t times,
                                    struct gtr_update_again *again, double *seconds,
                                    struct gtr_err *err)
{
    struct cuda_engine *e = (struct cuda_engine *)engine;
    enum gtr_code rc = GTR_OK;
    double start;
    size_t i;

    CUDA_TRY(cudaSetDevice(e->number));
    start = now();
    for (i = 0; i < times && rc == GTR_OK; i++)
        rc = compute(e, err);
    CUDA_TRY(cudaStreamSynchronize(e->computing));
    *seconds = now() - start;
    again->rows = e->device.rows;
    again->n_rows = e->device.n_rows;
    again->bytes = e->device.n_rows * e->device.row_bytes;
out:
    return rc;
}
