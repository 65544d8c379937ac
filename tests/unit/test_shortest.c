/* test_shortest.c - the fast way to print a double against printf and strtod. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "shortest.h"

static void check_print(double value, const char *wanted)
{
    char text[GTR_NUMBER_SIZE] = "";

    CHECK(gtr_shortest_print(value, text) == strlen(wanted));
    CHECK_TEXT(text, wanted);
}

static void digits_are_those_that_printf_would_write(void)
{
    check_print(0.1, "0.1");
    check_print(-0.3, "-0.3");
    check_print(1.5, "1.5");
    check_print(735.515, "735.515");
    check_print(1e9 + 1, "1000000001");
    check_print(0.0001234, "0.0001234");
    check_print(0.00001234, "1.234e-05");
    check_print(123456789012345678.0, "1.2345678901234568e+17");
    check_print(3e100, "3e+100");
    check_print(1.0 / 3.0, "0.3333333333333333");
    check_print(2.0 / 3.0, "0.6666666666666666");
    check_print(5e-300 / 3.0, "1.6666666666666665e-300");
    check_print(999999999999999.9, "999999999999999.9");
    check_print(9.5e22, "9.5e+22");
}

static void what_it_cannot_know_is_left_to_others(void)
{
    char text[GTR_NUMBER_SIZE];

    CHECK(gtr_shortest_print(0.0, text) == 0);
    CHECK(gtr_shortest_print((double)NAN, text) == 0);
    CHECK(gtr_shortest_print((double)INFINITY, text) == 0);
    CHECK(gtr_shortest_print(0.25, text) == 0); /* nearer to its neighbour below than above */
    CHECK(gtr_shortest_print(5e-324, text) == 0);
    CHECK(gtr_shortest_print(1e308, text) == 0);
}

/* xorshift, so that failures repeat. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double made_up(uint64_t *state, size_t i)
{
    uint64_t bits = next_random(state);
    double value;

    switch (i % 5) {
    case 0: /* any bits */
        memcpy(&value, &bits, sizeof value);
        return value;
    case 1: /* few digits */
        return (double)(bits % 1000000) / 1000.0;
    case 2: /* a number of 32 bits */
        return (double)(float)sqrt((double)(bits >> 11));
    case 3: /* whole, and large */
        return (double)(bits >> next_random(state) % 60);
    default:
        return sqrt((double)(bits >> 11) * 0x1p-53);
    }
}

static void half_a_million_doubles_are_printed_alike(void)
{
    uint64_t state = 88172645463325252u;
    size_t i, n_slow = 0, n_wrong = 0;

    for (i = 0; i < 500000; i++) {
        char fast[GTR_NUMBER_SIZE], slow[GTR_NUMBER_SIZE];
        double value = made_up(&state, i);

        if (isnan(value))
            continue;
        if (gtr_shortest_print(value, fast) == 0) {
            n_slow++;
            continue;
        }
        gtr_text_print_slowly(value, slow);
        if (strcmp(fast, slow) != 0 && n_wrong++ < 5)
            CHECK_TEXT(fast, slow);
    }
    CHECK(n_wrong == 0);
    CHECK(n_slow < 50000); /* it is for the others that it is there */
}

int main(void)
{
    RUN(digits_are_those_that_printf_would_write);
    RUN(what_it_cannot_know_is_left_to_others);
    RUN(half_a_million_doubles_are_printed_alike);
    return check_report();
}
