/* sweep_figure_map.c - the figure of goals over two knobs, best over all others. */
#include <math.h>

#include "sweep_figure_parts.h"

/* One panel: a goal over a pair of knobs. */
struct panel {
    struct sweep_axis x, y;
    double best[AXIS_VALUES_MAX * AXIS_VALUES_MAX]; /* [y][x], NaN: nothing there */
    size_t behind[AXIS_VALUES_MAX * AXIS_VALUES_MAX];
};

struct pairs {
    size_t x[SWEEP_PAIRS_MAX], y[SWEEP_PAIRS_MAX];
    size_t n;
};

static struct pairs pairs_of(const struct sweep_figures *what, size_t policy)
{
    struct pairs pairs = { .n = 0 };
    size_t knobs[SWEEP_PAIRS_MAX], n, a, b;

    /* Three knobs have three pairs. */
    n = sweep_knobs(what, policy, knobs, SWEEP_PAIRS_MAX);
    for (a = 0; a < n; a++) {
        for (b = a + 1; b < n; b++) {
            pairs.x[pairs.n] = knobs[a];
            pairs.y[pairs.n++] = knobs[b];
        }
    }
    return pairs;
}

static void panel_fill(struct panel *panel, const struct sweep_figures *what, size_t policy,
                       size_t goal, size_t x, size_t y)
{
    size_t cells, i, at;

    sweep_axis_init(&panel->x, what, x);
    sweep_axis_init(&panel->y, what, y);
    cells = panel->x.n * panel->y.n;
    for (at = 0; at < cells; at++) {
        panel->best[at] = (double)NAN;
        panel->behind[at] = 0;
    }
    for (i = what->found->policy_row[policy]; i < what->found->policy_row[policy + 1]; i++) {
        const double *row = what->found->knobs + i * what->found->n_knobs;
        double value = what->found->goal_values[goal][i];
        size_t cx = sweep_axis_cell(&panel->x, row[x]), cy = sweep_axis_cell(&panel->y, row[y]);

        if (!sweep_counts(what, i) || !isfinite(value) || cx == panel->x.n || cy == panel->y.n)
            continue;
        at = cy * panel->x.n + cx;
        panel->behind[at]++;
        if (!(panel->best[at] <= value))
            panel->best[at] = value;
    }
}

static void write_panel(FILE *f, const struct panel *panel, const char *goal,
                        const struct sweep_figures *what)
{
    size_t x, y;

    fputs("\n\n", f);
    for (y = 0; y < panel->y.n; y++) {
        for (x = 0; x < panel->x.n; x++) {
            size_t at = y * panel->x.n + x;

            fprintf(f, "%zu\t%zu\t", x + 1, y + 1);
            figure_write_number(f, panel->best[at], '\t');
            fprintf(f, "%zu\t", panel->behind[at]);
            figure_write_number(f, panel->x.value[x], '\t');
            figure_write_number(f, panel->y.value[y], '\t');
            tell_text(f, gtr_plan_knob_name(what->plan, panel->x.knob));
            fputc('\t', f);
            tell_text(f, gtr_plan_knob_name(what->plan, panel->y.knob));
            fputc('\t', f);
            tell_text(f, goal);
            fputc('\n', f);
        }
    }
}

void sweep_map_rows(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                    size_t policy)
{
    struct pairs pairs = pairs_of(what, policy);
    struct panel panel;
    size_t goal, p;

    (void)look;
    fputs("x\ty\tbest\tsettings\tx_value\ty_value\tx_knob\ty_knob\tgoal\n", f);
    for (goal = 0; goal < what->n_goals; goal++) {
        for (p = 0; p < pairs.n; p++) {
            panel_fill(&panel, what, policy, goal, pairs.x[p], pairs.y[p]);
            write_panel(f, &panel, what->options->goals.text[goal], what);
        }
    }
}

static void set_axis(FILE *f, const char *letter, const struct sweep_figures *what,
                     const struct sweep_axis *axis, size_t p, double place)
{
    char name[32];
    size_t letters;

    snprintf(name, sizeof name, "%s_NAME", letter);
    figure_set_element(f, name, p, gtr_plan_knob_name(what->plan, axis->knob));
    fprintf(f, "%s_N[%zu] = %zu\n%s_BINNED[%zu] = %d\n", letter, p, axis->n, letter, p,
            axis->binned);
    snprintf(name, sizeof name, "%s_TICS[%zu]", letter, p);
    letters = sweep_axis_set_tics(f, name, axis, letter[0] == 'X' ? 4 : 8);
    fprintf(f, "%s_LETTERS[%zu] = %zu\n", letter, p, letters);
    snprintf(name, sizeof name, "%s_KNEE[%zu]", letter, p);
    figure_set_number(f, name, place);
}

/* Both axes of a pair, and where the recommended setting lies. */
static void set_pair(FILE *f, const struct sweep_figures *what, size_t policy,
                     const struct panel *panel, size_t p)
{
    double x = (double)NAN, y = (double)NAN;

    if (sweep_shows_knee(what, policy)) {
        const double *row = what->found->knobs + what->found->advice->knee * what->found->n_knobs;

        x = sweep_axis_place(&panel->x, row[panel->x.knob]);
        y = sweep_axis_place(&panel->y, row[panel->y.knob]);
    }
    set_axis(f, "X", what, &panel->x, p, x);
    set_axis(f, "Y", what, &panel->y, p, y);
}

/* All values of a goal, over its panels. */
struct shades {
    double value[SWEEP_PAIRS_MAX * AXIS_VALUES_MAX * AXIS_VALUES_MAX];
    size_t n;
};

/* Returns the number of empty cells. */
static size_t see_panel(const struct panel *panel, struct shades *shades)
{
    size_t cells = panel->x.n * panel->y.n, holes = 0, at;

    for (at = 0; at < cells; at++) {
        if (isnan(panel->best[at]))
            holes++;
        else
            shades->value[shades->n++] = panel->best[at];
    }
    return holes;
}

/* What the colours span.  A few cells far above all others would leave these one colour: then the
 * colours end at the 95th percentile.  Returns whether they do. */
static bool span_of(struct shades *shades, struct curve_range *span)
{
    double most;
    size_t i;

    curve_range_init(span);
    for (i = 0; i < shades->n; i++)
        curve_range_see(span, shades->value[i]);
    if (shades->n == 0 || sweep_is_wide(span))
        return false;
    figure_sort(shades->value, shades->n);
    most = shades->value[(shades->n - 1) * 95 / 100];
    if (!(most > span->low) || !(span->high - span->low > 3.0 * (most - span->low)))
        return false;
    span->high = most;
    return true;
}

static void set_goal(FILE *f, const struct sweep_figures *what, size_t goal, struct shades *shades)
{
    struct curve_range span;
    bool cut = span_of(shades, &span);
    char label[LABEL_SIZE];
    double factor = sweep_label(what->options->goals.text[goal], label);

    figure_set_element(f, "GOAL", goal + 1, label);
    fprintf(f, "FACTOR[%zu] = %g\nC_LOG[%zu] = %d\nC_CUT[%zu] = %d\n", goal + 1, factor, goal + 1,
            sweep_is_wide(&span), goal + 1, cut);
    fprintf(f, "C_LOW[%zu] = %.9g\nC_HIGH[%zu] = %.9g\n", goal + 1,
            !isnan(span.low) ? span.low * factor : 0.0, goal + 1,
            !isnan(span.low) ? span.high * factor : 1.0);
}

void sweep_map_variables(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                         size_t policy)
{
    struct pairs pairs = pairs_of(what, policy);
    struct panel panel;
    struct shades shades;
    size_t n_knobs = sweep_count_knobs(what, policy), goal, p, holes = 0;

    (void)look;
    fprintf(f, "N_PAIRS = %zu\nN_GOALS = %zu\n", pairs.n, what->n_goals);
    fputs("array X_NAME[N_PAIRS]\narray X_N[N_PAIRS]\narray X_BINNED[N_PAIRS]\n"
          "array X_TICS[N_PAIRS]\narray X_KNEE[N_PAIRS]\n"
          "array Y_NAME[N_PAIRS]\narray Y_N[N_PAIRS]\narray Y_BINNED[N_PAIRS]\n"
          "array Y_TICS[N_PAIRS]\narray Y_KNEE[N_PAIRS]\n"
          "array X_LETTERS[N_PAIRS]\narray Y_LETTERS[N_PAIRS]\n"
          "array GOAL[N_GOALS]\narray FACTOR[N_GOALS]\narray C_LOG[N_GOALS]\n"
          "array C_CUT[N_GOALS]\narray C_LOW[N_GOALS]\narray C_HIGH[N_GOALS]\n",
          f);
    for (goal = 0; goal < what->n_goals; goal++) {
        shades.n = 0;
        for (p = 0; p < pairs.n; p++) {
            panel_fill(&panel, what, policy, goal, pairs.x[p], pairs.y[p]);
            holes += see_panel(&panel, &shades);
            if (goal == 0)
                set_pair(f, what, policy, &panel, p + 1);
        }
        set_goal(f, what, goal, &shades);
    }
    fprintf(f, "N_HOLES = %zu\nN_OTHERS = %zu\n", holes, n_knobs > 2 ? n_knobs - 2 : 0);
    figure_set_string(f, "POLICY", what->results->study->labels[policy]);
}
