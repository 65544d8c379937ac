/* test_recorder_queue.c - the writer's thread: order, waiting, dropping, fork, what memory it
 * takes. */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "alloc.h"
#include "random.h"
#include "recorder_private.h"
#include "recording.h"

/* In a forked child, what HDF5 holds for the writer's thread has no owner; LeakSanitizer asks here
 * what to keep quiet about. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

enum { STEPS = 40, CAPTURE = 128 }; /* bytes that a capture of open_pair takes in the queue */

static void pause_ms(long milliseconds)
{
    const struct timespec pause = { 0, milliseconds * 1000000 };

    nanosleep(&pause, NULL);
}

/* Steps first .. last, whose q gradient starts with the step's number. */
static void record_steps(struct gtr_recorder *r, int64_t first, int64_t last, bool amend)
{
    struct gtr_err err = { 0 };
    int64_t step;

    for (step = first; step <= last; step++) {
        const float q[4] = { (float)step, 1.0f, -2.0f, (float)(step % 3) };

        gtr_recorder_begin(r, step, (double)step, 0.5, &err);
        gtr_recorder_grad(r, 0, q, &err);
        if (step % 4 != 3)
            gtr_recorder_grad(r, 1, &s_grad, &err);
        gtr_recorder_end(r, &err);
        if (amend && step % 3 != 1)
            gtr_recorder_applied(r, 1.0 / (double)(step + 1), step % 5 == 0, &err);
    }
    CHECK_TEXT(err.text, "");
}

/* What record_steps(0, STEPS - 1, true) must have left. */
static void check_steps(const struct gtr_trace *trace)
{
    const struct gtr_step *steps = gtr_trace_steps(trace);
    int64_t t;

    CHECK(gtr_trace_n_steps(trace) == STEPS);
    for (t = 0; t < STEPS && t < (int64_t)gtr_trace_n_steps(trace); t++) {
        double sumsq[2];

        gtr_trace_read_rows(trace, GTR_SUMSQ, (size_t)t, 1, sumsq, NULL);
        CHECK(steps[t].index == t && steps[t].loss == (double)t);
        CHECK_BITS(sumsq[0], (double)(t * t + 5 + (t % 3) * (t % 3)));
        CHECK_BITS(sumsq[1], t % 4 != 3 ? 9.0 : 0.0);
        CHECK_BITS(steps[t].applied_scale, t % 3 != 1 ? 1.0 / (double)(t + 1) : (double)NAN);
        CHECK(steps[t].skipped == (t % 3 != 1 && t % 5 == 0));
    }
}

/* Every capture holds its own step's elements. */
static void check_captures(struct gtr_trace *trace, size_t wanted)
{
    const int64_t *rows = gtr_trace_capture_rows(trace);
    size_t c;

    CHECK(gtr_trace_n_captures(trace) == wanted);
    for (c = 0; c < gtr_trace_n_captures(trace); c++) {
        float q[4] = { 0 };
        uint16_t s = 1;

        gtr_trace_read_elements(trace, 0, c, q, NULL);
        gtr_trace_read_elements(trace, 1, c, &s, NULL);
        CHECK(q[0] == (float)rows[c] && q[2] == -2.0f && q[3] == (float)(rows[c] % 3));
        CHECK(s == (rows[c] % 4 != 3 ? s_grad : 0));
    }
}

static struct gtr_recorder *open_full(struct gtr_record_options *options, int64_t queue_bytes)
{
    options->elements = GTR_ELEMENTS_FULL;
    options->queue_bytes = queue_bytes;
    return open_pair(options);
}

static void close_and_check(struct gtr_recorder *r, size_t captures)
{
    struct gtr_err err = { 0 };
    struct gtr_trace *trace;

    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    trace = read_back();
    if (trace != NULL) {
        check_steps(trace);
        check_captures(trace, captures);
    }
    gtr_trace_close(trace);
    remove_trace();
}

static void a_writer_of_its_own_writes_what_the_caller_would_have_written(void)
{
    int64_t synchronous, every;

    for (synchronous = 0; synchronous <= 1; synchronous++)
        for (every = 1; every <= 3; every++) {
            struct gtr_record_options options;

            struct gtr_recorder *r;

            gtr_record_options_init(&options);
            options.synchronous = synchronous;
            options.every = every;
            r = open_full(&options, 0);
            record_steps(r, 0, STEPS - 1, true);
            close_and_check(r, (size_t)((STEPS - 1) / every + 1));
        }
}

static void all_tensors_can_be_given_in_one_call(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 }, twice = { 0 }, early = { 0 };
    const void *both[2] = { q_grad, &s_grad }, *one[2] = { NULL, &s_grad };
    struct gtr_recorder *r;
    struct gtr_trace *trace;
    double sumsq[2][2];

    gtr_record_options_init(&options);
    r = open_pair(&options);
    CHECK(gtr_recorder_grads(r, both, &early) == GTR_EUSAGE);
    CHECK_HOLDS(early.text, "outside a step");
    gtr_recorder_begin(r, 0, 0.0, 0.0, &err);
    gtr_recorder_grads(r, both, &err);
    CHECK(gtr_recorder_grads(r, one, &twice) == GTR_EUSAGE);
    CHECK_HOLDS(twice.text, "tensor 1 (scale): given twice");
    gtr_recorder_end(r, &err);
    gtr_recorder_begin(r, 1, 0.0, 0.0, &err);
    gtr_recorder_grads(r, one, &err);
    gtr_recorder_norm(r, 0, 0.25, 0.5f, 0, &err);
    gtr_recorder_end(r, &err);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    trace = read_back();
    gtr_trace_read_rows(trace, GTR_SUMSQ, 0, 2, sumsq, &err);
    CHECK(sumsq[0][0] == 5.25 && sumsq[0][1] == 9.0);
    CHECK(sumsq[1][0] == 0.25 && sumsq[1][1] == 9.0);
    gtr_trace_close(trace);
    remove_trace();
}

static void a_slow_writer_makes_the_loop_wait_and_nothing_is_lost(void)
{
    struct gtr_record_options options;
    struct gtr_record_progress p;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    int64_t step;

    gtr_record_options_init(&options);
    r = open_full(&options, 2 * CAPTURE + 5);
    record_steps(r, 0, 0, true);
    gtr_recorder_delay(r, 3);
    for (step = 1; step < STEPS; step++) {
        record_steps(r, step, step, true);
        gtr_recorder_progress(r, &p);
        CHECK(p.bytes_queued <= 2 * CAPTURE);
        CHECK(p.steps == (uint64_t)step + 1);
        CHECK(p.steps_written <= p.steps && p.steps_written + 3 >= p.steps);
    }
    CHECK(p.seconds_waited < 60.0); /* and how long it must is in a test below */
    CHECK(p.dropped == 0);
    CHECK_TEXT(gtr_recorder_warning(r), "");
    CHECK_TEXT(err.text, "");
    close_and_check(r, STEPS);
}

static void wait_until_written(struct gtr_recorder *r, uint64_t steps)
{
    struct gtr_record_progress p = { 0 };
    int tries;

    for (tries = 0; tries < 5000 && p.steps_written < steps; tries++) {
        pause_ms(1);
        gtr_recorder_progress(r, &p);
    }
    CHECK(p.steps_written == steps);
}

/* A queue of three: 0 1 2 wait for a writer that stands still, 3 to 9 find no room, and from 10 on
 * there is some again. */
static void a_full_queue_drops_elements_and_never_norms(void)
{
    struct gtr_record_options options;
    struct gtr_record_progress p;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    struct gtr_trace *trace;
    int64_t step;
    size_t c;

    gtr_record_options_init(&options);
    options.when_full = GTR_FULL_DROP;
    r = open_full(&options, 3 * CAPTURE);
    gtr_recorder_begin(r, 0, 0.0, 0.5, &err);
    gtr_recorder_hold(r, true);
    gtr_recorder_grad(r, 0, (const float[4]){ 0.0f, 1.0f, -2.0f, 0.0f }, &err);
    gtr_recorder_grad(r, 1, &s_grad, &err);
    gtr_recorder_end(r, &err);
    gtr_recorder_applied(r, 1.0, true, &err);
    record_steps(r, 1, 9, true);
    gtr_recorder_progress(r, &p);
    CHECK(p.dropped == 7 && p.steps == 10 && p.steps_written == 0);
    CHECK(p.bytes_queued == 3 * CAPTURE && p.seconds_waited == 0.0);
    gtr_recorder_hold(r, false);
    wait_until_written(r, 10);
    for (step = 10; step < STEPS; step++) {
        record_steps(r, step, step, true);
        wait_until_written(r, (uint64_t)step + 1);
    }
    gtr_recorder_progress(r, &p);
    CHECK(p.dropped == 7 && p.captures_written == STEPS - 7);
    CHECK(p.bytes_written == STEPS * 40 + (STEPS - 7) * CAPTURE);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    trace = read_back();
    check_steps(trace);
    check_captures(trace, STEPS - 7);
    for (c = 0; c < gtr_trace_n_captures(trace); c++)
        CHECK(gtr_trace_capture_rows(trace)[c] == (int64_t)(c < 3 ? c : c + 7));
    gtr_trace_close(trace);
    remove_trace();
}

static bool loop_waits(struct gtr_recorder *r)
{
    bool waits;

    pthread_mutex_lock(&r->queue.lock);
    waits = r->queue.waits;
    pthread_mutex_unlock(&r->queue.lock);
    return waits;
}

/* As soon as the loop stands still. */
static void *let_go(void *recorder)
{
    while (!loop_waits(recorder))
        pause_ms(1);
    gtr_recorder_hold(recorder, false);
    return NULL;
}

/* 1024 rows fit, so the loop stands still until the writer is let go, whatever when_full says. */
static void norms_wait_for_room_even_where_elements_are_dropped(void)
{
    struct gtr_record_options options;
    struct gtr_record_progress p;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;
    struct gtr_trace *trace;
    pthread_t thread;

    gtr_record_options_init(&options);
    options.when_full = GTR_FULL_DROP;
    r = open_pair(&options);
    record_steps(r, 0, 0, false);
    gtr_recorder_hold(r, true);
    pthread_create(&thread, NULL, let_go, r);
    record_steps(r, 1, 2999, true);
    pthread_join(thread, NULL);
    gtr_recorder_progress(r, &p);
    CHECK(p.steps == 3000 && p.seconds_waited > 0.0);
    CHECK(p.memory_bytes < 100000);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    trace = read_back();
    CHECK(gtr_trace_n_steps(trace) == 3000);
    gtr_trace_close(trace);
    remove_trace();
}

static void closing_writes_what_still_waits(void)
{
    struct gtr_record_options options;
    struct gtr_record_progress p;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    r = open_full(&options, STEPS * CAPTURE);
    gtr_recorder_begin(r, 0, 0.0, 0.5, &err);
    gtr_recorder_hold(r, true);
    gtr_recorder_grad(r, 0, (const float[4]){ 0.0f, 1.0f, -2.0f, 0.0f }, &err);
    gtr_recorder_grad(r, 1, &s_grad, &err);
    gtr_recorder_end(r, &err);
    gtr_recorder_applied(r, 1.0, true, &err);
    record_steps(r, 1, STEPS - 1, true);
    gtr_recorder_progress(r, &p);
    CHECK(p.steps_written == 0 && p.bytes_queued == STEPS * CAPTURE);
    CHECK_TEXT(err.text, "");
    close_and_check(r, STEPS);
}

static void abandoning_a_full_queue_leaves_no_file(void)
{
    struct gtr_record_options options;
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    r = open_full(&options, STEPS * CAPTURE);
    record_steps(r, 0, 5, true);
    gtr_recorder_hold(r, true);
    record_steps(r, 6, 20, true);
    gtr_recorder_abandon(r);
    CHECK(count_files() == 0);
}

static void a_capture_that_no_queue_could_hold_is_written_while_the_loop_waits(void)
{
    int mode;

    for (mode = 0; mode < 4; mode++) { /* all or a sample of all, with a thread or without */
        struct gtr_record_options options;
        struct gtr_recorder *r;

        gtr_record_options_init(&options);
        options.elements = mode & 1 ? GTR_ELEMENTS_BLOCKS : GTR_ELEMENTS_FULL;
        options.fraction = 1.0;
        options.synchronous = mode >> 1;
        options.queue_bytes = CAPTURE - 1;
        r = open_pair(&options);
        record_steps(r, 0, STEPS - 1, true);
        CHECK_HOLDS(gtr_recorder_warning(r), "training waits while one is written");
        close_and_check(r, STEPS);
    }
}

static void what_would_always_be_dropped_is_refused(void)
{
    struct gtr_record_options options;
    struct gtr_err err = { 0 }, closing = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    options.when_full = GTR_FULL_DROP;
    r = open_full(&options, CAPTURE - 1);
    CHECK(gtr_recorder_begin(r, 0, 0.0, 0.0, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "raise queue_bytes");
    CHECK(gtr_recorder_close(r, &closing) == GTR_EUSAGE);
    CHECK(count_files() == 0);
}

/* All that a training program may call, in a process that has no writer. */
static int call_everything(struct gtr_recorder *r)
{
    struct gtr_record_progress p;
    struct gtr_err err = { 0 };
    const void *both[2] = { q_grad, &s_grad };

    gtr_recorder_begin(r, 1000, 0.0, 0.0, &err);
    gtr_recorder_grad(r, 0, q_grad, &err);
    gtr_recorder_grads(r, both, &err);
    gtr_recorder_norm(r, 0, 1.0, 1.0f, 0, &err);
    gtr_recorder_end(r, &err);
    gtr_recorder_applied(r, 1.0, false, &err);
    gtr_recorder_progress(r, &p);
    gtr_recorder_close(r, &err);
    return err.code != GTR_OK || p.steps != 0;
}

static void a_forked_child_does_nothing_and_the_parent_goes_on(void)
{
    struct gtr_record_options options;
    struct gtr_recorder *r;
    int status = 1;
    pid_t child;

    gtr_record_options_init(&options);
    r = open_full(&options, STEPS * CAPTURE);
    record_steps(r, 0, 0, true);
    gtr_recorder_delay(r, 2); /* so that something waits when the child is made */
    record_steps(r, 1, 20, true);
    child = fork();
    if (child == 0)
        _exit(call_everything(r));
    record_steps(r, 21, STEPS - 1, true);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close_and_check(r, STEPS);
}

/* A child's exit() goes through HDF5's, which hangs if the writer was in HDF5 when the child was
 * made: at moments that differ, so a loop. */
static void a_forked_child_that_exits_comes_to_its_end(void)
{
    const size_t numel = 200000;
    float *grad = calloc(numel, sizeof *grad);
    int round;

    for (round = 0; grad != NULL && round < 12; round++) {
        struct gtr_record_options options;
        struct gtr_err err = { 0 };
        struct gtr_recorder *r = NULL;
        int64_t step;
        int status = 1, tries;
        pid_t child;

        gtr_record_options_init(&options);
        options.elements = GTR_ELEMENTS_FULL;
        options.compression = GTR_COMPRESS_NONE;
        gtr_recorder_open(path, &options, &r, &err);
        gtr_recorder_tensor(r, "w", "200000", numel, GTR_F32, &err);
        for (step = 0; step < 10; step++) {
            gtr_recorder_begin(r, step, 0.0, 0.0, &err);
            gtr_recorder_grad(r, 0, grad, &err);
            gtr_recorder_end(r, &err);
        }
        fflush(stdout); /* or the child writes it, too */
        child = fork();
        if (child == 0) {
            scratch_folder[0] = '\0'; /* it stays the parent's */
            exit(0);
        }
        for (tries = 0; tries < 2000 && waitpid(child, &status, WNOHANG) == 0; tries++)
            pause_ms(5);
        if (tries == 2000)
            kill(child, SIGKILL);
        CHECK(tries < 2000 && status == 0);
        CHECK(gtr_recorder_close(r, &err) == GTR_OK);
        CHECK_TEXT(err.text, "");
        remove_trace();
    }
    free(grad);
}

int main(void)
{
    recording_init();
    RUN(a_writer_of_its_own_writes_what_the_caller_would_have_written);
    RUN(all_tensors_can_be_given_in_one_call);
    RUN(a_slow_writer_makes_the_loop_wait_and_nothing_is_lost);
    RUN(a_full_queue_drops_elements_and_never_norms);
    RUN(norms_wait_for_room_even_where_elements_are_dropped);
    RUN(closing_writes_what_still_waits);
    RUN(abandoning_a_full_queue_leaves_no_file);
    RUN(a_capture_that_no_queue_could_hold_is_written_while_the_loop_waits);
    RUN(what_would_always_be_dropped_is_refused);
    RUN(a_forked_child_does_nothing_and_the_parent_goes_on);
    RUN(a_forked_child_that_exits_comes_to_its_end);
    return check_report();
}
