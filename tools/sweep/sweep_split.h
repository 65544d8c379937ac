/* sweep_split.h - the same sweep on windows of the trace and on other traces, so that nobody tunes
 * to noise. */
#ifndef SWEEP_SPLIT_H
#define SWEEP_SPLIT_H

#include <stdio.h>

#include "sweep_found.h"

/* Runs the settings of `results` on options->n_windows windows and on the traces of --against, and
 * prints how well each one's ranking by `goal` agrees with that of the whole trace, and where row
 * `best` stands in it.  Nothing if neither was asked for.
 * `keep` [n]: the settings that count. */
enum gtr_code sweep_split(FILE *f, const struct sweep_options *options,
                          const struct sweep_results *results, const struct gtr_goal *goal,
                          const bool *keep, size_t best, struct gtr_err *err);

#endif
