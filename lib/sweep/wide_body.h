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
 *   ROOT, F32          square root; rounded to fp32
 *   ANY(m), ALWAYS     holds a mask in any lane?  A mask that holds in all
 *   COUNT(c, m)        c and one more where m; starts from zero bits
 *   COUNTED(c)         such a count as a double
 *
 * Steps are outermost.  Within a step, one vector of settings goes through all groups: its counts
 * stay in registers, and as groups do not wait for each other, the processor overlaps them.
 */
#define INLINE TARGET static inline __attribute__((always_inline))

#include "wide_steps.h"

#include "wide_tally.h"

enum { FIELDS_MAX = sizeof(union gtr_params) / sizeof(double) };

/* Parameters of one vector of settings, in registers or on the stack: what a step makes of them
 * alone is then made once for all groups. */
INLINE void load_params(const struct gtr_wide *wide, enum gtr_policy_id policy, size_t group,
                        size_t at, WIDE *p)
{
    const size_t n = n_fields(policy);
    const double *from =
        wide->params + (wide->n_params == 1 ? 0 : group) * n * GTR_SWEEP_LANES + at;
    size_t k;

#pragma GCC unroll 16
    for (k = 0; k < n; k++)
        p[k] = LOAD(from + k * GTR_SWEEP_LANES);
}

/* What all groups see of a row. */
INLINE void see_row(const struct gtr_wide *wide, size_t r, size_t at, struct wide_obs *obs)
{
    const struct gtr_sweep_row *row = &wide->rows->row[r];
    size_t k;

    obs->total = SPLAT(row->total);
    obs->progress = SPLAT(row->progress);
    obs->loss = SPLAT(row->loss);
    obs->total_maxabs = SPLAT(row->total_maxabs);
    obs->seen = SPLAT((double)r);
    for (k = 0; k < GTR_GIVEN; k++)
        obs->given[k] = wide->look != NULL ? LOAD(wide->given[k] + at) : SPLAT(0.0);
}

INLINE void see_cell(const struct gtr_wide *wide, const struct gtr_sweep_cell *cell, size_t group,
                     struct wide_obs *obs)
{
    obs->sumsq = SPLAT(cell->sumsq);
    obs->norm = SPLAT(cell->norm);
    obs->maxabs = SPLAT(cell->maxabs);
    obs->weight = SPLAT(cell->weight);
    obs->numel = SPLAT(wide->rows->numel[group]);
}

/* One vector of settings through the groups of step r, each by itself.  `same`: all groups have the
 * same parameters, so that what depends on these alone is made before the loop. */
INLINE void by_group(struct gtr_wide *wide, enum gtr_policy_id policy, size_t r, size_t at,
                     bool usual, bool full, bool same)
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    WIDE p[FIELDS_MAX];
    struct wide_obs obs;
    struct gathered g;
    size_t j;

    gather_begin(&wide->shared, at, &g);
    see_row(wide, r, at, &obs);
    load_params(wide, policy, 0, at, p);
    see_ahead(policy, p, &obs);
    for (j = 0; j < rows->n_groups; j++) {
        WIDE s = SPLAT(1.0);

        if (j != rows->left_out) {
            struct wide_action act;

            if (!same) {
                load_params(wide, policy, j, at, p);
                see_ahead(policy, p, &obs);
            }
            see_cell(wide, &cell[j], j, &obs);
            act = step_of(policy, p, state_of(wide, policy, j) + at, &obs, usual);
            s = act.scale;
            g.capped = COUNT(g.capped, act.capped);
            g.empty = COUNT(g.empty, ABOVE(act.lower, act.upper));
            gather_scale(&g, &wide->sums[j], at, s);
        }
        if (full)
            gather_direction(&g, j, cell[j].energy, s);
    }
    if (full)
        add_cosine(&wide->shared, &g, rows->row[r].energy, at);
    gather_end(&wide->shared, &g, at);
}

/* The same where one decision is made for all of them, which may be to leave the step out. */
INLINE void as_a_whole(struct gtr_wide *wide, enum gtr_policy_id policy, size_t r, size_t at,
                       bool usual, bool full)
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    WIDE p[FIELDS_MAX], s;
    struct wide_obs obs;
    struct wide_action act;
    struct gathered g;
    size_t j;

    gather_begin(&wide->shared, at, &g);
    see_row(wide, r, at, &obs);
    see_cell(wide, cell, 0, &obs);
    load_params(wide, policy, 0, at, p);
    see_ahead(policy, p, &obs);
    act = step_of(policy, p, state_of(wide, policy, 0) + at, &obs, usual);
    s = PICK(act.skip, SPLAT(0.0), act.scale);
    for (j = 0; j < rows->n_groups; j++) {
        if (j != rows->left_out)
            gather_whole(&g, &wide->shared, &wide->sums[j], at, &act);
        if (full)
            gather_direction(&g, j, cell[j].energy, s);
    }
    STORE(wide->shared.skips + at, PICK(act.skip, SPLAT(1.0), SPLAT(0.0)));
    STORE(wide->shared.unbased + at, LOAD(wide->shared.unbased + at) +
                                         PICK(act.skip, SPLAT(rows->row[r].n_based), SPLAT(0.0)));
    if (full)
        add_cosine(&wide->shared, &g, rows->row[r].energy, at);
    if (full && policy == GTR_GLOBAL)
        add_spill(&wide->shared, &rows->row[r], at);
    gather_end(&wide->shared, &g, at);
}

/* All rows.  Of constants the compiler makes a loop for each. */
INLINE void run_rows(struct gtr_wide *wide, enum gtr_policy_id policy, bool usual, bool full)
{
    const bool whole = unit_of(policy) == GTR_WHOLE;
    size_t r, at;

    for (r = 0; r < wide->rows->n_rows; r++) {
        if (wide->look != NULL)
            gtr_sweep_look_push(wide->look, wide->rows, r);
        for (at = 0; at < GTR_SWEEP_LANES; at += WIDTH) {
            if (whole)
                as_a_whole(wide, policy, r, at, usual, full);
            else if (usual && wide->n_params == 1)
                by_group(wide, policy, r, at, usual, full, true);
            else
                by_group(wide, policy, r, at, usual, full, wide->n_params == 1);
        }
        if (full && whole)
            gather_logs_of_whole(wide, r);
        else if (full)
            gather_logs_by_group(wide, r);
    }
}

/* Without `usual` for most: it is false then. */
INLINE void run_policy(struct gtr_wide *wide, enum gtr_policy_id policy)
{
    if (has_usual(policy) && wide->usual && wide->scales_only)
        run_rows(wide, policy, has_usual(policy), false);
    else if (has_usual(policy) && wide->usual)
        run_rows(wide, policy, has_usual(policy), true);
    else if (wide->scales_only)
        run_rows(wide, policy, false, false);
    else
        run_rows(wide, policy, false, true);
}

#define X(ID, stem, unit)                                \
    TARGET static void run_##stem(struct gtr_wide *wide) \
    {                                                    \
        run_policy(wide, ID);                            \
    }
GTR_POLICIES(X)
#undef X

static double counted(double count)
{
    return COUNTED(count);
}

#define RUN(ID, stem, unit) [ID] = run_##stem,
#define KERNEL                                           \
    {                                                    \
        .run = { GTR_POLICIES(RUN) }, .counted = counted \
    }
