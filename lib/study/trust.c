/* trust.c - the intervals of trust.h, in one pass over the decisions. */
#include "trust.h"

#include <math.h>

/* Sums of one stretch. */
struct stretch {
    double steps, clipped_steps, decisions, clipped, scale;
    bool raises;
};

/* The groups, and where their steps are. */
struct view {
    const struct gtr_decisions *decisions;
    const uint8_t *skip;
    size_t first, end, left_out;
};

/* A scale that is not finite, of a step that is not, scales nothing. */
static void add_step(const struct view *v, size_t t, struct stretch *s)
{
    const struct gtr_decisions *d = v->decisions;
    bool any = false;
    size_t j;

    for (j = v->first; j < v->end; j++) {
        double scale = d->scale[j * d->n_steps + t];

        if (j == v->left_out && v->end - v->first > 1)
            continue;
        s->decisions += 1.0;
        s->clipped += scale < 1.0 ? 1.0 : 0.0;
        s->scale += isfinite(scale) ? scale : 1.0;
        any = any || scale < 1.0;
        s->raises = s->raises || scale > 1.0;
    }
    s->steps += 1.0;
    s->clipped_steps += any ? 1.0 : 0.0;
}

/* part_b / whole_b of the stretches, spread around that of all. */
static struct gtr_expected expect(const double *part, const double *whole, bool is_rate, double n)
{
    struct gtr_expected expected = { NAN, NAN };
    double all = 0.0, of = 0.0, mean = 0.0, squares = 0.0, p, reach;
    size_t b;

    for (b = 0; b < GTR_TRUST_BLOCKS; b++) {
        all += part[b];
        of += whole[b];
        mean += part[b] / whole[b] / GTR_TRUST_BLOCKS;
    }
    for (b = 0; b < GTR_TRUST_BLOCKS; b++)
        squares += (part[b] / whole[b] - mean) * (part[b] / whole[b] - mean);
    p = all / of;
    reach = GTR_TRUST_FACTOR * sqrt(squares / (GTR_TRUST_BLOCKS * (GTR_TRUST_BLOCKS - 1)));
    expected.low = p - reach > 0.0 ? p - reach : 0.0;
    expected.high = p + reach;
    if (is_rate && p == 1.0)
        expected.low = 1.0 - 3.0 / n;
    if (is_rate && p == 0.0)
        expected.high = 3.0 / n;
    if (is_rate && expected.high > 1.0)
        expected.high = 1.0;
    return expected;
}

/* The next `n` steps that count, from row *t on. */
static struct stretch sum_steps(const struct view *v, size_t *t, size_t n)
{
    struct stretch s = { 0 };

    for (; n > 0; (*t)++)
        if (!v->skip[*t]) {
            add_step(v, *t, &s);
            n--;
        }
    return s;
}

void gtr_trust_fill(const struct gtr_replay *replay, const struct gtr_decisions *decisions,
                    size_t first, size_t end, struct gtr_trust *trust)
{
    static const struct gtr_expected unknown = { (double)NAN, (double)NAN };
    const struct gtr_series *series = gtr_replay_series(replay);
    const struct view view = { decisions, gtr_replay_skip(replay), first, end, series->left_out };
    double steps[GTR_TRUST_BLOCKS], clipped_steps[GTR_TRUST_BLOCKS], all[GTR_TRUST_BLOCKS];
    double clipped[GTR_TRUST_BLOCKS], scale[GTR_TRUST_BLOCKS], rate = 0.0;
    bool raises = false;
    size_t n = 0, t, b;

    *trust = (struct gtr_trust){ unknown, unknown, unknown, false };
    for (t = 0; t < series->n_steps; t++)
        n += view.skip[t] ? 0 : 1;
    if (n < 2 * GTR_TRUST_BLOCKS || first == end || decisions->policy == GTR_NONE)
        return;
    for (t = 0, b = 0; b < GTR_TRUST_BLOCKS; b++) {
        struct stretch s =
            sum_steps(&view, &t, n * (b + 1) / GTR_TRUST_BLOCKS - n * b / GTR_TRUST_BLOCKS);

        steps[b] = s.steps;
        clipped_steps[b] = s.clipped_steps;
        all[b] = s.decisions;
        clipped[b] = s.clipped;
        scale[b] = s.scale;
        raises = raises || s.raises;
        rate += s.clipped / s.decisions / GTR_TRUST_BLOCKS;
    }
    trust->clip_rate = expect(clipped, all, true, (double)n);
    trust->step_rate = expect(clipped_steps, steps, true, (double)n);
    trust->scale_mean = expect(scale, all, false, (double)n);
    if (!raises && trust->scale_mean.high > 1.0)
        trust->scale_mean.high = 1.0;
    trust->among_usual = (decisions->policy == GTR_GLOBAL || decisions->policy == GTR_GROUP) &&
                         rate >= 0.25 && rate <= 0.75;
}
