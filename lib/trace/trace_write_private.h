/* trace_write_private.h - a file being written, as trace_write*.c share it. */
#ifndef GTR_TRACE_WRITE_PRIVATE_H
#define GTR_TRACE_WRITE_PRIVATE_H

#include "h5.h"
#include "outfile.h"
#include "trace_private.h"
#include "writer.h"

/* The columns of /step, in the order of struct sheets.step. */
enum { STEP_INDEX, STEP_LOSS, STEP_LR, STEP_TIME, STEP_SCALE, STEP_SKIPPED, STEP_COUNT };

struct gtr_file_writer {
    struct gtr_writer writer;
    struct gtr_outfile file;
    struct gtr_h5 *h5;
    char *stopped; /* NULL, or why the recording ends */
    bool is_segment;
    struct gtr_h5_sheet *step[STEP_COUNT];
    struct gtr_h5_sheet *norm[GTR_NORM_COUNT];
    struct gtr_h5_sheet *capture_rows;
    struct gtr_h5_sheet **elements; /* [P], NULL without elements */
    size_t n_captures;
    bool broken;                      /* a write failed: sheets may hold parts of a step */
    const uint64_t *dropped_captures; /* the caller's count, or NULL */

    /* With checksums; see crc.h. */
    struct gtr_h5_sheet *crc;          /* /step/crc */
    uint32_t values_crc;               /* of the last row, without its step */
    struct gtr_step last;              /* its step, which may be amended */
    struct gtr_h5_sheet *elements_crc; /* /grad/crc, NULL without elements */
    uint32_t *pending_crc;             /* [P], of the capture under way */
    size_t *kept_bytes;                /* [P], of a capture */
};

/* /step/crc and, if there are elements, /grad/crc. */
enum gtr_code gtr_writer_make_checksums(struct gtr_file_writer *writer, const struct gtr_head *head,
                                        const struct gtr_writer_options *options, size_t chunk_rows,
                                        struct gtr_err *err);

/* These do nothing for a writer without checksums.  Sums of the elements of one tensor, then of the
 * row that they belong to, then again of its step. */
void gtr_writer_sum_elements(struct gtr_file_writer *writer, size_t tensor, const void *elements);
enum gtr_code gtr_writer_sum_row(struct gtr_file_writer *writer, const struct gtr_row *row,
                                 struct gtr_err *err);
void gtr_writer_sum_amended(struct gtr_file_writer *writer, double applied_scale, bool skipped);
enum gtr_code gtr_writer_cut_checksums(struct gtr_file_writer *writer, struct gtr_err *err);
enum gtr_code gtr_writer_close_checksums(struct gtr_file_writer *writer, struct gtr_err *err);

/* The attributes of the root, and /param. */
enum gtr_code gtr_writer_write_head(struct gtr_h5 *h5, const struct gtr_head *head,
                                    struct gtr_err *err);

/* Makes /grad and a sheet for each tensor. */
enum gtr_code gtr_writer_make_elements(struct gtr_file_writer *writer, const struct gtr_head *head,
                                       const struct gtr_writer_options *options,
                                       struct gtr_err *err);

#endif
