/* test_front.c - fronts by hand and against the definition, and the knee. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "check.h"
#include "goals.h"
#include "random.h"

enum { K = GTR_OBJECTIVE_COUNT, MOST = 400 };

static struct gtr_goal goals[3];

static void make_goals(void)
{
    CHECK(gtr_goal_parse("leak", &goals[0], NULL) == GTR_OK);
    CHECK(gtr_goal_parse("volatility", &goals[1], NULL) == GTR_OK);
    CHECK(gtr_goal_parse("distortion", &goals[2], NULL) == GTR_OK);
}

static void set_row(double *rows, size_t i, double a, double b, double c)
{
    rows[i * K + GTR_LEAK] = a;
    rows[i * K + GTR_VOLATILITY] = b;
    rows[i * K + GTR_DISTORTION] = c;
}

/* Is the front, of the first n_goals, exactly these rows? */
static void check_front(const double *rows, size_t n, size_t n_goals, const bool *keep,
                        const size_t *wanted, size_t n_wanted)
{
    size_t *front = NULL, n_front = 0, i;

    CHECK(gtr_front_new(goals, n_goals, rows, n, keep, &front, &n_front, NULL) == GTR_OK);
    CHECK(n_front == n_wanted);
    for (i = 0; i < n_front && i < n_wanted; i++) {
        if (front[i] != wanted[i])
            printf("at %zu of %zu: row %zu, wanted %zu\n", i, n_front, front[i], wanted[i]);
        CHECK(front[i] == wanted[i]);
    }
    gtr_free(front);
}

static void fronts_by_hand(void)
{
    static double rows[9 * K];
    static const bool no_four[9] = { true, true, true, true, false, true, true, true, true };

    set_row(rows, 0, 5, 1, 0);
    set_row(rows, 1, 3, 3, 0);
    set_row(rows, 2, 3, 4, -1); /* tie in the first goal */
    set_row(rows, 3, 4, 3, 0);  /* tie in the second, beaten by 1 */
    set_row(rows, 4, 1, 5, 2);
    set_row(rows, 5, 3, 3, 0);   /* equal to 1 */
    set_row(rows, 6, NAN, 0, 0); /* would beat much */
    set_row(rows, 7, 1, 6, 2);
    set_row(rows, 8, -INFINITY, 0, 0);
    check_front(rows, 9, 1, NULL, (const size_t[]){ 4, 7 }, 2);
    check_front(rows, 9, 2, NULL, (const size_t[]){ 4, 1, 5, 0 }, 4);
    check_front(rows, 9, 3, NULL, (const size_t[]){ 4, 1, 5, 2, 0 }, 5);
    check_front(rows, 9, 2, no_four, (const size_t[]){ 7, 1, 5, 0 }, 4);
    check_front(rows, 0, 2, NULL, NULL, 0);
    check_front(rows + 6 * K, 1, 1, NULL, NULL, 0);
}

/* A zero is a zero whatever its sign. */
static void signs_of_zero_are_no_difference(void)
{
    static double rows[3 * K];

    set_row(rows, 0, 0.0, -0.0, 0.0);
    set_row(rows, 1, -0.0, 0.0, -0.0);
    set_row(rows, 2, -0.0, 0.0, 0.5);
    check_front(rows, 3, 3, NULL, (const size_t[]){ 0, 1 }, 2);
    check_front(rows, 3, 2, NULL, (const size_t[]){ 0, 1, 2 }, 3);
}

static void goals_are_one_to_three(void)
{
    size_t *front = NULL, n_front;
    struct gtr_err err = { 0 };

    CHECK(gtr_front_new(goals, 0, NULL, 0, NULL, &front, &n_front, NULL) == GTR_EUSAGE);
    CHECK(gtr_front_new(goals, 4, NULL, 0, NULL, &front, &n_front, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "1 to 3");
    CHECK(front == NULL && n_front == 0);
}

/* --- against the definition --- */

static bool counts(const double *rows, size_t i, size_t n_goals, const bool *keep)
{
    size_t k;

    for (k = 0; k < n_goals; k++)
        if (!isfinite(gtr_goal_value(&goals[k], rows + i * K)))
            return false;
    return keep[i];
}

static bool beats(const double *rows, size_t i, size_t j, size_t n_goals)
{
    bool better = false;
    size_t k;

    for (k = 0; k < n_goals; k++) {
        double a = gtr_goal_value(&goals[k], rows + i * K);
        double b = gtr_goal_value(&goals[k], rows + j * K);

        if (a > b)
            return false;
        better = better || a < b;
    }
    return better;
}

static bool comes_before(const double *rows, size_t i, size_t j, size_t n_goals)
{
    size_t k;

    for (k = 0; k < n_goals; k++) {
        double a = gtr_goal_value(&goals[k], rows + i * K);
        double b = gtr_goal_value(&goals[k], rows + j * K);

        if (a != b)
            return a < b;
    }
    return i < j;
}

/* The unbeaten, each inserted at its place. */
static size_t slow_front(const double *rows, size_t n, size_t n_goals, const bool *keep,
                         size_t *front)
{
    size_t n_front = 0, i, j;

    for (i = 0; i < n; i++) {
        bool beaten = !counts(rows, i, n_goals, keep);

        for (j = 0; j < n && !beaten; j++)
            beaten = counts(rows, j, n_goals, keep) && beats(rows, j, i, n_goals);
        if (beaten)
            continue;
        for (j = n_front++; j > 0 && comes_before(rows, i, front[j - 1], n_goals); j--)
            front[j] = front[j - 1];
        front[j] = i;
    }
    return n_front;
}

/* Coarse values give ties and equal rows, fine ones long fronts; a fixed sum of goals gives fronts
 * of nearly everything. */
static void random_fronts_agree_with_the_definition(void)
{
    static double rows[MOST * K];
    static size_t wanted[MOST];
    bool keep[MOST];
    struct gtr_random random;
    size_t trial, n_goals, i;

    gtr_random_init(&random, 11, 0);
    for (trial = 0; trial < 120; trial++) {
        size_t n = (size_t)gtr_random_below(&random, MOST) + 1;
        double grain = trial % 3 == 0 ? 4.0 : trial % 3 == 1 ? 30.0 : 1e9;

        for (i = 0; i < n; i++) {
            double a = floor(gtr_random_uniform(&random) * grain);
            double b = floor(gtr_random_uniform(&random) * grain);
            double c = floor(gtr_random_uniform(&random) * grain);

            set_row(rows, i, a, b, trial % 2 == 0 ? c : 2.0 * grain - a - b);
            if (gtr_random_below(&random, 20) == 0)
                rows[i * K + GTR_VOLATILITY] = NAN;
            keep[i] = gtr_random_below(&random, 10) != 0;
        }
        for (n_goals = 1; n_goals <= 3; n_goals++)
            check_front(rows, n, n_goals, keep, wanted, slow_front(rows, n, n_goals, keep, wanted));
    }
}

/* A million rows in a few seconds even under a sanitizer: not n squared. */
static void large_fronts_are_fast(void)
{
    enum { LARGE = 200000 };
    double *rows = gtr_alloc((size_t)LARGE * K, sizeof *rows);
    size_t *front = NULL, n_front = 0, i;
    struct gtr_random random;
    clock_t start;

    gtr_random_init(&random, 5, 0);
    for (i = 0; i < LARGE; i++) {
        double a = gtr_random_uniform(&random), b = gtr_random_uniform(&random);

        set_row(rows, i, a, b, 2.0 - a - b);
    }
    start = clock();
    CHECK(gtr_front_new(goals, 3, rows, LARGE, NULL, &front, &n_front, NULL) == GTR_OK);
    CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 5.0);
    CHECK(n_front > LARGE - LARGE / 100); /* equal sums, but for rounding */
    gtr_free(front);
    gtr_free(rows);
}

/* --- the knee --- */

static size_t knee_of(const double *rows, size_t n, size_t n_goals)
{
    size_t *front = NULL, n_front = 0, knee;

    CHECK(gtr_front_new(goals, n_goals, rows, n, NULL, &front, &n_front, NULL) == GTR_OK);
    knee = gtr_front_knee(goals, n_goals, rows, front, n_front);
    gtr_free(front);
    return knee;
}

/* The corner of an L, whatever the units of its sides. */
static void the_knee_of_an_l_is_its_corner(void)
{
    static const double x[] = { 0, 0.0625, 0.125, 0.25, 0.5, 0.75, 1 };
    static const double y[] = { 1, 0.5, 0.125, 0.09375, 0.0625, 0.03125, 0 };
    static double rows[7 * K];
    double unit;
    size_t i;

    for (unit = 1.0 / 1024; unit <= 1024; unit *= 32) {
        for (i = 0; i < 7; i++)
            set_row(rows, i, 3.0 + unit * x[i], y[i] / unit, 0);
        CHECK(knee_of(rows, 7, 2) == 2);
    }
}

static void knees_of_few_rows(void)
{
    static double rows[4 * K];

    CHECK(knee_of(rows, 0, 2) == GTR_NO_ROW);
    set_row(rows, 0, 1, 0, 7);
    set_row(rows, 1, 0, 1, 7);
    CHECK(knee_of(rows, 1, 2) == 0);
    CHECK(knee_of(rows, 2, 2) == 0); /* a tie: the lower number, though second on the front */
    CHECK(knee_of(rows, 2, 1) == 1);
    CHECK(knee_of(rows, 2, 3) == 0); /* the third goal does not differ */
    set_row(rows, 2, 0.125, 0.125, 8);
    CHECK(knee_of(rows, 3, 2) == 2);
    CHECK(knee_of(rows, 3, 3) == 0); /* 1 + 0 against 0.25 + 1 */
    set_row(rows, 3, 0.25, 0.25, 7.25);
    CHECK(knee_of(rows, 4, 3) == 3); /* 0.5 + 0.25 */
}

int main(void)
{
    make_goals();
    RUN(fronts_by_hand);
    RUN(signs_of_zero_are_no_difference);
    RUN(goals_are_one_to_three);
    RUN(random_fronts_agree_with_the_definition);
    RUN(large_fronts_are_fast);
    RUN(the_knee_of_an_l_is_its_corner);
    RUN(knees_of_few_rows);
    return check_report();
}
