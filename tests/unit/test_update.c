/* test_update.c - update replay against the slow way, bit for bit. */
#define _XOPEN_SOURCE 700
#include "alloc.h"
#include "isa.h"
#include "update_parts.h"
#include "updating.h"

/* Tensors of awkward sizes in three groups, the last group's first; one has no elements. */
static void make_run(struct u_run *run, size_t n_policies)
{
    static const uint64_t numel[U_TENSORS] = { 1, 200001, 1023, 65541, 0, 1025, 4096 };
    static const enum gtr_dtype dtype[U_TENSORS] = { GTR_F32, GTR_F32, GTR_BF16, GTR_F16,
                                                     GTR_F32, GTR_F64, GTR_F32 };
    static const size_t of_tensor[U_TENSORS] = { 2, 0, 1, 0, 1, 2, 1 };
    size_t p, g, t;

    memset(run, 0, sizeof *run);
    u_state = 7;
    run->n_tensors = U_TENSORS;
    run->n_steps = U_STEPS;
    run->n_policies = n_policies;
    memcpy(run->numel, numel, sizeof numel);
    memcpy(run->dtype, dtype, sizeof dtype);
    memcpy(run->of_tensor, of_tensor, sizeof of_tensor);
    for (t = 0; t < U_STEPS; t++)
        run->captured[t] = true;
    u_fill(run);
    for (p = 0; p < n_policies; p++)
        for (g = 0; g < U_GROUPS; g++)
            for (t = 0; t < U_STEPS; t++) {
                /* of the second policy, and of some groups, all are 1 to the end or for a while */
                bool one = p == 1 || (p % 3 == 2 && g == 1) || (p % 4 == 3 && t < 3 + g);

                run->scale[p][g][t] = one ? 1.0 : (double)(u_random() % 1000 + 1) / 1000.0;
            }
}

static void skip_some(struct u_run *run)
{
    size_t p, g;

    run->skipped[0] = true;
    run->nonfinite[4] = 1;
    run->captured[6] = false;
    for (p = 0; p < run->n_policies; p++)
        for (g = 0; g < U_GROUPS; g++)
            run->scale[p][g][4] = NAN;
}

static struct gtr_optimizer optimizer(const char *text)
{
    struct gtr_optimizer o = { 0 };

    CHECK(gtr_optimizer_parse(text, &o, NULL) == GTR_OK);
    return o;
}

/* Runs under each of these and compares. */
static void check_all_ways(const struct u_run *run, const char *text, bool thoroughly)
{
    static const size_t memory[] = { 0, 1, 5 << 20, 40 << 20 };
    struct gtr_optimizer o = optimizer(text);
    struct u_wanted *wanted = malloc(sizeof *wanted);
    const char *path = scratch_path("update.h5");
    size_t i, threads;
    int isa;

    u_slow(run, &o, wanted);
    u_write(run, path);
    for (isa = 0; isa < GTR_ISA_COUNT; isa++) {
        if (!gtr_isa_here((enum gtr_isa)isa))
            continue;
        gtr_isa_force((enum gtr_isa)isa);
        for (i = 0; i < sizeof memory / sizeof *memory; i++)
            for (threads = 1; threads <= 3; threads += 2) {
                struct gtr_update_options options = { .optimizer = o,
                                                      .n_threads = threads,
                                                      .memory = memory[i],
                                                      .device = { GTR_DEVICE_CPU, -1 } };
                struct gtr_update *update = NULL;
                struct gtr_err err = { 0 };

                if (!thoroughly && (i > 0 || threads == 1))
                    continue;
                CHECK(u_run_update(run, path, &options, &update, &err) == GTR_OK);
                CHECK_TEXT(err.text, "");
                if (update != NULL)
                    u_compare(run, update, wanted);
                gtr_update_free(update);
            }
    }
    gtr_isa_force(GTR_ISA_COUNT);
    free(wanted);
}

static void adamw_is_the_slow_way_to_the_bit(void)
{
    struct u_run run;

    make_run(&run, 8);
    check_all_ways(&run, "adamw:beta2=0.99", true);
    u_free(&run);
}

static void any_number_of_policies_will_do(void)
{
    static const size_t n[] = { 1, 3, 11 };
    struct u_run run;
    size_t i;

    for (i = 0; i < sizeof n / sizeof *n; i++) {
        make_run(&run, n[i]);
        check_all_ways(&run, "adamw", false);
        u_free(&run);
    }
}

static void lion_rmsprop_and_nadam_are_the_slow_way_to_the_bit(void)
{
    struct u_run run;

    make_run(&run, 3);
    check_all_ways(&run, "lion", false);
    check_all_ways(&run, "rmsprop", false);
    check_all_ways(&run, "rmsprop:alpha=0.9,momentum=0.5", false);
    check_all_ways(&run, "nadam", false);
    check_all_ways(&run, "nadam:beta1=0.5,momentum_decay=0.5", false);
    u_free(&run);
}

static void sgd_is_the_slow_way_to_the_bit(void)
{
    struct u_run run;

    make_run(&run, 3);
    check_all_ways(&run, "sgd", false);
    check_all_ways(&run, "sgd:momentum=0.5,nesterov=1", false);
    check_all_ways(&run, "sgd:momentum=0", false);
    u_free(&run);
}

static void skipped_and_missing_rows_leave_states_alone(void)
{
    struct u_run run;

    make_run(&run, 3);
    skip_some(&run);
    check_all_ways(&run, "adamw", true);
    u_free(&run);
}

/* A NaN or infinite scale makes NaNs of the elements, not of what is past the end of a tensor; and
 * an infinite gradient makes them of u_none too. */
static void what_is_not_finite_stays_within_its_group(void)
{
    struct u_run run;
    float huge = INFINITY;
    size_t g;

    make_run(&run, 3);
    for (g = 0; g < 2; g++)
        run.scale[2][g][5] = g == 0 ? INFINITY : NAN;
    memcpy(run.elements[7][6] + 400, &huge, sizeof huge);
    check_all_ways(&run, "adamw", false);
    u_free(&run);
}

/* Infinite updates of all elements have an infinite sum: 0 times infinity, past the end, is not
 * among them. */
static void what_is_past_the_end_does_not_count(void)
{
    struct u_run run;
    float x = 0.5f;
    size_t t, i;

    make_run(&run, 3);
    for (i = 0; i < U_TENSORS; i++)
        run.of_tensor[i] = i == 0 ? 2 : 0;
    for (t = 0; t < U_STEPS; t++)
        memcpy(run.elements[t][0], &x, sizeof x);
    run.scale[0][2][3] = INFINITY;
    check_all_ways(&run, "sgd", false);
    u_free(&run);
}

/* Chunks of 50,000 columns do not fit pieces: two of them are read in one go, and none twice. */
static void ranges_end_where_chunks_do(void)
{
    struct gtr_update_tensor tensor = { .dtype = GTR_F16, .n = 200001, .chunk_cols = 50000 };
    struct gtr_update_plan plan = { .tensors = &tensor,
                                    .n_tensors = 1,
                                    .n_policies = 1,
                                    .n_rows = 4,
                                    .n_states = 2,
                                    .call_rows = 4 };
    struct gtr_update_cursor cursor = { 0 };
    struct gtr_update_slice slice = { 0 };
    uint64_t at = 0;
    size_t i, n_slices = 0;

    for (plan.memory = 1; plan.memory <= 64 << 20; plan.memory *= 1 << 25) {
        at = cursor.tensor = 0;
        for (n_slices = 0;; n_slices++) {
            uint64_t start = at;

            CHECK(gtr_update_plan_cut(&plan, &cursor, &slice, NULL) == GTR_OK);
            for (i = 0; i < slice.n_ranges; i++) {
                const struct gtr_update_range *range = &slice.ranges[i];

                CHECK(range->first == at && range->offset == 2 * (at - start));
                CHECK(range->first / 100000 == (range->first + range->n - 1) / 100000);
                at += range->n;
            }
            if (slice.batch.n_pieces == 0)
                break;
        }
        CHECK(at == 200001);
        CHECK(n_slices == (plan.memory == 1 ? 4 : 1));
    }
    gtr_update_slice_free(&slice);
}

static void options_default(struct gtr_update_options *options)
{
    *options = (struct gtr_update_options){ .optimizer = optimizer("adamw"),
                                            .device = { GTR_DEVICE_CPU, -1 } };
}

static void what_was_simulated_is_told(void)
{
    struct gtr_update_options options;
    struct gtr_update *update = NULL;
    const char *path = scratch_path("told.h5");
    struct u_run run;
    size_t t;

    options_default(&options);
    make_run(&run, 3);
    u_write(&run, path);
    CHECK(u_run_update(&run, path, &options, &update, NULL) == GTR_OK);
    CHECK(update->complete == 1 && update->n_rows == U_STEPS && update->errors == NULL);
    CHECK(update->elements == 271687 && update->captured == 271687);
    CHECK(update->n_policies == 3 && update->n_groups == U_GROUPS);
    gtr_update_free(update);
    skip_some(&run);
    u_write(&run, path);
    CHECK(u_run_update(&run, path, &options, &update, NULL) == GTR_OK);
    CHECK(update->complete == 0 && update->n_rows == U_STEPS - 1);
    for (t = 0; t < U_STEPS - 1; t++)
        CHECK(update->row[t] == (int64_t)(t < 6 ? t : t + 1));
    gtr_update_free(update);
    u_free(&run);
}

struct watch {
    double last, total;
    int calls, stop_at;
};

static int watch(void *context, double done, double total)
{
    struct watch *seen = context;

    CHECK(done > seen->last);
    seen->last = done;
    seen->total = total;
    return ++seen->calls == seen->stop_at;
}

static void progress_reaches_its_end_and_may_stop(void)
{
    struct gtr_update_options options;
    struct gtr_update *update = NULL;
    const char *path = scratch_path("progress.h5");
    struct watch seen = { 0 };
    struct gtr_err err = { 0 };
    struct u_run run;

    options_default(&options);
    options.progress = watch;
    options.context = &seen;
    options.memory = 1;
    make_run(&run, 1);
    u_write(&run, path);
    CHECK(u_run_update(&run, path, &options, &update, NULL) == GTR_OK);
    CHECK(seen.last == seen.total && seen.total == 271687.0 * U_STEPS && seen.calls > 9);
    gtr_update_free(update);
    seen = (struct watch){ .stop_at = 2 };
    CHECK(u_run_update(&run, path, &options, &update, &err) == GTR_EUSAGE);
    CHECK_TEXT(err.text, "stopped");
    CHECK(update == NULL && seen.calls == 2);
    u_free(&run);
}

static void errors_say_what_is_wrong(void)
{
    struct gtr_update_options options;
    struct gtr_update *update = NULL;
    const char *path = scratch_path("empty.h5");
    struct gtr_err err = { 0 };
    struct u_run run;
    size_t t;

    options_default(&options);
    make_run(&run, 1);
    u_write(&run, path);
    options.optimizer.eps = 0.0;
    CHECK(u_run_update(&run, path, &options, &update, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "adamw: eps=0: must be from 1e-37");
    for (t = 0; t < U_STEPS; t++)
        run.captured[t] = false;
    options_default(&options);
    err = (struct gtr_err){ 0 };
    u_write(&run, path);
    CHECK(u_run_update(&run, path, &options, &update, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "empty.h5: holds no gradient elements");
    CHECK_HOLDS(err.text, "elements=\"full\"");
    u_free(&run);
}

/* Whatever allocation fails, it is told and nothing leaks. */
static void running_out_of_memory_is_an_error(void)
{
    struct gtr_update_options options;
    const char *path = scratch_path("memory.h5");
    struct u_run run;
    size_t n;

    options_default(&options);
    options.n_threads = 1;
    make_run(&run, 1);
    run.n_tensors = 3;
    run.numel[1] = 70000;
    u_write(&run, path);
    for (n = 1; n < 400; n++) {
        struct gtr_update *update = NULL;
        struct gtr_err err = { 0 };
        enum gtr_code rc;
        static const struct gtr_replay_options as_is = { .size = sizeof as_is };
        int64_t index[U_STEPS] = { 0 };
        double ones[U_GROUPS * U_STEPS] = { 0 };
        uint8_t nonfinite[U_STEPS] = { 0 };
        struct gtr_series series = { .n_groups = U_GROUPS,
                                     .n_steps = U_STEPS,
                                     .left_out = U_GROUPS,
                                     .index = index,
                                     .sumsq = ones,
                                     .total_sumsq = ones,
                                     .total = ones,
                                     .nonfinite = nonfinite };
        struct gtr_groups groups = { .n_groups = U_GROUPS, .n_tensors = 3 };
        uint8_t no_flags[U_GROUPS * U_STEPS] = { 0 };
        struct gtr_decisions one = {
            .n_groups = U_GROUPS, .n_steps = U_STEPS, .scale = ones, .flags = no_flags
        };
        const struct gtr_decisions *pointer = &one;
        struct gtr_trace *trace;
        struct gtr_replay *replay;

        groups.of_tensor = run.of_tensor;
        CHECK(gtr_trace_open(path, &trace, NULL) == GTR_OK);
        CHECK(gtr_replay_new(&series, &as_is, &replay, NULL) == GTR_OK);
        gtr_alloc_fail_after(n);
        rc = gtr_update_run(trace, &groups, replay, &pointer, 1, &options, &update, &err);
        gtr_alloc_fail_after(0);
        CHECK((rc == GTR_OK) == (update != NULL));
        CHECK(rc == GTR_OK || err.text[0] != '\0');
        gtr_update_free(update);
        gtr_replay_free(replay);
        gtr_trace_close(trace);
        if (rc == GTR_OK)
            break;
    }
    CHECK(n > 10 && n < 400);
    run.n_tensors = U_TENSORS;
    u_free(&run);
}

int main(void)
{
    RUN(adamw_is_the_slow_way_to_the_bit);
    RUN(any_number_of_policies_will_do);
    RUN(lion_rmsprop_and_nadam_are_the_slow_way_to_the_bit);
    RUN(sgd_is_the_slow_way_to_the_bit);
    RUN(skipped_and_missing_rows_leave_states_alone);
    RUN(what_is_not_finite_stays_within_its_group);
    RUN(what_is_past_the_end_does_not_count);
    RUN(ranges_end_where_chunks_do);
    RUN(what_was_simulated_is_told);
    RUN(progress_reaches_its_end_and_may_stop);
    RUN(errors_say_what_is_wrong);
    RUN(running_out_of_memory_is_an_error);
    return check_report();
}
