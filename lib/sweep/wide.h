/* wide.h - many settings side by side: one lane each of vectors of doubles.
 *
 * A kernel is compiled once per instruction set from wide_body.h.  All give the bits of the scalar
 * path: a lane does the same exactly rounded operations in the same order, with masks where the
 * scalar path branches.  Steps of policies are written once for both (operators.h).
 *
 * Parameters and sums lie as arrays of GTR_SWEEP_LANES, one for each setting of the block.
 */
#ifndef GTR_WIDE_H
#define GTR_WIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep_block.h"

enum { GTR_WIDE_ALIGN = 64 };

/* Sums of one group, kept apart because they round. */
struct gtr_wide_sums {
    _Alignas(GTR_WIDE_ALIGN) double scale[GTR_SWEEP_LANES];
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
    double log_limit[GTR_SWEEP_LANES]; /* of global */
    double skipped[GTR_SWEEP_LANES];   /* decisions in steps that the policy left out */
    double unbased[GTR_SWEEP_LANES];   /* and those of them that have a baseline */
    double skips[GTR_SWEEP_LANES];     /* 1 where it leaves out the step */
};

/* One worker's block.  Arrays behind it, in the same memory; parameters are those of one group, or
 * of all if they have the same. */
struct gtr_wide {
    const struct gtr_sweep_rows *rows;
    struct gtr_sweep_look *look; /* NULL if the policy does not look back */
    bool scales_only;
    bool usual;      /* gtr_policy_is_usual holds for every lane */
    size_t n_params; /* 1: all groups have the same, else G */
    struct gtr_wide_shared shared;
    _Alignas(GTR_WIDE_ALIGN) double given[GTR_GIVEN][GTR_SWEEP_LANES]; /* of the look-back */
    struct gtr_wide_sums *sums;                                        /* [G] */
    double *params; /* [n_params][fields][GTR_SWEEP_LANES] */
    double *state;  /* [G][fields][GTR_SWEEP_LANES] */
};

struct gtr_wide_kernel {
    void (*run[GTR_POLICY_COUNT])(struct gtr_wide *wide);
    double (*counted)(double count); /* a count as a number */
};

extern const struct gtr_wide_kernel gtr_wide_sse2, gtr_wide_avx2, gtr_wide_avx512;

/* The kernel, for AUTO the widest; NULL if the processor does not have it, and for SCALAR. */
const struct gtr_wide_kernel *gtr_wide_find(enum gtr_sweep_kernel kernel);

/* Bytes of a struct gtr_wide and its arrays, to be aligned to GTR_WIDE_ALIGN. */
size_t gtr_wide_size(size_t n_groups);

/* Can kernels run these settings?  A decision about the whole gradient is made once, so its groups
 * must have the same parameters. */
bool gtr_wide_fits(const struct gtr_sweep_rows *rows, enum gtr_policy_id policy,
                   const union gtr_params *params, size_t n);

/* As gtr_sweep_block, of settings that fit. */
bool gtr_wide_run(const struct gtr_wide_kernel *kernel, const struct gtr_sweep_rows *rows,
                  enum gtr_policy_id policy, const union gtr_params *params, size_t n,
                  int scales_only, struct gtr_sweep_space *space, double *out);

#endif
