/* test_random.c - the generators against published numbers, the deviates against their moments. */
#include "random.h"

#include "check.h"

enum { DRAWS = 200000 };

/* The first numbers that splitmix64 gives for the seed 1234567, as other implementations print. */
static void splitmix_gives_its_published_numbers(void)
{
    static const uint64_t wanted[] = { UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                       UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                       UINT64_C(16408922859458223821) };
    uint64_t state = 1234567;
    size_t i;

    for (i = 0; i < 5; i++)
        CHECK(gtr_splitmix_step(&state) == wanted[i]);
}

/* From the state 1, 2, 3, 4: rotl(2 * 5, 7) * 9 = 11520; then s1 is 0; the rest as published. */
static void xoshiro_gives_its_published_numbers(void)
{
    static const uint64_t wanted[] = { 11520,
                                       0,
                                       1509978240,
                                       UINT64_C(1215971899390074240),
                                       UINT64_C(1216172134540287360),
                                       UINT64_C(607988272756665600),
                                       UINT64_C(16172922978634559625),
                                       UINT64_C(8476171486693032832) };
    struct gtr_random random = { .state = { 1, 2, 3, 4 } };
    size_t i;

    for (i = 0; i < 8; i++)
        CHECK(gtr_random_bits(&random) == wanted[i]);
}

static void seeds_and_streams_differ(void)
{
    struct gtr_random a, b, c;

    gtr_random_init(&a, 1, 2);
    gtr_random_init(&b, 2, 1);
    gtr_random_init(&c, 1, 2);
    CHECK(gtr_random_bits(&a) != gtr_random_bits(&b));
    gtr_random_init(&b, 1, 3);
    gtr_random_init(&a, 1, 2);
    CHECK(gtr_random_bits(&a) == gtr_random_bits(&c));
    CHECK(gtr_random_bits(&a) != gtr_random_bits(&b));
}

/* Every value comes equally often: within 5 standard deviations, sqrt(DRAWS / 7 * 6 / 7). */
static void below_is_even(void)
{
    size_t counts[7] = { 0 };
    struct gtr_random random;
    int i;

    gtr_random_init(&random, 3, 0);
    for (i = 0; i < DRAWS; i++)
        counts[gtr_random_below(&random, 7)]++;
    for (i = 0; i < 7; i++)
        CHECK_NEAR((double)counts[i], DRAWS / 7.0, 5 * 157.0);
    CHECK(gtr_random_below(&random, 1) == 0);
}

/* Moments 1 to 4 of a normal deviate: 0, 1, 0, 3; their errors at 200,000 draws are about 0.0022,
 * 0.0032, 0.0087 and 0.022.  Neighbours do not depend on each other. */
static void normal_deviates_have_their_moments(void)
{
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0, before = 0, outside = 0;
    struct gtr_random random;
    int i;

    gtr_random_init(&random, 4, 0);
    for (i = 0; i < DRAWS; i++) {
        double x = gtr_random_normal(&random);

        m1 += x / DRAWS;
        m2 += x * x / DRAWS;
        m3 += x * x * x / DRAWS;
        m4 += x * x * x * x / DRAWS;
        lag += x * before / DRAWS;
        outside += (fabs(x) > 1.959963984540054) / (double)DRAWS;
        before = x;
    }
    CHECK_NEAR(m1, 0.0, 0.01);
    CHECK_NEAR(m2, 1.0, 0.015);
    CHECK_NEAR(m3, 0.0, 0.04);
    CHECK_NEAR(m4, 3.0, 0.1);
    CHECK_NEAR(lag, 0.0, 0.01);
    CHECK_NEAR(outside, 0.05, 0.0025);
}

static void uniform_and_exponential_have_their_means(void)
{
    double uniform = 0, exponential = 0, least = 1, most = 0;
    struct gtr_random random;
    int i;

    gtr_random_init(&random, 5, 0);
    for (i = 0; i < DRAWS; i++) {
        double u = gtr_random_uniform(&random);

        least = fmin(least, u);
        most = fmax(most, u);
        uniform += u / DRAWS;
        exponential += gtr_random_exponential(&random) / DRAWS;
    }
    CHECK_NEAR(uniform, 0.5, 0.004);
    CHECK_NEAR(exponential, 1.0, 0.012);
    CHECK(least > 0.0 && least < 1e-4 && most <= 1.0 && most > 0.9999);
}

/* Above x with probability x^-2. */
static void pareto_tails_are_heavy(void)
{
    double above2 = 0, above10 = 0, least = 10;
    struct gtr_random random;
    int i;

    gtr_random_init(&random, 6, 0);
    for (i = 0; i < DRAWS; i++) {
        double x = gtr_random_pareto(&random, 2.0);

        least = fmin(least, x);
        above2 += (x > 2.0) / (double)DRAWS;
        above10 += (x > 10.0) / (double)DRAWS;
    }
    CHECK_NEAR(above2, 0.25, 0.005);
    CHECK_NEAR(above10, 0.01, 0.00115);
    CHECK(least >= 1.0);
}

int main(void)
{
    RUN(splitmix_gives_its_published_numbers);
    RUN(xoshiro_gives_its_published_numbers);
    RUN(seeds_and_streams_differ);
    RUN(below_is_even);
    RUN(normal_deviates_have_their_moments);
    RUN(uniform_and_exponential_have_their_means);
    RUN(pareto_tails_are_heavy);
    return check_report();
}
