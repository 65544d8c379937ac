/* wide_body.h - the text of every kernel of wide.h; included once per instruction set.
 *
 * The file that includes it says what a vector is:
 *
 *   TARGET             attribute that lets a function use the instruction set
 *   WIDE, BITS, WIDTH  vectors of WIDTH doubles, and of 64-bit unsigned integers; C's operators
 *   MASK               what a comparison gives; BOTH, EITHER, NOT_SECOND (a and not b) join two
 *   SPLAT, EACH        a vector of one double, of one integer
 *   LOAD, STORE        of aligned doubles
 *   ABOVE, NOT_BELOW, EQUAL, DIFFER   a > b, a >= b, a == b, a < b or b < a; false if one is NaN
 *   PICK(m, a, b)      a where m, else b
 *   MAX, MIN           a > b ? a : b and a < b ? a : b, so b if one is NaN
 *   ROOT               square root
 *   COUNT(c, m)        c and one more where m; starts from zero bits
 *   COUNTED(c)         such a count as a double
 *
 * Steps are outermost.  Within a step, one vector of settings goes through all groups: its counts
 * stay in registers, and as groups do not wait for each other, the processor overlaps them.
 */
#define INLINE TARGET static inline __attribute__((always_inline))

#include "wide_tally.h"

#include "wide_aggc.h"

/* One vector of settings through the groups of step r. */
INLINE void aggc_groups(struct gtr_wide *wide, size_t r, size_t at, bool plain, bool full)
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    const struct gtr_wide_aggc *p = wide->aggc;
    bool same = wide->n_params == 1;
    struct gathered g;
    WIDE low, high;
    size_t j;

    gather_begin(&wide->shared, at, &g);
    multipliers(p, rows->row[r].progress, at, &low, &high);
    for (j = 0; j < rows->n_groups; j++) {
        struct gtr_wide_sums *sums = &wide->sums[j];
        WIDE s = SPLAT(1.0);

        if (j != rows->left_out) {
            MASK capped, empty;

            if (!same) {
                p = &wide->aggc[j];
                multipliers(p, rows->row[r].progress, at, &low, &high);
            }
            s = aggc_step(p, sums, &cell[j], at, low, high, plain, r == 0, &capped, &empty);
            g.capped = COUNT(g.capped, capped);
            g.empty = COUNT(g.empty, empty);
            gather_scale(&g, sums, at, s);
        }
        if (full)
            gather_direction(&g, j, cell[j].energy, s);
    }
    if (full)
        add_cosine(&wide->shared, &g, rows->row[r].energy, at);
    gather_end(&wide->shared, &g, at);
}

/* gtr_clip_ratio. */
INLINE WIDE clip_ratio(WIDE limit, WIDE norm, WIDE eps)
{
    WIDE ratio = limit / (norm + eps), one = SPLAT(1.0);

    return PICK(ABOVE(ratio, one), one, ratio);
}

INLINE void group_groups(struct gtr_wide *wide, size_t r, size_t at, bool full)
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    struct gathered g;
    size_t j;

    gather_begin(&wide->shared, at, &g);
    for (j = 0; j < rows->n_groups; j++) {
        const struct gtr_wide_limit *p = &wide->limit[wide->n_params == 1 ? 0 : j];
        WIDE s = SPLAT(1.0);

        if (j != rows->left_out) {
            s = clip_ratio(LOAD(p->max_norm + at), SPLAT(cell[j].norm), LOAD(p->eps + at));
            gather_scale(&g, &wide->sums[j], at, s);
        }
        if (full)
            gather_direction(&g, j, cell[j].energy, s);
    }
    if (full)
        add_cosine(&wide->shared, &g, rows->row[r].energy, at);
    gather_end(&wide->shared, &g, at);
}

/* gtr_whole_add_spill. */
INLINE void add_spill(struct gtr_wide *wide, const struct gtr_sweep_row *row, size_t at)
{
    WIDE twice = SPLAT(2.0) * LOAD(wide->limit->log_limit + at), half = SPLAT(0.5);
    WIDE all = MAX(half * (SPLAT(row->log_energy) - twice), SPLAT(0.0));
    WIDE fair = MAX(half * (SPLAT(row->log_fair) - twice), SPLAT(0.0));
    struct gtr_wide_shared *shared = &wide->shared;

    STORE(shared->attenuation + at, LOAD(shared->attenuation + at) + all);
    STORE(shared->spilled + at, LOAD(shared->spilled + at) + (all - fair) * SPLAT(row->bystanders));
}

/* One scale for all groups. */
INLINE void global_groups(struct gtr_wide *wide, size_t r, size_t at, bool full)
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    const struct gtr_wide_limit *p = wide->limit;
    WIDE total = SPLAT(rows->row[r].total), limit = LOAD(p->max_norm + at);
    WIDE eps = LOAD(p->eps + at), one = SPLAT(1.0), s = limit / (total + eps);
    MASK lax = EQUAL(LOAD(p->strict + at), SPLAT(0.0));
    MASK whole = EITHER(BOTH(lax, ABOVE(s, one)), NOT_SECOND(ABOVE(limit, total), lax));
    struct gathered g;
    size_t j;

    s = PICK(whole, one, s);
    gather_begin(&wide->shared, at, &g);
    for (j = 0; j < rows->n_groups; j++) {
        if (j != rows->left_out)
            gather_scale(&g, &wide->sums[j], at, s);
        if (full)
            gather_direction(&g, j, cell[j].energy, s);
    }
    if (full) {
        add_cosine(&wide->shared, &g, rows->row[r].energy, at);
        add_spill(wide, &rows->row[r], at);
    }
    gather_end(&wide->shared, &g, at);
}

/* All rows.  Of constants the compiler makes a loop for each. */
INLINE void run_rows(struct gtr_wide *wide, enum gtr_policy_id policy, bool plain, bool full)
{
    size_t r, at;

    for (r = 0; r < wide->rows->n_rows; r++) {
        for (at = 0; at < GTR_SWEEP_LANES; at += WIDTH) {
            if (policy == GTR_AGGC)
                aggc_groups(wide, r, at, plain, full);
            else if (policy == GTR_GLOBAL)
                global_groups(wide, r, at, full);
            else
                group_groups(wide, r, at, full);
        }
        if (full)
            gather_logs(wide, r, policy == GTR_GLOBAL);
    }
}

TARGET static void run_aggc(struct gtr_wide *wide)
{
    if (wide->plain && wide->scales_only)
        run_rows(wide, GTR_AGGC, true, false);
    else if (wide->plain)
        run_rows(wide, GTR_AGGC, true, true);
    else if (wide->scales_only)
        run_rows(wide, GTR_AGGC, false, false);
    else
        run_rows(wide, GTR_AGGC, false, true);
}

TARGET static void run_global(struct gtr_wide *wide)
{
    if (wide->scales_only)
        run_rows(wide, GTR_GLOBAL, false, false);
    else
        run_rows(wide, GTR_GLOBAL, false, true);
}

TARGET static void run_group(struct gtr_wide *wide)
{
    if (wide->scales_only)
        run_rows(wide, GTR_GROUP, false, false);
    else
        run_rows(wide, GTR_GROUP, false, true);
}

static double counted(double count)
{
    return COUNTED(count);
}

#define KERNEL                                                                                \
    {                                                                                         \
        .run = { [GTR_AGGC] = run_aggc, [GTR_GLOBAL] = run_global, [GTR_GROUP] = run_group }, \
        .counted = counted                                                                    \
    }
