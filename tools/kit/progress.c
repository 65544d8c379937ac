/* progress.c - rate and time left.
 *
 * A terminal shows one line that changes; a log gets one every ten seconds.
 */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_start(struct progress *p, const char *command, const char *what, size_t total,
                    size_t at_start)
{
    p->command = command;
    p->what = what;
    p->total = total;
    p->at_start = at_start;
    p->started = p->shown = now();
    p->terminal = isatty(STDERR_FILENO) == 1;
}

void progress_show(struct progress *p, size_t done)
{
    double t = now(), wait = p->terminal ? 0.2 : 10.0, rate;

    if (t - p->shown < wait || done <= p->at_start)
        return;
    p->shown = t;
    rate = (double)(done - p->at_start) / (t - p->started);
    fprintf(stderr, "%s%s: %zu of %zu %s, %.3g a second, %.0f s left%s", p->terminal ? "\r" : "",
            p->command, done, p->total, p->what, rate, (double)(p->total - done) / rate,
            p->terminal ? "\033[K" : "\n");
}

void progress_end(struct progress *p)
{
    if (p->terminal && p->shown > p->started)
        fputs("\r\033[K", stderr);
}
