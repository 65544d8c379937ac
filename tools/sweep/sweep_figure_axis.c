/* sweep_figure_axis.c - axes made of cells, and tics at round numbers. */
#include <math.h>
#include <string.h>

#include "sweep_figure_parts.h"

/* --- axes ---------------------------------------------------------------------------------- */

/* Number of cells whose values are below this one. */
static size_t cells_below(const struct sweep_axis *axis, double value)
{
    size_t low = 0, high = axis->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (axis->value[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Keeps the values sorted; false if there are too many. */
static bool add_value(struct sweep_axis *axis, double value)
{
    size_t low = cells_below(axis, value);

    if (low < axis->n && axis->value[low] == value)
        return true;
    if (axis->n == AXIS_VALUES_MAX)
        return false;
    memmove(axis->value + low + 1, axis->value + low, (axis->n - low) * sizeof *axis->value);
    axis->value[low] = value;
    axis->n++;
    return true;
}

static double spread(const struct sweep_axis *axis, double value)
{
    return axis->log ? log10(value) : value;
}

static double unspread(const struct sweep_axis *axis, double x)
{
    return axis->log ? pow(10.0, x) : x;
}

static void bin(struct sweep_axis *axis)
{
    double low, width;
    size_t i;

    axis->binned = true;
    axis->n = AXIS_BINS;
    low = spread(axis, axis->low);
    width = (spread(axis, axis->high) - low) / (double)axis->n;
    for (i = 0; i < axis->n; i++)
        axis->value[i] = unspread(axis, low + ((double)i + 0.5) * width);
}

void sweep_axis_init(struct sweep_axis *axis, const struct sweep_figures *what, size_t knob)
{
    size_t policy = gtr_plan_knob_policy(what->plan, knob), i;
    bool few = true;

    *axis = (struct sweep_axis){ .knob = knob, .low = HUGE_VAL, .high = -HUGE_VAL };
    for (i = what->found->policy_row[policy]; i < what->found->policy_row[policy + 1]; i++) {
        double value = what->found->knobs[i * what->found->n_knobs + knob];

        if (!isfinite(value))
            continue;
        axis->low = value < axis->low ? value : axis->low;
        axis->high = value > axis->high ? value : axis->high;
        few = few && add_value(axis, value);
    }
    axis->log = gtr_plan_knob_is_log(what->plan, knob) && axis->low > 0.0;
    axis->choices = sweep_choices(what, knob);
    if (!few)
        bin(axis);
}

double sweep_axis_place(const struct sweep_axis *axis, double value)
{
    double low, high;
    size_t i;

    if (axis->binned) {
        low = spread(axis, axis->low);
        high = spread(axis, axis->high);
        return 0.5 + (double)axis->n * (spread(axis, value) - low) / (high - low);
    }
    i = cells_below(axis, value);
    return i < axis->n && axis->value[i] == value ? (double)i + 1.0 : (double)NAN;
}

size_t sweep_axis_cell(const struct sweep_axis *axis, double value)
{
    double place = sweep_axis_place(axis, value);

    if (!isfinite(place))
        return axis->n;
    place = floor(place - 0.5);
    return place < 0.0 ? 0 : place >= (double)axis->n ? axis->n - 1 : (size_t)place;
}

/* --- tics ---------------------------------------------------------------------------------- */

static void tic_at_cell(const struct sweep_axis *axis, size_t i,
                        void (*take)(void *context, double place, const char *text), void *context)
{
    char text[LABEL_SIZE];

    sweep_value_text(axis->choices, axis->value[i], text);
    take(context, (double)i + 1.0, text);
}

static void tic_at_value(const struct sweep_axis *axis, double value,
                         void (*take)(void *context, double place, const char *text), void *context)
{
    double slack = 1e-9 * (axis->high - axis->low);
    char text[GTR_NUMBER_SIZE];

    if (value < axis->low - slack || value > axis->high + slack)
        return;
    snprintf(text, sizeof text, "%.6g", value);
    take(context, sweep_axis_place(axis, value), text);
}

/* More of each decade the fewer decades there are. */
static void log_tics(const struct sweep_axis *axis, size_t most,
                     void (*take)(void *context, double place, const char *text), void *context)
{
    int first = (int)floor(log10(axis->low)), last = (int)floor(log10(axis->high));
    int every = (int)((size_t)(last - first + 1) / most) + 1, e;
    static const double steps[] = { 2.0, 5.0, 1.5, 3.0, 4.0, 7.0 };
    double ratio = axis->high / axis->low;
    size_t n = ratio < 6.0 ? 6 : ratio < 30.0 ? 2 : 0, k;

    for (e = first; e <= last; e += every) {
        double power = pow(10.0, e);

        tic_at_value(axis, power, take, context);
        for (k = 0; k < n; k++)
            tic_at_value(axis, steps[k] * power, take, context);
    }
}

static void linear_tics(const struct sweep_axis *axis, size_t most,
                        void (*take)(void *context, double place, const char *text), void *context)
{
    double least = (axis->high - axis->low) / (double)most, step = pow(10.0, floor(log10(least)));
    double k;

    step *= least <= step ? 1.0 : least <= 2.0 * step ? 2.0 : least <= 5.0 * step ? 5.0 : 10.0;
    for (k = ceil(axis->low / step - 1e-9); k * step <= axis->high + 1e-9 * step; k++)
        tic_at_value(axis, k * step + 0.0, take, context);
}

void sweep_axis_tics(const struct sweep_axis *axis, size_t most,
                     void (*take)(void *context, double place, const char *text), void *context)
{
    size_t every = axis->n > most ? (axis->n - 1) / (most - 1) : 1, i;

    if (axis->binned && axis->log) {
        log_tics(axis, most, take, context);
    } else if (axis->binned) {
        linear_tics(axis, most, take, context);
    } else {
        every += axis->n > most && (axis->n - 1) / every + 1 > most ? 1 : 0;
        for (i = 0; i < axis->n; i += every)
            tic_at_cell(axis, i, take, context);
    }
}

struct tic_list {
    FILE *f;
    size_t n, longest;
};

static void write_tic(void *context, double place, const char *text)
{
    struct tic_list *list = context;

    fprintf(list->f, "%s'", list->n++ > 0 ? ", " : "");
    figure_write_plain(list->f, text);
    fprintf(list->f, "' %.9g", place);
    list->longest = strlen(text) > list->longest ? strlen(text) : list->longest;
}

size_t sweep_axis_set_tics(FILE *f, const char *name, const struct sweep_axis *axis, size_t most)
{
    struct tic_list list = { .f = f };

    fprintf(f, "%s = \"", name);
    sweep_axis_tics(axis, most, write_tic, &list);
    fputs("\"\n", f);
    return list.longest;
}
