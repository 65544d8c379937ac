/* sweep_draw.h - the results of a sweep as figures. */
#ifndef SWEEP_DRAW_H
#define SWEEP_DRAW_H

#include "sweep_figure.h"
#include "sweep_found.h"

/* What to draw, and where. */
struct sweep_drawing {
    bool wanted[N_SWEEP_FIGURES]; /* in the order of sweep_figure_names */
    struct figure_look look;      /* figure_look_terminal() makes it one for the terminal */
    const char *folder;           /* not for the terminal */
    const char *map_knobs[2];     /* names of the two that maps show; NULL: chosen */
};

/* Draws what the goals and limits of `options` make of the results. */
enum gtr_code sweep_draw(const struct sweep_drawing *drawing, const struct sweep_options *options,
                         const struct sweep_results *results, const struct sweep_found *found,
                         struct gtr_err *err);

#endif
