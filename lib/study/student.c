/* student.c - Student's t distribution: the finite sum, and bisection on it. */
#include "student.h"

#include <math.h>

double gtr_student_tail(double t, int freedom)
{
    double v = (double)freedom, term = 1.0, sum = 1.0, c, s, tail;
    int k;

    if (!(fabs(t) < 1e150))
        return isnan(t) ? t : 0.0;
    c = v / (v + t * t);
    s = fabs(t) / sqrt(v + t * t);
    for (k = 1; k < freedom / 2; k++) {
        term = term * c * ((2.0 * k - 1.0) / (2.0 * k));
        sum = sum + term;
    }
    tail = 1.0 - s * sum;
    return tail > 0.0 ? tail : 0.0;
}

double gtr_student_quantile(double tail, int freedom)
{
    double low = 0.0, high = 1.0;
    int i;

    while (gtr_student_tail(high, freedom) > tail && high < 1e9)
        high = 2.0 * high;
    /* Each round halves the interval: 60 of them leave nothing of a double. */
    for (i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);

        if (gtr_student_tail(middle, freedom) > tail)
            low = middle;
        else
            high = middle;
    }
    return high;
}
