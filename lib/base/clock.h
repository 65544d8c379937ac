/* clock.h - seconds that never go back, from some moment on. */
#ifndef GTR_CLOCK_H
#define GTR_CLOCK_H

double gtr_clock(void);

#endif
