/* test_h5_probe.c - files are tried out by a child process if that is asked for, once, and what is
 * slow is not damaged.
 */
#define _GNU_SOURCE
#include <hdf5.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "scratch.h"
#include "segmenting.h"

/* --- in place of the system's and of HDF5's: a second instead of a minute, and a bad disk ----- */

static enum { WELL, SLOW, ENDLESS } walking; /* what a child meets on its way through a file */

unsigned alarm(unsigned seconds)
{
    return (unsigned)syscall(SYS_alarm, seconds > 0);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    const struct rlimit second = { 1, 2 };

    return prlimit(0, resource, resource == RLIMIT_CPU ? &second : limit, NULL);
}

#if H5_VERSION_GE(1, 12, 0)
herr_t H5Ovisit3(hid_t object, H5_index_t index, H5_iter_order_t order, H5O_iterate2_t visit,
                 void *context, unsigned fields)
#else
herr_t H5Ovisit2(hid_t object, H5_index_t index, H5_iter_order_t order, H5O_iterate_t visit,
                 void *context, unsigned fields)
#endif
{
    const struct timespec pause = { 1, 500000000 };

    if (walking == SLOW)
        nanosleep(&pause, NULL);
    while (walking == ENDLESS)
        clock();
    return object >= 0 && index >= 0 && order >= 0 && visit != NULL && context == NULL && fields > 0
               ? 0
               : -1;
}

/* --- what is asked ---------------------------------------------------------------------------- */

static size_t n_forks;

static void count_fork(void)
{
    n_forks++;
}

static void a_library_starts_no_process_until_it_is_asked_to(void)
{
    const char *path = scratch_path("file.h5");

    write_trace(path, 0);
    n_forks = 0;
    gtr_trace_close(open_trace(path));
    CHECK(n_forks == 0);
    gtr_trace_try_files(true);
    gtr_trace_close(open_trace(path));
    CHECK(n_forks == 1);
    gtr_trace_try_files(false);
    gtr_trace_close(open_trace(path));
    CHECK(n_forks == 1);
}

/* Six segments may be open at a time, so each is closed and opened again. */
static void a_segment_that_is_opened_again_is_not_tried_out_again(void)
{
    struct rlimit before, few;
    struct gtr_trace *trace;
    double sumsq[KILLED_TENSORS];
    size_t t;

    write_trace(scratch_path("many.gtr"), 1);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 24;
    setrlimit(RLIMIT_NOFILE, &few);
    gtr_trace_try_files(true);
    n_forks = 0;
    trace = open_trace(scratch_path("many.gtr"));
    CHECK(n_forks == STEPS);
    for (t = 0; t < 2 * STEPS; t++)
        CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, t % STEPS, 1, sumsq, NULL) == GTR_OK);
    CHECK(n_forks == STEPS);
    gtr_trace_close(trace);
    gtr_trace_try_files(false);
    setrlimit(RLIMIT_NOFILE, &before);
}

/* A child that a network disk kept waiting for a minute was taken for one that HDF5 had killed. */
static void a_file_on_a_slow_disk_is_not_damaged_and_one_without_end_is(void)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    write_trace(scratch_path("file.h5"), 0);
    gtr_trace_try_files(true);
    walking = SLOW;
    CHECK(gtr_trace_open(scratch_path("file.h5"), &trace, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    gtr_trace_close(trace);
    walking = ENDLESS;
    CHECK(gtr_trace_open(scratch_path("file.h5"), &trace, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "file.h5: is damaged: HDF5 does not survive reading it (CPU time limit");
    walking = WELL;
    gtr_trace_try_files(false);
}

int main(void)
{
    pthread_atfork(count_fork, NULL, NULL);
    RUN(a_library_starts_no_process_until_it_is_asked_to);
    RUN(a_segment_that_is_opened_again_is_not_tried_out_again);
    RUN(a_file_on_a_slow_disk_is_not_damaged_and_one_without_end_is);
    return check_report();
}
