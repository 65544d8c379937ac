/* test_sensitivity.c - functions whose indices are known, and ranks by hand. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "check.h"
#include "random.h"
#include "sensitivity.h"
#include "stability.h"

static const double pi = 3.14159265358979323846;

/* A full grid with levels 0 .. size - 1, last knob fastest. */
static double *grid_of(const size_t *sizes, size_t n_knobs, size_t n)
{
    double *knobs = gtr_alloc(n * n_knobs, sizeof *knobs);
    size_t i, k;

    for (i = 0; i < n; i++) {
        size_t rest = i;

        for (k = n_knobs; k > 0; k--) {
            knobs[i * n_knobs + k - 1] = (double)(rest % sizes[k - 1]);
            rest /= sizes[k - 1];
        }
    }
    return knobs;
}

/* y = 3 a - 2 b + c + 1e6: knob variances 9 (n^2 - 1) / 12 and so on; nothing interacts. */
static void additive_shares_are_exact_on_a_grid(void)
{
    static const size_t sizes[4] = { 3, 4, 5, 2 };
    static const double slope[4] = { 3, -2, 1, 0 };
    enum { n = 3 * 4 * 5 * 2 };
    double *knobs = grid_of(sizes, 4, n), values[n], variance[4], sum = 0.0;
    struct gtr_sensitivity out[4];
    size_t i, k;

    for (i = 0; i < n; i++) {
        values[i] = 1e6;
        for (k = 0; k < 4; k++)
            values[i] += slope[k] * knobs[i * 4 + k];
    }
    for (k = 0; k < 4; k++) {
        variance[k] = slope[k] * slope[k] * (double)(sizes[k] * sizes[k] - 1) / 12.0;
        sum += variance[k];
    }
    CHECK(gtr_sensitivity_run(knobs, values, n, 4, sizes, 1, out, NULL) == GTR_OK);
    for (k = 0; k < 4; k++) {
        CHECK_NEAR(out[k].first, variance[k] / sum, 1e-12);
        CHECK_NEAR(out[k].total, variance[k] / sum, 1e-12);
        CHECK(out[k].first_low == out[k].first && out[k].first_high == out[k].first);
        CHECK(out[k].total_low == out[k].total && out[k].total_high == out[k].total);
    }
    CHECK_BITS(out[3].total, 0.0); /* does nothing at all, and no rounding says otherwise */
    gtr_free(knobs);
}

/* y = x1 x2 over -1, 0, 1: neither does anything alone, together they do all.  Over 0, 1, 2 (mean
 * 1, variance 2/3): each alone 2/3, together 4/9 more, so 3/8, 3/8 and 1/4. */
static void products_interact_on_a_grid(void)
{
    static const size_t sizes[2] = { 3, 3 };
    double *knobs = grid_of(sizes, 2, 9), values[9];
    struct gtr_sensitivity out[2];
    size_t i, k;

    for (i = 0; i < 9; i++)
        values[i] = (knobs[i * 2] - 1) * (knobs[i * 2 + 1] - 1);
    CHECK(gtr_sensitivity_run(knobs, values, 9, 2, sizes, 1, out, NULL) == GTR_OK);
    for (k = 0; k < 2; k++) {
        CHECK_BITS(out[k].first, 0.0);
        CHECK_BITS(out[k].total, 1.0);
    }
    for (i = 0; i < 9; i++)
        values[i] = knobs[i * 2] * knobs[i * 2 + 1];
    CHECK(gtr_sensitivity_run(knobs, values, 9, 2, sizes, 1, out, NULL) == GTR_OK);
    for (k = 0; k < 2; k++) {
        CHECK_NEAR(out[k].first, 0.375, 1e-15);
        CHECK_NEAR(out[k].total, 0.625, 1e-15);
    }
    gtr_free(knobs);
}

/* Rows that a constraint kept out are not rows with value 0. */
static void holes_in_a_grid_are_left_out(void)
{
    static const size_t sizes[2] = { 4, 6 };
    double *knobs = grid_of(sizes, 2, 24), values[24];
    struct gtr_sensitivity out[2];
    size_t i;

    for (i = 0; i < 24; i++)
        values[i] = knobs[i * 2] < knobs[i * 2 + 1] ? 7.0 - knobs[i * 2] : (double)NAN;
    CHECK(gtr_sensitivity_run(knobs, values, 24, 2, sizes, 1, out, NULL) == GTR_OK);
    CHECK_NEAR(out[0].first, 1.0, 1e-15);
    CHECK_BITS(out[1].total, 0.0);
    gtr_free(knobs);
}

static void sizes_must_fit_the_rows(void)
{
    static const double knobs[12] = { 0 }, values[6] = { 1, 2, 3, 4, 5, 6 };
    static const size_t wrong[][2] = { { 2, 2 }, { 0, 6 }, { 6, 0 }, { 2, 4 }, { SIZE_MAX, 2 } };
    struct gtr_sensitivity out[2];
    struct gtr_err err = { 0 };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(wrong); i++)
        CHECK(gtr_sensitivity_run(knobs, values, 6, 2, wrong[i], 1, out, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "6 rows are not the full grid");
}

static void constant_goals_have_no_shares(void)
{
    static const size_t sizes[2] = { 3, 4 };
    double *knobs = grid_of(sizes, 2, 12), values[12];
    struct gtr_sensitivity out[2];
    size_t i;

    for (i = 0; i < 12; i++)
        values[i] = 0.1; /* twelve of which do not add up to 1.2 */
    CHECK(gtr_sensitivity_run(knobs, values, 12, 2, sizes, 1, out, NULL) == GTR_OK);
    CHECK(isnan(out[0].first) && isnan(out[1].total) && isnan(out[1].first_low));
    CHECK(gtr_sensitivity_run(knobs, values, 12, 2, NULL, 1, out, NULL) == GTR_OK);
    CHECK(isnan(out[0].first) && isnan(out[1].total) && isnan(out[1].first_high));
    for (i = 0; i < 12; i++)
        values[i] = i < 3 ? (double)i : (double)NAN; /* three rows are too few */
    CHECK(gtr_sensitivity_run(knobs, values, 12, 2, NULL, 1, out, NULL) == GTR_OK);
    CHECK(isnan(out[0].first));
    CHECK(gtr_sensitivity_run(knobs, values, 0, 2, NULL, 1, out, NULL) == GTR_OK);
    CHECK(isnan(out[0].first) && isnan(out[1].first));
    gtr_free(knobs);
}

/* Ishigami and Homma 1990: y = sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 over [-pi, pi]^3. */
static void make_ishigami(double *knobs, double *values, size_t n, uint64_t seed)
{
    struct gtr_random random;
    size_t i, k;

    gtr_random_init(&random, seed, 0);
    for (i = 0; i < n; i++) {
        double *x = knobs + i * 3;

        for (k = 0; k < 3; k++)
            x[k] = pi * (2.0 * gtr_random_uniform(&random) - 1.0);
        values[i] = sin(x[0]) + 7.0 * sin(x[1]) * sin(x[1]) + 0.1 * pow(x[2], 4.0) * sin(x[0]);
    }
}

static const double ishigami_first[3] = { 0.3139, 0.4424, 0.0 };

static void a_sample_finds_ishigamis_indices(void)
{
    enum { n = 1 << 14 };
    double *knobs = gtr_alloc((size_t)n * 3, sizeof *knobs), *values = gtr_alloc(n, sizeof *values);
    struct gtr_sensitivity out[3], again[3];
    size_t k;

    make_ishigami(knobs, values, n, 3);
    CHECK(gtr_sensitivity_run(knobs, values, n, 3, NULL, 7, out, NULL) == GTR_OK);
    for (k = 0; k < 3; k++) {
        CHECK_NEAR(out[k].first, ishigami_first[k], 0.03);
        CHECK(out[k].first_low <= out[k].first && out[k].first <= out[k].first_high);
        CHECK(out[k].first_high - out[k].first_low < 0.04);
        CHECK(isnan(out[k].total) && isnan(out[k].total_low) && isnan(out[k].total_high));
    }
    CHECK(out[1].first_high - out[1].first_low > 0.005);
    CHECK(gtr_sensitivity_run(knobs, values, n, 3, NULL, 7, again, NULL) == GTR_OK);
    for (k = 0; k < 3; k++) {
        CHECK_BITS(again[k].first_low, out[k].first_low);
        CHECK_BITS(again[k].first_high, out[k].first_high);
    }
    gtr_free(knobs);
    gtr_free(values);
}

/* 100 samples of 500 rows: 95 of 100 intervals hold the truth, give or take.  Without the
 * corrections of sensitivity.c few do: chance alone gives x3 a share of 21 / 500. */
static void intervals_hold_the_truth(void)
{
    enum { n = 500, TRIALS = 100 };
    static double knobs[n * 3], values[n];
    struct gtr_sensitivity out[3];
    double sum[3] = { 0 };
    int held[3] = { 0 };
    size_t trial, k;

    for (trial = 0; trial < TRIALS; trial++) {
        make_ishigami(knobs, values, n, 100 + trial);
        CHECK(gtr_sensitivity_run(knobs, values, n, 3, NULL, trial, out, NULL) == GTR_OK);
        for (k = 0; k < 3; k++) {
            held[k] += out[k].first_low <= ishigami_first[k] + 0.01 &&
                       ishigami_first[k] <= out[k].first_high + 0.01;
            sum[k] += out[k].first;
        }
    }
    for (k = 0; k < 3; k++) {
        if (held[k] < 85)
            printf("knob %zu: %d of %d\n", k, held[k], (int)TRIALS);
        CHECK(held[k] >= 85);
        CHECK_NEAR(sum[k] / TRIALS, ishigami_first[k], 0.03);
    }
}

/* Words and short lists: bins are the values themselves, and none is split. */
static void few_values_are_their_own_bins(void)
{
    enum { n = 4000 };
    static double knobs[n * 3], values[n];
    struct gtr_sensitivity out[3];
    struct gtr_random random;
    size_t i;

    gtr_random_init(&random, 1, 0);
    for (i = 0; i < n; i++) {
        /* The middle one is rarer than a bin of equal probability. */
        knobs[i * 3] =
            gtr_random_below(&random, 200) == 0 ? 1.0 : 2.0 * (double)gtr_random_below(&random, 2);
        knobs[i * 3 + 1] = gtr_random_uniform(&random);
        knobs[i * 3 + 2] = 5.0; /* a knob that nobody turns */
        values[i] = knobs[i * 3] == 1.0 ? 1.0 : 0.0;
    }
    values[9] = NAN;
    knobs[30] = NAN;
    CHECK(gtr_sensitivity_run(knobs, values, n, 3, NULL, 7, out, NULL) == GTR_OK);
    CHECK_NEAR(out[0].first, 1.0, 1e-12);
    CHECK_NEAR(out[0].first_low, 1.0, 1e-12);
    CHECK_NEAR(out[1].first, 0.0, 0.02);
    CHECK_BITS(out[2].first, 0.0);
}

static void a_million_rows_are_fast(void)
{
    enum { n = 1000000 };
    double *knobs = gtr_alloc((size_t)n * 3, sizeof *knobs), *values = gtr_alloc(n, sizeof *values);
    struct gtr_sensitivity out[3];
    clock_t start;
    size_t k;

    make_ishigami(knobs, values, n, 9);
    start = clock();
    CHECK(gtr_sensitivity_run(knobs, values, n, 3, NULL, 7, out, NULL) == GTR_OK);
    CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 10.0); /* 0.3 without a sanitizer */
    for (k = 0; k < 3; k++) {
        CHECK_NEAR(out[k].first, ishigami_first[k], 0.005);
        CHECK(out[k].first_high - out[k].first_low < 0.006);
    }
    gtr_free(knobs);
    gtr_free(values);
}

static void no_memory_is_told(void)
{
    static const double knobs[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    static const double values[8] = { 1, 5, 2, 7, 3, 8, 2, 8 };
    static const size_t sizes[1] = { 8 };
    struct gtr_sensitivity out[1];
    enum gtr_code rc;
    size_t form, n;

    for (form = 0; form < 2; form++) {
        for (rc = GTR_ENOMEM, n = 1; rc == GTR_ENOMEM && n < 50; n++) {
            gtr_alloc_fail_after(n);
            rc = gtr_sensitivity_run(knobs, values, 8, 1, form == 0 ? NULL : sizes, 1, out, NULL);
            gtr_alloc_fail_after(0);
        }
        CHECK(rc == GTR_OK && n > 5);
    }
}

/* --- ranks --- */

/* Ishigami's function with a = 7, b = 0.1 over [-pi, pi]^3: first 0.3139, 0.4424, 0; total 0.5576,
 * 0.4424, 0.2437 (Homma and Saltelli 1996). */
static void a_design_finds_totals_as_well(void)
{
    enum { N = 1 << 14 };
    static const double first[3] = { 0.3139, 0.4424, 0.0 }, total[3] = { 0.5576, 0.4424, 0.2437 };
    struct gtr_sensitivity out[3];
    double *values = calloc(5 * N, sizeof *values);
    struct gtr_random random;
    size_t i, k, block;

    gtr_random_init(&random, 7, 0);
    for (i = 0; i < N; i++) {
        double a[3], b[3];

        for (k = 0; k < 3; k++) {
            a[k] = pi * (2.0 * gtr_random_uniform(&random) - 1.0);
            b[k] = pi * (2.0 * gtr_random_uniform(&random) - 1.0);
        }
        for (block = 0; block < 5; block++) {
            double x[3];

            for (k = 0; k < 3; k++)
                x[k] = block == 1 || block == k + 2 ? b[k] : a[k];
            values[block * N + i] = sin(x[0]) + 7.0 * sin(x[1]) * sin(x[1]) +
                                    0.1 * x[2] * x[2] * x[2] * x[2] * sin(x[0]);
        }
    }
    values[17] = NAN; /* one setting was not run */
    CHECK(gtr_sensitivity_design(values, N, 3, 1, out, NULL) == GTR_OK);
    for (k = 0; k < 3; k++) {
        CHECK_NEAR(out[k].first, first[k], 0.03);
        CHECK_NEAR(out[k].total, total[k], 0.03);
        CHECK(out[k].first_low < out[k].first && out[k].first < out[k].first_high);
        CHECK(out[k].total_low < out[k].total && out[k].total < out[k].total_high);
    }
    for (i = 0; i < 5 * N; i++)
        values[i] = 2.0;
    CHECK(gtr_sensitivity_design(values, N, 3, 1, out, NULL) == GTR_OK);
    CHECK(isnan(out[0].first) && isnan(out[2].total));
    free(values);
}

static void ranks_by_hand(void)
{
    static const double up[5] = { 1, 2, 3, 4, 5 }, cubes[5] = { 1, 8, 27, 64, 125 };
    static const double down[5] = { 9, 7, 5, 3, 1 }, swapped[5] = { 1, 3, 2, 4, 5 };
    static const double tied[5] = { 1, 2, 2, 4, 4 }, same[5] = { 3, 3, 3, 3, 3 };
    struct gtr_stability out;

    CHECK(gtr_stability_run(up, cubes, 5, &out, NULL) == GTR_OK);
    CHECK_BITS(out.rank_correlation, 1.0);
    CHECK(out.best_overlap == 1.0 && out.n == 5);
    CHECK(gtr_stability_run(up, down, 5, &out, NULL) == GTR_OK);
    CHECK_BITS(out.rank_correlation, -1.0);
    CHECK_BITS(out.best_overlap, 0.0);
    CHECK(gtr_stability_run(up, swapped, 5, &out, NULL) == GTR_OK);
    CHECK_BITS(out.rank_correlation, 0.9); /* 1 - 6 * 2 / (5 * 24) */
    /* Ranks 1 2.5 2.5 4.5 4.5 against 1 2 3 4 5: 9 / sqrt(9 * 10). */
    CHECK(gtr_stability_run(up, tied, 5, &out, NULL) == GTR_OK);
    CHECK_NEAR(out.rank_correlation, 9.0 / sqrt(90.0), 1e-15);
    CHECK(gtr_stability_run(up, same, 5, &out, NULL) == GTR_OK);
    CHECK(isnan(out.rank_correlation) && out.best_overlap == 1.0); /* 0 is first in a tie */
    CHECK(gtr_stability_run(up, same, 0, &out, NULL) == GTR_OK);
    CHECK(isnan(out.rank_correlation) && isnan(out.best_overlap) && out.n == 0);
}

/* 20 settings, so the best two count; what has no value on one side does not. */
static void the_best_tenth_overlaps(void)
{
    double a[22], b[22];
    struct gtr_stability out;
    size_t i;

    for (i = 0; i < 22; i++)
        a[i] = b[i] = (double)i;
    a[0] = NAN;
    b[1] = NAN;
    b[3] = 100.0; /* best in b: 2 and 4; in a: 2 and 3 */
    CHECK(gtr_stability_run(a, b, 22, &out, NULL) == GTR_OK);
    CHECK(out.n == 20);
    CHECK_BITS(out.best_overlap, 0.5);
    /* 3 went from rank 2 to 20 and 18 others one down: 1 - 6 (324 + 18) / (20 * 399). */
    CHECK_NEAR(out.rank_correlation, 1.0 - 6.0 * 342.0 / 7980.0, 1e-15);
}

int main(void)
{
    RUN(additive_shares_are_exact_on_a_grid);
    RUN(products_interact_on_a_grid);
    RUN(holes_in_a_grid_are_left_out);
    RUN(sizes_must_fit_the_rows);
    RUN(constant_goals_have_no_shares);
    RUN(a_sample_finds_ishigamis_indices);
    RUN(intervals_hold_the_truth);
    RUN(a_design_finds_totals_as_well);
    RUN(few_values_are_their_own_bins);
    RUN(a_million_rows_are_fast);
    RUN(no_memory_is_told);
    RUN(ranks_by_hand);
    RUN(the_best_tenth_overlaps);
    return check_report();
}
