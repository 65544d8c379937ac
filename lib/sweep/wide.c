/* wide.c - settings into vectors and out again, and which kernel this processor can run. */
#include "wide.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
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

size_t gtr_wide_size(size_t n_groups)
{
    size_t group =
        sizeof(struct gtr_wide_sums) + sizeof(struct gtr_wide_aggc) + sizeof(struct gtr_wide_limit);

    return sizeof(struct gtr_wide) + n_groups * group;
}

static void pack_aggc(struct gtr_wide_aggc *to, size_t i, const struct gtr_aggc_params *p)
{
    bool scheduled = p->schedule != 0.0, paper = p->form == (double)GTR_AGGC_PAPER;

    to->beta[i] = p->beta;
    to->fresh[i] = 1.0 - p->beta;
    to->low[i] = p->low;
    to->high[i] = p->high;
    to->low_late[i] = scheduled && p->low_late > 0.0 ? p->low_late : p->low;
    to->high_late[i] = scheduled && p->high_late > 0.0 ? p->high_late : p->high;
    to->switch_at[i] = scheduled ? p->switch_at : HUGE_VAL;
    to->end[i] = scheduled ? p->switch_at + p->transition : HUGE_VAL;
    to->span[i] = p->transition > 1e-6 ? p->transition : 1e-6;
    to->min_norm[i] = p->min_norm;
    to->max_norm[i] = p->max_norm;
    to->may_clip[i] = paper ? -1.0 : 0.0;
    to->margin_up[i] = paper ? 0.0 : 1e-12;
    to->margin_down[i] = p->raise == 0.0 ? HUGE_VAL : to->margin_up[i];
    to->max_up[i] = p->max_up > 0.0 ? p->max_up : HUGE_VAL;
    to->max_down[i] = p->max_down;
    to->norm_eps[i] = p->norm_eps;
    to->init_zero[i] = p->init_zero;
    to->form[i] = p->form;
    if (scheduled) {
        double last = to->end[i] > p->switch_at ? to->end[i] : nextafter(p->switch_at, HUGE_VAL);

        to->earliest = p->switch_at < to->earliest ? p->switch_at : to->earliest;
        to->latest = last > to->latest ? last : to->latest;
    }
}

static void pack_limit(struct gtr_wide_limit *to, size_t i, enum gtr_policy_id policy,
                       const union gtr_params *p)
{
    if (policy == GTR_GLOBAL) {
        to->max_norm[i] = p->global.max_norm;
        to->eps[i] = p->global.eps;
        to->strict[i] = p->global.strict;
        to->log_limit[i] = gtr_log_limit(&p->global);
    } else {
        to->max_norm[i] = p->group.max_norm;
        to->eps[i] = p->group.eps;
    }
}

static size_t params_size(enum gtr_policy_id policy)
{
    return policy == GTR_AGGC     ? sizeof(struct gtr_aggc_params)
           : policy == GTR_GLOBAL ? sizeof(struct gtr_global_params)
                                  : sizeof(struct gtr_group_params);
}

/* Do all groups of each setting have the same parameters? */
static bool all_same(enum gtr_policy_id policy, const union gtr_params *params, size_t n_groups,
                     size_t n)
{
    size_t size = params_size(policy), i, j;

    for (i = 0; i < n; i++)
        for (j = 1; j < n_groups; j++)
            if (memcmp(&params[i * n_groups], &params[i * n_groups + j], size) != 0)
                return false;
    return true;
}

/* Lanes that are left over run the last setting once more. */
static void pack(struct gtr_wide *wide, enum gtr_policy_id policy, const union gtr_params *params,
                 size_t n)
{
    size_t n_groups = wide->rows->n_groups, i, j;

    wide->plain = true;
    for (j = 0; j < wide->n_params; j++) {
        wide->aggc[j].earliest = HUGE_VAL;
        wide->aggc[j].latest = -HUGE_VAL;
        for (i = 0; i < LANES; i++) {
            const union gtr_params *p = &params[(i < n ? i : n - 1) * n_groups + j];

            if (policy == GTR_AGGC) {
                pack_aggc(&wide->aggc[j], i, &p->aggc);
                wide->plain = wide->plain && gtr_sweep_is_plain(policy, p);
            } else {
                pack_limit(&wide->limit[j], i, policy, p);
            }
        }
    }
}

static void clear(struct gtr_wide *wide)
{
    size_t i;

    memset(wide->sums, 0, wide->rows->n_groups * sizeof *wide->sums);
    memset(&wide->shared, 0, sizeof wide->shared);
    for (i = 0; i < LANES; i++)
        wide->shared.scale_min[i] = HUGE_VAL;
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
    pooled.based = (uint32_t)rows->based;
    pooled.spikes = (uint32_t)rows->spikes;
    pooled.scale_min = shared->scale_min[i];
    pooled.scale_max = shared->scale_max[i];
    gtr_objectives(&pooled, &whole, wide->scales_only, out);
}

bool gtr_wide_run(const struct gtr_wide_kernel *kernel, const struct gtr_sweep_rows *rows,
                  enum gtr_policy_id policy, const union gtr_params *params, size_t n,
                  int scales_only, struct gtr_wide *wide, double *out)
{
    bool same = all_same(policy, params, rows->n_groups, n);
    size_t i;

    if (kernel->run[policy] == NULL || (policy == GTR_GLOBAL && !same))
        return false;
    wide->rows = rows;
    wide->scales_only = scales_only != 0;
    wide->n_params = same ? 1 : rows->n_groups;
    wide->sums = (void *)(wide + 1);
    wide->aggc = (void *)(wide->sums + rows->n_groups);
    wide->limit = (void *)(wide->aggc + rows->n_groups);
    pack(wide, policy, params, n);
    clear(wide);
    kernel->run[policy](wide);
    for (i = 0; i < n; i++)
        unpack(kernel, wide, i, out + i * GTR_OBJECTIVE_COUNT);
    return true;
}
