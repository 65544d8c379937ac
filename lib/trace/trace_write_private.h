/* trace_write_private.h - a file being written, as trace_write*.c share it. */
#ifndef GTR_TRACE_WRITE_PRIVATE_H
#define GTR_TRACE_WRITE_PRIVATE_H

#include "h5.h"
#include "outfile.h"
#include "trace_private.h"
#include "writer.h"

struct gtr_file_writer {
    struct gtr_writer writer;
    struct gtr_outfile file;
    struct gtr_h5 *h5;
    char *stopped;        /* NULL, or why the recording ends */
    char *spared;         /* NULL, or why the elements do */
    struct gtr_late late; /* what became known since; grad_state NULL: nothing */
    bool is_segment;
    struct gtr_h5_sheet *step[STEP_COUNT];
    struct gtr_h5_sheet *norm[GTR_NORM_COUNT];
    uint64_t *no_nan; /* [P] zeros, if NaN are counted */
    struct gtr_h5_sheet *capture_rows;
    struct gtr_h5_sheet **elements; /* [P], NULL without elements */
    size_t n_captures;
    const uint64_t *dropped_captures; /* the caller's count, or NULL */
    uint64_t *n_kept;                 /* where the caller wants it, or NULL */

    /* With checksums; see crc.h. */
    struct gtr_h5_sheet *crc;          /* /step/crc */
    uint32_t values_crc;               /* of the last row, without its step */
    struct gtr_step last;              /* its step, which may be amended */
    struct gtr_h5_sheet *elements_crc; /* /grad/crc, NULL without elements */
    uint32_t *pending_crc;             /* [P], of the capture under way */
    size_t *kept_bytes;                /* [P], of a capture */
};

/* The column of what no tensor of the trace holds, from the first row that has some on. */
enum gtr_code gtr_file_writer_make_rest(struct gtr_file_writer *writer, struct gtr_err *err);

/* Creates the file under its temporary name, which is chosen already, with all that is in it before
 * the first step. */
enum gtr_code gtr_file_writer_make(struct gtr_file_writer *writer, const struct gtr_head *head,
                                   const struct gtr_writer_options *options, struct gtr_err *err);

#endif
