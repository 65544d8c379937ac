/* test_update_cuda.c - update replay on a GPU: the bits of a slow reference, and of the CPU.
 *
 * Without a GPU it is skipped; `make CUDA=emulate` runs the kernels on the CPU.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc.h"
#include "check.h"
#include "device.h"
#include "update_engine.h"
#include "update_jobs.h"

#ifdef GTR_CUDA

/* --- engines against it ----------------------------------------------------------------------- */

/* Runs the rows `each` at a time. */
static bool run(struct gtr_update_engine *engine, const struct job *job, size_t each,
                const struct result *r, struct gtr_err *err)
{
    void *rows = engine->rows_new != NULL
                     ? engine->rows_new(engine, job->n_rows * job->batch.row_bytes)
                     : job->rows;
    enum gtr_code rc = engine->begin(engine, &job->batch, err);
    size_t row;

    if (rows != job->rows)
        memcpy(rows, job->rows, job->n_rows * job->batch.row_bytes);
    for (row = 0; rc == GTR_OK && row < job->n_rows; row += each) {
        size_t n = job->n_rows - row < each ? job->n_rows - row : each, at = row * job->n_pieces;
        struct gtr_update_answer answer = r->answer;

        answer.sums += at * job->n_policies;
        answer.plain += at;
        if (job->moments) {
            answer.moments += at * job->n_policies;
            answer.plain_squares += at;
        }
        rc = engine->run(engine, (char *)rows + row * job->batch.row_bytes, row, n, &answer, err);
    }
    if (rows != job->rows)
        engine->rows_free(engine, rows);
    CHECK_TEXT(err->text, "");
    return rc == GTR_OK;
}

/* Doubles that differ, in rows that are not skipped; `width` of them for a row. */
static size_t differing(const struct job *job, const void *got, const void *wanted, size_t width)
{
    size_t n = 0, row, i;

    for (row = 0; row < job->n_rows; row++)
        for (i = row * width; !job->skip[row] && i < (row + 1) * width; i++) {
            double a = ((const double *)got)[i], b = ((const double *)wanted)[i];

            if (memcmp(&a, &b, sizeof a) != 0 && !(isnan(a) && isnan(b)) && n++ == 0)
                printf("row %zu, number %zu is %.17g, wanted %.17g\n", row, i - row * width, a, b);
        }
    return n;
}

static void check_same(const struct job *job, const struct result *got, const struct result *wanted)
{
    size_t n = job->n_pieces, each = n * job->n_policies;

    CHECK(differing(job, got->answer.sums, wanted->answer.sums, 3 * each) == 0);
    CHECK(differing(job, got->answer.plain, wanted->answer.plain, n) == 0);
    if (!job->moments)
        return;
    CHECK(differing(job, got->answer.moments, wanted->answer.moments, 7 * each) == 0);
    CHECK(differing(job, got->answer.plain_squares, wanted->answer.plain_squares, n) == 0);
}

/* All rows at once, and a few at a time. */
static void check_job(struct job *job, size_t few)
{
    struct gtr_err err = { 0 };
    struct gtr_update_engine *engine = NULL;
    struct result wanted, got, cpu;
    size_t i;

    make_job(job);
    wanted = result_new(job);
    got = result_new(job);
    cpu = result_new(job);
    for (i = 0; i < job->n_pieces; i++)
        reference_piece(job, i, &wanted);
    if (gtr_update_cuda_new(&job->pass, 0, &engine, &err) == GTR_OK) {
        if (run(engine, job, job->n_rows, &got, &err))
            check_same(job, &got, &wanted);
        if (few > 0 && run(engine, job, few, &got, &err))
            check_same(job, &got, &wanted);
        engine->free(engine);
    }
    if (gtr_update_cpu_new(&job->pass, 2, &engine, &err) == GTR_OK) {
        if (run(engine, job, job->n_rows, &cpu, &err))
            check_same(job, &cpu, &got);
        engine->free(engine);
    }
    CHECK_TEXT(err.text, "");
    result_free(&wanted);
    result_free(&got);
    result_free(&cpu);
    free_job(job);
}

/* Momentum 1/2, gradients 4 and 2, scale 1/4 and 1: b = 4, 4 without clipping, and 1, 2.5 with. */
static void two_steps_of_sgd_are_those_done_by_hand(void)
{
    static const float gradients[] = { 4.0f, 2.0f }, scales[] = { 0.25f, 1.0f };
    static const uint8_t skip[2] = { 0, 0 };
    struct gtr_update_piece piece = { .dtype = GTR_F32, .n = 1 };
    struct gtr_update_batch batch = { &piece, 1, BLOCK, sizeof(float) };
    struct gtr_optimizer optimizer;
    struct gtr_optimizer_step steps[2];
    struct gtr_update_pass pass = { GTR_SGD, 1, 1, 2, scales, skip, steps, 0 };
    struct gtr_update_sums sums[2];
    double plain[2];
    struct gtr_update_answer answer = { sums, plain, NULL, NULL };
    struct gtr_update_engine *engine = NULL;
    struct gtr_err err = { 0 };

    gtr_optimizer_init(&optimizer, GTR_SGD);
    optimizer.momentum = 0.5;
    gtr_optimizer_steps(&optimizer, 2, steps);
    CHECK(gtr_update_cuda_new(&pass, 0, &engine, &err) == GTR_OK);
    CHECK(engine->begin(engine, &batch, &err) == GTR_OK);
    CHECK(engine->run(engine, gradients, 0, 2, &answer, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    engine->free(engine);
    CHECK_BITS(plain[0], 16.0);
    CHECK_BITS(sums[0].update, 1.0);
    CHECK_BITS(sums[0].change, 9.0);
    CHECK_BITS(sums[0].along, 4.0);
    CHECK_BITS(plain[1], 16.0);
    CHECK_BITS(sums[1].update, 6.25);
    CHECK_BITS(sums[1].change, 2.25);
    CHECK_BITS(sums[1].along, 10.0);
}

static void pieces_of_any_size_and_dtype_are_summed_in_the_order_of_the_definition(void)
{
    struct job job = { GTR_ADAMW,
                       2,
                       2,
                       3,
                       10,
                       { 1, 1023, 1024, 1025, 65535, 65536, 127, 129, 40000, 1 },
                       .moments = 1,
                       .eps = 1e-8 };

    check_job(&job, 0);
}

static void every_optimizer_is_simulated(void)
{
    int id;

    for (id = 0; id < GTR_OPTIMIZER_COUNT; id++) {
        struct job job = {
            (enum gtr_optimizer_id)id, 3,          2, 9, 4, { 700, 1500, 65536, 1 }, .moments = 1,
            .flags = ALL_DIFFER,       .eps = 1e-8
        };

        check_job(&job, 4);
    }
}

static void any_number_of_policies_is_simulated(void)
{
    size_t n;

    for (n = 1; n <= 11; n++) {
        struct job job = { n % 2 ? GTR_ADAMW : GTR_SGD,
                           n,
                           3,
                           7,
                           4,
                           { 700, 1500, 100, 2048 },
                           .moments = n % 3 == 0,
                           .flags = n % 4 ? ALL_DIFFER : 0,
                           .eps = 1e-8 };

        check_job(&job, 2);
    }
}

static void policies_that_agree_for_a_while_part_with_the_right_states(void)
{
    struct job job = { GTR_ADAMW, 11, 2, 24, 3, { 300, 1100, 64 }, .moments = 1, .eps = 1e-8 };

    check_job(&job, 1);
    check_job(&job, 5);
}

static void rows_in_many_slices_are_those_in_one(void)
{
    struct job job = { GTR_SGD, 5, 2, 75, 3, { 300, 1030, 64 }, .moments = 1 };

    check_job(&job, 7);
}

static void zeros_subnormals_huge_numbers_and_nan_give_the_same_bits(void)
{
    struct job job = {
        GTR_ADAMW,         6,          2, 12, 4, { 3000, 3000, 3000, 3000 }, .moments = 1,
        .flags = SPECIALS, .eps = 1e-8
    };
    int id;

    for (id = 0; id < GTR_OPTIMIZER_COUNT; id++) {
        job.optimizer = (enum gtr_optimizer_id)id;
        check_job(&job, 4);
    }
}

/* 0 / 0 past the end of a tensor is no part of it. */
static void elements_past_the_end_count_as_zero_without_eps_too(void)
{
    struct job job = { GTR_ADAMW, 3, 1, 4, 3, { 5, 1027, 200 }, .flags = ALL_DIFFER, .eps = 0.0 };

    check_job(&job, 0);
}

static void a_batch_starts_from_zero_after_another(void)
{
    struct job first = { GTR_ADAMW, 5, 2, 9, 3, { 300, 1100, 64 }, .moments = 1, .eps = 1e-8 };
    struct job then = {
        GTR_ADAMW, 5, 2, 9, 5, { 30, 2100, 900, 1, 5000 }, .moments = 1, .eps = 1e-8
    };
    struct gtr_update_engine *engine = NULL;
    struct gtr_err err = { 0 };
    struct result wanted, got;
    size_t i;

    make_job(&then);
    make_job(&first); /* the same scales: they do not depend on the pieces' sizes */
    memcpy(then.scale, first.scale, 9 * 2 * 5 * sizeof(float));
    wanted = result_new(&then);
    got = result_new(&then);
    for (i = 0; i < then.n_pieces; i++)
        reference_piece(&then, i, &wanted);
    CHECK(gtr_update_cuda_new(&then.pass, 0, &engine, &err) == GTR_OK);
    run(engine, &first, 9, &got, &err);
    if (run(engine, &then, 9, &got, &err))
        check_same(&then, &got, &wanted);
    engine->free(engine);
    result_free(&wanted);
    result_free(&got);
    free_job(&first);
    free_job(&then);
}

static void a_gpu_that_is_not_there_is_an_error(void)
{
    struct job job = { GTR_SGD, 1, 1, 1, 1, { 1 }, .eps = 1e-8 };
    struct gtr_update_engine *engine = NULL;
    struct gtr_err err = { 0 };

    make_job(&job);
    CHECK(gtr_update_cuda_new(&job.pass, 99, &engine, &err) == GTR_EDEVICE);
    CHECK(engine == NULL);
    CHECK_HOLDS(err.text, "cudaSetDevice");
    free_job(&job);
}

static void without_memory_nothing_is_left_behind(void)
{
    struct job job = { GTR_SGD, 2, 2, 2, 2, { 5, 6 }, .eps = 1e-8 };
    struct gtr_update_engine *engine = NULL;
    size_t n;

    make_job(&job);
    for (n = 1; n < 20; n++) {
        struct gtr_err err = { 0 };
        enum gtr_code rc;

        gtr_alloc_fail_after(n);
        rc = gtr_update_cuda_new(&job.pass, 0, &engine, &err);
        if (rc == GTR_OK)
            rc = engine->begin(engine, &job.batch, &err);
        gtr_alloc_fail_after(0);
        CHECK(rc == GTR_OK || rc == GTR_ENOMEM);
        if (engine != NULL)
            engine->free(engine);
        if (rc == GTR_OK)
            break;
    }
    CHECK(n > 5 && n < 20);
    free_job(&job);
}

#endif

int main(void)
{
    if (gtr_device_count() == 0) {
        printf("skipped: no GPU answers\n0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
#ifdef GTR_CUDA
    RUN(two_steps_of_sgd_are_those_done_by_hand);
    RUN(pieces_of_any_size_and_dtype_are_summed_in_the_order_of_the_definition);
    RUN(every_optimizer_is_simulated);
    RUN(any_number_of_policies_is_simulated);
    RUN(policies_that_agree_for_a_while_part_with_the_right_states);
    RUN(rows_in_many_slices_are_those_in_one);
    RUN(zeros_subnormals_huge_numbers_and_nan_give_the_same_bits);
    RUN(elements_past_the_end_count_as_zero_without_eps_too);
    RUN(a_batch_starts_from_zero_after_another);
    RUN(a_gpu_that_is_not_there_is_an_error);
    RUN(without_memory_nothing_is_left_behind);
#endif
    return check_report();
}
