/* test_blame.c - blame by hand, against all orders of arrival, and its promises. */
#include <stdint.h>
#include <stdlib.h>

#include "blame.h"
#include "check.h"
#include "exact.h"

static double error;
static double space[(size_t)1 << GTR_BLAME_EXACT];
static uint64_t state = 88172645463325252u;

static double draw(void) /* in (0, 1] */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)((state >> 40) + 1) / 16777216.0;
}

static double attenuation(double energy, double max_norm)
{
    double a = 0.5 * log(energy / (max_norm * max_norm));

    return a > 0.0 ? a : 0.0;
}

/* Shapley's own words: what a player adds on arrival, averaged over all orders. */
static double arrive(const double *above, size_t n, size_t player, double before, unsigned used,
                     double weight, double max_norm)
{
    double sum = 0.0;
    size_t i, left = n - (size_t)__builtin_popcount(used);

    for (i = 0; i < n; i++) {
        if (used >> i & 1)
            continue;
        if (i == player)
            sum += weight / (double)left *
                   (attenuation(before + above[i], max_norm) - attenuation(before, max_norm));
        else
            sum += arrive(above, n, player, before + above[i], used | 1u << i,
                          weight / (double)left, max_norm);
    }
    return sum;
}

/* C = 1, B = 1, two players of 3: v of one is ln 2, of both ln(7) / 2; so each has ln(7) / 4. */
static void two_equal_culprits_share_alike(void)
{
    const double above[2] = { 3.0, 3.0 };
    double blame[2],
        all = gtr_blame_step(GTR_BLAME_SHAPLEY, 1.0, 1.0, above, 2, blame, &error, space);

    CHECK_NEAR(all, log(7.0) / 2.0, 1e-15);
    CHECK_NEAR(blame[0], log(7.0) / 4.0, 1e-15);
    CHECK_BITS(blame[0], blame[1]);
}

/* B = 1/4, C = 1: players of 1/2 and 3.  v(1) = 0, v(2) = ln(13/4) / 2, v(12) = ln(15/4) / 2:
 * player 1 has half of what it adds last, (v(12) - v(2)) / 2. */
static void a_culprit_that_alone_would_not_be_clipped_pays_for_what_it_adds(void)
{
    const double above[2] = { 0.5, 3.0 };
    double blame[2], add = 0.5 * log(15.0 / 13.0);

    gtr_blame_step(GTR_BLAME_SHAPLEY, 0.25, 1.0, above, 2, blame, &error, space);
    CHECK_NEAR(blame[0], add / 2.0, 1e-15);
    CHECK_NEAR(blame[1], 0.5 * log(15.0 / 4.0) - add / 2.0, 1e-15);
}

static void one_culprit_has_all_of_it(void)
{
    const double above[1] = { 3.0 };
    double blame[1];
    int method;

    for (method = GTR_BLAME_SHAPLEY; method <= GTR_BLAME_LEAVE_ONE_OUT; method++) {
        double all =
            gtr_blame_step((enum gtr_blame_method)method, 1.0, 1.0, above, 1, blame, &error, space);

        CHECK_BITS(blame[0], all);
        CHECK_NEAR(all, log(2.0), 1e-15);
    }
}

static void without_culprits_or_clipping_there_is_exactly_nothing(void)
{
    const double above[3] = { 0.1, 0.2, 0.3 };
    double blame[3] = { 7, 7, 7 };

    CHECK_BITS(gtr_blame_step(GTR_BLAME_SHAPLEY, 3.7, 1.0, above, 0, blame, &error, space), 0.0);
    CHECK_BITS(gtr_blame_step(GTR_BLAME_SHAPLEY, 0.3, 1.0, above, 3, blame, &error, space), 0.0);
    CHECK_BITS(blame[0], 0.0);
    CHECK_BITS(blame[2], 0.0);
}

static void every_order_of_arrival_gives_the_same_average(void)
{
    int round;

    for (round = 0; round < 60; round++) {
        size_t n = 1 + (size_t)(draw() * 6.999), j;
        double above[7], blame[7], fair = 4.0 * draw(), limit = 0.2 + 2.0 * draw();

        for (j = 0; j < n; j++)
            above[j] = draw() * draw() * 10.0;
        gtr_blame_step(GTR_BLAME_SHAPLEY, fair, limit, above, n, blame, &error, space);
        for (j = 0; j < n; j++)
            CHECK_NEAR(blame[j], arrive(above, n, j, fair, 0, 1.0, limit), 1e-13);
    }
}

static void shapley_and_aumann_sum_to_the_excess(void)
{
    int round;

    for (round = 0; round < 400; round++) {
        size_t n = 1 + (size_t)(draw() * (round % 40 == 0 ? 24.0 : 12.0)), j;
        double above[32], blame[32], sum, all;
        double fair = 4.0 * draw(), limit = 0.01 + 2.0 * draw();
        enum gtr_blame_method method = round % 2 ? GTR_BLAME_AUMANN : GTR_BLAME_SHAPLEY;

        for (j = 0; j < n; j++)
            above[j] = gtr_exp(30.0 * draw() - 20.0);
        all = gtr_blame_step(method, fair, limit, above, n, blame, &error, space);
        for (sum = 0.0, j = 0; j < n; j++) {
            CHECK(blame[j] >= 0.0);
            sum += blame[j];
        }
        CHECK_NEAR(sum, all, 1e-12 * all);
    }
}

/* A million coalitions: blame is a difference of two sums over them. */
static void twenty_equal_culprits_share_alike_to_twelve_digits(void)
{
    double above[GTR_BLAME_EXACT], blame[GTR_BLAME_EXACT], all;
    size_t j;

    for (j = 0; j < GTR_BLAME_EXACT; j++)
        above[j] = 1.75;
    all =
        gtr_blame_step(GTR_BLAME_SHAPLEY, 24.0, 3.0, above, GTR_BLAME_EXACT, blame, &error, space);
    for (j = 0; j < GTR_BLAME_EXACT; j++)
        CHECK_NEAR(blame[j], all / GTR_BLAME_EXACT, 1e-12 * all);
}

/* Either of two would have done it alone: leaving one out changes little, and says so of both. */
static void leaving_one_out_blames_joint_culprits_too_little(void)
{
    const double above[2] = { 100.0, 100.0 };
    double blame[2];
    double all = gtr_blame_step(GTR_BLAME_LEAVE_ONE_OUT, 1.0, 1.0, above, 2, blame, &error, space);

    CHECK(blame[0] + blame[1] < 0.3 * all);
}

/* The rest of Shapley's axioms: equal players have equal blame, and the larger no less. */
static void more_excess_is_never_less_blame(void)
{
    int round;

    for (round = 0; round < 100; round++) {
        double above[8], blame[8], fair = 4.0 * draw(), limit = 0.2 + 2.0 * draw();
        int method;
        size_t j;

        for (j = 0; j < 8; j++)
            above[j] = (double)(j / 2 + 1) * draw() * (j % 2 ? 0.0 : 1.0);
        for (j = 1; j < 8; j += 2)
            above[j] = above[j - 1]; /* twins */
        for (method = GTR_BLAME_SHAPLEY; method <= GTR_BLAME_LEAVE_ONE_OUT; method++) {
            size_t i;

            gtr_blame_step((enum gtr_blame_method)method, fair, limit, above, 8, blame, &error,
                           space);
            for (j = 0; j < 8; j++)
                for (i = 0; i < 8; i++)
                    CHECK(above[i] > above[j] || blame[i] <= blame[j] + 1e-14);
        }
    }
}

/* A norm 1e160 times its limit is no infinity, and blame has no NaN. */
static void limits_and_norms_over_many_magnitudes_stay_finite(void)
{
    const double above[2] = { 1e20, 3e20 };
    double blame[2],
        all = gtr_blame_step(GTR_BLAME_SHAPLEY, 0.0, 1e-150, above, 2, blame, &error, space);

    CHECK_NEAR(all, 0.5 * log(1e300), 1e-9);
    CHECK_NEAR(blame[0] + blame[1], all, 1e-12 * all);
}

int main(void)
{
    RUN(two_equal_culprits_share_alike);
    RUN(a_culprit_that_alone_would_not_be_clipped_pays_for_what_it_adds);
    RUN(one_culprit_has_all_of_it);
    RUN(without_culprits_or_clipping_there_is_exactly_nothing);
    RUN(every_order_of_arrival_gives_the_same_average);
    RUN(shapley_and_aumann_sum_to_the_excess);
    RUN(twenty_equal_culprits_share_alike_to_twelve_digits);
    RUN(leaving_one_out_blames_joint_culprits_too_little);
    RUN(more_excess_is_never_less_blame);
    RUN(limits_and_norms_over_many_magnitudes_stay_finite);
    return check_report();
}
