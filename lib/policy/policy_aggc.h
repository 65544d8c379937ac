/* policy_aggc.h - AGGC: hold each group's norm in an interval that follows its own past.
 *
 * Li, Wu, Chang, "Adaptive Group-wise Gradient Clipping", Findings of ACL 2026, arXiv 2601.11864;
 * code: github.com/ZhiyuanLi218/AGGC.  With n the group's norm and S an exponential average of
 * it,
 *
 *     L = low * S,  U = high * S
 *     n > U: scale = U / (n + 1e-12)        n < L, if raise: scale = L / (n + 1e-12)
 *
 * where low and high move from a base to a late pair as training goes on.  The paper and its code
 * differ, and both are here:
 *
 *   form=code   S starts at 0 and is updated after the decision, with the norm after scaling; so
 *               the first step is free, and a cap (max_down) that keeps S high keeps U high too
 *   form=paper  S starts at the first norm (init=zero: at 0) and is updated before the decision,
 *               with the norm as it arrived
 *   form=fixed  no average: L = min_norm, U = max_norm (the code's auto_bounds=False)
 *
 * A norm of 0 is never raised.  Comparisons are written so that a NaN norm does what it does in
 * the reference: it is let through, and from then on L = min_norm and U = 0.
 */
#ifndef GTR_POLICY_AGGC_H
#define GTR_POLICY_AGGC_H

#include "policy_base.h"

GTR_PUBLIC_BEGIN

enum gtr_aggc_form { GTR_AGGC_CODE = 0, GTR_AGGC_PAPER = 1, GTR_AGGC_FIXED = 2 };

struct gtr_aggc_params {
    double beta;     /* weight of the past in S */
    double low;      /* L / S before the switch */
    double high;     /* U / S before the switch */
    double low_late; /* the same after the transition; <= 0: as before it */
    double high_late;
    double switch_at;  /* progress at which the transition starts */
    double transition; /* progress it takes */
    double schedule;   /* 0: the base pair throughout */
    double min_norm;   /* least L */
    double max_norm;   /* U of form=fixed */
    double raise;      /* 1: scale up below L */
    double max_up;     /* cap on a scale above 1; 0: none */
    double max_down;   /* floor under a scale below 1; 0: none */
    double norm_eps;   /* added to the sum of squares before the root */
    double init_zero;  /* form=paper: 1 starts S at 0 */
    double form;       /* enum gtr_aggc_form */
};

GTR_PUBLIC_END

struct gtr_aggc_state {
    double ema;
    double started; /* 1 once a norm was seen */
};

struct gtr_aggc_pair {
    double low;
    double high;
};

GTR_HD void gtr_aggc_init(const struct gtr_aggc_params *p, struct gtr_aggc_state *s)
{
    (void)p;
    s->ema = 0.0;
    s->started = 0.0;
}

/* The multipliers at a point of the run.  The early test comes first: with a transition of 0 the
 * step at the switch itself is still early. */
GTR_HD struct gtr_aggc_pair gtr_aggc_multipliers(const struct gtr_aggc_params *p, double progress)
{
    struct gtr_aggc_pair base, late, now;
    double a;

    base.low = p->low;
    base.high = p->high;
    late.low = p->low_late > 0.0 ? p->low_late : p->low;
    late.high = p->high_late > 0.0 ? p->high_late : p->high;
    if (p->schedule == 0.0 || progress <= p->switch_at)
        return base;
    if (progress >= p->switch_at + p->transition)
        return late;
    a = (progress - p->switch_at) / (p->transition > 1e-6 ? p->transition : 1e-6);
    now.low = base.low * (1.0 - a) + late.low * a;
    now.high = base.high * (1.0 - a) + late.high * a;
    return now;
}

/* The scale for norm n in the interval already set in *act, with the caps. */
GTR_HD void gtr_aggc_hold(const struct gtr_aggc_params *p, double n, struct gtr_action *act)
{
    /* The equations have neither a guard nor a margin; the code has both, and to it U = 0 means
     * "no past yet". */
    int paper = p->form == (double)GTR_AGGC_PAPER;
    double margin = paper ? 0.0 : 1e-12;
    int clip = (paper || act->upper > 0.0) && n > act->upper + margin;
    int lift = !clip && p->raise != 0.0 && n < act->lower - margin;

    if (!clip && !lift)
        return;
    /* One division for both: where neighbours on a GPU differ, each would wait for the other's. */
    act->scale = (clip ? act->upper : act->lower) / (n + 1e-12);
    if (lift && !(n > 0.0))
        act->scale = 1.0;
    if (clip ? p->max_down > act->scale : p->max_up > 0.0 && p->max_up < act->scale) {
        act->scale = clip ? p->max_down : p->max_up;
        act->capped = 1;
    }
}

/* S before this step's decision: form=paper lets the norm in first. */
GTR_HD double gtr_aggc_seen(const struct gtr_aggc_params *p, const struct gtr_aggc_state *s,
                            double n)
{
    if (p->form != (double)GTR_AGGC_PAPER)
        return s->ema;
    if (s->started == 0.0 && p->init_zero == 0.0)
        return n;
    return p->beta * s->ema + (1.0 - p->beta) * n;
}

GTR_HD struct gtr_action gtr_aggc_step(const struct gtr_aggc_params *p, struct gtr_aggc_state *s,
                                       const struct gtr_obs *obs)
{
    struct gtr_action act = gtr_leave();
    double n = p->norm_eps > 0.0 ? sqrt(obs->sumsq + p->norm_eps) : obs->norm;

    if (p->form == (double)GTR_AGGC_FIXED) {
        act.lower = p->min_norm;
        act.upper = p->max_norm;
    } else {
        struct gtr_aggc_pair m = gtr_aggc_multipliers(p, obs->progress);
        double lower, upper;

        s->ema = gtr_aggc_seen(p, s, n);
        s->started = 1.0;
        lower = s->ema * m.low;
        upper = s->ema * m.high;
        act.lower = lower > p->min_norm ? lower : p->min_norm;
        act.upper = upper > 0.0 ? upper : 0.0;
    }
    gtr_aggc_hold(p, n, &act);
    if (p->form == (double)GTR_AGGC_CODE)
        s->ema = p->beta * s->ema + (1.0 - p->beta) * (n * act.scale);
    return act;
}

#endif
