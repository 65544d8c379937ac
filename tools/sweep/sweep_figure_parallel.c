/* sweep_figure_parallel.c - the figure of the best settings, a line each through all knobs.
 *
 * "Best" is by the goal.  Of two goals, each is scaled to 0 .. 1 over the front, and their sum
 * counts: the knee of the front is the best.
 */
#include <math.h>

#include "sweep_figure_parts.h"

enum { LINES_MAX = 200, KNOBS_SHOWN_MAX = 8 };

struct best {
    double low[SWEEP_FIGURE_GOALS], width[SWEEP_FIGURE_GOALS];
    size_t n_goals; /* that count */
    size_t n;
    size_t considered;
    double score[LINES_MAX]; /* best first */
    size_t setting[LINES_MAX];
};

static double score_of(const struct best *best, const struct sweep_figures *what, size_t setting)
{
    double sum = 0.0;
    size_t goal;

    if (best->n_goals == 1)
        return what->found->goal_values[0][setting];
    for (goal = 0; goal < best->n_goals; goal++)
        sum += (what->found->goal_values[goal][setting] - best->low[goal]) / best->width[goal];
    return sum;
}

static void keep_best(struct best *best, double score, size_t setting)
{
    size_t k;

    if (best->n == LINES_MAX && !(score < best->score[LINES_MAX - 1]))
        return;
    best->n += best->n < LINES_MAX ? 1 : 0;
    for (k = best->n - 1; k > 0 && best->score[k - 1] > score; k--) {
        best->score[k] = best->score[k - 1];
        best->setting[k] = best->setting[k - 1];
    }
    best->score[k] = score;
    best->setting[k] = setting;
}

static void find_best(struct best *best, const struct sweep_figures *what, size_t policy)
{
    size_t goal, k, i;

    *best = (struct best){ .n_goals = what->n_goals };
    for (goal = 0; goal < what->n_goals; goal++) {
        struct curve_range span;

        curve_range_init(&span);
        for (k = 0; k < what->found->advice->n_front; k++)
            curve_range_see(&span, what->found->goal_values[goal][what->found->advice->front[k]]);
        best->low[goal] = span.low;
        best->width[goal] = span.high - span.low;
        if (!(best->width[goal] > 0.0))
            best->n_goals = 1;
    }
    for (i = what->found->policy_row[policy]; i < what->found->policy_row[policy + 1]; i++) {
        double score;

        if (!sweep_counts(what, i))
            continue;
        score = score_of(best, what, i);
        if (!isfinite(score))
            continue;
        best->considered++;
        keep_best(best, score, i);
    }
}

/* --- axes: knobs, then goals --------------------------------------------------------------- */

struct axes {
    size_t n_knobs, n;
    struct sweep_axis knob[KNOBS_SHOWN_MAX];
    struct sweep_axis goal[SWEEP_FIGURE_GOALS]; /* binned: they have no values of their own */
    double factor[SWEEP_FIGURE_GOALS];
};

static void axes_init(struct axes *axes, const struct sweep_figures *what, const struct best *best,
                      size_t policy)
{
    size_t knobs[KNOBS_SHOWN_MAX], k, goal;
    char label[LABEL_SIZE];

    axes->n_knobs = sweep_knobs(what, policy, knobs, KNOBS_SHOWN_MAX);
    axes->n = axes->n_knobs + what->n_goals;
    for (k = 0; k < axes->n_knobs; k++)
        sweep_axis_init(&axes->knob[k], what, knobs[k]);
    for (goal = 0; goal < what->n_goals; goal++) {
        struct curve_range span;

        curve_range_init(&span);
        axes->factor[goal] = sweep_label(what->options->goals.text[goal], label);
        for (k = 0; k < best->n; k++)
            curve_range_see(&span,
                            what->found->goal_values[goal][best->setting[k]] * axes->factor[goal]);
        if (sweep_shows_knee(what, policy))
            curve_range_see(&span, what->found->goal_values[goal][what->found->advice->knee] *
                                       axes->factor[goal]);
        axes->goal[goal] = (struct sweep_axis){
            .binned = true, .n = AXIS_BINS, .low = span.low, .high = span.high
        };
    }
}

/* Between 0 and 1. */
static double share_of(const struct sweep_axis *axis, double place)
{
    if (axis->binned)
        return axis->high > axis->low ? (place - 0.5) / (double)axis->n : 0.5;
    return axis->n > 1 ? (place - 1.0) / (double)(axis->n - 1) : 0.5;
}

static void write_line(FILE *f, const struct axes *axes, const struct sweep_figures *what,
                       size_t setting)
{
    size_t a;

    for (a = 0; a < axes->n; a++) {
        bool knob = a < axes->n_knobs;
        size_t goal = knob ? 0 : a - axes->n_knobs;
        const struct sweep_axis *axis = knob ? &axes->knob[a] : &axes->goal[goal];
        double value = knob ? what->found->knobs[setting * what->found->n_knobs + axis->knob]
                            : what->found->goal_values[goal][setting];
        double shown = knob ? value : value * axes->factor[goal];

        fprintf(f, "%zu\t", a + 1);
        figure_write_number(f, share_of(axis, sweep_axis_place(axis, shown)), '\t');
        figure_write_number(f, what->found->goal_values[0][setting], '\t');
        figure_write_number(f, value, '\t');
        fprintf(f, "%zu\t", what->results->first + setting);
        tell_text(f, knob ? gtr_plan_knob_name(what->plan, axis->knob)
                          : what->options->goals.text[goal]);
        fputc('\n', f);
    }
}

struct tics {
    FILE *f;
    const struct sweep_axis *axis;
    size_t number;
};

static void write_tic(void *context, double place, const char *text)
{
    const struct tics *tics = context;

    fprintf(tics->f, "%zu\t", tics->number);
    figure_write_number(tics->f, share_of(tics->axis, place), '\t');
    tell_text(tics->f, text);
    fputc('\n', tics->f);
}

static void write_tics(FILE *f, const struct axes *axes)
{
    size_t a;

    for (a = 0; a < axes->n; a++) {
        struct tics tics = { f, a < axes->n_knobs ? &axes->knob[a] : &axes->goal[a - axes->n_knobs],
                             a + 1 };
        char text[GTR_NUMBER_SIZE];

        snprintf(text, sizeof text, "%.4g", tics.axis->low);
        if (tics.axis->high > tics.axis->low)
            sweep_axis_tics(tics.axis, 8, write_tic, &tics);
        else
            write_tic(&tics, 0.0, text);
    }
}

/* Blocks: the settings, worst first, so that the best lie on top, with a blank line between them;
 * the tics; the recommended setting. */
void sweep_parallel_rows(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                         size_t policy)
{
    struct best best;
    struct axes axes;
    size_t k;

    (void)look;
    find_best(&best, what, policy);
    axes_init(&axes, what, &best, policy);
    fputs("axis\tplace\tgoal\tvalue\tsetting\tname\n\n\n", f);
    for (k = best.n; k > 0; k--) {
        write_line(f, &axes, what, best.setting[k - 1]);
        if (k > 1)
            fputc('\n', f);
    }
    fputs("\n\n", f);
    write_tics(f, &axes);
    if (sweep_shows_knee(what, policy)) {
        fputs("\n\n", f);
        write_line(f, &axes, what, what->found->advice->knee);
    }
}

void sweep_parallel_variables(FILE *f, const struct sweep_figures *what,
                              const struct figure_look *look, size_t policy)
{
    struct best best;
    struct axes axes;
    char label[LABEL_SIZE];
    size_t a;

    (void)look;
    find_best(&best, what, policy);
    axes_init(&axes, what, &best, policy);
    fprintf(f, "N_AXES = %zu\nN_LINES = %zu\nN_SETTINGS = %zu\nN_LEFT_OUT = %zu\n", axes.n, best.n,
            best.considered, sweep_count_knobs(what, policy) - axes.n_knobs);
    fputs("array AXIS[N_AXES]\n", f);
    for (a = 0; a < axes.n; a++) {
        if (a >= axes.n_knobs)
            sweep_label(what->options->goals.text[a - axes.n_knobs], label);
        figure_set_element(f, "AXIS", a + 1,
                           a < axes.n_knobs ? gtr_plan_knob_name(what->plan, axes.knob[a].knob)
                                            : label);
    }
    sweep_label(what->options->goals.text[0], label);
    figure_set_string(f, "GOAL", label);
    figure_set_string(f, "GOAL_NAME", what->options->goals.text[0]);
    fprintf(f, "N_GOALS = %zu\nFACTOR = %g\n", best.n_goals, axes.factor[0]);
    fprintf(f, "C_LOW = %.9g\nC_HIGH = %.9g\n", axes.goal[0].low, axes.goal[0].high);
    fprintf(f, "KNEE = %d\n", sweep_shows_knee(what, policy));
    figure_set_string(f, "POLICY", what->results->study->labels[policy]);
}
