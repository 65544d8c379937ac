/* sample.h - which blocks of a tensor are kept when elements are sampled.
 *
 * Optimizers like Adam work element by element, so a fixed subset of the elements replays exactly,
 * and estimates the totals of its group without bias.  The subset is made of aligned blocks, the
 * same at every step, and is a pure function of what the trace says: the tensor's name and numel,
 * the block size, the fraction and the seed.
 *
 * A tensor of n blocks (the last may be short) keeps k = round(fraction * n) of them, at least 1,
 * drawn without replacement; their elements are stored block after block in rising order.
 */
#ifndef GTR_SAMPLE_H
#define GTR_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "public.h"

GTR_PUBLIC_BEGIN

struct gtr_sampling {
    int64_t block;   /* elements; 1024 unless another program wrote the trace */
    double fraction; /* in (0, 1] */
    int64_t seed;
};

/* The blocks kept, rising: a new array of *n_kept block numbers.  Free with gtr_free. */
enum gtr_code gtr_sample_blocks(const struct gtr_sampling *sampling, const char *name,
                                uint64_t numel, uint64_t **blocks, size_t *n_kept,
                                struct gtr_err *err);

/* Elements that they hold together. */
uint64_t gtr_sample_numel(const struct gtr_sampling *sampling, const char *name, uint64_t numel);

GTR_PUBLIC_END

#endif
