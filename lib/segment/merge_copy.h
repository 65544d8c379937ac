/* merge_copy.h - elements from one trace to another. */
#ifndef GTR_MERGE_COPY_H
#define GTR_MERGE_COPY_H

#include "trace.h"

/* How elements of a trace are kept, so that a writer can keep them so: `options` gets elements and
 * sampling.  Elements that a writer cannot keep, of some of the tensors only, are none. */
enum gtr_code gtr_copy_sampling(const struct gtr_trace *trace, struct gtr_writer_options *options,
                                struct gtr_err *err);

/* Gives a capture to the writer, which gets its row next. */
enum gtr_code gtr_copy_capture(struct gtr_trace *trace, size_t capture, struct gtr_writer *writer,
                               struct gtr_err *err);

#endif
