/* picture.h - make pictures of figures, in a folder or in the terminal. */
#ifndef PICTURE_H
#define PICTURE_H

#include "cli.h"
#include "figure.h"

/* One picture to make. */
struct picture {
    const struct figure *figure;
    size_t policy;
    char stem[128]; /* of its files */
};

struct picture_list {
    struct picture *pictures;
    size_t n, capacity;
};

/* Lists the pictures of one figure.  Stems are made of letters, digits, '.', '_' and '-', and are
 * unique in the list. */
enum gtr_code picture_list_add(struct picture_list *list, const struct figure *figure,
                               const struct figure_view *view, struct gtr_err *err);
void picture_list_free(struct picture_list *list);

/* Makes the pictures in `folder`, creating it if need be, and prints their names to stdout.  Files
 * appear whole; none that exists is touched unless common->force.  A picture that gnuplot fails
 * on is reported and the others are made; its rows and script stay, to be looked at. */
enum gtr_code picture_make(const struct picture_list *list, const struct figure_view *view,
                           const struct figure_look *look, const char *folder,
                           const struct cli_common *common, struct gtr_err *err);

/* Draws them on stdout, as text; leaves no files. */
enum gtr_code picture_show(const struct picture_list *list, const struct figure_view *view,
                           const struct figure_look *look, struct gtr_err *err);

#endif
