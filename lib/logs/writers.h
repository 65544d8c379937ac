/* writers.h - which program wrote a log, and what it says about the norms in it.
 *
 * Told by the names of its columns or keys, for tables, JSON and event files as well as consoles.
 */
#ifndef GTR_WRITERS_H
#define GTR_WRITERS_H

#include "err.h"
#include "names.h"

struct gtr_log;

/* Fills in the summary's writer, grad_state and norm_of if the log's names tell. */
void gtr_writers_tell(struct gtr_log *log);

/* Fails if the names are those of a log that never holds a norm. */
enum gtr_code gtr_writers_refuse(const struct gtr_names *seen, const char *name,
                                 struct gtr_err *err);

/* Fails as there is no norm: with the file to take instead if the program is known for that, else
 * with the list of its columns or keys (`what`). */
enum gtr_code gtr_writers_no_norms(const struct gtr_names *seen, const char *name, const char *what,
                                   const char *list, struct gtr_err *err);

#endif
