/* ranks.h - one program on many processes, on one machine or on many.
 *
 * ranks_one.c answers for a program that is alone; ranks_mpi.c, which only gradtrace-mpi is linked
 * with, for one that `mpirun` or `srun` started many times.  Rank 0 reads and writes the results
 * and talks; the others compute, and their stdout and stderr go nowhere.
 *
 * What is marked (all) must be called by all ranks, in the same order.  Which rank computes what
 * never changes a bit of the result.
 */
#ifndef RANKS_H
#define RANKS_H

#include <stdbool.h>
#include <stddef.h>

#include "gradtrace_lab.h"

/* (all) Before anything else. */
void ranks_start(int *argc, char ***argv);

/* (all) Last of all: waits, asleep, until all ranks are done.  A process that exits without it ends
 * well too if all ranks do so at about the same time. */
void ranks_end(int status);

/* (all) "4 ranks on 2 nodes, 32 threads"; empty if there is one rank.  Each says how many it uses.
 */
void ranks_describe(size_t n_threads, char *text, size_t size);

int ranks_rank(void); /* 0 .. ranks_size() - 1 */
int ranks_size(void);

/* Threads for this rank: its share of the processors that it may use, as all ranks of the node
 * that may use a processor share it.  0: all there are, in a program that is alone. */
size_t ranks_threads(void);

/* One GPU for each rank, of those that answer on this node, unless the CPU or one of them was
 * named.  Changes nothing in a program that is alone. */
void ranks_device(struct gtr_device *device);

/* This rank's part of n items: they are shared out in order, as evenly as can be. */
void ranks_part(size_t n, size_t *first, size_t *count);

/* (all) Did it go well everywhere?  If not, every rank gets the code and the text of the first rank
 * that failed; the text names the rank unless it is rank 0. */
enum gtr_code ranks_agree(enum gtr_code rc, struct gtr_err *err);

/* (all) Is the flag set anywhere? */
bool ranks_any(bool flag);

/* (all) Copies what rank 0 has to all others. */
void ranks_tell(void *from, size_t size);

/* (all) Is the text the same as on rank 0? */
bool ranks_same(const char *text);

/* (all) Brings the parts of `ranks_part(n)` together at rank 0.  rows: [n][width], each rank's own
 * part filled in up to its row *done.  Afterwards *done is, on all ranks, how many of the n rows
 * are there from the first one on. */
void ranks_gather(double *rows, size_t width, size_t n, size_t *done);

/* The `exchange` of gtr_update_options, where a part is a rank. */
enum gtr_code ranks_exchange(void *context, size_t part, void *bytes, size_t size,
                             struct gtr_err *err);

/* This rank has failed while others may be waiting for what it exchanges with them.  Rank 0
 * returns, to tell the error; ranks_end then ends all.  Other ranks do not return: rank 0 gets the
 * error. */
void ranks_give_up(enum gtr_code rc, const struct gtr_err *err);

#endif
