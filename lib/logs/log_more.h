/* log_more.h - what a long table says of a series at a step besides its norm. */
#ifndef GTR_LOG_MORE_H
#define GTR_LOG_MORE_H

#include "logbook.h"

/* The role's value for the norm that was added last. */
enum gtr_code gtr_log_add_more(struct gtr_log *log, enum gtr_role role, double value,
                               struct gtr_err *err);

/* Did any norm come with one? */
bool gtr_log_has_more(const struct gtr_log *log, enum gtr_role role);

/* Those of the t-th step, n_series of them; NaN where there is none. */
void gtr_log_more(const struct gtr_log *log, size_t t, enum gtr_role role, double *values);

/* How many of the elements that gtr_log_row calls non-finite are NaN. */
void gtr_log_nan(const struct gtr_log *log, size_t t, uint64_t *nan);

/* The series' numbers of elements: that of the first norm that has one, else 1. */
enum gtr_code gtr_log_numel(const struct gtr_log *log, uint64_t **numel, struct gtr_err *err);

#endif
