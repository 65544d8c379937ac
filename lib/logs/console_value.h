/* console_value.h - numbers as consoles print them. */
#ifndef GTR_CONSOLE_VALUE_H
#define GTR_CONSOLE_VALUE_H

#include "formats.h"

/* A number at `text`: 1.5e-3, nan, inf, 1,231.5, 2.1M (K, M, B, T; P and E too).  Returns what
 * follows it, or NULL if there is none or if letters follow, as in 66.91GiB. */
const char *gtr_console_number(const char *text, double *value);

/* Adds a pair, blanks around the key left off; false if it is not one or there are too many. */
bool gtr_console_pair(struct gtr_pairs *pairs, const char *key, const char *key_end,
                      const char *value, const char **end);

/* Adds the step, which all formats call "step", from "12" or "12/ 100"; false if there is none. */
bool gtr_console_step(struct gtr_pairs *pairs, const char *text, const char **end);

const char *gtr_console_blanks(const char *text); /* skips them */

#endif
