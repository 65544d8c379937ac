/* record_options.h - from what the caller of a recorder asked for to the head of its trace. */
#ifndef GTR_RECORD_OPTIONS_H
#define GTR_RECORD_OPTIONS_H

#include "recorder.h"

/* The first option with an impossible value, if any: its name, the value, what is allowed. */
enum gtr_code gtr_record_options_check(const struct gtr_record_options *options,
                                       struct gtr_err *err);

/* Copies into *head, which is initialised, what checked options say about the run, and the time
 * of day.  On failure the head is still to be freed. */
enum gtr_code gtr_record_options_fill(const struct gtr_record_options *options,
                                      struct gtr_head *head, struct gtr_err *err);

#endif
