/* sweep.h - objectives of many settings over one trace.
 *
 * A setting's lanes run side by side over the groups, step by step; sums stream, so memory grows
 * with settings and not with settings x steps.  Vector kernels run many settings at once, and
 * GPUs millions; they give the bits of the scalar path (gtr_sweep_one), which tests hold them to.
 */
#ifndef GTR_SWEEP_H
#define GTR_SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "baseline.h"
#include "device.h"
#include "err.h"
#include "objectives.h"
#include "plan.h"
#include "public.h"
#include "replay.h"

GTR_PUBLIC_BEGIN

/* Widths of the kernels; AUTO takes the widest that this processor has. */
enum gtr_sweep_kernel {
    GTR_SWEEP_AUTO,
    GTR_SWEEP_SCALAR,
    GTR_SWEEP_SSE2,
    GTR_SWEEP_AVX2,
    GTR_SWEEP_AVX512
};

struct gtr_sweep_options {
    size_t n_threads;             /* 0: all */
    int scales_only;              /* 1: leave out what needs logarithms and directions (NaN) */
    enum gtr_sweep_kernel kernel; /* for tests; one that is named runs on the CPU */
    struct gtr_device device;     /* all zeros: GPUs if any answer and the work is worth it */
    /* Called now and then, from any thread but never by two at once, with how many settings are
     * done; NULL for none.  Returning nonzero stops the sweep: what is done is done. */
    int (*progress)(void *context, size_t done, size_t total);
    void *context;
};

/* Objectives of one setting by the scalar functions of the policy headers: the definition.
 * `params`: [G], bound and fitted.  Fails only for want of memory. */
enum gtr_code gtr_sweep_one(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                            enum gtr_policy_id policy, const union gtr_params *params,
                            int scales_only, double objectives[GTR_OBJECTIVE_COUNT],
                            struct gtr_err *err);

/* Runs settings first .. first + count - 1 of the plan into out[count][GTR_OBJECTIVE_COUNT]; rows
 * of settings that the plan does not allow are NaN.  *n_done: rows that are complete, from the
 * first on (fewer than count if progress stopped it). */
enum gtr_code gtr_sweep_run(const struct gtr_replay *replay, const struct gtr_baseline *baseline,
                            const struct gtr_plan *plan, size_t first, size_t count,
                            const struct gtr_sweep_options *options, double *out, size_t *n_done,
                            struct gtr_err *err);

GTR_PUBLIC_END

#endif
