/* test_segments_accidents.c - a recorder is forked, killed, out of disk or out of memory. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/resource.h>

#include "random.h"
#include "scratch.h"
#include "segment_private.h"
#include "segmenting.h"

/* exit() runs HDF5's own handler, which writes what it still holds. */
static void a_forked_child_changes_nothing(void)
{
    struct gtr_err err = { 0 };
    struct gtr_writer *folder = open_writer(scratch_path("fork.gtr"), 40000, true, &err);
    struct gtr_writer *file = open_writer(scratch_path("fork.h5"), 0, true, &err);
    int status = 1;
    pid_t child;

    append_some(folder, 0, 20);
    append_some(file, 0, 20);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        bool refused = killed_append(folder, 21, false, &err) == GTR_EUSAGE &&
                       killed_append(file, 21, false, &err) == GTR_EUSAGE &&
                       gtr_writer_close(folder, &err) == GTR_EUSAGE;

        gtr_writer_abandon(file);
        scratch_folder[0] = '\0'; /* or its handler would remove the folder */
        exit(refused ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    append_some(folder, 20, STEPS);
    append_some(file, 20, STEPS);
    CHECK(gtr_writer_close(folder, &err) == GTR_OK);
    CHECK(gtr_writer_close(file, &err) == GTR_OK);
    check_trace(scratch_path("fork.gtr"), STEPS, 17);
    check_trace(scratch_path("fork.h5"), STEPS, 17);
}

/* Each tries the folder first, as recorders do, which makes and removes it if it is alone. */
static void ranks_that_start_at_the_same_moment_do_not_hinder_each_other(void)
{
    enum { RANKS = 8 };
    const struct gtr_writer_options options = { .size = sizeof options };
    char path[300], rank[320];
    struct gtr_writer *writer;
    struct gtr_err err = { 0 };
    struct gtr_head head;
    int status, r, i, n_failed = 0;

    snprintf(path, sizeof path, "%s", scratch_path("start.gtr"));
    killed_head(&head);
    fflush(stdout);
    for (r = 0; r < RANKS; r++) {
        if (fork() != 0)
            continue;
        head.rank = r;
        for (i = 0; i < 100; i++)
            if (gtr_writer_try(path, r, false, &err) != GTR_OK)
                break;
        if (gtr_writer_open(path, &head, &options, &writer, &err) != GTR_OK ||
            killed_append(writer, 0, false, &err) != GTR_OK ||
            gtr_writer_close(writer, &err) != GTR_OK || err.code != GTR_OK)
            fprintf(stderr, "rank %d: %s\n", r, err.text);
        _exit(err.code != GTR_OK);
    }
    for (r = 0; r < RANKS; r++)
        n_failed += wait(&status) < 0 || status != 0;
    CHECK(n_failed == 0);
    for (r = 0; r < RANKS; r++) {
        snprintf(rank, sizeof rank, "%s/rank%d", path, r);
        check_trace(rank, 1, 0);
    }
    gtr_head_free(&head);
}

/* What the race above comes to, which is seldom lost: gone between its making and its lock. */
static void a_folder_that_was_removed_meanwhile_is_made_again(void)
{
    const char *path = scratch_path("removed.gtr");
    struct gtr_err err = { 0 };
    int lock = -1;

    CHECK(gtr_segment_lock(path, 0, &lock, &err) == GTR_OK && lock >= 0);
    gtr_segment_unlock(path, 0, lock);
    CHECK(rmdir(path) == 0);
}

/* In a child whose files may have `most` bytes: the steps that it could append, by its exit. */
static int record_on_a_small_disk(const char *path, rlim_t most, bool elements)
{
    const struct rlimit limit = { most, most };
    struct gtr_err err = { 0 };
    int status = 0, t;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct gtr_writer *writer;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        writer = open_writer(path, 1 << 20, true, &err);
        for (t = 0; writer != NULL && t < 200; t++)
            if (killed_append(writer, (size_t)t, elements, &err) != GTR_OK)
                break;
        if (writer != NULL)
            gtr_writer_close(writer, NULL);
        _exit(writer != NULL ? t : 255);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_full_disk_loses_no_step_that_was_told_to_be_written(void)
{
    static const rlim_t limits[] = { 2000, 4000, 12000, 40000, 100000 };
    size_t i, e;

    for (i = 0; i < GTR_ARRAY_LEN(limits); i++)
        for (e = 0; e < 2; e++) {
            const char *path = scratch_path("full.gtr");
            int n = record_on_a_small_disk(path, limits[i], e == 1);
            struct gtr_trace *trace;
            size_t t;

            CHECK(n < 200 || (e == 0 && limits[i] > 32000)); /* so many norms need no more */
            trace = open_trace(path);
            if (trace == NULL)
                continue;
            CHECK(gtr_trace_n_steps(trace) >= (size_t)n);
            for (t = 0; t < gtr_trace_n_steps(trace); t++)
                CHECK(killed_row_is_right(trace, t, t >= (size_t)n));
            gtr_trace_close(trace);
        }
}

static void no_memory_at_any_moment_leaves_steps_that_are_right(void)
{
    const char *path = scratch_path("memory.gtr");
    size_t fail, n_failed = 0;

    for (fail = 1; fail < 400; fail += fail < 80 ? 1 : 7) {
        struct gtr_err err = { 0 };
        struct gtr_writer *writer;
        struct gtr_trace *trace = NULL;
        size_t t = 0;

        gtr_alloc_fail_after(fail);
        writer = open_writer(path, 20000, true, &err);
        for (; writer != NULL && t < 20; t++)
            if (killed_append(writer, t, true, &err) != GTR_OK)
                break;
        if (writer != NULL)
            gtr_writer_close(writer, NULL);
        gtr_alloc_fail_after(0);
        n_failed += err.code != GTR_OK;
        if (writer == NULL)
            continue;
        gtr_alloc_fail_after(fail);
        if (gtr_trace_open(path, &trace, NULL) == GTR_OK)
            gtr_trace_close(trace);
        gtr_alloc_fail_after(0);
        trace = open_trace(path);
        CHECK(trace != NULL && gtr_trace_n_steps(trace) >= t);
        gtr_trace_close(trace);
    }
    CHECK(n_failed > 20);
}

/* The whole of the thousand kills is `make check-kill`. */
static void a_recorder_killed_at_any_moment_loses_no_completed_step(void)
{
    struct gtr_random random;
    size_t k;

    gtr_random_init(&random, 42, 0);
    for (k = 0; k < 30; k++) {
        const struct killed_plan plan = { .path = scratch_path("killed.gtr"),
                                          .recorder = k % 3 > 0,
                                          .slots = 8,
                                          .elements = k % 2 == 0,
                                          .segment_bytes = 200 + gtr_random_below(&random, 60000),
                                          .n_steps = 2000,
                                          .delay_us = (unsigned)gtr_random_below(&random, 40000) };
        struct killed_losses losses = { 0 };
        long completed = killed_run(&plan);

        CHECK(completed > 0);
        killed_compare(&plan, plan.path, completed, &losses);
        CHECK(losses.unreadable + losses.lost + losses.wrong == 0);
        CHECK(losses.lost_elements + losses.wrong_elements == 0);
    }
}

int main(void)
{
    RUN(a_forked_child_changes_nothing);
    RUN(ranks_that_start_at_the_same_moment_do_not_hinder_each_other);
    RUN(a_folder_that_was_removed_meanwhile_is_made_again);
    RUN(a_full_disk_loses_no_step_that_was_told_to_be_written);
    RUN(no_memory_at_any_moment_leaves_steps_that_are_right);
    RUN(a_recorder_killed_at_any_moment_loses_no_completed_step);
    return check_report();
}
