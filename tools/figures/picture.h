/* picture.h - make pictures of figures, in a folder or in the terminal. */
#ifndef PICTURE_H
#define PICTURE_H

#include "cli.h"
#include "figure.h"

/* One picture to make. */
struct picture {
    const void *figure; /* its entry in the command's table of figures */
    const char *script; /* its name in plots/ */
    size_t policy;      /* the one that it shows, if it shows one */
    char stem[128];     /* of its files */
};

struct picture_list {
    struct picture *pictures;
    size_t n, capacity;
};

/* Where the content of the files comes from.  Both functions write to f and leave its errors for
 * the caller to find when it closes f. */
struct picture_source {
    const char *command; /* "gradtrace plot" */
    const void *view;    /* what there is to draw */
    void (*write_rows)(FILE *f, const void *view, const struct figure_look *look,
                       const struct picture *picture);
    void (*write_variables)(FILE *f, const void *view, const struct figure_look *look,
                            const struct picture *picture);
};

/* Lists one more picture, with files called SCRIPT or SCRIPT-LABEL: stems are made of letters,
 * digits, '.', '_' and '-', and are unique in the list.  `label` may be NULL. */
enum gtr_code picture_list_add(struct picture_list *list, const void *figure, const char *script,
                               const char *label, size_t policy, struct gtr_err *err);
void picture_list_free(struct picture_list *list);

/* Makes the pictures in `folder`, creating it if need be, and prints their names to stdout.  Files
 * appear whole; none that exists is touched unless common->force.  A picture that gnuplot fails
 * on is reported and the others are made; its rows and script stay, to be looked at. */
enum gtr_code picture_make(const struct picture_list *list, const struct picture_source *source,
                           const struct figure_look *look, const char *folder,
                           const struct cli_common *common, struct gtr_err *err);

/* Draws them on stdout, as text; leaves no files. */
enum gtr_code picture_show(const struct picture_list *list, const struct picture_source *source,
                           const struct figure_look *look, struct gtr_err *err);

/* Runs `gnuplot SCRIPT` with `folder` as its working folder and waits for it.  Its standard output
 * is ours if `show`, else nowhere.  On failure the error ends with what gnuplot said; *missing
 * tells that there is no gnuplot. */
enum gtr_code gnuplot_run(const char *folder, const char *script, bool show, bool *missing,
                          struct gtr_err *err);

/* --- of `gradtrace plot`: a picture for each figure, or for each policy ----------------------- */

/* Lists the pictures of one figure; if it has nothing to show, none, and *why tells why not. */
enum gtr_code plot_pictures_add(struct picture_list *list, const struct figure *figure,
                                const struct figure_view *view, const char **why,
                                struct gtr_err *err);

/* Draws what the view holds; borrows it. */
struct picture_source plot_source(const struct figure_view *view);

#endif
