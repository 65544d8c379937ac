/* segment_recover.h - is a trace whole, and what can be kept of one that is not. */
#ifndef GTR_SEGMENT_RECOVER_H
#define GTR_SEGMENT_RECOVER_H

#include "trace.h"

GTR_PUBLIC_BEGIN

/* Where remarks go: one line about one file, or about the trace as a whole. */
struct gtr_remarks {
    void (*say)(void *context, const char *path, bool fault, const char *text);
    void *context;
};

/* Reads all there is of a trace, and of every rank of a folder: each row and each captured element,
 * against their checksums.  One remark for each file.  *n_faults counts those with faults; the code
 * tells only what stopped the search. */
enum gtr_code gtr_trace_verify(const char *path, const struct gtr_remarks *remarks,
                               size_t *n_faults, struct gtr_err *err);

struct gtr_recovered {
    size_t n_rows, n_lost_rows; /* rows lost at the end of a run are not known of */
    size_t n_captures, n_lost_captures;
};

/* Copies what is right of a damaged trace to a new one, `output`, a file or a folder.  The old one
 * is not touched.  Remarks say what was lost. */
enum gtr_code gtr_trace_recover(const char *path, const char *output, bool force,
                                const struct gtr_remarks *remarks, struct gtr_recovered *recovered,
                                struct gtr_err *err);

/* A file whose recorder was killed (gtr_writer_options.survives): all steps are in the folder
 * PATH.gtr, which becomes the file, without the elements.  While its recorder runs that is refused.
 */
enum gtr_code gtr_trace_save(const char *path, bool force, const struct gtr_remarks *remarks,
                             struct gtr_recovered *recovered, struct gtr_err *err);

GTR_PUBLIC_END

#endif
