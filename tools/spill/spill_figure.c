/* spill_figure.c - the figures of `gradtrace spill`.
 *
 *     spill_matrix  who paid for whom
 *     spill_steps   norm and limit over the run; below, excess attenuation, stacked by culprit
 *     spill_curve   clip rate, excess share and cost over the limit
 *
 * Files are named and made as those of `gradtrace plot`.
 */
#include "spill_found.h"

#include <math.h>

#include "figure.h"

/* What there is to draw.  Borrows everything. */
struct spill_shown {
    const char *trace; /* its name, for titles */
    const struct gtr_series *series;
    const struct gtr_spill *spill;
    const size_t *ranked; /* [G] groups, most blame first */
    const struct gtr_spill_point *points;
    size_t n_points;
    const struct gtr_spill_point *chosen, *own, *at; /* own: NULL if unknown */
    double cost;                                     /* that the recommended limit may have */
};

enum {
    MATRIX_MOST = 40, /* groups of a matrix that can be read on a page */
    SIDE_LETTERS = 22,
    STACK_MOST = 8, /* culprits with a colour of their own */
    BINS_MOST = 300 /* bars across a column of a paper */
};

/* --- the matrix ---------------------------------------------------------------------------- */

static size_t matrix_size(const struct spill_shown *shown)
{
    return shown->spill->n_groups < MATRIX_MOST ? shown->spill->n_groups : MATRIX_MOST;
}

static void matrix_rows(FILE *f, const struct spill_shown *shown)
{
    const struct gtr_spill *spill = shown->spill;
    size_t n = matrix_size(shown), r, c;

    fputs("column\trow\tnats\tculprit\tvictim\n\n\n", f);
    for (r = 0; r < n; r++) {
        for (c = 0; c < n; c++) {
            size_t victim = shown->ranked[r], culprit = shown->ranked[c];

            fprintf(f, "%zu\t%zu\t", c + 1, r + 1);
            figure_write_number(f, spill->matrix[victim * spill->n_groups + culprit], '\t');
            figure_write_name(f, shown->series->names[culprit], '\t');
            figure_write_name(f, shown->series->names[victim], '\n');
        }
    }
}

static void matrix_variables(FILE *f, const struct spill_shown *shown)
{
    const char *names[MATRIX_MOST];
    size_t n = matrix_size(shown), r, c;
    double most = 0.0;

    for (r = 0; r < n; r++)
        for (c = 0; c < n; c++) {
            double nats =
                shown->spill->matrix[shown->ranked[r] * shown->spill->n_groups + shown->ranked[c]];

            most = nats > most ? nats : most;
        }
    for (r = 0; r < n; r++)
        names[r] = shown->series->names[shown->ranked[r]];
    fprintf(f, "N_LEFT_OUT = %zu\n", shown->spill->n_groups - n);
    figure_set_number(f, "MOST", most);
    figure_set_short(f, "N_SIDE", "SIDE", names, n, SIDE_LETTERS);
}

/* --- excess over the run ------------------------------------------------------------------- */

static size_t stack_size(const struct spill_shown *shown)
{
    size_t n = 0;

    while (n < shown->spill->n_groups && n < STACK_MOST &&
           shown->spill->blamed[shown->ranked[n]] > 0.0)
        n++;
    return n;
}

static size_t bin_of(const struct spill_shown *shown)
{
    return (shown->spill->n_steps + BINS_MOST - 1) / BINS_MOST;
}

/* Sum of a row of blame, or of the excess, over the steps of a bin. */
static double sum_of(const double *values, size_t first, size_t end)
{
    double sum = 0.0;
    size_t t;

    for (t = first; t < end; t++)
        sum += isnan(values[t]) ? 0.0 : values[t];
    return sum;
}

/* How high the bar of a bin is below culprit k's piece. */
static double stack_at(const struct spill_shown *shown, size_t k, size_t first, size_t end)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < k; i++)
        sum += sum_of(shown->spill->blame + shown->ranked[i] * shown->spill->n_steps, first, end);
    return sum;
}

/* Step numbers where a bin begins and ends. */
static double edge_at(const struct gtr_series *series, size_t row)
{
    size_t n = series->n_steps;
    double last = (double)series->index[n - 1];

    if (row < n)
        return (double)series->index[row];
    return n > 1 ? last + (last - (double)series->index[0]) / (double)(n - 1) : last + 1.0;
}

static void put_bars(FILE *f, const struct spill_shown *shown, size_t k, const char *name)
{
    size_t n_steps = shown->spill->n_steps, bin = bin_of(shown), first;
    size_t top = k < stack_size(shown) ? k + 1 : shown->spill->n_groups;

    fputs("\n\n", f);
    for (first = 0; first < n_steps; first += bin) {
        size_t end = first + bin < n_steps ? first + bin : n_steps;
        double low = stack_at(shown, k, first, end), high = stack_at(shown, top, first, end);

        if (!(high > low) && first > 0) /* a block must not be empty */
            continue;
        figure_write_number(f, edge_at(shown->series, first), '\t');
        figure_write_number(f, edge_at(shown->series, end), '\t');
        figure_write_number(f, low, '\t');
        figure_write_number(f, high, '\t');
        figure_write_name(f, name, '\n');
    }
}

/* Block 1: the norm, least and largest of each bin.  Then a block of bars for each culprit. */
static void steps_rows(FILE *f, const struct spill_shown *shown)
{
    size_t n_steps = shown->spill->n_steps, bin = bin_of(shown), n = stack_size(shown), first, t, k;

    fputs("from\tto\tlow\thigh\tseries\n\n\n", f);
    for (first = 0; first < n_steps; first += bin) {
        size_t end = first + bin < n_steps ? first + bin : n_steps;
        double low = (double)NAN, high = (double)NAN;

        for (t = first; t < end; t++) {
            double norm = shown->series->total[t];

            if (isnan(shown->spill->excess[t]))
                continue;
            low = norm >= low ? low : norm; /* NaN gives way */
            high = norm <= high ? high : norm;
        }
        figure_write_number(f, edge_at(shown->series, first), '\t');
        figure_write_number(f, edge_at(shown->series, end), '\t');
        figure_write_number(f, low, '\t');
        figure_write_number(f, high, '\t');
        fputs("whole gradient\n", f);
    }
    for (k = 0; k < n; k++)
        put_bars(f, shown, k, shown->series->names[shown->ranked[k]]);
    if (n < shown->spill->n_groups && shown->spill->blamed[shown->ranked[n]] > 0.0)
        put_bars(f, shown, n, "others");
}

static void steps_variables(FILE *f, const struct spill_shown *shown)
{
    const struct gtr_series *series = shown->series;
    size_t n_steps = shown->spill->n_steps, bin = bin_of(shown), n = stack_size(shown), t;
    double low = (double)NAN, high = (double)NAN, most = 0.0;

    for (t = 0; t < n_steps; t++) {
        if (isnan(shown->spill->excess[t]) || !(series->total[t] > 0.0))
            continue;
        low = series->total[t] >= low ? low : series->total[t];
        high = series->total[t] <= high ? high : series->total[t];
    }
    for (t = 0; t < n_steps; t += bin) {
        double sum = sum_of(shown->spill->excess, t, t + bin < n_steps ? t + bin : n_steps);

        most = sum > most ? sum : most;
    }
    figure_set_number(f, "FIRST_STEP", (double)series->index[0]);
    figure_set_number(f, "LAST_STEP", (double)series->index[n_steps - 1]);
    fprintf(f, "BIN = %zu\nN_STACK = %zu\nOTHERS = %d\n", bin, n,
            n < shown->spill->n_groups && shown->spill->blamed[shown->ranked[n]] > 0.0);
    figure_set_number(f, "N_MIN", low);
    figure_set_number(f, "N_MAX", high > shown->at->max_norm ? high : shown->at->max_norm);
    figure_set_number(f, "MOST", most);
}

/* --- the curve ----------------------------------------------------------------------------- */

static void curve_rows(FILE *f, const struct spill_shown *shown)
{
    size_t i;

    fputs("max_norm\tclip_rate\texcess_share\tcost\texcess_cost\n\n\n", f);
    for (i = 0; i < shown->n_points; i++) {
        const struct gtr_spill_point *p = &shown->points[i];

        figure_write_number(f, p->max_norm, '\t');
        figure_write_number(f, p->clip_rate, '\t');
        figure_write_number(f, p->clip_rate > 0.0 ? p->excess_share : (double)NAN, '\t');
        figure_write_number(f, p->cost, '\t');
        figure_write_number(f, p->excess_cost, '\n');
    }
}

static void curve_variables(FILE *f, const struct spill_shown *shown)
{
    const struct gtr_spill_point *last = &shown->points[shown->n_points - 1];

    figure_set_number(f, "X_MIN", shown->points[0].max_norm);
    figure_set_number(f, "X_MAX", last->max_norm);
    figure_set_number(f, "COST", shown->cost);
    figure_set_share(f, "COST_SHARE", shown->cost);
    figure_set_number(f, "COST_MAX", shown->points[0].cost);
    figure_set_number(f, "CHOSEN", shown->chosen->max_norm);
    figure_set_number(f, "OWN", shown->own != NULL ? shown->own->max_norm : (double)NAN);
}

/* --- all of them --------------------------------------------------------------------------- */

struct spill_figure {
    const char *script;
    bool needs_excess; /* nothing to show where nothing spilled */
    void (*write_rows)(FILE *f, const struct spill_shown *shown);
    void (*write_variables)(FILE *f, const struct spill_shown *shown); /* of its own */
};

static const struct spill_figure table[] = {
    { "spill_matrix", true, matrix_rows, matrix_variables },
    { "spill_steps", true, steps_rows, steps_variables },
    { "spill_curve", false, curve_rows, curve_variables },
};

/* The culprits that have a colour are what style.gp calls groups. */
static void write_variables(FILE *f, const void *view, const struct figure_look *look,
                            const struct picture *picture)
{
    const struct spill_figure *figure = picture->figure;
    const struct spill_shown *shown = view;
    const char *names[STACK_MOST] = { "" };
    size_t n = stack_size(shown), k;

    (void)look;
    for (k = 0; k < n; k++)
        names[k] = shown->series->names[shown->ranked[k]];
    figure_set_string(f, "TRACE", shown->trace);
    figure_set_number(f, "LIMIT", shown->at->max_norm);
    figure_set_share(f, "SHARE", shown->spill->excess_share);
    figure_set_short(f, "N_GROUPS", "GROUP", names, n > 0 ? n : 1, FIGURE_LEGEND);
    figure->write_variables(f, shown);
}

static void write_rows(FILE *f, const void *view, const struct figure_look *look,
                       const struct picture *picture)
{
    const struct spill_figure *figure = picture->figure;

    (void)look;
    figure->write_rows(f, view);
}

enum gtr_code spill_draw(const struct spill_found *found, struct gtr_err *err)
{
    const struct spill_options *o = found->options;
    struct spill_shown shown = { .trace = figure_trace_name(o->trace),
                                 .series = found->study->series,
                                 .ranked = found->ranked,
                                 .points = found->points,
                                 .n_points = SPILL_POINTS,
                                 .chosen = &found->chosen,
                                 .own = found->own.max_norm > 0.0 ? &found->own : NULL,
                                 .cost = o->cost };
    const struct picture_source source = { .command = "gradtrace spill",
                                           .view = &shown,
                                           .write_rows = write_rows,
                                           .write_variables = write_variables };
    struct picture_list list = { 0 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (found->main == found->n_policies) {
        cli_note(&o->common, "nothing to draw: none of these policies is one limit for all");
        return GTR_OK;
    }
    shown.spill = found->policies[found->main].spill;
    shown.at = &found->policies[found->main].at;
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(table); i++) {
        const struct spill_figure *figure = &table[i];

        if (figure->needs_excess && shown.spill->n_excess == 0)
            cli_note(&o->common, "%s: nothing to show: nothing spilled over", figure->script);
        else
            rc = picture_list_add(&list, figure, figure->script, NULL, 0, err);
    }
    if (rc == GTR_OK)
        rc = figure_make(&list, &source, &o->figures, &o->common, err);
    picture_list_free(&list);
    return rc;
}
