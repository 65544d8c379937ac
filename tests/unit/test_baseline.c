/* test_baseline.c - causal averages and what stands out of them, by hand and on planted spikes. */
#include "check.h"
#include "exact.h"
#include "gradtrace_lab.h"

enum { T_MAX = 400 };

/* A series of one group on the stack. */
struct one {
    struct gtr_series series;
    double sumsq[T_MAX], total[T_MAX];
    int64_t index[T_MAX];
    uint8_t nonfinite[T_MAX], skip[T_MAX];
};

static void make(struct one *one, const double *norms, size_t n)
{
    size_t t;

    memset(one, 0, sizeof *one);
    for (t = 0; t < n; t++) {
        one->sumsq[t] = norms[t] * norms[t];
        one->total[t] = norms[t];
        one->index[t] = (int64_t)t;
    }
    one->series = (struct gtr_series){ .n_groups = 1,
                                       .n_steps = n,
                                       .left_out = 1,
                                       .index = one->index,
                                       .sumsq = one->sumsq,
                                       .total_sumsq = one->sumsq,
                                       .total = one->total,
                                       .nonfinite = one->nonfinite };
}

/* Decay 1/2, corrected for its start: after 4 the mean is 4; after 4, 1 it is (4/4 + 1/2) / (3/4).
 */
static void the_average_is_of_the_past_only(void)
{
    static const double norms[] = { 4, 1, 8, 2 };
    const struct gtr_baseline_options options = { .decay = 0.5, .kappa = 2.0, .warmup = 1 };
    struct gtr_baseline *b = NULL;
    struct one one;

    make(&one, norms, 4);
    CHECK(gtr_baseline_new(&one.series, one.skip, &options, &b, NULL) == GTR_OK);
    CHECK(isnan(b->log_ratio[0]));
    CHECK_BITS(b->log_ratio[1], gtr_ln(1.0) - gtr_ln(4.0));
    CHECK_BITS(b->log_ratio[2], gtr_ln(8.0) - gtr_ln(1.5 / 0.75));
    CHECK_BITS(b->energy[0], 16.0); /* no baseline: innocent */
    CHECK_BITS(b->energy[1], 1.0);
    CHECK_BITS(b->energy[2], 16.0); /* 8 was above 2 * 2 */
    /* It enters as 1.5 * 2: (1.5 / 2 + 3 / 2) / (0.75 / 2 + 1 / 2), and 2 is below that. */
    CHECK_BITS(b->log_ratio[3], gtr_ln(2.0) - gtr_ln(2.25 / 0.875));
    gtr_baseline_free(b);
}

static void what_is_skipped_leaves_the_average_alone(void)
{
    static const double with[] = { 4, 999, 1, 8 }, without[] = { 4, 1, 8 };
    const struct gtr_baseline_options options = { .decay = 0.5, .kappa = 2.0, .warmup = 1 };
    struct gtr_baseline *a = NULL, *b = NULL;
    struct one one, other;

    make(&one, with, 4);
    one.skip[1] = 1;
    make(&other, without, 3);
    CHECK(gtr_baseline_new(&one.series, one.skip, &options, &a, NULL) == GTR_OK);
    CHECK(gtr_baseline_new(&other.series, other.skip, &options, &b, NULL) == GTR_OK);
    CHECK(isnan(a->log_ratio[1]));
    CHECK_BITS(a->energy[1], 0.0);
    CHECK_BITS(a->log_ratio[3], b->log_ratio[2]);
    gtr_baseline_free(a);
    gtr_baseline_free(b);
}

static void planted_spikes_stand_out_and_noise_does_not(void)
{
    struct gtr_baseline_options options;
    struct gtr_baseline *b = NULL;
    struct gtr_outliers calm, spiky;
    double norms[T_MAX];
    uint64_t state = 99;
    struct one one;
    size_t t;

    gtr_baseline_options_init(&options);
    for (t = 0; t < T_MAX; t++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        norms[t] = gtr_exp(0.4 * ((double)(state >> 11) / 9007199254740992.0 - 0.5));
    }
    make(&one, norms, T_MAX);
    CHECK(gtr_baseline_new(&one.series, one.skip, &options, &b, NULL) == GTR_OK);
    CHECK(gtr_baseline_outliers(b, 6.0, &calm, NULL) == GTR_OK);
    CHECK(calm.n_outliers == 0 && calm.n_based == T_MAX - 1); /* the first has no past */
    gtr_baseline_free(b);
    norms[100] *= 20.0;
    norms[300] *= 50.0;
    make(&one, norms, T_MAX);
    CHECK(gtr_baseline_new(&one.series, one.skip, &options, &b, NULL) == GTR_OK);
    CHECK(gtr_baseline_outliers(b, 6.0, &spiky, NULL) == GTR_OK);
    CHECK(spiky.n_outliers == 2 && spiky.step == 300 && spiky.group == 0);
    CHECK(spiky.ratio > 20.0 && spiky.ratio < 80.0);
    gtr_baseline_free(b);
}

static void constant_norms_have_no_outliers(void)
{
    struct gtr_baseline_options options;
    struct gtr_baseline *b = NULL;
    struct gtr_outliers outliers;
    double norms[T_MAX];
    struct one one;
    size_t t;

    gtr_baseline_options_init(&options);
    for (t = 0; t < T_MAX; t++)
        norms[t] = 3.0;
    make(&one, norms, T_MAX);
    CHECK(gtr_baseline_new(&one.series, one.skip, &options, &b, NULL) == GTR_OK);
    CHECK(gtr_baseline_outliers(b, 6.0, &outliers, NULL) == GTR_OK);
    CHECK(outliers.n_outliers == 0 && outliers.n_spikes == 0);
    gtr_baseline_free(b);
}

int main(void)
{
    RUN(the_average_is_of_the_past_only);
    RUN(what_is_skipped_leaves_the_average_alone);
    RUN(planted_spikes_stand_out_and_noise_does_not);
    RUN(constant_norms_have_no_outliers);
    return check_report();
}
