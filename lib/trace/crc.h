/* crc.h - rows of a trace, and a checksum of each, so that a torn or altered one is never read as
 * data.
 *
 * The checksum is CRC-32 as zlib, gzip and PNG compute it, over these bytes, little-endian, without
 * gaps:
 *
 *     i64 index | f64 loss | f64 lr | f64 time | f64 applied_scale | u8 skipped
 *     f64 rest, if it is not 0
 *     f64 sumsq[P] | f32 maxabs[P] | u64 nonfinite[P] | f64 param_sumsq[P], if the trace has it
 */
#ifndef GTR_CRC_H
#define GTR_CRC_H

#include <stdint.h>

#include "trace.h"

enum { GTR_STEP_BYTES = 41, GTR_STEP_BYTES_MOST = 49 }; /* without rest, with it */

/* One row: P values behind each pointer; param_sumsq NULL if there is none. */
struct gtr_row {
    const struct gtr_step *step;
    const double *sumsq;
    const float *maxabs;
    const uint64_t *nonfinite;
    const double *param_sumsq;
};

/* Room for rows of all matrices, at first zeros. */
struct gtr_rows {
    double *sumsq; /* the block, with all others in it */
    float *maxabs;
    uint64_t *nonfinite;
    double *param_sumsq;
};

enum gtr_code gtr_rows_new(struct gtr_rows *rows, size_t n_rows, size_t n_tensors,
                           struct gtr_err *err);
void gtr_rows_free(struct gtr_rows *rows);
void *gtr_rows_of(const struct gtr_rows *rows, enum gtr_norm norm);

/* Continues `crc` over n bytes.  Start with 0. */
uint32_t gtr_crc_bytes(uint32_t crc, const void *bytes, size_t n);

/* The bytes of a step as they are summed and as a journal holds them, and back: GTR_STEP_BYTES of
 * them, or GTR_STEP_BYTES_MOST.  Returns how many. */
size_t gtr_step_pack(const struct gtr_step *step, unsigned char *bytes);
void gtr_step_unpack(const unsigned char *bytes, size_t n, struct gtr_step *step);

/* Of the values alone. */
uint32_t gtr_crc_values(const struct gtr_row *row, size_t n_tensors);

/* Of the whole row, from that of its values: a step is amended after they are gone. */
uint32_t gtr_crc_row(const struct gtr_step *step, uint32_t values, size_t n_tensors,
                     bool param_norms);

/* Bytes of the values. */
size_t gtr_row_bytes(size_t n_tensors, bool param_norms);

#endif
