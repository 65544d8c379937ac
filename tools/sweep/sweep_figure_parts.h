/* sweep_figure_parts.h - the figures of `gradtrace sweep`, and what they share: axes made of cells,
 * names, their rows.
 *
 *     sweep_map       the goals over two knobs, best over the rest; per policy
 *     sweep_front     all settings in the plane of two goals, the front, its knee
 *     sweep_parallel  the best settings, a line each through all knobs and goals; per policy
 *     sweep_curve     objectives over each knob, best over the rest and their range; per policy
 *     sweep_bars      which knob matters
 *
 * Nothing grows with the sweep but the time to read it once per picture: what is too much for a
 * picture is binned, and the picture says so.
 *
 * A knob that takes few values has a cell for each, side by side whatever their distance; the
 * values of a knob that takes many, as in a random sample, are binned, evenly or evenly in the
 * logarithm.
 */
#ifndef SWEEP_FIGURE_PARTS_H
#define SWEEP_FIGURE_PARTS_H

#include <stdio.h>

#include "figure_curve.h"
#include "sweep_found.h"
#include "tell.h"

enum {
    AXIS_VALUES_MAX = 64, /* a grid with more values per knob is finer than a picture shows */
    AXIS_BINS = 32,
    SWEEP_PAIRS_MAX = 3, /* maps per policy: of the knobs that matter most */
    SWEEP_COLUMNS_MAX = 4,
    SWEEP_CURVES_MAX = 3,
    SWEEP_FIGURE_GOALS = 2,
    LABEL_SIZE = 96
};

/* What there is to draw.  A knob belongs to one policy and is NaN in the settings of others. */
struct sweep_figures {
    const struct sweep_options *options;
    const struct sweep_results *results;
    const struct sweep_found *found;
    const struct gtr_plan *plan;
    size_t n_goals; /* 1 or 2; of three, the first two */
};

struct sweep_axis {
    size_t knob;
    size_t n; /* cells; 0: no setting has the knob */
    bool binned, log;
    double low, high;              /* of the values */
    double value[AXIS_VALUES_MAX]; /* of a cell, or its middle */
    const char *choices;           /* "low|high", words for 0, 1, ...; NULL: numbers */
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

size_t sweep_count_knobs(const struct sweep_figures *what, size_t policy);

/* Is the recommended setting one of the policy? */
bool sweep_shows_knee(const struct sweep_figures *what, size_t policy);

/* Was the setting run, and does it keep the limits? */
bool sweep_counts(const struct sweep_figures *what, size_t setting);

/* The words of a knob, "low|high"; NULL for a number. */
const char *sweep_choices(const struct sweep_figures *what, size_t knob);

/* A value as its word, or as a number short enough to read. */
void sweep_value_text(const char *choices, double value, char text[LABEL_SIZE]);

/* "aggc, beta 0.9, high 1.2": policy (where there are several) and knobs of a setting, to be
 * read. */
void sweep_setting_text(const struct sweep_figures *what, size_t setting, char *text, size_t size);

/* How an objective is shown: returns 100 and a label in percent if it is a share. */
double sweep_label(const char *objective, char label[LABEL_SIZE]);

/* Are all values positive, and over a factor of 20? */
bool sweep_is_wide(const struct curve_range *span);

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
