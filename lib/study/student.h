/* student.h - Student's t distribution, for an even number of degrees of freedom.
 *
 * Then its integral is a finite sum (Abramowitz and Stegun 1964, 26.7.4).  With
 * s = |t| / sqrt(v + t^2) and c = v / (v + t^2),
 *
 *     P(|T| <= |t|) = s (1 + c/2 + c^2 (1 3)/(2 4) + ... up to c^(v/2 - 1))
 *
 * which takes + * / and sqrt only: the same bits everywhere.
 */
#ifndef GTR_STUDENT_H
#define GTR_STUDENT_H

#include "public.h"

GTR_PUBLIC_BEGIN

/* P(|T| > |t|); 0 for an infinite t. */
double gtr_student_tail(double t, int freedom);

/* The t that |T| exceeds with probability `tail`, in (0, 1). */
double gtr_student_quantile(double tail, int freedom);

GTR_PUBLIC_END

#endif
