/* wide_tally.h - objectives.h for vectors: counts, logarithms and directions of a step.
 *
 * A second copy, for speed, of gtr_ln, gtr_tally_add and gtr_cosine, which are the definitions and
 * to which tests/unit/test_sweep.c holds it bit for bit.  Included by wide_body.h.
 */

/* What a vector of settings gathers over the groups of one step. */
struct gathered {
    WIDE clipped, raised, capped, empty; /* counts */
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

/* Whether there is a baseline, and a spike, is the same for all settings. */
INLINE void gather_log(struct gtr_wide_sums *sums, const struct gtr_sweep_cell *cell,
                       double log_kappa, size_t at, WIDE log_s)
{
    STORE(sums->log + at, LOAD(sums->log + at) + log_s);
    if (cell->based) {
        WIDE ratio = log_s + SPLAT(cell->log_ratio);

        STORE(sums->ratio + at, LOAD(sums->ratio + at) + ratio);
        STORE(sums->ratio_squares + at, LOAD(sums->ratio_squares + at) + ratio * ratio);
        if (cell->spike)
            STORE(sums->leak + at,
                  LOAD(sums->leak + at) + MAX(ratio - SPLAT(log_kappa), SPLAT(0.0)));
    }
}

/* The logarithms of a step, two vectors of settings at a time.  `same`: all groups have the scale
 * of the first that is tallied, as under one limit for the whole gradient. */
INLINE void gather_logs(struct gtr_wide *wide, size_t r, bool same)
{
    const struct gtr_sweep_rows *rows = wide->rows;
    const struct gtr_sweep_cell *cell = &rows->cell[r * rows->n_groups];
    size_t at, j;

    for (at = 0; at < GTR_SWEEP_LANES; at += 2 * (size_t)WIDTH) {
        WIDE a = SPLAT(1.0), b = a;
        bool known = false;

        for (j = 0; j < rows->n_groups; j++) {
            struct gtr_wide_sums *sums = &wide->sums[j];

            if (j == rows->left_out)
                continue;
            if (!same || !known) {
                a = LOAD(sums->now + at);
                b = LOAD(sums->now + at + WIDTH);
                logs_of_scales(&a, &b);
                known = true;
            }
            gather_log(sums, &cell[j], rows->log_kappa, at, a);
            gather_log(sums, &cell[j], rows->log_kappa, at + WIDTH, b);
        }
    }
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
    STORE(shared->scale_min + at, g->least);
    STORE(shared->scale_max + at, g->most);
}
