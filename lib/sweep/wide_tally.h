/* wide_tally.h - objectives.h for vectors: counts, logarithms and directions of a step.
 *
 * A second copy, for speed, of gtr_ln, gtr_tally_add and gtr_cosine, which are the definitions and
 * to which tests/unit/test_sweep.c holds it bit for bit.  Included by wide_body.h.
 */

/* What a vector of settings gathers over the groups of one step. */
struct gathered {
    WIDE clipped, raised, capped, empty, skipped; /* counts */
    WIDE least, most;
    WIDE sum_se, sum_sse, first;
    MASK equal;
};

/* Two logarithms at a time, because one would wait for itself. */
#define BOTH_OF(q, c)             \
    q##a = q##a * f4a + SPLAT(c); \
    q##b = q##b * f4b + SPLAT(c)
#define FIRST_OF(q, c, d)                  \
    WIDE q##a = SPLAT(c) * f4a + SPLAT(d); \
    WIDE q##b = SPLAT(c) * f4b + SPLAT(d)

/* The exponent and the rest of x.  There is no conversion from 64-bit integers in all sets: the
 * exponent, made positive, becomes the low bits of 2^52, from which what was added is taken away
 * again; both are exact. */
INLINE WIDE take_apart(WIDE x, WIDE *f)
{
    BITS bits = (BITS)x, above = bits - EACH(0x3fe5555555555555);
    BITS whole = ((above + EACH(0x4000000000000000)) >> 52) | EACH(0x4330000000000000);

    *f = (WIDE)(bits - (above & EACH(0xfff0000000000000))) - SPLAT(1.0);
    return (WIDE)whole - SPLAT(0x1.0000000000400p52);
}

/* gtr_ln of two vectors, in place. */
INLINE void logarithms(WIDE *a, WIDE *b)
{
    WIDE fa, fb, ka = take_apart(*a, &fa), kb = take_apart(*b, &fb);
    WIDE f2a = fa * fa, f2b = fb * fb, f4a = f2a * f2a, f4b = f2b * f2b;

    FIRST_OF(q0, -0x1.7d54d4748719ap-5, -0x1.24294aec07d34p-4);
    FIRST_OF(q1, 0x1.687a6e7c95177p-5, 0x1.10ac75dc602b1p-4);
    FIRST_OF(q2, -0x1.5acd867b5934fp-4, -0x1.050d658373864p-4);
    FIRST_OF(q3, 0x1.4b0a26c5f2aefp-4, 0x1.eb905e8575054p-5);
    BOTH_OF(q0, -0x1.99997156fdfe2p-4);
    BOTH_OF(q1, 0x1.745cf0b0e03bdp-4);
    BOTH_OF(q2, -0x1.555a8e7a10502p-4);
    BOTH_OF(q3, 0x1.3b18b294bebf9p-4);
    BOTH_OF(q0, -0x1.555555548f16fp-3);
    BOTH_OF(q1, 0x1.24924923d44c6p-3);
    BOTH_OF(q2, -0x1.00000058c63a3p-3);
    BOTH_OF(q3, 0x1.c71c727143318p-4);
    BOTH_OF(q0, -0x1.fffffffffffffp-2);
    BOTH_OF(q1, 0x1.5555555555555p-2);
    BOTH_OF(q2, -0x1.000000000055bp-2);
    BOTH_OF(q3, 0x1.999999999a3ddp-3);
    f2a = f2a * ((q0a + fa * q1a) + f2a * (q2a + fa * q3a));
    f2b = f2b * ((q0b + fb * q1b) + f2b * (q2b + fb * q3b));
    *a = ka * SPLAT(GTR_LN2_HIGH) + (fa + (f2a + ka * SPLAT(GTR_LN2_LOW)));
    *b = kb * SPLAT(GTR_LN2_HIGH) + (fb + (f2b + kb * SPLAT(GTR_LN2_LOW)));
}

/* ln s of two vectors of scales, in place. */
INLINE void logs_of_scales(WIDE *a, WIDE *b)
{
    WIDE one = SPLAT(1.0), zero = SPLAT(0.0), least = SPLAT(1e-300);
    MASK keep_a = EQUAL(*a, one), keep_b = EQUAL(*b, one);

    *a = MAX(*a, least);
    *b = MAX(*b, least);
    logarithms(a, b);
    *a = PICK(keep_a, zero, *a);
    *b = PICK(keep_b, zero, *b);
}

INLINE void gather_begin(const struct gtr_wide_shared *shared, size_t at, struct gathered *g)
{
    g->clipped = LOAD(shared->clipped + at);
    g->raised = LOAD(shared->raised + at);
    g->capped = LOAD(shared->capped + at);
    g->empty = LOAD(shared->empty + at);
    g->skipped = LOAD(shared->skipped + at);
    g->least = LOAD(shared->scale_min + at);
    g->most = LOAD(shared->scale_max + at);
    g->sum_se = g->sum_sse = g->first = SPLAT(0.0);
    g->equal = EQUAL(SPLAT(0.0), SPLAT(0.0));
}

INLINE void gather_scale(struct gathered *g, struct gtr_wide_sums *sums, size_t at, WIDE s)
{
    g->clipped = COUNT(g->clipped, ABOVE(SPLAT(1.0), s));
    g->raised = COUNT(g->raised, ABOVE(s, SPLAT(1.0)));
    g->least = MIN(s, g->least);
    g->most = MAX(s, g->most);
    STORE(sums->scale + at, LOAD(sums->scale + at) + s);
    STORE(sums->now + at, s);
}

/* A decision for the whole gradient, as it counts for one of its groups. */
INLINE void gather_whole(struct gathered *g, struct gtr_wide_shared *shared,
                         struct gtr_wide_sums *sums, size_t at, const struct wide_action *act)
{
    const WIDE zero = SPLAT(0.0), one = SPLAT(1.0);
    WIDE s = PICK(act->skip, one, act->scale);

    (void)shared;
    g->skipped = COUNT(g->skipped, act->skip);
    g->capped = COUNT(g->capped, NOT_SECOND(act->capped, act->skip));
    g->empty = COUNT(g->empty, NOT_SECOND(ABOVE(act->lower, act->upper), act->skip));
    g->clipped = COUNT(g->clipped, ABOVE(one, s));
    g->raised = COUNT(g->raised, ABOVE(s, one));
    g->least = MIN(PICK(act->skip, SPLAT(HUGE_VAL), s), g->least);
    g->most = MAX(PICK(act->skip, zero, s), g->most);
    STORE(sums->scale + at, LOAD(sums->scale + at) + PICK(act->skip, zero, s));
    STORE(sums->now + at, s);
}

/* Whether there is a baseline, and a spike, is the same for all settings.  Of a step that is left
 * out nothing is added. */
INLINE void gather_log(struct gtr_wide_sums *sums, const struct gtr_sweep_cell *cell,
                       double log_kappa, size_t at, WIDE log_s, bool may_skip, MASK skip)
{
    STORE(sums->log + at, LOAD(sums->log + at) + log_s);
    if (cell->based) {
        WIDE ratio = log_s + SPLAT(cell->log_ratio);

        if (may_skip)
            ratio = PICK(skip, SPLAT(-HUGE_VAL), ratio);
        if (cell->spike)
            STORE(sums->leak + at,
                  LOAD(sums->leak + at) + MAX(ratio - SPLAT(log_kappa), SPLAT(0.0)));
        if (may_skip)
            ratio = PICK(skip, SPLAT(0.0), ratio);
        STORE(sums->ratio + at, LOAD(sums->ratio + at) + ratio);
        STORE(sums->ratio_squares + at, LOAD(sums->ratio_squares + at) + ratio * ratio);
    }
}

/* The logarithms of a step, two vectors of settings at a time.  `whole`: all groups have the scale
 * of the first that is tallied, and a policy may have left the step out. */
INLINE void gather_logs(struct gtr_wide *wide, size_t r, bool whole)
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    size_t at, j;

    for (at = 0; at < GTR_SWEEP_LANES; at += 2 * (size_t)WIDTH) {
        WIDE a = SPLAT(1.0), b = a;
        MASK skip_a = ABOVE(LOAD(wide->shared.skips + at), SPLAT(0.0));
        MASK skip_b = ABOVE(LOAD(wide->shared.skips + at + WIDTH), SPLAT(0.0));
        bool known = false;

        for (j = 0; j < rows->n_groups; j++) {
            struct gtr_wide_sums *sums = &wide->sums[j];

            if (j == rows->left_out)
                continue;
            if (!whole || !known) {
                a = LOAD(sums->now + at);
                b = LOAD(sums->now + at + WIDTH);
                logs_of_scales(&a, &b);
                known = true;
            }
            gather_log(sums, &cell[j], rows->log_kappa, at, a, whole, skip_a);
            gather_log(sums, &cell[j], rows->log_kappa, at + WIDTH, b, whole, skip_b);
        }
    }
}

TARGET static void gather_logs_by_group(struct gtr_wide *wide, size_t r)
{
    gather_logs(wide, r, false);
}

TARGET static void gather_logs_of_whole(struct gtr_wide *wide, size_t r)
{
    gather_logs(wide, r, true);
}

/* gtr_whole_add_spill. */
INLINE void add_spill(struct gtr_wide_shared *shared, const struct gtr_sweep_row *row, size_t at)
{
    WIDE twice = SPLAT(2.0) * LOAD(shared->log_limit + at), half = SPLAT(0.5);
    WIDE all = MAX(half * (SPLAT(row->log_energy) - twice), SPLAT(0.0));
    WIDE fair = MAX(half * (SPLAT(row->log_fair) - twice), SPLAT(0.0));

    STORE(shared->attenuation + at, LOAD(shared->attenuation + at) + all);
    STORE(shared->spilled + at, LOAD(shared->spilled + at) + (all - fair) * SPLAT(row->bystanders));
}

INLINE void gather_direction(struct gathered *g, size_t group, double energy, WIDE s)
{
    if (group == 0)
        g->first = s;
    g->equal = BOTH(g->equal, EQUAL(s, g->first));
    g->sum_se = g->sum_se + s * SPLAT(energy);
    g->sum_sse = g->sum_sse + s * s * SPLAT(energy);
}

/* The step's cosine, where there is one. */
INLINE void add_cosine(struct gtr_wide_shared *shared, const struct gathered *g, double energy,
                       size_t at)
{
    WIDE cosine, zero = SPLAT(0.0), one = SPLAT(1.0);
    MASK known;

    if (!(energy > 0.0))
        return;
    cosine = g->sum_se / ROOT(SPLAT(energy) * g->sum_sse);
    cosine = PICK(EITHER(g->equal, ABOVE(cosine, one)), one, cosine);
    known = BOTH(ABOVE(g->sum_sse, zero), EQUAL(cosine, cosine));
    STORE(shared->cos_sum + at, LOAD(shared->cos_sum + at) + PICK(known, cosine, zero));
    STORE(shared->cos_steps + at, LOAD(shared->cos_steps + at) + PICK(known, one, zero));
}

INLINE void gather_end(struct gtr_wide_shared *shared, const struct gathered *g, size_t at)
{
    STORE(shared->clipped + at, g->clipped);
    STORE(shared->raised + at, g->raised);
    STORE(shared->capped + at, g->capped);
    STORE(shared->empty + at, g->empty);
    STORE(shared->skipped + at, g->skipped);
    STORE(shared->scale_min + at, g->least);
    STORE(shared->scale_max + at, g->most);
}
