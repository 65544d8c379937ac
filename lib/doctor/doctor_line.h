/* doctor_line.h - a run as one line of numbers: logarithms of norms, or losses.
 *
 * Only rows that say something are on a line, so that neighbours on it are neighbours in what was
 * seen.  What is asked of a line is asked by medians, which a few spikes do not move.
 */
#ifndef GTR_DOCTOR_LINE_H
#define GTR_DOCTOR_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct gtr_line {
    double *x;   /* [n] */
    size_t *row; /* [n] rising */
    size_t n;
    double *space; /* [2 n] for sorting */
};

/* Of entries from .. to - 1; NaN if there are none. */
double gtr_line_median(const struct gtr_line *line, size_t from, size_t to);

/* 1.4826 times the median distance to that median: a standard deviation that spikes do not move. */
double gtr_line_deviation(const struct gtr_line *line, size_t from, size_t to);

/* A change of level between two neighbouring windows. */
struct gtr_jump {
    size_t at;            /* entry at which the new level begins */
    double before, after; /* medians of the window before and of the one after */
    double noise;         /* the larger deviation of the two */
};

/* Entries in a window of a line so long; 0 if it is too short to have any. */
size_t gtr_line_window(size_t n);

/* The largest jump between entries `from` and `to` that stands out of the drift before it (three
 * times what the window before moved by itself) and of the noise (twice).  False: none. */
bool gtr_line_jump(const struct gtr_line *line, size_t from, size_t to, struct gtr_jump *jump);

#endif
