/* figure_layers.c - the figure of norms over layers and steps.
 *
 * The rule `layer` says which tensors are a layer.  Of one module kind only the layer's tensors
 * that the rule `module` puts in that group count; all others go to a group that is not drawn.
 * Blocks are sorted by their numbers, since a trace may hold layers.10 before layers.2; whatever
 * is in no block keeps its place among them.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_columns.h"
#include "figure_curve.h"

enum {
    TERM_LEGEND = 19,
    BLOCKS_LEAST = 2 /* fewer are no surface */
};

/* --- which rows there are ------------------------------------------------------------------ */

/* Length of the container's name with its dot, in "layers.12"; *number its number.  False if it is
 * in no block. */
static bool block_of(const char *name, size_t *container, long *number)
{
    const char *dot = strrchr(name, '.'), *digits = dot != NULL ? dot + 1 : name;
    char *end;

    if (*digits < '0' || *digits > '9')
        return false;
    *number = strtol(digits, &end, 10);
    *container = (size_t)(digits - name);
    return *end == '\0';
}

/* What a row is sorted by. */
struct place {
    size_t row;   /* in the series */
    size_t first; /* row where its container, or it itself, first occurs */
    long number;
};

/* Upward, and rows of equal number as they came. */
static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static struct place place_of(const struct gtr_series *layers, size_t row)
{
    struct place place = { row, row, 0 };
    size_t length, other_length, i;
    long number;

    if (!block_of(layers->names[row], &length, &place.number))
        return place;
    for (i = 0; i < row; i++) {
        if (block_of(layers->names[i], &other_length, &number) && other_length == length &&
            strncmp(layers->names[i], layers->names[row], length) == 0) {
            place.first = i;
            break;
        }
    }
    return place;
}

static enum gtr_code sort_rows(struct figure_view *view, struct gtr_err *err)
{
    size_t n = view->layers->n_groups - 1, i; /* without the other modules */
    struct place *places = NULL;
    enum gtr_code rc = gtr_alloc_for(&places, n, sizeof *places, "layers", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&view->layer_rows, n, sizeof *view->layer_rows, "layers", err);
    for (i = 0; rc == GTR_OK && i < n; i++)
        places[i] = place_of(view->layers, i);
    if (rc == GTR_OK)
        qsort(places, n, sizeof *places, compare_places);
    for (i = 0; rc == GTR_OK && i < n; i++)
        view->layer_rows[i] = places[i].row;
    view->n_layers = rc == GTR_OK ? n : 0;
    gtr_free(places);
    return rc;
}

/* --- their norms --------------------------------------------------------------------------- */

/* Row of each layer among those that have a tensor of the module; SIZE_MAX of the others. */
static size_t count_rows(const struct gtr_groups *layers, const struct gtr_groups *modules,
                         size_t module, size_t *row_of)
{
    size_t n = 0, g, i;

    for (g = 0; g < layers->n_groups; g++)
        row_of[g] = SIZE_MAX;
    for (i = 0; i < layers->n_tensors; i++)
        if (module == modules->n_groups || modules->of_tensor[i] == module)
            row_of[layers->of_tensor[i]] = 0;
    for (g = 0; g < layers->n_groups; g++)
        if (row_of[g] == 0)
            row_of[g] = n++;
    return n;
}

/* Reads the norms of the rows; the tensors of other modules are one row more, the last. */
static enum gtr_code read_rows(struct figure_view *view, const struct gtr_trace *trace,
                               const struct gtr_groups *layers, const struct gtr_groups *modules,
                               size_t module, size_t n_threads, struct gtr_err *err)
{
    static char rest[] = "(other modules)";
    struct gtr_groups chosen = { .rule = layers->rule, .n_tensors = layers->n_tensors };
    size_t *row_of = NULL, g, i, n;
    enum gtr_code rc;

    rc = gtr_alloc_for(&row_of, layers->n_groups, sizeof *row_of, "layers", err);
    if (rc == GTR_OK)
        rc =
            gtr_alloc_for(&chosen.names, layers->n_groups + 1, sizeof *chosen.names, "layers", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&chosen.of_tensor, layers->n_tensors, sizeof(size_t), "tensors", err);
    if (rc != GTR_OK)
        goto out;
    n = count_rows(layers, modules, module, row_of);
    for (g = 0; g < layers->n_groups; g++)
        if (row_of[g] < SIZE_MAX)
            chosen.names[row_of[g]] = layers->names[g];
    chosen.names[n] = rest;
    chosen.n_groups = chosen.left_out = n + 1;
    for (i = 0; i < layers->n_tensors; i++) {
        bool in = module == modules->n_groups || modules->of_tensor[i] == module;

        chosen.of_tensor[i] = in ? row_of[layers->of_tensor[i]] : n;
    }
    rc = gtr_series_read(trace, &chosen, n_threads, &view->layers, err);
out:
    gtr_free(row_of);
    gtr_free(chosen.names);
    gtr_free(chosen.of_tensor);
    return rc;
}

static enum gtr_code find_module(const struct gtr_groups *modules, const char *name, size_t *module,
                                 struct gtr_err *err)
{
    const char *nearest;

    *module = modules->n_groups;
    if (name == NULL)
        return GTR_OK;
    for (*module = 0; *module < modules->n_groups; ++*module)
        if (strcmp(modules->names[*module], name) == 0)
            return GTR_OK;
    nearest = gtr_text_nearest(name, (const char *const *)modules->names, modules->n_groups);
    return gtr_fail(err, GTR_EUSAGE, "--group %s: no module kind of that name for `layers`%s%s%s",
                    name, nearest != NULL ? "; did you mean " : "",
                    nearest != NULL ? nearest : "; `gradtrace info --groups` lists them",
                    nearest != NULL ? "?" : "");
}

enum gtr_code figure_view_layers(struct figure_view *view, const struct gtr_trace *trace,
                                 const char *module, size_t n_threads, struct gtr_err *err)
{
    const struct gtr_head *head = gtr_trace_head(trace);
    struct gtr_groups *layers = NULL, *modules = NULL;
    size_t which = 0, n_blocks = 0, length, g;
    long number;
    enum gtr_code rc;

    rc = gtr_groups_new("layer", head, &layers, err);
    if (rc == GTR_OK)
        rc = gtr_groups_new("module", head, &modules, err);
    if (rc == GTR_OK)
        rc = find_module(modules, module, &which, err);
    for (g = 0; rc == GTR_OK && g < layers->n_groups; g++)
        n_blocks += block_of(layers->names[g], &length, &number) ? 1 : 0;
    if (rc == GTR_OK && n_blocks >= BLOCKS_LEAST) {
        view->module = module;
        rc = read_rows(view, trace, layers, modules, which, n_threads, err);
        if (rc == GTR_OK)
            rc = sort_rows(view, err);
    }
    gtr_groups_free(layers);
    gtr_groups_free(modules);
    return rc;
}

/* --- the figure ---------------------------------------------------------------------------- */

const char *layers_lacks(const struct figure_view *view, size_t policy)
{
    (void)policy;
    if (view->layers == NULL)
        return "the names of the tensors tell of no layers, such as layers.0 and layers.1";
    return NULL;
}

static size_t names_width(const struct figure_view *view)
{
    return figure_names_width((const char *const *)view->layers->names, view->n_layers);
}

static struct figure_columns columns_of(const struct figure_view *view,
                                        const struct figure_look *look)
{
    return figure_columns_of(view->layers, look, view->n_layers, names_width(view), TERM_LEGEND);
}

/* Of the norms that are finite, in rows t to end - 1 of the run; NaN if there are none.
 * Overwrites view->values. */
static double summary_of(const struct figure_view *view, size_t row, size_t t, size_t end)
{
    double most = (double)NAN;
    size_t n = 0;

    for (; t < end; t++) {
        double norm = figure_norm_of(view->layers, row, t);

        if (!isfinite(norm))
            continue;
        view->values[n++] = norm;
        most = most > norm ? most : norm;
    }
    if (view->bin == BIN_MAX || n < 2)
        return most;
    figure_sort(view->values, n);
    return figure_median(view->values, n);
}

void layers_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                 size_t policy)
{
    struct figure_columns c = columns_of(view, look);
    size_t k;

    (void)policy;
    fputs("step\trow\tnorm\tlayer\n\n\n", f);
    for (k = 0; k < view->n_layers; k++) {
        int64_t column;
        size_t t = 0;

        for (column = 0; column < c.n; column++) {
            size_t end = figure_column_end(&c, view->layers, column, t);

            figure_write_number(f, figure_column_middle(&c, view->layers, column), '\t');
            fprintf(f, "%zu\t", k + 1);
            figure_write_number(f, summary_of(view, view->layer_rows[k], t, end), '\t');
            figure_write_name(f, view->layers->names[view->layer_rows[k]], '\n');
            t = end;
        }
    }
}

/* The span of colours: of the cells above 0; from 0.1 to 1 if there are none. */
static void set_colours(FILE *f, const struct figure_view *view, const struct figure_columns *c)
{
    struct curve_range range;
    int64_t column;
    size_t k;

    curve_range_init(&range);
    for (k = 0; k < view->n_layers; k++) {
        size_t t = 0;

        for (column = 0; column < c->n; column++) {
            size_t end = figure_column_end(c, view->layers, column, t);

            curve_range_see(&range, summary_of(view, view->layer_rows[k], t, end));
            t = end;
        }
    }
    figure_set_number(f, "C_MIN", range.low_positive > 0.0 ? range.low_positive : 0.1);
    figure_set_number(f, "C_MAX", range.low_positive > 0.0 ? range.high : 1.0);
}

/* Names of rows: the number alone where all blocks have the same container. */
static void set_names(FILE *f, const struct figure_view *view)
{
    size_t container = 0, length, k;
    const char *first = NULL, **names;
    bool one = true;
    long number;

    if (gtr_alloc_for(&names, view->n_layers, sizeof *names, "layers", NULL) != GTR_OK)
        return;
    for (k = 0; k < view->n_layers; k++) {
        const char *name = view->layers->names[view->layer_rows[k]];

        if (!block_of(name, &length, &number))
            continue;
        one &= first == NULL || (length == container && strncmp(first, name, length) == 0);
        first = name;
        container = length;
    }
    fprintf(f, "ONE_STACK = %d\narray BLOCK[%zu]\n", one, view->n_layers);
    for (k = 0; k < view->n_layers; k++) {
        const char *name = view->layers->names[view->layer_rows[k]];
        bool block = block_of(name, &length, &number);

        fprintf(f, "BLOCK[%zu] = %ld\n", k + 1, block ? number : -1);
        names[k] = block && one ? name + length : name;
    }
    figure_set_short(f, "N_LAYERS", "ROW", names, view->n_layers, COLUMN_NAME_MAX);
    gtr_free(names);
}

void layers_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                      size_t policy)
{
    struct figure_columns c = columns_of(view, look);

    (void)policy;
    figure_set_string(f, "MODULE", view->module != NULL ? view->module : "");
    figure_set_string(f, "BIN_SHOWS", view->bin == BIN_MAX ? "largest" : "median");
    figure_columns_set(f, &c, look, names_width(view), TERM_LEGEND);
    set_names(f, view);
    set_colours(f, view, &c);
}
