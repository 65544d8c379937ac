/* sweep_figure.h - the figures of `gradtrace sweep`: the rows of a sweep as pictures.
 *
 *     sweep_map       the goals over two knobs, best over the rest; per policy
 *     sweep_front     all settings in the plane of two goals, the front, its knee
 *     sweep_parallel  the best settings, a line each through all knobs and goals; per policy
 *     sweep_curve     objectives over each knob, best over the rest and their range; per policy
 *     sweep_bars      which knob matters
 *
 * Files are named and made as those of `gradtrace plot`: rows, script and picture beside each
 * other.  Nothing grows with the sweep but the time to read it once per picture: what is too much
 * for a picture is binned, and the picture says so.
 */
#ifndef SWEEP_FIGURE_H
#define SWEEP_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "figure_options.h"

enum { SWEEP_FIGURE_GOALS = 2 };

/* What a sweep found.  Borrows everything. */
struct sweep_figures {
    const char *trace; /* its name, for titles */

    size_t n_settings;
    size_t number; /* of the first setting, for files: a part of a sweep does not start at 0 */
    size_t n_policies;
    const char *const *policies; /* short and unique: for legends and files */
    const size_t *first; /* [n_policies + 1] policy p has settings first[p] .. first[p+1]-1 */

    /* A knob belongs to one policy and is NaN in the settings of others. */
    size_t n_knobs;
    const char *const *knobs;             /* "beta", "max_norm@q_proj" */
    const size_t *knob_policy;            /* [n_knobs] */
    const bool *knob_log;                 /* [n_knobs] draw it on a logarithmic axis */
    const char *const *const *knob_words; /* NULL, or [n_knobs]: NULL, or the words of the values
                                             0, 1, ..., ended by NULL */
    const double *knob_values;            /* [n_settings][n_knobs] */

    size_t n_objectives;
    const char *const *objectives; /* "clip_rate" */
    const double *values;          /* [n_settings][n_objectives]; NaN in settings not run */

    /* What was asked for.  Smaller is better. */
    size_t n_goals;                        /* 1 or 2; of three, the first two */
    const char *goals[SWEEP_FIGURE_GOALS]; /* as typed: "volatility", "leak+0.5*distortion" */
    const double *goal_values[SWEEP_FIGURE_GOALS]; /* [n_settings] */
    const bool *keep;    /* [n_settings] keeps all limits; NULL: every setting does */
    const size_t *front; /* settings of the front, ordered by the first goal */
    size_t n_front;      /* 0: no front was made */
    size_t knee;         /* the recommended setting; SIZE_MAX: none */

    const struct gtr_sensitivity *sensitivity; /* [n_knobs] of the first goal, NaN where unknown;
                                                  NULL: leave the figure out */

    const struct figure_options *asked;
    const struct cli_common *common;
};

/* Draws the figures that have something to show, and prints the names of the pictures to
 * stdout; says on stderr which figures have nothing to show, and why.  In the terminal: draws on
 * stdout. */
enum gtr_code sweep_figures_draw(const struct sweep_figures *what, struct gtr_err *err);

#endif
