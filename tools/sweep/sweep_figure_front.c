/* sweep_figure_front.c - the figure of two goals against each other, and the front.
 *
 * The axes show the front and what lies near it: of a sweep most settings are far off.  More
 * settings than a reader could tell apart are counted in cells, and each cell has one dot.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "sweep_figure_parts.h"

enum {
    DOTS_MAX = 4000,
    CELLS_X = 180, /* of the plane: a little smaller than a dot */
    CELLS_Y = 130,
    FINER = 4 /* for the front */
};

/* One axis of the plane. */
struct side {
    const double *values;
    double factor;
    char label[LABEL_SIZE];
    bool log;
    double low, high; /* shown */
};

struct plane {
    struct side x, y;
    size_t n;       /* settings that count */
    size_t outside; /* of them, beyond the axes */
    bool binned;
};

static double spread(const struct side *side, double value)
{
    return side->log ? log(value) : value;
}

static double unspread(const struct side *side, double value)
{
    return side->log ? exp(value) : value;
}

static void side_init(struct side *side, const struct sweep_figures *what, size_t goal)
{
    struct curve_range all, front;
    double low, high, room;
    size_t i;

    side->values = what->found->goal_values[goal];
    side->factor = sweep_label(what->options->goals.text[goal], side->label);
    curve_range_init(&all);
    curve_range_init(&front);
    for (i = 0; i < what->results->n; i++)
        if (sweep_counts(what, i))
            curve_range_see(&all, side->values[i]);
    for (i = 0; i < what->found->advice->n_front; i++)
        curve_range_see(&front, side->values[what->found->advice->front[i]]);
    side->log = sweep_is_wide(&all);
    low = spread(side, all.low);
    high = spread(side, all.high);
    /* The front takes at least a sixth of the axis. */
    if (front.high > front.low) {
        double most =
            spread(side, front.low) + 6.0 * (spread(side, front.high) - spread(side, front.low));

        high = high < most ? high : most;
    }
    room = high > low ? 0.04 * (high - low) : side->log ? 0.1 : 0.05 + 0.05 * fabs(high);
    side->low = unspread(side, low - room);
    side->high = unspread(side, high + room);
}

static bool within(const struct side *side, double value)
{
    return value >= side->low && value <= side->high;
}

static bool has_both(const struct plane *plane, const struct sweep_figures *what, size_t i)
{
    return sweep_counts(what, i) && isfinite(plane->y.values[i]);
}

static void plane_init(struct plane *plane, const struct sweep_figures *what)
{
    size_t i;

    side_init(&plane->x, what, 0);
    side_init(&plane->y, what, 1);
    plane->n = plane->outside = 0;
    for (i = 0; i < what->results->n; i++) {
        if (!has_both(plane, what, i))
            continue;
        plane->n++;
        plane->outside +=
            !within(&plane->x, plane->x.values[i]) || !within(&plane->y, plane->y.values[i]);
    }
    plane->binned = plane->n > DOTS_MAX;
}

/* --- rows ---------------------------------------------------------------------------------- */

static void write_dot(FILE *f, double x, double y, size_t number, const char *policy)
{
    figure_write_number(f, x, '\t');
    figure_write_number(f, y, '\t');
    fprintf(f, "%zu\t", number);
    tell_text(f, policy);
    fputc('\n', f);
}

static size_t cell_of(const struct side *side, double value, size_t n)
{
    double low = spread(side, side->low), high = spread(side, side->high);
    double place = (double)n * (spread(side, value) - low) / (high - low);

    return place < 0.0 ? 0 : place >= (double)n ? n - 1 : (size_t)place;
}

static double middle_of(const struct side *side, size_t cell, size_t n)
{
    double low = spread(side, side->low), high = spread(side, side->high);

    return unspread(side, low + ((double)cell + 0.5) * (high - low) / (double)n);
}

/* Dots of a policy's settings, or of the cells that hold some.  Returns how many. */
static size_t write_settings(FILE *f, const struct plane *plane, const struct sweep_figures *what,
                             size_t policy)
{
    uint32_t count[CELLS_X * CELLS_Y];
    size_t n = 0, i;

    memset(count, 0, sizeof count);
    for (i = what->found->policy_row[policy]; i < what->found->policy_row[policy + 1]; i++) {
        double x = plane->x.values[i], y = plane->y.values[i];

        if (!has_both(plane, what, i) || !within(&plane->x, x) || !within(&plane->y, y))
            continue;
        if (plane->binned)
            count[cell_of(&plane->y, y, CELLS_Y) * CELLS_X + cell_of(&plane->x, x, CELLS_X)]++;
        else
            write_dot(f, x, y, 1, what->results->study->labels[policy]);
        n += plane->binned ? 0 : 1;
    }
    for (i = 0; i < CELLS_X * CELLS_Y; i++) {
        if (count[i] == 0)
            continue;
        write_dot(f, middle_of(&plane->x, i % CELLS_X, CELLS_X),
                  middle_of(&plane->y, i / CELLS_X, CELLS_Y), count[i],
                  what->results->study->labels[policy]);
        n++;
    }
    return n;
}

static size_t policy_of(const struct sweep_figures *what, size_t setting)
{
    size_t p = 0;

    while (p + 1 < what->found->n_policies && setting >= what->found->policy_row[p + 1])
        p++;
    return p;
}

static void write_setting(FILE *f, const struct plane *plane, const struct sweep_figures *what,
                          size_t setting)
{
    write_dot(f, plane->x.values[setting], plane->y.values[setting], what->results->first + setting,
              what->results->study->labels[policy_of(what, setting)]);
}

/* Writes the front, of all policies or of one, but for points on the spot of the one before, which
 * lie under it.  Returns how many it wrote. */
static size_t write_front(FILE *f, const struct plane *plane, const struct sweep_figures *what,
                          size_t policy)
{
    size_t last_x = SIZE_MAX, last_y = SIZE_MAX, n = 0, k;

    for (k = 0; k < what->found->advice->n_front; k++) {
        size_t i = what->found->advice->front[k];
        size_t x = cell_of(&plane->x, plane->x.values[i], FINER * CELLS_X);
        size_t y = cell_of(&plane->y, plane->y.values[i], FINER * CELLS_Y);

        if ((policy < what->found->n_policies && policy_of(what, i) != policy) ||
            (x == last_x && y == last_y))
            continue;
        write_setting(f, plane, what, i);
        last_x = x;
        last_y = y;
        n++;
    }
    return n;
}

/* Blocks: the settings of each policy, the front of each policy, the whole front, its knee.  An
 * empty block would not be counted. */
void sweep_front_rows(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                      size_t policy)
{
    struct plane plane;
    size_t p;

    (void)look;
    (void)policy;
    plane_init(&plane, what);
    fprintf(f, "x\ty\t%s\tpolicy\n", plane.binned ? "settings_or_number" : "number");
    for (p = 0; p < what->found->n_policies; p++) {
        fputs("\n\n", f);
        if (write_settings(f, &plane, what, p) == 0)
            write_dot(f, (double)NAN, (double)NAN, 0, what->results->study->labels[p]);
    }
    for (p = 0; p < what->found->n_policies; p++) {
        fputs("\n\n", f);
        if (write_front(f, &plane, what, p) == 0)
            write_dot(f, (double)NAN, (double)NAN, 0, what->results->study->labels[p]);
    }
    fputs("\n\n", f);
    if (write_front(f, &plane, what, what->found->n_policies) == 0)
        write_dot(f, (double)NAN, (double)NAN, 0, "");
    if (what->found->advice->knee < what->results->n) {
        fputs("\n\n", f);
        write_setting(f, &plane, what, what->found->advice->knee);
    }
}

/* --- variables ----------------------------------------------------------------------------- */

static void set_side(FILE *f, char letter, const struct side *side)
{
    fprintf(f, "%c_LABEL = ", letter);
    figure_write_string(f, side->label);
    fprintf(f, "\n%c_FACTOR = %g\n%c_LOG = %d\n", letter, side->factor, letter, side->log);
    fprintf(f, "%c_MIN = %.9g\n%c_MAX = %.9g\n", letter, side->low * side->factor, letter,
            side->high * side->factor);
}

/* A front of three goals zigzags in the plane of two, and gets no line. */
static bool falls(const struct sweep_figures *what)
{
    size_t k;

    for (k = 1; k < what->found->advice->n_front; k++) {
        const double *x = what->found->goal_values[0], *y = what->found->goal_values[1];

        if (x[what->found->advice->front[k]] < x[what->found->advice->front[k - 1]] ||
            y[what->found->advice->front[k]] > y[what->found->advice->front[k - 1]])
            return false;
    }
    return true;
}

void sweep_front_variables(FILE *f, const struct sweep_figures *what,
                           const struct figure_look *look, size_t policy)
{
    struct plane plane;
    char text[256];

    (void)look;
    (void)policy;
    plane_init(&plane, what);
    set_side(f, 'X', &plane.x);
    set_side(f, 'Y', &plane.y);
    fprintf(f, "N_SETTINGS = %zu\nN_OUTSIDE = %zu\nBINNED = %d\nN_FRONT = %zu\nFALLS = %d\n",
            plane.n, plane.outside, plane.binned, what->found->advice->n_front, falls(what));
    fprintf(f, "KNEE = %d\n", what->found->advice->knee < what->results->n);
    text[0] = '\0';
    if (what->found->advice->knee < what->results->n)
        sweep_setting_text(what, what->found->advice->knee, text, sizeof text);
    figure_set_string(f, "KNEE_TEXT", text);
}
