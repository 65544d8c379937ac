/* test_exact.c - our ln and exp against the C library's long double, and at known points. */
#include "exact.h"

#include <float.h>

#include "check.h"

static uint64_t random_state = 0x2545f4914f6cdd1du;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Error in units of the last place of the right answer. */
static double units_off(double got, long double right)
{
    double nearest = (double)right, next = nextafter(fabs(nearest), INFINITY);

    return (double)(fabsl(got - right) / (next - fabs(nearest)));
}

static void known_logarithms(void)
{
    CHECK_BITS(gtr_ln(1.0), 0.0);
    CHECK_NEAR(gtr_ln(2.0), 0.693147180559945309417, 1.2e-16);
    CHECK_NEAR(gtr_ln(0.9), -0.105360515657826301227, 3e-17);
    CHECK_NEAR(gtr_ln(DBL_MAX), 709.782712893383973096, 1.2e-13);
    CHECK_NEAR(gtr_ln(DBL_MIN), -708.396418532264106224, 1.2e-13);
    CHECK_BITS(gtr_exp(0.0), 1.0);
}

static void logarithms_are_within_two_units(void)
{
    double worst = 0.0;
    int i;

    for (i = 0; i < 400000; i++) {
        /* half of them anywhere, half of them near 1, where cancellation would show */
        uint64_t bits = i % 2 ? random_bits() % UINT64_C(0x7fe0000000000000)
                              : UINT64_C(0x3fe8000000000000) + random_bits() % (UINT64_C(3) << 51);
        double x =
            gtr_from_bits(bits < UINT64_C(0x0010000000000000) ? bits + (UINT64_C(1) << 52) : bits);

        worst = fmax(worst, units_off(gtr_ln(x), logl(x)));
    }
    CHECK(worst < 2.0);
}

static void exponentials_are_within_two_units(void)
{
    double worst = 0.0;
    int i;

    for (i = 0; i < 400000; i++) {
        double x = ((double)random_bits() / 18446744073709551616.0 - 0.5) * (i % 2 ? 1400.0 : 2.0);

        worst = fmax(worst, units_off(gtr_exp(x), expl(x)));
    }
    CHECK(worst < 2.0);
}

static void they_undo_each_other(void)
{
    double x;

    for (x = -600.0; x < 600.0; x += 0.37)
        CHECK_NEAR(gtr_ln(gtr_exp(x)), x, 3e-16 * (1.0 + fabs(x)));
}

int main(void)
{
    RUN(known_logarithms);
    RUN(logarithms_are_within_two_units);
    RUN(exponentials_are_within_two_units);
    RUN(they_undo_each_other);
    return check_report();
}
