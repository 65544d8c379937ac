/* crc.c - rows, and CRC-32 of them.  The machines that this runs on are little-endian, as the bytes
 * are. */
#include "crc.h"

#include <string.h>
#include <zlib.h>

#include "alloc.h"

enum gtr_code gtr_rows_new(struct gtr_rows *rows, size_t n_rows, size_t n_tensors,
                           struct gtr_err *err)
{
    const size_t n = n_rows * n_tensors;
    enum gtr_code rc = gtr_alloc_for(&rows->sumsq, n, gtr_row_bytes(1, true), "values", err);

    if (rc == GTR_OK) {
        rows->param_sumsq = rows->sumsq + n;
        rows->nonfinite = (uint64_t *)(rows->param_sumsq + n);
        rows->maxabs = (float *)(rows->nonfinite + n);
    }
    return rc;
}

void gtr_rows_free(struct gtr_rows *rows)
{
    gtr_free(rows->sumsq);
}

void *gtr_rows_of(const struct gtr_rows *rows, enum gtr_norm norm)
{
    void *const matrices[GTR_NORM_COUNT] = { [GTR_SUMSQ] = rows->sumsq,
                                             [GTR_MAXABS] = rows->maxabs,
                                             [GTR_NONFINITE] = rows->nonfinite,
                                             [GTR_PARAM_SUMSQ] = rows->param_sumsq };

    return matrices[norm];
}

/* zlib counts in unsigned int. */
uint32_t gtr_crc_bytes(uint32_t crc, const void *bytes, size_t n)
{
    return (uint32_t)crc32_z(crc, bytes, n);
}

/* The numbers lie in the struct as they are summed, one behind the other. */
_Static_assert(offsetof(struct gtr_step, skipped) == GTR_STEP_BYTES - 1, "no gaps between numbers");

size_t gtr_step_pack(const struct gtr_step *step, unsigned char *bytes)
{
    memcpy(bytes, step, GTR_STEP_BYTES - 1);
    bytes[GTR_STEP_BYTES - 1] = step->skipped;
    if (step->rest == 0.0)
        return GTR_STEP_BYTES;
    memcpy(bytes + GTR_STEP_BYTES, &step->rest, sizeof step->rest);
    return GTR_STEP_BYTES_MOST;
}

void gtr_step_unpack(const unsigned char *bytes, size_t n, struct gtr_step *step)
{
    *step = (struct gtr_step){ 0 };
    memcpy(step, bytes, GTR_STEP_BYTES - 1);
    step->skipped = bytes[GTR_STEP_BYTES - 1] != 0;
    if (n == GTR_STEP_BYTES_MOST)
        memcpy(&step->rest, bytes + GTR_STEP_BYTES, sizeof step->rest);
}

uint32_t gtr_crc_values(const struct gtr_row *row, size_t n_tensors)
{
    uint32_t crc = gtr_crc_bytes(0, row->sumsq, n_tensors * sizeof *row->sumsq);

    crc = gtr_crc_bytes(crc, row->maxabs, n_tensors * sizeof *row->maxabs);
    crc = gtr_crc_bytes(crc, row->nonfinite, n_tensors * sizeof *row->nonfinite);
    if (row->param_sumsq != NULL)
        crc = gtr_crc_bytes(crc, row->param_sumsq, n_tensors * sizeof *row->param_sumsq);
    return crc;
}

uint32_t gtr_crc_row(const struct gtr_step *step, uint32_t values, size_t n_tensors,
                     bool param_norms)
{
    unsigned char bytes[GTR_STEP_BYTES_MOST];
    size_t n = gtr_step_pack(step, bytes);

    return (uint32_t)crc32_combine(gtr_crc_bytes(0, bytes, n), values,
                                   (z_off_t)gtr_row_bytes(n_tensors, param_norms));
}

size_t gtr_row_bytes(size_t n_tensors, bool param_norms)
{
    return n_tensors *
           (sizeof(double) + sizeof(float) + sizeof(uint64_t) + (param_norms ? sizeof(double) : 0));
}
