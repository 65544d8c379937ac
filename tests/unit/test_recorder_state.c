/* test_recorder_state.c - of failures on two threads at once one is kept, and told to both. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "check.h"
#include "recorder_private.h"

/* The first failure lies in memory that cannot be read at first: so the thread that keeps it stops
 * in the midst, and lets the other one fail, too. */
static struct {
    struct gtr_record_state state;
    struct gtr_err *first; /* on a page of its own */
    struct gtr_err second, told[2];
    atomic_bool midst, second_is_done;
} race;

enum { PAGE = 4096, PATIENCE_MS = 200 };

/* If the other thread waits until this one is through, it waits in vain. */
static void let_the_second_fail(int signal)
{
    const struct timespec pause = { 0, 1000000 };
    int tries;

    (void)signal;
    atomic_store(&race.midst, true);
    for (tries = 0; tries < PATIENCE_MS && !atomic_load(&race.second_is_done); tries++)
        nanosleep(&pause, NULL);
    mprotect(race.first, PAGE, PROT_READ);
}

static void *fail_second(void *unused)
{
    while (!atomic_load(&race.midst))
        ;
    gtr_record_fail(&race.state, &race.second, &race.told[1]);
    atomic_store(&race.second_is_done, true);
    return unused;
}

/* Two threads that saw no failure both kept theirs, one over the other, and each was told its own.
 */
static void the_first_failure_of_two_threads_is_told_to_both(void)
{
    struct sigaction action = { .sa_handler = let_the_second_fail }, before;
    struct gtr_err kept = { 0 };
    pthread_t thread;

    race.first = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *race.first = (struct gtr_err){ .code = GTR_EIO, .text = "disk full" };
    race.second = (struct gtr_err){ .code = GTR_ENOMEM, .text = "no memory" };
    mprotect(race.first, PAGE, PROT_NONE);
    gtr_record_state_init(&race.state);
    sigaction(SIGSEGV, &action, &before);
    pthread_create(&thread, NULL, fail_second, NULL);
    CHECK(gtr_record_fail(&race.state, race.first, &race.told[0]) == GTR_EIO);
    pthread_join(thread, NULL);
    sigaction(SIGSEGV, &before, NULL);
    CHECK(gtr_record_failed(&race.state, &kept) == GTR_EIO);
    CHECK_TEXT(kept.text, "disk full");
    CHECK_TEXT(race.told[0].text, "disk full");
    CHECK_TEXT(race.told[1].text, "disk full");
    gtr_record_state_end(&race.state);
    munmap(race.first, PAGE);
}

static void a_stop_counts_until_something_fails(void)
{
    const struct gtr_err full = { .code = GTR_EIO, .text = "disk full" };
    const struct gtr_err later = { .code = GTR_ENOMEM, .text = "no memory" };
    struct gtr_record_state state = { 0 };
    struct gtr_err err[3] = { { 0 } };

    gtr_record_state_init(&state);
    CHECK(gtr_record_failed(&state, NULL) == GTR_OK);
    gtr_fail(&state.stopped, GTR_EUSAGE, "enough");
    CHECK(gtr_record_failed(&state, &err[0]) == GTR_EUSAGE);
    CHECK_TEXT(err[0].text, "enough");
    CHECK(gtr_record_fail(&state, &full, &err[1]) == GTR_EIO);
    CHECK(gtr_record_fail(&state, &later, &err[2]) == GTR_EIO);
    CHECK_TEXT(err[1].text, "disk full");
    CHECK_TEXT(err[2].text, "disk full");
    gtr_record_state_end(&state);
}

int main(void)
{
    RUN(the_first_failure_of_two_threads_is_told_to_both);
    RUN(a_stop_counts_until_something_fails);
    return check_report();
}
