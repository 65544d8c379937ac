/* wide_aggc.h - the text of AGGC for vectors: a second copy, for speed, of policy_aggc.h.
 *
 * policy_aggc.h is the definition.  tests/unit/test_sweep.c holds this text to it, bit for bit, on
 * settings of every form; whoever changes one changes both.  Included by wide_body.h.
 */

/* low and high at a step.  Where all lanes are before their switch, or after their end, nothing is
 * to be computed. */
INLINE void multipliers(const struct gtr_wide_aggc *p, double progress, size_t at, WIDE *low,
                        WIDE *high)
{
    *low = LOAD(p->low + at);
    *high = LOAD(p->high + at);
    if (progress <= p->earliest)
        return;
    if (progress >= p->latest) {
        *low = LOAD(p->low_late + at);
        *high = LOAD(p->high_late + at);
    } else {
        WIDE now = SPLAT(progress), switch_at = LOAD(p->switch_at + at);
        WIDE a = (now - switch_at) / LOAD(p->span + at), rest = SPLAT(1.0) - a;
        WIDE late_low = LOAD(p->low_late + at), late_high = LOAD(p->high_late + at);
        MASK late = NOT_BELOW(now, LOAD(p->end + at)), early = NOT_BELOW(switch_at, now);
        WIDE mid_low = *low * rest + late_low * a, mid_high = *high * rest + late_high * a;

        *low = PICK(early, *low, PICK(late, late_low, mid_low));
        *high = PICK(early, *high, PICK(late, late_high, mid_high));
    }
}

/* S before the decision. */
INLINE WIDE seen(const struct gtr_wide_aggc *p, size_t at, WIDE ema, WIDE n, bool first)
{
    WIDE mixed = LOAD(p->beta + at) * ema + LOAD(p->fresh + at) * n;

    if (first)
        mixed = PICK(EQUAL(LOAD(p->init_zero + at), SPLAT(0.0)), n, mixed);
    return PICK(EQUAL(LOAD(p->form + at), SPLAT((double)GTR_AGGC_PAPER)), mixed, ema);
}

/* One step of one vector of settings: scale, and what a tally asks about the interval.  With
 * `plain`, all lanes have form=code and no norm_eps. */
INLINE WIDE aggc_step(const struct gtr_wide_aggc *p, struct gtr_wide_sums *sums,
                      const struct gtr_sweep_cell *cell, size_t at, WIDE low, WIDE high, bool plain,
                      bool first, MASK *capped, MASK *empty)
{
    WIDE n = SPLAT(cell->norm), bottom = SPLAT(cell->bottom), ema = LOAD(sums->ema + at);
    WIDE min_norm = LOAD(p->min_norm + at), lower, upper;
    WIDE least, most, ratio, scale;
    MASK clip, lift;

    if (!plain) {
        WIDE eps = LOAD(p->norm_eps + at);

        n = PICK(ABOVE(eps, SPLAT(0.0)), ROOT(SPLAT(cell->sumsq) + eps), n);
        bottom = n + SPLAT(1e-12);
        ema = seen(p, at, ema, n, first);
    }
    lower = MAX(ema * low, min_norm);
    upper = MAX(ema * high, SPLAT(0.0));
    if (!plain) {
        MASK fixed = EQUAL(LOAD(p->form + at), SPLAT((double)GTR_AGGC_FIXED));

        lower = PICK(fixed, min_norm, lower);
        upper = PICK(fixed, LOAD(p->max_norm + at), upper);
    }
    clip = BOTH(ABOVE(upper, plain ? SPLAT(0.0) : LOAD(p->may_clip + at)),
                ABOVE(n, upper + (plain ? SPLAT(1e-12) : LOAD(p->margin_up + at))));
    lift = NOT_SECOND(ABOVE(lower - LOAD(p->margin_down + at), n), clip);
    /* The caps as ends that a scale is pushed between; MAX and MIN leave a NaN as it is. */
    least = PICK(clip, LOAD(p->max_down + at), SPLAT(-HUGE_VAL));
    most = PICK(lift, LOAD(p->max_up + at), SPLAT(HUGE_VAL));
    ratio = PICK(clip, upper, lower) / bottom;
    if (!plain || !(cell->norm > 0.0))
        ratio = PICK(NOT_SECOND(lift, ABOVE(n, SPLAT(0.0))), SPLAT(1.0), ratio);
    scale = MIN(most, MAX(least, ratio));
    *capped = BOTH(EITHER(clip, lift), DIFFER(scale, ratio));
    scale = PICK(EITHER(clip, lift), scale, SPLAT(1.0));
    *empty = ABOVE(lower, upper);
    if (plain) {
        ema = LOAD(p->beta + at) * ema + LOAD(p->fresh + at) * (n * scale);
    } else {
        WIDE mixed = LOAD(p->beta + at) * ema + LOAD(p->fresh + at) * (n * scale);

        ema = PICK(EQUAL(LOAD(p->form + at), SPLAT((double)GTR_AGGC_CODE)), mixed, ema);
    }
    STORE(sums->ema + at, ema);
    return scale;
}
