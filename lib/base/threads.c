/* threads.c - a fork and join; items are handed out one by one, so uneven ones balance. */
#define _GNU_SOURCE
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS_MAX = 256 };

struct crew {
    atomic_size_t next;
    size_t n_items;
    void (*run)(void *context, size_t item, size_t worker);
    void *context;
};

struct worker {
    struct crew *crew;
    size_t index;
};

size_t gtr_threads_available(void)
{
    cpu_set_t set;
    int n;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    n = CPU_COUNT(&set);
    return n > 0 ? (size_t)n : 1;
}

size_t gtr_threads_count(size_t n_threads, size_t n_items)
{
    size_t n = n_threads > 0 ? n_threads : gtr_threads_available();

    if (n > THREADS_MAX)
        n = THREADS_MAX;
    if (n > n_items)
        n = n_items;
    return n > 0 ? n : 1;
}

static void *work(void *argument)
{
    const struct worker *self = argument;
    struct crew *crew = self->crew;
    size_t item;

    while ((item = atomic_fetch_add(&crew->next, 1)) < crew->n_items)
        crew->run(crew->context, item, self->index);
    return NULL;
}

void gtr_threads_run(size_t n_threads, size_t n_items,
                     void (*run)(void *context, size_t item, size_t worker), void *context)
{
    struct crew crew = { .n_items = n_items, .run = run, .context = context };
    struct worker workers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    size_t n = gtr_threads_count(n_threads, n_items), started = 0, i;

    atomic_init(&crew.next, 0);
    for (i = 0; i < n; i++)
        workers[i] = (struct worker){ .crew = &crew, .index = i };
    /* The caller is worker 0. */
    for (i = 1; i < n; i++) {
        if (pthread_create(&threads[started], NULL, work, &workers[i]) != 0)
            break;
        started++;
    }
    work(&workers[0]);
    for (i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}
