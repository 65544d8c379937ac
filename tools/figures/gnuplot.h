/* gnuplot.h - run gnuplot on a script. */
#ifndef GNUPLOT_H
#define GNUPLOT_H

#include <stdbool.h>

#include "gradtrace_lab.h"

/* Runs `gnuplot SCRIPT` with `folder` as its working folder and waits for it.  Its standard output
 * is ours if `show`, else nowhere.  On failure the error ends with what gnuplot said; *missing
 * tells that there is no gnuplot. */
enum gtr_code gnuplot_run(const char *folder, const char *script, bool show, bool *missing,
                          struct gtr_err *err);

#endif
