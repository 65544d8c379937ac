/* test_update_values.c - norms, changes and directions out of sums, by hand; the file of them. */
#define _GNU_SOURCE
#include "check.h"
#include "gradtrace_lab.h"
#include "h5.h"
#include "scratch.h"

/* Two groups at two steps, one policy. */
struct two {
    struct gtr_update update;
    struct gtr_update_sums sums[4]; /* [G][S] */
    struct gtr_update_errors errors[4];
    double plain[4];
    int64_t row[2];
};

static void make(struct two *two)
{
    memset(two, 0, sizeof *two);
    two->row[0] = 1;
    two->row[1] = 2;
    two->update = (struct gtr_update){ .n_policies = 1,
                                       .n_groups = 2,
                                       .n_rows = 2,
                                       .row = two->row,
                                       .sums = two->sums,
                                       .plain = two->plain };
}

static struct gtr_update_values at(const struct two *two, size_t group, size_t row)
{
    struct gtr_update_values values;

    gtr_update_values_at(&two->update, 0, group, row, &values);
    return values;
}

/* u = (3, 0) beside u_none = (0, 4) in one group, (0, 12) beside itself in the other. */
static void a_right_angle_by_hand(void)
{
    static struct two two;
    struct gtr_update_values v;

    make(&two);
    two.sums[0] = (struct gtr_update_sums){ 9.0, 25.0, 0.0 };
    two.plain[0] = 16.0;
    two.sums[2] = (struct gtr_update_sums){ 144.0, 0.0, 144.0 };
    two.plain[2] = 144.0;
    v = at(&two, 0, 0);
    CHECK_BITS(v.norm, 3.0);
    CHECK_BITS(v.plain, 4.0);
    CHECK_BITS(v.change, 1.25);
    CHECK_BITS(v.cosine, 0.0);
    CHECK_BITS(v.error.change, 0.0);
    v = at(&two, 1, 0);
    CHECK_BITS(v.change, 0.0);
    CHECK_BITS(v.cosine, 1.0);
    v = at(&two, 2, 0); /* the whole */
    CHECK_BITS(v.norm, sqrt(153.0));
    CHECK_BITS(v.plain, sqrt(160.0));
    CHECK_BITS(v.change, sqrt(25.0 / 160.0));
    CHECK_BITS(v.cosine, 144.0 / sqrt(153.0 * 160.0));
}

static void nothing_has_no_direction_and_no_change(void)
{
    static struct two two;
    struct gtr_update_values v;

    make(&two);
    v = at(&two, 0, 0);
    CHECK_BITS(v.change, 0.0);
    CHECK(isnan(v.cosine));
    /* Moved from nothing: no share of it says how far. */
    two.sums[0] = (struct gtr_update_sums){ 1.0, 1.0, 0.0 };
    v = at(&two, 0, 0);
    CHECK_BITS(v.change, INFINITY);
    CHECK(isnan(v.cosine));
}

static void a_skipped_step_says_nothing(void)
{
    static struct two two;
    struct gtr_update_values v;

    make(&two);
    two.sums[0] = two.sums[2] = (struct gtr_update_sums){ NAN, NAN, NAN };
    two.plain[0] = two.plain[2] = NAN;
    v = at(&two, 2, 0);
    CHECK(isnan(v.norm) && isnan(v.plain) && isnan(v.change) && isnan(v.cosine));
}

static void roundings_do_not_lead_beyond_a_cosine_of_one(void)
{
    static struct two two;

    make(&two);
    two.sums[0] = (struct gtr_update_sums){ 1.0, 1e-30, 1.0000000000000002 };
    two.plain[0] = 1.0;
    CHECK_BITS(at(&two, 0, 0).cosine, 1.0);
    two.sums[0].along = -1.0000000000000002;
    CHECK_BITS(at(&two, 0, 0).cosine, -1.0);
}

/* Two groups of equal size: an error of the whole is sqrt(2) / 2 of each one's own. */
static void errors_of_groups_are_independent(void)
{
    static struct two two;
    struct gtr_update_values v;
    size_t g;

    make(&two);
    two.update.errors = two.errors;
    for (g = 0; g < 2; g++) {
        two.sums[2 * g] = (struct gtr_update_sums){ 1.0, 0.25, 0.875 };
        two.plain[2 * g] = 1.0;
        two.errors[2 * g] = (struct gtr_update_errors){ 0.0, 0.125, 0.0625, 4.0 };
    }
    CHECK_BITS(at(&two, 0, 0).error.change, 0.125);
    v = at(&two, 2, 0);
    CHECK_NEAR(v.error.change, 0.125 * sqrt(0.5), 1e-15);
    CHECK_NEAR(v.error.cosine, 0.0625 * sqrt(0.5), 1e-15);
    CHECK_BITS(v.error.norm, 0.0);
    CHECK_NEAR(v.error.freedom, 8.0, 1e-13); /* (2 V)^2 / (V^2 / 4 + V^2 / 4) */
    /* Norms 1 +- 0.1 each: their squares are 2 +- 0.2 sqrt(2) together, the norm sqrt(2) +- 0.1. */
    two.errors[0].norm = two.errors[2].norm = 0.1;
    CHECK_NEAR(at(&two, 2, 0).error.norm, 0.1, 1e-15);
}

/* --- the file ------------------------------------------------------------------------------ */

/* Rows 1 and 2 of the trace, by the run's own numbers. */
static void check_steps(const char *path)
{
    struct gtr_h5 *h5 = NULL;
    int64_t *steps = NULL;
    size_t n = 0;

    CHECK(gtr_h5_open(path, &h5, NULL) == GTR_OK);
    CHECK(gtr_h5_read_vector(h5, "/step", GTR_H5_I64, &steps, &n, NULL) == GTR_OK);
    CHECK(n == 2 && steps[0] == 20 && steps[1] == 30);
    gtr_free(steps);
    gtr_h5_close(h5, NULL);
}

static void a_result_file_appears_whole(void)
{
    static struct two two;
    static double sumsq[6] = { 1, 2, 3, 4, 5, 6 }, total[3] = { 1, 1, 1 }, rho[6];
    static int64_t index[3] = { 10, 20, 30 };
    static uint8_t nonfinite[3];
    static char a[] = "a", b[] = "b";
    char *names[] = { a, b };
    struct gtr_series series = { .n_groups = 2,
                                 .n_steps = 3,
                                 .left_out = 2,
                                 .names = names,
                                 .index = index,
                                 .sumsq = sumsq,
                                 .total_sumsq = total,
                                 .total = total,
                                 .nonfinite = nonfinite };
    const struct gtr_decisions decisions = { .n_groups = 2, .n_steps = 3, .scale = sumsq };
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_optimizer optimizer;
    struct gtr_update_about about = { .trace = "some/run.h5", .group_by = "module" };
    struct gtr_result *result = NULL;
    struct gtr_replay *replay = NULL;
    struct gtr_err err = { 0 };
    const char *path = scratch_path("update.h5");

    make(&two);
    gtr_optimizer_init(&optimizer, GTR_ADAMW);
    CHECK(gtr_replay_new(&series, &options, &replay, NULL) == GTR_OK);
    about.replay = replay;
    about.optimizer = &optimizer;
    about.update = &two.update;
    CHECK(gtr_update_file_open(path, false, &about, &result, NULL) == GTR_OK);
    CHECK(access(path, F_OK) != 0);
    CHECK(gtr_update_file_add(result, &about, "none", "none", &decisions, rho, NULL) == GTR_OK);
    CHECK(gtr_result_close(result, NULL) == GTR_OK);
    CHECK(access(path, F_OK) == 0);
    check_steps(path);
    CHECK(gtr_update_file_open(path, false, &about, &result, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "exists already");
    about.update = NULL; /* proxies only */
    CHECK(gtr_update_file_open(path, true, &about, &result, NULL) == GTR_OK);
    CHECK(gtr_update_file_add(result, &about, "none", "none", &decisions, rho, NULL) == GTR_OK);
    gtr_result_abandon(result);
    CHECK(access(path, F_OK) == 0); /* the first one is still there */
    gtr_replay_free(replay);
}

int main(void)
{
    RUN(a_right_angle_by_hand);
    RUN(nothing_has_no_direction_and_no_change);
    RUN(a_skipped_step_says_nothing);
    RUN(roundings_do_not_lead_beyond_a_cosine_of_one);
    RUN(errors_of_groups_are_independent);
    RUN(a_result_file_appears_whole);
    return check_report();
}
