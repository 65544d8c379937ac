/* output.h - a text output that a user named: a file that appears whole, or "-" for stdout. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "gradtrace_lab.h"

struct output {
    FILE *f; /* NULL if no output was asked for */
    struct gtr_outfile file;
    const char *path;
};

/* `path` NULL: no output, and the calls below do nothing. */
enum gtr_code output_open(struct output *output, const char *path, bool force, struct gtr_err *err);

/* Does nothing stand in the way of what is opened when the work is done?  So a long work that is
 * interrupted leaves no file. */
enum gtr_code output_check(const char *path, bool force, struct gtr_err *err);

/* Closes and gives the file its name; a full disk shows here. */
enum gtr_code output_close(struct output *output, struct gtr_err *err);

/* Leaves no file.  After close it does nothing. */
void output_abandon(struct output *output);

#endif
