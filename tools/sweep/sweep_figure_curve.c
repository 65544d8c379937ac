/* sweep_figure_curve.c - the figure of objectives over each knob.
 *
 * A line would follow one choice of all other knobs.  What a knob can reach is the best over the
 * others; what it leaves open is the range up to the worst.
 */
#include <math.h>
#include <string.h>

#include "sweep_figure_parts.h"

/* What is drawn upwards: the clip rate, the goals, and others to fill the picture. */
struct curve {
    const char *name;
    const double *values; /* of setting i: values[i * stride] */
    size_t stride;
};

struct curves {
    struct curve curve[SWEEP_CURVES_MAX];
    size_t n;
};

static void add_curve(struct curves *curves, const char *name, const double *values, size_t stride)
{
    size_t k;

    for (k = 0; k < curves->n; k++)
        if (strcmp(curves->curve[k].name, name) == 0)
            return;
    if (curves->n < SWEEP_CURVES_MAX)
        curves->curve[curves->n++] = (struct curve){ name, values, stride };
}

static void add_objective(struct curves *curves, const struct sweep_figures *what, const char *name)
{
    size_t k;

    for (k = 0; k < GTR_OBJECTIVE_COUNT; k++)
        if (strcmp(gtr_objective_name((enum gtr_objective)k), name) == 0)
            add_curve(curves, name, what->results->rows + k, GTR_OBJECTIVE_COUNT);
}

static void curves_init(struct curves *curves, const struct sweep_figures *what)
{
    size_t goal;

    curves->n = 0;
    add_objective(curves, what, "clip_rate");
    for (goal = 0; goal < what->n_goals; goal++)
        add_curve(curves, what->options->goals.text[goal], what->found->goal_values[goal], 1);
    add_objective(curves, what, "leak");
    add_objective(curves, what, "volatility");
}

/* Least and largest in each cell of an axis; NaN where nothing was run. */
struct band {
    double low[AXIS_VALUES_MAX], high[AXIS_VALUES_MAX];
    size_t n[AXIS_VALUES_MAX];
};

static void band_fill(struct band *band, const struct sweep_figures *what, size_t policy,
                      const struct curve *curve, const struct sweep_axis *axis)
{
    size_t i, cell;

    for (cell = 0; cell < axis->n; cell++) {
        band->low[cell] = band->high[cell] = (double)NAN;
        band->n[cell] = 0;
    }
    for (i = what->found->policy_row[policy]; i < what->found->policy_row[policy + 1]; i++) {
        double value = curve->values[i * curve->stride];

        cell = sweep_axis_cell(axis, what->found->knobs[i * what->found->n_knobs + axis->knob]);
        if (!isfinite(value) || cell == axis->n)
            continue;
        band->n[cell]++;
        if (!(band->low[cell] <= value))
            band->low[cell] = value;
        if (!(band->high[cell] >= value))
            band->high[cell] = value;
    }
}

/* Where a cell lies on the axis: at its value, or side by side if the values are words. */
static double across(const struct sweep_axis *axis, size_t cell)
{
    return axis->choices != NULL ? (double)cell + 1.0 : axis->value[cell];
}

void sweep_curve_rows(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                      size_t policy)
{
    size_t knobs[SWEEP_COLUMNS_MAX], n_knobs, c, k, cell;
    struct curves curves;
    struct sweep_axis axis;
    struct band band;

    (void)look;
    curves_init(&curves, what);
    n_knobs = sweep_knobs(what, policy, knobs, SWEEP_COLUMNS_MAX);
    fputs("value\tbest\tworst\tsettings\tknob\tobjective\n", f);
    for (c = 0; c < curves.n; c++) {
        for (k = 0; k < n_knobs; k++) {
            sweep_axis_init(&axis, what, knobs[k]);
            band_fill(&band, what, policy, &curves.curve[c], &axis);
            fputs("\n\n", f);
            for (cell = 0; cell < axis.n; cell++) {
                figure_write_number(f, across(&axis, cell), '\t');
                figure_write_number(f, band.low[cell], '\t');
                figure_write_number(f, band.high[cell], '\t');
                fprintf(f, "%zu\t", band.n[cell]);
                tell_text(f, gtr_plan_knob_name(what->plan, knobs[k]));
                fputc('\t', f);
                tell_text(f, curves.curve[c].name);
                fputc('\n', f);
            }
        }
    }
}

static void set_column(FILE *f, const struct sweep_figures *what, const struct sweep_axis *axis,
                       size_t k)
{
    double low = axis->choices != NULL ? 1.0 : axis->low;
    double high = axis->choices != NULL ? (double)axis->n : axis->high;
    double room = axis->log ? pow(high / low, 0.03) : 0.03 * (high - low);
    char name[32];

    if (!(high > low))
        room = axis->log ? 1.5 : 0.5;
    figure_set_element(f, "KNOB", k, gtr_plan_knob_name(what->plan, axis->knob));
    fprintf(f, "X_LOG[%zu] = %d\nX_BINS[%zu] = %zu\n", k, axis->log, k, axis->binned ? axis->n : 0);
    fprintf(f, "X_MIN[%zu] = %.9g\nX_MAX[%zu] = %.9g\n", k, axis->log ? low / room : low - room, k,
            axis->log ? high * room : high + room);
    snprintf(name, sizeof name, "X_TICS[%zu]", k);
    if (axis->choices != NULL)
        sweep_axis_set_tics(f, name, axis, AXIS_VALUES_MAX);
    else
        figure_set_string(f, name, "");
    if (what->found->advice->knee < what->results->n) {
        double value =
            what->found->knobs[what->found->advice->knee * what->found->n_knobs + axis->knob];

        snprintf(name, sizeof name, "X_KNEE[%zu]", k);
        figure_set_number(f, name, axis->choices != NULL ? sweep_axis_place(axis, value) : value);
    }
}

static void set_row(FILE *f, const struct curve *curve, const struct curve_range *span, size_t c)
{
    char label[LABEL_SIZE];
    double factor = sweep_label(curve->name, label);
    bool wide = sweep_is_wide(span);
    double low = !isnan(span->low) ? span->low * factor : 0.0;
    double high = !isnan(span->low) ? span->high * factor : 1.0;
    double room = wide ? pow(high / low, 0.04) : high > low ? 0.04 * (high - low) : 0.5;

    figure_set_element(f, "OBJECTIVE", c, label);
    fprintf(f, "FACTOR[%zu] = %g\nY_LOG[%zu] = %d\nY_MIN[%zu] = %.9g\nY_MAX[%zu] = %.9g\n", c,
            factor, c, wide, c, wide ? low / room : low - room, c,
            wide ? high * room : high + room);
}

void sweep_curve_variables(FILE *f, const struct sweep_figures *what,
                           const struct figure_look *look, size_t policy)
{
    size_t knobs[SWEEP_COLUMNS_MAX], n_knobs, n_all, c, k, cell;
    struct curves curves;
    struct sweep_axis axis;
    struct curve_range span;
    struct band band;

    (void)look;
    curves_init(&curves, what);
    n_knobs = sweep_knobs(what, policy, knobs, SWEEP_COLUMNS_MAX);
    n_all = sweep_count_knobs(what, policy);
    fprintf(f, "N_KNOBS = %zu\nN_OBJECTIVES = %zu\nN_LEFT_OUT = %zu\n", n_knobs, curves.n,
            n_all - n_knobs);
    fprintf(f, "HAS_BAND = %d\nLIMITS = %d\n", n_all > 1, what->options->limits.n > 0);
    fputs("array KNOB[N_KNOBS]\narray X_LOG[N_KNOBS]\narray X_BINS[N_KNOBS]\n"
          "array X_MIN[N_KNOBS]\narray X_MAX[N_KNOBS]\narray X_TICS[N_KNOBS]\n"
          "array X_KNEE[N_KNOBS]\n"
          "array OBJECTIVE[N_OBJECTIVES]\narray FACTOR[N_OBJECTIVES]\narray Y_LOG[N_OBJECTIVES]\n"
          "array Y_MIN[N_OBJECTIVES]\narray Y_MAX[N_OBJECTIVES]\n",
          f);
    for (k = 0; k < n_knobs; k++) {
        sweep_axis_init(&axis, what, knobs[k]);
        set_column(f, what, &axis, k + 1);
    }
    for (c = 0; c < curves.n; c++) {
        curve_range_init(&span);
        for (k = 0; k < n_knobs; k++) {
            sweep_axis_init(&axis, what, knobs[k]);
            band_fill(&band, what, policy, &curves.curve[c], &axis);
            for (cell = 0; cell < axis.n; cell++) {
                curve_range_see(&span, band.low[cell]);
                curve_range_see(&span, band.high[cell]);
            }
        }
        set_row(f, &curves.curve[c], &span, c + 1);
    }
    fprintf(f, "KNEE = %d\n", sweep_shows_knee(what, policy));
    figure_set_string(f, "POLICY", what->results->study->labels[policy]);
}
