/* export.h - a trace's norms as spreadsheets, pandas, TensorBoard and gradtrace import read them.
 *
 *   long        step,module,norm                      a row per step and tensor (or group)
 *   wide        step,loss,lr,grad_norm/q_proj         a row per step; loss and lr where known
 *   JSON lines  {"step": 3, "grad_norm/q_proj": 0.25} an object per step
 *   tfevents    scalars for TensorBoard, in 32 bits    an event per step
 *
 * Numbers read back as the same doubles, but those of tfevents.  Where a step has NaN or infinite
 * gradients, norms and sums of squares are nan; in JSON, which has no such number, "NaN".
 * Exported norms that came from an import read back to the same bits; the norms of a recorded run
 * are the roots of its sums of squares, which only --what sumsq hands on exactly.
 */
#ifndef GTR_EXPORT_H
#define GTR_EXPORT_H

#include <stdio.h>

#include "err.h"
#include "groups.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

enum gtr_export_format { GTR_EXPORT_CSV, GTR_EXPORT_TSV, GTR_EXPORT_JSONL, GTR_EXPORT_TFEVENTS };

enum gtr_export_layout { GTR_EXPORT_LONG, GTR_EXPORT_WIDE };

/* Of a group: the root of the sum of squares, that sum, the largest magnitude, the count. */
enum gtr_export_what {
    GTR_EXPORT_NORM,
    GTR_EXPORT_SUMSQ,
    GTR_EXPORT_MAXABS,
    GTR_EXPORT_NONFINITE,
    GTR_EXPORT_WHAT_COUNT
};

struct gtr_export_options {
    enum gtr_export_format format;
    enum gtr_export_layout layout; /* of CSV and TSV */
    enum gtr_export_what what;
};

const char *gtr_export_what_name(enum gtr_export_what what); /* "norm", static */

/* `groups` NULL: each tensor by itself.  Stops at a write error, which the caller sees when it
 * closes the file. */
enum gtr_code gtr_export_write(const struct gtr_trace *trace, const struct gtr_groups *groups,
                               const struct gtr_export_options *options, FILE *out,
                               struct gtr_err *err);

GTR_PUBLIC_END

#endif
