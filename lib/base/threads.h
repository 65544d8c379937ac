/* threads.h - the same function over many items, on several threads.
 *
 * Items never share what they write, so which thread runs which item, and how many threads there
 * are, cannot change a result.
 */
#ifndef GTR_THREADS_H
#define GTR_THREADS_H

#include <stddef.h>

/* Processors this process may use, at least 1. */
size_t gtr_threads_available(void);

/* Calls run(context, item, worker) once for each item in [0, n_items); worker in [0, n_threads)
 * says whose scratch space may be used.  n_threads 0 means gtr_threads_available().  Returns when
 * all are done.  If the system refuses a thread the others do its work. */
void gtr_threads_run(size_t n_threads, size_t n_items,
                     void (*run)(void *context, size_t item, size_t worker), void *context);

/* The number of workers gtr_threads_run will use, for sizing scratch space. */
size_t gtr_threads_count(size_t n_threads, size_t n_items);

#endif
