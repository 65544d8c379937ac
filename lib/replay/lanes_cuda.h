/* lanes_cuda.h - the lanes of one setting on a GPU; for replay.c. */
#ifndef GTR_LANES_CUDA_H
#define GTR_LANES_CUDA_H

#include "cuda.h"
#include "err.h"
#include "policy.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef GTR_CUDA

/* Runs n_lanes lanes on GPU `number`, and waits.  policy and params: one each a lane, as numel if
 * it is not NULL; in->sumsq, maxabs and weight and all that `out` has: [n_lanes][n_steps], the rest
 * of *in is shared. */
enum gtr_code gtr_lanes_cuda(int number, const enum gtr_policy_id *policy,
                             const union gtr_params *params, const double *numel, size_t n_lanes,
                             const struct gtr_lane_input *in, const struct gtr_lane_output *out,
                             struct gtr_err *err);

#else

static inline enum gtr_code gtr_lanes_cuda(int number, const enum gtr_policy_id *policy,
                                           const union gtr_params *params, const double *numel,
                                           size_t n_lanes, const struct gtr_lane_input *in,
                                           const struct gtr_lane_output *out, struct gtr_err *err)
{
    (void)number, (void)policy, (void)params, (void)numel, (void)n_lanes, (void)in, (void)out;
    return gtr_cuda_missing(err);
}

#endif

#ifdef __cplusplus
}
#endif

#endif
