/* spill_report.h - what spill found, for people. */
#ifndef SPILL_REPORT_H
#define SPILL_REPORT_H

#include <stdio.h>

#include "spill_found.h"

enum { SPILL_TEXT = 32 };

/* The headline, the run, its groups, the matrix, the curve, the worst steps, other kappas. */
void spill_report(FILE *f, const struct spill_found *found);

/* The stories of the worst steps (spill_story.c). */
void spill_story(FILE *f, const struct spill_found *found);

/* A share as "4.8 %", "55 %", "99.7 %": two digits, or as many as it takes not to round to all. */
const char *spill_percent(double share, char text[SPILL_TEXT]);

/* A name in a column of `width`: spaces after it (before it if `right`), its beginning cut if it is
 * too long. */
void spill_put_name(FILE *f, const char *name, int width, bool right);

#endif
