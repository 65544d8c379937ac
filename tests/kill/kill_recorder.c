/* kill_recorder.c - kill a recorder N times at random moments, and count what is lost.
 *
 *     kill_recorder N [SEED]
 *     kill_recorder each          at every system call of a short run, one after the other
 *
 * The last line is "N passed, N failed": a kill fails if a completed step is missing, a value is
 * wrong, or the trace cannot be read.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdbool.h>
#include <sys/ptrace.h>

#include "killed.h"
#include "random.h"
#include "scratch.h"

static struct killed_losses all;

static void say_nothing(void *context, const char *path, bool fault, const char *text)
{
    (void)context;
    (void)path;
    (void)fault;
    (void)text;
}

/* A file that is not there is in its folder, from which it can be made. */
static void compare_file(const struct killed_plan *plan, long completed, struct killed_losses *one)
{
    const struct gtr_remarks silence = { say_nothing, NULL };
    struct killed_plan norms = *plan;
    struct gtr_recovered recovered;
    struct gtr_err err = { 0 };
    char folder[300];

    if (access(plan->path, F_OK) == 0) {
        killed_compare(plan, plan->path, completed, one);
        return;
    }
    snprintf(folder, sizeof folder, "%s.gtr", plan->path);
    killed_compare(plan, folder, completed, one);
    norms.elements = false;
    if (gtr_trace_save(plan->path, false, &silence, &recovered, &err) == GTR_OK) {
        struct killed_losses saved = { 0 };

        killed_compare(&norms, plan->path, completed, &saved);
        one->lost += saved.lost;
        one->wrong += saved.wrong;
        one->unreadable += saved.unreadable + (access(folder, F_OK) == 0);
    } else {
        printf("%s\n", err.text);
        one->unreadable++;
    }
}

/* True if nothing was lost; says what was. */
static bool look_at(const struct killed_plan *plan, size_t k, long completed)
{
    struct killed_losses one = { 0 };
    char left[300];

    if (completed > 0 && strstr(plan->path, ".h5") != NULL)
        compare_file(plan, completed, &one);
    else if (completed > 0)
        killed_compare(plan, plan->path, completed, &one);
    all.rows += one.rows;
    all.captures += one.captures;
    all.in_journal += one.in_journal;
    snprintf(left, sizeof left, "%s/rank0.journal.tmp", plan->path);
    all.rotating += access(left, F_OK) == 0;
    if (completed >= 0 &&
        one.unreadable + one.lost + one.wrong + one.lost_elements + one.wrong_elements == 0)
        return true;
    printf("kill %zu: %ld steps were completed; unreadable %zu, rows lost %zu, wrong %zu; elements "
           "lost %zu, wrong %zu\n",
           k, completed, one.unreadable, one.lost, one.wrong, one.lost_elements,
           one.wrong_elements);
    return false;
}

/* The file that the run before has left; a folder is emptied by its next recorder. */
static void remove_file(const struct killed_plan *plan)
{
    if (strstr(plan->path, ".h5") != NULL)
        unlink(plan->path);
}

static size_t kill_at_random(size_t n, uint64_t seed)
{
    struct gtr_random random;
    size_t k, failed = 0;

    gtr_random_init(&random, seed, 0);
    for (k = 0; k < n; k++) {
        static const int signals[] = { SIGKILL, SIGKILL, SIGTERM, SIGHUP, SIGSEGV };
        bool full = k % 10 == 9, file = k % 5 > 1 && k % 2 == 1;
        const struct killed_plan plan = { .path = scratch_path(file ? "run.h5" : "run.gtr"),
                                          .signal = signals[gtr_random_below(&random, 5)],
                                          .disk =
                                              full ? 1 << (17 + gtr_random_below(&random, 3)) : 0,
                                          .spared = full,
                                          .recorder = k % 5 > 1,
                                          .elements = k % 5 != 1 && k % 5 != 2,
                                          .around = k % 5 == 4 ? 2 : 0,
                                          .slots = 6 + (int64_t)gtr_random_below(&random, 20),
                                          .segment_bytes = 200 + gtr_random_below(&random, 60000),
                                          .n_steps = 2000,
                                          .delay_us = (unsigned)gtr_random_below(&random, 60000) };

        remove_file(&plan);
        failed += !look_at(&plan, k, killed_run(&plan));
    }
    return failed;
}

/* The child stops at each entry to and exit from a system call; at stop `last` it is killed.  Its
 * steps completed, or -1; *ended if it came to its end before. */
static long run_to_stop(const struct killed_plan *plan, size_t last, bool *ended)
{
    long completed = 0;
    int pipes[2], status = 0;
    uint32_t t;
    size_t stop;
    pid_t child;

    if (pipe(pipes) != 0 || (child = fork()) < 0)
        return -1;
    if (child == 0) {
        close(pipes[0]);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        raise(SIGSTOP);
        (plan->recorder ? killed_record_all : killed_record)(plan, pipes[1]);
    }
    close(pipes[1]);
    for (stop = 0; waitpid(child, &status, 0) == child && WIFSTOPPED(status) && stop < last; stop++)
        ptrace(PTRACE_SYSCALL, child, NULL, NULL);
    *ended = !WIFSTOPPED(status);
    if (!*ended) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    while (read(pipes[0], &t, sizeof t) == sizeof t)
        completed = (long)t + 1;
    close(pipes[0]);
    return *ended && status != 0 ? -1 : completed;
}

/* The writer alone, and a recorder that is its own writer, of a folder and of a file. */
static size_t kill_at_each(size_t *n)
{
    size_t failed = 0, stop;
    int recorder;

    *n = 0;
    for (recorder = 0; recorder <= 2; recorder++) {
        const struct killed_plan plan = { .path =
                                              scratch_path(recorder == 2 ? "run.h5" : "run.gtr"),
                                          .recorder = recorder > 0,
                                          .synchronous = true,
                                          .slots = 4,
                                          .elements = true,
                                          .segment_bytes = 20000,
                                          .n_steps = 8 };
        bool ended = false;

        for (stop = 0; !ended; stop++, ++*n) {
            remove_file(&plan);
            failed += !look_at(&plan, stop, run_to_stop(&plan, stop + 1, &ended));
        }
    }
    return failed;
}

int main(int argc, char **argv)
{
    bool each = argc > 1 && strcmp(argv[1], "each") == 0;
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 40, failed;

    if (each)
        failed = kill_at_each(&n);
    else
        failed = kill_at_random(n, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
    printf("%zu kills: %zu rows and %zu captures were there, %zu of the rows only in journals; %zu "
           "kills came while a journal was made\n",
           n, all.rows, all.captures, all.in_journal, all.rotating);
    printf("%zu passed, %zu failed\n", n - failed, failed);
    return failed > 0;
}
