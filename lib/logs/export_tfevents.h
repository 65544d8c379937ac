/* export_tfevents.h - scalars as TensorBoard reads them: an event for each step, of all values. */
#ifndef GTR_EXPORT_TFEVENTS_H
#define GTR_EXPORT_TFEVENTS_H

#include "pen.h"
#include "trace.h"

/* The record that comes first, and a step's.  Values become floats of 32 bits; loss and lr are
 * there where they are known. */
enum gtr_code gtr_tfevents_put_head(struct gtr_pen *pen, struct gtr_err *err);
enum gtr_code gtr_tfevents_put_step(struct gtr_pen *pen, const struct gtr_step *step,
                                    char *const *tags, const double *values, size_t n,
                                    struct gtr_err *err);

#endif
