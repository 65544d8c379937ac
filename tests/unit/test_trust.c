/* test_trust.c - the interval of a prediction, by hand. */
#include "check.h"
#include "gradtrace_lab.h"

enum { T = 40 };

static double sumsq[2 * T], energy[T], total[T];
static uint8_t nonfinite[T];
static int64_t index_of[T];

/* Two groups of equal norms; of the four steps of stretch b the first high[b] are above 1. */
static struct gtr_trust trust_of(const size_t high[GTR_TRUST_BLOCKS], const char *policy)
{
    static char *names[2] = { "a", "b" };
    struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_series series = { .n_groups = 2,
                                 .n_steps = T,
                                 .left_out = 2,
                                 .names = names,
                                 .index = index_of,
                                 .sumsq = sumsq,
                                 .total_sumsq = energy,
                                 .total = total,
                                 .nonfinite = nonfinite };
    struct gtr_decisions *decisions = NULL;
    struct gtr_setting *setting = NULL;
    struct gtr_replay *replay = NULL;
    struct gtr_trust trust;
    size_t t;

    for (t = 0; t < T; t++) {
        index_of[t] = (int64_t)t;
        total[t] = t % 4 < high[t / 4] ? 2.0 : 0.5;
        energy[t] = total[t] * total[t];
        sumsq[t] = sumsq[T + t] = energy[t] / 2.0;
    }
    CHECK(gtr_replay_new(&series, &options, &replay, NULL) == GTR_OK);
    CHECK(gtr_setting_parse(policy, &setting, NULL) == GTR_OK);
    CHECK(gtr_replay_run(replay, setting, &decisions, NULL) == GTR_OK);
    gtr_trust_fill(replay, decisions, 0, 2, &trust);
    gtr_decisions_free(decisions);
    gtr_setting_free(setting);
    gtr_replay_free(replay);
    return trust;
}

/* Five stretches of ten are clipped at one step of four: p = 1/8, the rates lie 1/8 to either side
 * of it, so s = sqrt(10 / 64 / 90) = 1/24 and the interval is 1/8 +- 5/24, cut at 0. */
static void the_interval_by_hand(void)
{
    static const size_t high[GTR_TRUST_BLOCKS] = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 0 };
    struct gtr_trust trust = trust_of(high, "global:max_norm=1,eps=0");

    CHECK_BITS(trust.clip_rate.low, 0.0);
    CHECK_NEAR(trust.clip_rate.high, 1.0 / 8 + 5.0 / 24, 1e-15);
    CHECK_NEAR(trust.step_rate.high, 1.0 / 8 + 5.0 / 24, 1e-15);
    /* The scale of a clipped step is 1/2: half of all that, down from 1; and nothing raises. */
    CHECK_NEAR(trust.scale_mean.low, 1.0 - 1.0 / 16 - 5.0 / 48, 1e-15);
    CHECK_BITS(trust.scale_mean.high, 1.0);
    CHECK(!trust.among_usual);
}

/* Half of the steps, in every stretch alike: no spread, and a limit among the usual norms. */
static void a_limit_near_the_median_is_told(void)
{
    static const size_t high[GTR_TRUST_BLOCKS] = { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };
    struct gtr_trust trust = trust_of(high, "global:max_norm=1");

    CHECK_NEAR(trust.clip_rate.low, 0.5, 1e-15);
    CHECK_NEAR(trust.clip_rate.high, 0.5, 1e-15);
    CHECK(trust.among_usual);
    CHECK(!trust_of(high, "aggc").among_usual); /* an average moves with the run */
}

static void what_never_happened_may_at_three_steps(void)
{
    static const size_t high[GTR_TRUST_BLOCKS] = { 0 };
    static const size_t all[GTR_TRUST_BLOCKS] = { 4, 4, 4, 4, 4, 4, 4, 4, 4, 4 };
    struct gtr_trust trust = trust_of(high, "global:max_norm=1");

    CHECK_BITS(trust.clip_rate.low, 0.0);
    CHECK_NEAR(trust.clip_rate.high, 3.0 / T, 1e-15);
    trust = trust_of(all, "global:max_norm=1");
    CHECK_NEAR(trust.clip_rate.low, 1.0 - 3.0 / T, 1e-15);
    CHECK_BITS(trust.clip_rate.high, 1.0);
}

int main(void)
{
    RUN(the_interval_by_hand);
    RUN(a_limit_near_the_median_is_told);
    RUN(what_never_happened_may_at_three_steps);
    return check_report();
}
