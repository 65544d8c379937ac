/* figure.h - the figures of `gradtrace plot`: what they show, and how a picture is made.
 *
 * A figure is a script in plots/ plus two functions here: one writes the rows that the script
 * reads, the other the variables that describe them.  A picture is one figure, once, or once per
 * policy.  Its files share a stem:
 *
 *     norms.tsv    the rows
 *     norms.gp     variables + plots/style.gp + plots/norms.gp: all that gnuplot needs
 *     norms.png    what `gnuplot norms.gp` draws
 */
#ifndef FIGURE_H
#define FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gradtrace_lab.h"

/* What a column of `layers` shows of its steps. */
enum figure_bin { BIN_MAX, BIN_MEDIAN };

/* What there is to draw.  Borrows everything but the arrays named as owned. */
struct figure_view {
    const struct gtr_series *series;
    const struct gtr_step *steps; /* [T] */
    const uint8_t *skip;          /* [T] steps that every policy leaves out */
    const char *trace;            /* its name, for titles */
    size_t n_policies;
    const char *const *labels;              /* [n_policies] short and unique: for files and rows */
    const char *const *titles;              /* [n_policies] as the user typed them */
    struct gtr_decisions *const *decisions; /* [n_policies], with intervals */
    size_t *ranked;                         /* [G] owned: groups, most energy first */
    size_t group;                           /* the one that `interval` shows */
    double *values, *medians;               /* [T] owned: one curve at a time */

    /* For `layers`: norms by layer, of one module kind or of all; owned, NULL if not asked for or
     * if no layers were found. */
    struct gtr_series *layers;
    size_t *layer_rows; /* [n_layers] owned: from the bottom of the picture up */
    size_t n_layers;
    const char *module; /* NULL: all tensors */
    enum figure_bin bin;

    /* For `spike`: norms over their baselines, and the row of the step in the middle; owned, NULL
     * if not asked for. */
    struct gtr_baseline *baseline;
    size_t spike, spike_group;

    double tail; /* share of the steps, the largest, whose slope `tails` tells */
};

enum figure_axis { AXIS_AUTO, AXIS_LOG, AXIS_LINEAR };

/* For a screen: with titles.  For a paper: as wide as its columns, type of 8 points, no titles. */
enum figure_style { STYLE_SCREEN, STYLE_PAPER };

/* How it should look. */
struct figure_look {
    enum figure_axis axis; /* of norms */
    const char *formats;   /* "png svg"; "term" for a text terminal */
    double width, height;  /* inches; 0: the figure's own */
    size_t columns, rows;  /* of the terminal */
    bool colour;           /* terminal only */
    enum figure_style style;
    unsigned paper_columns; /* that a picture spans in a paper: 1 or 2; 0: not told */
};

struct figure {
    const char *name;    /* of the script in plots/ as well */
    const char *summary; /* for --help */
    bool per_policy;
    bool replays; /* shows what policies would have done */
    /* Why the figure has nothing to show (of a policy), or NULL; no function: it always has. */
    const char *(*lacks)(const struct figure_view *view, size_t policy);
    /* Both write to f and leave its errors for the caller to find when it closes f. */
    void (*write_rows)(FILE *f, const struct figure_view *view, const struct figure_look *look,
                       size_t policy);
    void (*write_variables)(FILE *f, const struct figure_view *view, const struct figure_look *look,
                            size_t policy);
};

/* All figures, in the order in which they are drawn. */
enum { N_FIGURES = 9 };
extern const struct figure figures[N_FIGURES];

/* Fills what most figures need.  `group` is the name given by the user, or NULL: then the group
 * most often clipped, or the one with most energy.  Free with figure_view_free, also after
 * failure. */
enum gtr_code figure_view_fill(struct figure_view *view, const char *group, struct gtr_err *err);

/* What `layers` needs: reads the trace again, by layer.  `module` NULL: all tensors. */
enum gtr_code figure_view_layers(struct figure_view *view, const struct gtr_trace *trace,
                                 const char *module, size_t n_threads, struct gtr_err *err);

/* What `spike` needs.  `step`: the number of the step to show; NULL: the worst spike. */
enum gtr_code figure_view_spike(struct figure_view *view, const int64_t *step, struct gtr_err *err);

/* Does the policy make one decision for all tensors? */
bool figure_holds_whole(const struct figure_view *view, size_t policy);
void figure_view_free(struct figure_view *view);

/* False if every step was skipped, so that no policy decided anything. */
bool figure_has_decisions(const struct figure_view *view);

/* A group's norm at a step, as recorded and after a policy: NaN where it was not finite, and after
 * a policy also where the step was skipped. */
double figure_norm(const struct figure_view *view, size_t group, size_t t);
double figure_norm_of(const struct gtr_series *series, size_t group, size_t t);
double figure_norm_out(const struct figure_view *view, size_t policy, size_t group, size_t t);

/* Sorts n numbers upward; and the middle of sorted ones, of two their mean, NaN if there are none.
 */
void figure_sort(double *values, size_t n);
double figure_median(const double *sorted, size_t n);

/* `text` as part of a string of gnuplot, made safe as by tell_text; and as a whole one.  Names come
 * from files that we did not write. */
void figure_write_plain(FILE *f, const char *text);
void figure_write_string(FILE *f, const char *text);

/* A number or a name as a field of a row, and the character that ends it. */
void figure_write_number(FILE *f, double value, char after);
void figure_write_name(FILE *f, const char *name, char after);

/* A trace as titles call it, without its folder. */
const char *figure_trace_name(const char *path);

/* NAME = VALUE for gnuplot. */
void figure_set_number(FILE *f, const char *name, double value);
void figure_set_string(FILE *f, const char *name, const char *text);

/* ARRAY[K] = "TEXT" */
void figure_set_element(FILE *f, const char *array, size_t k, const char *text);

/* COUNT = n and an array of that length, for gnuplot. */
void figure_set_names(FILE *f, const char *count, const char *array, const char *const *names,
                      size_t n);

/* The same with names no longer than `most` letters but to keep them apart. */
void figure_set_short(FILE *f, const char *count, const char *array, const char *const *names,
                      size_t n, size_t most);

enum {
    FIGURE_LEGEND = 20,  /* letters of a name in a legend */
    FIGURE_TITLE = 27,   /* of a policy over its panel */
    FIGURE_COLOURED = 16 /* groups that can have colours, as style.gp gives them out */
};

/* NAME = "12.4%". */
void figure_set_share(FILE *f, const char *name, double share);

/* The first lines of a script: who made it, its files and how it should look.  Then come the
 * figure's variables, and then figure_write_body: plots/style.gp and plots/NAME.gp. */
void figure_write_head(FILE *f, const char *command, const char *stem,
                       const struct figure_look *look);
enum gtr_code figure_write_body(FILE *f, const char *folder, const char *name, struct gtr_err *err);

/* Makes it a look for the terminal, of the window's size. */
void figure_look_terminal(struct figure_look *look);

/* The folder with the scripts, found from where the program lies; free with gtr_free. */
enum gtr_code figure_find_scripts(char **folder, struct gtr_err *err);

/* The rows and the variables of each figure; the table in figure.c names them.
 *
 * Each .tsv starts with a line of column names.  Blocks are set off by two blank lines, gnuplot's
 * mark for `index`: the names are block 0, so the first block is number 1.  Names come last in a
 * row, where no character of theirs can be taken for a comment or a number. */
#define FIGURE_FUNCTIONS(name)                                                                     \
    void name##_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,      \
                     size_t policy);                                                               \
    void name##_variables(FILE *f, const struct figure_view *view, const struct figure_look *look, \
                          size_t policy)

FIGURE_FUNCTIONS(norms);
FIGURE_FUNCTIONS(panels);
FIGURE_FUNCTIONS(interval);
FIGURE_FUNCTIONS(heatmap);
FIGURE_FUNCTIONS(scales);
FIGURE_FUNCTIONS(layers);
FIGURE_FUNCTIONS(intervals);
FIGURE_FUNCTIONS(spike);
FIGURE_FUNCTIONS(tails);

const char *interval_lacks(const struct figure_view *view, size_t policy);
const char *intervals_lacks(const struct figure_view *view, size_t policy);
const char *layers_lacks(const struct figure_view *view, size_t policy);
const char *spike_lacks(const struct figure_view *view, size_t policy);
const char *tails_lacks(const struct figure_view *view, size_t policy);

#endif
