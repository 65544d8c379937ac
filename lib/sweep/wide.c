/* wide.c - settings into vectors and out again, and which kernel this processor can run. */
#include "wide.h"

#include <math.h>
#include <string.h>

#include "catalogue.h"
#include "isa.h"
#include "sweep_lane.h"

enum { LANES = GTR_SWEEP_LANES };

/* --- kernels ---------------------------------------------------------------------------------- */

#ifdef __x86_64__
const struct gtr_wide_kernel *gtr_wide_find(enum gtr_sweep_kernel kernel)
{
    static const struct gtr_wide_kernel *const kernels[GTR_ISA_COUNT] = {
        [GTR_ISA_PORTABLE] = &gtr_wide_sse2,
        [GTR_ISA_AVX2] = &gtr_wide_avx2,
        [GTR_ISA_AVX512] = &gtr_wide_avx512,
    };
    enum gtr_isa isa = (enum gtr_isa)(kernel - GTR_SWEEP_SSE2);

    if (kernel == GTR_SWEEP_AUTO)
        return kernels[gtr_isa_find()];
    return kernel != GTR_SWEEP_SCALAR && gtr_isa_here(isa) ? kernels[isa] : NULL;
}
#else
const struct gtr_wide_kernel *gtr_wide_find(enum gtr_sweep_kernel kernel)
{
    (void)kernel;
    return NULL;
}
#endif

/* --- into vectors ----------------------------------------------------------------------------- */

/* Doubles in the structs of a policy. */
#define DOUBLES(type) (sizeof(type) / sizeof(double))

static size_t n_fields(enum gtr_policy_id policy)
{
    static const size_t n[GTR_POLICY_COUNT] = {
#define X(ID, stem, unit) [ID] = DOUBLES(struct gtr_##stem##_params),
        GTR_POLICIES(X)
#undef X
    };

    return n[policy];
}

static size_t n_state(enum gtr_policy_id policy)
{
    static const size_t n[GTR_POLICY_COUNT] = {
#define X(ID, stem, unit) [ID] = DOUBLES(struct gtr_##stem##_state),
        GTR_POLICIES(X)
#undef X
    };

    return n[policy];
}

size_t gtr_wide_size(size_t n_groups)
{
    size_t group =
        sizeof(struct gtr_wide_sums) + (sizeof(union gtr_params) + sizeof(union gtr_state)) * LANES;

    return sizeof(struct gtr_wide) + n_groups * group;
}

/* Do all groups of each setting have the same parameters? */
static bool all_same(enum gtr_policy_id policy, const union gtr_params *params, size_t n_groups,
                     size_t n)
{
    size_t size = n_fields(policy) * sizeof(double), i, j;

    for (i = 0; i < n; i++)
        for (j = 1; j < n_groups; j++)
            if (memcmp(&params[i * n_groups], &params[i * n_groups + j], size) != 0)
                return false;
    return true;
}

bool gtr_wide_fits(const struct gtr_sweep_rows *rows, enum gtr_policy_id policy,
                   const union gtr_params *params, size_t n)
{
    return gtr_policy_unit(policy) != GTR_WHOLE || all_same(policy, params, rows->n_groups, n);
}

/* Word by word from a struct of n doubles to lane i of arrays. */
static void spread(const void *from, size_t n, size_t i, double *to)
{
    double value;
    size_t k;

    for (k = 0; k < n; k++) {
        memcpy(&value, (const char *)from + k * sizeof value, sizeof value);
        to[k * LANES + i] = value;
    }
}

/* Lanes that are left over run the last setting once more. */
static void pack(struct gtr_wide *wide, enum gtr_policy_id policy, const union gtr_params *params,
                 size_t n)
{
    size_t n_groups = wide->rows->n_groups, fields = n_fields(policy), i, j;

    wide->usual = true;
    for (j = 0; j < wide->n_params; j++)
        for (i = 0; i < LANES; i++) {
            const union gtr_params *p = &params[(i < n ? i : n - 1) * n_groups + j];

            spread(p, fields, i, wide->params + j * fields * LANES);
            wide->usual = wide->usual && gtr_policy_is_usual(policy, p);
            if (policy == GTR_GLOBAL)
                wide->shared.log_limit[i] = gtr_log_limit(&p->global);
        }
}

static void clear(struct gtr_wide *wide, enum gtr_policy_id policy, const union gtr_params *params,
                  size_t n)
{
    size_t n_groups = wide->rows->n_groups, words = n_state(policy), i, j;
    union gtr_state state;

    memset(wide->sums, 0, n_groups * sizeof *wide->sums);
    memset(&wide->shared, 0, sizeof wide->shared);
    for (i = 0; i < LANES; i++) {
        wide->shared.scale_min[i] = HUGE_VAL;
        for (j = 0; j < n_groups; j++) {
            gtr_policy_init(policy, &params[(i < n ? i : n - 1) * n_groups + j], &state);
            spread(&state, words, i, wide->state + j * words * LANES);
        }
    }
}

/* --- and out again ---------------------------------------------------------------------------- */

static void unpack(const struct gtr_wide_kernel *kernel, const struct gtr_wide *wide, size_t i,
                   double out[GTR_OBJECTIVE_COUNT])
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_wide_shared *shared = &wide->shared;
    struct gtr_whole whole = { .cos_sum = shared->cos_sum[i],
                               .cos_steps = shared->cos_steps[i],
                               .spilled_sum = shared->spilled[i],
                               .attenuation_sum = shared->attenuation[i] };
    struct gtr_tally pooled, group;
    size_t j;

    gtr_tally_init(&pooled);
    gtr_tally_init(&group);
    for (j = 0; j < rows->n_groups; j++) {
        if (j == rows->left_out)
            continue;
        group.decisions = (uint32_t)rows->n_rows;
        group.scale_sum = wide->sums[j].scale[i];
        group.log_sum = wide->sums[j].log[i];
        group.ratio_sum = wide->sums[j].ratio[i];
        group.ratio_squares = wide->sums[j].ratio_squares[i];
        group.leak_sum = wide->sums[j].leak[i];
        gtr_tally_merge(&pooled, &group);
    }
    pooled.clipped = (uint32_t)kernel->counted(shared->clipped[i]);
    pooled.raised = (uint32_t)kernel->counted(shared->raised[i]);
    pooled.capped = (uint32_t)kernel->counted(shared->capped[i]);
    pooled.empty = (uint32_t)kernel->counted(shared->empty[i]);
    pooled.skipped = (uint32_t)kernel->counted(shared->skipped[i]);
    pooled.based = (uint32_t)(rows->based - shared->unbased[i]);
    pooled.spikes = (uint32_t)rows->spikes;
    pooled.scale_min = shared->scale_min[i];
    pooled.scale_max = shared->scale_max[i];
    gtr_objectives(&pooled, &whole, wide->scales_only, out);
}

bool gtr_wide_run(const struct gtr_wide_kernel *kernel, const struct gtr_sweep_rows *rows,
                  enum gtr_policy_id policy, const union gtr_params *params, size_t n,
                  int scales_only, struct gtr_sweep_space *space, double *out)
{
    struct gtr_wide *wide = space->wide;
    size_t n_groups = rows->n_groups, i;

    if (!gtr_sweep_look_begin(&space->look, gtr_policy_spec(policy), params, n_groups, n,
                              rows->n_rows))
        return false;
    wide->rows = rows;
    wide->look = space->look.look != NULL ? &space->look : NULL;
    memset(wide->given, 0, sizeof wide->given);
    space->look.given = wide->given;
    wide->scales_only = scales_only != 0;
    wide->n_params = all_same(policy, params, n_groups, n) ? 1 : n_groups;
    wide->sums = (void *)(wide + 1);
    wide->params = (void *)(wide->sums + n_groups);
    wide->state = wide->params + wide->n_params * n_fields(policy) * LANES;
    clear(wide, policy, params, n);
    pack(wide, policy, params, n);
    kernel->run[policy](wide);
    for (i = 0; i < n; i++)
        unpack(kernel, wide, i, out + i * GTR_OBJECTIVE_COUNT);
    return true;
}
