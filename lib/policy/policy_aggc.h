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
 * the reference: it is let through, and from then on L = min_norm and U = 0, which nothing is held
 * against: to the code U = 0 means "no past yet", and to the equations no norm is above NaN.
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

GTR_HD void gtr_aggc_init(const struct gtr_aggc_params *p, struct gtr_aggc_state *s)
{
    (void)p;
    s->ema = 0.0;
    s->started = 0.0;
}

/* AGGC as its code computes it and without norm_eps, which nearly all settings are: sweeps have
 * kernels that take it for granted. */
GTR_HD int gtr_aggc_is_usual(const struct gtr_aggc_params *p)
{
    return p->form == (double)GTR_AGGC_CODE && !(p->norm_eps > 0.0);
}

#endif

#ifdef STEP
#define STEM aggc

/* The multipliers at a point of the run, the same for all groups of a setting: given[0] is low,
 * given[1] high.  given[2] is what L must be above the norm by, infinite if nothing is raised, and
 * given[3] the cap on what is raised.  The early test comes first: with a transition of 0 the step
 * at the switch itself is still early.
 */
AHEAD(aggc)
{
    const REAL zero = NUM(0.0), one = NUM(1.0), least = NUM(1e-6);
    REAL low = P(low), high = P(high), end = P(switch_at) + P(transition);
    MASK moved = BOTH(DIFFER(P(schedule), zero), ABOVE(obs->progress, P(switch_at)));

    if (ANY(moved)) {
        MASK over = NOT_BELOW(obs->progress, end), between = NOT_SECOND(moved, over);
        REAL low_late = PICK(ABOVE(P(low_late), zero), P(low_late), low);
        REAL high_late = PICK(ABOVE(P(high_late), zero), P(high_late), high);

        if (ANY(between)) {
            REAL a = (obs->progress - P(switch_at)) / MAX(P(transition), least);
            REAL rest = one - a;

            low = PICK(between, low * rest + low_late * a, low);
            high = PICK(between, high * rest + high_late * a, high);
        }
        low = PICK(BOTH(moved, over), low_late, low);
        high = PICK(BOTH(moved, over), high_late, high);
    }
    obs->given[0] = low;
    obs->given[1] = high;
    obs->given[2] = PICK(DIFFER(P(raise), zero), NUM(1e-12), NUM(HUGE_VAL));
    obs->given[3] = PICK(ABOVE(P(max_up), zero), P(max_up), NUM(HUGE_VAL));
}

/* S before this step's decision: form=paper lets the norm in first. */
HELPER REAL TEXT(aggc_seen)(MASK paper, MASK free_start, REAL ema, REAL mixed, REAL n)
{
    return PICK(paper, PICK(free_start, n, mixed), ema);
}

/* The equations have neither a guard nor a margin; the code has both.  A cap is an end that the
 * scale is pushed to; MAX and MIN leave a NaN as it is. */
STEP(aggc)
{
    const REAL zero = NUM(0.0), one = NUM(1.0), tiny = NUM(1e-12), none = NUM(HUGE_VAL);
    ACTION act = LEAVE;
    REAL n = obs->norm, ema = GET(ema), fresh = one - P(beta), margin = tiny, ratio;
    REAL margin_down = obs->given[2];
    MASK clip, lift, code = ALWAYS, fixed = ABOVE(zero, zero), may;

    if (!usual) {
        MASK paper = EQUAL(P(form), NUM((double)GTR_AGGC_PAPER));

        fixed = EQUAL(P(form), NUM((double)GTR_AGGC_FIXED));
        code = EQUAL(P(form), NUM((double)GTR_AGGC_CODE));
        margin = PICK(paper, zero, tiny);
        margin_down = PICK(BOTH(paper, ABOVE(none, margin_down)), zero, margin_down);
        n = PICK(ABOVE(P(norm_eps), zero), ROOT(obs->sumsq + P(norm_eps)), n);
        ema = TEXT(aggc_seen)(paper, BOTH(EQUAL(GET(started), zero), EQUAL(P(init_zero), zero)),
                              ema, P(beta) * ema + fresh * n, n);
        PUT(started, one);
    }
    act.lower = MAX(ema * obs->given[0], P(min_norm));
    act.upper = MAX(ema * obs->given[1], zero);
    may = ABOVE(act.upper, zero);
    if (!usual) {
        act.lower = PICK(fixed, P(min_norm), act.lower);
        act.upper = PICK(fixed, P(max_norm), act.upper);
        may = EITHER(ABOVE(act.upper, zero), NOT_SECOND(EQUAL(ema, ema), EITHER(code, fixed)));
    }
    clip = BOTH(may, ABOVE(n, act.upper + margin));
    lift = NOT_SECOND(ABOVE(act.lower - margin_down, n), clip);
    if (ANY(EITHER(clip, lift))) {
        REAL least = PICK(clip, P(max_down), NUM(-HUGE_VAL));
        REAL most = PICK(lift, obs->given[3], none);

        /* One division for both: where neighbours on a GPU differ, each would wait. */
        ratio = PICK(clip, act.upper, act.lower) / (n + tiny);
        ratio = PICK(NOT_SECOND(lift, ABOVE(n, zero)), one, ratio);
        act.scale = MIN(most, MAX(least, ratio));
        act.capped = BOTH(EITHER(clip, lift), DIFFER(act.scale, ratio));
        act.scale = PICK(EITHER(clip, lift), act.scale, one);
    }
    if (usual)
        ema = P(beta) * ema + fresh * (n * act.scale);
    else
        ema = PICK(code, P(beta) * ema + fresh * (n * act.scale), ema);
    PUT(ema, ema);
    return act;
}

#undef STEM
#endif
