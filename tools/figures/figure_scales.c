/* figure_scales.c - the figure of how the scales are distributed.
 *
 * A cumulative distribution hides nothing and needs no bins: a value that a policy gives again and
 * again is a vertical line as high as its share.
 */
#include <math.h>

#include "figure.h"

enum {
    POINTS_MAX = 2000, /* of one distribution; a finer one is drawn at that many quantiles */
    POINTS_LEAST = 40,
    GROUPS_COLOURED = 16,
    COLOURED_OF_MANY = 8,
    POINTS_TOTAL = 16000, /* of all in a picture, for the size of a file of vectors */
    MODES_MAX = 16        /* values looked at as the most common one */
};

/* The scales that a policy gave a group, sorted, in view->values. */
static size_t sorted_scales(const struct figure_view *view, size_t policy, size_t group)
{
    size_t n_steps = view->series->n_steps, n = 0, t;
    const double *scale = view->decisions[policy]->scale + group * n_steps;

    for (t = 0; t < n_steps; t++)
        if (isfinite(scale[t]))
            view->values[n++] = scale[t];
    figure_sort(view->values, n);
    return n;
}

/* First index after those that equal sorted[i]. */
static size_t run_end(const double *sorted, size_t n, size_t i)
{
    double value = sorted[i];

    while (i < n && sorted[i] == value)
        i++;
    return i;
}

static size_t count_distinct(const double *sorted, size_t n)
{
    size_t count = 0, i;

    for (i = 0; i < n; i = run_end(sorted, n, i))
        count++;
    return count;
}

static void write_point(FILE *f, double scale, double share, const char *group, const char *policy)
{
    char a[GTR_NUMBER_SIZE], b[GTR_NUMBER_SIZE];

    gtr_text_print(scale, a);
    gtr_text_print(share, b);
    fprintf(f, "%s\t%s\t", a, b);
    figure_write_name(f, group, '\t');
    figure_write_name(f, policy, '\n');
}

/* Of the group of rank k.  Those that style.gp draws in grey, since there are too many for colours,
 * get the fewest. */
static size_t points_of_one(const struct figure_view *view, size_t k)
{
    size_t n = view->series->n_groups, n_shown = n <= GROUPS_COLOURED ? n : COLOURED_OF_MANY;
    size_t most = POINTS_TOTAL / (n_shown * view->n_policies);

    if (k >= n_shown)
        return POINTS_LEAST;
    return most > POINTS_MAX ? POINTS_MAX : most < POINTS_LEAST ? POINTS_LEAST : most;
}

static void write_distribution(FILE *f, const double *sorted, size_t n, size_t points,
                               const char *group, const char *policy)
{
    size_t i, k;

    fputs("\n\n", f);
    if (n == 0) {
        write_point(f, (double)NAN, (double)NAN, group, policy);
        return;
    }
    write_point(f, sorted[0], 0.0, group, policy);
    if (count_distinct(sorted, n) <= points) {
        for (i = 0; i < n;) {
            size_t end = run_end(sorted, n, i);

            write_point(f, sorted[i], (double)end / (double)n, group, policy);
            i = end;
        }
        return;
    }
    for (k = 1; k <= points; k++) {
        i = k * n / points;
        write_point(f, sorted[i - 1], (double)i / (double)n, group, policy);
    }
}

void scales_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                 size_t policy)
{
    const struct gtr_series *series = view->series;
    size_t p, k;

    (void)look;
    (void)policy;
    fputs("scale\tshare\tgroup\tpolicy\n", f);
    for (p = 0; p < view->n_policies; p++) {
        for (k = 0; k < series->n_groups; k++) {
            size_t n = sorted_scales(view, p, view->ranked[k]);

            write_distribution(f, view->values, n, points_of_one(view, k),
                               series->names[view->ranked[k]], view->labels[p]);
        }
    }
}

/* Values that some group got in at least one step of fifty. */
struct modes {
    double value[MODES_MAX];
    size_t n;
};

static void add_modes(struct modes *modes, const double *sorted, size_t n)
{
    size_t i, end, k;

    for (i = 0; i < n; i = end) {
        end = run_end(sorted, n, i);
        if ((end - i) * 50 < n || end - i < 2 || sorted[i] == 1.0)
            continue;
        for (k = 0; k < modes->n && modes->value[k] != sorted[i]; k++)
            ;
        if (k == modes->n && k < MODES_MAX)
            modes->value[modes->n++] = sorted[i];
    }
}

/* Share of all decisions of a policy that are exactly this value, in percent. */
static double percent_equal(const struct figure_view *view, size_t policy, double value)
{
    const double *scale = view->decisions[policy]->scale;
    size_t n = view->series->n_groups * view->series->n_steps, equal = 0, decided = 0, i;

    for (i = 0; i < n; i++) {
        equal += scale[i] == value ? 1 : 0;
        decided += isfinite(scale[i]) ? 1 : 0;
    }
    return decided > 0 ? 100.0 * (double)equal / (double)decided : 0.0;
}

/* "untouched 0.6 %; exactly 0.9: 98.8 %" */
static void set_modes(FILE *f, const struct figure_view *view, size_t policy,
                      const struct modes *modes)
{
    char text[128], common[GTR_NUMBER_SIZE];
    double most = 0.0, value = 0.0;
    size_t k, used;

    for (k = 0; k < modes->n; k++) {
        double share = percent_equal(view, policy, modes->value[k]);

        if (share > most) {
            most = share;
            value = modes->value[k];
        }
    }
    used =
        (size_t)snprintf(text, sizeof text, "untouched %.3g %%", percent_equal(view, policy, 1.0));
    gtr_text_print(value, common);
    if (most > 0.0)
        snprintf(text + used, sizeof text - used, "; exactly %.8s: %.3g %%", common, most);
    figure_set_element(f, "MODES", policy + 1, text);
}

struct span {
    double low, high;
    bool thinned;
};

/* One policy's label and commonest scales; widens the span. */
static void set_policy(FILE *f, const struct figure_view *view, size_t policy, struct span *span)
{
    struct modes modes = { .n = 0 };
    size_t g;

    for (g = 0; g < view->series->n_groups; g++) {
        size_t n = sorted_scales(view, policy, g);

        if (n == 0)
            continue;
        if (view->values[0] < span->low)
            span->low = view->values[0];
        if (view->values[n - 1] > span->high)
            span->high = view->values[n - 1];
        span->thinned |= count_distinct(view->values, n) > points_of_one(view, 0);
        add_modes(&modes, view->values, n);
    }
    set_modes(f, view, policy, &modes);
}

void scales_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                      size_t policy)
{
    struct span span = { 1.0, 1.0, false };
    bool log_axis;
    double room;
    size_t p;

    (void)look;
    (void)policy;
    figure_set_short(f, "N_POLICIES", "POLICY", view->titles, view->n_policies, FIGURE_TITLE);
    fputs("array MODES[N_POLICIES]\n", f);
    for (p = 0; p < view->n_policies; p++)
        set_policy(f, view, p, &span);
    log_axis = span.low > 0.0 && span.high > 10.0 * span.low;
    room = log_axis               ? pow(span.high / span.low, 0.03)
           : span.high > span.low ? 0.03 * (span.high - span.low)
                                  : 0.1;
    figure_set_number(f, "LOG", log_axis ? 1.0 : 0.0);
    figure_set_number(f, "X_MIN", log_axis ? span.low / room : span.low - room);
    figure_set_number(f, "X_MAX", log_axis ? span.high * room : span.high + room);
    figure_set_number(f, "THINNED", span.thinned ? (double)points_of_one(view, 0) : 0.0);
}
