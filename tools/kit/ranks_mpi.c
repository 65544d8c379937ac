/* ranks_mpi.c - ranks by MPI: see ranks.h.
 *
 * Compiled by mpicc, and only for gradtrace-mpi; elsewhere this file is empty.
 *
 * MPI waits by asking again and again, which takes a whole core.  Between blocks that is nothing;
 * but while rank 0 writes and draws, the others would burn their nodes, so at the end they sleep.
 */
#ifdef GTR_MPI
#define _GNU_SOURCE
#endif
#include "ranks.h"

#ifdef GTR_MPI
#include <mpi.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_FOR_EVER = 0, WAIT_IF_LOST = 20 /* seconds */ };
enum { TAG_ANSWER = 1, TAG_FAILURE };
enum { MESSAGE_MOST = 1 << 30 }; /* bytes; MPI counts in int */

static struct {
    int rank, size;
    int local, n_local; /* among the ranks of this node */
    int n_nodes;
    size_t threads;
    bool broken; /* others wait for what will not come */
    bool ended;
} ranks = { .size = 1 };

/* Rounds down, but never to nothing: two ranks bound to a core each have one thread each, and four
 * that are bound to none of 16 cores have four each. */
static size_t share_of_processors(MPI_Comm node)
{
    cpu_set_t *sets = calloc((size_t)ranks.n_local, sizeof *sets), mine;
    double share = 0.0;

    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    if (sets == NULL)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Allgather(&mine, sizeof mine, MPI_BYTE, sets, sizeof mine, MPI_BYTE, node);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        int owners = 0, i;

        for (i = 0; CPU_ISSET(cpu, &mine) && i < ranks.n_local; i++)
            owners += CPU_ISSET(cpu, &sets[i]) ? 1 : 0;
        share += owners > 0 ? 1.0 / owners : 0.0;
    }
    free(sets);
    return share < 1.0 ? 1 : (size_t)(share + 1e-6);
}

static void look_around(void)
{
    MPI_Comm node;
    int first;

    MPI_Comm_rank(MPI_COMM_WORLD, &ranks.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks.size);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, ranks.rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &ranks.local);
    MPI_Comm_size(node, &ranks.n_local);
    first = ranks.local == 0 ? 1 : 0;
    MPI_Allreduce(&first, &ranks.n_nodes, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    ranks.threads = share_of_processors(node);
    MPI_Comm_free(&node);
}

/* Sleeps until all ranks are here; gives all of them up after `seconds`. */
static void end(time_t seconds)
{
    const struct timespec nap = { .tv_nsec = 5000000 };
    time_t start = time(NULL);
    MPI_Request all_here;
    int done = 0;

    ranks.ended = true;
    MPI_Ibarrier(MPI_COMM_WORLD, &all_here);
    for (;;) {
        MPI_Test(&all_here, &done, MPI_STATUS_IGNORE);
        if (done)
            break;
        if (seconds != WAIT_FOR_EVER && time(NULL) - start > seconds)
            MPI_Abort(MPI_COMM_WORLD, 1);
        nanosleep(&nap, NULL);
    }
    MPI_Finalize();
}

void ranks_end(int status)
{
    fflush(NULL);
    if (ranks.broken)
        MPI_Abort(MPI_COMM_WORLD, status);
    end(WAIT_FOR_EVER);
}

/* exit() was called, as argp does if an argument is wrong.  That is so on all ranks, or should be:
 * one that leaves alone must not let the others wait. */
static void end_at_exit(void)
{
    if (!ranks.ended)
        end(WAIT_IF_LOST);
}

void ranks_start(int *argc, char ***argv)
{
    int level;

    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &level);
    look_around();
    if (ranks.rank > 0) {
        FILE *nowhere = fopen("/dev/null", "w");

        /* The variables and not the descriptors: what a crash prints should be seen. */
        if (nowhere != NULL)
            stdout = stderr = nowhere;
    }
    atexit(end_at_exit);
}

void ranks_describe(size_t n_threads, char *text, size_t size)
{
    unsigned long mine = n_threads, all = 0;

    if (size > 0)
        text[0] = '\0';
    MPI_Allreduce(&mine, &all, 1, MPI_UNSIGNED_LONG, MPI_SUM, MPI_COMM_WORLD);
    if (ranks.size > 1)
        snprintf(text, size, "%d ranks on %d node%s, %lu threads", ranks.size, ranks.n_nodes,
                 ranks.n_nodes > 1 ? "s" : "", all);
}

int ranks_rank(void)
{
    return ranks.rank;
}

int ranks_size(void)
{
    return ranks.size;
}

size_t ranks_threads(void)
{
    return ranks.size > 1 ? ranks.threads : 0;
}

void ranks_device(struct gtr_device *device)
{
    size_t n;

    if (ranks.size == 1 || device->kind == GTR_DEVICE_CPU ||
        (device->kind == GTR_DEVICE_CUDA && device->number >= 0))
        return;
    n = gtr_device_count();
    if (n > 0)
        *device = (struct gtr_device){ GTR_DEVICE_CUDA, ranks.local % (int)n };
}

void ranks_part(size_t n, size_t *first, size_t *count)
{
    size_t size = (size_t)ranks.size, rank = (size_t)ranks.rank, rest = n % size;

    *first = n / size * rank + (rank < rest ? rank : rest);
    *count = n / size + (rank < rest ? 1 : 0);
}

/* An error on its way to the other ranks. */
struct message {
    int code, line;
    char text[sizeof((struct gtr_err *)NULL)->text];
    char file[64];
};

static void fill_message(struct message *message, enum gtr_code rc, const struct gtr_err *err)
{
    char node[MPI_MAX_PROCESSOR_NAME] = "";
    int length;

    MPI_Get_processor_name(node, &length);
    message->code = rc;
    message->line = err->line;
    if (ranks.rank == 0)
        snprintf(message->text, sizeof message->text, "%s", err->text);
    else
        snprintf(message->text, sizeof message->text, "rank %d on %.40s: %.300s", ranks.rank, node,
                 err->text);
    snprintf(message->file, sizeof message->file, "%s", err->file != NULL ? err->file : "");
}

/* err->file must outlive the call. */
static enum gtr_code take_message(const struct message *message, struct gtr_err *err)
{
    static char file[sizeof message->file];

    memcpy(file, message->file, sizeof file);
    *err = (struct gtr_err){ .code = (enum gtr_code)message->code,
                             .file = file[0] != '\0' ? file : NULL,
                             .line = message->line };
    memcpy(err->text, message->text, sizeof err->text);
    return err->code;
}

enum gtr_code ranks_agree(enum gtr_code rc, struct gtr_err *err)
{
    struct message message = { 0 };
    int mine = rc == GTR_OK ? ranks.size : ranks.rank, first;

    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (first == ranks.size)
        return GTR_OK;
    if (first == ranks.rank)
        fill_message(&message, rc, err);
    MPI_Bcast(&message, sizeof message, MPI_BYTE, first, MPI_COMM_WORLD);
    return take_message(&message, err);
}

bool ranks_any(bool flag)
{
    int mine = flag ? 1 : 0, any;

    MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return any != 0;
}

void ranks_tell(void *from, size_t size)
{
    MPI_Bcast(from, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD);
}

bool ranks_same(const char *text)
{
    uint64_t digest = UINT64_C(14695981039346656037), theirs;

    for (; *text != '\0'; text++)
        digest = (digest ^ (unsigned char)*text) * UINT64_C(1099511628211);
    theirs = digest;
    ranks_tell(&theirs, sizeof theirs);
    return theirs == digest;
}

void ranks_gather(double *rows, size_t width, size_t n, size_t *done)
{
    size_t size = (size_t)ranks.size, r, row = 0, complete = 0;
    MPI_Datatype whole_row; /* so that counts stay small */
    uint64_t mine = *done, *all = calloc(size, sizeof *all);
    int *counts = calloc(2 * size, sizeof *counts), *first = counts + size;

    if (all == NULL || counts == NULL)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Allgather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, MPI_COMM_WORLD);
    for (r = 0; r < size; r++) {
        size_t count = n / size + (r < n % size ? 1 : 0);

        complete += row == complete ? (size_t)all[r] : 0;
        first[r] = (int)row;
        counts[r] = (int)count;
        row += count;
    }
    r = (size_t)ranks.rank;
    MPI_Type_contiguous((int)width, MPI_DOUBLE, &whole_row);
    MPI_Type_commit(&whole_row);
    MPI_Gatherv(r == 0 ? MPI_IN_PLACE : rows + (size_t)first[r] * width, counts[r], whole_row, rows,
                counts, first, whole_row, 0, MPI_COMM_WORLD);
    MPI_Type_free(&whole_row);
    *done = complete;
    free(all);
    free(counts);
}

/* Waits for a rank's answer, or for any rank to fail. */
static enum gtr_code wait_for(int rank, struct gtr_err *err)
{
    const struct timespec nap = { .tv_nsec = 100000 };
    struct message message;
    MPI_Status status;
    int failed = 0, here = 0;

    for (;;) {
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_FAILURE, MPI_COMM_WORLD, &failed, &status);
        if (failed) {
            MPI_Recv(&message, sizeof message, MPI_BYTE, status.MPI_SOURCE, TAG_FAILURE,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            return take_message(&message, err);
        }
        MPI_Iprobe(rank, TAG_ANSWER, MPI_COMM_WORLD, &here, MPI_STATUS_IGNORE);
        if (here)
            return GTR_OK;
        nanosleep(&nap, NULL);
    }
}

enum gtr_code ranks_exchange(void *context, size_t part, void *bytes, size_t size,
                             struct gtr_err *err)
{
    size_t done, n;
    enum gtr_code rc = GTR_OK;

    (void)context;
    for (done = 0; rc == GTR_OK && done < size; done += n) {
        n = size - done < MESSAGE_MOST ? size - done : MESSAGE_MOST;
        if (ranks.rank > 0) {
            MPI_Send((char *)bytes + done, (int)n, MPI_BYTE, 0, TAG_ANSWER, MPI_COMM_WORLD);
            continue;
        }
        rc = wait_for((int)part, err);
        if (rc == GTR_OK)
            MPI_Recv((char *)bytes + done, (int)n, MPI_BYTE, (int)part, TAG_ANSWER, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
    }
    return rc;
}

void ranks_give_up(enum gtr_code rc, const struct gtr_err *err)
{
    struct message message = { 0 };

    ranks.broken = ranks.size > 1;
    if (ranks.rank == 0)
        return;
    fill_message(&message, rc, err);
    MPI_Send(&message, sizeof message, MPI_BYTE, 0, TAG_FAILURE, MPI_COMM_WORLD);
    for (;;)
        pause();
}
#endif
