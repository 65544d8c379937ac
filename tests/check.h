/* check.h - a test is a function whose name is a sentence; a program is a list of them.
 *
 *     static void an_empty_list_has_no_quantile(void) { CHECK(...); CHECK_BITS(a, b); }
 *     int main(void) { RUN(an_empty_list_has_no_quantile); return check_report(); }
 *
 * CHECK goes on after a failure and counts; a test passed if none of its checks failed.  The last
 * line of each program is "N passed, N failed"; tests/run.sh adds them up.
 */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>
#include <string.h>

static int check_failures, check_passed, check_failed;

#define RUN(test)           \
    do {                    \
        check_failures = 0; \
        test();             \
        check_ended(#test); \
    } while (0)

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            check_failures++;                                                \
            printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                    \
    } while (0)

/* Equal bit for bit; NaNs are equal to each other. */
#define CHECK_BITS(got, wanted) check_bits(__FILE__, __LINE__, #got, (got), (wanted))

/* |got - wanted| <= tolerance, both finite. */
#define CHECK_NEAR(got, wanted, tolerance) \
    check_near(__FILE__, __LINE__, #got, (got), (wanted), (tolerance))

#define CHECK_TEXT(got, wanted) check_text(__FILE__, __LINE__, #got, (got), (wanted))

/* The text holds the part: for error messages. */
#define CHECK_HOLDS(text, part) check_holds(__FILE__, __LINE__, (text), (part))

static inline void check_ended(const char *name)
{
    if (check_failures == 0) {
        check_passed++;
    } else {
        check_failed++;
        printf("FAILED %s\n", name);
    }
}

static inline void check_bits(const char *file, int line, const char *what, double got,
                              double wanted)
{
    unsigned long long got_bits, wanted_bits;

    memcpy(&got_bits, &got, sizeof got_bits);
    memcpy(&wanted_bits, &wanted, sizeof wanted_bits);
    if (got_bits == wanted_bits || (isnan(got) && isnan(wanted)))
        return;
    check_failures++;
    printf("%s:%d: %s is %.17g (%016llx), wanted %.17g (%016llx)\n", file, line, what, got,
           got_bits, wanted, wanted_bits);
}

static inline void check_near(const char *file, int line, const char *what, double got,
                              double wanted, double tolerance)
{
    if (fabs(got - wanted) <= tolerance)
        return;
    check_failures++;
    printf("%s:%d: %s is %.17g, wanted %.17g within %g\n", file, line, what, got, wanted,
           tolerance);
}

static inline void check_text(const char *file, int line, const char *what, const char *got,
                              const char *wanted)
{
    if (got != NULL && strcmp(got, wanted) == 0)
        return;
    check_failures++;
    printf("%s:%d: %s is \"%s\", wanted \"%s\"\n", file, line, what, got ? got : "(null)", wanted);
}

static inline void check_holds(const char *file, int line, const char *text, const char *part)
{
    if (text != NULL && strstr(text, part) != NULL)
        return;
    check_failures++;
    printf("%s:%d: \"%s\" does not hold \"%s\"\n", file, line, text ? text : "(null)", part);
}

static inline int check_report(void)
{
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed > 0;
}

#endif
