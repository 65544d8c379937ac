/* progress.h - how far a long command has come: a line that rewrites itself on a terminal, a line
 * every ten seconds in a log, nothing if it is done before that. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    const char *command;
    const char *what; /* "settings" */
    size_t total, at_start;
    double started, shown; /* seconds of a steady clock */
    bool terminal;
};

void progress_start(struct progress *progress, const char *command, const char *what, size_t total,
                    size_t at_start);
void progress_show(struct progress *progress, size_t done);
void progress_end(struct progress *progress);

#endif
