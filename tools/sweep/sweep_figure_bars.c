/* sweep_figure_bars.c - the figure of which knob matters. */
#include <math.h>

#include "sweep_figure_parts.h"

enum { BARS_MAX = 24 };

/* Does anything vary with the knob, as far as is known? */
static bool is_known(const struct sweep_figures *what, size_t knob)
{
    return isfinite(what->found->sensitivity[knob].first) ||
           isfinite(what->found->sensitivity[knob].total);
}

/* Knobs in the order of the bars: policy by policy, those that matter most first. */
static size_t ordered(const struct sweep_figures *what, size_t knobs[BARS_MAX])
{
    size_t n = 0, kept = 0, p, k;

    for (p = 0; p < what->found->n_policies; p++)
        n += sweep_knobs(what, p, knobs + n, BARS_MAX - n);
    for (k = 0; k < n; k++)
        if (is_known(what, knobs[k]))
            knobs[kept++] = knobs[k];
    return kept;
}

void sweep_bars_rows(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                     size_t policy)
{
    size_t knobs[BARS_MAX], n = ordered(what, knobs), k;

    (void)look;
    (void)policy;
    fputs("bar\tfirst\tfirst_low\tfirst_high\ttotal\ttotal_low\ttotal_high\tknob\tpolicy\n\n\n", f);
    for (k = 0; k < n; k++) {
        const struct gtr_sensitivity *s = &what->found->sensitivity[knobs[k]];

        fprintf(f, "%zu\t", k + 1);
        figure_write_number(f, s->first, '\t');
        figure_write_number(f, s->first_low, '\t');
        figure_write_number(f, s->first_high, '\t');
        figure_write_number(f, s->total, '\t');
        figure_write_number(f, s->total_low, '\t');
        figure_write_number(f, s->total_high, '\t');
        tell_text(f, gtr_plan_knob_name(what->plan, knobs[k]));
        fputc('\t', f);
        tell_text(f, what->results->study->labels[gtr_plan_knob_policy(what->plan, knobs[k])]);
        fputc('\n', f);
    }
}

void sweep_bars_variables(FILE *f, const struct sweep_figures *what, const struct figure_look *look,
                          size_t policy)
{
    size_t knobs[BARS_MAX], n = ordered(what, knobs), known = 0, k;
    bool totals = false, intervals = false;
    char text[2 * LABEL_SIZE];
    double high = 1.0;

    (void)look;
    (void)policy;
    for (k = 0; k < what->found->n_knobs; k++)
        known += is_known(what, k) ? 1 : 0;
    fprintf(f, "N_BARS = %zu\nN_LEFT_OUT = %zu\narray BAR[N_BARS]\narray OF[N_BARS]\n", n,
            known - n);
    for (k = 0; k < n; k++) {
        const struct gtr_sensitivity *s = &what->found->sensitivity[knobs[k]];
        size_t p = gtr_plan_knob_policy(what->plan, knobs[k]);

        intervals = intervals || s->first_low < s->first_high || s->total_low < s->total_high;
        totals = totals || isfinite(s->total);
        high = s->total_high > high ? s->total_high : high;
        high = s->first_high > high ? s->first_high : high;
        snprintf(text, sizeof text, "%s%s%s",
                 what->found->n_policies > 1 ? what->results->study->labels[p] : "",
                 what->found->n_policies > 1 ? ": " : "", gtr_plan_knob_name(what->plan, knobs[k]));
        figure_set_element(f, "BAR", k + 1, text);
        fprintf(f, "OF[%zu] = %zu\n", k + 1, p + 1);
    }
    fprintf(f, "HAS_TOTAL = %d\nHAS_INTERVAL = %d\nX_HIGH = %.9g\n", totals, intervals, high);
    figure_set_string(f, "GOAL", what->options->goals.text[0]);
}
