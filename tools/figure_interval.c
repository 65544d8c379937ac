/* figure_interval.c - the figure of one norm and the interval that a policy held it in. */
#include <math.h>

#include "figure_curve.h"
#include "figure_rows.h"

/* global holds the norm of the whole gradient; the others hold each group's own. */
static bool holds_whole(const struct figure_view *view, size_t policy)
{
    return view->decisions[policy]->policy == GTR_GLOBAL;
}

static double held_norm(const struct figure_view *view, size_t policy, size_t t)
{
    if (!holds_whole(view, policy))
        return figure_norm(view, view->group, t);
    return view->series->nonfinite[t] ? (double)NAN : view->series->total[t];
}

/* Where the decisions about the group start in [G][T] arrays. */
static size_t first_of(const struct figure_view *view)
{
    return view->group * view->series->n_steps;
}

/* What an interval that is there at least once has. */
struct ends {
    bool lower, upper;
};

static struct ends ends_of(const struct figure_view *view, size_t policy)
{
    const struct gtr_decisions *d = view->decisions[policy];
    struct ends ends = { false, false };
    size_t at = first_of(view), t;

    for (t = 0; t < view->series->n_steps; t++) {
        ends.lower |= d->lower[at + t] > 0.0;
        ends.upper |= isfinite(d->upper[at + t]);
    }
    return ends;
}

bool interval_applies(const struct figure_view *view, size_t policy)
{
    struct ends ends =
        view->series->n_groups > 0 ? ends_of(view, policy) : (struct ends){ false, false };

    return ends.lower || ends.upper;
}

void interval_rows(FILE *f, const struct figure_view *view, const struct figure_look *look,
                   size_t policy)
{
    const struct gtr_decisions *d = view->decisions[policy];
    size_t at = first_of(view), t, i;

    (void)look;
    fputs("step\tnorm\tlower\tupper\tscale\tnorm_out\n\n\n", f);
    for (t = 0; t < view->series->n_steps; t++) {
        double norm = held_norm(view, policy, t);
        const double row[] = { norm, d->lower[at + t], d->upper[at + t], d->scale[at + t],
                               norm * d->scale[at + t] };
        char text[GTR_NUMBER_SIZE];

        fprintf(f, "%lld", (long long)view->series->index[t]);
        for (i = 0; i < GTR_ARRAY_LEN(row); i++) {
            gtr_text_print(row[i], text);
            fprintf(f, "\t%s", text);
        }
        fputc('\n', f);
    }
}

static void set_counts(FILE *f, const struct figure_view *view, size_t policy)
{
    const struct gtr_decisions *d = view->decisions[policy];
    size_t decided = 0, clipped = 0, raised = 0, empty = 0, at = first_of(view), t;

    for (t = 0; t < view->series->n_steps; t++) {
        decided += view->skip[t] ? 0 : 1;
        clipped += d->scale[at + t] < 1.0 ? 1 : 0;
        raised += d->scale[at + t] > 1.0 ? 1 : 0;
        empty += d->lower[at + t] > d->upper[at + t] ? 1 : 0;
    }
    figure_set_number(f, "N_DECIDED", (double)decided);
    figure_set_number(f, "N_CLIPPED", (double)clipped);
    figure_set_number(f, "N_RAISED", (double)raised);
    figure_set_number(f, "N_EMPTY", (double)empty);
}

/* An end far from every norm - 0 before there is a past, or a limit never reached - leaves the
 * axis to the norms. */
static void see_end(struct curve_range *range, const struct curve_range *norms, double end)
{
    enum { NEAR = 3 };

    if (end * NEAR >= norms->low_positive && end <= norms->high * NEAR)
        curve_range_see(range, end);
}

void interval_variables(FILE *f, const struct figure_view *view, const struct figure_look *look,
                        size_t policy)
{
    const struct gtr_decisions *d = view->decisions[policy];
    struct ends ends = ends_of(view, policy);
    struct curve_range range, norms;
    size_t at = first_of(view), t;

    curve_range_init(&norms);
    for (t = 0; t < view->series->n_steps; t++)
        curve_range_see(&norms, held_norm(view, policy, t));
    range = norms;
    for (t = 0; t < view->series->n_steps; t++) {
        if (ends.upper)
            see_end(&range, &norms, d->upper[at + t]);
        if (ends.lower)
            see_end(&range, &norms, d->lower[at + t]);
    }
    curve_range_set(f, &range, look->axis);
    figure_set_string(f, "POLICY", view->titles[policy]);
    figure_set_string(f, "SUBJECT",
                      holds_whole(view, policy) ? "whole gradient"
                                                : view->series->names[view->group]);
    figure_set_number(f, "HAS_LOWER", ends.lower ? 1.0 : 0.0);
    figure_set_number(f, "HAS_UPPER", ends.upper ? 1.0 : 0.0);
    set_counts(f, view, policy);
}
