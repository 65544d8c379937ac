/* test_plan_sample.c - random, Sobol and Latin hypercube points. */
#include "planning.h"
#include "plan_private.h"

static struct gtr_plan *sample(const char *policy, const char *axes, enum gtr_sampling sampling,
                               size_t n, uint64_t seed)
{
    struct gtr_plan_options options = planning_one(policy, axes);

    options.sampling = sampling;
    options.n_samples = n;
    options.seed = seed;
    return planning_make(&options);
}

/* --- Sobol: the table ------------------------------------------------------------------------- */

/* Worked by hand: dimension 1 has m = 1 3 5, dimension 2 (x^2 + x + 1, m = 1 3) goes on with
 * m_3 = 2 * 3 ^ 4 * 1 ^ 1 = 3. */
static void first_points_are_those_worked_by_hand(void)
{
    static const double wanted[8][3] = {
        { 0, 0, 0 },
        { 0.5, 0.5, 0.5 },
        { 0.25, 0.75, 0.75 },
        { 0.75, 0.25, 0.25 },
        { 0.125, 0.625, 0.375 },
        { 0.625, 0.125, 0.875 },
        { 0.375, 0.375, 0.625 },
        { 0.875, 0.875, 0.125 },
    };
    uint32_t direction[GTR_SOBOL_BITS];
    size_t i, d;

    for (d = 0; d < 3; d++) {
        gtr_sobol_direction(d, direction);
        for (i = 0; i < 8; i++)
            CHECK_BITS((double)gtr_sobol_point(direction, i) * 0x1p-32, wanted[i][d]);
    }
}

/* The first 30 direction numbers of all dimensions, as torch.quasirandom.SobolEngine(32) has them,
 * digested (FNV-1a, a number at a time). */
static void the_table_is_that_of_joe_and_kuo(void)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    uint32_t direction[GTR_SOBOL_BITS];
    size_t d, k;

    for (d = 0; d < GTR_SOBOL_DIMENSIONS; d++) {
        gtr_sobol_direction(d, direction);
        for (k = 0; k < 30; k++)
            digest = (digest ^ direction[k]) * UINT64_C(0x100000001b3);
    }
    CHECK(digest == UINT64_C(0x9d230e81865016d5));
}

static void two_to_the_k_points_are_a_permutation_of_the_even_grid(void)
{
    static unsigned char seen[4096];
    uint32_t direction[GTR_SOBOL_BITS];
    size_t d, i;
    unsigned k;

    for (d = 0; d < GTR_SOBOL_DIMENSIONS; d++) {
        gtr_sobol_direction(d, direction);
        for (k = 1; k <= 12; k++) {
            size_t n = (size_t)1 << k;

            memset(seen, 0, sizeof seen);
            for (i = 0; i < n; i++) {
                uint32_t x = gtr_sobol_point(direction, i);

                CHECK((x & (UINT32_MAX >> k)) == 0);
                seen[x >> (32 - k)]++;
            }
            for (i = 0; i < n; i++)
                CHECK(seen[i] == 1);
        }
    }
}

/* Sobol's property A: of 2^d points each lies in another of the 2^d corners of the d-cube cut in
 * half along every side.  Points are linear in the bits of their number, so the first bits of d
 * direction numbers in d dimensions must be independent; the table was chosen so that they are, and
 * a wrong digit in it rarely leaves them so. */
static void the_cube_cut_in_half_along_each_side_has_one_point_a_corner(void)
{
    uint32_t rows[GTR_SOBOL_DIMENSIONS], direction[GTR_SOBOL_BITS];
    size_t n, d, k, rank;

    for (n = 1; n <= GTR_SOBOL_DIMENSIONS; n++) {
        for (d = 0; d < n; d++) {
            gtr_sobol_direction(d, direction);
            rows[d] = 0;
            for (k = 0; k < n; k++)
                rows[d] |= (direction[k] >> 31) << k;
        }
        for (rank = 0, k = 0; k < n; k++) {
            for (d = rank; d < n && (rows[d] >> k & 1) == 0; d++)
                continue;
            if (d < n) {
                uint32_t pivot = rows[d];

                rows[d] = rows[rank];
                rows[rank++] = pivot;
                for (d = rank; d < n; d++)
                    rows[d] ^= (rows[d] >> k & 1) != 0 ? pivot : 0;
            }
        }
        CHECK(rank == n);
    }
}

/* All boxes 2^-a by 2^-(m - t - a) hold 2^t of 2^m points each, where t is what the degrees of the
 * two polynomials allow (Sobol 1967). */
static void check_boxes(size_t first, size_t second, unsigned t)
{
    enum { M = 12 };
    static unsigned short count[1 << M];
    uint32_t x[GTR_SOBOL_BITS], y[GTR_SOBOL_BITS];
    unsigned a, bits = M - t;
    size_t i;

    gtr_sobol_direction(first, x);
    gtr_sobol_direction(second, y);
    for (a = 0; a <= bits; a++) {
        memset(count, 0, sizeof count);
        for (i = 0; i < (size_t)1 << M; i++) {
            uint64_t across = (uint64_t)gtr_sobol_point(x, i) >> (32 - a);
            uint64_t up = (uint64_t)gtr_sobol_point(y, i) >> (32 - (bits - a));

            count[across << (bits - a) | up]++;
        }
        for (i = 0; i < (size_t)1 << bits; i++)
            CHECK(count[i] == 1u << t);
    }
}

static void boxes_of_any_two_dimensions_are_filled_evenly(void)
{
    static const unsigned degree[GTR_SOBOL_DIMENSIONS] = { 1, 1, 2, 3, 3, 4, 4, 5, 5, 5, 5,
                                                           5, 5, 6, 6, 6, 6, 6, 6, 7, 7, 7,
                                                           7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
    size_t i, j;

    for (j = 1; j < GTR_SOBOL_DIMENSIONS; j++)
        for (i = 0; i < j; i++)
            check_boxes(i, j, degree[i] + degree[j] - 2);
}

/* --- Sobol: plans ----------------------------------------------------------------------------- */

static void a_sobol_plan_is_the_sequence_and_a_seed_shifts_it(void)
{
    const char *axes = "beta=0:1:2 switch=0:1:2 transition=0:1:2";
    struct gtr_plan *plain = sample("aggc", axes, GTR_SOBOL, 256, 0);
    struct gtr_plan *shifted = sample("aggc", axes, GTR_SOBOL, 256, 9);
    uint32_t direction[GTR_SOBOL_BITS];
    size_t d, i, moved = 0;

    CHECK(gtr_plan_n_settings(plain) == 256 && gtr_plan_knob_size(plain, 0) == 0);
    for (d = 0; d < 3; d++) {
        unsigned char seen[256] = { 0 };

        gtr_sobol_direction(d, direction);
        for (i = 0; i < 256; i++) {
            double x = gtr_plan_knob(shifted, i, d);

            CHECK_BITS(gtr_plan_knob(plain, i, d), (double)gtr_sobol_point(direction, i) * 0x1p-32);
            CHECK(x >= 0.0 && x < 1.0);
            seen[(size_t)(x * 256.0)]++;
            moved += x != gtr_plan_knob(plain, i, d);
        }
        for (i = 0; i < 256; i++)
            CHECK(seen[i] == 1);
    }
    CHECK(moved == 3 * 256);
    gtr_plan_free(plain);
    gtr_plan_free(shifted);
}

/* --- Latin hypercubes ------------------------------------------------------------------------- */

static void permutations_take_every_place_once(void)
{
    static unsigned char seen[5000];
    static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 7, 16, 17, 64, 65, 1000, 4096, 4097, 5000 };
    uint64_t key, i;
    size_t s;

    for (s = 0; s < GTR_ARRAY_LEN(sizes); s++) {
        for (key = 0; key < 5; key++) {
            memset(seen, 0, sizeof seen);
            for (i = 0; i < sizes[s]; i++) {
                uint64_t to = gtr_sample_permute(i, sizes[s], key * 12345);

                CHECK(to < sizes[s]);
                seen[to]++;
            }
            for (i = 0; i < sizes[s]; i++)
                CHECK(seen[i] == 1);
        }
    }
    CHECK(gtr_sample_permute(999999999, 1000000000, 1) < 1000000000);
}

/* Each of 10 points goes to each of 10 places about 10,000 times in 100,000 keys: 5 standard
 * deviations are 474. */
static void permutations_prefer_no_place(void)
{
    size_t count[10][10] = { { 0 } }, i, j;
    uint64_t key;

    for (key = 0; key < 100000; key++)
        for (i = 0; i < 10; i++)
            count[i][gtr_sample_permute(i, 10, key * UINT64_C(0x9e3779b97f4a7c15))]++;
    for (i = 0; i < 10; i++)
        for (j = 0; j < 10; j++)
            CHECK_NEAR((double)count[i][j], 10000.0, 474.0);
}

static void a_latin_hypercube_has_one_point_in_each_stratum(void)
{
    static const size_t sizes[] = { 1, 2, 3, 10, 1000, 4097 };
    static unsigned char seen[4097];
    size_t s, d, i;

    for (s = 0; s < GTR_ARRAY_LEN(sizes); s++) {
        const size_t n = sizes[s];
        struct gtr_plan *plan =
            sample("aggc", "beta=0:1:2 switch=0:1:2 max_norm=1:1000:5:log", GTR_LATIN, n, s);

        CHECK(gtr_plan_n_settings(plan) == n);
        for (d = 0; d < 3; d++) {
            memset(seen, 0, sizeof seen);
            for (i = 0; i < n; i++) {
                double x = gtr_plan_knob(plan, i, d);

                if (d == 2)
                    x = log(x) / log(1000.0);
                CHECK(x >= 0.0 && x < 1.0);
                seen[(size_t)(x * (double)n)]++;
            }
            for (i = 0; i < n; i++)
                CHECK(seen[i] == 1);
        }
        gtr_plan_free(plan);
    }
}

/* The largest sample: neighbours must not round into the next stratum. */
static void strata_hold_in_the_largest_sample(void)
{
    const size_t n = GTR_PLAN_SETTINGS_MAX;
    struct gtr_plan *plan = sample("aggc", "beta=0:1:2", GTR_LATIN, n, 3);
    size_t i;

    for (i = 0; i < 100000; i++) {
        const size_t point = i * 9973 % n;
        const double part = gtr_sample_part(plan, 0, 0, point);

        CHECK(part >= 0.0 && part < 1.0);
        CHECK(part * (double)n < (double)n);
    }
    gtr_plan_free(plan);
}

/* --- random ----------------------------------------------------------------------------------- */

enum { MANY = 100000, BINS = 64 };

/* Chi-squared of 63 degrees of freedom has mean 63 and standard deviation 11.2: within 5.5 of them
 * for any sound source of bits, and the same on every run. */
static void random_points_are_uniform_and_independent(void)
{
    static double value[3][MANY];
    struct gtr_plan *plan =
        sample("aggc", "beta=0:1:2 switch=0:1:2 transition=0:1:2", GTR_RANDOM, MANY, 1);
    size_t d, i;

    for (d = 0; d < 3; d++) {
        double sum = 0.0, chi = 0.0, next = 0.0, across = 0.0;
        size_t bin[BINS] = { 0 };

        for (i = 0; i < MANY; i++) {
            value[d][i] = gtr_plan_knob(plan, i, d);
            CHECK(value[d][i] >= 0.0 && value[d][i] < 1.0);
            bin[(size_t)(value[d][i] * BINS)]++;
            sum += value[d][i];
        }
        for (i = 0; i < BINS; i++) {
            double expected = (double)MANY / BINS, off = (double)bin[i] - expected;

            chi += off * off / expected;
        }
        for (i = 1; i < MANY; i++) {
            next += (value[d][i] - 0.5) * (value[d][i - 1] - 0.5) * 12.0;
            across += d > 0 ? (value[d][i] - 0.5) * (value[d - 1][i] - 0.5) * 12.0 : 0.0;
        }
        CHECK_NEAR(sum / MANY, 0.5, 5.0 / sqrt(12.0 * MANY));
        CHECK_NEAR(chi, 63.0, 62.0);
        CHECK_NEAR(next / MANY, 0.0, 5.0 / sqrt((double)MANY));
        CHECK_NEAR(across / MANY, 0.0, 5.0 / sqrt((double)MANY));
    }
    gtr_plan_free(plan);
}

/* Ranges are sampled in their own scale, ignoring the N of a grid: half of the points lie below the
 * geometric mean, 10 of 0.1 to 1000, and half below logit 0. */
static void ranges_are_sampled_in_their_own_scale(void)
{
    struct gtr_plan *plan = sample(
        "aggc", "max_norm=0.1:1000:2:log beta=0.01:0.99:2:logit low=2:4:2", GTR_RANDOM, MANY, 4);
    size_t i, below[3] = { 0 };

    for (i = 0; i < MANY; i++) {
        below[0] += gtr_plan_knob(plan, i, 0) < 10.0;
        below[1] += gtr_plan_knob(plan, i, 1) < 0.5;
        below[2] += gtr_plan_knob(plan, i, 2) < 3.0;
    }
    for (i = 0; i < 3; i++)
        CHECK_NEAR((double)below[i], MANY / 2.0, 5.0 * sqrt(MANY / 4.0));
    gtr_plan_free(plan);
}

/* --- all samples ------------------------------------------------------------------------------ */

static void lists_give_each_of_their_values_alike(void)
{
    static const double values[] = { 0.5, 0.25, 7.0 };
    enum gtr_sampling sampling;

    for (sampling = GTR_RANDOM; sampling <= GTR_LATIN; sampling++) {
        struct gtr_plan *plan = sample("aggc", "form=code,paper low=0.5,0.25,7", sampling, 9999, 2);
        size_t count[3] = { 0 }, i, k;

        for (i = 0; i < 9999; i++)
            for (k = 0; k < 3; k++)
                count[k] += gtr_plan_knob(plan, i, 1) == values[k];
        CHECK(count[0] + count[1] + count[2] == 9999);
        for (k = 0; k < 3; k++) {
            if (sampling == GTR_LATIN)
                CHECK(count[k] == 3333);
            CHECK_NEAR((double)count[k], 3333.0, sampling == GTR_RANDOM ? 240.0 : 10.0);
        }
        gtr_plan_free(plan);
    }
}

/* A piece of a sample needs nothing of the others; and the seed and the policy tell samples apart.
 */
static void a_point_depends_on_its_number_only(void)
{
    static const char *const policies[] = { "aggc", "none", "aggc" };
    static const struct gtr_axis_text axes[] = { { 0, "beta=0:1:2" }, { 2, "beta=0:1:2" } };
    struct gtr_plan_options options = {
        .policies = policies, .n_policies = 3, .axes = axes, .n_axes = 2, .n_samples = 500
    };
    enum gtr_sampling sampling;

    for (sampling = GTR_RANDOM; sampling <= GTR_LATIN; sampling++) {
        struct gtr_plan *plan, *again, *other;
        size_t i, same_policy = 0, same_seed = 0;

        options.sampling = sampling;
        options.seed = 11;
        plan = planning_make(&options);
        again = planning_make(&options);
        options.seed = 12;
        other = planning_make(&options);
        CHECK(gtr_plan_n_settings(plan) == 1001 && gtr_plan_policy_of(plan, 500) == 1);
        for (i = 0; i < 500; i++) {
            double x = gtr_plan_knob(plan, i, 0);

            CHECK_BITS(gtr_plan_knob(again, 499 - i, 0), gtr_plan_knob(plan, 499 - i, 0));
            same_policy += x == gtr_plan_knob(plan, 501 + i, 1);
            same_seed += x == gtr_plan_knob(other, i, 0);
        }
        CHECK(same_policy == 0 && same_seed == 0);
        gtr_plan_free(plan);
        gtr_plan_free(again);
        gtr_plan_free(other);
    }
}

/* Golden: a release that moves its points must say so. */
static void samples_stay_where_they_are(void)
{
    static const double wanted[3][2] = {
        { 0.9501185888299059, 1.6808132511559328 },
        { 0.8357599516976483, 1.0248800011555068 },
        { 0.8667256555254839, 4.593508360914273 },
    };
    enum gtr_sampling sampling;
    size_t d;

    for (sampling = GTR_RANDOM; sampling <= GTR_LATIN; sampling++) {
        struct gtr_plan *plan =
            sample("aggc", "beta=0.5:0.99:9:logit high=1:8:9:log", sampling, 1000, 20);

        for (d = 0; d < 2; d++)
            CHECK_BITS(gtr_plan_knob(plan, 123, d), wanted[sampling - GTR_RANDOM][d]);
        gtr_plan_free(plan);
    }
}

/* N (d + 2) settings: A, B, and A with one axis at a time from B. */
static void a_saltelli_design_mixes_two_samples(void)
{
    enum { N = 50, D = 3 };
    struct gtr_plan *plan =
        sample("aggc", "beta=0.1:0.9:2 high=1:4:2:log low=0:0.9:2", GTR_SALTELLI, N, 3);
    size_t i, k, axis;

    CHECK(gtr_plan_n_settings(plan) == N * (D + 2));
    for (i = 0; i < N; i++) {
        for (axis = 0; axis < D; axis++) {
            double a = gtr_plan_knob(plan, i, axis), b = gtr_plan_knob(plan, N + i, axis);

            CHECK(a != b);
            for (k = 0; k < D; k++)
                CHECK_BITS(gtr_plan_knob(plan, (2 + k) * N + i, axis), k == axis ? b : a);
        }
    }
    gtr_plan_free(plan);
}

int main(void)
{
    RUN(first_points_are_those_worked_by_hand);
    RUN(the_table_is_that_of_joe_and_kuo);
    RUN(two_to_the_k_points_are_a_permutation_of_the_even_grid);
    RUN(the_cube_cut_in_half_along_each_side_has_one_point_a_corner);
    RUN(boxes_of_any_two_dimensions_are_filled_evenly);
    RUN(a_sobol_plan_is_the_sequence_and_a_seed_shifts_it);
    RUN(permutations_take_every_place_once);
    RUN(permutations_prefer_no_place);
    RUN(a_latin_hypercube_has_one_point_in_each_stratum);
    RUN(strata_hold_in_the_largest_sample);
    RUN(random_points_are_uniform_and_independent);
    RUN(ranges_are_sampled_in_their_own_scale);
    RUN(lists_give_each_of_their_values_alike);
    RUN(a_point_depends_on_its_number_only);
    RUN(samples_stay_where_they_are);
    RUN(a_saltelli_design_mixes_two_samples);
    return check_report();
}
