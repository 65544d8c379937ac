/* plot_pictures.h - the pictures of `gradtrace plot`: one per figure, or one per policy. */
#ifndef PLOT_PICTURES_H
#define PLOT_PICTURES_H

#include "figure.h"
#include "picture.h"

/* Lists the pictures of one figure; if it has nothing to show, none, and *why tells why not. */
enum gtr_code plot_pictures_add(struct picture_list *list, const struct figure *figure,
                                const struct figure_view *view, const char **why,
                                struct gtr_err *err);

/* Draws what the view holds; borrows it. */
struct picture_source plot_source(const struct figure_view *view);

#endif
