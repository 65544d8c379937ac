/* test_policies.c - every policy, worked by hand.
 *
 * Norms and parameters are binary fractions, so that what is written down here is what must come
 * out, bit for bit; 1e-6 and 1e-12, which are not, appear as the policies add them.
 */
#include "check.h"

#include <math.h>

#include "one_lane.h"

/* --- none, global, group ---------------------------------------------------------------------- */

static void none_leaves_everything_alone(void)
{
    static const double norms[] = { 0.0, 1.0, 1e300, (double)INFINITY, (double)NAN };
    struct lane lane;
    size_t t;

    run(&lane, "none", norms, NULL, 5, 0);
    for (t = 0; t < 5; t++) {
        CHECK_BITS(lane.scale[t], 1.0);
        CHECK_BITS(lane.lower[t], 0.0);
        CHECK_BITS(lane.upper[t], HUGE_VAL);
        CHECK(lane.flags[t] == 0);
    }
}

/* torch: the coefficient is clamped, not the norm, so at N = C it is C / (C + 1e-6). */
static void global_clips_as_torch_does(void)
{
    static const double norms[] = { 0.5, 0.5, 0.5, 0.5, 0.5 };
    static const double total[] = { 0.25, 2.0, 4.0, 2.0 - 1e-6, 0.0 };
    struct lane lane;

    run(&lane, "global:max_norm=2", norms, total, 5, 0);
    CHECK_BITS(lane.scale[0], 1.0);
    CHECK_BITS(lane.scale[1], 2.0 / (2.0 + 1e-6));
    CHECK(lane.scale[1] < 1.0);
    CHECK_BITS(lane.scale[2], 2.0 / (4.0 + 1e-6));
    CHECK_BITS(lane.scale[3], 1.0);
    CHECK_BITS(lane.scale[4], 1.0);
    CHECK_BITS(lane.upper[2], 2.0);
    CHECK_BITS(lane.lower[2], 0.0);
}

static void global_strict_clips_as_optax_does(void)
{
    static const double norms[] = { 0.25, 2.0, 4.0, 0.0 };
    struct lane lane;

    run(&lane, "global:max_norm=2,eps=0,strict=1", norms, NULL, 4, 0);
    CHECK_BITS(lane.scale[0], 1.0);
    CHECK_BITS(lane.scale[1], 1.0); /* 2 / 2 */
    CHECK_BITS(lane.scale[2], 0.5);
    CHECK_BITS(lane.scale[3], 1.0);
    run(&lane, "global:max_norm=2,strict=1", norms, NULL, 2, 0);
    CHECK_BITS(lane.scale[0], 1.0);
    CHECK_BITS(lane.scale[1], 2.0 / (2.0 + 1e-6));
}

static void group_looks_at_its_own_norm_only(void)
{
    static const double norms[] = { 0.25, 2.0, 4.0 };
    static const double total[] = { 1000.0, 1000.0, 1000.0 };
    struct lane lane;

    run(&lane, "group:max_norm=1,q_proj=2", norms, total, 3, 0);
    CHECK_BITS(lane.scale[0], 1.0);
    CHECK_BITS(lane.scale[1], 2.0 / (2.0 + 1e-6));
    CHECK_BITS(lane.scale[2], 2.0 / (4.0 + 1e-6));
    run(&lane, "group:eps=0,max_norm=0", norms, total, 3, 0);
    CHECK_BITS(lane.scale[2], 0.0);
}

static void a_norm_that_is_nan_scales_by_nan_as_in_torch(void)
{
    static const double norms[] = { (double)NAN };
    struct lane lane;

    run(&lane, "global:max_norm=2", norms, NULL, 1, 0);
    CHECK(isnan(lane.scale[0]));
    run(&lane, "group:max_norm=2", norms, NULL, 1, 0);
    CHECK(isnan(lane.scale[0]));
}

/* --- aggc: the published code ----------------------------------------------------------------- */

/* beta 1/2, interval [S/2, 2S].  S = 0: the first step is free; then S = 1/2.
 * n = 3/4 is inside [1/4, 1]: S = 5/8.  n = 1/4 is below 5/16, and raise is off: S = 7/16.
 * n = 4 is above 7/8: it is scaled to just that, and S = 7/32 + 7/16 = 21/32 but for the 1e-12. */
static void code_by_hand(void)
{
    static const double norms[] = { 1.0, 0.75, 0.25, 4.0, 1.0 };
    const double cut = 0.875 / (4.0 + 1e-12), ema = 0.5 * 0.4375 + 0.5 * (4.0 * cut);
    struct lane lane;

    run(&lane, "aggc:form=code,beta=0.5,low=0.5,high=2", norms, NULL, 5, 0);
    CHECK_BITS(lane.lower[0], 0.0);
    CHECK_BITS(lane.upper[0], 0.0);
    CHECK_BITS(lane.scale[0], 1.0);
    CHECK_BITS(lane.lower[1], 0.25);
    CHECK_BITS(lane.upper[1], 1.0);
    CHECK_BITS(lane.scale[1], 1.0);
    CHECK_BITS(lane.lower[2], 0.3125);
    CHECK_BITS(lane.upper[2], 1.25);
    CHECK_BITS(lane.scale[2], 1.0);
    CHECK_BITS(lane.upper[3], 0.875);
    CHECK_BITS(lane.scale[3], cut);
    CHECK_BITS(lane.lower[4], ema * 0.5);
    CHECK_BITS(lane.upper[4], ema * 2.0);
    CHECK(lane.flags[3] == 0);
}

/* S = 1/2, 3/8, then n = 1/16 below 3/16 is raised to it, and S = 3/16 + 3/32 = 9/32 from what was
 * raised, but for the 1e-12. */
static void code_raises_up_to_the_interval(void)
{
    static const double norms[] = { 1.0, 0.25, 0.0625, 0.25, 0.0 };
    const double up = 0.1875 / (0.0625 + 1e-12);
    const double ema = 0.5 * 0.375 + 0.5 * (0.0625 * up);
    struct lane lane;

    run(&lane, "aggc:beta=0.5,low=0.5,high=2,raise=on", norms, NULL, 5, 0);
    CHECK_BITS(lane.scale[1], 1.0); /* exactly the lower end */
    CHECK_BITS(lane.scale[2], up);
    CHECK_BITS(lane.lower[3], ema * 0.5);
    CHECK_BITS(lane.scale[4], 1.0); /* a norm of 0 cannot be raised */
    run(&lane, "aggc:beta=0.5,low=0.5,high=2", norms, NULL, 5, 0);
    CHECK_BITS(lane.scale[2], 1.0);
}

static void caps_hold_the_scale_and_are_flagged(void)
{
    static const double norms[] = { 1.0, 8.0, 0.0078125 };
    struct lane lane;

    run(&lane, "aggc:beta=0.5,low=0.5,high=2,raise=on,max_down=0.75,max_up=1.25", norms, NULL, 3,
        0);
    CHECK_BITS(lane.scale[1], 0.75); /* the interval's 1/8 is below the floor */
    CHECK(lane.flags[1] == GTR_FLAG_CAPPED);
    CHECK_BITS(lane.upper[2], 2.0 * (0.5 * 0.5 + 0.5 * 6.0)); /* S took the 8 as 6 */
    CHECK_BITS(lane.scale[2], 1.25);
    CHECK(lane.flags[2] == GTR_FLAG_CAPPED);
    run(&lane, "aggc:beta=0.5,low=0.5,high=2,max_down=0.0625", norms, NULL, 2, 0);
    CHECK_BITS(lane.scale[1], 1.0 / (8.0 + 1e-12)); /* the floor is not reached */
    CHECK(lane.flags[1] == 0);
}

/* Within 1e-12 of an end the norm counts as inside. */
static void code_leaves_a_margin(void)
{
    static const double above[] = { 1.0, 1.0 + 0x1p-41 }, clear[] = { 1.0, 1.0 + 0x1p-39 };
    struct lane lane;

    run(&lane, "aggc:beta=0.5,low=0.5,high=2", above, NULL, 2, 0);
    CHECK_BITS(lane.scale[1], 1.0);
    run(&lane, "aggc:beta=0.5,low=0.5,high=2", clear, NULL, 2, 0);
    CHECK(lane.scale[1] < 1.0);
}

/* min_norm above the upper end: the interval is empty, which the flag says; what is above the upper
 * end is clipped all the same. */
static void an_empty_interval_is_flagged(void)
{
    static const double norms[] = { 1.0, 0.5, 1.5, 1.0 };
    struct lane lane;

    run(&lane, "aggc:beta=0.5,low=0.5,high=1,min_norm=2,raise=on,max_up=1", norms, NULL, 4, 0);
    CHECK_BITS(lane.lower[0], 2.0);
    CHECK_BITS(lane.upper[0], 0.0);
    CHECK(lane.flags[0] == (GTR_FLAG_EMPTY | GTR_FLAG_CAPPED)); /* raised to 2, held at 1 */
    CHECK_BITS(lane.upper[1], 0.5);
    CHECK_BITS(lane.scale[2], 0.5 / (1.5 + 1e-12));
    CHECK(lane.flags[2] == GTR_FLAG_EMPTY);
}

static void norm_eps_enters_under_the_root(void)
{
    static const double norms[] = { 0.0, 0.5 };
    struct lane lane;

    run(&lane, "aggc:beta=0.5,low=0.5,high=2,norm_eps=0.0625", norms, NULL, 2, 0);
    CHECK_BITS(lane.upper[1], 0.25);                                 /* S = 1/2 sqrt(1/16) */
    CHECK_BITS(lane.scale[1], 0.25 / (sqrt(0.25 + 0.0625) + 1e-12)); /* not 1/2 */
}

/* The comparisons are all false for NaN: it is let through, S is NaN from then on, and so
 * L = min_norm and U = 0, which nothing is above. */
static void code_lets_nan_through_and_is_poisoned(void)
{
    static const double norms[] = { 1.0, (double)NAN, 100.0, 1.0 };
    struct lane lane;

    run(&lane, "aggc:beta=0.5,low=0.5,high=2,min_norm=0.25", norms, NULL, 4, 0);
    CHECK_BITS(lane.upper[1], 1.0);
    CHECK_BITS(lane.scale[1], 1.0);
    CHECK_BITS(lane.lower[2], 0.25);
    CHECK_BITS(lane.upper[2], 0.0);
    CHECK_BITS(lane.scale[2], 1.0);
    CHECK_BITS(lane.scale[3], 1.0);
}

/* --- aggc: schedule --------------------------------------------------------------------------- */

struct pair {
    double low, high;
};

static struct pair pair_at(const char *text, double progress)
{
    static const char *const group[] = { "any" };
    struct gtr_obs obs = { .progress = progress };
    struct pair pair = { -1.0, -1.0 };
    struct gtr_setting *setting;
    union gtr_params params[1];
    enum gtr_code rc = gtr_setting_parse(text, &setting, NULL);

    if (rc == GTR_OK)
        rc = gtr_setting_bind(setting, group, 1, params, NULL);
    CHECK(rc == GTR_OK);
    gtr_setting_free(setting);
    if (rc != GTR_OK)
        return pair;
    gtr_aggc_ahead(&params[0].aggc, &obs);
    pair.low = obs.given[0];
    pair.high = obs.given[1];
    return pair;
}

static void check_pair(const char *text, double progress, double low, double high)
{
    struct pair pair = pair_at(text, progress);

    CHECK_BITS(pair.low, low);
    CHECK_BITS(pair.high, high);
}

static void multipliers_move_from_the_early_to_the_late_pair(void)
{
    static const char *const text = "aggc:low=0.5,high=2,low_late=0.75,high_late=1,switch=0.25,"
                                    "transition=0.5";

    check_pair(text, 0.0, 0.5, 2.0);
    check_pair(text, 0.25, 0.5, 2.0); /* at the switch: still early */
    check_pair(text, 0.375, 0.5625, 1.75);
    check_pair(text, 0.5, 0.625, 1.5);
    check_pair(text, 0.75, 0.75, 1.0); /* at its end: late */
    check_pair(text, 1.0, 0.75, 1.0);
}

static void a_late_value_of_0_or_less_keeps_the_early_one(void)
{
    check_pair("aggc:low=0.5,high=2,low_late=0,high_late=1,switch=0.25,transition=0.5", 0.5, 0.5,
               1.5);
    check_pair("aggc:low=0.5,high=2,low_late=0.75,high_late=-1,switch=0.25,transition=0.5", 1.0,
               0.75, 2.0);
}

static void a_transition_of_0_is_a_step_after_the_switch(void)
{
    static const char *const text = "aggc:low=0.5,high=2,low_late=0.75,high_late=1,switch=0.5,"
                                    "transition=0";

    check_pair(text, 0.5, 0.5, 2.0);
    check_pair(text, nextafter(0.5, 1.0), 0.75, 1.0);
}

/* A transition shorter than 1e-6 is divided by 1e-6. */
static void a_very_short_transition(void)
{
    const double a = (0.5 + 0x1p-22 - 0.5) / 1e-6;

    check_pair(
        "aggc:low=0.5,high=2,low_late=0.75,high_late=1,switch=0.5,transition=4.76837158203125e-07",
        0.5 + 0x1p-22, 0.5 * (1.0 - a) + 0.75 * a, 2.0 * (1.0 - a) + 1.0 * a);
}

static void schedule_none_stays_early(void)
{
    check_pair("aggc:low=0.5,high=2,low_late=0.75,high_late=1,switch=0.25,schedule=none", 1.0, 0.5,
               2.0);
}

/* Four steps planned: S is 1/2 and 3/4 before steps 1 and 2, 7/8 before step 3, the last of which
 * is in the middle of its transition (3/4 of the run): [5/8 S, 3/2 S]. */
static void the_schedule_reaches_the_lane(void)
{
    static const double norms[] = { 1.0, 1.0, 1.0, 1.0 };
    struct lane lane;

    run(&lane, "aggc:beta=0.5,low=0.5,high=2,low_late=0.75,high_late=1,switch=0.5,transition=0.5",
        norms, NULL, 4, 4);
    CHECK_BITS(lane.upper[2], 1.5);
    CHECK_BITS(lane.lower[3], 0.625 * 0.875);
    CHECK_BITS(lane.upper[3], 1.5 * 0.875);
}

/* --- aggc: the equations, and fixed ----------------------------------------------------------- */

/* S is 1 at once.  n = 3: S = 2 before the decision, and 3 is inside [1, 4].  n = 1/2: S = 5/4,
 * below 5/8.  n = 64: S = 261/8 from the raw norms, and U = 65 1/4 lets it pass. */
static void paper_by_hand(void)
{
    static const double norms[] = { 1.0, 3.0, 0.5, 64.0 };
    struct lane lane;

    run(&lane, "aggc:form=paper,beta=0.5,low=0.5,high=2,raise=on", norms, NULL, 4, 0);
    CHECK_BITS(lane.lower[0], 0.5);
    CHECK_BITS(lane.upper[0], 2.0);
    CHECK_BITS(lane.scale[0], 1.0);
    CHECK_BITS(lane.upper[1], 4.0);
    CHECK_BITS(lane.scale[1], 1.0);
    CHECK_BITS(lane.lower[2], 0.625);
    CHECK_BITS(lane.scale[2], 0.625 / (0.5 + 1e-12));
    CHECK_BITS(lane.upper[3], 65.25);
    CHECK_BITS(lane.scale[3], 1.0);
}

/* S = 1 + 2^-42 is less than 1e-12 below n = 1 + 2^-41, and n is clipped to it all the same. */
static void paper_leaves_no_margin(void)
{
    static const double norms[] = { 1.0, 1.0 + 0x1p-41 };
    struct lane lane;

    run(&lane, "aggc:form=paper,beta=0.5,low=0.5,high=1", norms, NULL, 2, 0);
    CHECK_BITS(lane.upper[1], 1.0 + 0x1p-42);
    CHECK_BITS(lane.scale[1], (1.0 + 0x1p-42) / (1.0 + 0x1p-41 + 1e-12));
    CHECK(lane.scale[1] < 1.0);
}

/* The letter of the recurrence: S = 1/2 after the first norm of 1, which is then above 3/4. */
static void paper_can_start_at_zero(void)
{
    static const double norms[] = { 1.0, 0.0 };
    struct lane lane;

    run(&lane, "aggc:form=paper,init=zero,beta=0.5,low=0.5,high=1.5,raise=on", norms, NULL, 2, 0);
    CHECK_BITS(lane.upper[0], 0.75);
    CHECK_BITS(lane.scale[0], 0.75 / (1.0 + 1e-12));
    CHECK_BITS(lane.lower[1], 0.125);
    CHECK_BITS(lane.scale[1], 1.0);
}

static void fixed_bounds_do_not_move(void)
{
    static const double norms[] = { 4.0, 0.125, 1.0, 0.5, 0.25 };
    struct lane lane;
    size_t t;

    run(&lane, "aggc:form=fixed,min_norm=0.25,max_norm=1,raise=on", norms, NULL, 5, 0);
    for (t = 0; t < 5; t++) {
        CHECK_BITS(lane.lower[t], 0.25);
        CHECK_BITS(lane.upper[t], 1.0);
    }
    CHECK_BITS(lane.scale[0], 1.0 / (4.0 + 1e-12));
    CHECK_BITS(lane.scale[1], 0.25 / (0.125 + 1e-12));
    CHECK_BITS(lane.scale[2], 1.0);
    CHECK_BITS(lane.scale[3], 1.0);
    CHECK_BITS(lane.scale[4], 1.0);
    run(&lane, "aggc:form=fixed,min_norm=0.25,max_norm=1,raise=on,max_up=1.5,max_down=0.5", norms,
        NULL, 2, 0);
    CHECK_BITS(lane.scale[0], 0.5);
    CHECK_BITS(lane.scale[1], 1.5);
}

/* --- lanes and presets ------------------------------------------------------------------------ */

static void a_skipped_step_changes_nothing(void)
{
    static const double sumsq[] = { 1.0, (double)NAN, 0.5625 }, total[] = { 1.0, 1.0, 1.0 };
    static const double progress[] = { 0.0, 0.0, 0.0 };
    static const uint8_t skip[] = { 0, 1, 0 };
    const struct gtr_lane_input in = {
        .sumsq = sumsq, .total = total, .progress = progress, .skip = skip, .n_steps = 3
    };
    struct lane lane;
    const struct gtr_lane_output out = { lane.lower, lane.upper, lane.scale, lane.flags };
    union gtr_params params;

    gtr_params_init(GTR_AGGC, &params);
    params.aggc.beta = 0.5;
    gtr_lane_run(GTR_AGGC, &params, &in, &out);
    CHECK(isnan(lane.lower[1]) && isnan(lane.upper[1]) && isnan(lane.scale[1]));
    CHECK(lane.flags[1] == 0);
    CHECK_BITS(lane.upper[2], 1.0); /* 2 S, with S = 1/2 from step 0 */
}

/* Why the LoRA preset is close to no clipping: high < 1 puts U below any steady norm, the floor of
 * 0.9 takes over, and S settles at 0.9 of the norm.  Every step but the first gets exactly 0.9. */
static void the_lora_preset_scales_a_steady_norm_by_its_floor(void)
{
    double norms[STEPS_MAX];
    struct lane lane;
    size_t t;

    for (t = 0; t < STEPS_MAX; t++)
        norms[t] = 1.0;
    run(&lane, "aggc-code-lora", norms, NULL, STEPS_MAX, STEPS_MAX);
    CHECK_BITS(lane.scale[0], 1.0);
    for (t = 1; t < STEPS_MAX; t++) {
        CHECK_BITS(lane.scale[t], 0.9);
        CHECK(lane.flags[t] & GTR_FLAG_CAPPED);
    }
    run(&lane, "aggc-code-lora:schedule=none,beta=0.5", norms, NULL, 40, 0);
    CHECK_NEAR(lane.upper[39], 0.54, 1e-9); /* 0.6 * 0.9 */
}

/* A hundredfold spike gets 0.9 as well, enters S as 90, and so lifts U above the calm norms that
 * follow: they are not scaled at all until S has come down. */
static void the_lora_preset_lets_a_spike_through(void)
{
    double norms[STEPS_MAX];
    struct lane lane;
    size_t t;

    for (t = 0; t < STEPS_MAX; t++)
        norms[t] = t == 20 ? 100.0 : 1.0;
    run(&lane, "aggc-code-lora:schedule=none", norms, NULL, STEPS_MAX, 0);
    CHECK_BITS(lane.scale[19], 0.9);
    CHECK_BITS(lane.scale[20], 0.9);
    CHECK_BITS(lane.scale[21], 1.0);
    CHECK(lane.upper[21] > 2.5);
}

/* The equations cap the same spike at U, which is far below it. */
static void the_paper_preset_cuts_a_spike(void)
{
    double norms[STEPS_MAX];
    struct lane lane;
    size_t t;

    for (t = 0; t < STEPS_MAX; t++)
        norms[t] = t == 40 ? 100.0 : 1.0;
    run(&lane, "aggc-paper", norms, NULL, STEPS_MAX, STEPS_MAX);
    for (t = 0; t < 40; t++)
        CHECK_BITS(lane.scale[t], 1.0);
    CHECK(lane.scale[40] < 0.2);
    CHECK(lane.scale[41] > 1.0); /* S holds part of the spike, so calm norms are below L */
}

int main(void)
{
    RUN(none_leaves_everything_alone);
    RUN(global_clips_as_torch_does);
    RUN(global_strict_clips_as_optax_does);
    RUN(group_looks_at_its_own_norm_only);
    RUN(a_norm_that_is_nan_scales_by_nan_as_in_torch);
    RUN(code_by_hand);
    RUN(code_raises_up_to_the_interval);
    RUN(caps_hold_the_scale_and_are_flagged);
    RUN(code_leaves_a_margin);
    RUN(an_empty_interval_is_flagged);
    RUN(norm_eps_enters_under_the_root);
    RUN(code_lets_nan_through_and_is_poisoned);
    RUN(multipliers_move_from_the_early_to_the_late_pair);
    RUN(a_late_value_of_0_or_less_keeps_the_early_one);
    RUN(a_transition_of_0_is_a_step_after_the_switch);
    RUN(a_very_short_transition);
    RUN(schedule_none_stays_early);
    RUN(the_schedule_reaches_the_lane);
    RUN(paper_by_hand);
    RUN(paper_leaves_no_margin);
    RUN(paper_can_start_at_zero);
    RUN(fixed_bounds_do_not_move);
    RUN(a_skipped_step_changes_nothing);
    RUN(the_lora_preset_scales_a_steady_norm_by_its_floor);
    RUN(the_lora_preset_lets_a_spike_through);
    RUN(the_paper_preset_cuts_a_spike);
    return check_report();
}
