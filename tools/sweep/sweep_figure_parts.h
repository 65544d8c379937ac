/* sweep_figure_parts.h - what the figures of a sweep share: axes made of cells, names, their rows.
 *
 * A knob that takes few values has a cell for each, side by side whatever their distance; the
 * values of a knob that takes many, as in a random sample, are binned, evenly or evenly in the
 * logarithm.
 */
#ifndef SWEEP_FIGURE_PARTS_H
#define SWEEP_FIGURE_PARTS_H

#include <stdio.h>

#include "sweep_figure.h"
#include "tell.h"

enum {
    AXIS_VALUES_MAX = 64, /* a grid with more values per knob is finer than a picture shows */
    AXIS_BINS = 32,
    SWEEP_PAIRS_MAX = 3, /* maps per policy: of the knobs that matter most */
    SWEEP_COLUMNS_MAX = 4,
    SWEEP_CURVES_MAX = 3,
    LABEL_SIZE = 96
};

struct sweep_axis {
    size_t knob;
    size_t n; /* cells; 0: no setting has the knob */
    bool binned, log;
    double low, high;              /* of the values */
    double value[AXIS_VALUES_MAX]; /* of a cell, or its middle */
    const char *const *words;      /* NULL: numbers */
};

void sweep_axis_init(struct sweep_axis *axis, const struct sweep_figures *what, size_t knob);

/* Cell of a value, 0 to n - 1; n if it is NaN. */
size_t sweep_axis_cell(const struct sweep_axis *axis, double value);

/* Where a value lies along the axis: 1 is the middle of the first cell, n that of the last. */
double sweep_axis_place(const struct sweep_axis *axis, double value);

/* NAME = '"0.1" 1, "1" 5': at most `most` tics in units of cells, for `set xtics (...)`.
 * Returns the length of the longest. */
size_t sweep_axis_set_tics(FILE *f, const char *name, const struct sweep_axis *axis, size_t most);

/* Numbers the tics of an axis: calls take(place, text) for each. */
void sweep_axis_tics(const struct sweep_axis *axis, size_t most,
                     void (*take)(void *context, double place, const char *text), void *context);

/* The knobs of a policy, those that matter most first if that is known.  Writes up to `most` and
 * returns how many. */
size_t sweep_knobs(const struct sweep_figures *what, size_t policy, size_t *knobs, size_t most);

/* Was the setting run, and does it keep the limits? */
bool sweep_counts(const struct sweep_figures *what, size_t setting);

/* A value as its word, or as a number short enough to read. */
void sweep_value_text(const char *const *words, double value, char text[LABEL_SIZE]);

/* "aggc, beta 0.9, high 1.2": policy (where there are several) and knobs of a setting, to be
 * read. */
void sweep_setting_text(const struct sweep_figures *what, size_t setting, char *text, size_t size);

/* How an objective is shown: returns 100 and a label in percent if it is a share. */
double sweep_label(const char *objective, char label[LABEL_SIZE]);

/* Least and largest of the finite values seen, and least above 0. */
struct sweep_span {
    double low, high, low_positive;
    size_t n;
};
void sweep_span_init(struct sweep_span *span);
void sweep_span_see(struct sweep_span *span, double value);
/* Are all values positive, and over a factor of 20? */
bool sweep_span_is_wide(const struct sweep_span *span);

/* ARRAY[K] = "TEXT" */
void sweep_set_element(FILE *f, const char *array, size_t k, const char *text);

#define SWEEP_FUNCTIONS(name)                                                                   \
    void name##_rows(FILE *f, const struct sweep_figures *what, const struct figure_look *look, \
                     size_t policy);                                                            \
    void name##_variables(FILE *f, const struct sweep_figures *what,                            \
                          const struct figure_look *look, size_t policy)

SWEEP_FUNCTIONS(sweep_map);
SWEEP_FUNCTIONS(sweep_front);
SWEEP_FUNCTIONS(sweep_parallel);
SWEEP_FUNCTIONS(sweep_curve);
SWEEP_FUNCTIONS(sweep_bars);

#endif
