/* wide.h - many settings side by side: one lane each of vectors of doubles.
 *
 * A kernel is compiled once per instruction set from wide_body.h.  All give the bits of the scalar
 * path: a lane does the same exactly rounded operations in the same order, with masks where the
 * scalar text branches.  Policies that have no wide text are left to the scalar path.
 *
 * Parameters and sums lie as arrays of GTR_SWEEP_LANES, one for each setting of the block.
 */
#ifndef GTR_WIDE_H
#define GTR_WIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep_block.h"

enum { GTR_WIDE_ALIGN = 64 };

/* Of a group, or of all if they have the same. */
struct gtr_wide_aggc {
    _Alignas(GTR_WIDE_ALIGN) double beta[GTR_SWEEP_LANES];
    double fresh[GTR_SWEEP_LANES]; /* 1 - beta */
    double low[GTR_SWEEP_LANES], high[GTR_SWEEP_LANES];
    double low_late[GTR_SWEEP_LANES], high_late[GTR_SWEEP_LANES]; /* what holds after the end */
    double switch_at[GTR_SWEEP_LANES], end[GTR_SWEEP_LANES];      /* without schedule: never */
    double span[GTR_SWEEP_LANES];
    double min_norm[GTR_SWEEP_LANES], max_norm[GTR_SWEEP_LANES];
    double may_clip[GTR_SWEEP_LANES];    /* upper ends above it clip: 0, of the equations -1 */
    double margin_up[GTR_SWEEP_LANES];   /* a norm clips if it is above upper by this */
    double margin_down[GTR_SWEEP_LANES]; /* raised if below lower by this; infinite: never */
    double max_up[GTR_SWEEP_LANES];      /* infinite: no cap */
    double max_down[GTR_SWEEP_LANES];
    double norm_eps[GTR_SWEEP_LANES];
    double init_zero[GTR_SWEEP_LANES];
    double form[GTR_SWEEP_LANES];
    double earliest, latest; /* outside (earliest, latest) no lane is between its pairs */
};

struct gtr_wide_limit {
    _Alignas(GTR_WIDE_ALIGN) double max_norm[GTR_SWEEP_LANES];
    double eps[GTR_SWEEP_LANES];
    double strict[GTR_SWEEP_LANES];
    double log_limit[GTR_SWEEP_LANES];
};

/* Sums of one group, kept apart because they round. */
struct gtr_wide_sums {
    _Alignas(GTR_WIDE_ALIGN) double ema[GTR_SWEEP_LANES];
    double scale[GTR_SWEEP_LANES];
    double log[GTR_SWEEP_LANES];
    double ratio[GTR_SWEEP_LANES], ratio_squares[GTR_SWEEP_LANES];
    double leak[GTR_SWEEP_LANES];
    double now[GTR_SWEEP_LANES]; /* scale of the step */
};

/* What does not depend on the order of groups.  Counts are in the kernel's own form. */
struct gtr_wide_shared {
    _Alignas(GTR_WIDE_ALIGN) double clipped[GTR_SWEEP_LANES], raised[GTR_SWEEP_LANES];
    double capped[GTR_SWEEP_LANES], empty[GTR_SWEEP_LANES];
    double scale_min[GTR_SWEEP_LANES], scale_max[GTR_SWEEP_LANES];
    double cos_sum[GTR_SWEEP_LANES], cos_steps[GTR_SWEEP_LANES];
    double spilled[GTR_SWEEP_LANES], attenuation[GTR_SWEEP_LANES];
};

/* One worker's block.  [G] arrays behind it, in the same memory. */
struct gtr_wide {
    const struct gtr_sweep_rows *rows;
    bool scales_only;
    bool plain;      /* aggc: every lane has form=code and no norm_eps */
    size_t n_params; /* 1: all groups have the same, else G */
    struct gtr_wide_shared shared;
    struct gtr_wide_sums *sums;   /* [G] */
    struct gtr_wide_aggc *aggc;   /* [G] */
    struct gtr_wide_limit *limit; /* [G] */
};

struct gtr_wide_kernel {
    void (*run[GTR_POLICY_COUNT])(struct gtr_wide *wide); /* NULL: the policy has no wide text */
    double (*counted)(double count);                      /* a count as a number */
};

extern const struct gtr_wide_kernel gtr_wide_sse2, gtr_wide_avx2, gtr_wide_avx512;

/* The kernel, for AUTO the widest; NULL if the processor does not have it, and for SCALAR. */
const struct gtr_wide_kernel *gtr_wide_find(enum gtr_sweep_kernel kernel);

/* Bytes of a struct gtr_wide and its arrays, to be aligned to GTR_WIDE_ALIGN. */
size_t gtr_wide_size(size_t n_groups);

/* As gtr_sweep_block; false if the kernel cannot run these settings. */
bool gtr_wide_run(const struct gtr_wide_kernel *kernel, const struct gtr_sweep_rows *rows,
                  enum gtr_policy_id policy, const union gtr_params *params, size_t n,
                  int scales_only, struct gtr_wide *wide, double *out);

#endif
